"""The engine's own locks of a stack, as its backend in a bucket or a folder writes them.

Each lies in a file of its own: `.pulumi/locks/organization/PROJECT/STACK/ID.json`, in a state from before projects
`.pulumi/locks/STACK/ID.json`, and tells the process, its host and the time (`backend/diy/lock.go` of pulumi/pulumi).
`pulumi cancel` deletes all of them, whoever holds them; here one goes whose process is known to be gone, and only that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from amplify_delivery.delivery.engine.locking.holder import (
    Holder,
    Life,
    Machine,
    Verdict,
    judge,
    machine,
    process_since,
)
from amplify_delivery.delivery.engine.state_store import Store

_LOCKS = ".pulumi/locks/"


@dataclass(frozen=True)
class EngineLock:
    """A lock: where it lies, and which process made it, at what time (seconds since 1970)."""

    key: str
    tag: str
    user: str
    host: str
    pid: int
    time: float

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.time).astimezone().isoformat(timespec="seconds")
        return f"process {self.pid} of {self.user} on {self.host}, since {since}"


def locks(store: Store, project: str, stack: str) -> list[EngineLock]:
    """The locks of a stack."""
    folders = (f"{_LOCKS}organization/{project}/{stack}/", f"{_LOCKS}{stack}/")
    found = []
    # Few stacks are locked: one call. Beside each file in a folder the engine's library keeps another, `.json.attrs`.
    for key in (key for key in store.keys(_LOCKS) if key.startswith(folders) and key.endswith(".json")):
        stored = store.read(key)
        if stored is not None:  # else its process has just ended
            found.append(_read(key, stored.body, stored.tag))
    return found


def judged(lock: EngineLock, former: Iterable[Holder], here: Holder, store: Store) -> Verdict:
    """Whether the process that holds it still is there. `former` are those who held the lease before, up to now: the
    engine writes down the name of its host only, and they know which machine that is."""
    for holder in former:
        if holder.host == lock.host and _time(holder.since) <= lock.time + 1:
            return _of(holder, lock, here, store)
    if store.local and lock.host == here.host and lock.user == here.who:
        return process_since(machine(), lock.pid, lock.time)
    return Verdict(Life.UNKNOWN, f"it runs on {lock.host}, or did, and no command of ours has started it")


def _of(holder: Holder, lock: EngineLock, here: Holder, store: Store) -> Verdict:
    """Of an engine that this holder started: it ends with its build, its runner or its machine, and outlives a command
    that is killed here."""
    if holder.build and holder.build != here.build:
        return judge(holder, here, store.builds, store.runs)
    gone = judge(holder, here, store.builds, store.runs)
    place = holder.place
    if gone.life is Life.GONE and place != machine():
        return gone
    return process_since(Machine(place.host, place.machine, place.boot, place.namespace), lock.pid, lock.time)


def _read(key: str, body: bytes, tag: str) -> EngineLock:
    try:
        data = json.loads(body)
        when = _time(str(data["timestamp"]))
        return EngineLock(key, tag, str(data["username"]), str(data["hostname"]), int(data["pid"]), when)
    except (ValueError, TypeError, KeyError):
        return EngineLock(key, tag, "somebody", "a machine unknown", 0, 0.0)


def _time(text: str) -> float:
    # Go writes nanoseconds, or fewer digits; Python reads six.
    head, dot, tail = text.partition(".")
    if dot:
        digits = "".join(ch for ch in tail[:9] if ch.isdigit())
        zone = tail.lstrip("0123456789")
        text = f"{head}.{digits[:6].ljust(6, '0')}{zone}"
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def told(found: Sequence[tuple[EngineLock, Verdict]]) -> str:
    """For a message."""
    return "; ".join(f"{lock} ({verdict.why})" for lock, verdict in found)
