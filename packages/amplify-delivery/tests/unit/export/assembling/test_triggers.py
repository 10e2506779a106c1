"""A custom resource that sets a pool's triggers runs again whenever the pool is updated, and only then."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.export import Assembly, EnvironmentValues, assemble, compare, read_export, render_root
from amplify_delivery.export.assembling.triggers import USER_POOL_STATE, follow_pool
from unit.export.mutations import MANIFEST, apply, set_value

Copy = Callable[[str], Path]
STACK = "AuthTriggerCustomLambdaStack"
AUTH = "authtrigappauth"
FILE = "auth/trigappauth/trigappauth-cloudformation-template.json"
SETTER = {
    "Type": "Custom::CustomAuthTriggerResourceOutputs",
    "Properties": {
        "ServiceToken": "arn",
        "userpoolId": {"Ref": "userpoolId"},
        "lambdaConfig": [{"triggerType": "PreSignUp", "lambdaFunctionArn": "arn"}],
        "nonce": "bd98400d-2d3c-435d-9a07-d071be38ca5f",
    },
}
TEMPLATE = {
    "Parameters": {"env": {"Type": "String"}, "userpoolId": {"Type": "String"}},
    "Resources": {"Setter": SETTER},
}


@pytest.fixture
def folder(export_copy: Copy) -> Path:
    """The export with the triggers' template put back, as AD206 says."""
    folder = export_copy("triggers")
    parameters = {"userpoolId": {"Fn::GetAtt": [AUTH, "Outputs.UserPoolId"]}}
    stack = {"Type": "AWS::CloudFormation::Stack", "Properties": {"Parameters": parameters}}
    template = "auth/auth-trigger-cloudformation-template.json"
    apply(
        folder,
        [["set", "root-stack-template.json", f"/Resources/{STACK}", stack], ["write", template, json.dumps(TEMPLATE)]],
    )
    return folder


def nonce(assembly: Assembly, environment: str = "dev", **values: Any) -> str:
    root = render_root(assembly, EnvironmentValues(environment, 1, **values), "bucket")
    state: str = root.template["Resources"][STACK]["Properties"]["Parameters"][USER_POOL_STATE]
    return state


def changed(folder: Path, file: str, pointer: str, value: Any) -> Assembly:
    set_value(folder, file, pointer, value)
    return assemble(read_export(folder))


def test_the_nonce_is_the_pools_state(folder: Path) -> None:
    assembly = assemble(read_export(folder))
    body = json.loads(assembly.read(assembly.root.nested[STACK].template))
    assert body["Resources"]["Setter"]["Properties"]["nonce"] == {"Ref": USER_POOL_STATE}
    assert nonce(assembly) == nonce(assemble(read_export(folder)))


@pytest.mark.parametrize("kind", ["Custom::AnyName", "AWS::CloudFormation::CustomResource", "AWS::SNS::Topic"])
def test_it_is_known_by_what_it_is_asked_with(kind: str) -> None:
    resources: dict[str, Any] = {"Setter": {**SETTER, "Type": kind}}
    assert follow_pool(resources) == ([] if kind == "AWS::SNS::Topic" else ["Setter"])


def test_a_new_build_of_the_same_pool_changes_nothing(folder: Path) -> None:
    before = assemble(read_export(folder))
    template = json.loads(json.dumps(TEMPLATE).replace("bd98400d", "00000000"))
    apply(folder, [["write", "auth/auth-trigger-cloudformation-template.json", json.dumps(template)]])
    assert compare(before, assemble(read_export(folder))).resources == ()


@pytest.mark.parametrize(
    ("file", "pointer", "value"),
    [
        (FILE, "/Resources/UserPool/Properties/EmailVerificationMessage", "Your code: {####}"),
        (MANIFEST, f"/props/loadNestedStacks/{AUTH}/parameters/passwordPolicyMinLength", 12),
        ("export-tags.json", "/0/value", "another"),
    ],
)
def test_an_update_of_the_pool_sets_the_triggers_again(folder: Path, file: str, pointer: str, value: Any) -> None:
    before = assemble(read_export(folder))
    assert nonce(changed(folder, file, pointer, value)) != nonce(before)


def test_it_is_told_as_a_change(folder: Path) -> None:
    before = assemble(read_export(folder))
    pool = "/Resources/UserPool/Properties/EmailVerificationMessage"
    touched = compare(before, changed(folder, FILE, pool, "Your code: {####}")).resources
    assert {t.path: t.properties for t in touched} == {
        (AUTH, "UserPool"): ("EmailVerificationMessage",),
        (STACK, "Setter"): ("nonce",),
    }


def test_what_the_pool_refers_to_belongs_to_it(folder: Path) -> None:
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "one", "AssumeRolePolicyDocument": {}}}
    sms = {"SnsCallerArn": {"Fn::GetAtt": ["SmsRole", "Arn"]}}
    apply(
        folder,
        [
            ["set", FILE, "/Resources/SmsRole", role],
            ["set", FILE, "/Resources/UserPool/Properties/SmsConfiguration", sms],
        ],
    )
    before = assemble(read_export(folder))
    assert nonce(changed(folder, FILE, "/Resources/SmsRole/Properties/RoleName", "two")) != nonce(before)


def test_whatever_else_changes_leaves_them_alone(folder: Path) -> None:
    before = assemble(read_export(folder))
    client = "/Resources/UserPoolClient/Properties/ClientName"
    assert nonce(changed(folder, FILE, client, "another")) == nonce(before)


def test_values_of_the_environment_count(folder: Path) -> None:
    assembly = assemble(read_export(folder))
    values = {AUTH: {"passwordPolicyMinLength": "12"}}
    assert len({nonce(assembly), nonce(assembly, "prod"), nonce(assembly, parameters=values)}) == 3


@pytest.mark.parametrize(
    "value", [5, True, [], ["a"], {"Fn::GetAtt": []}, {"Fn::GetAtt": {}}, {"Fn::GetAtt": [[]]}, None]
)
def test_a_malformed_parameter_names_no_pool(value: Any, folder: Path) -> None:
    given = f"/Resources/{STACK}/Properties/Parameters/userpoolId"
    assembly = changed(folder, "root-stack-template.json", given, value)
    assert USER_POOL_STATE not in assembly.root.nested[STACK].parameters
