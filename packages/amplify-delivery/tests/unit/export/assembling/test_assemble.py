"""Assembling: what reaches which template, for every kind of resource that an export can hold.

That real exports come out whole is proved in test_same_resources.py; here is what they do not contain.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.export import Assembly, EnvironmentValues, NestedStack, Value, assemble, read_export, render_root
from unit.export.conftest import kept_assembly
from unit.export.mutations import MANIFEST, apply, delete_value, set_value

Copy = Callable[[str], Path]

NODES = "/props/loadNestedStacks"
API = "api/fullapp/cloudformation-template.json"
CUSTOM = "api/fullapp/amplify-appsync-files/stacks/CustomResources.json"
ROOT = "root-stack-template.json"
MAPPING = "category-stack-mapping.json"
HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
PREFIX = "amplify-fullapp-dev-6c2af"


def body(assembly: Assembly, *path: str) -> dict[str, Any]:
    stack: NestedStack = assembly.root
    for name in path:
        stack = stack.nested[name]
    parsed: dict[str, Any] = json.loads(assembly.read(stack.template))
    return parsed


def called(template: Mapping[str, Any], name: str) -> dict[str, Any]:
    parameters: dict[str, Any] = template["Resources"][name]["Properties"].get("Parameters", {})
    return parameters


def add_stack(
    folder: Path, category: str, name: str, service: str, template: Mapping[str, Any], **parameters: Any
) -> str:
    """Add a resource to an export: template, manifest node, mapping entry, Stack resource; its logical id."""
    file = f"{category}/{name}/{name}-cloudformation-template.json"
    node = {"templateFile": file, "parameters": parameters, "preserveLogicalIds": True, "loadNestedStacks": {}}
    entry = {"category": category, "resourceName": name, "service": service}
    apply(
        folder,
        [
            ["write", file, json.dumps(template)],
            ["set", MANIFEST, f"{NODES}/{category}{name}", node],
            ["append", MAPPING, "", 1, entry],
            ["set", ROOT, f"/Resources/{category}{name}", {"Type": "AWS::CloudFormation::Stack", "Properties": {}}],
        ],
    )
    return f"{category}{name}"


class TestValues:
    def test_literals_become_strings(self, assembly_of: Callable[[str], Assembly]) -> None:
        values = assembly_of("full").root.nested["authfullappauth"].parameters
        assert values["allowUnauthenticatedIdentities"] == Value("literal", "true")
        assert values["passwordPolicyMinLength"] == Value("literal", "8")
        assert values["userPoolGroupList"] == Value("literal", "Admins,Editors")
        assert values["autoVerifiedAttributes"] == Value("literal", "")

    def test_env_and_the_stacks_name_are_not_frozen(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        template = {"Parameters": {"env": {"Type": "String"}, "role": {"Type": "String"}}, "Resources": {"H": HANDLE}}
        name = add_stack(
            folder, "custom", "mine", "customCloudformation", template, env="dev", role=f"{PREFIX}-authRole"
        )
        root = render_root(assemble(read_export(folder)), EnvironmentValues("prod", 1, "abcde"), "bucket")
        assert called(root.template, name) == {"env": "prod", "role": "amplify-fullapp-prod-abcde-authRole"}

    def test_a_name_that_only_begins_like_the_stacks_is_kept(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        template = {"Parameters": {"other": {"Type": "String"}}, "Resources": {"H": HANDLE}}
        name = add_stack(folder, "custom", "mine", "customCloudformation", template, other=f"{PREFIX}0-x")
        assert assemble(read_export(folder)).root.nested[name].parameters["other"] == Value("literal", f"{PREFIX}0-x")

    def test_what_the_manifest_gives_below_level_1(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        set_value(folder, CUSTOM, "/Parameters/limit", {"Type": "Number"})
        node = f"{NODES}/apifullapp/loadNestedStacks/CustomResourcesjson/parameters"
        set_value(folder, MANIFEST, node, {"limit": 5, "env": "dev"})
        passed = called(body(assemble(read_export(folder)), "apifullapp"), "CustomResourcesjson")
        assert passed["limit"] == "5"
        assert passed["env"] == {"Ref": "env"}

    def test_env_is_handed_down_through_a_template_that_has_none(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        parent = {"Resources": {"Inner": {"Type": "AWS::CloudFormation::Stack"}}}
        inner = {"Parameters": {"env": {"Type": "String"}}, "Resources": {"H": HANDLE}}
        name = add_stack(folder, "custom", "outer", "customCloudformation", parent)
        apply(folder, [["write", "custom/outer/inner-template.json", json.dumps(inner)]])
        node = {"templateFile": "custom/outer/inner-template.json", "parameters": {"env": "dev"}}
        set_value(folder, MANIFEST, f"{NODES}/{name}/loadNestedStacks", {"Inner": node})
        assembly = assemble(read_export(folder))
        assert assembly.root.nested[name].parameters == {
            "StagingBucket": Value("staging-bucket"),
            "env": Value("environment"),
        }
        outer = body(assembly, name)
        assert called(outer, "Inner") == {"env": {"Ref": "env"}}
        assert outer["Parameters"] == {"StagingBucket": {"Type": "String"}, "env": {"Type": "String"}}

    def test_role_names_come_from_the_root_and_after_the_roles(self, assembly_of: Callable[[str], Assembly]) -> None:
        item = assembly_of("full").root_template["Resources"]["apifullapp"]
        assert item["Properties"]["Parameters"]["authRoleName"] == {"Ref": "AuthRoleName"}
        assert {"AuthRole", "UnauthRole"} <= set(item["DependsOn"])


class TestGraphQL:
    def test_a_folders_key_is_not_passed_down_any_more(self, assembly_of: Callable[[str], Assembly]) -> None:
        assembly = assembly_of("full")
        for path, _ in assembly.root.walk():
            assert not path or "RootKey" not in json.dumps(body(assembly, *path))

    def test_custom_resolvers_and_pipeline_functions(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        variables = {"Bucket": {"Ref": "S3DeploymentBucket"}, "Key": {"Ref": "S3DeploymentRootKey"}}
        apply(
            folder,
            [
                ["write", "api/fullapp/amplify-appsync-files/resolvers/Query.echo.req.vtl", "$context.args"],
                ["write", "api/fullapp/amplify-appsync-files/pipelineFunctions/f.req.vtl", "{}"],
                ["set", CUSTOM, "/Resources/Echo", {"Type": "AWS::AppSync::Resolver", "Properties": {
                    "RequestMappingTemplateS3Location": {
                        "Fn::Sub": ["s3://${Bucket}/${Key}/resolvers/Query.echo.req.vtl", variables]
                    }}}],
                ["set", CUSTOM, "/Resources/F", {"Type": "AWS::AppSync::FunctionConfiguration", "Properties": {
                    "RequestMappingTemplateS3Location": {
                        "Fn::Sub": "s3://${S3DeploymentBucket}/${S3DeploymentRootKey}/pipelineFunctions/f.req.vtl"
                    }}}],
            ],
        )  # fmt: skip
        assembly = assemble(read_export(folder))
        resources = body(assembly, "apifullapp", "CustomResourcesjson")["Resources"]
        for name, text in (("Echo", b"$context.args"), ("F", b"{}")):
            start, bucket, key = resources[name]["Properties"]["RequestMappingTemplateS3Location"]["Fn::Join"][1]
            assert (start, bucket) == ("s3://", {"Ref": "S3DeploymentBucket"})
            assert assembly.read(key.removeprefix("/")) == text

    def test_searchables_zip(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        zip_file = "api/fullapp/amplify-appsync-files/functions/OpenSearchStreamingLambdaFunction.zip"
        key = {"Fn::Join": ["", [{"Ref": "S3DeploymentRootKey"}, "/functions/OpenSearchStreamingLambdaFunction.zip"]]}
        code = {"S3Bucket": {"Ref": "S3DeploymentBucket"}, "S3Key": key}
        function = {"Type": "AWS::Lambda::Function", "Properties": {"Code": code}}
        apply(folder, [["zip", zip_file, {"index.py": "x"}], ["set", CUSTOM, "/Resources/Streaming", function]])
        assembly = assemble(read_export(folder))
        found = body(assembly, "apifullapp", "CustomResourcesjson")["Resources"]["Streaming"]["Properties"]["Code"]
        assert found["S3Bucket"] == {"Ref": "S3DeploymentBucket"}
        assert found["S3Key"].startswith("archives/")
        assert assembly.read(found["S3Key"]) == (folder / zip_file).read_bytes()

    def test_a_key_passed_down_under_two_names_is_known_by_both(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        second = {"Fn::Sub": "${S3DeploymentRootKey}"}
        location = {"Fn::Sub": "s3://${S3DeploymentBucket}/${Second}/schema.graphql"}
        schema = {"Type": "AWS::AppSync::GraphQLSchema", "Properties": {"DefinitionS3Location": location}}
        set_value(folder, API, "/Resources/CustomResourcesjson/Properties/Parameters/Second", second)
        set_value(folder, CUSTOM, "/Parameters/Second", {"Type": "String"})
        set_value(folder, CUSTOM, "/Resources/Schema", schema)
        template = body(assemble(read_export(folder)), "apifullapp", "CustomResourcesjson")
        assert "schemas/" in json.dumps(template["Resources"]["Schema"])
        assert not {"Second", "S3DeploymentRootKey"} & template["Parameters"].keys()

    def test_one_expiry_for_all_keys(self, assembly_of: Callable[[str], Assembly]) -> None:
        assembly = assembly_of("full")
        root = render_root(assembly, EnvironmentValues("dev", 1_999_999_999), "bucket")
        assert root.parameters["ApiKeyExpires"] == "1999999999"
        assert called(root.template, "apifullapp")["ApiKeyExpires"] == {"Ref": "ApiKeyExpires"}
        template = body(assembly, "apifullapp")
        assert template["Resources"]["GraphQLAPIDefaultApiKey215A6DD7"]["Properties"]["Expires"] == {
            "Ref": "ApiKeyExpires"
        }


class TestFunctions:
    def test_a_layer_with_several_versions(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        versions = {
            f"LambdaLayerVersion{n}": {
                "Type": "AWS::Lambda::LayerVersion",
                "Properties": {
                    "Content": {
                        "S3Bucket": {"Ref": "deploymentBucketName"},
                        "S3Key": {"Fn::Join": ["/", [{"Ref": "s3Key"}, f"layer-LambdaLayerVersion{n}-build.zip"]]},
                    }
                },
            }
            for n in ("aaaa1111", "bbbb2222")
        }
        parameters = {name: {"Type": "String"} for name in ("env", "deploymentBucketName", "s3Key")}
        template = {"Parameters": parameters, "Resources": versions}
        name = add_stack(folder, "function", "layer", "LambdaLayer", template, env="dev")
        for number, text in (("aaaa1111", "old"), ("bbbb2222", "new")):
            path = f"function/layer/amplify-builds/layer-LambdaLayerVersion{number}-build.zip"
            apply(folder, [["zip", path, {"nodejs/index.js": text}]])
        assembly = assemble(read_export(folder))
        found = body(assembly, name)
        keys = [v["Properties"]["Content"]["S3Key"] for v in found["Resources"].values()]
        assert len(set(keys)) == 2
        assert all(assembly.read(key) for key in keys)
        assert "s3Key" not in found["Parameters"]
        assert set(assembly.root.nested[name].parameters) == {"deploymentBucketName", "env"}

    def test_a_custom_resource_may_have_a_parameter_s3Key_of_its_own(self, export_copy: Copy) -> None:  # noqa: N802
        folder = export_copy("full")
        template = {"Parameters": {"s3Key": {"Type": "String"}}, "Resources": {"H": HANDLE}}
        name = add_stack(folder, "custom", "mine", "customCloudformation", template, s3Key="my/key")
        assert assemble(read_export(folder)).root.nested[name].parameters == {"s3Key": Value("literal", "my/key")}


class TestAuth:
    def test_triggers_that_were_put_back(self, export_copy: Copy) -> None:
        folder = export_copy("triggers")
        pool = {"Fn::GetAtt": ["authtrigappauth", "Outputs.UserPoolId"]}
        stack = {"Type": "AWS::CloudFormation::Stack", "Properties": {"Parameters": {"userpoolId": pool}}}
        template = {
            "Parameters": {"env": {"Type": "String"}, "userpoolId": {"Type": "String"}},
            "Resources": {"H": HANDLE},
        }
        set_value(folder, ROOT, "/Resources/AuthTriggerCustomLambdaStack", stack)
        apply(folder, [["write", "auth/auth-trigger-cloudformation-template.json", json.dumps(template)]])
        root = render_root(assemble(read_export(folder)), EnvironmentValues("prod", 1), "bucket")
        assert called(root.template, "AuthTriggerCustomLambdaStack") == {"userpoolId": pool, "env": "prod"}

    def test_files_of_the_verification_bucket(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        auth = "auth/fullappauth/fullappauth-cloudformation-template.json"
        set_value(folder, auth, "/Parameters/verificationBucketName", {"Type": "String"})
        set_value(folder, MANIFEST, f"{NODES}/authfullappauth/parameters/verificationBucketName", "verify-9bec")
        apply(
            folder,
            [
                ["write", "auth/fullappauth/amplify-auth-assets/index.html", "<p>"],
                ["write", "auth/fullappauth/amplify-auth-assets/css/style.css", "p {}"],
                ["write", "auth/fullappauth/amplify-auth-assets/odd.b c", "?"],
            ],
        )
        assembly = assemble(read_export(folder))
        found = {f.path: (f.nested_stack, f.bucket, f.content_type) for f in assembly.bucket_files}
        assert found == {
            "index.html": ("authfullappauth", "verify-9bec", "text/html"),
            "css/style.css": ("authfullappauth", "verify-9bec", "text/css"),
            "odd.b c": ("authfullappauth", "verify-9bec", "application/octet-stream"),
        }
        assert {assembly.read(f.key) for f in assembly.bucket_files} == {b"<p>", b"p {}", b"?"}


class TestOtherCategories:
    @pytest.mark.parametrize(
        ("category", "service"),
        [("analytics", "Pinpoint"), ("geo", "Map"), ("hosting", "S3AndCloudFront"), ("predictions", "Translate")],
    )
    def test_a_template_with_plain_parameters(self, category: str, service: str, export_copy: Copy) -> None:
        folder = export_copy("full")
        parameters = {"env": {"Type": "String"}, "authRoleName": {"Type": "String"}, "size": {"Type": "Number"}}
        template = {"Parameters": parameters, "Resources": {"H": {**HANDLE, "DeletionPolicy": "Retain"}}}
        name = add_stack(folder, category, "mine", service, template, env="dev", size=3)
        wired = {"authRoleName": {"Ref": "AuthRoleName"}}
        set_value(folder, ROOT, f"/Resources/{name}/Properties", {"Parameters": wired})
        assembly = assemble(read_export(folder))
        root = render_root(assembly, EnvironmentValues("prod", 1), "bucket")
        assert called(root.template, name) == {**wired, "env": "prod", "size": "3"}
        assert body(assembly, name)["Resources"]["H"]["DeletionPolicy"] == "RetainExceptOnCreate"

    def test_a_byte_order_mark_is_nobodys(self, export_copy: Copy) -> None:
        """Editors of Windows write it: JSON has none, and AppSync would answer with it."""
        folder, mark = export_copy("full"), b"\xef\xbb\xbf"
        before = assemble(read_export(folder))
        texts = [f for f in folder.rglob("*") if f.suffix in (".vtl", ".graphql", ".json")]
        assert {f.suffix for f in texts} == {".vtl", ".graphql", ".json"}
        for file in texts:
            file.write_bytes(mark + file.read_bytes())
        after = assemble(read_export(folder))
        assert (after.root, after.objects) == (before.root, before.objects)
        assert not any(after.read(item.key).startswith(mark) for item in after.objects)
        assert "AD630" in {f.id for f in after.findings}

    def test_a_yaml_template_is_published_as_json(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        name = add_stack(folder, "custom", "mine", "customCloudformation", {}, env="dev")
        set_value(folder, MANIFEST, f"{NODES}/{name}/templateFile", "custom/mine/mine-template.yaml")
        topic = "{Type: AWS::SNS::Topic, Properties: {TopicName: !Ref env}}"
        text = f"Parameters: {{env: {{Type: String}}}}\nResources:\n  T: {topic}\n"
        apply(folder, [["remove", "custom/mine/mine-cloudformation-template.json"]])
        apply(folder, [["write", "custom/mine/mine-template.yaml", text]])
        found = body(assemble(read_export(folder)), name)["Resources"]["T"]
        assert found == {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "env"}}}

    def test_a_template_without_resources_gets_a_placeholder(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        name = add_stack(folder, "custom", "mine", "customCDK", {"Parameters": {}})
        assert list(body(assemble(read_export(folder)), name)["Resources"]) == ["Placeholder"]

    def test_a_macro_is_passed_through(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        template = {"Transform": "AWS::LanguageExtensions", "Resources": {"H": HANDLE}}
        name = add_stack(folder, "custom", "mine", "customCloudformation", template)
        assert body(assemble(read_export(folder)), name)["Transform"] == "AWS::LanguageExtensions"


class TestRoot:
    def test_what_amplify_pull_needs_is_kept(self, assembly_of: Callable[[str], Assembly]) -> None:
        root = render_root(assembly_of("full"), EnvironmentValues("dev", 1), "bucket")
        assert {"Region", "StackName", "StackId", "AuthRoleArn", "UnauthRoleArn"} <= set(root.template["Outputs"])
        stacks = {n for n, r in root.template["Resources"].items() if r["Type"] == "AWS::CloudFormation::Stack"}
        assert {"apifullapp", "authfullappauth", "storagefullappstorage", "functionhelloFn"} <= stacks

    def test_the_deployment_bucket_survives_no_failed_create(self, assembly_of: Callable[[str], Assembly]) -> None:
        bucket = assembly_of("full").root_template["Resources"]["DeploymentBucket"]
        assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"

    def test_a_null_is_no_value(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        set_value(folder, MANIFEST, f"{NODES}/apifullapp/parameters/DynamoDBBillingMode", None)
        assert "DynamoDBBillingMode" not in assemble(read_export(folder)).root.nested["apifullapp"].parameters

    def test_a_root_without_depends_on_still_waits_for_its_roles(self, export_copy: Copy) -> None:
        folder = export_copy("iam")
        apply(folder, [["set", ROOT, "/Resources/apiiamapp/DependsOn", "authiamappauth"]])
        item = assemble(read_export(folder)).root_template["Resources"]["apiiamapp"]
        assert item["DependsOn"] == ["authiamappauth", "AuthRole", "UnauthRole"]
        delete_value(folder, ROOT, "/Resources/apiiamapp/DependsOn")
        assert assemble(read_export(folder)).root_template["Resources"]["apiiamapp"]["DependsOn"] == [
            "AuthRole",
            "UnauthRole",
        ]


@pytest.mark.large
def test_container_api(large_export: Callable[[str], Path]) -> None:
    """The zip as CodePipeline's source and the awaiter's code lie in the staging bucket, which is versioned."""
    secret = ("authkitchenappauth", "hostedUIProviderCreds")
    assembly = kept_assembly(large_export("kitchen"), frozenset({secret}))
    values = assembly.root.nested["apicontainerapi"].parameters
    assert values["deploymentBucketName"] == Value("staging-bucket")
    for parameter in ("ParamZipPath", "awaiterS3Key"):
        assert values[parameter].source == "object"
        assert assembly.read(values[parameter].text).startswith(b"PK")
    root = render_root(assembly, EnvironmentValues("prod", 1, secrets=frozenset({secret})), "staging")
    passed = called(root.template, "apicontainerapi")
    assert passed["deploymentBucketName"] == "staging"
    assert passed["rootStackName"] == {"Ref": "AWS::StackName"}
    layer = body(assembly, "functionkitchenappnodelayer")
    assert "s3Key" not in layer["Parameters"]
    deployments = [n for n in body(assembly, "apiAdminQueries")["Resources"] if n.startswith("DeploymentAPIGW")]
    assert deployments != ["DeploymentAPIGWAdminQueriesa92e8889"]
    assert len(deployments) == 1


@pytest.mark.large
def test_large_publishes_each_content_once(large_export: Callable[[str], Path]) -> None:
    assembly = kept_assembly(large_export("large"))
    assert len(assembly.objects) <= 800
    assert len({o.sha256 for o in assembly.objects}) == len(assembly.objects)
