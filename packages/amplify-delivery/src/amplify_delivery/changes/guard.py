"""The guard over data: what would be lost is refused, unless the stack file allows that very resource. Pure.

One for all ways to deploy: it is asked by the program itself before CloudFormation is called, so by plain `pulumi up`
too, and by `deploy` and `up` before they begin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from amplify_delivery.changes.steps import Step
from amplify_delivery.errors import RefusedError

PLAN_VARIABLE = "AMPLIFY_DELIVERY_PLAN"
"""Environment variable with the digest of the plan that is carried out: `deploy` sets it for the program."""


@dataclass(frozen=True)
class AllowedLoss:
    """One exception, as a person has written it into the stack file: for one plan, or until a day."""

    path: str
    """Logical ids from the root stack on, as a plan shows them; of a resource of the program its name."""
    reason: str
    plan: str | None = None
    """Digest of the one plan that may lose it."""
    until: date | None = None
    """The last day (UTC) on which it may be lost."""

    def holds(self, path: str, plan: str | None, today: date) -> bool:
        """Whether it allows the loss of `path` today, or in carrying out `plan`."""
        if path != self.path:
            return False
        return (self.plan is not None and self.plan == plan) or (self.until is not None and today <= self.until)


@dataclass(frozen=True)
class Guard:
    """The exceptions of an environment, and what they are asked for."""

    environment: str
    """The Pulumi stack, for messages."""
    allowed: Sequence[AllowedLoss]
    today: date
    """The day, UTC."""
    plan: str | None = None
    """Digest of the plan that is carried out, if one is."""
    ignored: Sequence[str] = ()
    """Findings that do not count: AD7xx, and cfn-lint's rules."""
    disposable: bool = False
    """The environment says of itself that its data is nobody's."""
    production: bool = False
    """Data goes with one plan only, whose digest a person has written down."""

    def allows(self, step: Step) -> AllowedLoss | None:
        """What allows the loss in `step`; None if nothing does."""
        return next((a for a in self.allowed if a.holds(step.place, self.plan, self.today)), None)

    def check(self, steps: Iterable[Step]) -> None:
        """Raise `RefusedError` if one of `steps` loses data, and nothing allows that."""
        lost = [step for step in steps if step.loss and self.allows(step) is None]
        if not lost or self.disposable:
            return
        bound = "`.plan` (this plan's digest)" if self.production else "`.until` (a day) or `.plan` (a plan's digest)"
        raise RefusedError(
            "this would delete data:\n" + "\n".join(f"  {_line(step)}" for step in lost),
            where=self.environment,
            remedy="nothing was changed. Put back what the export has dropped, renamed or changed. What should really "
            f"go, a person allows one by one in Pulumi.{self.environment}.yaml: `pulumi config set -s "
            f"{self.environment} --path 'dataLoss[{len(self.allowed)}].path' '{lost[0].place}'`, and likewise "
            f"`.reason`, and {bound}",
        )


def _line(step: Step) -> str:
    what = f"{step.what}, {step.loss}" if step.what else step.loss
    return f"{step.mark} {step.place} ({step.type}): {what}"
