"""The components as a Pulumi package: its schema says all that they take and give, and they declare what ours do."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pydantic.alias_generators import to_camel

from amplify_delivery.components.staging_area import StagingAreaArgs
from amplify_delivery.stacks.config import EnvironmentConfig, Stage
from amplify_delivery.stacks.packaged import arguments, documentation, host
from unit.components.backends import folder
from unit.components.recorder import STACK, Recording, record
from unit.places import REPOSITORY

BACKEND, STAGING = "amplify-delivery:index:AmplifyBackend", "amplify-delivery:index:StagingArea"
PLACE = {"account": "012345678901", "region": "eu-west-1", "environment": "dev"}
ARGS = {**PLACE, "export": str(folder("fullapp"))}
NOT_PASSED = {
    "program": "which component it is, says its type",
    "enrolled": "a former name, which no other language ever had",
    "drift": "only commands look for it",
    "disposable": "only commands collect what is disposable",
    "containerImages": "only commands build images, or the pipeline's Build",
    "imageFindings": "images are no component's",
    "replacedTables": "only commands deliver in several updates",
    "rollbackSkips": "only commands continue a failed rollback",
}
"""Keys of a stack file that no component takes."""


def schema() -> Any:
    return json.loads(host.schema())


@pytest.fixture(scope="module")
def package() -> host.Package:
    return host.Package(host.version())


@pytest.fixture
def empty_folder(tmp_path: Path) -> Iterator[Path]:
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


def construct(package: host.Package, kind: str, **inputs: Any) -> Recording:
    """What the engine would get, had a program in another language declared this."""

    def program() -> Any:
        made = package.construct("backend", kind, inputs)
        for name, value in made.state.items():
            pulumi.export(name, value)
        return made.urn

    return record(program)


def test_the_schema_is_committed() -> None:
    file = REPOSITORY / "docs/schema/pulumi-package.json"
    assert file.read_text() == host.schema(), f"run `python -m {host.__name__} > docs/schema/{file.name}`"


def test_an_sdk_for_go_has_a_type_for_each_list_that_a_program_writes(package: host.Package) -> None:
    """Unless a schema asks for all, Pulumi's generator leaves out the type of what only plain lists hold
    (`DataLossArgs`), and what it writes does not compile."""
    assert schema()["language"]["go"]["generateExtraInputTypes"] is True
    assert json.loads(package.schema or "")["language"] == schema()["language"]
    only_in_lists = schema()["resources"][BACKEND]["inputProperties"]["dataLoss"]
    assert only_in_lists["plain"] and only_in_lists["items"]["plain"]


def test_the_page_is_committed() -> None:
    page = (REPOSITORY / "docs/other-languages.md").read_text()
    assert page == documentation.page(), f"run `python -m {documentation.__name__} > docs/other-languages.md`"


def test_the_backend_takes_what_a_stack_file_says() -> None:
    taken = set(schema()["resources"][BACKEND]["inputProperties"])
    assert taken == {*EnvironmentConfig.written_names(), "secrets"} - NOT_PASSED.keys()
    assert set(schema()["resources"][BACKEND]["requiredInputs"]) == {"account", "region", "environment"}


def test_nested_arguments_are_those_of_a_stack_file() -> None:
    for name, model in host.DESCRIBED.items():
        declared = schema()["types"][f"amplify-delivery:index:{name}"]
        assert set(declared["properties"]) == {to_camel(key) for key in model.model_fields}
        required = {to_camel(key) for key, field in model.model_fields.items() if field.is_required()}
        if model is Stage:
            required.remove("environments")  # the stage's name in lower case
        assert set(declared.get("required", ())) == required


def test_the_staging_area_takes_all_that_ours_takes() -> None:
    fields = {to_camel(field.name) for field in dataclasses.fields(StagingAreaArgs)}
    assert set(schema()["resources"][STAGING]["inputProperties"]) == fields
    assert set(arguments.StagingAreaArgs.__annotations__) == {
        field.name for field in dataclasses.fields(StagingAreaArgs)
    }


def test_everything_is_described() -> None:
    described = [*schema()["resources"].values(), *schema()["types"].values()]
    assert all(item["description"] for item in described)
    properties = [
        p for item in described for kind in ("properties", "inputProperties") for p in item.get(kind, {}).items()
    ]
    assert len(properties) > 35
    assert [name for name, declared in properties if not declared.get("description")] == []


def test_what_is_required_has_no_default() -> None:
    backend = schema()["resources"][BACKEND]
    assert all("Default" not in backend["inputProperties"][name]["description"] for name in backend["requiredInputs"])


def test_secrets_and_nothing_else_may_come_from_other_resources() -> None:
    """The rest has to be known when the templates are rendered: it is `plain`."""
    taken = schema()["resources"][BACKEND]["inputProperties"]
    assert all(declared["plain"] for declared in taken.values())
    value = taken["secrets"]["additionalProperties"]["additionalProperties"]
    assert value["type"] == "string"
    assert "plain" not in value


def test_the_backend_declares_what_an_environments_program_does(package: host.Package) -> None:
    made = construct(package, BACKEND, **ARGS, secrets={"authfullappauth": {"userPoolName": "hushhush"}})
    provider = made.one("pulumi:providers:aws").inputs
    assert json.loads(provider["allowedAccountIds"]) == [PLACE["account"]]
    assert made.one(STACK).inputs["name"] == "amplify-fullapp-dev-6c2af"
    bucket = made.exports["stagingBucket"]
    assert bucket in made.one(STACK).inputs["templateUrl"]
    assert made.one("aws:s3/bucket:Bucket").inputs["bucket"] == bucket
    assert made.exports["stackName"] == "amplify-fullapp-dev-6c2af"
    assert set(made.exports) <= set(schema()["resources"][BACKEND]["properties"])
    component = next(r for r in made.all(BACKEND) if r.name == "backend")
    beside = [r.name for r in made.resources if r.request.parent == component.request.parent]
    assert beside == ["backend"], "all others are the component's"
    version = made.one("aws:secretsmanager/secretVersion:SecretVersion")
    assert version.inputs["secretStringWo"] == "hushhush"
    assert "secretStringWo" in version.secret


@pytest.mark.parametrize(
    ("secrets", "says"),
    [
        (lambda: pulumi.Output.secret({"authfullappauth": {"userPoolName": "x"}}), "only single values in it may be"),
        (lambda: {"authfullappauth": pulumi.Output.secret({"userPoolName": "x"})}, "only single values in it may be"),
        (lambda: {"authfullappauth": {"userPoolName": pulumi.Output.secret("x")}}, ""),
    ],
)
def test_values_of_secrets_may_be_secrets_and_mappings_of_them_may_not(
    package: host.Package, secrets: Callable[[], Any], says: str
) -> None:
    def program() -> None:
        package.construct("backend", BACKEND, {**ARGS, "secrets": secrets()})

    if not says:
        assert record(program).one("aws:secretsmanager/secretVersion:SecretVersion")
        return
    with pytest.raises(pulumi.InputPropertiesError) as raised:
        record(program)
    assert says in raised.value.message


def test_of_a_provider_that_is_given_it_is_said_that_it_is_not_used(package: host.Package) -> None:
    def program() -> None:
        for name, of in (("backend", "aws"), ("quiet", "other")):
            options = pulumi.ResourceOptions(providers={of: aws.Provider(f"{name}-theirs")})
            package.construct(name, BACKEND, ARGS, options)

    said = [text for _, text in record(program).messages]
    assert [text.partition(":")[0] for text in said if "is not used" in text] == ["backend"]


def test_everything_waits_for_the_place(package: host.Package) -> None:
    made = construct(package, BACKEND, **ARGS)
    place = next(r for r in made.all("pulumi:index:Stash") if r.name == "backend-place")
    assert place.urn in made.one("pulumi:providers:aws").depends_on
    assert {"backend-first-create", "backend-check", "backend-publish"} <= made.hooks.keys()


@pytest.mark.parametrize("protect", [True, False])
def test_what_the_root_needs_goes_after_what_remembers_its_name(package: host.Package, protect: bool) -> None:
    """Which is protected as the root is, and stays in the state where that has not, or not any more, the root."""
    secrets = {"authfullappauth": {"userPoolName": "hushhush"}}
    made = construct(package, BACKEND, **ARGS, secrets=secrets, protect=protect)
    needed = {r.urn for r in made.resources if r.type.startswith(("aws:s3/", "aws:secretsmanager/"))}
    assert len(needed) == 9
    identity = made.one("pulumi:index:Stash", "backend-identity")
    assert needed <= with_all_it_needs(made, identity.urn)
    assert made.one(STACK).urn not in with_all_it_needs(made, identity.urn)
    assert {identity.request.protect, made.one(STACK).request.protect} == {protect}


def with_all_it_needs(made: Recording, urn: str) -> set[str]:
    """URNs, of what stands above it too: a destroy comes to all of these later."""
    by_urn, found, left = {r.urn: r for r in made.resources}, set[str](), [urn]
    while left:
        if (one := left.pop()) in by_urn and one not in found:
            found.add(one)
            left += [*by_urn[one].depends_on, by_urn[one].request.parent]
    return found


def test_of_a_bootstrapped_account_the_own_staging_area_and_role_are_used(package: host.Package) -> None:
    made = construct(package, BACKEND, **ARGS, bootstrapped=True)
    assert made.all("aws:s3/bucket:Bucket") == []
    assert made.one(STACK).inputs["iamRoleArn"].startswith(f"arn:aws:iam::{PLACE['account']}:role/")
    assert made.exports["stagingBucket"] in made.one(STACK).inputs["templateUrl"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"account": "1234"}, "12 digits"),
        ({"environment": "Prod"}, "environment"),
        ({"apiKeyExpires": "soon"}, "2027-05-01"),
        ({"assembly": "other"}, "exclude each other"),
        ({"export": "nowhere"}, "no such folder"),
        ({"secrets": {"authfullappauth": "hush"}}, "secrets.authfullappauth: 'hush' is not a mapping"),
        ({"parameters": {"apifullapp": {"AppSyncApiNam": "x"}}}, "AppSyncApiName"),
    ],
)
def test_a_users_mistake_is_told_without_a_traceback(package: host.Package, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(pulumi.InputPropertiesError) as raised:
        construct(package, BACKEND, **{**ARGS, **wrong})
    assert says in raised.value.message
    assert "Traceback" not in raised.value.message
    assert raised.value.errors == [], "the SDK's server wants a list"


def test_an_export_is_looked_for_in_the_programs_folder(package: host.Package, empty_folder: Path) -> None:
    with pytest.raises(pulumi.InputPropertiesError, match=r"there is no amplify-export-\* folder here"):
        construct(package, BACKEND, **PLACE)
    (empty_folder / "amplify-export-fullapp").symlink_to(folder("fullapp"))
    assert construct(package, BACKEND, **PLACE).one(STACK)


def test_a_defect_of_ours_keeps_its_traceback(package: host.Package, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amplify_delivery.stacks.packaged.backend.render_root", None)
    with pytest.raises(Exception, match="not callable"):
        construct(package, BACKEND, **ARGS)


def test_a_staging_area_of_its_own(package: host.Package) -> None:
    name = "mine-012345678901-eu-west-1-an"
    account = {"account": PLACE["account"], "region": PLACE["region"]}
    made = construct(package, STAGING, bucketName=name, customerKey=True, keyAlias="alias/mine", **account)
    assert made.one("aws:s3/bucket:Bucket").inputs["bucket"] == name
    assert made.one("aws:kms/alias:Alias").inputs["name"] == "alias/mine"
    assert made.exports["bucketName"] == name
