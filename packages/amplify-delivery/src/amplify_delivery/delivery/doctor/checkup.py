"""What is looked at in each place: this machine, an environment's account, a pipeline's account.

Each subject's question is one that reads; what somebody may not ask is a line that says so. Who may ask what stands in
docs/doctor.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.doctor.asking import (
    identity,
    this_machine,
)
from amplify_delivery.delivery.doctor.asking.clients import NOBODY_ASKS, Clients
from amplify_delivery.delivery.doctor.environment_questions import EnvironmentQuestions
from amplify_delivery.delivery.doctor.judging import (
    caller,
    clock,
    tools,
)
from amplify_delivery.delivery.doctor.judging.caller import NoCaller
from amplify_delivery.delivery.doctor.lines import Line, Section
from amplify_delivery.delivery.doctor.pipeline_questions import PipelineQuestions
from amplify_delivery.delivery.doctor.place import Place
from amplify_delivery.delivery.doctor.questions import Question, answered, answered_without_account
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import ConfigError

_NOWHERE = Place("", "", "us-east-1")
"""Where AWS's time is asked for if no stack is named."""
_EXPIRATION = "AWS_CREDENTIAL_EXPIRATION"
"""What `aws configure export-credentials` and others write beside temporary credentials."""


def examine(stacks: Sequence[str], context: Context) -> list[Section]:
    """This machine, then each stack, which are environments and pipelines. Raises `ConfigError` before AWS is asked
    anything if one of them has no file, or a wrong one."""
    places = [_stack(name, context) for name in stacks]
    return [_machine(context, places[0][0] if places else _NOWHERE), *(look() for _, look in places)]


def _stack(name: str, context: Context) -> tuple[Place, Callable[[], Section]]:
    """Where a stack is, and how it is looked at."""
    program = stack_files.program(context.folder, name)
    if program == "account":
        named = context.project.account(name).environments
        raise ConfigError(
            f"{name} is an account's stack: the doctor looks at environments and pipelines",
            where=str(stack_files.path(context.folder, name)),
            remedy=f"name its environments: `amplify-delivery doctor {' '.join(named)}`",
        )
    if program == "pipeline":
        pipeline = context.project.pipeline(name)
        place = Place(name, pipeline.account, pipeline.region, pipeline.profile, pipeline.role_arn)
        return place, lambda: _section(
            place, context, lambda clients, _: list(PipelineQuestions(clients, place, pipeline, context).questions())
        )
    config = stack_files.load(context.folder, name)
    place = Place(name, config.account, config.region, config.profile, config.role_arn)
    return place, lambda: _section(
        place,
        context,
        lambda clients, arn: EnvironmentQuestions(clients, place, config, context, arn).questions(),
    )


def _machine(context: Context, place: Place) -> Section:
    """What needs no credentials."""

    def time() -> Iterator[Line]:
        yield clock.judge(identity.times(Place("", "", place.region)))

    questions = [
        Question(
            ("engine", "providers", "python", "packages"),
            lambda: tools.judge(this_machine.machine(context.folder, context.variables)),
        ),
        Question(("clock",), time),
    ]
    return Section("this machine", tuple(answered(questions)))


def _section(place: Place, context: Context, questions: Callable[[Clients | None, str], Iterable[Question]]) -> Section:
    """The account's lines. What is asked of another account than the stack file's would tell nothing."""
    clients, found = identity.caller(place)
    now = datetime.now(UTC)
    lines = list(caller.judge(found, place, _ends(context.variables), now))
    if isinstance(found, NoCaller):
        return Section(
            place.name,
            (*lines, *answered_without_account(list(questions(None, "")), NOBODY_ASKS)),
        )
    asked = list(questions(clients, found.arn))
    if found.account != place.account:
        why = f"not asked: these credentials are of account {found.account}"
        return Section(place.name, (*lines, *answered_without_account(asked, why)))
    return Section(place.name, (*lines, *answered(asked)))


def _ends(variables: Mapping[str, str]) -> datetime | None:
    """When credentials in variables end; those of a profile are renewed."""
    try:
        ends = datetime.fromisoformat(variables.get(_EXPIRATION, ""))
    except ValueError:
        return None
    return ends if ends.tzinfo else ends.replace(tzinfo=UTC)
