"""An account and its pipeline, both declared by programs in YAML, and a release that goes through: the real engine,
against a local AWS that a pipeline service has joined, with the very buildspecs that are declared.

What the documents say, unit tests compare with those of stack files; the rest of a delivery is the story's.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery import cli
from amplify_delivery.components.documents.environment import ACCOUNT_VERSION
from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.pipeline.buildspecs import IMAGE_LOCK, LOCK
from amplify_delivery.components.documents.statements import role_trust
from amplify_delivery.delivery.scaffold import locks
from amplify_delivery.delivery.scaffold.project_files import WHEELS
from amplify_delivery_rehearsal.pipeline_story.pipeline import PATIENCE
from amplify_delivery_rehearsal.pipeline_story.setting import build_image
from aws_rehearsal.pipeline_service import PipelineService, local_aws_with_room
from aws_rehearsal.pipeline_service.state import CANCELLED, SUCCEEDED, Execution
from aws_rehearsal.setup import tools
from aws_rehearsal_tests import pulumi_homes
from aws_rehearsal_tests.conftest import pulumi_home  # noqa: F401 - a fixture
from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.pulumi_project import PulumiProject
from functional.stacks.test_engine_pipeline import tooling  # noqa: F401 - a fixture
from functional.stacks.test_packaged import APP, in_yaml, package, write  # noqa: F401 - fixtures
from functional.stacks.typescript import IMPORT, OPT_IN, has_host, with_packages
from unit.components.backends import folder as export_of
from unit.this_wheel import wheel_of_this_version

pytestmark = pytest.mark.engine

REPO = "example/app"
PLUGINS = {"providers": [{"name": "amplify-delivery", "path": "../.venv/bin"}]}
GIVEN = ("pipelineName", "pipelineRoleArn", "topicArn")
"""What the pipeline's program tells of it."""
GIT = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com"]


@pytest.fixture
def service(
    pulumi_home: dict[str, str],  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[PipelineService]:
    """CodeBuild and CodePipeline, with an image that holds the engine and what is locked: else each of the nine builds
    has pip install it (functional/delivery/scaffold/test_new_project.py)."""
    monkeypatch.setattr("amplify_delivery.commands.init.installed_wheel", wheel_of_this_version)
    wheel, holds = wheel_of_this_version(), tmp_path / "image"
    holds.mkdir()
    (holds / LOCK).write_text(locks.new(wheel, f"./{WHEELS}/{wheel.file}"))
    aws, room = local_aws_with_room()
    image = build_image(pulumi_home, tools(), holds)
    assert image[IMAGE_LOCK]
    try:
        with aws, PipelineService(aws, room, build_variables=image) as running:
            yield running
    finally:
        room.close()


@pytest.fixture
def project(pulumi_home: dict[str, str], tooling: LocalAccount, tmp_path: Path) -> PulumiProject:  # noqa: F811
    """In the account that has CodeBuild and CodePipeline."""
    return PulumiProject.make(tmp_path, {**pulumi_home, **pulumi_homes.SAVED_ONCE, **pulumi_homes.UNHEARD}, tooling)


def stage(says: str) -> dict[str, Any]:
    """With a step that looks at what is delivered, and takes longer than any other."""
    commands = ['test "$COLOUR" = "it\'s blue"', f'test "$(cat release.txt)" = {says}']
    step = {"name": "test", "commands": commands, "env": {"COLOUR": "it's blue"}, "timeout": "2h"}
    return {"name": "Dev", "post": [step]}


def place(project: PulumiProject) -> dict[str, Any]:
    return {"account": project.developer.account, "region": project.developer.region}


def declare_account(project: PulumiProject, package: Path, **more: Any) -> None:  # noqa: F811
    """The program of the account's owner, as docs/other-languages.md has it, with further properties."""
    pipeline = {"name": "pipeline", **place(project)}
    given = {**place(project), "environment": "dev", "pipeline": pipeline, "stage": stage("one"), "protect": False}
    account = {"type": "amplify-delivery:TargetAccount", "properties": {**given, **more}}
    write(project, package, {"account": account}, ("version", "stateBucket", "secretsProvider"))


def forget_places(file: Path) -> None:
    """Of a state in a file, as a version has left it that remembered none."""
    document = json.loads(file.read_text())
    latest = document["checkpoint"]["latest"]
    places = {r["urn"] for r in latest["resources"] if r["type"] == "pulumi:index:Stash"}
    assert places
    latest["resources"] = [r for r in latest["resources"] if r["urn"] not in places]
    for resource in latest["resources"]:
        resource["dependencies"] = [urn for urn in resource.get("dependencies", ()) if urn not in places]
    file.write_text(json.dumps(document))


class Clone:
    """The repository that is delivered, as `init` writes one, and in it the program that declares the pipeline."""

    def __init__(self, project: PulumiProject, folder: Path) -> None:
        self.project, self.folder, self.host = project, folder, folder.with_suffix(".git")
        self.install = ["cd .. && true", 'echo "packages of $(basename "$PWD")"']
        account, region = place(project).values()
        init = ["init", str(folder), "--from", str(export_of(APP)), "--environment", f"dev={account}/{region}"]
        assert cli.main(init) == 0
        file = folder / "Pulumi.dev.yaml"
        file.write_text(f"{file.read_text()}  {APP}:bootstrapped: true\n")
        (folder / "release.txt").write_text("two\n")
        (folder / "pipeline").mkdir()
        # Where the program has the engine look: a checkout's own, which no commit holds.
        (folder / ".venv").mkdir()
        for command in (["init", "-q", "--bare", "-b", "main", str(self.host)], ["init", "-q", "-b", "main"]):
            subprocess.run([*GIT, *command], check=True, cwd=folder)

    def declare(self, package: Path, says: str, **more: Any) -> None:  # noqa: F811
        """Write the program, as docs/other-languages.md has it, with further properties."""
        if not (self.folder / ".venv" / "bin").exists():
            (self.folder / ".venv" / "bin").symlink_to(package.parent)
        account, region = place(self.project).values()
        source = {
            "connection": f"arn:aws:codeconnections:{region}:{account}:connection/5e6f7a8b",
            "repository": REPO,
        }
        given = {
            **place(self.project),
            "app": APP,
            "environments": [{"environment": "dev", **place(self.project)}],
            "source": source,
            "stages": [stage(says)],
            "install": self.install,
            "protect": False,
        }
        self.write({**given, **more})

    def write(self, properties: dict[str, Any]) -> None:
        """The program, whose pipeline has these properties."""
        program = {
            "name": "delivery",
            "runtime": "yaml",
            "plugins": PLUGINS,
            "resources": {"pipeline": {"type": "amplify-delivery:DeliveryPipeline", "properties": properties}},
            "outputs": {name: f"${{pipeline.{name}}}" for name in GIVEN},
        }
        (self.folder / "pipeline" / "Pulumi.yaml").write_text(json.dumps(program, indent=1))

    def push(self) -> str:
        """The commit."""
        for command in (["add", "-A"], ["commit", "-q", "-m", "more"], ["push", "-q", str(self.host), "HEAD:main"]):
            subprocess.run([*GIT, *command], check=True, cwd=self.folder)
        found = subprocess.run([*GIT, "rev-parse", "HEAD"], check=True, cwd=self.folder, capture_output=True, text=True)
        return found.stdout.strip()

    def pulumi(self, backend: str, *arguments: str, inside: str = "pipeline") -> str:
        """The plain command, of somebody who is logged in to the state of the tooling account or an environment's."""
        return self.run(["pulumi", *arguments, "--non-interactive"], backend, inside)

    def delivery(self, *arguments: str) -> str:
        return self.run(pulumi_homes.delivery(self.project.home, *arguments), "", "")

    def run(self, command: list[str], backend: str, inside: str, *, fails: bool = False) -> str:
        kept = {
            k: v for k, v in self.project.environment.items() if k not in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_STACK")
        }
        done = subprocess.run(
            command,
            cwd=self.folder / inside,
            env={**kept, "PULUMI_BACKEND_URL": backend},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr


def told(service: PipelineService, execution: Execution) -> str:
    """What has failed, with the end of its log."""
    runs = [run for run in execution.history if run.error]
    logs = [service.log(run.external_id)[-3000:] for run in runs if run.external_id]
    return "\n".join([*(f"{run.action.name}: {run.error}" for run in runs), *logs])


def said(service: PipelineService, execution: Execution, action: str) -> str:
    return service.log(next(run.external_id or "" for run in execution.history if run.action.name == action))


def empty(s3: Any, bucket: str) -> None:
    """Without what the pipeline has left there, the engine may delete it."""
    found = s3.list_object_versions(Bucket=bucket).get("Versions", ())
    objects = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in found]
    s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})


def make_account(project: PulumiProject, package: Path, of_pipeline: PipelineNames) -> dict[str, Any]:  # noqa: F811
    """What the account's owner does; the outputs of her program."""
    account, region = place(project).values()
    names, aws = EnvironmentNames(APP, account, region, "dev"), project.developer.client
    project.init_with_key("dev")
    declare_account(project, package)
    project.up()
    made = project.outputs()
    version = aws("ssm").get_parameter(Name=names.version_parameter)["Parameter"]["Value"]
    assert made["version"] == version == str(ACCOUNT_VERSION)
    action_role = aws("iam").get_role(RoleName=names.action_role)["Role"]
    assert action_role["AssumeRolePolicyDocument"] == role_trust(of_pipeline.role_arn())
    (check,) = aws("codebuild").batch_get_projects(names=[names.project("check")])["projects"]
    assert check["timeoutInMinutes"] == 2 * 60 + 15
    declare_account(project, package, region="us-west-2")
    assert "region is 'us-west-2' now, but this stack was deployed with" in project.fail()
    declare_account(project, package)
    # A state of before places were remembered lacks them, and is no lost one.
    forget_places(project.folder / "state/.pulumi/stacks/small/dev.json")
    assert json.loads(project.succeed("preview", "--json"))["changeSummary"].keys() == {"create", "same"}
    refused_with_another_state(project, names.version_parameter)
    return made


def refused_with_another_state(project: PulumiProject, there: str) -> None:
    """It would fail at the first name that is taken, with keys made a second time."""
    before, elsewhere = keys(project), project.folder / "elsewhere"
    elsewhere.mkdir()
    other = {"PULUMI_BACKEND_URL": elsewhere.as_uri(), "PULUMI_CONFIG_PASSPHRASE": "p", "PULUMI_STACK": "other"}
    project.succeed("stack", "init", "other", **other)
    said = project.fail(**other)
    assert f"({there}) is there already, and the engine's state of other does not hold it" in said
    assert "docs/other-languages.md" in said
    assert keys(project) == before


def keys(project: PulumiProject) -> set[str]:
    return {key["KeyId"] for key in project.developer.client("kms").list_keys()["Keys"]}


def make_pipeline(clone: Clone, package: Path, made: dict[str, Any], of_pipeline: PipelineNames) -> tuple[str, str]:  # noqa: F811
    """What the tooling account's administrator does: the two `pulumi stack init`, whose files are committed, then the
    pipeline, as it was a commit before. The commit, and where the state lies."""
    account, region = place(clone.project).values()
    of_environment = f"s3://{made['stateBucket']}?region={region}"
    clone.pulumi(of_environment, "stack", "init", "dev", "--secrets-provider", made["secretsProvider"], inside="")
    state = json.loads(clone.delivery("setup", "--account", account, "--region", region, "--json"))
    backend: str = state["backend"]
    clone.declare(package, "two")
    clone.pulumi(backend, "stack", "init", "main", "--secrets-provider", state["secretsProvider"])
    commit = clone.push()
    clone.declare(package, "one")
    clone.pulumi(backend, "up", "--yes", "--skip-preview", "-s", "main")
    outputs = json.loads(clone.pulumi(backend, "stack", "output", "--json", "-s", "main"))
    assert outputs["pipelineName"] == of_pipeline.pipeline
    assert outputs["pipelineRoleArn"] == of_pipeline.role_arn()
    assert outputs.get("topicArn") is None

    # With another state it would make keys, then fail at the first name that is taken.
    before = keys(clone.project)
    clone.pulumi(backend, "stack", "init", "lost", "--secrets-provider", state["secretsProvider"])
    up = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "-s", "lost"]
    said = clone.run(up, backend, "pipeline", fails=True)
    assert f"the pipeline {of_pipeline.pipeline} is there already, and the engine's state of lost" in said
    assert "docs/other-languages.md" in said
    assert keys(clone.project) == before
    return commit, backend


def test_both_are_made_and_a_push_changes_the_pipeline_and_goes_through_it(
    in_yaml: PulumiProject,  # noqa: F811
    package: Path,  # noqa: F811
    service: PipelineService,
    tmp_path: Path,
) -> None:
    changed_and_gone_through(Clone(in_yaml, tmp_path / "app"), package, service)


@OPT_IN
def test_a_push_changes_a_pipeline_that_a_program_in_typescript_declares(
    in_yaml: PulumiProject,  # noqa: F811
    package: Path,  # noqa: F811
    service: PipelineService,
    tmp_path: Path,
) -> None:
    """UpdatePipeline installs what the commit locks, and runs its program."""
    has_host(in_yaml)
    changed_and_gone_through(InTypeScript(in_yaml, tmp_path / "app"), package, service)


class InTypeScript(Clone):
    """The pipeline's program is one in TypeScript, whose packages a lock of npm's names."""

    def __init__(self, project: PulumiProject, folder: Path) -> None:
        super().__init__(project, folder)
        self.install = ["npm ci --no-audit --no-fund", *self.install]

    def write(self, properties: dict[str, Any]) -> None:
        program = self.folder / "pipeline"
        (program / "Pulumi.yaml").write_text(json.dumps({"name": "delivery", "runtime": "nodejs", "plugins": PLUGINS}))
        made = f'const pipeline = new amplify.DeliveryPipeline("pipeline", {json.dumps(properties)});'
        told = (f"export const {name} = pipeline.{name};" for name in GIVEN)
        (program / "index.ts").write_text("\n".join([IMPORT, made, *told]))
        if not (program / "package.json").exists():
            (program / ".gitignore").write_text("node_modules\n")
            with_packages(program)


def changed_and_gone_through(clone: Clone, package: Path, service: PipelineService) -> None:  # noqa: F811
    """An account, by a program in YAML, and its pipeline, by the clone's: a push changes it, and is delivered."""
    account, region = place(clone.project).values()
    aws, of_pipeline = clone.project.developer.client, PipelineNames(APP, account, region)
    made = make_account(clone.project, package, of_pipeline)
    service.repository(f"arn:aws:codeconnections:{region}:{account}:connection/5e6f7a8b", REPO, clone.host)
    commit, backend = make_pipeline(clone, package, made, of_pipeline)

    # It starts by itself, finds that the commit declares another pipeline, and starts again as that one.
    def released() -> Execution | None:
        found = service.executions(of_pipeline.pipeline, account)
        return next((e for e in found if not e.running and e.status != CANCELLED), None)

    done = service.wait_until(released, PATIENCE)
    before, last = service.executions(of_pipeline.pipeline, account)
    assert done is last
    assert (before.status, done.status) == (CANCELLED, SUCCEEDED), told(service, done)
    assert done.outputs["source"]["CommitId"] == commit
    stages = [stage.name for stage in done.pipeline.stages]
    assert stages == ["Source", "Build", "UpdatePipeline", "PublishAssets", "Dev-Plan", "Dev"]
    assert "the pipeline starts again, with the newest commit" in said(service, before, "UpdatePipeline")
    assert "pipeline: nothing to change" in said(service, done, "UpdatePipeline")
    assert "\npackages of pipeline\n" in said(service, done, "UpdatePipeline")
    assert done.history[-1].action.name == "test-dev"  # with the commit's own commands
    stacks = aws("cloudformation").describe_stacks()["Stacks"]
    assert [s["StackStatus"] for s in stacks if s["StackName"].startswith(f"amplify-{APP}-dev-")][:1] == [
        "CREATE_COMPLETE"
    ]

    clone.declare(package, "two")
    empty(aws("s3"), of_pipeline.artifact_bucket(region))
    clone.pulumi(backend, "destroy", "--yes", "--skip-preview", "-s", "main")
    assert aws("iam").list_roles(PathPrefix=of_pipeline.path)["Roles"] == []
