"""Looking for drift while a plan is made: what CloudFormation tells is put beside the steps. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amplify_delivery.changes.drift import effects
from amplify_delivery.changes.drift.detection import detect
from amplify_delivery.changes.drift.effects import Drift
from amplify_delivery.changes.drift.model import Detected, Unread
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.delivery import output
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.delivery.planning import Plan, Step
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED

_NAMED = 5
"""Resources that a note names."""
_LACKING = (
    "looking for drift needs cloudformation:DetectStackDrift, DetectStackResourceDrift, DescribeStackResourceDrifts "
    "and DescribeStackDriftDetectionStatus, beside the rights to read the resources. A bootstrapped account gives "
    "them: its administrator runs `amplify-delivery bootstrap {environment}`"
)


@dataclass(frozen=True)
class Looked:
    """What was found, and what whoever reads the plan should know of it. `drift` is None where nobody looked."""

    drift: tuple[Drift, ...] | None = None
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> str | None:
        """Of how it runs."""
        return None if self.drift is None else effects.state_digest(self.drift)


def look(
    target: Wanted, deployed: Stacks | None, wanted: Stacks, steps: Sequence[Step], *, asked: bool = False
) -> Looked:
    """The drift of what is `deployed`, with what `steps` do to it; where it is `asked` for, or the stack file says so.
    Raises `RefusedError`."""
    if not (asked or target.config.detects_drift):
        return Looked()
    if deployed is None:
        return Looked(())
    account, stack, config = target.account, target.root.stack_name, target.config
    remedy = _LACKING.format(environment=config.environment)
    with account.asking(f"looking for drift of {stack}", dict.fromkeys(ACCESS_DENIED, remedy)):
        found = detect(account.client("cloudformation"), account.client("iam"), stack, deployed, output.progress)
    drift = effects.drift(found, steps, wanted, config.acknowledged_drift)
    gone = tuple(
        f"acknowledged drift is gone, or runs with another value: {a.path} {a.pointer} (`drift.acknowledged`)"
        for a in effects.stale(drift, config.acknowledged_drift)
    )
    return Looked(drift, (*_notes(found), *gone))


def check(plan: Plan, target: Wanted) -> None:
    """Raise `RefusedError` for drift on which carrying out `plan` would fail, and for drift that the environment does
    not put up with. A plan without changes harms nothing."""
    if plan.steps and plan.drift:
        config, environment = target.config, plan.target.environment
        known = len(config.acknowledged_drift)
        effects.check(plan.drift, environment, refuse=config.refuses_drift, known=known)


def _notes(found: Detected) -> tuple[str, ...]:
    return (*_unread(found.unread), *_unsupported(found.unsupported))


def _unread(unread: Sequence[Unread]) -> tuple[str, ...]:
    if not unread:
        return ()
    named = ", ".join(f"{u.place} ({u.type})" for u in unread[:_NAMED]) + (", ..." if len(unread) > _NAMED else "")
    why = next((u.why for u in unread if u.why), "CloudFormation gives no reason")
    return (f"whether these run as they were delivered could not be told ({len(unread)}: {named}): {why}",)


def _unsupported(types: Mapping[str, int]) -> tuple[str, ...]:
    if not types:
        return ()
    told = ", ".join(f"{name} ({number:,})" for name, number in types.items())
    return (f"CloudFormation detects no drift of {told}",)
