"""A role, table or function whose name is taken can't be created by a stack, nor a pool's group or an API's source.

MiniStack takes the existing one over and deletes it with the stack.
AWS: CloudFormation User Guide, "Name type": a resource with a custom name that exists fails with "already exists".
"""

from __future__ import annotations

from typing import Any

from ministack.services import appsync, cognito, dynamodb, iam, lambda_svc

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
    before_create_or_update({"AWS::Cognito::UserPoolGroup"}, _group)
    before_create_or_update({"AWS::AppSync::DataSource"}, _source)


def _group(new: Properties, old: Properties | None) -> Properties:
    place = [new.get("UserPoolId"), new.get("GroupName")]
    there = (cognito._user_pools.get(place[0]) or {}).get("_groups") or {}
    if place[1] in there and (old is None or place != [old.get("UserPoolId"), old.get("GroupName")]):
        raise ValueError("A group with the name already exists.")
    return new


def _source(new: Properties, old: Properties | None) -> Properties:
    place = [new.get("ApiId"), new.get("Name")]
    if place[1] in (appsync._data_sources.get(place[0]) or {}) and (
        old is None or place != [old.get("ApiId"), old.get("Name")]
    ):
        raise ValueError(f"Data source with name {place[1]} already exists")
    return new


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
