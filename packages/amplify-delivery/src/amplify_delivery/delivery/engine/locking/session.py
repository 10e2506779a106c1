"""Holding a stack: the one place through which every command that changes something goes.

    with holding(engine, "deploy", context, patience) as held:
        ...

From then on no other command of ours changes the stack, and what one that has ended left behind is cleared away: its
lease, the engine's own lock, and files beside the state that were cut off. Where the state is in Pulumi Cloud, or in
another cloud's bucket, only the engine's own lock holds: Pulumi Cloud's ends by itself, some minutes after its command.
Who holds that one is asked for before anything is looked at.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from amplify_delivery.delivery import output
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import state_faults
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.engine_errors import going_on, unlock
from amplify_delivery.delivery.engine.locking import engine_locks, lease
from amplify_delivery.delivery.engine.locking.holder import Holder, Life, Verdict, judge
from amplify_delivery.delivery.engine.locking.lease import Found, Lease, Taken
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.engine.state_store import store_of
from amplify_delivery.errors import DeliveryError, LockedError, NoStackError, StateError
from amplify_delivery.stacks.config.reader import project_name


@dataclass(frozen=True)
class Held:
    """A stack that is held. Whoever was waited for has changed something: what was looked at before is old then."""

    waited: bool = False
    over: Holder | None = None
    """Whose lease was taken over: that run was killed, and may have left something half done."""


@contextmanager
def holding(
    engine: Engine, command: str, context: Context, patience: Patience, *, agreed: Collection[str] = ()
) -> Iterator[Held]:
    """Hold the engine's stack for a run of `command`. A living holder is waited for as long as there is patience.

    `agreed` are tags of what a person has said has ended, where that cannot be known from here (`unlocking`).

    Within a run that holds it already this does nothing. Raises `LockedError`, which names the holder, and `StateError`
    when the state cannot be reached; nothing was changed then.
    """
    place = lease_of(engine)
    with _terminated_is_interrupted():
        if place is None:
            yield Held(_waited_for(engine, patience))
            return
        here = Holder.here(command, context.variables)
        taken, waited = _taken(place, engine, here, patience, agreed)
        try:
            yield Held(waited, taken.over)
        except DeliveryError:
            _clear_own(place, engine, taken)
            raise
        finally:
            _release(place, taken)


def wait_until_free(engine: Engine, command: str, context: Context, patience: Patience) -> bool:
    """For a run of `command` that only reads: wait until nobody changes the stack; whether there was somebody.

    It takes nothing: whoever plans may not keep others from deploying. Raises `LockedError` as `holding` does; what
    somebody left who has ended is no reason to wait.
    """
    place = lease_of(engine)
    if place is None:
        return _waited_for(engine, patience)
    here, waited = Holder.here(command, context.variables), False
    while True:
        found = place.look()
        holder = found.holder if found else None
        if found is None or (holder and holder.is_process(here)):
            return waited
        verdict = judged(place, here, holder)
        if verdict.life is Life.GONE:
            return waited
        error = lease.held(place.stack, holder, verdict)
        if not patience.wait(error):
            raise error
        waited = True


def _waited_for(engine: Engine, patience: Patience) -> bool:
    """Of a stack without a lease: wait until Pulumi Cloud says of no update that it is going on; whether there was one.
    What one that goes on has begun would look as if it had been killed."""
    waited = False
    while True:
        try:
            what = engine.going_on()
        except NoStackError:
            return waited  # what it is called for makes it, or says so
        if not what:
            return waited
        error = going_on(engine.stack, what)
        if not patience.wait(error):
            raise error
        waited = True


def lease_of(engine: Engine) -> Lease | None:
    """The lease of an engine's stack; None where the state is in Pulumi Cloud or another cloud's bucket."""
    store = store_of(engine.folder, engine.variables)
    return Lease(store, project_name(engine.folder), engine.stack) if store else None


def judged(place: Lease, here: Holder, holder: Holder | None) -> Verdict:
    """Whether whoever has the lease still is there."""
    if holder is None:
        return Verdict(Life.UNKNOWN, "its lease cannot be read")
    return judge(holder, here, place.store.builds, place.store.runs)


def _agreed(verdict: Verdict, tag: str, agreed: Collection[str]) -> Verdict:
    return Verdict(Life.GONE, "so you say") if verdict.life is Life.UNKNOWN and tag in agreed else verdict


def _taken(
    place: Lease, engine: Engine, here: Holder, patience: Patience, agreed: Collection[str]
) -> tuple[Taken, bool]:
    """The lease, and whether somebody was waited for."""

    def ended(found: Found) -> Verdict:
        return _agreed(judged(place, here, found.holder), found.tag, agreed)

    waited = False
    while True:
        try:
            taken = place.take(here, ended)
            try:
                _clear(place, engine, taken, agreed)
            except BaseException:
                _release(place, taken)
                raise
        except LockedError as error:
            if not patience.wait(error):
                raise
            waited = True
        else:
            if taken.over:
                output.progress(f"{engine.stack}: taken over from {taken.over}, which has ended")
            return taken, waited


def _clear(place: Lease, engine: Engine, taken: Taken, agreed: Collection[str]) -> None:
    """Remove the engine's own locks whose processes are gone, and what it could not read for the way they ended. Raises
    `LockedError` for other locks."""
    if not taken.tag:
        return  # whoever called us has done it, and the engine's lock is its own
    found = engine_locks.locks(place.store, project_name(engine.folder), engine.stack)
    left = []
    for lock in found:
        verdict = engine_locks.judged(lock, taken.holder.previous, taken.holder, place.store)
        verdict = _agreed(verdict, lock.tag, agreed)
        if verdict.life is Life.GONE:
            place.store.remove(lock.key, lock.tag)
            output.progress(f"{engine.stack}: the engine's lock of {lock} is removed: {verdict.why}")
        else:
            left.append((lock, verdict))
    if left:
        raise LockedError(
            f"another update of this stack is running: {engine_locks.told(left)}",
            where=engine.stack,
            remedy=unlock(engine.stack),
        )
    for key in state_faults.remove_cut_off(place.store, project_name(engine.folder), engine.stack):
        output.progress(f"{engine.stack}: {key}, which a run that was killed has cut off, is removed: nothing needs it")


def _clear_own(place: Lease, engine: Engine, taken: Taken) -> None:
    """After a run that has failed: an engine of its own that was killed has left its lock. Once the lease is given back
    nobody knows any more whose that was, and in a shared bucket a person would have to say that it is gone."""
    if not taken.tag:
        return
    try:
        for lock in engine_locks.locks(place.store, project_name(engine.folder), engine.stack):
            verdict = engine_locks.judged(lock, (taken.holder,), taken.holder, place.store)
            if verdict.life is Life.GONE and place.store.remove(lock.key, lock.tag):
                output.progress(f"{engine.stack}: the engine's lock of {lock} is removed: {verdict.why}")
    except StateError:
        return  # what is told already comes first, and giving the lease back says it too


def _release(place: Lease, taken: Taken) -> None:
    """Give the lease back, whatever happens meanwhile: who has ended leaves none."""
    with _undisturbed():
        try:
            place.release(taken)
        except DeliveryError as error:
            output.progress(
                f"the lease of {place.stack} could not be given back: {error.message}. The next run takes it over, or "
                f"`amplify-delivery unlock {place.stack}`"
            )


@contextmanager
def _terminated_is_interrupted() -> Iterator[None]:
    """SIGTERM, which CI systems send before they kill, and the closing of a terminal end what we do as Ctrl-C does: in
    order."""

    def interrupt(_: int, __: Any) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) == signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def _undisturbed() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
