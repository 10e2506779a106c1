"""Whether the root stack can take the change at all, asked before anything is published.

CloudFormation would refuse these too, minutes later and in words that do not say what to do.
"""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from amplify_export.errors import DeployError
from publishing.credentials import client_config, target_session
from publishing.target import PublishTarget

_UPDATABLE = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
)
"""States in which UpdateStack is accepted (CloudFormation User Guide, "Stack status codes")."""

_REMEDIES = {
    "REVIEW_IN_PROGRESS": "a change set was made for it and never executed: delete it with "
    "`aws cloudformation delete-stack --stack-name {name} --region {region}`, then run this again",
    "UPDATE_ROLLBACK_FAILED": "look at its events for what could not be rolled back, mend that, then "
    "`aws cloudformation continue-update-rollback --stack-name {name} --region {region}`",
    "ROLLBACK_COMPLETE": "its first create failed: delete it with "
    "`aws cloudformation delete-stack --stack-name {name} --region {region}`, then run this again",
    "ROLLBACK_FAILED": "delete it with `aws cloudformation delete-stack --stack-name {name} --region {region}`",
    "DELETE_FAILED": "look at its events for what could not be deleted, mend that, then delete it again",
}


def check_stack(target: PublishTarget, stack_name: str, *, creating: bool) -> None:
    """Raise `DeployError` if the stack cannot be created (it is there already) or updated (locked, stuck, busy).

    What AWS does not let us read is left for CloudFormation to say.
    """
    try:
        cloudformation = target_session(target).client("cloudformation", config=client_config())
        stack = described(cloudformation, stack_name)
    except (BotoCoreError, ClientError):
        return
    if stack is None:
        return
    status = stack["StackStatus"]
    if not creating and status in _UPDATABLE:
        _check_policy(cloudformation, stack_name)
        return
    remedy = _REMEDIES.get(status, "")
    if status.endswith("_IN_PROGRESS") and not remedy:
        remedy = "wait until that has ended, then run this again"
    elif creating and status in _UPDATABLE:
        remedy = (
            "nothing was changed. If this Pulumi stack has made it, the plan was to replace it, which would delete its "
            "data: put back what was changed (also the name of the backend in the program), and leave `--replace` out. "
            "If another Pulumi stack or `amplify push` owns it, deliver under another `environment`"
        )
    raise DeployError(
        f"the stack {stack_name} is there already, in state {status}" if creating else f"its state is {status}",
        where=f"{stack_name} (account {target.account}, {target.region})",
        remedy=remedy.format(name=stack_name, region=target.region),
    )


def check_deployment_bucket(target: PublishTarget, bucket: str) -> None:
    """Raise `DeployError` if the deployment bucket, which a first create makes, is there already.

    Bucket names are global: another developer's copy of the same app, environment and suffix has the same one, in
    whatever account. And a destroyed environment keeps its bucket (`DeletionPolicy: Retain`).
    """
    try:
        target_session(target).client("s3", config=client_config()).head_bucket(Bucket=bucket)
        owner = "in this account, perhaps kept by an environment that was destroyed"
        remedy = f"`aws s3 rb --force s3://{bucket}` if nobody needs it, or set another `suffix` in the stack file"
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
            return
        owner = "in another account (bucket names are global), or in this one and these credentials may not look at it"
        remedy = "give this copy a name of its own: `pulumi config set suffix` with letters and digits of your own"
    except BotoCoreError:
        return
    raise DeployError(f"the deployment bucket {bucket} is there already, {owner}", where=str(target), remedy=remedy)


def described(cloudformation: Any, stack_name: str) -> dict[str, Any] | None:
    """A stack as DescribeStacks has it; None if there is none. Raises botocore's errors."""
    try:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return found


def _check_policy(cloudformation: Any, stack_name: str) -> None:
    """Amplify's migration to Gen 2 locks a root stack with a policy that denies every update: hands off."""
    try:
        body = cloudformation.get_stack_policy(StackName=stack_name).get("StackPolicyBody")
        statements = json.loads(body)["Statement"] if body else []
    except (BotoCoreError, ClientError, ValueError, KeyError, TypeError):
        return
    for statement in statements if isinstance(statements, list) else [statements]:
        actions = statement.get("Action", [])
        resources = statement.get("Resource", [])
        everything = "*" in ([resources] if isinstance(resources, str) else resources)
        denied = {"Update:*", "*"} & set([actions] if isinstance(actions, str) else actions)
        if statement.get("Effect") == "Deny" and everything and denied and "Condition" not in statement:
            raise DeployError(
                "its stack policy denies every update, as Amplify's migration to Gen 2 sets it: nothing was changed",
                where=stack_name,
                remedy="finish or revert the migration; if you locked it yourself, set a policy that allows Update:* "
                f"(`aws cloudformation set-stack-policy --stack-name {stack_name} ...`)",
            )
