"""What the programs declare, made by the real engine with the stand-in providers in the local AWS."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from amplify_delivery.stacks.config import EnvironmentConfig
from amplify_delivery.stacks.programs import UNHEARD_VARIABLE
from aws_rehearsal_tests.conftest import project, pulumi_home  # noqa: F401 - fixtures
from aws_rehearsal_tests.pulumi_project import PulumiProject
from unit.places import REPOSITORY
from unit.stacks.projects import APP, HELLO_TYPES, make, write

pytestmark = pytest.mark.engine

HELLO = f"""
    import sys
    sys.path.insert(0, {str(REPOSITORY)!r})
    from amplify_delivery.components.documents.naming import EnvironmentNames
    from components.hello_service import HelloService, HelloServiceArgs
    from amplify_delivery.components.providers import Access, aws_native_provider

    names = EnvironmentNames("small", ACCOUNT, "eu-central-1", "dev")
    provider = aws_native_provider("native", Access(names.account, names.region))
    options = pulumi.ResourceOptions(providers=[provider])
    service = HelloService("hello", HelloServiceArgs(names, os.environ.get("ENDPOINT")), options)
    pulumi.export("url", service.url)
"""


@pytest.fixture(autouse=True)
def unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks the engine for debug messages (`pulumi_homes.UNHEARD`)."""
    monkeypatch.setenv(UNHEARD_VARIABLE, "true")


def test_the_hello_service_answers_at_its_output(project: PulumiProject) -> None:  # noqa: F811
    project.init().program(HELLO)
    project.up()
    url = project.outputs()["url"]
    # As the pipeline's test step does it, in a build's clean environment: anybody may ask.
    asked = subprocess.run(
        ["curl", "-Ssf", url], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    assert json.loads(asked.stdout or "{}").get("environment") == "dev", (url, asked.stderr)
    again = project.up("--refresh")
    assert "updated" not in again
    assert "created" not in again
    project.succeed("destroy", "--yes", "--skip-preview")


READ = f"""
    import sys
    sys.path.insert(0, {str(REPOSITORY)!r})
    from amplify_delivery.stacks.config import from_pulumi

    pulumi.export("ignored", from_pulumi().environment.ignored)
"""
PROJECT_WIDE = """
    config:
      lint:
        type: object
        default: {ignore: [{id: E3012, reason: everywhere}]}
      region: eu-central-1
"""


def test_the_engine_gives_what_pulumi_yaml_sets_as_the_tools_read_it(project: PulumiProject) -> None:  # noqa: F811
    project.settings(PROJECT_WIDE)
    project.init().program(READ)
    file = project.folder / "Pulumi.dev.yaml"
    place = f'config:\n  small:account: "{project.developer.account}"\n'
    for own, ignored in (("", ["E3012"]), ("  small:lint: {ignore: [{id: E2015, reason: here}]}\n", ["E2015"])):
        file.write_text(place + own)
        project.up()
        assert project.outputs()["ignored"] == ignored
        assert list(EnvironmentConfig.from_file(file, "dev").ignored) == ignored


READ_FLAG = f"""
    import sys
    sys.path.insert(0, {str(REPOSITORY)!r})
    from amplify_delivery.stacks.config import from_pulumi

    pulumi.export("protect", from_pulumi().environment.protect)
"""
FLAG = """
    config:
      protect:
        type: boolean
        default: true
"""


def test_a_flag_stays_one_when_the_engine_writes_the_file(project: PulumiProject) -> None:  # noqa: F811
    """Any command that changes a stack file writes all of it again, and quotes what has no quotes."""
    project.settings(FLAG)
    file = project.folder / "Pulumi.dev.yaml"
    place = f'  small:account: "{project.developer.account}"\n  small:region: eu-central-1\n'
    file.write_text(f"config:\n{place}  small:protect: false\n")
    project.init().program(READ_FLAG)
    project.succeed("config", "set", "suffix", "a8d04")
    assert 'small:protect: "false"' in file.read_text()
    assert EnvironmentConfig.from_file(file, "dev").protect is False
    project.up()
    assert project.outputs()["protect"] is False


def test_an_account_is_bootstrapped_and_its_environment_lives_in_it(project: PulumiProject) -> None:  # noqa: F811
    check_out(project)
    # A CI comes in beside the pipeline: two roles more, and artifacts that go after a while.
    file = project.folder / "Pulumi.preprod-account.yaml"
    github = 'github: {repository: octo/shop, ownerId: "583231", repositoryId: "1296269", branch: main}'
    file.write_text(f"{file.read_text()}  {APP}:{github}\n")

    project.init_with_key("preprod-account", "preprod")
    for stack in ("preprod-account", "preprod"):
        project.up("-s", stack)
    bootstrapped = json.loads(project.succeed("stack", "output", "--json", "-s", "preprod-account"))["preprod"]
    outputs = json.loads(project.succeed("stack", "output", "--json", "-s", "preprod"))
    assert outputs["stagingBucket"] == bootstrapped["stagingBucket"]
    assert outputs["helloUrl"]
    stack = project.developer.client("cloudformation").describe_stacks(StackName=f"amplify-{APP}-preprod-a8d04")
    assert stack["Stacks"][0]["RoleARN"] == bootstrapped["executionRole"]
    iam = project.developer.client("iam")
    for arn in bootstrapped["ciRoles"].values():
        trust = iam.get_role(RoleName=arn.rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
        assert trust["Statement"][0]["Action"] == "sts:AssumeRoleWithWebIdentity"
    lifecycle = project.developer.client("s3").get_bucket_lifecycle_configuration(Bucket=bootstrapped["stagingBucket"])
    assert {rule["ID"] for rule in lifecycle["Rules"]} == {"overwritten-and-broken-off", "expires-ci"}
    made = [role["RoleName"] for role in iam.list_roles(PathPrefix="/")["Roles"] if role["Path"] == "/"]
    assert {f"amplify-{APP}-preprod-a8d04-{what}" for what in ("authRole", "unauthRole")} < set(made)
    assert {name: boundary_of(project, name) for name in made} == dict.fromkeys(made, bootstrapped["boundary"])

    for stack in ("preprod-account", "preprod"):
        assert_settled(project, stack)


@pytest.mark.parametrize("hello", ["true", "false"])
def test_what_was_deployed_before_there_was_a_stage_stays_as_it_is(project: PulumiProject, hello: str) -> None:  # noqa: F811
    """A state is the former program's: the present one finds every resource in it, and changes none. What it adds is in
    the state alone: whose the staging area is."""
    check_out(project)
    place = {"account": project.developer.account, "region": project.developer.region}
    # Bucket names are global: another backend than the other tests'.
    place |= {"suffix": {"true": "a8d41", "false": "a8d42"}[hello]}
    write(project.folder, "dev", {**place, "helloService": hello, "apiKeyExpires": key_day()})
    present, main = (project.folder / "__main__.py").read_text(), project.folder / "__main__.py"
    main.write_text((Path(__file__).parent / "former_main.py").read_text())
    project.init_with_key("dev")
    project.up()
    before = state_of(project)
    assert any("HelloService" in urn for urn in before) == (hello == "true")
    main.write_text(present)
    resources = project.up().partition("Resources:\n")[2]
    assert re.fullmatch(r"    \+ 1 created\n    \d+ unchanged\n\s+Duration: .*\s+", resources), resources
    after = state_of(project)
    assert [urn.rpartition("::")[2] for urn in after.keys() - before.keys()] == ["staging-owner"]
    assert {urn: after.get(urn) for urn in before} == before


def key_day() -> str:
    return str((datetime.now(UTC) + timedelta(days=300)).date())


def state_of(project: PulumiProject) -> dict[str, str]:  # noqa: F811
    """The ids of what the engine holds, by URN."""
    resources = json.loads(project.succeed("stack", "export"))["deployment"]["resources"]
    return {resource["urn"]: resource.get("id", "") for resource in resources}


def test_an_account_with_images_is_bootstrapped_and_given_up(project: PulumiProject) -> None:  # noqa: F811
    check_out(project)
    write(project.folder, "preprod-account", {"program": "account", "images": "true", "protect": "false"})
    project.init_with_key("preprod-account")
    assert "warning" not in project.up("-s", "preprod-account")
    client = project.developer.client
    url = json.loads(project.succeed("stack", "output", "--json", "-s", "preprod-account"))["preprod"]["repositoryUrl"]
    (repository,) = client("ecr").describe_repositories()["repositories"]
    assert repository["repositoryUri"] == url
    assert_settled(project, "preprod-account")
    project.succeed("destroy", "--yes", "--skip-preview", "-s", "preprod-account")
    assert client("ecr").describe_repositories()["repositories"] == []
    assert client("codebuild").list_projects()["projects"] == []
    assert client("iam").list_policies(Scope="Local")["Policies"] == []
    assert client("iam").list_roles()["Roles"] == []
    assert client("s3").list_buckets()["Buckets"] == []


def check_out(project: PulumiProject) -> None:  # noqa: F811
    """The app's project, with an environment `preprod` in the developer's account, bootstrapped."""
    make(project.folder)
    shutil.copytree(REPOSITORY / "components", project.folder / "components")
    shutil.copy(REPOSITORY / "__main__.py", project.folder)
    settings = (REPOSITORY / "Pulumi.yaml").read_text().replace("name: seriesapp", f"name: {APP}")
    (project.folder / "Pulumi.yaml").write_text(settings)
    place = {"account": project.developer.account, "region": project.developer.region}
    write(project.folder, "preprod-account", {"program": "account", "programTypes": HELLO_TYPES})
    write(project.folder, "preprod", {**place, "bootstrapped": "true", "suffix": "a8d04", "helloService": "true"})


def assert_settled(project: PulumiProject, stack: str) -> None:  # noqa: F811
    """A refresh finds what was declared."""
    again = project.up("-s", stack, "--refresh")
    assert "updated" not in again, again
    assert "created" not in again, again


def boundary_of(project: PulumiProject, role: str) -> str | None:  # noqa: F811
    """A role's permissions boundary as IAM has it; `ListRoles` does not tell it."""
    found: dict[str, str] = (
        project.developer.client("iam").get_role(RoleName=role)["Role"].get("PermissionsBoundary", {})
    )
    return found.get("PermissionsBoundaryArn")
