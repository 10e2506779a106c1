"""The lost state of an account or of a pipeline: what runs there is taken in as it is, by name.

Names of both hold the app's and the environment's or the pipeline's, so what is there under them is theirs. It is
looked for as what a killed run was making (`amplify_delivery.delivery.engine.killed`); what is only set on something
(policies of buckets, attachments) the next update does again, and what that finds otherwise than the files say
it changes in place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amplify_delivery.components import lost_state
from amplify_delivery.components.lost_state import Runs
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.adoption import beside
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import secrets_provider
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.killed import existing, pending, resolving
from amplify_delivery.delivery.engine.killed.pending import Operation, creating
from amplify_delivery.delivery.engine.locking.session import holding
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.engine.pulumi_command import Line
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.delivery.planning.program_rights import UNKNOWN
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.delivery.teardown.removal import KEY
from amplify_delivery.errors import midway
from amplify_delivery.stacks.access import account_environments, environment_names, pipeline_names
from amplify_delivery.stacks.inputs import ADOPT_VARIABLE

_AS_MADE = frozenset({"description", "insecureValue", "roleArn"})
"""Inputs of which what is there may have others, and is known by its name all the same."""


@dataclass(frozen=True)
class Taken:
    """What was taken in, of what there is something else under its name, and what nobody can look for; and the command
    that brings all of it to what the files say."""

    taken: tuple[str, ...]
    left: tuple[str, ...]
    not_looked_for: tuple[str, ...]
    next: str


def take_in(stack: str, context: Context, patience: Patience, line: Line) -> Taken:
    """Bring what runs of an account or a pipeline into the state of `stack`, which is made if there is none. Nothing in
    AWS is changed. Repeated, it takes in what is left. Raises `DeliveryError`s."""
    program, project = stack_files.program(context.folder, stack), context.project
    for runs in _running(stack, context):
        if runs.stack:
            raise lost_state.refusal(stack, runs)
    account = resolving.account_of(stack, context)
    engine = Engine(stack, context.folder.resolve(), line, {ADOPT_VARIABLE: stack})
    with holding(engine, "adopt", context, patience), midway(lambda: engine.wrote):
        engine.create()
        secrets_provider.check(stack, engine.state(), context)
        resolving.of_stack(engine, context)
        found = beside.found(engine, account, missing, by_name)
        beside.write(engine, found)
        unknown = not_looked_for(found.steps)
    after = f"amplify-delivery up {stack}"
    if program == "account":
        after = f"amplify-delivery bootstrap {' '.join(project.account(stack).environments)} --refresh"
    return Taken(found.taken(_what), found.left(_what), unknown, after)


def missing(steps: Sequence[ProgramStep]) -> tuple[Operation, ...]:
    """What the program would make and what can be looked for, without what a preview does not tell of it: ARNs of keys
    that are looked for, too, and secrets. The engine's refresh completes it. Pure."""
    return tuple(
        # Protected, as of what `pulumi import` takes in: the next update does as the program says.
        _with(operation, _known(operation.inputs))
        for operation in (creating(step, protect=True) for step in steps if step.operation == "create")
        if operation.type in existing.ASKERS
    )


def by_name(operation: Operation) -> Operation:
    """The same as it is asked for: what it was made with last is not compared, since an older version or other files
    may have made it. Of a key the description is all that it is known by. Pure."""
    any_ = _AS_MADE & operation.inputs.keys() if operation.type != KEY else ()
    return _with(operation, {**operation.inputs, **dict.fromkeys(any_, pending.NOT_COMPARED)})


def _with(operation: Operation, inputs: Mapping[str, Any]) -> Operation:
    return Operation(operation.kind, {**operation.resource, "inputs": inputs})


def _known(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in inputs.items() if not pending.hidden(value) and not _has_unknown(value)}


def _has_unknown(value: Any) -> bool:
    return UNKNOWN in json.dumps(value)


def not_looked_for(steps: Iterable[ProgramStep]) -> tuple[str, ...]:
    """What the program would make, and what AWS cannot be asked for by a name: the update makes another one. Pure."""
    return tuple(
        f"{step.urn.rpartition('::')[2]} ({step.type})"
        for step in steps
        if step.operation == "create"
        and step.custom
        and not step.type.startswith("pulumi:")
        and step.type not in existing.ASKERS
        and step.type not in pending.AGAIN
    )


def _what(operation: Operation) -> str:
    return operation.what


def check(engine: Engine, context: Context) -> None:
    """Raise `RefusedError` where the state of an account's or a pipeline's stack holds nothing, and what it made runs:
    an update would fail in the middle, at the first name that is taken, with keys made a second time by then."""
    if engine.exists() and engine.resources():
        return
    for runs in _running(engine.stack, context):
        raise lost_state.refusal(engine.stack, runs)


def _running(stack: str, context: Context) -> Iterator[Runs]:
    """What tells that the stack was made, of an account for each of its environments."""
    project = context.project
    if stack_files.program(context.folder, stack) == "pipeline":
        pipeline = project.pipeline(stack)
        names, account = pipeline_names(project.app, stack, pipeline), Account.of(pipeline)
        with account.asking(f"asking for the pipeline {names.pipeline}"):
            runs = lost_state.running(account.client, names)
        yield from filter(None, [runs])
        return
    config = project.account(stack)
    for environment in account_environments(project, config, str(project.file(stack))):
        account = Account(environment.account, environment.region, config.profile, config.role_arn)
        names_there = environment_names(project.app, environment)
        with account.asking(f"reading {names_there.version_parameter}"):
            runs = lost_state.bootstrapped(account.client, names_there)
        yield from filter(None, [runs])
