"""Rights that come with what the program makes beside the backend."""

from __future__ import annotations

import json
from typing import Any

from amplify_delivery.delivery.planning import ProgramStep, program_rights
from amplify_delivery.delivery.planning.program_rights import UNKNOWN

URN = "urn:pulumi:prod::app::"


def statement(**more: Any) -> str:
    return json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **more}]})


def step(kind: str, operation: str = "create", name: str = "it", **inputs: Any) -> ProgramStep:
    return ProgramStep(f"{URN}{kind}::{name}", kind, operation, inputs=inputs)


def state(*found: ProgramStep) -> dict[str, Any]:
    return {"resources": [{"urn": s.urn, "type": s.type, "inputs": s.inputs} for s in found]}


def told(before: dict[str, Any], *steps: ProgramStep) -> list[str]:
    return [right.what for right in program_rights(before, steps).rights]


def test_the_classic_providers() -> None:
    role = step("aws:iam/role:Role", name="role", assumeRolePolicy=statement(Principal="*", Action="sts:AssumeRole"))
    policy = step("aws:iam/rolePolicy:RolePolicy", role="named", policy=statement())
    assert told({}, role) == ["anyone may become role (sts:AssumeRole)"]
    assert told({}, policy) == ["named may s3:GetObject on *"]
    assert told(state(policy), step("aws:iam/rolePolicy:RolePolicy", "same", role="named", policy=statement())) == []
    wider = step("aws:iam/rolePolicy:RolePolicy", "update", role="named", policy=statement(Action="s3:*"))
    assert told(state(policy), wider) == ["named may s3:* on *"]
    assert told(state(wider), policy) == []
    attached = step("aws:iam/rolePolicyAttachment:RolePolicyAttachment", policyArn="arn:aws:iam::aws:policy/X")
    assert told({}, attached) == ["it may policy arn:aws:iam::aws:policy/X"]
    permission = step("aws:lambda/permission:Permission", action="lambda:InvokeFunction", function="f", principal="*")
    assert told({}, permission) == ["anyone may lambda:InvokeFunction on f"]
    url = step("aws:lambda/functionUrl:FunctionUrl", authorizationType="NONE")
    assert told({}, url) == ["anyone: call the function at its URL (AuthType NONE)"]
    route = step("aws:apigatewayv2/route:Route", routeKey="GET /hello")
    assert told({}, route) == ["anyone: call GET /hello (AuthorizationType NONE)"]


def test_the_native_provider() -> None:
    document = json.loads(statement(Principal={"Service": "a.amazonaws.com"}, Action="sts:AssumeRole"))
    role = step("aws-native:iam:Role", assumeRolePolicyDocument=document)
    assert told({}, role) == ["a.amazonaws.com may become it (sts:AssumeRole)"]
    inline = [{"policyName": "p", "policyDocument": json.loads(statement())}]
    assert told({}, step("aws-native:iam:Role", policies=inline)) == ["it may s3:GetObject on *"]
    listed = step("aws:iam/role:Role", inlinePolicies=[{"name": "p", "policy": statement()}, UNKNOWN])
    assert told({}, listed) == ["it may s3:GetObject on *"]


def test_what_goes_gains_nothing_and_the_backend_is_told_elsewhere() -> None:
    policy = step("aws:iam/rolePolicy:RolePolicy", role="named", policy=statement())
    assert told(state(policy), step("aws:iam/rolePolicy:RolePolicy", "delete")) == []
    replaced = (
        step("aws:iam/rolePolicy:RolePolicy", "create-replacement", role="named", policy=statement()),
        step("aws:iam/rolePolicy:RolePolicy", "delete-replaced"),
    )
    assert told(state(policy), *replaced) == []
    inside = ProgramStep(
        f"{URN}amplify-delivery:index:AmplifyBackend$aws:iam/rolePolicy:RolePolicy::x",
        policy.type, "create", inputs=policy.inputs,
    )  # fmt: skip
    assert told({}, inside) == []


def test_what_only_the_update_knows_is_named() -> None:
    unknown = step("aws:iam/rolePolicy:RolePolicy", role="named", policy=UNKNOWN)
    found = program_rights({}, [unknown])
    assert (found.rights, found.unread) == ((), ("it",))
    assert program_rights(state(unknown), [unknown]).unread == ()
