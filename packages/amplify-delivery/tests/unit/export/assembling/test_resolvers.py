"""Resolvers made free of the exported environment: what is taken out, what is left, and where it comes from instead."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.export import (
    Assembly,
    EnvironmentValues,
    ExportRefused,
    NestedStack,
    assemble,
    read_export,
    render_root,
)
from amplify_delivery.export.assembling.resolvers import Freed, free
from amplify_delivery.export.templates.exported import IDENTITY_POOL, Exported
from unit.export.assembling.reference_resolver import Deployed
from unit.export.assembling.same_resources import as_assembled, published_by_both
from unit.export.mutations import MANIFEST, apply, set_value

Copy = Callable[[str], Path]

POOL = "us-east-1:46acac6f-21d1-433c-93b9-d9d908c696fc"
OTHER_POOL = "us-east-1:00000000-21d1-433c-93b9-d9d908c696fc"
ROLES = '$util.qr($ctx.stash.put("adminRoles", ["a1LambdaRole-dev","support","b2-dev"]))'
CALLER = f'$util.qr($ctx.stash.put("identityPoolId", "{POOL}"))'
NODES = "/props/loadNestedStacks"
FOLDER = "api/fullapp/amplify-appsync-files"
CUSTOM = f"{FOLDER}/stacks/CustomResources.json"
ROOT = "root-stack-template.json"
CREDENTIALS = ("authmediavault1f08412d", "hostedUIProviderCreds")
"""What media-vault has not exported."""
API = "api/fullapp/cloudformation-template.json"
FREED = Freed(Exported("amplify-fullapp-dev-6c2af"), "env", frozenset({POOL}))


def resolver(**properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::AppSync::Resolver",
        "Properties": {"ApiId": "x", "TypeName": "Query", "FieldName": "echo", **properties},
    }


def joined(*parts: Any) -> dict[str, Any]:
    return {"Fn::Join": ["", list(parts)]}


def location(file: str) -> dict[str, str]:
    return {"Fn::Sub": f"s3://${{S3DeploymentBucket}}/${{S3DeploymentRootKey}}/resolvers/{file}"}


def body(assembly: Assembly, *path: str) -> dict[str, Any]:
    stack: NestedStack = assembly.root
    for name in path:
        stack = stack.nested[name]
    parsed: dict[str, Any] = json.loads(assembly.read(stack.template))
    return parsed


def deployed(assembly: Assembly, environment: str) -> Deployed:
    return as_assembled(
        assembly, render_root(assembly, EnvironmentValues(environment, 1), "staging-111122223333-eu-west-1-an")
    )


class TestTexts:
    def test_roles_that_end_in_the_environments_name(self) -> None:
        start = '$util.qr($ctx.stash.put("adminRoles", ["a1LambdaRole-'
        assert FREED.text(ROLES) == joined(start, {"Ref": "env"}, '","support","b2-', {"Ref": "env"}, '"]))')

    def test_roles_as_older_transformers_write_them(self) -> None:
        text = '#set( $adminRoles = ["a1-dev"] )\n#foreach( $adminRole in $adminRoles )'
        rest = '"] )\n#foreach( $adminRole in $adminRoles )'
        assert FREED.text(text) == joined('#set( $adminRoles = ["a1-', {"Ref": "env"}, rest)

    def test_the_identity_pool(self) -> None:
        start = '$util.qr($ctx.stash.put("identityPoolId", "'
        assert FREED.text(CALLER) == joined(start, {"Ref": "AuthIdentityPoolId"}, '"))')

    def test_what_was_composed_stays_composed(self) -> None:
        value = {"Fn::Sub": ["${Table}!\n" + CALLER, {"Table": {"Fn::GetAtt": ["T", "Arn"]}}]}
        new = FREED.text(value)
        assert new["Fn::Join"][1][0] == {"Fn::GetAtt": ["T", "Arn"]}
        assert {"Ref": "AuthIdentityPoolId"} in new["Fn::Join"][1]

    @pytest.mark.parametrize(
        "value",
        [
            '{"table": "orders-dev"}',
            '$util.qr($ctx.stash.put("adminRoles", ["support","a-devices"]))',
            f'$util.qr($ctx.stash.put("identityPoolId", "{OTHER_POOL}"))',
            {"Fn::Sub": "${Table}"},
            {"Ref": "Text"},
            "",
        ],
    )
    def test_everything_else_is_the_very_same(self, value: Any) -> None:
        assert FREED.text(value) is value

    def test_without_a_parameter_for_it_a_literal_stays(self) -> None:
        assert Freed(FREED.exported, None, None).text(ROLES + CALLER) == ROLES + CALLER

    @pytest.mark.parametrize("kind", ["Resolver", "FunctionConfiguration"])
    @pytest.mark.parametrize("text", ["RequestMappingTemplate", "ResponseMappingTemplate", "Code"])
    def test_every_text_of_a_resolver_and_of_a_function_of_one(self, kind: str, text: str) -> None:
        written: Any = {"R": {"Type": f"AWS::AppSync::{kind}", "Properties": {text: ROLES}}}
        assert free(written, FREED, lambda _: None) == (["R"], frozenset({"env"}))
        assert written["R"]["Properties"] == {text: FREED.text(ROLES)}
        located: Any = {"R": {"Type": f"AWS::AppSync::{kind}", "Properties": {f"{text}S3Location": location("x")}}}
        assert free(located, FREED, lambda _: ROLES) == (["R"], frozenset({"env"}))
        assert located["R"]["Properties"] == {text: FREED.text(ROLES)}

    def test_other_resources_are_left_alone(self) -> None:
        resources: Any = {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Code": ROLES}}}
        assert free(resources, FREED, lambda _: None) == ([], frozenset())


class TestTemplates:
    def test_both_reach_a_template_below_the_api(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        set_value(folder, CUSTOM, "/Resources/Echo", resolver(RequestMappingTemplate=ROLES + CALLER))
        text = deployed(assemble(read_export(folder)), "prod").resources["root/apifullapp/CustomResourcesjson/Echo"][1]
        assert '["a1LambdaRole-prod","support","b2-prod"]' in text["RequestMappingTemplate"]
        assert '"<root/authfullappauth/IdentityPool>"' in text["RequestMappingTemplate"]

    def test_in_the_apis_own_template(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        set_value(folder, API, "/Resources/Echo", resolver(ResponseMappingTemplate=ROLES))
        text = deployed(assemble(read_export(folder)), "prod").resources["root/apifullapp/Echo"][1]
        assert '["a1LambdaRole-prod","support","b2-prod"]' in text["ResponseMappingTemplate"]

    def test_the_name_that_the_transformer_has_for_the_environment_is_used(self, export_copy: Copy) -> None:
        """No further parameter where there is one: of 200 a large API has few left."""
        folder = export_copy("full")
        name = "referencetotransformerrootstackenv10C5A902Ref"
        apply(
            folder,
            [
                ["set", CUSTOM, "/Resources/Echo", resolver(RequestMappingTemplate=ROLES)],
                ["set", CUSTOM, f"/Parameters/{name}", {"Type": "String"}],
                ["delete", CUSTOM, "/Parameters/env"],
                ["set", API, f"/Resources/CustomResourcesjson/Properties/Parameters/{name}", {"Ref": "env"}],
            ],
        )
        custom = body(assemble(read_export(folder)), "apifullapp", "CustomResourcesjson")
        assert "env" not in custom["Parameters"]
        assert {"Ref": name} in custom["Resources"]["Echo"]["Properties"]["RequestMappingTemplate"]["Fn::Join"][1]

    def test_a_template_gains_the_environments_name(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        set_value(folder, CUSTOM, "/Resources/Echo", resolver(RequestMappingTemplate=ROLES))
        apply(folder, [["delete", CUSTOM, "/Parameters/env"]])
        text = deployed(assemble(read_export(folder)), "prod").resources["root/apifullapp/CustomResourcesjson/Echo"][1]
        assert '"b2-prod"' in text["RequestMappingTemplate"]

    def test_what_the_auth_stack_waits_for_keeps_the_id(self, export_copy: Copy) -> None:
        """A trigger that calls the API: the pool's stack is made after it."""
        folder = export_copy("full")
        set_value(folder, CUSTOM, "/Resources/Echo", resolver(RequestMappingTemplate=CALLER))
        depends = "/Resources/authfullappauth/DependsOn"
        apply(
            folder,
            [
                [
                    "delete",
                    "root-stack-template.json",
                    "/Resources/apifullapp/Properties/Parameters/AuthCognitoUserPoolId",
                ]
            ],
        )
        set_value(folder, "root-stack-template.json", depends, ["apifullapp"])
        set_value(folder, MANIFEST, f"{NODES}/apifullapp/parameters/AuthCognitoUserPoolId", "x")
        findings = {f.id for f in assemble(read_export(folder)).findings}
        assert "AD212" in findings
        assert "AD604" not in findings

    def test_two_pools_are_nobodys(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        set_value(folder, CUSTOM, "/Resources/Echo", resolver(RequestMappingTemplate=CALLER))
        set_value(folder, API, "/Resources/Echo", resolver(RequestMappingTemplate=CALLER.replace(POOL, OTHER_POOL)))
        assembly = assemble(read_export(folder))
        assert {b.literal for b in assembly.bound} == {POOL, OTHER_POOL}

    def test_a_parameter_of_that_name_is_the_users(self, export_copy: Copy) -> None:
        folder = export_copy("full")
        set_value(folder, CUSTOM, "/Resources/Echo", resolver(RequestMappingTemplate=CALLER))
        set_value(folder, CUSTOM, "/Parameters/AuthIdentityPoolId", {"Type": "String", "Default": ""})
        with pytest.raises(ExportRefused, match=r"AD408 .*has a AuthIdentityPoolId of its own"):
            assemble(read_export(folder))


class TestFiles:
    def _export(self, folder: Path, text: str, file: str = "Query.echo.req.vtl", **more: Any) -> Assembly:
        apply(
            folder,
            [
                ["write", f"{FOLDER}/resolvers/{file}", text],
                ["set", CUSTOM, "/Resources/Echo", resolver(RequestMappingTemplateS3Location=location(file), **more)],
            ],
        )
        return assemble(read_export(folder))

    def test_a_file_with_a_role_moves_into_the_template(self, export_copy: Copy) -> None:
        assembly = self._export(export_copy("full"), '#set( $adminRoles = ["a1-dev"] )\r\n${x}')
        echo = body(assembly, "apifullapp", "CustomResourcesjson")["Resources"]["Echo"]["Properties"]
        assert "RequestMappingTemplateS3Location" not in echo
        assert echo["RequestMappingTemplate"] == joined('#set( $adminRoles = ["a1-', {"Ref": "env"}, '"] )\n${x}')
        assert not any(b"a1-dev" in assembly.read(o.key) for o in assembly.objects)

    def test_a_file_that_compares_with_the_pool(self, export_copy: Copy) -> None:
        text = f'#if( $ctx.identity.cognitoIdentityPoolId == "{POOL}" )'
        assembly = self._export(export_copy("full"), text)
        echo = deployed(assembly, "prod").resources["root/apifullapp/CustomResourcesjson/Echo"][1]
        assert echo["RequestMappingTemplate"] == text.replace(POOL, "<root/authfullappauth/IdentityPool>")

    def test_every_other_file_stays_one(self, export_copy: Copy) -> None:
        assembly = self._export(export_copy("full"), "$context.args")
        echo = body(assembly, "apifullapp", "CustomResourcesjson")["Resources"]["Echo"]["Properties"]
        assert "RequestMappingTemplate" not in echo

    def test_a_file_too_long_for_a_template_is_told(self, export_copy: Copy) -> None:
        text = '#set( $adminRoles = ["a1-dev"] )' + "#" * 65_536
        assembly = self._export(export_copy("full"), text)
        (bound,) = assembly.bound
        assert (bound.literal, bound.finding.file) == ("a1-dev", f"{FOLDER}/resolvers/Query.echo.req.vtl")


APPS = [
    ("product-catalog", "recompiled"),
    ("product-catalog", "as-pushed"),
    ("media-vault", "recompiled"),
    ("media-vault", "as-pushed"),
    ("discussions", "recompiled"),
    ("discussions", "as-pushed"),
]


def _pool(folder: Path) -> dict[str, str]:
    """The identity pool's id, as the export has written it down, and what it means."""
    found = {m for file in folder.rglob("api/**/*.json") for m in IDENTITY_POOL.findall(file.read_text())}
    auth = next(d.name for d in sorted((folder / "auth").iterdir()) if d.is_dir() and d.name != "userPoolGroups")
    return dict.fromkeys(found, f"<root/auth{auth}/IdentityPool>")


@pytest.mark.parametrize(("app", "kind"), APPS)
def test_a_real_app_is_the_same_where_it_was_exported(
    app: str, kind: str, app_export: Callable[[str, str], Path]
) -> None:
    folder = app_export(app, kind)
    secrets = frozenset({CREDENTIALS} if app == "media-vault" else ())
    published_by_both(folder, secrets, _pool(folder))


@pytest.mark.parametrize(("app", "kind"), [*APPS, ("fitness-tracker", "as-pushed-AD206-remedied")])
def test_a_real_apps_resolvers_name_what_their_own_environment_has(
    app: str, kind: str, app_export: Callable[[str, str], Path]
) -> None:
    found = deployed(assemble(read_export(app_export(app, kind))), "copy").resources.values()
    own = {p.get("RoleName", "") for t, p in found if t == "AWS::IAM::Role"}
    own |= {p.get("FunctionName", "") for t, p in found if t == "AWS::Lambda::Function"}
    texts = [p["RequestMappingTemplate"] for t, p in found if t == "AWS::AppSync::Resolver"]
    named = [json.loads(m[1]) for text in texts if (m := re.search(r'put\("adminRoles", (\[.*?\])\)', text))]
    pools = [m[1] for text in texts if (m := re.search(r'put\("identityPoolId", "(.*?)"\)', text))]
    assert len(named) >= 15
    # The last one stands in the app's custom-roles.json, for all environments.
    assert {role for roles in named for role in roles} <= own | {"amplify-productcatalog"}
    assert not any("-main" in text for text in texts)
    assert all(pool.startswith("<root/auth") and pool.endswith("/IdentityPool>") for pool in pools)
    assert len(pools) == (len(named) if kind == "recompiled" else 0)
