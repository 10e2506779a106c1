"""What an adopted environment keeps of how it runs, and what it must not write in clear."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from amplify_delivery.changes.stacks import MASK, Stacks
from amplify_delivery.delivery.adoption import refusing
from amplify_delivery.delivery.adoption.kept import Kept, inlined, kept, plain_secrets, same_value
from amplify_delivery.delivery.adoption.running import Running
from amplify_delivery.errors import ConfigError, RefusedError
from amplify_delivery.export import Assembly, EnvironmentValues, render_root
from amplify_delivery.export.assembly import Value
from amplify_delivery.export.documents import parse_json
from amplify_delivery.export.names import StackName
from amplify_delivery.export.tags import of_stack
from amplify_delivery.stacks.config import EnvironmentConfig
from unit.components.backends import EXPIRES, assembly_of, folder

AUTH, API = "authfullappauth", "apifullapp"
VALUES = EnvironmentValues("dev", EXPIRES)
GIVEN = replace(VALUES, parameters={"root": {"ApiKeyExpires": "1"}})
"""With an expiry that stands in the file already."""
CREDENTIALS = '[{"ProviderName":"Google","client_id":"an-id","client_secret":"hush"}]'


@pytest.fixture(scope="module")
def assembly() -> Assembly:
    return assembly_of(folder("fullapp"))


def as_pushed(assembly: Assembly, **changed: Mapping[str, str]) -> Running:
    """The app as if its export had been pushed as it is, but for values that were `changed`, by nested stack."""
    name = assembly.stack_name.for_environment("dev", None)
    root = render_root(assembly, VALUES, "deployment-bucket")
    templates: dict[tuple[str, ...], Any] = {(): json.loads(root.body)}
    nested: dict[str, dict[str, str]] = {}
    for stack, held in assembly.root.nested.items():
        body = parse_json(assembly.read(held.template))
        templates[stack,] = body
        resource = templates[()]["Resources"][stack]["Properties"]
        given = {k: v for k, v in resource.get("Parameters", {}).items() if isinstance(v, str)}
        given.update(changed.get(stack, {}))
        resource["Parameters"] = {**resource.get("Parameters", {}), **given}
        declared = body.get("Parameters", {})
        nested[stack] = {k: MASK if declared[k].get("NoEcho") else v for k, v in given.items() if k in declared}
    parameters = {k: v for k, v in root.parameters.items() if k not in ("RootTemplateKey", "ApiKeyExpires")}
    return Running("arn", name, Stacks(templates, parameters), nested)


def secret_parameter(running: Running, stack: str, parameter: str) -> Running:
    """The same, with a template that keeps this parameter to itself."""
    templates = json.loads(json.dumps({"/".join(p): t for p, t in running.stacks.templates.items()}))
    templates[stack]["Parameters"][parameter]["NoEcho"] = True
    found = Stacks({tuple(p.split("/")) if p else (): t for p, t in templates.items()}, running.stacks.parameters)
    nested = {**running.nested, stack: {**running.nested[stack], parameter: MASK}}
    return replace(running, stacks=found, nested=nested)


def test_of_what_runs_as_exported_nothing_is_written_but_the_keys_expiry(assembly: Assembly) -> None:
    found = as_pushed(assembly)
    assert kept(found, assembly, VALUES, None) == Kept({"root": {"ApiKeyExpires": str(EXPIRES)}}, {})


def test_what_differs_is_kept_by_nested_stack(assembly: Assembly) -> None:
    found = as_pushed(assembly, **{AUTH: {"mfaConfiguration": "OPTIONAL"}})
    assert kept(found, assembly, GIVEN, None).parameters == {AUTH: {"mfaConfiguration": "OPTIONAL"}}
    # Not again what the stack file says already, and not what is not the environment's to set.
    has = replace(GIVEN, parameters={**GIVEN.parameters, AUTH: {"mfaConfiguration": "OPTIONAL"}})
    assert kept(found, assembly, has, None) == Kept({}, {})
    moved = as_pushed(assembly, **{API: {"env": "dev", "S3DeploymentBucket": "another"}})
    assert kept(moved, assembly, GIVEN, None) == Kept({}, {})


def test_the_roots_own_names_and_the_running_keys_expiry_are_kept(assembly: Assembly) -> None:
    found = as_pushed(assembly)
    parameters = {**found.stacks.parameters, "AuthRoleName": "an-old-role"}
    found = replace(found, stacks=Stacks(found.stacks.templates, parameters))
    assert kept(found, assembly, VALUES, 1_800_003_600).parameters == {
        "root": {"AuthRoleName": "an-old-role", "ApiKeyExpires": "1800003600"}
    }


def test_tags_that_somebody_has_added_are_kept_beside_the_exports(assembly: Assembly) -> None:
    """An update without them would take them from every resource of the backend."""
    own = of_stack(assembly.tags, assembly.stack_name.for_environment("dev", None), {})
    assert own
    tags = dict.fromkeys(own, "another value") | {"cost-center": "4711", "amplify-delivery:app": "ours"}
    found = replace(as_pushed(assembly), tags=tags)
    assert kept(found, assembly, GIVEN, None) == Kept({}, {}, tags={"cost-center": "4711"})
    assert kept(found, assembly, replace(GIVEN, tags={"Cost-Center": "1"}), None) == Kept({}, {})


def test_a_secret_in_plain_text_becomes_one_and_is_not_shown(assembly: Assembly) -> None:
    found = as_pushed(assembly, **{AUTH: {"smsVerificationMessage": CREDENTIALS}})
    found = secret_parameter(found, AUTH, "smsVerificationMessage")
    key = (AUTH, "smsVerificationMessage")
    assert plain_secrets(found.stacks) == {key: CREDENTIALS}
    taken = kept(found, assembly, GIVEN, None)
    assert (taken.parameters, taken.secrets) == ({}, {key: CREDENTIALS})
    assert "hush" not in repr(taken)
    assert kept(found, assembly, replace(GIVEN, secrets=frozenset({key})), None) == Kept({}, {})
    none = secret_parameter(as_pushed(assembly, **{AUTH: {"smsVerificationMessage": "[]"}}), *key)
    assert kept(none, assembly, GIVEN, None) == Kept({}, {})


def test_a_secret_that_runs_and_that_nobody_tells_is_known_as_such(assembly: Assembly) -> None:
    """The root that runs got it as a parameter of its own, which CloudFormation masks."""
    key = (AUTH, "smsVerificationMessage")
    nested = assembly.root.nested[AUTH]
    secret = replace(nested, parameters={**nested.parameters, key[1]: Value("secret")})
    wanted = replace(assembly, root=replace(assembly.root, nested={**assembly.root.nested, AUTH: secret}))
    found = secret_parameter(as_pushed(assembly, **{AUTH: {key[1]: "x"}}), *key)
    found.stacks.templates[()]["Resources"][AUTH]["Properties"]["Parameters"][key[1]] = {"Ref": "Message"}
    assert kept(found, wanted, GIVEN, None).unknown == (key,)
    assert kept(found, wanted, replace(GIVEN, secrets=frozenset({key})), None).unknown == ()
    assert kept(found, assembly, GIVEN, None).unknown == (), "the export says what it is"


def test_the_pool_whose_users_the_auth_roles_trust_is_kept(assembly: Assembly) -> None:
    found = replace(as_pushed(assembly), outputs={API: {"GraphQLAPIIdOutput": "a"}, AUTH: {"IdentityPoolId": "pool"}})
    assert kept(found, assembly, GIVEN, None).parameters == {"root": {"AuthIdentityPool": "pool"}}
    two = replace(found, outputs={**found.outputs, "other": {"IdentityPoolId": "another"}})
    assert kept(two, assembly, GIVEN, None).parameters == {}


def test_a_secret_that_the_construct_has_written_into_the_nested_template_is_found() -> None:
    """Its templates have no parameters: the values stand where the export's refer to them."""

    def template(value: Any, **parameters: Any) -> dict[str, Any]:
        properties = {"userPoolId": {"Ref": "UserPool"}, "creds": value, "list": ["a", value]}
        return {"Parameters": parameters, "Resources": {"Providers": {"Type": "Custom::X", "Properties": properties}}}

    secret, plain = {"creds": {"Type": "String", "NoEcho": True}}, {"creds": {"Type": "String"}}
    wanted = template({"Ref": "creds"}, **secret)
    assert dict(inlined(template("hush"), wanted)) == {"creds": "hush"}
    assert dict(inlined(template({"Ref": "other"}), wanted)) == {}
    assert dict(inlined(template("hush"), template({"Ref": "creds"}, **plain))) == {}
    assert dict(inlined(template("hush", **secret), wanted)) == {}  # it has the parameter: the root says its value
    two = template("hush")
    two["Resources"]["Providers"]["Properties"]["creds"] = "another"
    assert dict(inlined(two, wanted)) == {"creds": None}


def test_another_environments_export_is_refused_unless_a_second_one_is_this_ones(assembly: Assembly) -> None:
    config = EnvironmentConfig(account="012345678901", region="eu-west-1", environment="prod")
    name = StackName("amplify", "fullapp", "prod", "abcde")
    with pytest.raises(ConfigError, match="the export of the environment 'dev', and 'prod' is to be adopted") as caught:
        refusing.check_export(assembly, config, name)
    assert "amplify env checkout prod" in caught.value.remedy
    refusing.check_export(assembly, config.model_copy(update={"values_from": "prod-export"}), name)
    refusing.check_export(assembly, config, replace(name, environment="dev"))
    # A pipeline delivers all of its environments from one: what was ours before may come back so.
    refusing.check_export(assembly, config, name, ours=True)


def test_a_stack_of_another_pulumi_stack_is_refused(assembly: Assembly) -> None:
    pushed = as_pushed(assembly)
    refusing.check_state("dev", pushed, None)
    refusing.check_state("dev", pushed, {"id": "arn"})
    with pytest.raises(RefusedError, match="this Pulumi stack delivers another already"):
        refusing.check_state("dev", pushed, {"id": "another"})
    ours = Stacks(pushed.stacks.templates, {**pushed.stacks.parameters, "RootTemplateKey": "templates/x.json"})
    with pytest.raises(RefusedError, match="another Pulumi stack of Amplify Delivery delivers it"):
        refusing.check_state("dev", replace(pushed, stacks=ours), None)
    refusing.check_state("dev", replace(pushed, stacks=ours), None, lost=True)


def test_a_secret_that_nobody_tells_has_to_be_given() -> None:
    refusing.check_known(Kept({}, {}), "Pulumi.dev.yaml")
    with pytest.raises(ConfigError, match=r"CloudFormation does not show the running values of") as caught:
        refusing.check_known(Kept({}, {}, (("authx", "creds"),)), "Pulumi.dev.yaml")
    assert "`pulumi config set -s dev --secret --path 'parameters.authx.creds'`" in caught.value.remedy


def test_a_list_is_compared_item_by_item() -> None:
    assert same_value("email,phone_number", "email, phone_number", {"Type": "CommaDelimitedList"})
    assert not same_value("phone_number,email", "email, phone_number", {"Type": "CommaDelimitedList"})
    assert not same_value("a,b", "a, b", {"Type": "String"})
    assert not same_value("a", None, {"Type": "CommaDelimitedList"})


def test_what_somebody_has_chosen_since_the_adoption_is_not_written_over() -> None:
    found = Kept({AUTH: {"a": "runs", "b": "runs"}, API: {"c": "runs"}}, {(AUTH, "d"): "x"}, ((API, "e"),))
    left = found.beside({AUTH: {"a": "chosen"}, API: {"c": "chosen"}})
    assert left == Kept({AUTH: {"b": "runs"}}, {(AUTH, "d"): "x"}, ((API, "e"),))
    assert found.beside({}) == found
