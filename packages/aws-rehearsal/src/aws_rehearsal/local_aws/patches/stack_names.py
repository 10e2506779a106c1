"""A call that names a stack by its name is authorised for the stack of that name, by its whole ARN.

MiniStack evaluates `stack/NAME/*`, so that a right on a stack by its id allows nothing to who calls it by its name.
AWS: the ARN of a stack ends with its id ("Actions, resources, and condition keys for AWS CloudFormation", service
authorization reference), and refusals name it so. Amplify's container API has a function with a right on
`AWS::StackId` that describes its stack by name.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions
from ministack.services import cloudformation

from ._expect import expect, replace


def apply() -> None:
    """Complete the ARN of a stack that is there."""
    extract = expect(
        iam_actions, "extract_resource_arn", "service", "method", "path", "headers", "body", "query_params"
    )

    def extract_resource_arn(service: str, *rest: Any, **more: Any) -> Any:
        found = extract(service, *rest, **more)
        if service != "cloudformation" or not isinstance(found, str) or ":stack/" not in found:
            return found
        name = found.partition(":stack/")[2].removesuffix("/*")
        stack = None if "/" in name else cloudformation._stacks.get(name)
        return stack["StackId"] if stack else found

    replace("extract_resource_arn", extract_resource_arn, iam_actions)


def probe(aws: Any) -> bool:
    """A role with a right on one stack by its id may describe it by its name, and no other."""
    mine, other = aws.name("mine"), aws.name("other")
    for name in (mine, other):
        aws.stack({"P": aws.parameter("value")}, name)
    described = aws.query("cloudformation", Action="DescribeStacks", StackName=mine)
    stack_id = described.partition("<StackId>")[2].partition("</StackId>")[0]
    role = aws.role(aws.owner, "stack-reader")
    allowed = {"Effect": "Allow", "Action": "cloudformation:DescribeStacks", "Resource": stack_id}
    aws.put_policy(aws.owner, "stack-reader", allowed)
    session = aws.assume(role, aws.owner)

    def describes(name: str) -> bool:
        return bool(aws.succeeds(lambda: aws.query("cloudformation", session, Action="DescribeStacks", StackName=name)))

    return describes(mine) and not describes(other)
