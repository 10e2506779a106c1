"""The permissions boundary of an environment: on every role of every real export, at any depth, or on none.

Both sides are resolved by the tests' own resolver, from the bodies as they are published.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.export import Assembly, EnvironmentValues, assemble, compare, read_export, render_root
from amplify_delivery.export.documents import parse_json
from amplify_delivery.export.templates.boundary import HAS_BOUNDARY, PERMISSIONS_BOUNDARY, PRINCIPALS
from unit.export.assembling.same_resources import BUCKET, CREDENTIALS, DELIVERABLE, EXPIRES, as_assembled
from unit.export.assembling.test_assemble import HANDLE, add_stack, body, called
from unit.export.conftest import kept_assembly
from unit.export.mutations import MANIFEST, apply, set_value

Copy = Callable[[str], Path]
Assemblies = Callable[[str], Assembly]

ARN = "arn:aws:iam::012345678901:policy/amplify-delivery/app/env/prod/app-prod-boundary"
OWN = "arn:aws:iam::111122223333:policy/organization"
ROOT = "root-stack-template.json"
FUNCTION = "function/helloFn/helloFn-cloudformation-template.json"
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}


def boundaries(assembly: Assembly, boundary: str | None, **values: Any) -> dict[str, Any]:
    """The boundary (None: none) of each role and user, by its path, in an environment with that boundary."""
    environment = EnvironmentValues("prod", EXPIRES, "12345", permissions_boundary=boundary, **values)
    deployed = as_assembled(assembly, render_root(assembly, environment, BUCKET))
    return {
        path: properties.get("PermissionsBoundary")
        for path, (kind, properties) in deployed.resources.items()
        if kind in PRINCIPALS
    }


@pytest.mark.parametrize("name", DELIVERABLE)
def test_every_role_of_a_real_export(name: str, assembly_of: Assemblies) -> None:
    found = boundaries(assembly_of(name), ARN)
    assert {"root/AuthRole", "root/UnauthRole"} < set(found)
    assert set(found.values()) == {ARN}
    assert set(boundaries(assembly_of(name), None).values()) == {None}


@pytest.mark.parametrize(("role", "bound"), [(None, True), ({"Fn::GetAtt": ["LambdaExecutionRole", "Arn"]}, False)])
def test_the_role_that_a_serverless_function_makes(export_copy: Copy, role: Any, bound: bool) -> None:
    folder = export_copy("full")
    properties = {"Handler": "index.handler", "Runtime": "nodejs22.x", **({"Role": role} if role else {})}
    function = {"Type": "AWS::Serverless::Function", "Properties": properties}
    apply(folder, [["set", FUNCTION, "/Resources/More", function]])
    assembly = assemble(read_export(folder))
    environment = EnvironmentValues("prod", EXPIRES, "12345", permissions_boundary=ARN)
    deployed = as_assembled(assembly, render_root(assembly, environment, BUCKET))
    (given,) = [p for path, (_, p) in deployed.resources.items() if path.endswith("/More")]
    assert given.get("PermissionsBoundary") == (ARN if bound else None)


SCHEDULE: dict[str, Any] = {"Type": "ScheduleV2", "Properties": {"ScheduleExpression": "rate(1 day)"}}


@pytest.mark.parametrize(
    ("kind", "given", "itself", "event"),
    [
        ("Function", {"Role": "arn:aws:iam::1:role/own", "Events": {"E": SCHEDULE}}, False, True),
        ("Function", {"Events": {"E": {"Type": "Schedule", "Properties": {"Schedule": "rate(1 day)"}}}}, True, False),
        ("StateMachine", {"Role": "arn:aws:iam::1:role/own", "Events": {"E": SCHEDULE}}, True, True),
        ("StateMachine", {"Role": "arn:aws:iam::1:role/own"}, False, False),
        (
            "Function",
            {
                "Events": {
                    "E": {**SCHEDULE, "Properties": {**SCHEDULE["Properties"], "RoleArn": "arn:aws:iam::1:role/x"}}
                }
            },
            True,
            False,
        ),
    ],
)
def test_the_roles_that_serverless_events_make(
    export_copy: Copy, kind: str, given: dict[str, Any], *, itself: bool, event: bool
) -> None:
    folder = export_copy("full")
    apply(folder, [["set", FUNCTION, "/Resources/More", {"Type": f"AWS::Serverless::{kind}", "Properties": given}]])
    assembly = assemble(read_export(folder))
    environment = EnvironmentValues("prod", EXPIRES, "12345", permissions_boundary=ARN)
    deployed = as_assembled(assembly, render_root(assembly, environment, BUCKET))
    (found,) = [p for path, (_, p) in deployed.resources.items() if path.endswith("/More")]
    assert found.get("PermissionsBoundary") == (ARN if itself else None)
    events = [e["Properties"].get("PermissionsBoundary") for e in found.get("Events", {}).values()]
    assert events == [ARN if event else None for _ in events]


@pytest.mark.large
@pytest.mark.parametrize(("name", "secrets"), [("kitchen", CREDENTIALS), ("large", frozenset())])
def test_every_role_of_a_large_export(
    name: str, secrets: frozenset[tuple[str, str]], large_export: Callable[[str], Path]
) -> None:
    assembly = kept_assembly(large_export(name), secrets)
    found = boundaries(assembly, ARN, secrets=secrets)
    assert len(found) > 10
    assert set(found.values()) == {ARN}
    assert set(boundaries(assembly, None, secrets=secrets).values()) == {None}


@pytest.mark.parametrize("name", DELIVERABLE)
def test_only_templates_with_a_role_in_them_or_below_them_know_of_it(name: str, assembly_of: Assemblies) -> None:
    assembly = assembly_of(name)
    above: set[tuple[str, ...]] = set()
    bodies = {path: parse_json(assembly.read(stack.template)) for path, stack in assembly.root.walk() if path}
    for path, template in bodies.items():
        own = any(r["Type"] in PRINCIPALS for r in template["Resources"].values())
        assert (HAS_BOUNDARY in template.get("Conditions", {})) == own
        if own:
            above |= {path[:depth] for depth in range(1, len(path) + 1)}
    for path, template in bodies.items():
        known = {"Type": "String", "Default": ""} if path in above else None
        assert template.get("Parameters", {}).get(PERMISSIONS_BOUNDARY) == known
        if path not in above:
            assert PERMISSIONS_BOUNDARY not in json.dumps(template)


def test_a_role_keeps_everything_else(export_copy: Copy) -> None:
    folder = export_copy("full")
    set_value(folder, FUNCTION, "/Conditions/Never", {"Fn::Equals": ["a", "b"]})
    set_value(folder, FUNCTION, "/Resources/LambdaExecutionRole/Condition", "Never")
    set_value(folder, FUNCTION, "/Resources/LambdaExecutionRole/DependsOn", "LambdaFunction")
    before = json.loads((folder / FUNCTION).read_bytes())
    after = body(assemble(read_export(folder)), "functionhelloFn")
    role = after["Resources"]["LambdaExecutionRole"]
    assert role["Properties"].pop("PermissionsBoundary") == {
        "Fn::If": [HAS_BOUNDARY, {"Ref": PERMISSIONS_BOUNDARY}, {"Ref": "AWS::NoValue"}]
    }
    assert role == before["Resources"]["LambdaExecutionRole"]
    assert after["Conditions"].pop(HAS_BOUNDARY)
    assert after["Conditions"] == before["Conditions"]
    assert "root/functionhelloFn/LambdaExecutionRole" not in boundaries(assemble(read_export(folder)), ARN)


def test_is_handed_down_through_templates_without_roles(export_copy: Copy) -> None:
    folder = export_copy("full")
    stack = {"Type": "AWS::CloudFormation::Stack"}
    name = add_stack(folder, "custom", "outer", "customCloudformation", {"Resources": {"With": stack, "No": stack}})
    inner = {"With": ROLE, "No": {"Type": "AWS::SNS::Topic"}}
    for child, resource in inner.items():
        apply(folder, [["write", f"custom/outer/{child}-template.json", json.dumps({"Resources": {"R": resource}})]])
    nodes = {child: {"templateFile": f"custom/outer/{child}-template.json", "parameters": {}} for child in inner}
    set_value(folder, MANIFEST, f"/props/loadNestedStacks/{name}/loadNestedStacks", nodes)
    assembly = assemble(read_export(folder))
    assert called(body(assembly, name), "With")[PERMISSIONS_BOUNDARY] == {"Ref": PERMISSIONS_BOUNDARY}
    assert PERMISSIONS_BOUNDARY not in called(body(assembly, name), "No")
    assert "Conditions" not in body(assembly, name)
    assert body(assembly, name, "No") == {"Resources": {"R": inner["No"]}}
    assert boundaries(assembly, ARN)[f"root/{name}/With/R"] == ARN


def test_a_role_in_a_yaml_template(export_copy: Copy) -> None:
    folder = export_copy("full")
    text = "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      RoleName: !Sub 'x-${AWS::StackName}'\n"
    name = add_stack(folder, "custom", "mine", "customCloudformation", {})
    file = "custom/mine/template.yaml"
    apply(folder, [["remove", "custom/mine/mine-cloudformation-template.json"], ["write", file, text]])
    set_value(folder, MANIFEST, f"/props/loadNestedStacks/{name}/templateFile", file)
    found = boundaries(assemble(read_export(folder)), ARN)
    assert found[f"root/{name}/R"] == ARN


def test_a_user_carries_it_too_and_a_group_has_none(export_copy: Copy) -> None:
    folder = export_copy("full")
    resources = {"U": {"Type": "AWS::IAM::User"}, "G": {"Type": "AWS::IAM::Group"}}
    name = add_stack(folder, "custom", "mine", "customCloudformation", {"Resources": resources})
    assembly = assemble(read_export(folder))
    assert boundaries(assembly, ARN)[f"root/{name}/U"] == ARN
    assert body(assembly, name)["Resources"]["G"] == resources["G"]


def test_replaces_the_exports_own_and_leaves_it_where_there_is_no_other(export_copy: Copy) -> None:
    folder = export_copy("full")
    set_value(folder, ROOT, "/Resources/AuthRole/Properties/PermissionsBoundary", OWN)
    sub = {"Fn::Sub": "arn:aws:iam::111122223333:policy/${AWS::Region}"}
    set_value(folder, FUNCTION, "/Resources/LambdaExecutionRole/Properties/PermissionsBoundary", sub)
    assembly = assemble(read_export(folder))
    assert set(boundaries(assembly, ARN).values()) == {ARN}
    without = boundaries(assembly, None)
    assert {path: arn for path, arn in without.items() if arn} == {
        "root/AuthRole": OWN,
        "root/functionhelloFn/LambdaExecutionRole": "arn:aws:iam::111122223333:policy/eu-west-1",
    }


def test_an_environments_own_parameter_wins(assembly_of: Assemblies) -> None:
    """A personal account may ask for a boundary too; the account's pipeline would refuse another than its own."""
    given = {"root": {PERMISSIONS_BOUNDARY: OWN}}
    for boundary in (None, ARN):
        assert set(boundaries(assembly_of("full"), boundary, parameters=given).values()) == {OWN}


def test_an_export_without_roles_has_no_parameter(export_copy: Copy) -> None:
    folder = export_copy("todo")
    for template in (ROOT, "api/mytodoapp/amplify-appsync-files/stacks/Todo.json"):
        for name, item in json.loads((folder / template).read_bytes())["Resources"].items():
            if item["Type"] == "AWS::IAM::Role":
                set_value(folder, template, f"/Resources/{name}", HANDLE)
    assembly = assemble(read_export(folder))
    root = render_root(assembly, EnvironmentValues("prod", 1, permissions_boundary=ARN), BUCKET)
    assert PERMISSIONS_BOUNDARY not in root.parameters
    assert PERMISSIONS_BOUNDARY not in root.body.decode()


def test_one_assembly_serves_environments_with_and_without(assembly_of: Assemblies) -> None:
    """The root template too is the same: only its parameter differs."""
    values = EnvironmentValues("prod", 1)
    without = render_root(assembly_of("full"), values, BUCKET)
    bounded = render_root(assembly_of("full"), replace(values, permissions_boundary=ARN), BUCKET)
    assert bounded.object == without.object
    assert dict(bounded.parameters) == {**without.parameters, PERMISSIONS_BOUNDARY: ARN}


def test_comparing_sees_an_exports_own_boundary_come(export_copy: Copy, assembly_of: Assemblies) -> None:
    folder = export_copy("full")
    set_value(folder, FUNCTION, "/Resources/LambdaExecutionRole/Properties/PermissionsBoundary", OWN)
    [touched] = compare(assembly_of("full"), assemble(read_export(folder))).resources
    assert (touched.path, touched.properties) == (("functionhelloFn", "LambdaExecutionRole"), ("PermissionsBoundary",))
