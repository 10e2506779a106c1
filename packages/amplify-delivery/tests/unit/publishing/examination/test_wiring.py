"""The tree of stacks: what it names is published, and its stacks fit together."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_delivery.export import Assembly
from amplify_delivery.publishing.examination import wiring
from unit.publishing.conftest import BUCKET, SOUND, assembly_of, spoiled, tree_of

API = ("apimytodoapp",)
MODEL = ("apimytodoapp", "Todo")


@pytest.mark.parametrize("name", SOUND)
def test_real_exports_fit_together(name: str) -> None:
    tree = tree_of(assembly_of(name))
    checks = (wiring.unpublished_objects, wiring.parameters_that_do_not_fit, wiring.missing_outputs)
    assert [f for check in checks for f in check(tree)] == []


@pytest.mark.parametrize("name", SOUND)
def test_every_stack_of_the_assembly_is_reached(name: str) -> None:
    assembly = assembly_of(name)
    assert {v.path for v in tree_of(assembly).stacks} == {path for path, _ in assembly.root.walk()}


def first(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(r["Properties"] for r in template["Resources"].values() if r["Type"] == kind)


def test_a_mapping_template_that_is_not_published(todo: Assembly) -> None:
    def lose(template: dict[str, Any]) -> None:
        function = first(template, "AWS::AppSync::FunctionConfiguration")
        bucket = next(p for p in template["Parameters"] if "S3DeploymentBucket" in p)
        function["RequestMappingTemplateS3Location"] = {"Fn::Sub": f"s3://${{{bucket}}}/vtl/gone.vtl"}

    (finding,) = wiring.unpublished_objects(tree_of(spoiled(todo, MODEL, lose)))
    assert finding.id == "AD701"
    assert finding.file.startswith("apimytodoapp/Todo (templates/")
    assert "RequestMappingTemplateS3Location names vtl/gone.vtl" in finding.message


def test_a_template_that_is_not_published(todo: Assembly) -> None:
    def lose(template: dict[str, Any]) -> None:
        template["Resources"]["Todo"]["Properties"]["TemplateURL"] = (
            f"https://s3.us-east-1.amazonaws.com/{tree_of(todo).staging_bucket}/templates/gone.json"
        )

    messages = [f.message for f in wiring.unpublished_objects(tree_of(spoiled(todo, API, lose)))]
    assert messages == ["Todo.TemplateURL names templates/gone.json, which is not published"]


def test_a_function_whose_zip_is_not_published(full: Assembly) -> None:
    stack = full.root.nested["functionhelloFn"]
    bucket = stack.parameters["deploymentBucketName"]
    assert bucket.source == "staging-bucket"

    def lose(template: dict[str, Any]) -> None:
        code = first(template, "AWS::Lambda::Function")["Code"]
        assert code == {"S3Bucket": {"Ref": "deploymentBucketName"}, "S3Key": {"Ref": "s3Key"}}
        code["S3Key"] = "zips/gone.zip"

    (finding,) = wiring.unpublished_objects(tree_of(spoiled(full, ("functionhelloFn",), lose)))
    assert "Code.S3Key names zips/gone.zip" in finding.message


def test_an_object_of_another_bucket_is_not_ours_to_publish(todo: Assembly) -> None:
    def elsewhere(template: dict[str, Any]) -> None:
        function = first(template, "AWS::AppSync::FunctionConfiguration")
        function["RequestMappingTemplateS3Location"] = "s3://somebody-elses/x.vtl"

    assert not list(wiring.unpublished_objects(tree_of(spoiled(todo, MODEL, elsewhere))))


def test_a_parameter_that_the_child_does_not_declare(todo: Assembly) -> None:
    def add(template: dict[str, Any]) -> None:
        template["Resources"]["Todo"]["Properties"]["Parameters"]["DynamoDBBillingMod"] = "x"

    (finding,) = wiring.parameters_that_do_not_fit(tree_of(spoiled(todo, API, add)))
    assert finding.id == "AD702"
    assert "Todo is given parameter DynamoDBBillingMod" in finding.message
    assert finding.remedy == "the nearest one is DynamoDBBillingMode"


def test_a_required_parameter_that_nobody_passes(todo: Assembly) -> None:
    def require(template: dict[str, Any]) -> None:
        template["Parameters"]["needed"] = {"Type": "String"}

    (finding,) = wiring.parameters_that_do_not_fit(tree_of(spoiled(todo, MODEL, require)))
    assert "Todo is not given parameter needed" in finding.message


@pytest.mark.parametrize(
    ("declaration", "problem"),
    [
        ({"AllowedValues": ["A", "B"]}, "is 'dev', which is not one of A, B"),
        ({"AllowedPattern": "[0-9]+"}, "is 'dev', which does not match [0-9]+"),
        ({"Type": "Number"}, "is 'dev', which is not a number"),
        ({"MinLength": 4}, "is 'dev', which does not keep MinLength, 4"),
        ({"MaxLength": "2"}, "is 'dev', which does not keep MaxLength, 2"),
        ({"MinLength": 3, "MaxLength": 3}, ""),
        ({"AllowedPattern": "[0-9]+", "NoEcho": True}, "has a value that does not match [0-9]+"),
        ({"AllowedPattern": "(?<word>[a-z]+)"}, ""),
        ({"AllowedValues": ["dev"]}, ""),
        ({"Type": "CommaDelimitedList", "AllowedPattern": "[a-z]+"}, ""),
        ({"Type": "CommaDelimitedList", "Default": "a, b", "AllowedValues": ["dev", "b"]}, ""),
    ],
)
def test_a_value_that_the_child_does_not_allow(todo: Assembly, declaration: dict[str, Any], problem: str) -> None:
    def narrow(template: dict[str, Any]) -> None:
        template["Parameters"]["env"] = {"Type": "String", **declaration}

    messages = [f.message for f in wiring.parameters_that_do_not_fit(tree_of(spoiled(todo, API, narrow)))]
    assert messages == ([f"apimytodoapp's parameter env {problem}"] if problem else [])


def test_an_output_that_the_child_does_not_have(todo: Assembly) -> None:
    def read(template: dict[str, Any]) -> None:
        template["Outputs"]["X"] = {"Value": {"Fn::GetAtt": ["Todo", "Outputs.Nothing"]}}

    (finding,) = wiring.missing_outputs(tree_of(spoiled(todo, API, read)))
    assert finding.id == "AD703"
    assert "reads output Nothing of Todo" in finding.message


@pytest.mark.parametrize(("rule", "found"), [(["a", "b"], []), (["a", "a"], ["AD701"])])
def test_what_is_not_made_here_needs_no_object(todo: Assembly, rule: list[str], found: list[str]) -> None:
    def add(template: dict[str, Any]) -> None:
        template.setdefault("Conditions", {})["Made"] = {"Fn::Equals": rule}
        code = {"S3Bucket": BUCKET, "S3Key": "functions/none.zip"}
        function = {"Type": "AWS::Lambda::Function", "Condition": "Made", "Properties": {"Code": code}}
        template["Resources"]["Extra"] = function

    assert [f.id for f in wiring.unpublished_objects(tree_of(spoiled(todo, ("apimytodoapp",), add)))] == found


def test_a_location_is_followed_through_functions_and_parameters(todo: Assembly) -> None:
    def add(template: dict[str, Any]) -> None:
        key = {"Fn::Select": [1, {"Fn::Split": ["|", "x|none/y"]}]}
        template["Resources"]["Extra"] = {
            "Type": "AWS::Lambda::Function",
            "Properties": {"Code": {"S3Bucket": BUCKET, "S3Key": {"Fn::Sub": ["${K}-${env}", {"K": key}]}}},
        }

    (finding,) = wiring.unpublished_objects(tree_of(spoiled(todo, ("apimytodoapp",), add)))
    assert "none/y-dev, which is not published" in finding.message


def test_a_stack_that_is_nested_in_itself_ends_the_walk(todo: Assembly) -> None:
    def nest(template: dict[str, Any]) -> None:
        template["Resources"]["Todo"]["Properties"]["TemplateURL"] = f"https://s3.amazonaws.com/{BUCKET}/{own}"

    own = todo.root.nested["apimytodoapp"].template
    assert [view.path for view in tree_of(spoiled(todo, ("apimytodoapp",), nest)).stacks].count(("apimytodoapp",)) == 1
