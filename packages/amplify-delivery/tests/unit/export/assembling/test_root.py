"""The root of one environment: layers of values, what is refused, names, quotas, outputs, tags."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from amplify_delivery.export import (
    Assembly,
    ConfigError,
    EnvironmentValues,
    RootStack,
    StackName,
    assemble,
    exported_values,
    read_export,
    render_root,
)
from unit.export.mutations import EXPORTS, MANIFEST, apply, set_value

Copy = Callable[[str], Path]
NODES = "/props/loadNestedStacks"
API = "api/fullapp/cloudformation-template.json"


@pytest.fixture
def assembly(assembly_of: Callable[[str], Assembly]) -> Assembly:
    return assembly_of("full")


def parameters(root: RootStack, stack: str = "apifullapp") -> dict[str, object]:
    found: dict[str, object] = root.template["Resources"][stack]["Properties"]["Parameters"]
    return found


def render(assembly: Assembly, **values: object) -> RootStack:
    return render_root(assembly, EnvironmentValues("prod", 1, **values), "staging")  # type: ignore[arg-type]


class TestNames:
    def test_everything_is_named_after_the_environment(self, assembly: Assembly) -> None:
        root = render(assembly, suffix="2b9fb")
        assert root.stack_name == "amplify-fullapp-prod-2b9fb"
        assert root.parameters["DeploymentBucketName"] == "amplify-fullapp-prod-2b9fb-deployment"
        assert root.parameters["AuthRoleName"] == "amplify-fullapp-prod-2b9fb-authRole"
        assert parameters(root)["env"] == "prod"
        assert parameters(root)["S3DeploymentBucket"] == "staging"
        assert root.tags == {"user:Stack": "prod", "user:Application": "fullapp"}

    def test_the_template_is_an_object_by_its_content(self, assembly: Assembly) -> None:
        root = render(assembly)
        assert root.object.key == f"templates/{root.object.sha256}.json"
        assert root.object.size == len(root.body)
        assert render(assembly).object == root.object
        assert render_root(assembly, EnvironmentValues("prod", 1), "other-bucket").object != root.object

    def test_nested_templates_are_in_the_staging_bucket(self, assembly: Assembly) -> None:
        url = render(assembly).template["Resources"]["apifullapp"]["Properties"]["TemplateURL"]["Fn::Sub"]
        assert (
            url
            == f"https://s3.${{AWS::Region}}.${{AWS::URLSuffix}}/staging/{assembly.root.nested['apifullapp'].template}"
        )

    def test_a_bucket_name_that_is_too_long(self, assembly: Assembly) -> None:
        with pytest.raises(ConfigError, match="has 70 characters, S3 allows 63"):
            render(assembly, parameters={"root": {"DeploymentBucketName": "x" * 70}})

    def test_an_environment_has_tags_beside_the_exports(self, assembly: Assembly) -> None:
        own = render(assembly, tags={"cost-center": "42"}).tags
        assert own == {**render(assembly).tags, "cost-center": "42"}
        for key in ("user:Stack", "USER:stack"):
            with pytest.raises(ConfigError, match="'user:Stack' is a tag of the export"):
                render(assembly, tags={key: "dev"})
        with pytest.raises(ConfigError, match="49 beside 2 of the export, where CloudFormation takes 50"):
            render(assembly, tags={f"key{n}": "x" for n in range(49)})

    def test_names_in_a_tag_are_filled_in_as_the_cli_does(self, assembly: Assembly) -> None:
        tagged = replace(assembly, tags=(("a", "{project-env}/{project-env}/{project-name}"),))
        assert render(tagged).tags == {"a": "prod/prod/fullapp"}
        with pytest.raises(ConfigError, match="tag 'a' has 258 characters"):
            render(replace(assembly, tags=(("a", "x" * 254 + "{project-env}"),)))


class TestParameters:
    def test_the_environments_own_value_wins(self, assembly: Assembly) -> None:
        root = render(assembly, parameters={"apifullapp": {"DynamoDBBillingMode": "PROVISIONED"}})
        assert parameters(root)["DynamoDBBillingMode"] == "PROVISIONED"

    def test_a_parameter_that_the_manifest_does_not_give(self, assembly: Assembly) -> None:
        root = render(assembly, parameters={"apifullapp": {"DynamoDBModelTableReadIOPS": "50"}})
        assert parameters(root)["DynamoDBModelTableReadIOPS"] == "50"

    def test_a_parameter_of_the_root(self, assembly: Assembly) -> None:
        root = render(assembly, parameters={"root": {"AuthRoleName": "mine"}})
        assert root.parameters["AuthRoleName"] == "mine"

    @pytest.mark.parametrize(
        ("values", "says"),
        [
            ({"apifulapp": {}}, "there is no nested stack 'apifulapp', did you mean 'apifullapp'?"),
            ({"apifullapp": {"BilingMode": "x"}}, "no parameter 'BilingMode', did you mean 'DynamoDBBillingMode'?"),
            ({"root": {"AuthRolName": "x"}}, "root has no parameter 'AuthRolName', did you mean 'AuthRoleName'?"),
            ({"apifullapp": {"env": "x"}}, "apifullapp.env is set by the assembly itself"),
            ({"apifullapp": {"S3DeploymentBucket": "x"}}, "S3DeploymentBucket is set by the assembly itself"),
            ({"functionhelloFn": {"s3Key": "x"}}, "functionhelloFn.s3Key is set by the assembly itself"),
            ({"apifullapp": {"authRoleName": "x"}}, "authRoleName is set by the assembly itself"),
            ({"apifullapp": {"ApiKeyExpires": "x"}}, "ApiKeyExpires is set by the assembly itself"),
            ({"apifullapp": {"S3DeploymentRootKey": "x"}}, "apifullapp has no parameter 'S3DeploymentRootKey'"),
            ({"apifullapp": {"DynamoDBBillingMode": "FREE"}}, "apifullapp.DynamoDBBillingMode is 'FREE'"),
            ({"apifullapp": {"AppSyncApiName": "x" * 4097}}, "AppSyncApiName is longer than CloudFormation's"),
            ({"root": {"AuthRoleName": "x" * 4097}}, "root.AuthRoleName is longer"),
        ],
    )  # fmt: skip
    def test_what_is_refused(self, values: dict[str, dict[str, str]], says: str, assembly: Assembly) -> None:
        with pytest.raises(ConfigError) as error:
            render(assembly, parameters=values)
        assert says in str(error.value)

    @pytest.mark.parametrize(
        ("secret", "says"),
        [
            (("apifullapp", "Unknown"), "no parameter 'Unknown'"),
            (("apifulapp", "x"), "there is no nested stack"),
            (("root", "AuthRoleName"), "cannot be a secret"),
            (("apifullapp", "env"), "is set by the assembly itself"),
        ],
    )
    def test_secrets_that_are_refused(self, secret: tuple[str, str], says: str, assembly: Assembly) -> None:
        with pytest.raises(ConfigError, match=says):
            render(assembly, secrets=frozenset({secret}))


class TestSecondExport:
    @pytest.fixture
    def prod(self, export_copy: Copy) -> Path:
        """The same project's export of its environment `prod`."""
        folder = export_copy("full")
        text = (folder / MANIFEST).read_text().replace("amplify-fullapp-dev-6c2af", "amplify-fullapp-prod-2b9fb")
        apply(folder, [["write", MANIFEST, text.replace('"env": "dev"', '"env": "prod"')]])
        set_value(folder, MANIFEST, f"{NODES}/apifullapp/parameters/DynamoDBBillingMode", "PROVISIONED")
        set_value(folder, MANIFEST, f"{NODES}/apifullapp/parameters/DynamoDBModelTableReadIOPS", 50)
        return folder

    def test_gives_its_values_and_its_suffix(self, prod: Path, assembly: Assembly) -> None:
        root = render(assembly, from_export=exported_values(read_export(prod)))
        assert root.stack_name == "amplify-fullapp-prod-2b9fb"
        assert parameters(root)["DynamoDBBillingMode"] == "PROVISIONED"
        assert parameters(root)["DynamoDBModelTableReadIOPS"] == "50"

    def test_deploys_what_its_own_assembly_would(self, prod: Path, assembly: Assembly) -> None:
        """Publishing once and giving each environment its values is exact."""
        from_prod = render(assemble(read_export(prod)))
        assert render(assembly, from_export=exported_values(read_export(prod))).body == from_prod.body

    def test_is_weaker_than_the_environments_own_values(self, prod: Path, assembly: Assembly) -> None:
        root = render(
            assembly,
            suffix="abcde",
            from_export=exported_values(read_export(prod)),
            parameters={"apifullapp": {"DynamoDBBillingMode": "PAY_PER_REQUEST"}},
        )
        assert root.stack_name == "amplify-fullapp-prod-abcde"
        assert parameters(root)["DynamoDBBillingMode"] == "PAY_PER_REQUEST"

    def test_of_another_environment_gives_values_only(self, prod: Path, assembly: Assembly) -> None:
        values = EnvironmentValues("staging", 1, from_export=exported_values(read_export(prod)))
        root = render_root(assembly, values, "staging")
        assert root.stack_name == "amplify-fullapp-staging-6c2af"
        assert parameters(root)["DynamoDBBillingMode"] == "PROVISIONED"

    def test_names_that_nothing_takes_any_more_are_left_out(self, prod: Path, assembly: Assembly) -> None:
        set_value(prod, MANIFEST, f"{NODES}/apifullapp/parameters/AuthModeLastUpdated", "2026-11-20")
        set_value(prod, API, "/Parameters/Old", {"Type": "String"})
        set_value(prod, MANIFEST, f"{NODES}/apifullapp/parameters/Old", "x")
        found = exported_values(read_export(prod))
        assert "AuthModeLastUpdated" not in found["apifullapp"]
        assert "Old" not in parameters(render(assembly, from_export=found))

    def test_does_not_replace_what_the_root_wires(self, prod: Path, assembly: Assembly) -> None:
        set_value(prod, MANIFEST, f"{NODES}/apifullapp/parameters/authRoleName", "frozen")
        root = render(assembly, from_export=exported_values(read_export(prod)))
        assert parameters(root)["authRoleName"] == {"Ref": "AuthRoleName"}

    def test_of_another_project_is_refused(self, assembly: Assembly) -> None:
        other = exported_values(read_export(EXPORTS["todo"]))
        with pytest.raises(ConfigError, match="the second export is of project mytodoapp, this one of fullapp"):
            render(assembly, from_export=other)

    def test_with_a_value_that_is_not_allowed_is_refused(self, prod: Path, assembly: Assembly) -> None:
        set_value(prod, MANIFEST, f"{NODES}/apifullapp/parameters/DynamoDBBillingMode", "FREE")
        with pytest.raises(ConfigError, match=r"apifullapp\.DynamoDBBillingMode is 'FREE'"):
            render(assembly, from_export=exported_values(read_export(prod)))

    def test_plain_values_are_taken_too(self, assembly: Assembly) -> None:
        root = render(assembly, from_export={"apifullapp": {"DynamoDBBillingMode": "PROVISIONED"}})
        assert parameters(root)["DynamoDBBillingMode"] == "PROVISIONED"


class TestOutputs:
    def test_nested_outputs_are_repeated(self, assembly: Assembly) -> None:
        root = render(assembly)
        name = root.outputs["functionhelloFn", "Arn"]
        assert root.template["Outputs"][name] == {"Value": {"Fn::GetAtt": ["functionhelloFn", "Outputs.Arn"]}}

    def test_no_more_than_the_quota(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        for stack in ("function/helloFn/helloFn", "auth/fullappauth/fullappauth"):
            apply(folder, [["fill", f"{stack}-cloudformation-template.json", "/Outputs", 150, {"Value": "x"}]])
        root = render(assemble(read_export(folder)))
        assert len(root.template["Outputs"]) == 200
        assert {"Region", "StackName", "AuthRoleArn"} <= set(root.template["Outputs"])

    def test_an_output_that_may_not_exist_is_left_out(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        condition = {"Condition": "HasEnvironmentParameter", "Value": "x"}
        set_value(folder, API, "/Conditions", {"HasEnvironmentParameter": {"Fn::Equals": ["a", "b"]}})
        set_value(folder, API, "/Outputs/Maybe", condition)
        assert ("apifullapp", "Maybe") not in render(assemble(read_export(folder))).outputs


def test_a_root_with_too_many_parameters(export_copy: Copy) -> None:
    folder = export_copy("full")
    apply(folder, [["fill", "root-stack-template.json", "/Parameters", 196, {"Type": "String", "Default": ""}]])
    template = "auth/fullappauth/fullappauth-cloudformation-template.json"
    set_value(folder, template, "/Parameters/token", {"Type": "String", "NoEcho": True, "Default": ""})
    assembly = assemble(read_export(folder))
    assert len(render(assembly).template["Parameters"]) == 200
    with pytest.raises(ConfigError, match="the root has 201 parameters, the quota is 200"):
        render(assembly, secrets=frozenset({("authfullappauth", "token")}))


def test_a_root_that_is_too_large(assembly: Assembly) -> None:
    template = {**assembly.root_template, "Metadata": {"text": "x" * 1_000_000}}
    with pytest.raises(ConfigError, match="the root template has"):
        render(replace(assembly, root_template=template))


def test_a_suffix_with_capitals_makes_no_bucket(assembly_of: Callable[[str], Assembly]) -> None:
    with pytest.raises(ConfigError, match="amplify-fullapp-prod-Ab1-deployment has capitals") as refused:
        render_root(assembly_of("full"), EnvironmentValues("prod", 1, "Ab1"), "staging")
    assert "suffix" in refused.value.remedy


def test_an_exported_environment_of_any_name_is_rendered(assembly: Assembly) -> None:
    old = replace(assembly, stack_name=StackName("amplify", "fullapp", "Development1", "6c2af"))
    assert render_root(old, EnvironmentValues("Development1", 1), "staging").stack_name.endswith("-Development1-6c2af")


def test_the_stack_is_told_which_template_it_is_called_with(assembly: Assembly) -> None:
    """So that a refresh sees an update that was rolled back: parameters are read back, a template's address is not."""
    root = render(assembly)
    assert root.parameters["RootTemplateKey"] == root.object.key
    assert root.template["Parameters"]["RootTemplateKey"]["Type"] == "String"
    assert '"Ref":"RootTemplateKey"' not in root.body.decode()
