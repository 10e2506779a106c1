"""CloudFormation tells an account's limits.

MiniStack knows no `DescribeAccountLimits`.
AWS: CloudFormation API reference, "DescribeAccountLimits" and "AccountLimit"; the values are those of new accounts
("Understand CloudFormation quotas"). No limit is enforced here.
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, helpers

from ._expect import PatchError, expect

_ACTION = "DescribeAccountLimits"
_LIMITS = {"StackLimit": 2000, "StackOutputsLimit": 200, "ConcurrentResourcesLimit": 2500}


def apply() -> None:
    """Answer for the operation."""
    known = getattr(handlers, "_ACTION_HANDLERS", None)
    if not isinstance(known, dict) or _ACTION in known or known is not cloudformation._ACTION_HANDLERS:
        raise PatchError(f"MiniStack's CloudFormation has {_ACTION} now, or no table of its operations")
    xml = expect(helpers, "_xml", "status", "root_tag", "inner")
    members = "".join(f"<member><Name>{n}</Name><Value>{v}</Value></member>" for n, v in _LIMITS.items())
    body = f"<{_ACTION}Result><AccountLimits>{members}</AccountLimits></{_ACTION}Result>"

    def describe(_params: Any) -> Any:
        return xml(200, f"{_ACTION}Response", body)

    known[_ACTION] = describe


def probe(aws: Any) -> bool:
    """The limits are told to whoever may ask, and to nobody else."""
    session = aws.assume(aws.role(aws.owner, "limits-nobody"), aws.owner)
    return (
        aws.succeeds(lambda: aws.query("cloudformation", Action=_ACTION))
        and "<Name>StackLimit</Name><Value>2000</Value>" in aws.query("cloudformation", Action=_ACTION)
        and not aws.succeeds(lambda: aws.query("cloudformation", session, Action=_ACTION))
    )
