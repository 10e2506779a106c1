"""A bucket that a stack makes has the tags of its template, and the three by which it knows its stack.

MiniStack gives it none, whatever the template says.
AWS: "CloudFormation resource tagging" in the template reference: `aws:cloudformation:stack-name`, `...:stack-id` and
`...:logical-id` are set on what can have them, and stay with what is retained. Tags of the stack itself, and tags that
an update changes, are left out here: nobody reads them of a bucket.
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudformation, s3
from ministack.services.cloudformation import stacks

from ._expect import expect, replace

_BUCKET = "AWS::S3::Bucket"


def apply() -> None:
    """Tag a bucket once it is made."""
    provision = expect(stacks, "_provision_resource", "resource_type", "logical_id", "props", "stack_name")

    def provision_resource(resource_type: str, logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        made = provision(resource_type, logical_id, props, stack_name)
        if resource_type == _BUCKET:
            stack = cloudformation._stacks.get(stack_name) or {}
            own = {"stack-name": stack_name, "stack-id": stack.get("StackId", ""), "logical-id": logical_id}
            tags = {str(tag["Key"]): str(tag["Value"]) for tag in props.get("Tags") or ()}
            s3._bucket_tags[made[0]] = {**tags, **{f"aws:cloudformation:{key}": own[key] for key in own}}
        return made

    replace("_provision_resource", provision_resource, stacks)


def probe(aws: Any) -> bool:
    """A bucket has its template's tag, and names its stack."""
    name = aws.name("tagged")
    bucket = {"Type": _BUCKET, "Properties": {"BucketName": name, "Tags": [{"Key": "app", "Value": "mine"}]}}
    aws.stack({"Bucket": bucket}, name)
    told = aws.s3(aws.owner, "GET", f"/{name}?tagging=")
    return "<Key>app</Key><Value>mine</Value>" in told and f":stack/{name}/" in told
