"""The update of a stack from a preview on, without an approved plan: what `pulumi up` does, and what that leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from amplify_delivery.changes.deployed import LONGEST_UPDATE
from amplify_delivery.changes.ordered.updates import changed_tables
from amplify_delivery.changes.stateful import PULUMI_TYPES, data_of
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery import output
from amplify_delivery.delivery.adoption import lost
from amplify_delivery.delivery.bootstrap.account_stacks import check_places
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import begun
from amplify_delivery.delivery.deployment.execution import carrying_out
from amplify_delivery.delivery.deployment.execution.in_steps import Work
from amplify_delivery.delivery.engine import secrets_provider as its_key
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking.session import holding
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.engine.pulumi_command import Line
from amplify_delivery.delivery.engine.stack_outputs import Output
from amplify_delivery.delivery.environment import image_findings, planned, present_images, recovery, wanted
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.delivery.planning import ChangeProgram, ProgramStep, RemoveResource, Step, plan_program
from amplify_delivery.delivery.planning.program import AT_REST, BACKEND, changes_something
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import RefusedError, midway
from amplify_delivery.publishing import gen2_lock


@dataclass(frozen=True)
class Updated:
    """What was done: the engine's changes by kind, and the outputs."""

    changes: Mapping[str, int]
    outputs: Mapping[str, Output]


def _tell(_: Engine, left: Sequence[Step]) -> None:
    """What stays goes on costing, and its name is taken."""
    for step in left:
        output.progress(f"note: {step.place} ({step.type}) {step.what}")


def update(
    stack: str,
    context: Context,
    patience: Patience,
    line: Line,
    *,
    create: bool = False,
    secrets_provider: str | None = None,
    known: Callable[[Engine], None] = lambda _: None,
    leaves: Callable[[Engine, Sequence[Step]], None] = _tell,
) -> Updated:
    """Update a stack of any program; with `create` it is made first, if there is none, with that secrets provider. One
    that is there has to be `known`, which is asked while it is held, and raises a `DeliveryError` otherwise. While
    another run changes it, it is waited for as long as there is patience. `leaves` is told, while it is held still, the
    steps that leave data in an environment's account, outside of its stacks. Raises `DeliveryError`s, also for an
    environment in production."""
    program = stack_files.program(context.folder, stack)
    target = _wanted(stack, context, patience) if program == "backend" else None
    engine = Engine(stack, context.folder.resolve(), line, secrets_provider=secrets_provider)
    with holding(engine, "up", context, patience) as held:
        if target is None:
            lost.check(engine, context)
        if create and not engine.create():
            known(engine)
        if target:
            if held.waited:
                target = wanted.wanted(stack, context)
            if held.over:
                # What that run has begun in CloudFormation goes on without it.
                wanted.settle(target, LONGEST_UPDATE)
            changes = _environment(engine, target, leaves)
            begun.forget(engine)
        else:
            changes = _other(engine, context)
        with midway(lambda: changes_something(changes)):
            return Updated(changes, engine.outputs())


def _wanted(environment: str, context: Context, patience: Patience) -> Wanted:
    config = stack_files.load(context.folder, environment)
    if config.production:
        raise RefusedError(
            "this is production (`production: true`): what is deployed there was planned and approved before",
            where=environment,
            remedy=f"nothing was changed. `amplify-delivery plan {environment}`, look at it, then "
            f"`amplify-delivery deploy {environment} --plan DIGEST` with the digest that it prints",
        )
    target = wanted.described(config, context)
    wanted.settle(target, patience.left)
    return target


def _other(engine: Engine, context: Context) -> Mapping[str, int]:
    """A stack of the program `account` or `pipeline`; the changes by kind."""
    state = engine.state()
    its_key.check(engine.stack, state, context)
    if stack_files.program(context.folder, engine.stack) == "account":
        config = context.project.account(engine.stack)
        check_places(context.project, engine.stack, config, state.get("resources") or ())
    resolving.of_stack(engine, context)
    engine.preview()
    return engine.up().changes


def _environment(
    engine: Engine, target: Wanted, leaves: Callable[[Engine, Sequence[Step]], None] = _tell
) -> Mapping[str, int]:
    """An environment; the changes by kind."""
    environment, config = engine.stack, target.config
    gen2_lock.check(target.account.client("cloudformation"), target.root.stack_name)
    state = _resolved(engine, lambda: target.account, target.context)
    recovered = recovery.at_once(target, environment, state)
    with midway(lambda: recovered):
        previewed = engine.preview().steps
        here = planned.backend(target) if _updates_root(previewed) else None
        if here:
            recovery.check_nested(target, recovery.place_of(target, environment), here.found)
        # What the backend itself would lose, the program asks before CloudFormation is called.
        guard = config.guard(environment, datetime.now(UTC).date())
        program = plan_program(previewed, backend_changes=True, deployed=True)
        guard.check(program)
        if target.config.image_findings.refuse:
            was = here.found.stacks if here else planned.now(target).stacks
            for note in image_findings.check(target, planned.running_digests(was, state)):
                output.progress(f"note: {note}")
        if any(step.operation not in AT_REST for step in previewed):
            present_images.complete(target)
        changes = carrying_out.update(engine, target, guard, _work(target, here))
    _tell(engine, [step for step in program if _leaves_data(step)])
    left = [step for step in (here.steps if here else ()) if _leaves_data(step)]
    if left:
        with midway(lambda: True):
            leaves(engine, left)
    return changes


def _leaves_data(step: Step) -> bool:
    if isinstance(step, ChangeProgram):
        return step.kept and (step.type in PULUMI_TYPES or step.type == ROOT_STACK)
    return isinstance(step, RemoveResource) and step.kept and bool(data_of(step.type, None))


def _work(target: Wanted, here: planned.Backend | None) -> Work:
    """What leads from `here` to the release; None: the root stack is not updated."""
    if here is None:
        return Work()
    order = planned.order(target, here)
    return Work(order.updates, changed_tables(here.steps), order.copies)


def _resolved(engine: Engine, account: resolving.Asked, context: Context) -> resolving.State:
    """The state, once what a run that was killed has left in it is put right, before anything looks at it."""

    def check(state: Mapping[str, Any]) -> None:
        its_key.check(engine.stack, state, context)

    state = resolving.resolve(engine, account, check)
    check(state)
    return state


def _updates_root(previewed: Sequence[ProgramStep]) -> bool:
    return any(s.type == ROOT_STACK and s.operation == "update" and BACKEND in s.urn for s in previewed)
