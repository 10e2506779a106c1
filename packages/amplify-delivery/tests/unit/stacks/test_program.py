"""The whole program, as Pulumi runs it: `__main__.py` over real exports."""

from __future__ import annotations

import ast
import json
import runpy
import shutil
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from amplify_delivery.export.names import StackName
from amplify_delivery.stacks.config import Project, keys
from unit.components.backends import folder
from unit.components.recorder import STACK, STASH, Recording, record
from unit.places import REPOSITORY
from unit.stacks.projects import OWN_KEYS

PROJECT = REPOSITORY
CONFIG = {"account": "012345678901", "region": "eu-west-1"}
BUCKET = "aws:s3/bucket:Bucket"


def run(directory: Path, project: str, config: dict[str, Any] | None = None, **options: Any) -> Recording:
    def program() -> None:
        runpy.run_path(str(PROJECT / "__main__.py"), run_name="__main__")

    return record(program, project=project, directory=directory, config={**CONFIG, **(config or {})}, **options)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("project")
    shutil.copytree(folder("fullapp"), directory / "amplify-export-fullapp")
    (directory / "Pulumi.yaml").write_text(f"name: fullapp\nruntime: python\n{OWN_KEYS}")
    return directory


@pytest.fixture(scope="module")
def recording(full: Path) -> Recording:
    return run(full, "fullapp", {"suffix": "abc"}, name="prod")


def test_a_backend_is_a_staging_area_and_a_root_stack(recording: Recording) -> None:
    stack, bucket = recording.one(STACK), recording.one(BUCKET)
    assert stack.inputs["name"] == "amplify-fullapp-prod-abc"
    assert bucket.inputs["bucket"] == "fullapp-prod-staging-012345678901-eu-west-1-an"
    assert f"/{bucket.inputs['bucket']}/templates/" in stack.inputs["templateUrl"]


def test_the_root_stack_waits_for_the_whole_staging_area(recording: Recording) -> None:
    staging = {r.urn for r in recording.resources if r.name == "staging" and r.type.startswith("aws:")}
    assert len(staging) == 7
    assert staging <= recording.one(STACK).depends_on


def test_no_resource_without_the_environments_provider(recording: Recording) -> None:
    provider = recording.one("pulumi:providers:aws")
    assert json.loads(provider.inputs["allowedAccountIds"]) == ["012345678901"]
    resources = [r for r in recording.resources if r.type.startswith("aws:")]
    assert resources
    for resource in resources:
        assert resource.provider == f"{provider.urn}::aws-id", resource.type


def test_exports_are_what_tools_and_people_ask_for(recording: Recording) -> None:
    assert {k: v for k, v in recording.exports.items() if isinstance(v, str)} == {
        "account": "012345678901",
        "region": "eu-west-1",
        "environment": "prod",
        "stackName": "amplify-fullapp-prod-abc",
        "stackId": "backend-id",
        "stagingBucket": "fullapp-prod-staging-012345678901-eu-west-1-an",
        "rootTemplate": recording.one(STACK).inputs["templateUrl"].split("-an/")[1],
    }
    assert {"outputs", "rootOutputs", "graphqlEndpoint", "userPoolId"} <= set(recording.exports)


def test_repairs_are_told_in_one_line(recording: Recording) -> None:
    repaired = [text for _, text in recording.messages if "repaired" in text]
    assert len(repaired) == 1
    assert "delivery check" in repaired[0]


def test_nothing_is_read_from_aws_to_start(recording: Recording) -> None:
    """The mocks fail on any call; a program that asks AWS would cost its time on every preview."""
    assert recording.all(STACK)


def test_a_secret_of_the_configuration_stays_secret(full: Path) -> None:
    parameters = {"authfullappauth": {"smsVerificationMessage": "s3cret {####}"}}
    recording = run(full, "fullapp", {"parameters": parameters}, secret_keys=("parameters",))
    version = recording.one("aws:secretsmanager/secretVersion:SecretVersion")
    assert version.inputs["secretStringWo"] == "s3cret {####}"
    assert version.secret == {"secretStringWo", "secretStringWoVersion"}
    for resource in recording.resources:
        if resource is not version:
            assert "s3cret" not in repr(resource.inputs), resource.type
    assert "s3cret" not in repr(recording.exports)
    assert not [text for _, text in recording.messages if "s3cret" in text]


def test_a_configured_date_moves_the_api_keys(full: Path) -> None:
    stack = run(full, "fullapp", {"apiKeyExpires": "2027-01-01"}).one(STACK)
    assert stack.inputs["parameters"]["ApiKeyExpires"] == "1798761600"
    assert "parameters.ApiKeyExpires" not in stack.request.ignoreChanges


def test_protection_can_be_given_up(full: Path) -> None:
    assert run(full, "fullapp").one(STACK).request.protect
    assert not run(full, "fullapp", {"protect": "false"}).one(STACK).request.protect


@pytest.mark.parametrize(
    ("project", "config", "says"),
    [
        ("seriesapp", {}, "this is the export of 'fullapp', but the Pulumi project is 'seriesapp'"),
        ("fullapp", {"acount": "1"}, "unknown key 'acount', did you mean 'account'?"),
        ("fullapp", {"account": "12345678901"}, "quote it"),
        ("fullapp", {"program": "pipelines"}, "there is backend, account, pipeline; backend is the default"),
        ("fullapp", {"environment": "my-env"}, "'my-env' cannot be an Amplify environment"),
        ("fullapp", {"parameters": {"authfulapp": {"x": "1"}}}, "did you mean 'authfullappauth'"),
        ("fullapp", {"export": "nowhere"}, "nowhere"),
    ],
)
def test_a_users_mistake_is_one_sentence_before_anything_is_registered(
    full: Path, project: str, config: dict[str, Any], says: str
) -> None:
    with pytest.raises(pulumi.RunError) as caught:
        run(full, project, config)
    assert says in str(caught.value)
    assert caught.value.__suppress_context__  # no traceback of ours behind it


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("fact", [("account", "999999999999"), ("region", "us-east-1"), ("environment", "test")])
def test_another_place_of_a_deployed_stack_is_refused_before_anything_moves(
    full: Path, fact: tuple[str, str], preview: bool
) -> None:
    now = {**CONFIG, "environment": "dev"}
    first = {**now, fact[0]: fact[1]}
    seen: list[str] = []

    class Seen(dict[str, Any]):
        """What the mocks are asked for, by type and name."""

        def get(self, key: str, default: Any = None) -> Any:
            seen.append(key)
            return super().get(key, default)

    with pytest.raises(pulumi.RunError, match=f"{fact[0]} is '{now[fact[0]]}' now.*deployed with '{fact[1]}'"):
        run(full, "fullapp", preview=preview, states=Seen({"place": {"output": first}}))
    assert STASH in seen
    assert not {BUCKET, STACK, "pulumi:providers:aws"} & set(seen)


# --- the project's files ---------------------------------------------------------------------------------------------


def settings() -> Any:
    return yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())


def test_pulumi_yaml_documents_exactly_the_keys_that_are_read() -> None:
    former = {"enrolled"}  # understood, but nothing that a new project begins with
    assert set(settings()["config"]) == {*keys(), "helloService"} - former
    for key, entry in settings()["config"].items():
        assert entry["description"], key
        # Pulumi requires a key without a default of every stack, of whatever program.
        assert "default" in entry, key


def test_pulumi_yamls_defaults_change_nothing(full: Path) -> None:
    defaults = {key: entry["default"] for key, entry in settings()["config"].items()}
    given = {k: v if isinstance(v, str) else json.dumps(v) for k, v in defaults.items() if k not in CONFIG}
    with_defaults, without = run(full, "fullapp", given), run(full, "fullapp")
    assert {r.urn: r.inputs for r in with_defaults.resources} == {r.urn: r.inputs for r in without.resources}
    assert with_defaults.one(STACK).request.protect == without.one(STACK).request.protect


def test_a_half_made_stack_is_seen_by_the_next_up() -> None:
    assert settings()["options"] == {"refresh": "always"}


@pytest.mark.parametrize("stack", Project(PROJECT).stacks("backend"))
def test_each_environment_is_valid_and_its_root_stack_has_a_name(stack: str) -> None:
    config = Project(PROJECT).environment(stack)
    name = StackName("amplify", settings()["name"], "dev", "a8d03")
    assert name.for_environment(config.environment, config.suffix)


def test_the_stacks_of_this_project_do_not_meet() -> None:
    here = Project(PROJECT)
    configs = [here.environment(stack) for stack in here.stacks("backend")]
    assert len({(c.account, c.region, c.environment) for c in configs}) == len(configs)


def test_main_stays_a_few_lines() -> None:
    source = (PROJECT / "__main__.py").read_text()
    assert len(source.splitlines()) < 30
    assert ast.get_docstring(ast.parse(source))


def test_a_bootstrapped_environment_uses_what_its_account_has(full: Path) -> None:
    recording = run(full, "fullapp", {"suffix": "abc", "bootstrapped": "true"}, name="prod")
    assert not recording.all(BUCKET)
    stack = recording.one(STACK)
    role = "arn:aws:iam::012345678901:role/amplify-delivery/fullapp/env/prod/fullapp-prod-cloudformation"
    assert stack.inputs["iamRoleArn"] == role
    bucket = "fullapp-prod-staging-012345678901-eu-west-1-an"
    assert f"/{bucket}/templates/" in stack.inputs["templateUrl"]
    assert recording.exports["stagingBucket"] == bucket
    boundary = "arn:aws:iam::012345678901:policy/amplify-delivery/fullapp/env/prod/fullapp-prod-boundary"
    assert stack.inputs["parameters"]["BackendPermissionsBoundary"] == boundary


def test_a_personal_stacks_roles_have_no_boundary(recording: Recording) -> None:
    assert "BackendPermissionsBoundary" not in recording.one(STACK).inputs["parameters"]


def test_the_hello_service_is_another_resource_of_the_same_stack(full: Path) -> None:
    recording = run(full, "fullapp", {"suffix": "abc", "helloService": "true"}, name="prod")
    function = recording.one("aws-native:lambda:Function")
    assert function.inputs["functionName"] == "fullapp-prod-hello"
    assert recording.exports["helloUrl"] == "hello-apiEndpoint/"
    provider = recording.one("pulumi:providers:aws-native")
    assert json.loads(provider.inputs["allowedAccountIds"]) == ["012345678901"]
    native = [r for r in recording.resources if r.type.startswith("aws-native:")]
    assert {r.provider for r in native} == {f"{provider.urn}::native-id"}
    assert "permissionsBoundary" not in recording.one("aws-native:iam:Role").inputs


def test_a_bootstrapped_hello_service_carries_the_boundary(full: Path) -> None:
    recording = run(full, "fullapp", {"suffix": "abc", "helloService": "true", "bootstrapped": "true"}, name="prod")
    boundary = "arn:aws:iam::012345678901:policy/amplify-delivery/fullapp/env/prod/fullapp-prod-boundary"
    assert recording.one("aws-native:iam:Role").inputs["permissionsBoundary"] == boundary
