"""The first lines of a report: how the environment stands, and the commands that come next. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from amplify_delivery.delivery import output
from amplify_delivery.delivery.reporting.last_operation import tone
from amplify_delivery.delivery.reporting.page.report_model import Fact, Found, Line, Plan, Role, Tone, Typed


@dataclass(frozen=True)
class Seen:
    """What a summary is made of. `status` is None where the root stack could not be read, empty where there is none.

    `drift` is whether this report was asked for it, `detected` whether every plan looks for it.
    """

    environment: str
    status: str | None
    protected: bool
    changed: datetime | None
    bootstrapped: bool
    prepared: bool | None
    """Whether its account is prepared for this version; None where that could not be read, or is no question."""
    plan: Plan | None
    lines: Sequence[Line]
    findings: Sequence[Found]
    roles: Sequence[Role]
    drift: bool = False
    detected: bool = False

    @property
    def missing(self) -> int | None:
        """How many rights are missing; None if nobody knows."""
        needs = [need for role in self.roles for need in role.needs]
        if any(need.missing is None for need in needs):
            return None
        return sum(bool(need.missing) for need in needs)

    @property
    def lost(self) -> int:
        """How many steps lose data."""
        return sum(bool(line.loss) for line in self.lines)


def facts(seen: Seen) -> tuple[Fact, ...]:
    """How the environment stands, line by line."""
    return tuple(_facts(seen))


def _facts(seen: Seen) -> Iterator[Fact]:
    if seen.status is None:
        yield Fact("Root stack", "not read", "warn", "unread")
    elif not seen.status:
        yield Fact("Root stack", "not there yet")
    else:
        yield Fact("Root stack", seen.status, tone(seen.status), "stacks")
    yield _plan(seen)
    if seen.changed:
        yield Fact("Changed last", f"{seen.changed:%Y-%m-%d %H:%M} UTC", section="timings")
    yield _drift(seen.plan)
    yield _findings(seen.findings)
    yield _rights(seen)
    if seen.bootstrapped:
        told: dict[bool | None, tuple[str, Tone]] = {
            True: ("as this version needs it", "good"),
            False: ("not as this version needs it", "bad"),
            None: ("not read", "warn"),
        }
        value, how = told[seen.prepared]
        yield Fact("Bootstrap", value, how, "" if seen.prepared else "unread")
    if seen.status:
        yield Fact("Termination protection", "on" if seen.protected else "off")


def _plan(seen: Seen) -> Fact:
    plan = seen.plan
    if plan is None:
        return Fact("Plan", "not made", "warn", "unread")
    text = output.counted(plan.changes, "change") if plan.changes else "nothing would change"
    if plan.impossible:
        return Fact("Plan", f"{text}, AWS cannot do it", "bad", "plan")
    if seen.lost:
        text = f"{text}, {seen.lost:,} of them {'loses' if seen.lost == 1 else 'lose'} data"
    if plan.refused:
        return Fact("Plan", f"{text}, `deploy` refuses it", "bad", "plan")
    if seen.lost:
        return Fact("Plan", text, "bad", "plan")
    return Fact("Plan", text, "" if plan.changes else "good", "plan")


def _drift(plan: Plan | None) -> Fact:
    if plan is None or plan.drift is None:
        return Fact("Drift", "not looked for")
    number = len(plan.drift)
    return (
        Fact("Drift", output.counted(number, "resource"), "warn", "plan")
        if number
        else Fact("Drift", "none found", "good")
    )


def _findings(findings: Sequence[Found]) -> Fact:
    counts = Counter(item.severity for item in findings)
    text = ", ".join(f"{counts[kind]:,} {kind}" for kind in ("refused", "warning", "repaired") if counts[kind])
    how: Tone = "bad" if counts["refused"] else "warn" if counts["warning"] else ""
    return Fact("Findings", text, how, "findings") if text else Fact("Findings", "none", "good")


def _rights(seen: Seen) -> Fact:
    if seen.missing is None:
        return Fact("Rights", "not compared" if not seen.bootstrapped else "not read", section="rights")
    if seen.missing:
        return Fact("Rights", f"{seen.missing:,} missing", "bad", "rights")
    return Fact("Rights", "none missing", "good", "rights")


def commands(seen: Seen) -> tuple[Typed, ...]:
    """What may be typed next."""
    return tuple(_commands(seen))


def _commands(seen: Seen) -> Iterator[Typed]:
    name, plan = seen.environment, seen.plan
    if seen.bootstrapped and (seen.prepared is False or seen.missing):
        yield Typed(f"amplify-delivery bootstrap {name}", "as an administrator of the account: what is missing there")
    # What is printed has to work: `deploy` refuses the rest.
    deployable = plan and plan.digest and plan.changes and not (plan.impossible or plan.refused)
    if plan and deployable and seen.prepared is not False and not seen.missing:
        drift = " --drift" if seen.drift and not seen.detected else ""
        yield Typed(
            f"amplify-delivery deploy {name} --plan {plan.digest}{drift}", "deploy exactly what is planned here"
        )
    if not plan or not plan.digest:
        yield Typed(f"amplify-delivery plan {name}", "the whole plan, or why there is none")
    if seen.status and not (plan and plan.drift is not None):
        yield Typed(f"amplify-delivery report {name} --drift", "look for what somebody has changed by hand, too")
    if seen.status:
        yield Typed(f"amplify-delivery rollback {name} --list", "releases to go back to")
