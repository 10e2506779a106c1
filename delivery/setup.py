"""`delivery setup`: where the tooling account keeps the engine's state: a bucket and a key, as one small stack."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from amplify_export.errors import DeployError
from components.documents.naming import PipelineNames
from delivery import output
from delivery.account import Account
from stacks.config import Project

TEMPLATE = Path(__file__).with_name("templates") / "state.yaml"
_PATIENCE = 600
"""Seconds to wait for CloudFormation: a key and a bucket take about one minute."""
_DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--account", required=True, metavar="ACCOUNT", help="the tooling account, 12 digits")
    parser.add_argument("--region", required=True, metavar="REGION", help="where the pipeline runs, as in eu-west-1")
    parser.add_argument("--profile", metavar="NAME", help="profile of the AWS configuration to use")


def run(args: argparse.Namespace) -> int:
    names = PipelineNames(Project(Path()).app, args.account, args.region)
    account = Account(args.account, args.region, args.profile)
    stack = f"{names.app}-tooling-state"
    try:
        change = _deploy(account.client("cloudformation"), stack, names)
    except (BotoCoreError, ClientError) as error:
        raise account.refused(error, f"deploying stack {stack}") from None
    backend, secrets = names.state_backend, names.secrets_provider
    if args.json:
        output.document({"stack": stack, "change": change, "backend": backend, "secretsProvider": secrets})
        return 0
    output.progress(f"stack {stack}: {change}")
    print(f"PULUMI_BACKEND_URL={backend}")
    print(f"--secrets-provider={secrets}")
    return 0


def _deploy(cloudformation: Any, stack: str, names: PipelineNames) -> str:
    """Create or update the stack and wait; "created", "updated" or "unchanged"."""
    arguments = {
        "StackName": stack,
        "TemplateBody": TEMPLATE.read_text(encoding="utf-8"),
        "Parameters": [
            {"ParameterKey": "BucketName", "ParameterValue": names.state_bucket},
            {"ParameterKey": "KeyAlias", "ParameterValue": names.state_key_alias},
        ],
        "Tags": [{"Key": "app", "Value": names.app}],
    }
    found = _described(cloudformation, stack)
    if found is not None and found["StackStatus"].endswith("_IN_PROGRESS"):
        found = _settled(cloudformation, found["StackId"])  # somebody else's run, or one of ours that was interrupted
        if found["StackStatus"] == "DELETE_COMPLETE":
            found = None
    if found is None:
        made = cloudformation.create_stack(**arguments, OnFailure="DELETE")
        _check(cloudformation, _settled(cloudformation, made["StackId"]))
        # Only now: a failed create deletes the stack, so that the next one begins afresh.
        cloudformation.update_termination_protection(EnableTerminationProtection=True, StackName=stack)
        return "created"
    try:
        cloudformation.update_stack(**arguments)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise
        return "unchanged"
    _check(cloudformation, _settled(cloudformation, found["StackId"]))
    return "updated"


def _described(cloudformation: Any, stack: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return found


def _settled(cloudformation: Any, stack_id: str) -> dict[str, Any]:
    """The stack once nothing is in progress any more. By its id a deleted one is found too."""
    end, pause = time.monotonic() + _PATIENCE, 0.1
    while True:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
        if not found["StackStatus"].endswith("_IN_PROGRESS"):
            return found
        if time.monotonic() > end:
            raise DeployError(
                f"it is still {found['StackStatus']} after {_PATIENCE} seconds",
                where=found["StackName"],
                remedy="look at its events; the command can be repeated",
            )
        time.sleep(pause)
        pause = min(pause * 2, 5)


def _check(cloudformation: Any, found: dict[str, Any]) -> None:
    """Raise `DeployError` with the reasons unless the operation succeeded."""
    if found["StackStatus"] in _DONE:
        return
    events = cloudformation.describe_stack_events(StackName=found["StackId"])["StackEvents"]
    reasons = [
        f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason', '')}"
        for e in events
        if e["ResourceStatus"].endswith("_FAILED") and "cancelled" not in e.get("ResourceStatusReason", "")
    ]
    raise DeployError(
        "\n".join([found["StackStatus"], *dict.fromkeys(reversed(reasons))]),
        where=found["StackName"],
        remedy="correct the cause and repeat; a bucket or key that an earlier stack left behind can be imported into "
        "the stack, or deleted",
    )
