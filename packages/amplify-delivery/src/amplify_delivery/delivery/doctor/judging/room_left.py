"""Whether an account's quotas leave room for what an environment needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from amplify_delivery.delivery.doctor.lines import Line
from amplify_delivery.delivery.doctor.place import Place

_TIGHT = 0.1
"""Of a quota: who has less left is warned."""
_FEW = 100
"""Lambda's concurrent executions; AWS gives 1,000, and fewer to new accounts. So many it keeps unreserved."""


@dataclass(frozen=True)
class Quota:
    """A quota of Service Quotas: what it is of, and where it is raised."""

    thing: str
    service: str
    code: str
    everywhere: bool = False
    """It counts for the account, not for a region."""
    unit: int = 1
    """What Service Quotas counts it in."""


STACKS = Quota("CloudFormation stacks", "cloudformation", "L-0485CB21")
BUCKETS = Quota("S3 buckets", "s3", "L-DC2B2D3D", everywhere=True)
ROLES = Quota("IAM roles", "iam", "L-FE177D64", everywhere=True)
POLICIES = Quota("IAM managed policies", "iam", "L-E95E4862", everywhere=True)
CONCURRENCY = Quota("concurrent executions of Lambda", "lambda", "L-B99A9384")
STORAGE = Quota("bytes of Lambda's code storage", "lambda", "L-2ACBD22F", unit=1 << 30)


@dataclass(frozen=True)
class Used:
    """How much of a quota is used."""

    used: int
    limit: int


@dataclass(frozen=True)
class Functions:
    """What Lambda says of an account and region (`GetAccountSettings`)."""

    concurrent: int
    unreserved: int
    storage: Used
    """Bytes."""


def judge(subject: str, quota: Quota, used: Used, needed: int, place: Place) -> Line:
    """A line for one quota; `needed` is what the environment would add."""
    free = used.limit - used.used
    said = f"{used.used:,} of {used.limit:,} {quota.thing} are used, and {needed:,} more are wanted"
    if needed > free:
        return Line(subject, "error", said, _raise(quota, used.used + needed, used.limit, place))
    if free - needed < _TIGHT * used.limit:
        return Line(subject, "warning", said, _raise(quota, used.used + needed, used.limit, place))
    return Line(subject, "ok", said)


def functions(found: Functions, reserved: int, code: int, place: Place) -> Iterator[Line]:
    """Lines `Lambda concurrency` and `Lambda storage`, for functions that are still to be made: what they reserve
    together, and the bytes of their code."""
    subject, most = "Lambda concurrency", found.concurrent
    said = f"{most:,} executions at a time, {found.unreserved:,} of them unreserved"
    more = _raise(CONCURRENCY, max(1000, most + reserved), most, place)
    if reserved and found.unreserved - reserved < min(_FEW, most):
        kept = min(_FEW, most)
        yield Line(subject, "error", f"{said}; {reserved:,} more would be reserved, and AWS keeps {kept}", more)
    elif most < _FEW:
        yield Line(subject, "warning", f"{said}, as in new accounts: further calls are throttled", more)
    else:
        yield Line(subject, "ok", said)
    yield judge("Lambda storage", STORAGE, found.storage, code, place)


def resources(in_export: int, at_once: int) -> Line:
    """Line `CloudFormation resources`: those of the export, and how many the account's operations may have in hand."""
    said = (
        f"the backend has {in_export:,} resources, and CloudFormation works on {at_once:,} of the account's at a time"
    )
    if in_export > at_once:
        return Line(
            "CloudFormation resources",
            "warning",
            f"{said}: an operation waits for others, or is refused",
            "deploy it while nothing else is deployed in the region; AWS Support raises the quota",
        )
    return Line("CloudFormation resources", "ok", said)


def _raise(quota: Quota, wanted: int, limit: int, place: Place) -> str:
    value = -(-max(wanted + wanted // 4, limit + 1) // quota.unit)
    command = (
        f"service-quotas request-service-quota-increase --service-code {quota.service} --quota-code {quota.code} "
        f"--desired-value {value}"
    )
    return f"have it raised, or take away what nobody needs: {place.aws(command, _region(quota, place))}"


def _region(quota: Quota, place: Place) -> str:
    return place.home if quota.everywhere else place.region
