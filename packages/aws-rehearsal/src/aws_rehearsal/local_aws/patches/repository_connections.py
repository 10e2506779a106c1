"""CodeConnections keeps connections: made, told, listed and deleted, by account and region.

MiniStack has no CodeConnections. A connection waits to be finished by somebody who signs in to the provider in AWS's
console; there is no console here, so one that is made stays PENDING, as on AWS until then.
AWS: CodeConnections API reference, "CreateConnection", "GetConnection", "ListConnections", "DeleteConnection", and the
same of its older name, CodeStar connections, which has connections of its own. "Actions, resources, and condition keys
for AWS CodeConnections", service authorization reference: `GetConnection` and `DeleteConnection` are authorised for the
connection's ARN, `CreateConnection` and `ListConnections` for `*`.
"""

from __future__ import annotations

from typing import Any

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response, new_uuid

from ._expect import PatchError, expect, json_body, replace
from ._played import kept

_TARGETS = {
    "codeconnections": "com.amazonaws.codeconnections.CodeConnections_20231201",
    "codestar-connections": "com.amazonaws.codestar.connections.CodeStar_connections_20191201",
}


def apply() -> None:
    """Have the router know both names, and requests be authorised by the connection that they name."""
    extract = expect(
        iam_actions, "extract_resource_arn", "service", "method", "path", "headers", "body", "query_params"
    )
    made = kept()
    for service, target in _TARGETS.items():
        if service in app.SERVICE_HANDLERS or service in router.SERVICE_PATTERNS:
            raise PatchError(f"MiniStack has {service} now")
        router.SERVICE_PATTERNS[service] = {
            "target_prefixes": [target],
            "host_patterns": [rf"{service}\."],
            "credential_scope": service,
        }
        iam_actions.SERVICE_TO_IAM_NAMESPACE[service] = service
        app.SERVICE_HANDLERS[service] = _handler(service, made)

    def extract_resource_arn(service: str, *rest: Any, **more: Any) -> Any:
        if service not in _TARGETS:
            return extract(service, *rest, **more)
        return json_body(more["body"] if "body" in more else rest[3]).get("ConnectionArn") or "*"

    replace("extract_resource_arn", extract_resource_arn, iam_actions)


def _handler(service: str, made: Any) -> Any:
    async def handle(_method: str, _path: str, headers: Any, body: bytes, _query_params: Any) -> Any:
        operation, given = str(headers.get("x-amz-target", "")).rpartition(".")[2], json_body(body)
        if operation == "CreateConnection":
            return _create(service, made, given)
        if operation == "ListConnections":
            own = [one for arn, one in made.items() if arn.split(":")[2] == service]
            return json_response({"Connections": own})
        arn = str(given.get("ConnectionArn"))
        if operation not in ("GetConnection", "DeleteConnection"):
            return error_response_json("NotImplementedException", f"the local AWS plays no {operation}", 501)
        if arn not in made or arn.split(":")[2] != service:
            return error_response_json("ResourceNotFoundException", f"Connection {arn} not found")
        if operation == "DeleteConnection":
            del made[arn]
            return json_response({})
        return json_response({"Connection": made[arn]})

    return handle


def _create(service: str, made: Any, given: dict[str, Any]) -> Any:
    account = get_account_id()
    arn = f"arn:aws:{service}:{get_region()}:{account}:connection/{new_uuid()}"
    made[arn] = {
        "ConnectionName": given.get("ConnectionName"),
        "ConnectionArn": arn,
        "ProviderType": given.get("ProviderType", "GitHub"),
        "OwnerAccountId": account,
        "ConnectionStatus": "PENDING",
    }
    return json_response({"ConnectionArn": arn})


def probe(aws: Any) -> bool:
    """A connection is PENDING when it was made, and gone when it was deleted; rights on one are none on another."""
    service, target = "codeconnections", _TARGETS["codeconnections"]

    def make(name: str) -> str:
        made = aws.json(aws.owner, service, f"{target}.CreateConnection", ConnectionName=name, ProviderType="GitHub")
        return str(made["ConnectionArn"])

    mine, other = make("mine"), make("other")
    role = aws.role(aws.owner, "connection-reader")
    may = ["codeconnections:GetConnection", "codeconnections:DeleteConnection"]
    aws.put_policy(aws.owner, "connection-reader", {"Effect": "Allow", "Action": may, "Resource": mine})
    session = aws.assume(role, aws.owner)

    def call(operation: str, arn: str) -> Any:
        return aws.json(session, service, f"{target}.{operation}", ConnectionArn=arn)

    return (
        call("GetConnection", mine)["Connection"]["ConnectionStatus"] == "PENDING"
        and not aws.succeeds(lambda: call("GetConnection", other))
        and aws.succeeds(lambda: call("DeleteConnection", mine))
        and not aws.succeeds(lambda: call("GetConnection", mine))
    )
