"""Comparing two assemblies as they would be deployed one after the other to one environment.

What it finds between real re-exports stands in test_series.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from amplify_delivery.export import Assembly, TouchedResource, assemble, compare, read_export
from unit.export.mutations import MANIFEST, apply, set_value

Copy = Callable[[str], Path]
FUNCTION = "function/helloFn/helloFn-cloudformation-template.json"


def test_an_assembly_and_itself(assembly_of: Callable[[str], Assembly]) -> None:
    comparison = compare(assembly_of("full"), assembly_of("full"))
    assert (comparison.resources, comparison.stacks) == ((), ())


def test_exports_of_two_environments_differ_in_their_values_only(
    export_copy: Copy, assembly_of: Callable[[str], Assembly]
) -> None:
    folder = export_copy("full")
    text = (folder / MANIFEST).read_text().replace("amplify-fullapp-dev-6c2af", "amplify-fullapp-prod-2b9fb")
    apply(folder, [["write", MANIFEST, text.replace('"env": "dev"', '"env": "prod"')]])
    assert compare(assembly_of("full"), assemble(read_export(folder))).resources == ()
    path = "/props/loadNestedStacks/apifullapp/parameters/DynamoDBEnablePointInTimeRecovery"
    set_value(folder, MANIFEST, path, "true")
    touched = compare(assembly_of("full"), assemble(read_export(folder))).resources
    assert {(r.type, r.change) for r in touched} == {("AWS::DynamoDB::Table", "changed")}
    assert {r.properties for r in touched} == {("PointInTimeRecoverySpecification",)}


def test_a_resource_that_becomes_another_type(export_copy: Copy, assembly_of: Callable[[str], Assembly]) -> None:
    folder = export_copy("full")
    set_value(folder, FUNCTION, "/Resources/LambdaExecutionRole", {"Type": "AWS::SNS::Topic"})
    (touched,) = (
        r for r in compare(assembly_of("full"), assemble(read_export(folder))).resources if "Role" in r.path[-1]
    )
    assert (touched.type, touched.change) == ("AWS::SNS::Topic", "changed")


def test_a_stack_of_the_users_own_is_left_out(export_copy: Copy, assembly_of: Callable[[str], Assembly]) -> None:
    folder = export_copy("full")
    own = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://s3.amazonaws.com/b/t.json"}}
    set_value(folder, FUNCTION, "/Resources/Own", own)
    comparison = compare(assembly_of("full"), assemble(read_export(folder)))
    assert comparison.resources == ()
    assert ("functionhelloFn", "Own") in {s.path for s in comparison.stacks}


def test_a_changed_file_is_a_changed_resource(export_copy: Copy, assembly_of: Callable[[str], Assembly]) -> None:
    folder = export_copy("full")
    vtl = "api/fullapp/amplify-appsync-files/resolvers/Query.getTodo.auth.1.req.vtl"
    apply(folder, [["write", vtl, "## changed"]])
    (touched,) = compare(assembly_of("full"), assemble(read_export(folder))).resources
    assert touched == TouchedResource(
        touched.path, "AWS::AppSync::FunctionConfiguration", "changed", ("RequestMappingTemplateS3Location",)
    )
