"""What connects conditions, in three values: true, false, and None for what only the deployment knows."""

from __future__ import annotations

from collections.abc import Sequence

CONNECTIVES = ("Fn::And", "Fn::Not", "Fn::Or")


def connected(function: str, truths: Sequence[bool | None]) -> bool | None:
    """What one of `CONNECTIVES` makes of the truths of its arguments ("Condition functions", CloudFormation's template
    reference); None for another function, and for a `Fn::Not` of several."""
    if function == "Fn::Not" and len(truths) == 1:
        return None if truths[0] is None else not truths[0]
    if function == "Fn::And":
        return False if False in truths else None if None in truths else True
    if function == "Fn::Or":
        return True if True in truths else None if None in truths else False
    return None
