"""Change detection: looks at the branches and tags of the pipelines' repositories and starts executions.

On AWS a push reaches CodePipeline as an event; here the heads are compared every so often, or when `notify_push` says
so. What was there when a pipeline was created does not start it (its creation does).
"""

from __future__ import annotations

import json
import threading

from aws_rehearsal.pipeline_service.definitions import Action, Pipeline
from aws_rehearsal.pipeline_service.errors import ActionError, ServiceError
from aws_rehearsal.pipeline_service.pipelines.engine import Engine
from aws_rehearsal.pipeline_service.pipelines.orders import Orders
from aws_rehearsal.pipeline_service.sources.repositories import Heads, Repositories, Repository, names_of, pushes
from aws_rehearsal.pipeline_service.sources.triggers import Push, starts
from aws_rehearsal.pipeline_service.starts.webhooks import Webhooks
from aws_rehearsal.pipeline_service.state import Execution, PipelineState


class Changes:
    """Watches the repositories of all pipelines."""

    def __init__(self, engine: Engine, orders: Orders, repositories: Repositories, webhooks: Webhooks) -> None:
        self._engine, self._orders, self._repositories = engine, orders, repositories
        self._webhooks = webhooks
        self._known_heads = Heads()
        self._lock = threading.Lock()

    def watch(self, state: PipelineState) -> None:
        """Remember the heads of a new or changed pipeline's repositories; known ones are kept, so no push is lost."""
        with self._lock:
            watched = {}
            for source in state.definition.sources():
                repository = self._repository(state, source)
                if repository is not None:
                    key = self._key(state, source)
                    watched[key] = state.heads.get(key) or self._heads(repository)
            state.heads = watched
            before, state.objects = state.objects, _objects(state.definition)
        if any(place != before.get(name, place) for name, place in state.objects.items()):
            # Another object is another revision, which polling finds; a new version of the same one is not looked for.
            self._orders.start(state, ("PollForSourceChanges", json.dumps(state.objects)[:1024]))

    def look(self) -> list[Execution]:
        """Start what the pushes since the last look start."""
        with self._engine.lock:
            states = list(self._engine.pipelines.values())
        started = []
        with self._lock:
            heads: dict[str, dict[str, str]] = {}
            for state in states:
                for source in state.definition.sources():
                    started += self._look_at(state, source, heads)
        return started

    def _look_at(self, state: PipelineState, source: Action, heads: dict[str, dict[str, str]]) -> list[Execution]:
        repository = self._repository(state, source)
        if repository is None:
            return []
        path = str(repository.path)
        if path not in heads:
            heads[path] = self._heads(repository)
        key = self._key(state, source)
        before = state.heads.get(key)
        state.heads[key] = heads[path]
        if before is None or before == heads[path]:
            return []
        return [
            execution
            for push, commit in pushes(repository, before, heads[path])
            if (cause := self._cause(state, source, push, commit)) is not None
            and (execution := self._start(state, source, push, commit, cause)) is not None
        ]

    def _cause(self, state: PipelineState, source: Action, push: Push, commit: str) -> tuple[str, str] | None:
        """What starts the pipeline because of a push: trigger type and detail, None if nothing does."""
        if starts(state.definition, source, push):
            connection, full_id = names_of(source, state.definition.region, state.definition.account)
            kind = "WebhookV2" if source.provider == "CodeStarSourceConnection" else "PollForSourceChanges"
            names = {"ConnectionArn": connection, "FullRepositoryId": full_id, "Ref": _ref(push), "CommitId": commit}
            return kind, json.dumps(names)[:1024]
        webhook = self._webhooks.starting(state.definition, source, push)
        return ("Webhook", webhook.arn) if webhook else None

    def _start(
        self, state: PipelineState, source: Action, push: Push, commit: str, cause: tuple[str, str]
    ) -> Execution | None:
        try:
            return self._orders.start(state, cause, revisions={source.name: f"{_ref(push)} {commit}"})
        except ServiceError:
            # The queue is full: AWS drops such a start as well.
            return None

    def _repository(self, state: PipelineState, source: Action) -> Repository | None:
        if source.provider == "S3":
            return None
        return self._repositories.of(source, state.definition.region, state.definition.account)

    def _key(self, state: PipelineState, source: Action) -> str:
        return " ".join(map(str, names_of(source, state.definition.region, state.definition.account)))

    def _heads(self, repository: Repository) -> dict[str, str]:
        try:
            return self._known_heads.of(repository)
        except ActionError:
            return {}


def _objects(pipeline: Pipeline) -> dict[str, str]:
    """The objects that source actions poll, by the action's name; polling is what they do unless they say otherwise."""
    return {
        source.name: f"{source.configuration['S3Bucket']}/{source.configuration['S3ObjectKey']}"
        for source in pipeline.sources()
        if source.provider == "S3" and source.configuration.get("PollForSourceChanges", "true").lower() != "false"
    }


def _ref(push: Push) -> str:
    return f"tags/{push.tag}" if push.tag else f"heads/{push.branch}"
