"""The tooling account's stack with the bucket and key of the engine's state: made, updated, removed."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from amplify_delivery.components.documents.account.storage import KEY_DAYS
from amplify_delivery.components.documents.naming import STATE_PREFIX, PipelineNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.engine import state_bucket
from amplify_delivery.delivery.teardown import emptying
from amplify_delivery.errors import FailedError, RefusedError, midway
from amplify_delivery.export.documents import parse_yaml
from amplify_delivery.publishing.aws_errors import suppressing
from amplify_delivery.publishing.stack_state import described, outputs_of

TEMPLATE = Path(__file__).with_name("templates") / "state.yaml"
_PATIENCE = 600
"""Seconds to wait for CloudFormation: a key and a bucket take about one minute."""
_DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
_DELETED = ("DELETE_COMPLETE",)


def deploy(account: Account, stack: str, names: PipelineNames) -> str:
    """Create or update the stack and wait; "created", "updated" or "unchanged". A bucket that somebody has deleted is
    made again. Raises `DeployError`."""
    with account.asking(f"deploying stack {stack}"):
        return _deploy(account, stack, names)


def _deploy(account: Account, stack: str, names: PipelineNames) -> str:
    cloudformation = account.client("cloudformation")
    arguments = {
        "StackName": stack,
        "TemplateBody": TEMPLATE.read_text(encoding="utf-8"),
        "Parameters": [
            {"ParameterKey": "BucketName", "ParameterValue": names.state_bucket},
            {"ParameterKey": "KeyAlias", "ParameterValue": names.state_key_alias},
        ],
        "Tags": [{"Key": "app", "Value": names.app}],
    }
    found = described(cloudformation, stack)
    if found is not None and found["StackStatus"].endswith("_IN_PROGRESS"):
        found = _settled(cloudformation, found["StackId"])  # somebody else's run, or one of ours that was interrupted
        if found["StackStatus"] == "DELETE_COMPLETE":
            found = None
    if found is None:
        made = cloudformation.create_stack(**arguments, OnFailure="DELETE")
        with midway(), account.changing(f"deploying stack {stack}"):
            _check(cloudformation, _settled(cloudformation, made["StackId"]))
            # Only now: a failed create deletes the stack, so that the next one begins afresh.
            cloudformation.update_termination_protection(EnableTerminationProtection=True, StackName=stack)
        return "created"
    what = f"deploying stack {stack}"
    # CloudFormation does not look whether what it has made is there: it makes what a template has more than the last.
    again = not state_bucket.exists(account, names)
    if again and _updates(cloudformation, {**arguments, "TemplateBody": _without_bucket()}):
        with midway(), account.changing(what):
            _check(cloudformation, _settled(cloudformation, found["StackId"]))
    with midway(lambda: again):
        if not _updates(cloudformation, arguments):
            return "unchanged"
    with midway(), account.changing(what):
        _check(cloudformation, _settled(cloudformation, found["StackId"]))
    return "updated"


def _updates(cloudformation: Any, arguments: dict[str, Any]) -> bool:
    """Begin an update; whether there is anything to do. Raises botocore's errors."""
    with suppressing("ValidationError", saying="No updates are to be performed") as nothing:
        cloudformation.update_stack(**arguments)
    return not nothing


def _without_bucket() -> str:
    """The template without the bucket, which stays where it is when it leaves the stack, if it is anywhere."""
    template: dict[str, Any] = parse_yaml(TEMPLATE.read_bytes())
    kept = {name: item for name, item in template["Resources"].items() if not item["Type"].startswith("AWS::S3::")}
    outputs = {name: item for name, item in template["Outputs"].items() if "Bucket" not in json.dumps(item["Value"])}
    return json.dumps({**template, "Resources": kept, "Outputs": outputs})


def remove(account: Account, stack: str, names: PipelineNames) -> str | None:
    """Remove stack, bucket and key; the ARN of the key, which is scheduled for deletion. Raises `DeployError`.

    Everything in an order in which it can be interrupted and repeated: the key is found through the stack, the bucket
    by its name.
    """
    cloudformation, s3 = account.client("cloudformation"), account.client("s3")
    owner = {"Bucket": names.state_bucket, "ExpectedBucketOwner": names.account}
    what = f"removing stack {stack} with its bucket and key"
    with account.asking(what):
        found = described(cloudformation, stack)
        _check_unused(s3, owner)
        if found is not None and found["StackStatus"].endswith("_IN_PROGRESS"):
            # It would not be deleted now, and its bucket and key would be gone.
            found = _settled(cloudformation, found["StackId"])
            found = None if found["StackStatus"] == "DELETE_COMPLETE" else found
            _check_unused(s3, owner)  # while that was waited for, a stack may have been made
    emptying.bucket(account, names.state_bucket)
    with midway(), account.changing(what):
        key = outputs_of(found or {}).get("KeyArn")
        if key:
            _schedule_deletion(account.client("kms"), key)
        if found is not None:
            cloudformation.update_termination_protection(EnableTerminationProtection=False, StackName=stack)
            cloudformation.delete_stack(StackName=stack)
            _check(cloudformation, _settled(cloudformation, found["StackId"]), _DELETED)
        with suppressing("NoSuchBucket"):
            s3.delete_bucket(**owner)
    return key


def _schedule_deletion(kms: Any, key: str) -> None:
    if kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] != "PendingDeletion":
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=KEY_DAYS)


def _check_unused(s3: Any, owner: dict[str, str]) -> None:
    """Raise `RefusedError` while the state of a Pulumi stack lies in the bucket."""
    held = _stacks_in(s3, owner)
    if held:
        raise RefusedError(
            f"the state of {', '.join(held)} lies in it",
            where=owner["Bucket"],
            remedy="`amplify-delivery destroy STACK --delete-data` of each; nothing was changed",
        )


def _stacks_in(s3: Any, owner: dict[str, str]) -> list[str]:
    """The Pulumi stacks whose state lies in the bucket, as PROJECT/STACK."""
    prefix, found = f"{STATE_PREFIX}stacks/", set()
    with suppressing("NoSuchBucket"):
        for page in s3.get_paginator("list_objects_v2").paginate(**owner, Prefix=prefix):
            for item in page.get("Contents", ()):
                name, _, kind = str(item["Key"]).removeprefix(prefix).partition(".json")
                if kind in ("", ".gz", ".zst"):  # what is left of a removed stack ends with .bak
                    found.add(name)
    return sorted(found)


def _settled(cloudformation: Any, stack_id: str) -> dict[str, Any]:
    """The stack once nothing is in progress any more. By its id a deleted one is found too."""
    end, pause = time.monotonic() + _PATIENCE, 0.1
    while True:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
        if not found["StackStatus"].endswith("_IN_PROGRESS"):
            return found
        if time.monotonic() > end:
            raise RefusedError(
                f"it is still {found['StackStatus']} after {_PATIENCE} seconds",
                where=found["StackName"],
                remedy="look at its events; the command can be repeated",
            )
        time.sleep(pause)
        pause = min(pause * 2, 5)


def _check(cloudformation: Any, found: dict[str, Any], done: Collection[str] = _DONE) -> None:
    """Raise `FailedError` with the reasons unless the operation succeeded."""
    if found["StackStatus"] in done:
        return
    events = cloudformation.describe_stack_events(StackName=found["StackId"])["StackEvents"]
    reasons = [
        f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason', '')}"
        for e in events
        if e["ResourceStatus"].endswith("_FAILED") and "cancelled" not in e.get("ResourceStatusReason", "")
    ]
    raise FailedError(
        "\n".join([found["StackStatus"], *dict.fromkeys(reversed(reasons))]),
        where=found["StackName"],
        remedy="correct the cause and repeat; a bucket or key that an earlier stack left behind can be imported into "
        "the stack, or deleted",
    )
