"""Whether an environment that an account is to be bootstrapped for runs already, from a staging area of its own: its
bucket has the name that the account's would have. Asked before the account's stack makes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.teardown.removal import BUCKET
from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing
from amplify_delivery.publishing.stack_owner import is_delivered
from amplify_delivery.publishing.stack_state import described, parameters_of


def check(
    access: EnvironmentAccess,
    account: Account,
    resources: Iterable[Mapping[str, Any]],
    role: str,
    has_state: Callable[[], bool],
) -> None:
    """Raise `RefusedError` for one that has not been taken over, or not to the end. `resources` are what the engine's
    state of the account's stack holds, `role` is CloudFormation's in a bootstrapped environment, `has_state` tells
    whether the environment's state in the account holds anything, with a file that can read it."""
    names = access.names
    holds = any(r.get("type") == BUCKET and r.get("id") == names.staging_bucket for r in resources)
    if not holds and _exists(account, names.staging_bucket):
        runs = f"its staging bucket {names.staging_bucket} is there, and this stack has not made it"
    elif runs_from_its_own(account, access.stack_name, role) and not has_state():
        runs = f"the root stack {access.stack_name} runs, and its state is not in this account"
    else:
        return
    environment = names.environment
    raise RefusedError(
        f"{environment} has been delivered by `up` with a place of its own: {runs}",
        where=f"Pulumi.{environment}.yaml",
        remedy=f"nothing was changed. `amplify-delivery bootstrap {environment} --take-over` shows how the account "
        f"takes over what runs, data and all. Where the state of {environment} is lost, take it in first: "
        f"`bootstrapped` out of the file, `amplify-delivery adopt {environment} --state-lost`, and put it back. If "
        "another environment is meant, give it another name",
    )


def runs_from_its_own(account: Account, stack: str, role: str) -> bool:
    """Whether a root stack of ours runs that no bootstrapped environment's deployment has updated yet: CloudFormation
    would have the account's `role` for it. False for whoever may not ask."""
    with account.asking(f"describing stack {stack}"), suppressing(*ACCESS_DENIED):
        found = described(account.client("cloudformation"), stack)
        if found is None or found["StackStatus"] in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS"):
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
