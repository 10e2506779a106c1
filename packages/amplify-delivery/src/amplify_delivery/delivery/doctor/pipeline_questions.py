"""What is looked at in a pipeline's own account: each subject's question, which only reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from amplify_delivery.components.documents.pipeline.source_models import ConnectionSource, PipelineSource
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.doctor.asking import (
    identity,
    quotas,
    repositories,
    roles,
    states,
)
from amplify_delivery.delivery.doctor.asking.clients import Clients, given
from amplify_delivery.delivery.doctor.environment_questions import names_its_key
from amplify_delivery.delivery.doctor.judging import (
    bootstrapped,
    connection,
    region,
    state_place,
    trust,
)
from amplify_delivery.delivery.doctor.lines import Line
from amplify_delivery.delivery.doctor.place import Place
from amplify_delivery.delivery.doctor.questions import Question
from amplify_delivery.stacks.access import environment_names, pipeline_names
from amplify_delivery.stacks.config import PipelineConfig

if TYPE_CHECKING:
    from amplify_delivery.components.documents.naming import PipelineNames


class PipelineQuestions:
    """The questions about a pipeline and its tooling account; without clients nothing is asked."""

    def __init__(self, clients: Clients | None, place: Place, pipeline: PipelineConfig, context: Context) -> None:
        self._given, self._place, self._config, self._context = clients, place, pipeline, context

    @property
    def _clients(self) -> Clients:
        return given(self._given)

    @property
    def _names(self) -> PipelineNames:
        return pipeline_names(self._context.project.app, self._place.stack, self._config)

    @property
    def _make(self) -> str:
        place = self._place
        return f"`amplify-delivery setup --account {place.account} {place.options}`"

    def questions(self) -> Iterator[Question]:
        """In the order of their lines."""
        yield Question(("region",), self._region)
        yield Question(("state",), self._state)
        yield Question(("state key",), self._key)
        if isinstance(self._config.source, ConnectionSource):
            yield Question(("connection",), self._connection)
        elif isinstance(self._config.source, PipelineSource):
            yield Question(("source",), self._before)
        else:
            yield Question(("source",), self._source)
        yield Question(("trust",), self._assumes)
        yield Question(("builds",), self._builds)

    def _region(self) -> Iterable[Line]:
        return [region.judge(identity.region_status(self._clients, self._place), self._place)]

    def _state(self) -> Iterable[Line]:
        names = self._names
        app = self._context.project.app
        found = states.bucket(self._clients, names.state_bucket, names.account, app, self._place.stack)
        make = self._make if not found.there else f"{self._make}, then `pulumi up -s {self._place.stack}`"
        return [state_place.bucket(found, self._place, make, key_named=names_its_key(self._context, self._place))]

    def _key(self) -> Iterable[Line]:
        return [state_place.key(states.key(self._clients, self._names.state_key_alias), self._place, self._make)]

    def _connection(self) -> Iterable[Line]:
        source = self._config.source
        assert isinstance(source, ConnectionSource)  # noqa: S101 - else another question was asked
        return [connection.judge(repositories.connection(self._clients, source), self._place)]

    def _before(self) -> Iterable[Line]:
        source = self._config.source
        assert isinstance(source, PipelineSource)  # noqa: S101 - else another question was asked
        name = replace(self._names, name=source.pipeline).pipeline
        return [connection.other(*repositories.before(self._clients, name, source.pipeline))]

    def _source(self) -> Iterable[Line]:
        return [connection.other(*repositories.other(self._clients, self._config.source, self._place))]

    def _assumes(self) -> Iterable[Line]:
        """Whether the pipeline's role may assume the action roles: its half of the trust."""
        project, names = self._context.project, self._names
        actions = [
            environment_names(project.app, project.environment(name)).action_role_arn
            for name in self._config.environments
        ]
        found = [
            decision
            for role in actions
            for decision in roles.simulate(self._clients, names.role_arn(), ["sts:AssumeRole"], role)
        ]
        return [trust.decided("trust", names.role(), found, f"`pulumi up -s {self._place.stack}`")]

    def _builds(self) -> Iterable[Line]:
        size = self._config.build.compute_type
        return [
            bootstrapped.builds(
                quotas.builds(self._clients, size), size.rpartition("_")[2].capitalize(), 1, self._place
            )
        ]
