"""Giving a stack free by hand: what there is of somebody's run, told and cleared away.

Whoever has ended is cleared away by the next command anyway. This is for what cannot be known from here: a run on
another machine, a lock that no command of ours made. A person looks, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import state_faults
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.engine_errors import home_of
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking import engine_locks, lease
from amplify_delivery.delivery.engine.locking.engine_locks import EngineLock
from amplify_delivery.delivery.engine.locking.holder import Holder, Life, Verdict
from amplify_delivery.delivery.engine.locking.session import holding, judged, lease_of
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.engine.pulumi_command import Line
from amplify_delivery.delivery.engine.state_store import BACKEND_VARIABLE, backend_url, is_pulumi_cloud
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.delivery.teardown.root_stack import Root
from amplify_delivery.errors import (
    ConfigError,
    DeliveryError,
    LockedError,
    NoStackError,
    RefusedError,
    StateError,
    midway,
)
from amplify_delivery.stacks.access import environment_names, pipeline_names
from amplify_delivery.stacks.config.reader import project_name, read_yaml

_NOBODY = Verdict(Life.GONE, "")
_DESTROY = "destroy"


@dataclass(frozen=True)
class Left:
    """What there is of somebody's run: who has the stack, the engine's locks, and what the engine had begun."""

    stack: str
    place: str
    holder: Holder | None
    verdict: Verdict
    """What is known about whoever has the stack."""
    tag: str
    """That of the lease; empty for none."""
    locks: tuple[tuple[EngineLock, Verdict], ...]
    pending: tuple[str, ...]
    cut_off: tuple[str, ...] = ()
    """Files beside the state that no command of Pulumi can read (`state_faults`)."""
    going_on: str = ""
    """What Pulumi Cloud says of an update: whether that lives, it does not know."""
    destroy_failed: bool = False
    """Whether the stack's last update was a `destroy` that did not end well, as Pulumi Cloud's history has it: there no
    lease of ours tells that it was killed."""

    @property
    def anything(self) -> bool:
        """Whether there is something to give free or to settle."""
        left = self.tag or self.locks or self.pending or self.cut_off or self.going_on
        return bool(left) or self.destroy_failed

    @property
    def doubtful(self) -> bool:
        """Whether a person has to say that it has ended."""
        verdicts = [self.verdict, *(verdict for _, verdict in self.locks)]
        return bool(self.going_on) or any(verdict.life is Life.UNKNOWN for verdict in verdicts)

    @property
    def perhaps_a_destroy(self) -> bool:
        """Whether a `destroy` may have left it. Of a run that Pulumi Cloud has ended by itself it says nothing any
        more, and older engines call whatever is going on an update (3.206, `runStack`)."""
        return is_pulumi_cloud(self.place) or bool(self.holder and self.holder.command == _DESTROY)

    @property
    def agreed(self) -> frozenset[str]:
        """The tags of what was told."""
        return frozenset(filter(None, (self.tag, *(lock.tag for lock, _ in self.locks))))

    def lines(self) -> Iterator[str]:
        """For people."""
        if not self.anything:
            yield f"{self.stack}: nobody holds it, and nothing is pending ({self.place})"
            return
        if self.tag:
            who = f"held by {self.holder}" if self.holder else "held by somebody"
            yield f"{self.stack}: {who}: {self.verdict.why}"
        for lock, verdict in self.locks:
            yield f"{self.stack}: locked by an engine: {lock}: {verdict.why}"
        if self.going_on:
            yield (
                f"{self.stack}: {self.going_on} is going on, says {self.place}, which ends it by itself five minutes "
                "after it was last heard of: whether it is alive cannot be known from here"
            )
        if self.destroy_failed:
            yield (
                f"{self.stack}: its last update, a destroy, did not end well: whether the root stack is protected "
                "against termination again is looked at"
            )
        for pending in self.pending:
            yield f"{self.stack}: begun, and its end not written down: {pending}"
        for key in self.cut_off:
            yield f"{self.stack}: cut off: {key}; the state beside it is whole"

    def to_json(self) -> dict[str, Any]:
        holder = self.holder
        return {
            "stack": self.stack,
            "state": self.place,
            "holder": {
                "command": holder.command if holder else None,
                "since": holder.since if holder else None,
                "build": (holder.build or None) if holder else None,
                "run": (holder.run or None) if holder else None,
                "host": holder.host if holder else None,
                "pid": holder.pid if holder else None,
                "user": holder.who if holder else None,
                "life": self.verdict.life.name.lower(),
                "why": self.verdict.why,
            }
            if self.tag
            else None,
            "locks": [
                {"host": k.host, "pid": k.pid, "user": k.user, "life": v.life.name.lower(), "why": v.why}
                for k, v in self.locks
            ],
            "pending": list(self.pending),
            "cutOff": list(self.cut_off),
            "goingOn": self.going_on or None,
            "destroyFailed": self.destroy_failed,
        }


def engine_of(stack: str, context: Context, line: Line) -> Engine:
    """The engine with the state where the pipeline keeps that stack's, unless this shell says where: so that the
    command works as messages print it, with the credentials that the stack's file names."""
    folder = context.folder.resolve()
    if context.variables.get(BACKEND_VARIABLE):
        return Engine(stack, folder, line)
    place = _place(stack, context)
    if place is None:
        return Engine(stack, folder, line)
    names, account = place
    return Engine(stack, folder, line, {BACKEND_VARIABLE: names.state_backend, **account.environment()})


def _place(stack: str, context: Context) -> tuple[EnvironmentNames | PipelineNames, Account] | None:
    """Where a pipeline keeps the state of this stack; None for a stack whose state is wherever its owner keeps it."""
    project, program = context.project, stack_files.program(context.folder, stack)
    if program == "backend":
        config = stack_files.load(context.folder, stack)
        return (environment_names(project.app, config), Account.of(config)) if config.bootstrapped else None
    if program == "pipeline":
        pipeline = project.pipeline(stack)
        names = pipeline_names(project.app, stack, pipeline)
        provider = str(read_yaml(project.file(stack)).get("secretsprovider") or "")
        if names.state_key_alias in provider:
            return names, Account.of(pipeline)
    return None


def look(engine: Engine, context: Context) -> Left:
    """What there is. Raises `RefusedError` where nothing of ours can hold it, and nobody says who does."""
    here = Holder.here("unlock", context.variables)
    found = lease_of(engine)
    if found is None:
        where = backend_url(engine.folder, engine.variables) or "nowhere"
        if is_pulumi_cloud(where):
            what = engine.going_on()
            failed = not what and _destroy_failed(engine)
            pending = _pending(engine, where, nobody=not what)
            return Left(engine.stack, where, None, _NOBODY, "", (), pending, going_on=what, destroy_failed=failed)
        raise RefusedError(
            f"its state is not in an S3 bucket or a folder but in {where}: only the engine's own lock holds it",
            where=engine.stack,
            remedy=f"if nothing runs any more, `pulumi cancel --yes --stack {engine.stack}`; nothing was changed",
        )
    there = found.look()
    holder = there.holder if there else None
    verdict = judged(found, here, holder) if there else _NOBODY
    former = (holder, *holder.previous) if holder else ()
    locks = engine_locks.locks(found.store, project_name(engine.folder), engine.stack)
    cut_off = tuple(state_faults.cut_off(found.store, project_name(engine.folder), engine.stack))
    return Left(
        engine.stack,
        found.store.place,
        holder,
        verdict,
        there.tag if there else "",
        tuple((lock, engine_locks.judged(lock, former, here, found.store)) for lock in locks),
        _pending(engine, found.store.place, nobody=not (there or locks or cut_off)),
        cut_off,
    )


def check(left: Left) -> None:
    """Raise `LockedError` while somebody still is there: nobody is broken who is known to live."""
    if left.tag and left.verdict.life is Life.ALIVE:
        raise lease.held(left.stack, left.holder, left.verdict)
    living = [(lock, verdict) for lock, verdict in left.locks if verdict.life is Life.ALIVE]
    if living:
        raise LockedError(
            f"an update of this stack is running: {engine_locks.told(living)}",
            where=left.stack,
            remedy="wait until it has ended, or interrupt it (`kill -INT` and the process): it ends cleanly then",
        )


def clear(engine: Engine, context: Context, left: Left) -> None:
    """Clear away what was told, and nothing else, and have what an engine has begun settled. Raises `LockedError` if it
    is somebody else's by now."""
    cancelled = bool(left.going_on) and _cancelled(engine, left)
    begun = midway(lambda: bool(left.agreed) or cancelled or engine.wrote)
    with holding(engine, "unlock", context, Patience(0), agreed=left.agreed), begun:
        # What was pending could not be told while the state could not be read.
        if left.pending or cancelled or (left.cut_off and _pending(engine, left.place, nobody=False)):
            resolving.of_stack(engine, context)
        if left.perhaps_a_destroy:
            _protect_again(engine, context)


def _protect_again(engine: Engine, context: Context) -> None:
    """Turn on the termination protection of a root stack that a `destroy` had turned off, and did not come to. Up to
    the next deployment, whose plan shows it, nothing but the engine would keep it."""
    resources = engine.resources()
    if not any(r.get("type") == ROOT_STACK and r.get("protect") for r in resources):
        return
    try:
        config = stack_files.load(context.folder, engine.stack)
        root = Root.of(engine.stack, resources, config, context.project)
        if config.termination_protection(holds_data=True):
            root.hold(Account.of(config), root.protected)
    except DeliveryError as error:
        output.progress(f"{engine.stack}: what a `destroy` had begun with its root stack is not known: {error.message}")


def _cancelled(engine: Engine, left: Left) -> bool:
    """Have Pulumi Cloud end the update that was told; whether it is still going on, as far as its name says."""
    if engine.going_on() != left.going_on:
        return False
    engine.cancel()
    return True


def _destroy_failed(engine: Engine) -> bool:
    try:
        kind, result = engine.last_update()
    except DeliveryError:
        return False  # there is no stack yet, or it does not tell: unlocking is not hindered by that
    return kind == _DESTROY and result != "succeeded"


def _pending(engine: Engine, place: str, *, nobody: bool) -> tuple[str, ...]:
    """What the engine had begun. Raises `StateError` where `nobody` is found at a `place` whose state of the stack
    cannot be read, or that has no such stack while its account keeps it in another: that nobody holds it here says
    nothing of what is pending."""
    try:
        operations = engine.state().get("pending_operations") or ()
    except StateError as error:
        home = home_of(engine.folder, engine.stack)
        if nobody and (not isinstance(error, NoStackError) or (home and home.partition("?")[0] != place)):
            raise
        return ()  # there is no stack yet
    return tuple(map(_told, operations))


def _told(operation: Mapping[str, Any]) -> str:
    resource = operation.get("resource") or {}
    name = str(resource.get("urn", "")).rpartition("::")[2]
    return f"{operation.get('type', 'changing')} {resource.get('type', 'a resource')} {name}".rstrip()


def confirmation(left: Left) -> ConfigError:
    """Nobody was there to be asked."""
    return ConfigError(
        "somebody has to say that nothing of this runs any more",
        where=f"unlock {left.stack}",
        remedy="look at the machine or run that is named above; if it has ended, "
        f"`amplify-delivery unlock {left.stack} --yes`; nothing was changed",
    )
