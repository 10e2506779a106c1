"""What becomes of templates with an environment's values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from amplify_delivery.export import Assembly
from amplify_delivery.publishing.examination import computed
from unit.publishing.conftest import spoiled, tree_of

API = ("apimytodoapp",)
MODEL = ("apimytodoapp", "Todo")

Template = dict[str, Any]


def messages(assembly: Assembly, path: tuple[str, ...], change: Callable[[Template], None]) -> list[str]:
    found = [*computed.missing_values(tree_of(spoiled(assembly, path, change)))]
    assert all(f.severity == "refused" and f.remedy for f in found)
    return [f"{f.id} {f.message}" for f in found]


def in_map(template: Template) -> Template:
    template["Mappings"] = {"envMap": {"prod": {"mail": "a"}}}
    return {"Fn::FindInMap": ["envMap", {"Ref": "env"}, "mail"]}


def test_a_mapping_that_does_not_know_the_environment(todo: Assembly) -> None:
    def add(template: Template) -> None:
        template["Outputs"]["Mail"] = {"Value": in_map(template)}

    assert messages(todo, API, add) == ["AD730 output Mail: envMap has no dev (Fn::FindInMap)"]


def test_a_condition_over_such_a_mapping(todo: Assembly) -> None:
    def add(template: Template) -> None:
        template.setdefault("Conditions", {})["Mailed"] = {"Fn::Equals": [in_map(template), "a"]}

    assert messages(todo, API, add) == ["AD730 condition Mailed: envMap has no dev (Fn::FindInMap)"]


@pytest.mark.parametrize("rule", [{"Fn::Equals": ["a", "b"]}, {"Fn::Equals": [{"Ref": "AWS::AccountId"}, "b"]}])
def test_what_is_not_used_or_perhaps_not_is_not_refused(todo: Assembly, rule: Template) -> None:
    def add(template: Template) -> None:
        template.setdefault("Conditions", {})["Used"] = rule
        template["Outputs"]["Mail"] = {"Value": {"Fn::If": ["Used", in_map(template), "none"]}}
        template["Outputs"]["Mails"] = {"Condition": "Used", "Value": in_map(template)}

    assert messages(todo, API, add) == []


def test_a_mapping_by_region(todo: Assembly) -> None:
    def add(template: Template) -> None:
        template["Mappings"] = {"regions": {"eu-west-1": {"x": "a"}}}
        template["Outputs"]["X"] = {"Value": {"Fn::FindInMap": ["regions", {"Ref": "AWS::Region"}, "x"]}}

    assert messages(todo, API, add) == ["AD730 output X: regions has no us-east-1 (Fn::FindInMap)"]


def test_an_output_under_a_condition_that_does_not_hold(todo: Assembly) -> None:
    def conditional(template: Template) -> None:
        template.setdefault("Conditions", {})["IsProd"] = {"Fn::Equals": ["a", "b"]}
        for output in template["Outputs"].values():
            output["Condition"] = "IsProd"

    def read(template: Template) -> None:
        template["Outputs"]["Read"] = {"Value": {"Fn::GetAtt": ["Todo", "Outputs.GetAttTodoTableStreamArn"]}}

    there = spoiled(todo, MODEL, conditional)
    (message,) = messages(there, API, read)
    assert message.startswith("AD703 output Read reads output GetAttTodoTableStreamArn of Todo, which is there under a")


@pytest.mark.parametrize(
    "reference", [{"Ref": "Extra"}, {"Fn::GetAtt": ["Extra", "Arn"]}, {"Fn::Sub": "x${Extra.Arn}"}]
)
def test_a_resource_that_is_not_made(todo: Assembly, reference: Template) -> None:
    def add(template: Template) -> None:
        template.setdefault("Conditions", {})["IsProd"] = {"Fn::Equals": [{"Ref": "env"}, "prod"]}
        template["Resources"]["Extra"] = {"Type": "AWS::SNS::Topic", "Condition": "IsProd"}
        template["Outputs"]["Extra"] = {"Value": reference}
        template["Outputs"]["Guarded"] = {"Value": {"Fn::If": ["IsProd", reference, "none"]}}

    (message,) = messages(todo, API, add)
    assert message.startswith("AD732 output Extra refers to Extra, which is not made in this environment")


@pytest.mark.parametrize(
    ("layer", "found"),
    [
        ("arn:aws:lambda:eu-west-1:017000801446:layer:Tools:34", True),
        ("arn:aws:lambda:us-east-1:017000801446:layer:Tools:34", False),
        ({"Fn::Sub": "arn:aws:lambda:${AWS::Region}:017000801446:layer:Tools:34"}, False),
        ({"Ref": "Own"}, False),
    ],
)
@pytest.mark.parametrize("kind", ["AWS::Lambda::Function", "AWS::Serverless::Function"])
def test_a_layer_of_another_region(todo: Assembly, kind: str, layer: Any, found: bool) -> None:
    def add(template: Template) -> None:
        template["Resources"]["F"] = {"Type": kind, "Properties": {"Layers": [layer]}}

    findings = list(computed.foreign_layers(tree_of(spoiled(todo, MODEL, add))))
    assert [f.id for f in findings] == (["AD731"] if found else [])
    assert all("eu-west-1" in f.message and "us-east-1" in f.message for f in findings)


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({"AvailabilityZone": "eu-west-1a"}, ["eu-west-1a"]),
        ({"AvailabilityZones": ["us-east-1a", "eu-west-1b"]}, ["eu-west-1b"]),
        ({"Placement": {"AvailabilityZone": "us-west-2-lax-1a"}}, ["us-west-2-lax-1a"]),
        ({"AvailabilityZone": "us-east-1f"}, []),
        ({"AvailabilityZone": {"Fn::Sub": "${AWS::Region}a"}}, []),
        ({"AvailabilityZone": {"Fn::Select": [0, {"Fn::GetAZs": ""}]}}, []),
        ({"Tags": [{"Key": "was", "Value": "eu-west-1a"}]}, []),
    ],
)
def test_a_zone_of_another_region(todo: Assembly, properties: Any, found: list[str]) -> None:
    def add(template: Template) -> None:
        template["Resources"]["Subnet"] = {"Type": "AWS::EC2::Subnet", "Properties": properties}

    findings = list(computed.foreign_zones(tree_of(spoiled(todo, MODEL, add))))
    assert [f.id for f in findings] == ["AD734"] * len(found)
    assert all(zone in f.message and "us-east-1" in f.message for zone, f in zip(found, findings, strict=True))


@pytest.mark.parametrize(
    ("kind", "property", "value", "says"),
    [
        ("AWS::S3::Bucket", "BucketName", {"Fn::Join": ["", ["Pictures-", {"Ref": "env"}]]}, "'Pictures-dev' may hold"),
        ("AWS::S3::Bucket", "BucketName", {"Fn::Sub": f"{'p' * 60}-${{env}}"}, "has 64 characters, 63 are allowed"),
        ("AWS::S3::Bucket", "BucketName", {"Fn::Sub": f"{'p' * 59}-${{env}}"}, ""),
        ("AWS::S3::Bucket", "BucketName", {"Fn::Sub": "P-${AWS::AccountId}"}, "'P-' may hold"),
        ("AWS::S3::Bucket", "BucketName", {"Ref": "AWS::NoValue"}, ""),
        ("AWS::Lambda::Function", "FunctionName", {"Fn::Sub": f"{'f' * 61}-${{env}}"}, "has 65 characters, 64 are"),
        ("AWS::IAM::Role", "RoleName", {"Fn::Sub": f"{'r' * 61}-${{env}}"}, "has 65 characters, 64 are allowed"),
        ("AWS::Cognito::UserPoolDomain", "Domain", {"Fn::Sub": "Login-${env}"}, "lower-case letters, digits"),
        ("Custom::LambdaCallout", "hostedUIDomainName", {"Fn::Sub": "Login-${env}"}, "'Login-dev' may hold"),
        ("Custom::LambdaCallout", "userPoolId", "X" * 100, ""),
    ],
)  # fmt: skip
def test_a_name_that_its_service_refuses(todo: Assembly, kind: str, property: str, value: Any, says: str) -> None:
    def add(template: Template) -> None:
        template["Resources"]["Named"] = {"Type": kind, "Properties": {property: value}}

    found = list(computed.impossible_names(tree_of(spoiled(todo, API, add))))
    assert [f.id for f in found] == (["AD733"] if says else [])
    assert all(says in f.message and "Named" in f.message and f.file.startswith("apimytodoapp (") for f in found)


def test_a_domain_of_the_users_own_has_dots(todo: Assembly) -> None:
    def add(template: Template) -> None:
        properties = {"Domain": "login.example.com", "CustomDomainConfig": {"CertificateArn": "x"}}
        template["Resources"]["Named"] = {"Type": "AWS::Cognito::UserPoolDomain", "Properties": properties}

    assert list(computed.impossible_names(tree_of(spoiled(todo, MODEL, add)))) == []
