"""A changed `Body` of a REST API is put over the old one: the API keeps its id, and loses its gateway responses.

MiniStack makes a new API for it, so that every endpoint changes, and what refers to the API is made again as well.
AWS: AWS::ApiGateway::RestApi, `Body` "Update requires: No interruption"; it is put with PutRestApi, whose mode is
`overwrite` unless the template says `merge` (API Gateway API reference, PutRestApi). What the new body does not hold is
gone, gateway responses too, which a template declares beside it (amplify-category-api 30, aws-cdk 28652).
"""

from __future__ import annotations

import json
from typing import Any

from ministack.services import apigateway_v1
from ministack.services.cloudformation import provisioners

from ._expect import PatchError, expect

_TYPE = "AWS::ApiGateway::RestApi"
_GONE = ("_models", "_authorizers_v1", "_gateway_responses", "_request_validators")
"""What an overwritten API holds no more. Its stages, deployments and what these have frozen stay."""


def apply() -> None:
    """Put the body into the API that is there, then update the rest."""
    handlers = provisioners._RESOURCE_HANDLERS.get(_TYPE) or {}
    update = expect(provisioners, "_apigw_rest_api_update", "physical_id", "old_props", "new_props", "stack_name")
    expect(apigateway_v1, "_import_security_schemes", "api_id", "spec")
    expect(apigateway_v1, "_import_path_item", "api_id", "path", "path_item")
    if handlers.get("update") is not update or any(not hasattr(apigateway_v1, name) for name in _GONE):
        raise PatchError(f"{provisioners.__name__} updates {_TYPE} otherwise now")

    def update_rest_api(physical_id: str, old_props: Any, new_props: Any, *rest: Any, **more: Any) -> Any:
        body = new_props.get("Body")
        if body != old_props.get("Body") and isinstance(body, dict):
            _put(physical_id, body, overwrite=str(new_props.get("Mode", "overwrite")).lower() != "merge")
            old_props = {**old_props, "Body": body}
        return update(physical_id, old_props, new_props, *rest, **more)

    handlers["update"] = update_rest_api


def _put(api_id: str, body: dict[str, Any], *, overwrite: bool) -> None:
    if overwrite:
        resources = apigateway_v1._resources.get(api_id, {})
        apigateway_v1._resources[api_id] = {
            name: {**resource, "resourceMethods": {}} for name, resource in resources.items() if resource["path"] == "/"
        }
        for name in _GONE:
            getattr(apigateway_v1, name)[api_id] = {}
    schemes = apigateway_v1._import_security_schemes(api_id, body)
    for path, item in (body.get("paths") or {}).items():
        apigateway_v1._import_path_item(api_id, path, item, schemes, body.get("security"))


def probe(aws: Any) -> bool:
    """After another body the API is the same one, and its gateway response the one of API Gateway again."""
    name = aws.name("rest-api-body")

    def resources(path: str) -> dict[str, Any]:
        method = {"x-amazon-apigateway-integration": {"type": "mock"}}
        body = {"swagger": "2.0", "info": {"title": name}, "paths": {path: {"get": method}}}
        denied = {"RestApiId": {"Ref": "Api"}, "ResponseType": "DEFAULT_4XX", "StatusCode": "404"}
        return {
            "Api": {"Type": _TYPE, "Properties": {"Name": name, "Body": body}},
            "Denied": {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": denied},
        }

    def answer() -> tuple[str, bool]:
        (api,) = [found for found in json.loads(aws.get("apigateway", "/restapis"))["item"] if found["name"] == name]
        response = json.loads(aws.get("apigateway", f"/restapis/{api['id']}/gatewayresponses/DEFAULT_4XX"))
        return api["id"], bool(response["defaultResponse"])

    aws.stack(resources("/one"), name)
    api, default = answer()
    aws.update_stack(name, resources("/two"))
    return not default and answer() == (api, True)
