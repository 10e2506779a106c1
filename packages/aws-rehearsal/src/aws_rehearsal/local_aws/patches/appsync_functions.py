"""A function of a GraphQL API that a stack makes is one of the API's: listed, changed, deleted, and executed.

MiniStack gives such a resource its attributes and keeps nothing of it, so that a pipeline resolver has no functions.
AWS: CloudFormation template reference, AWS::AppSync::FunctionConfiguration: "defines a function in AWS AppSync".
"""

from __future__ import annotations

import json
from typing import Any

from ministack.services import appsync
from ministack.services.cloudformation import provisioners

from ._expect import PatchError, expect

_TYPE = "AWS::AppSync::FunctionConfiguration"
_MEMBERS = (
    "Name",
    "Description",
    "DataSourceName",
    "RequestMappingTemplate",
    "ResponseMappingTemplate",
    "FunctionVersion",
    "SyncConfig",
    "MaxBatchSize",
    "Runtime",
    "Code",
)


def apply() -> None:
    """Keep what the resource says, under the id that it was given."""
    expect(appsync, "_function_record", "api_id", "function_id", "body")
    handlers = provisioners._RESOURCE_HANDLERS.get(_TYPE)
    if not isinstance(handlers, dict) or not {"create", "update", "delete"} <= set(handlers):
        raise PatchError(f"{_TYPE} has no create, update and delete handler any more")
    created, updated, deleted = (handlers[name] for name in ("create", "update", "delete"))

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        arn, attributes = created(logical_id, props, stack_name)
        _keep(arn, props)
        return arn, attributes

    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any, **more: Any) -> Any:
        arn, attributes = updated(physical_id, old, new, *rest, **more)
        _keep(arn, new)
        return arn, attributes

    def delete(physical_id: str, props: dict[str, Any]) -> Any:
        api_id, function_id = _ids(physical_id)
        (appsync._functions.get(api_id) or {}).pop(function_id, None)
        return deleted(physical_id, props)

    handlers |= {"create": create, "update": update, "delete": delete}


def _keep(arn: str, props: dict[str, Any]) -> None:
    api_id, function_id = _ids(arn)
    if api_id not in appsync._apis:
        raise ValueError(f"GraphQL API {api_id} not found. (Service: AWSAppSync; Status Code: 404)")
    body = {
        name[:1].lower() + name[1:]: provisioners._pascal_to_camel(props[name])
        for name in _MEMBERS
        if props.get(name) not in (None, "")
    }
    appsync._functions.setdefault(api_id, {})[function_id] = appsync._function_record(api_id, function_id, body)


def _ids(arn: str) -> tuple[str, str]:
    """Ids of API and function in `arn:...:apis/API/functions/FUNCTION`."""
    *_, api_id, _, function_id = arn.split("/")
    return api_id, function_id


def probe(aws: Any) -> bool:
    """A stack's function is the API's, and gone with the stack."""
    name = aws.name("functions")
    api = {"Fn::GetAtt": ["Api", "ApiId"]}
    function = {"ApiId": api, "Name": "probe", "DataSourceName": "None", "FunctionVersion": "2018-05-29"}
    resources = {
        "Api": {"Type": "AWS::AppSync::GraphQLApi", "Properties": {"Name": name, "AuthenticationType": "API_KEY"}},
        "None": {"Type": "AWS::AppSync::DataSource", "Properties": {"ApiId": api, "Name": "None", "Type": "NONE"}},
    }
    made = {**resources, "Function": {"Type": _TYPE, "DependsOn": "None", "Properties": function}}
    if aws.stack(made, name, Outputs={"Id": {"Value": api}}) != "CREATE_COMPLETE":
        return False
    described = aws.query("cloudformation", Action="DescribeStacks", StackName=name)
    api_id = described.partition("<OutputValue>")[2].partition("<")[0]

    def names() -> list[str]:
        listed = json.loads(aws.get("appsync", f"/v1/apis/{api_id}/functions"))
        return [one["name"] for one in listed["functions"]]

    there = names()
    aws.update_stack(name, resources, Outputs={"Id": {"Value": api}})
    return there == ["probe"] and names() == []
