"""Bringing the engine's state to what AWS has, after a run that was killed: before anything else looks at the state.

`plan` writes nothing: it looks at the state as it will be, in a backend of its own that is gone afterwards.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import secrets_provider
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.killed import by_time, existing, pending
from amplify_delivery.delivery.engine.killed.pending import Answer, Gone, Operation, Unknown
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import DeliveryError, RefusedError
from amplify_delivery.stacks.access import account_environments

State = Mapping[str, Any]
"""A state as exported: its `deployment`."""
_PULUMI_CLOUD = "service"
"""What a state calls Pulumi Cloud's own encryption, which is the default there."""
_ON_ITS_WAY = 5.0
"""Seconds in which what was sent to AWS before the plugin ended is done there, and can be seen."""
_NOT_LOOKED_FOR = (
    "{} ({}): its plugin ended; whether AWS has it is not looked for, since the engine does not say what it was to be"
)
Asked = Callable[[], Account]
"""Gives the account, which need not be asked for whose it is where no run was killed."""
Ask = Callable[[Account, Operation, Sequence[Mapping[str, Any]], frozenset[str]], Answer]
Check = Callable[[State], None]
"""Raises a `DeliveryError` for a state that must not be written with the keys that are set."""


def resolve(engine: Engine, account: Asked, check: Check) -> State:
    """Bring the state to what AWS has; the state then. Raises `DeliveryError`s. Nothing at all is asked where no run
    was killed. The engine's own updates from then on leave no such thing either."""
    settle_lost(engine, account, check)
    state = engine.state()
    found = _settled(engine, state, account, check)
    if found is None:
        return state
    engine.write(found)
    return found


def settle_lost(engine: Engine, account: Asked, check: Check) -> None:
    """Have an update that loses a plugin (a provider that the machine had no memory for) find out what has become of
    what that was making. The engine takes it for failed: it is in no state, and the next run would meet it in AWS."""

    def lost(steps: Sequence[ProgramStep], began: datetime) -> None:
        time.sleep(_ON_ITS_WAY)
        try:
            state = engine.state()
            operations = []
            for step in steps:
                operation = pending.of_step(step, state)
                if operation:
                    operations.append(operation)
                else:
                    output.progress(_NOT_LOOKED_FOR.format(step.urn.rpartition("::")[2], step.type))
            if not operations:
                return
            check(state)
            # Of each for itself: that nobody can tell of one is no reason to forget the others.
            found_out = _answers(state, operations, account, _gently)
            answers = [(o, pending.since(began, o, answer)) for o, answer in found_out]
            _tell(answers, pending.told_of_lost)
            found = pending.settled(state, answers)
            if found and found["resources"] != list(state.get("resources") or ()):
                engine.write(found)
        except DeliveryError as error:
            output.progress(f"{engine.stack}: what the lost plugin was making is not in the state: {error}")

    engine.when_lost = lost


def of_stack(engine: Engine, context: Context) -> State:
    """`resolve` for a stack of any program, with the credentials that its file names. Raises `DeliveryError`s."""
    stack = engine.stack
    return resolve(engine, lambda: account_of(stack, context), lambda s: secrets_provider.check(stack, s, context))


def account_of(stack: str, context: Context) -> Account:
    """The account of a stack of any program, with the credentials that its file names. Raises `DeliveryError`s."""
    project, program = context.project, stack_files.program(context.folder, stack)
    if program == "account":
        config = project.account(stack)
        first = account_environments(project, config, str(project.file(stack)))[0]
        return Account(first.account, first.region, config.profile, config.role_arn)
    return Account.of(project.pipeline(stack) if program == "pipeline" else stack_files.load(context.folder, stack))


@contextmanager
def foreseen(engine: Engine, account: Asked, check: Check) -> Iterator[tuple[Engine, State]]:
    """The engine with the state as `resolve` would write it, and that state. Writes nothing where the state lies."""
    state = engine.state()
    found = _settled(engine, state, account, check)
    if found is None:
        yield engine, state
        return
    if (found.get("secrets_providers") or {}).get("type") == _PULUMI_CLOUD:
        # Nobody but Pulumi Cloud can read the state's secrets: there is no looking at a copy.
        raise RefusedError(
            "a run that was killed has left something half done, and a plan cannot look ahead where Pulumi Cloud "
            "encrypts the state",
            where=engine.stack,
            remedy=f"`amplify-delivery unlock {engine.stack}` settles it; then plan again",
        )
    with tempfile.TemporaryDirectory(prefix="amplify-delivery-state-") as folder:
        yield engine.beside(Path(folder), found), found


def _settled(engine: Engine, state: State, account: Asked, check: Check) -> State | None:
    """The state as it has to be; None if it is so."""
    operations = pending.left(state)
    if not operations:
        return None
    check(state)
    found = _answers(state, operations, account, existing.ask_there)
    answers = [(o, by_time.in_its_time(state, o, answer)) for o, answer in found]
    pending.check(answers, engine.stack, engine.backend_variables)
    _tell(answers, pending.told)
    return pending.settled(state, answers)


def _answers(state: State, operations: Sequence[Operation], account: Asked, ask: Ask) -> list[tuple[Operation, Answer]]:
    """What has become of each."""
    resources = state.get("resources") or ()
    known = frozenset(str(r["id"]) for r in resources if r.get("id"))
    asked = [o for o in operations if pending.asked(o, state)]
    place = account() if asked else None
    answers: list[tuple[Operation, Answer]] = []
    for operation in operations:
        answer: Answer = Gone()
        if operation in asked and place is not None:
            if operation.kind == pending.CREATING and pending.replaces(operation, state):
                answer = Unknown("it was to replace one that is still there")
            else:
                answer = ask(place, operation, resources, known)
        answers.append((operation, answer))
    return answers


def _gently(
    account: Account, operation: Operation, resources: Sequence[Mapping[str, Any]], known: frozenset[str]
) -> Answer:
    """The same of one that AWS does not tell of, as something that nobody can tell."""
    try:
        return existing.ask_there(account, operation, resources, known)
    except DeliveryError as error:
        return Unknown(error.message)


def _tell(answers: Sequence[tuple[Operation, Answer]], told: Callable[[Operation, Answer], str]) -> None:
    for line in filter(None, (told(*a) for a in answers)):
        output.progress(line)
