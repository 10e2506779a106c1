"""A role, table or function whose name is taken can't be created by a stack.

MiniStack takes the existing one over and deletes it with the stack.
AWS: CloudFormation User Guide, "Name type": a resource with a custom name that exists fails with "already exists".
"""

from __future__ import annotations

from typing import Any

from ministack.services import dynamodb, iam, lambda_svc

from ._resources import Properties, before_create_or_update

_STORES = {
    "AWS::IAM::Role": ("RoleName", iam._roles),
    "AWS::DynamoDB::Table": ("TableName", dynamodb._tables),
    "AWS::Lambda::Function": ("FunctionName", lambda_svc._functions),
}


def apply() -> None:
    """Look for the name first."""
    for resource_type, (name_property, store) in _STORES.items():
        before_create_or_update({resource_type}, _refusal(resource_type, name_property, store))


def _refusal(resource_type: str, name_property: str, store: Any) -> Any:
    def refuse_taken(new: Properties, old: Properties | None) -> Properties:
        name = new.get(name_property)
        if name and (old is None or old.get(name_property) != name) and store.get(name) is not None:
            raise ValueError(f"Resource of type '{resource_type}' with identifier '{name}' already exists.")
        return new

    return refuse_taken


def probe(aws: Any) -> bool:
    """A stack with a role whose name is taken fails."""
    aws.role(aws.owner, "probe-taken")
    properties = {"RoleName": "probe-taken", "AssumeRolePolicyDocument": aws.trust("lambda.amazonaws.com")}
    return aws.stack({"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}) == "ROLLBACK_COMPLETE"
