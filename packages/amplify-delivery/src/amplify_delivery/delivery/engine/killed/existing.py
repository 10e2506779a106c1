"""Asks AWS what has become of what a killed run was making: whether it is there, and ours.

Names are deterministic, and hold the app's and the environment's. So what has the name is ours if it is also what was
to be made: the same tags and description, the root stack the same template. Reads only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from amplify_delivery.changes import deployed
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.engine.killed import classic, native, pending, policies, sent, tags
from amplify_delivery.delivery.engine.killed.native import absent
from amplify_delivery.delivery.engine.killed.pending import (
    CREATING,
    Answer,
    Foreign,
    Gone,
    Operation,
    There,
    Unknown,
    same,
)
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing
from amplify_delivery.publishing.stack_state import described, parameters_of
from amplify_delivery.stacks.images import IMAGES

_REPOSITORY = "aws:ecr/repository:Repository"
_FAILED = ("ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "ROLLBACK_FAILED")
"""States in which an update has not become what it was to."""


def ask(account: Account, operation: Operation, known: frozenset[str]) -> Answer:
    """What has become of it. `known` are the ids of what the state holds. Raises `RefusedError`.

    While CloudFormation still works on the root stack it is waited for, as the run that was killed would have.
    """
    asker = ASKERS.get(operation.type)
    if asker is None:
        return Unknown("resources of this type have no name by which they could be looked for")
    with account.asking(f"asking what has become of {operation.what}"):
        if operation.type in native.ASKERS:
            native.settle(account, operation)
        return asker(account, operation, known)


def ask_there(
    account: Account, operation: Operation, resources: Sequence[Mapping[str, Any]], known: frozenset[str]
) -> Answer:
    """`ask` in the region of its provider, which is among `resources`. In another account nobody is asked."""
    inputs = pending.provider(operation, resources)
    if place := pending.elsewhere(inputs, account.account, account.profile) if inputs else "":
        return Unknown(f"its provider acts {place}")
    region = pending.region(operation, inputs) or account.region
    there = account if region == account.region else account.at(region)
    answer = tags.carried(there, operation, inputs, ask(there, operation, known))
    return sent.carried(there, operation, policies.carried(there, operation, answer))


def _root_stack(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    cloudformation, inputs = account.client("cloudformation"), operation.inputs
    name = operation.id or str(inputs.get("name"))
    # By its id where that is known: by its name a stack that is gone could not be told from another one.
    deployed.settle(cloudformation, name, operation.seconds(deployed.LONGEST_UPDATE), output.progress)
    stack = described(cloudformation, name)
    if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
        return Gone()
    differs = _differs(inputs, stack)
    if operation.kind == CREATING:
        if differs:
            return Foreign(f"the stack {stack['StackName']} that is there has other {', '.join(differs)}: not its own")
        return There(str(stack["StackId"]), made=stack.get("CreationTime"))
    return Gone() if differs or stack["StackStatus"] in _FAILED else There(str(stack["StackId"]))


def _differs(inputs: Mapping[str, Any], stack: Mapping[str, Any]) -> list[str]:
    """In what a stack is not what was sent. The template is among the parameters: a root has its key as one."""
    parameters = parameters_of(stack)
    carried = {t["Key"]: t["Value"] for t in stack.get("Tags", ())}
    role = inputs.get("iamRoleArn")
    unequal = {
        "parameters": not same(inputs.get("parameters") or {}, parameters),
        "tags": not same(inputs.get("tags") or {}, carried),
        "role": bool(role) and not same(role, stack.get("RoleARN")),
    }
    return [name for name, differs in unequal.items() if differs]


def _bucket(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    """The names of our own hold app, purpose and the account's number: nothing else has them. A bucket of the program's
    own may have been there before, with data, unless its tags say whose it is."""
    inputs, own = operation.inputs, any(component in operation.urn for component in pending.OURS)
    name, sent = str(inputs.get("bucket")), inputs.get("tags") or {}
    with suppressing(*() if own else ("403",)) as refusal:
        if absent(lambda: account.client("s3").head_bucket(Bucket=name, ExpectedBucketOwner=account.account), "404"):
            return Gone()
    if refusal:
        return Foreign(f"the bucket {name} that is there is another account's, or may not be looked at")
    if own:
        return There(name)
    if not sent or not same(sent, _tags(account, name)):
        return Unknown(f"there is a bucket {name}, and nothing tells whether that run has made it")
    made = _since(account, name)
    return There(name, made=made, empty=made is None and _is_empty(account, name))


def _since(account: Account, bucket: str) -> Any:
    """When a bucket was made; None for whoever may not list them: nothing else of S3 tells it."""
    with suppressing(*ACCESS_DENIED):
        pages = account.client("s3").get_paginator("list_buckets").paginate(Prefix=bucket)
        return next((b.get("CreationDate") for page in pages for b in page["Buckets"] if b["Name"] == bucket), None)
    return None


def _is_empty(account: Account, bucket: str) -> bool:
    """Whether a bucket holds nothing, no earlier version and no part of an upload, as far as these credentials tell."""
    s3, where = account.client("s3"), {"Bucket": bucket, "ExpectedBucketOwner": account.account}
    with suppressing(*ACCESS_DENIED):
        versions = s3.list_object_versions(**where, MaxKeys=1)
        uploads = s3.list_multipart_uploads(**where, MaxUploads=1)
        return not any(versions.get(kind) for kind in ("Versions", "DeleteMarkers")) and not uploads.get("Uploads")
    return False


def _tags(account: Account, bucket: str) -> dict[str, str]:
    found: dict[str, Any] = {}
    s3 = account.client("s3")

    def look() -> None:
        found.update(s3.get_bucket_tagging(Bucket=bucket, ExpectedBucketOwner=account.account))

    if absent(look, "NoSuchTagSet"):
        return {}
    return {tag["Key"]: tag["Value"] for tag in found["TagSet"]}


def _repository(account: Account, operation: Operation, known: frozenset[str]) -> Answer:
    """The names of our own hold app and environment; one of the program's own may have been there before, with
    images."""
    answer = classic.ASKERS[_REPOSITORY](account, operation, known)
    own = any(component in operation.urn for component in pending.OURS) or operation.urn.endswith(f"::{IMAGES}")
    if isinstance(answer, There) and not own:
        return Unknown(f"there is a repository {answer.id}, and nothing tells whether that run has made it")
    return answer


def _secret(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    name = str(operation.inputs.get("name"))
    found: dict[str, Any] = {}

    def look() -> None:
        found.update(account.client("secretsmanager").describe_secret(SecretId=name))

    if absent(look, "ResourceNotFoundException") or found.get("DeletedDate"):
        return Gone()
    carried = {t["Key"]: t["Value"] for t in found.get("Tags") or ()}
    inputs = operation.inputs
    if not same(inputs.get("description"), found.get("Description")) or not same(inputs.get("tags") or {}, carried):
        return Foreign(f"the secret {name} that is there has another description or other tags: not its own")
    if not inputs.get("description") and not inputs.get("tags"):
        return Unknown(f"there is a secret {name}, and nothing tells whether that run has made it")
    return There(str(found["ARN"]), {"arn": found["ARN"]}, found.get("CreatedDate"))


ASKERS: Mapping[str, native.Asker] = {
    **native.ASKERS,
    **classic.ASKERS,
    ROOT_STACK: _root_stack,
    _REPOSITORY: _repository,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:secretsmanager/secret:Secret": _secret,
}
"""By Pulumi type."""
