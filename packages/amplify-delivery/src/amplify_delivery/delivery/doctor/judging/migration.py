"""Whether Amplify's migration to Gen 2 has locked the root stack: nothing is delivered then, and nobody is at fault."""

from __future__ import annotations

from amplify_delivery.delivery.doctor.lines import Line
from amplify_delivery.delivery.doctor.place import Place
from amplify_delivery.publishing import gen2_lock


def judge(policy: str | None, stack: str, place: Place, *, there: bool = True) -> Line:
    """Line `root stack`: `stack`, if it is `there`, with this stack policy."""
    if not there:
        return Line("root stack", "ok", f"{stack} is not there yet")
    if not gen2_lock.locks(policy):
        return Line("root stack", "ok", f"{stack} is not locked")
    return Line(
        "root stack",
        "warning",
        f"{stack}: its stack policy denies every update, as `amplify gen2-migration lock` sets it: nothing is "
        "delivered here",
        f"`amplify-delivery plan {place.stack}` says what ends that, and how",
    )
