"""An HTTP or REST API answers at the host of its own that its endpoint names, whoever asks.

MiniStack names a host that nobody can resolve (`ID.execute-api.127.0.0.1`), and looks for the API in the account of the
caller only: who asks unsigned, or from another account, is answered `Not Found`.
AWS: "HTTP APIs: Invoke ... https://API-ID.execute-api.REGION.amazonaws.com"; a route without an authorizer "is open:
any caller" (API Gateway Developer Guide, "Control and manage access to HTTP APIs", and "methods with authorization
type NONE" for REST APIs). Here the host ends with `.localhost`, which clients resolve to the loopback interface without
asking anybody (RFC 6761, section 6.3; curl does), and the port is in the endpoint.

What only signed callers may do stays as it was: their own account's APIs.
"""

from __future__ import annotations

import re
from typing import Any

from ministack import app
from ministack.core.responses import get_account_id, request_scope
from ministack.services import apigateway, apigateway_v1
from ministack.services.cloudformation import provisioners

from ._expect import PatchError, expect, replace

HOST = "localhost"
_SIGNED = "AWS_IAM"


def apply() -> None:
    """Give endpoints that host, know it again, and find an open API in whatever account it lies."""
    handle = expect(app, "_handle_execute_api_request", "host", "path", "method", "headers", "body", "query_params")
    parse = expect(app, "_parse_execute_api_url", "host", "path")
    expect(app, "_resolve_stage_and_path", "api_id", "tentative_stage", "execute_path")
    expect(app, "_execute_api_authorization_type", "api_id", "stage", "method", "execute_path")
    for module, name in ((apigateway, "_HOST"), (provisioners, "_MINISTACK_HOST"), (app, "_EXECUTE_API_RE")):
        if not hasattr(module, name):
            raise PatchError(f"{module.__name__} has no {name} any more")
    apigateway._HOST = provisioners._MINISTACK_HOST = HOST
    hosts = "|".join(map(re.escape, (HOST, app._MINISTACK_HOST)))
    pattern = app._EXECUTE_API_RE.pattern
    app._EXECUTE_API_RE = re.compile(pattern.replace(re.escape(app._MINISTACK_HOST), f"(?:{hosts})"))

    async def handle_request(host: str, path: str, method: str, *rest: Any, **more: Any) -> Any:
        parsed = parse(host, path)
        owner = _owner(parsed[0]) if parsed else None
        if parsed is None or owner is None or owner[0] == get_account_id():
            return await handle(host, path, method, *rest, **more)
        with request_scope(*owner):
            api, *place = parsed
            stage, inner = app._resolve_stage_and_path(api, *place)
            if app._execute_api_authorization_type(api, stage, method, inner) != _SIGNED:
                return await handle(host, path, method, *rest, **more)
        return await handle(host, path, method, *rest, **more)

    replace("_handle_execute_api_request", handle_request, app)


def _owner(api_id: str) -> tuple[str, str] | None:
    """Account and region of an API."""
    for store in (apigateway._apis, apigateway_v1._rest_apis):
        for (account, region, found), _ in store.all_items():
            if found == api_id:
                return account, region
    return None


def probe(aws: Any) -> bool:
    """An unsigned request to an API's endpoint reaches its function; the endpoint's host can be resolved."""
    name = aws.name("api-hosts")
    api = {"Ref": "Api"}
    function = {
        "Code": {"ZipFile": "def handler(event, context): return 'hello'"},
        "Handler": "index.handler",
        "Role": aws.role(aws.owner, name, trusted="lambda.amazonaws.com"),
        "Runtime": "python3.13",
    }
    behind = {
        "ApiId": api,
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": {"Fn::GetAtt": ["Function", "Arn"]},
        "PayloadFormatVersion": "2.0",
    }
    target = {"Fn::Join": ["/", ["integrations", {"Ref": "Behind"}]]}
    allowed = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": "Function"},
        "Principal": "apigateway.amazonaws.com",
    }
    resources = {
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Allowed": {"Type": "AWS::Lambda::Permission", "Properties": allowed},
        **_api("Api", {"Name": name, "ProtocolType": "HTTP"}),
        **_api("Integration", behind, "Behind"),
        **_api("Route", {"ApiId": api, "RouteKey": "GET /", "Target": target}),
        **_api("Stage", {"ApiId": api, "StageName": "$default", "AutoDeploy": True}),
    }
    aws.stack(resources, name, Outputs={"Endpoint": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}}})
    answer = aws.query("cloudformation", Action="DescribeStacks", StackName=name)
    found = re.search(r"<OutputValue>http://([^<:]*):(\d+)</OutputValue>", answer)
    if found is None or not found[1].endswith(".localhost"):
        return False
    return "hello" in aws.unsigned(f"{found[1]}:{found[2]}", "/")


def _api(kind: str, properties: dict[str, Any], logical_id: str = "") -> dict[str, Any]:
    return {logical_id or kind: {"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": properties}}
