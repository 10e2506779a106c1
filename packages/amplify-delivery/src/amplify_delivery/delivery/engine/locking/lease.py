"""The lease of a stack: a file beside the engine's state that says who changes the stack, since when.

The engine's own lock covers one of its commands. What a command of ours looks at before, decides and does with several
of them is covered by the lease. It is written on the condition that there is none, or that it still is the very one
that was looked at: two can't have it. Whose holder has ended is taken over; a living one's is never broken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from amplify_delivery.components.documents.naming import LEASES_PREFIX
from amplify_delivery.delivery.engine.locking.holder import Holder, Life, Verdict
from amplify_delivery.delivery.engine.state_store import Store
from amplify_delivery.errors import LockedError

_ATTEMPTS = 20
"""How often a lease may change under our hands before we give up."""
_CHAIN = 10
"""How many of those that were taken over are remembered."""

Judge = Callable[["Found"], Verdict]


@dataclass(frozen=True)
class Found:
    """A lease that lies there. `holder` is None if what it says cannot be read."""

    holder: Holder | None
    tag: str


@dataclass(frozen=True)
class Taken:
    """A lease that is ours. `tag` is empty if it was so before: whoever called us holds it."""

    holder: Holder
    tag: str
    over: Holder | None = None
    """Whom it was taken over from."""


class Lease:
    """The lease of one stack of one project."""

    def __init__(self, store: Store, project: str, stack: str) -> None:
        self.store, self.stack = store, stack
        # Beside the engine's `.pulumi/` in a bucket, within it in a folder: that may be somebody's home.
        self.key = f"{store.ours}{LEASES_PREFIX}{project}/{stack}.json"

    def look(self) -> Found | None:
        """What lies there."""
        stored = self.store.read(self.key)
        return None if stored is None else Found(Holder.read(stored.body), stored.tag)

    def take(self, here: Holder, judge: Judge) -> Taken:
        """Take it. Raises `LockedError` while somebody has it who has not ended, as far as it can be known."""
        for _ in range(_ATTEMPTS):
            tag = self.store.create(self.key, here.written)
            if tag:
                return Taken(here, tag)
            found = self.look()
            if found is None:
                continue
            other = found.holder
            if other and other.token == here.token:
                return Taken(other, found.tag)  # S3's answer was lost, and the SDK has asked again
            if other and other.is_process(here):
                return Taken(other, "")
            verdict = judge(found)
            if verdict.life is not Life.GONE:
                raise held(self.stack, other, verdict)
            taken = self.over(found, here)
            if taken:
                return taken
        raise LockedError(
            "somebody else takes the lease each time it is free", where=self.stack, remedy="repeat the command"
        )

    def over(self, found: Found, here: Holder) -> Taken | None:
        """Take it over from whoever has it; None if that is somebody else by now."""
        before = found.holder
        chain = (replace(before, previous=()), *before.previous) if before else ()
        ours = replace(here, previous=chain[:_CHAIN])
        tag = self.store.replace(self.key, ours.written, found.tag)
        return Taken(ours, tag, before) if tag else None

    def release(self, taken: Taken) -> None:
        """Give it back."""
        if taken.tag:
            self.store.remove(self.key, taken.tag)


def held(stack: str, holder: Holder | None, verdict: Verdict) -> LockedError:
    """Somebody has it."""
    who = str(holder) if holder else "somebody"
    if verdict.life is Life.ALIVE:
        message = f"another run changes this stack: {who}; {verdict.why}"
        remedy = "wait until that has ended, or give `--wait MINUTES`"
        if holder and holder.build:
            region = f" --region {holder.arn.split(':')[3]}" if holder.arn.count(":") > 4 else ""
            remedy += f"; to stop it, `aws codebuild stop-build --id {holder.build}{region}`"
    else:
        # Told while it is waited for, too: it may be in vain.
        free = f"if it does not run any more, `amplify-delivery unlock {stack}` releases the stack"
        message = f"another run has not given this stack back: {who}; {verdict.why}; {free}"
        remedy = f"look whether it still runs; {free}"
    return LockedError(message, where=stack, remedy=f"{remedy}. Nothing was changed")
