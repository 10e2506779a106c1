"""`TargetAccount` of the Pulumi package: of plain arguments exactly what the account's program makes of stack files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from amplify_delivery.components.documents.environment import ACCOUNT_VERSION
from amplify_delivery.stacks.config import AccountConfig, EnvironmentConfig
from amplify_delivery.stacks.config.reader import own_keys_in
from amplify_delivery.stacks.packaged import account, host
from unit.components.recorder import Recording, record
from unit.places import REPOSITORY
from unit.stacks.projects import APP, ASKED_FOR, HOME, SMOKE_TEST, TOOLING, account_of, make, run, write

TYPE = "amplify-delivery:index:TargetAccount"
PIPELINE = {"name": "pipeline", "account": TOOLING, "region": HOME}
EVERYTHING: dict[str, Any] = {
    **ASKED_FOR,
    "rolesBoundary": f"arn:aws:iam::{account_of(0)}:policy/organization",
    "engine": {"url": "https://example.com/pulumi.tar.gz", "sha256": "0" * 64},
    "stepNetwork": {"vpc": "vpc-1", "subnets": ["subnet-1"], "securityGroups": ["sg-1"]},
    "profile": "administrator",
    "roleArn": f"arn:aws:iam::{account_of(0)}:role/administrator",
}
GITHUB = {"github": {"repository": "octo/shop", "ownerId": "11", "repositoryId": "22"}}
NOT_OF_ITS_OWN = {
    "program": "which component it is, says its type",
    "environments": "an environment for each component",
}
"""Keys of an account's stack file that the component does not take."""


def schema() -> Any:
    return json.loads(host.schema())


@pytest.fixture(scope="module")
def package() -> host.Package:
    return host.Package(host.version())


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("project"))


def construct(package: host.Package, **inputs: Any) -> Recording:
    """What the engine would get, had a program in another language declared this."""

    def program() -> None:
        for name, value in package.construct("preprod", TYPE, inputs).state.items():
            pulumi.export(name, value)

    return record(program)


def plain(value: Any) -> Any:
    """As a program of another language writes what stands in a stack file."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def place(directory: Path) -> dict[str, Any]:
    """The arguments that say what the project's files for `preprod` say; the pipeline's are `PIPELINE`."""
    written = own_keys_in(directory / "Pulumi.preprod.yaml")
    found: dict[str, Any] = plain({key: value for key, value in written.items() if key in account.OF_ENVIRONMENT})
    return {**found, "environment": "preprod", "export": str(directory / f"amplify-export-{APP}")}


def made(recording: Recording) -> dict[Any, Any]:
    """All that is registered in AWS with all its inputs, and what it waits for, by type and name. Without the account's
    stamps: `bootstrap` alone compares them, and writes one of them."""
    names = {r.urn: r.name for r in recording.resources}
    found: dict[Any, Any] = {}
    for each in recording.resources:
        stamp = str(each.inputs.get("name", "")).endswith(("bootstrap-digest", "bootstrap-done"))
        if each.type.startswith("aws") and not stamp:
            awaited = {names[urn] for urn in each.depends_on if urn in names}
            found[each.type, each.name] = (
                each.inputs,
                bool(each.request.protect),
                sorted(name for name in awaited if not name.endswith("-bootstrap-digest")),
                each.provider.split("::")[2].rpartition("$")[2],
            )
    return found


def test_it_takes_what_stack_files_say() -> None:
    taken = set(schema()["resources"][TYPE]["inputProperties"])
    of_files = {*account.OF_ENVIRONMENT, *AccountConfig.written_names()} - NOT_OF_ITS_OWN.keys()
    assert taken == of_files | {"stage", "neighbours", "secretNames"}
    assert set(account.OF_ENVIRONMENT) <= set(EnvironmentConfig.written_names())
    assert set(schema()["resources"][TYPE]["requiredInputs"]) == {"account", "region", "environment"}


def test_it_gives_what_the_accounts_stack_exports(package: host.Package, directory: Path) -> None:
    exports = construct(package, **place(directory), pipeline=PIPELINE).exports
    assert set(exports) == set(schema()["resources"][TYPE]["properties"])
    files = run(directory, "preprod-account").exports["preprod"]
    renamed = {"actionRole": "actionRoleArn", "executionRole": "executionRoleArn", "boundary": "boundaryArn"}
    assert exports == {renamed.get(key, key): value for key, value in files.items()}
    assert exports["version"] == str(ACCOUNT_VERSION)


@pytest.mark.parametrize(
    ("file", "more"),
    [
        ({}, {}),
        (EVERYTHING, {"stage": {"name": "PreProd", "post": [SMOKE_TEST], "bake": {"time": "4h"}}}),
        (GITHUB, {}),
    ],
    ids=["plain", "everything", "with a CI beside it"],
)
def test_it_makes_exactly_what_bootstrap_makes(
    package: host.Package, directory: Path, tmp_path: Path, file: dict[str, Any], more: dict[str, Any]
) -> None:
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    if more:
        make(tmp_path, stages=[more["stage"], {"name": "Prod1"}])
    write(tmp_path, "preprod-account", {"program": "account", **file})
    expected = run(tmp_path, "preprod-account")
    found = construct(package, **place(tmp_path), **plain(file), pipeline=PIPELINE, **more)
    assert len(made(expected)) > 35
    assert made(found) == made(expected)
    for kind in ("pulumi:providers:aws", "pulumi:providers:aws-native"):
        assert found.one(kind).inputs == expected.one(kind).inputs


def test_neighbours_are_out_of_reach_and_a_ci_may_come_alone(
    package: host.Package, directory: Path, tmp_path: Path
) -> None:
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    (tmp_path / "Pulumi.pipeline.yaml").unlink()
    for name, region in (("staging", HOME), ("load", "eu-west-1")):
        write(tmp_path, name, {"account": account_of(0), "region": region})
    write(tmp_path, "preprod-account", {"program": "account", **GITHUB})
    neighbours = [{"environment": "staging"}, {"environment": "load", "region": "eu-west-1"}]
    found = construct(package, **place(tmp_path), **GITHUB, neighbours=neighbours)
    assert made(found) == made(run(tmp_path, "preprod-account"))
    assert made(found) != made(construct(package, **place(tmp_path), **GITHUB))


def test_only_the_pipelines_role_may_assume_the_action_role(package: host.Package, directory: Path) -> None:
    """Said once more without the program beside it: what both have wrong, no comparison finds."""
    found = construct(package, **place(directory), pipeline=PIPELINE)
    (action,) = (r for r in found.all("aws-native:iam:Role") if r.inputs["roleName"] == f"{APP}-preprod-action")
    (statement,) = action.inputs["assumeRolePolicyDocument"]["Statement"]
    role = f"arn:aws:iam::{TOOLING}:role/amplify-delivery/{APP}/pipeline/pipeline/{APP}-pipeline"
    assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": role}}
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{TOOLING}:root"}


def test_nothing_is_planned_before_the_place_is_known_and_all_is_the_components(
    package: host.Package, directory: Path
) -> None:
    found = construct(package, **place(directory), pipeline=PIPELINE)
    stash = found.one("pulumi:index:Stash")
    for kind in ("pulumi:providers:aws", "pulumi:providers:aws-native"):
        assert stash.urn in found.one(kind).depends_on
    outer = next(r for r in found.all(TYPE) if f"{TYPE}${TYPE}" not in r.urn)
    assert [r.name for r in found.resources if r.request.parent == outer.request.parent] == ["preprod"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"account": "1234"}, "account: '1234' is not an AWS account, which has 12 digits"),
        ({"environment": "Prod"}, "environment: 'Prod' is not an environment"),
        ({"export": "nowhere"}, "no such folder"),
        ({"pipeline": None}, "it lets nobody in"),
        ({"pipeline": {**PIPELINE, "region": "eu-wset-1"}}, "pipeline.region: 'eu-wset-1' is not an AWS region"),
        ({"stage": {"name": "Prod1"}}, "the stage Prod1 does not deploy the environment 'preprod'"),
        ({"stage": {"name": "PreProd", "post": [{**SMOKE_TEST, "timeout": "soon"}]}}, "stage.post.0.timeout: 'soon'"),
        ({"stage": {"name": "PreProd"}, "pipeline": None, **GITHUB}, "no pipeline comes in"),
        ({"neighbours": [{"environment": "preprod"}]}, "preprod is not its own neighbour"),
        ({"neighbours": [{"environment": "staging"}] * 2}, "`neighbours` has an environment twice"),
        ({"rolesBoundary": "arn:aws:iam::999999999999:policy/x"}, "rolesBoundary is of account 999999999999"),
        ({"deployPolicies": ["arn:aws:iam::aws:policy/AdministratorAccess"]}, "would let `deploy` do anything"),
        ({"programTypes": ["AWS::Foo::Bar"]}, "AWS::Foo::Bar"),
        ({"programTipes": ["AWS::SQS::Queue"]}, "unknown key 'programTipes', did you mean 'programTypes'?"),
        ({"stage": {"name": "PreProd", "pots": []}}, "stage: unknown key 'pots', did you mean 'post'?"),
        ({"github": GITHUB["github"], "gitlab": {"project": "octo/shop", "projectId": "7"}}, "do not go together"),
        ({"parameters": {"apifullapp": {"AppSyncApiNam": "x"}}}, "AppSyncApiName"),
        ({"pipeline": {**PIPELINE, "name": "preprod-plan", "account": account_of(0)}}, "would both make"),
    ],
)
def test_a_users_mistake_is_told_without_a_traceback(
    package: host.Package, directory: Path, wrong: dict[str, Any], says: str
) -> None:
    with pytest.raises(pulumi.InputPropertiesError) as raised:
        construct(package, **{**place(directory), "pipeline": PIPELINE, **wrong})
    assert says in raised.value.message
    assert "Traceback" not in raised.value.message
    assert "pulumi config set" not in raised.value.message
    assert raised.value.errors == [], "the SDK's server wants a list"


@pytest.mark.parametrize("later", [pulumi.Output.from_input, pulumi.Output.secret])
def test_what_only_the_deployment_knows_is_refused_by_its_name(
    package: host.Package, directory: Path, later: Callable[[str], Any]
) -> None:
    def program() -> None:
        given = {**place(directory), "pipeline": {**PIPELINE, "account": later(TOOLING)}}
        package.construct("preprod", TYPE, given)

    with pytest.raises(pulumi.InputPropertiesError) as raised:
        record(program)
    assert "pipeline.account is a secret, or known only once something else is deployed" in raised.value.message


def test_a_secret_is_named_and_its_value_not_asked_for(package: host.Package, directory: Path) -> None:
    """The environment of such a backend has no value for it in any file."""
    names = {"authfullappauth": ["userPoolName"]}
    found = construct(package, **place(directory), pipeline=PIPELINE, secretNames=names)
    assert made(found) == made(construct(package, **place(directory), pipeline=PIPELINE))
    with pytest.raises(pulumi.InputPropertiesError, match="userPoolNam"):
        construct(package, **place(directory), pipeline=PIPELINE, secretNames={"authfullappauth": ["userPoolNam"]})


def test_the_pages_program_is_one_that_the_component_takes(package: host.Package, directory: Path) -> None:
    page = (REPOSITORY / "docs/other-languages.md").read_text()
    text = next(part for part in page.split("```yaml\n") if "type: amplify-delivery:TargetAccount" in part)
    declared = yaml.safe_load(text.partition("```")[0])["resources"]["prodAccount"]["properties"]
    made = construct(package, **declared, export=str(directory / f"amplify-export-{APP}"))
    assert made.exports["stateBucket"].startswith(f"{APP}-prod-state-")
