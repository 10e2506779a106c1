"""The front inside the local AWS: CodePipeline, CodeBuild and CodeStar Notifications answer at its endpoint, enforced.

It does four things, all with MiniStack's own functions:

- requests for the services are authenticated (signature, session token, key) and handed on to the pipeline
  service over the loopback interface, with the caller, account and region they were found to have;
- `authorize` answers whether a principal may do an action on a resource: the decision is that of the evaluator that
  guards every other service, with permissions boundaries, session policies, key policies and conditions;
- `assume` gives a role to an AWS service: its trust policy is evaluated for the service principal with
  `aws:SourceArn` and `aws:SourceAccount`, as no request from outside could;
- `publish` lets an AWS service publish to a topic whose policy lets it.

The last three answer only to who knows the token the launcher was given: builds run on this machine as well.
"""

from __future__ import annotations

import asyncio
import hmac
import importlib
import json
import time
import uuid
from typing import Any

PATH = "/_pipelines/"
_TIMEOUT = 60.0
_NOTIFICATIONS = "codestar-notifications"
_ALONE = (
    "no pipeline service has joined this local AWS, or it has ended with the command that started it: CodePipeline, "
    "CodeBuild and notifications answer only as long as that runs. Start it again, and leave it running"
)


class Front:
    """Routing, and the questions of the pipeline service; one for the process."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._port: int | None = None

    def install(self) -> None:
        """Take over the services in MiniStack's routing, and their types in its CloudFormation, once it is patched."""
        from ministack import app  # noqa: PLC0415 - reads the environment while it is imported
        from ministack.core import iam_actions, router  # noqa: PLC0415

        router.SERVICE_PATTERNS["codepipeline"] = {
            "target_prefixes": ["CodePipeline_20150709"],
            "host_patterns": [r"codepipeline\."],
            "credential_scope": "codepipeline",
        }
        router.SERVICE_PATTERNS[_NOTIFICATIONS] = {
            "host_patterns": [r"codestar-notifications\."],
            "credential_scope": _NOTIFICATIONS,
        }
        # Only our own checks decide: MiniStack's would know neither the resource nor the condition keys.
        iam_actions.SERVICE_TO_IAM_NAMESPACE.pop("codebuild", None)
        for service in ("codepipeline", "codebuild"):
            app.SERVICE_HANDLERS[service] = self._handle_json
        app.SERVICE_HANDLERS[_NOTIFICATIONS] = self._handle_rest
        original = app._handle_pre_body_request

        async def pre_body(method: str, path: str, *rest: Any) -> Any:
            # The internal questions need no AWS signature, so they are answered before it is looked for.
            if path.startswith(PATH):
                return None
            return await original(method, path, *rest)

        app._handle_pre_body_request = pre_body
        shortcuts = app._handle_post_body_shortcuts

        async def post_body(method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> Any:
            if path.startswith(PATH):
                return self._answer(path.removeprefix(PATH), headers, body)
            return await shortcuts(method, path, headers, body, *rest)

        app._handle_post_body_shortcuts = post_body
        # Beside this file.
        importlib.import_module("resources").install(lambda: self._port, self._token)

    async def _handle_json(self, _method: str, _path: str, headers: dict[str, str], *rest: Any) -> Any:
        """A request whose header names the operation."""
        return await self._handle({"target": headers.get("x-amz-target", "")}, headers, *rest)

    async def _handle_rest(
        self, _method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Any:
        """A request whose path names the operation."""
        query = {name: value if isinstance(value, list) else [value] for name, value in query_params.items()}
        named = {"service": _NOTIFICATIONS, "path": path, "query": query}
        return await self._handle(named, headers, body, query_params)

    async def _handle(
        self, named: dict[str, Any], headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> tuple[int, dict[str, str], bytes]:
        """Hand an authenticated request on."""
        from ministack.core.iam_evaluator import caller_arn  # noqa: PLC0415
        from ministack.core.responses import get_account_id, get_region  # noqa: PLC0415
        from ministack.core.router import extract_access_key_id  # noqa: PLC0415

        caller = {
            "access_key_id": extract_access_key_id(headers, query_params),
            "arn": caller_arn(),
            "account": get_account_id(),
            "region": get_region(),
        }
        return await self.hand_on({**named, "caller": caller, "body": body.decode()})

    async def hand_on(self, document: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        """What the service answers to a request."""
        try:
            status, answer = await asyncio.wait_for(_post(self._port, self._token, document), _TIMEOUT)
        except ConnectionRefusedError:
            return _json(503, {"__type": "ServiceUnavailableException", "message": _ALONE})
        except (OSError, ValueError, TimeoutError) as error:
            return _json(500, {"__type": "InternalFailure", "message": f"the pipeline service: {error}"})
        return status, {"Content-Type": "application/x-amz-json-1.1"}, answer

    def _answer(self, question: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        if not hmac.compare_digest(headers.get("x-pipelines-token", "").encode(), self._token.encode()):
            return _json(403, {"message": "wrong token"})
        asked = json.loads(body or b"{}")
        if question == "join":
            self._port = asked["port"]
            return _json(200, {})
        if question == "authorize":
            return _json(200, authorize(asked))
        if question == "assume":
            return _json(200, assume(asked))
        if question == "key":
            return _json(200, key(asked))
        if question == "publish":
            return _json(200, publish(asked))
        return _json(404, {"message": "no such question"})


def authorize(asked: dict[str, Any]) -> dict[str, Any]:
    """May the principal of `access_key_id` do `action` on `resource`, with these condition keys?"""
    from ministack.core import iam_evaluator  # noqa: PLC0415
    from ministack.core.iam_actions import identity_denial_message  # noqa: PLC0415
    from ministack.core.responses import request_scope  # noqa: PLC0415

    service = asked["action"].partition(":")[0]
    # This very request carries no signature; the one it asks about did, and was verified.
    iam_evaluator._anonymous.set(False)
    with request_scope(asked["account"], asked["region"]):
        denied = iam_evaluator.enforce(
            asked["access_key_id"],
            asked["action"],
            service,
            asked["region"],
            resource_arn=asked["resource"],
            service_context=asked["context"],
        )
    if denied is None:
        return {"allowed": True}
    if isinstance(denied, iam_evaluator.AuthError):
        return {"allowed": False, "code": denied.code, "message": denied.message}
    if denied.resource_policy_arn:
        message = (
            f"User: {denied.principal_arn} is not authorized to perform: {asked['action']} on resource: "
            f"{asked['resource']} with an explicit deny in a resource-based policy"
        )
    else:
        message = identity_denial_message(
            asked["action"], denied.principal_arn, asked["resource"], denied.decision == "Deny"
        )
    return {"allowed": False, "code": "AccessDeniedException", "message": message}


def assume(asked: dict[str, Any]) -> dict[str, Any]:
    """Credentials of `role` for the AWS service `service`, if the role's trust policy lets it in."""
    from ministack.core.iam_evaluator import EvalContext, evaluate_trust_policy  # noqa: PLC0415
    from ministack.services import iam, sts  # noqa: PLC0415

    arn, service = asked["role"], asked["service"]
    account, name = arn.split(":")[4], arn.rsplit("/", 1)[-1]
    role = iam._roles.get_scoped(account, None, name)
    if role is None or role["Arn"] != arn:
        return {"assumed": False, "reason": "missing"}
    trust = role.get("AssumeRolePolicyDocument") or "{}"
    context = EvalContext(
        principal_arn=service,
        principal_type="AWSService",
        principal_account=asked["source_account"],
        action="sts:AssumeRole",
        resource_arn=arn,
        region=asked["region"],
        service_context={
            "aws:sourcearn": asked["source_arn"],
            "aws:sourceaccount": asked["source_account"],
            "aws:principalisawsservice": "true",
        },
    )
    if not evaluate_trust_policy(for_service(trust, service), service, context):
        return {"assumed": False, "reason": "trust"}
    if asked.get("dry_run"):
        return {"assumed": True}
    access_key, secret, token = iam._gen_session_access_key(), iam._gen_secret(), iam._gen_session_token()
    seconds = asked.get("seconds", 3600)
    sts.register_session(
        access_key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{asked['session_name']}",
            "UserId": f"{role['RoleId']}:{asked['session_name']}",
            "SecretAccessKey": secret,
            "SessionToken": token,
            "Expiration": time.time() + seconds,
            "AccountId": account,
            "PrincipalType": "AssumedRole",
            "SourceAccessKeyId": "",
            "SourcePrincipalArn": service,
            "SessionTags": [],
            "SessionPolicies": None,
        },
    )
    return {
        "assumed": True,
        "account": account,
        "access_key_id": access_key,
        "secret_access_key": secret,
        "session_token": token,
    }


def for_service(trust: str | dict[str, Any], service: str) -> dict[str, Any]:
    """A trust policy with only the statements that name an AWS service, their principal made to match anybody.

    MiniStack's own matching lets every `Service` principal through to an account's root, and no other way.
    """
    document = json.loads(trust) if isinstance(trust, str) else trust
    statements = document.get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    named = []
    for statement in statements:
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        services = [services] if isinstance(services, str) else services
        # A Deny of everybody also denies a service; an Allow of everybody does not let it in.
        if service in services or (principal in ("*", {"AWS": "*"}) and statement.get("Effect") == "Deny"):
            named.append({**statement, "Principal": "*"})
    return {"Statement": named}


def key(asked: dict[str, Any]) -> dict[str, Any]:
    """The KMS key behind an ARN, an id or an alias, as `account` in `region` names it."""
    # Of the local AWS's server, in whose process this runs.
    key_aliases = importlib.import_module("patches.key_aliases")
    from ministack.core.responses import request_scope  # noqa: PLC0415
    from ministack.services import kms  # noqa: PLC0415

    named = asked["key"]
    account, region = asked["account"], asked["region"]
    if named.startswith("arn:"):
        region, account = named.split(":")[3:5]
    with request_scope(account, region):
        found = kms._resolve_key(named)
        if found is None:
            return {"found": False}
    # Those that count already.
    aliases = key_aliases.aliases_of(found["Arn"]) or []
    return {"found": True, "arn": found["Arn"], "state": found.get("KeyState", "Enabled"), "aliases": aliases}


def publish(asked: dict[str, Any]) -> dict[str, Any]:
    """Publish to a topic as an AWS service, if the topic's policy lets it; MiniStack's default policy names nobody.

    With no `aws:SourceArn` and no `aws:SourceAccount`: "Configure Amazon SNS topics for notifications" (Developer Tools
    console user guide) gives a policy without conditions, and nothing says that the service sends either.
    """
    from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy  # noqa: PLC0415
    from ministack.core.responses import request_scope  # noqa: PLC0415
    from ministack.services import sns  # noqa: PLC0415

    topic, service = asked["topic"], asked["service"]
    region, account = topic.split(":")[3:5]
    context = EvalContext(
        principal_arn=service,
        principal_type="AWSService",
        principal_account=asked["source_account"],
        action="sns:Publish",
        resource_arn=topic,
        region=region,
        service_context={"aws:principalisawsservice": "true"},
    )
    with request_scope(account, region):
        found = sns.topic_policy_for_arn(topic)
        if found is None:
            return {"published": False, "reason": "missing"}
        policy = for_service(found[0] or "{}", service)
        if evaluate_resource_policy(policy, context).decision != "Allow":
            return {"published": False, "reason": "policy"}
        return {"published": sns.publish_internal(topic, asked["message"]) is not None}


async def _post(port: int | None, token: str, document: dict[str, Any]) -> tuple[int, bytes]:
    if port is None:
        raise ConnectionRefusedError
    body = json.dumps(document).encode()
    head = (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Pipelines-Token: {token}\r\nX-Request-Id: {uuid.uuid4()}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(head.encode() + body)
        await writer.drain()
        answer = await reader.read()
    finally:
        writer.close()
    headers, _, content = answer.partition(b"\r\n\r\n")
    return int(headers.split(b" ", 2)[1]), content


def _json(status: int, document: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(document).encode()
