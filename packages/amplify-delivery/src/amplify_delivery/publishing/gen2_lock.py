"""A root stack that Amplify's migration to Gen 2 has locked: every command leaves it alone.

`amplify gen2-migration lock` appends one statement to the root's stack policy, beside those that are there, and
`rollback` takes it out again (amplify-cli, gen2-migration/lock.ts).
"""

from __future__ import annotations

import json
import shlex
from typing import Any

from amplify_delivery.errors import RefusedError
from amplify_delivery.export.documents import several
from amplify_delivery.publishing import termination
from amplify_delivery.publishing.aws_errors import suppressing_all


def locks(policy: str | None) -> bool:
    """Whether a stack policy denies every update of every resource. What is no policy locks nothing."""
    try:
        statements = json.loads(policy)["Statement"] if policy else []
    except (ValueError, KeyError, TypeError):
        return False
    return any(_locks(s) for s in several(statements))


def without(policy: str) -> dict[str, Any]:
    """A policy that locks, without the lock: setting a policy takes the place of the whole one before, and what else it
    protects stays protected. Where nothing is left, everything is allowed, as it is without a policy."""
    document = json.loads(policy)
    statements = document["Statement"]
    left = [s for s in several(statements) if not _locks(s)]
    return {**document, "Statement": left or [_ALL]}


_ALL = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}


def _locks(statement: Any) -> bool:
    if not isinstance(statement, dict) or statement.get("Effect") != "Deny" or "Condition" in statement:
        return False
    return "*" in several(statement.get("Resource")) and bool({"Update:*", "*"} & {*several(statement.get("Action"))})


def policy_of(cloudformation: Any, stack_name: str) -> str | None:
    """The stack policy of a root stack; None where there is none, or AWS does not let us read it: then it is left for
    CloudFormation to say."""
    with suppressing_all():
        policy: str | None = cloudformation.get_stack_policy(StackName=stack_name).get("StackPolicyBody")
        return policy
    return None


def check(cloudformation: Any, stack_name: str) -> None:
    """Raise `RefusedError` for a root stack that is locked."""
    policy = policy_of(cloudformation, stack_name)
    if locks(policy):
        own = json.dumps(without(str(policy)))
        region = f"--region {cloudformation.meta.region_name}"
        raise RefusedError(
            "its stack policy denies every update, as Amplify's migration to Gen 2 sets it (`amplify gen2-migration "
            "lock`): nothing was changed, and nothing is delivered here",
            where=stack_name,
            remedy="finish the migration (before its last step, `amplify gen2-migration decommission`, which deletes "
            f"this stack, {termination.by_hand(stack_name, region, on=False)}), or take the lock back (`amplify "
            "gen2-migration lock --rollback`). If you locked it yourself: `aws cloudformation set-stack-policy "
            f"--stack-name {stack_name} {region} --stack-policy-body {shlex.quote(own)}`",
        )
