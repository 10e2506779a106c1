"""Whether an environment that an account is to be bootstrapped for runs already, from a staging area of its own: its
bucket has the name that the account's would have. Asked before the account's stack makes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.teardown.removal import BUCKET
from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing
from amplify_delivery.publishing.stack_owner import is_delivered
from amplify_delivery.publishing.stack_state import described, parameters_of

_GONE = ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS")


def check(
    access: EnvironmentAccess,
    account: Account,
    resources: Iterable[Mapping[str, Any]],
    role: str,
    has_state: Callable[[], bool],
    *,
    moving: str = "",
) -> None:
    """Raise `RefusedError` for one that has not been taken over, or not to the end. `resources` are what the engine's
    state of the account's stack holds, `role` is CloudFormation's in a bootstrapped environment, `has_state` tells
    whether the environment's state in the account holds anything, with a file that can read it. `moving` is another
    environment, which the account's stack is about to take over."""
    names = access.names
    holds = any(r.get("type") == BUCKET and r.get("id") == names.staging_bucket for r in resources)
    if not holds and _exists(account, names.staging_bucket):
        runs = f"its staging bucket {names.staging_bucket} is there, and this stack has not made it"
    elif runs_from_its_own(account, access.stack_name, role) and not has_state():
        runs = f"the root stack {access.stack_name} runs, and its state is not in this account"
    else:
        return
    raise refusal(names, runs, moving, none_runs=_none_runs(account, access.stack_name))


def refusal(names: EnvironmentNames, runs: str, moving: str = "", *, none_runs: bool = False) -> RefusedError:
    """Of an environment that `runs`, or whose first `up` has made a bucket and no more (`none_runs`). Pure."""
    environment = names.environment
    where, again = f"Pulumi.{environment}.yaml", begin_again(names)
    if none_runs:
        return RefusedError(
            f"{environment} has been begun by `up`, with a place of its own, and no root stack runs: {runs}",
            where=where,
            remedy=f"nothing was changed. {again[0].upper()}{again[1:]}. If another environment "
            "is meant, give it another name",
        )
    first = (
        f"Name only {moving} in `environments` of the account's stack, beside what that serves already, until {moving} "
        f"is taken over; then {environment} beside it: "
        if moving
        else ""
    )
    return RefusedError(
        f"{environment} has been delivered by `up` with a place of its own: {runs}",
        where=where,
        remedy=f"nothing was changed. {first}`amplify-delivery bootstrap {environment} --take-over` shows how the "
        f"account takes over what runs, data and all. Where the state of {environment} is lost, take it in first: "
        f"`bootstrapped` out of the file, `amplify-delivery adopt {environment} --state-lost`, and put it back. If "
        "another environment is meant, give it another name",
    )


def begin_again(names: EnvironmentNames) -> str:
    """What to do where a first `up` was ended before there was a root stack: nothing runs that could be taken over."""
    environment = names.environment
    return (
        f"take `bootstrapped` out of Pulumi.{environment}.yaml, `amplify-delivery destroy {environment}` where `up` "
        f"was used, put it back, and `amplify-delivery bootstrap {environment}`. If no state holds the bucket "
        f"{names.staging_bucket}, delete it by hand instead"
    )


def _none_runs(account: Account, stack: str) -> bool:
    """Whether there is no root stack; False for whoever may not ask."""
    found: dict[str, Any] | None = None
    with account.asking(f"describing stack {stack}"), suppressing(*ACCESS_DENIED) as denied:
        found = described(account.client("cloudformation"), stack)
    return not denied and (found is None or found["StackStatus"] in _GONE)


def runs_from_its_own(account: Account, stack: str, role: str) -> bool:
    """Whether a root stack of ours runs that no bootstrapped environment's deployment has updated yet: CloudFormation
    would have the account's `role` for it. False for whoever may not ask."""
    with account.asking(f"describing stack {stack}"), suppressing(*ACCESS_DENIED):
        found = described(account.client("cloudformation"), stack)
        if found is None or found["StackStatus"] in _GONE:
            return False
        return is_delivered(parameters_of(found)) and found.get("RoleARN") != role
    return False


def _exists(account: Account, bucket: str) -> bool:
    """Whether it is there, and this account's; False for whoever may not ask: then the engine is told."""
    s3 = account.client("s3")
    looking = account.asking(f"looking for {bucket}")
    with looking, suppressing(*ACCESS_DENIED, "403") as denied, suppressing("404", "NoSuchBucket") as gone:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account.account)
    return not denied and not gone
