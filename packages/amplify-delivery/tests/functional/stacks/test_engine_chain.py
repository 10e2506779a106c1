"""Three pipelines that follow one another, declared by the real program and run with the declared roles: one release,
built once, goes through all of them.

What the projects run is short here: it verifies the artifact, as the real buildspecs do first. The rest of a stage is
the story's.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.naming import PROJECTS, PipelineNames
from amplify_delivery.components.documents.pipeline import artifact
from amplify_delivery.components.documents.statements import role_trust, service_trust
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.model import pipeline_model
from aws_rehearsal.pipeline_service import PipelineService
from aws_rehearsal.pipeline_service.state import Execution
from aws_rehearsal_tests import pulumi_homes
from aws_rehearsal_tests.conftest import pulumi_home  # noqa: F401 - a fixture
from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.pulumi_project import PulumiProject
from functional.stacks.test_engine_pipeline import alias_delay, service, tooling  # noqa: F401 - fixtures
from unit.places import REPOSITORY
from unit.stacks.projects import APP, HOME, make, write

pytestmark = pytest.mark.engine

CHAIN = ("pipeline", "second", "third")
ENVIRONMENTS = {"pipeline": "preprod", "second": "prod1", "third": "prod2"}
REPO = "example/app"


@pytest.fixture
def project(
    pulumi_home: dict[str, str],  # noqa: F811
    service: PipelineService,  # noqa: F811
    tooling: LocalAccount,  # noqa: F811
    tmp_path: Path,
) -> PulumiProject:
    """The app's project with three pipelines, an environment each, and what their accounts' owners have made."""
    project = PulumiProject.make(tmp_path, {**pulumi_home, **pulumi_homes.SAVED_ONCE, **pulumi_homes.UNHEARD}, tooling)
    shutil.copytree(REPOSITORY / "components", project.folder / "components")
    shutil.copy(REPOSITORY / "__main__.py", project.folder)
    connection = f"arn:aws:codeconnections:{HOME}:{tooling.account}:connection/5e6f7a8b"
    make(project.folder, 3, account=tooling.account, protect="false", stages=[{"name": "PreProd"}])
    place = {"program": "pipeline", "account": tooling.account, "region": HOME, "protect": "false"}
    sources = [{"connection": connection, "repository": REPO}]
    sources += [{"type": "pipeline", "pipeline": before} for before in CHAIN]
    for name, source in zip(CHAIN, sources, strict=False):
        stage = {"name": "Wave", "environments": [ENVIRONMENTS[name]]}
        write(project.folder, name, {**place, "source": source, "stages": [stage]})
        write(project.folder, f"{ENVIRONMENTS[name]}-account", {"program": "account", "pipeline": name})
    settings = (REPOSITORY / "Pulumi.yaml").read_text().replace("name: seriesapp", f"name: {APP}")
    (project.folder / "Pulumi.yaml").write_text(settings)
    service.repository(connection, REPO, repository(tmp_path))
    let_in(project)
    return project


def repository(folder: Path, more: Callable[[Path], None] = lambda work: None) -> Path:
    """A repository with one commit, in which `more` puts further files."""
    host, work = folder / "app.git", folder / "work"
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    for command in (["init", "-q", "--bare", "-b", "main", str(host)], ["clone", "-q", str(host), str(work)]):
        subprocess.run([*git, *command], check=True, capture_output=True, cwd=folder)
    (work / "release.txt").write_text("one\n")
    more(work)
    for command in (["add", "-A"], ["commit", "-q", "-m", "one"], ["push", "-q", "origin", "HEAD:main"]):
        subprocess.run([*git, *command], check=True, capture_output=True, cwd=work)
    return host


def spec(*commands: str, exports: tuple[str, ...] = (), files: bool = False) -> str:
    """A buildspec of these commands."""
    phases = {"build": {"on-failure": "ABORT", "commands": list(commands)}}
    found: dict[str, Any] = {"version": 0.2, "env": {"shell": "bash", "exported-variables": list(exports)}}
    found |= {"phases": phases, **({"artifacts": {"files": ["**/*"]}} if files else {})}
    return json.dumps(found)


def let_in(project: PulumiProject) -> None:
    """An action role that its own pipeline may assume, and four projects that verify what they get."""
    described, aws = Project(project.folder), project.developer.aws
    rights = {"Effect": "Allow", "Action": ["s3:*", "kms:*", "logs:*", "codebuild:*"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [rights]})
    for name in CHAIN:
        model = pipeline_model(described, APP, name, described.pipeline(name))
        (names,) = model.environments
        admin = aws.make_admin(names.account)
        iam, builds = aws.client("iam", admin, HOME), aws.client("codebuild", admin, names.region)
        trusts = {names.action_role: (names.path, role_trust(model.names.role_arn()))}
        trusts |= {
            names.project_role(what): (names.project_path, service_trust("codebuild.amazonaws.com", names.account))
            for what in PROJECTS
        }
        for role, (path, trust) in trusts.items():
            iam.create_role(Path=path, RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
            iam.put_role_policy(RoleName=role, PolicyName="rights", PolicyDocument=policy)
        for what in PROJECTS:
            planned = ("export CHANGES=1 PLAN_DIGEST=p",) if what == "plan" else ()
            exports = ("CHANGES", "PLAN_DIGEST") if what == "plan" else ()
            builds.create_project(
                name=names.project(what),
                source={"type": "CODEPIPELINE", "buildspec": spec(artifact.verify(), *planned, exports=exports)},
                artifacts={"type": "CODEPIPELINE"},
                environment={
                    "type": "LINUX_CONTAINER",
                    "image": "aws/codebuild/standard:7.0",
                    "computeType": "BUILD_GENERAL1_SMALL",
                },
                serviceRole=names.project_role_arn(what),
            )


def shorten(project: PulumiProject) -> None:
    """Build seals the checkout, and UpdatePipeline verifies it: nothing is installed."""
    client = project.developer.client("codebuild")
    specs = {f"{APP}-pipeline-build": spec(artifact.seal(), exports=(artifact.VARIABLE,), files=True)}
    specs |= {f"{APP}-{name}-update": spec(artifact.verify()) for name in CHAIN}
    for name, text in specs.items():
        client.update_project(name=name, source={"type": "CODEPIPELINE", "buildspec": text})


def told(execution: Execution) -> list[str]:
    return [f"{run.action.name}: {run.error}" for run in execution.history if run.error]


def test_one_release_goes_through_three_pipelines(
    project: PulumiProject,
    service: PipelineService,  # noqa: F811
) -> None:
    account = project.developer.account
    names = {name: PipelineNames(APP, account, HOME, name) for name in CHAIN}
    pipelines = project.developer.client("codepipeline")
    # Who hands on first: its bucket is the source of the next one. The end of the chain need not be there yet.
    project.init_with_key(*CHAIN)
    for name in CHAIN:
        project.up("-s", name)
    assert service.executions(names["second"].pipeline, account) == []  # nothing was handed on
    for execution in service.executions(names["pipeline"].pipeline, account):
        service.wait(execution.id, 120)  # its first one cannot install what is not there
    shorten(project)

    first = service.wait(
        pipelines.start_pipeline_execution(name=names["pipeline"].pipeline)["pipelineExecutionId"], 120
    )
    assert first.status == "Succeeded", told(first)
    digest, commit = first.outputs["build"][artifact.VARIABLE], first.outputs["source"]["CommitId"]
    before = first
    for name in CHAIN[1:]:
        (execution,) = service.executions(names[name].pipeline, account)
        done = service.wait(execution.id, 120)
        assert done.status == "Succeeded", told(done)
        key = f"releases/{before.id}.zip"
        assert done.variables == {"ARTIFACT_DIGEST": digest, "COMMIT_ID": commit, "RELEASE": key}
        before = done
        deployed = f"Deploy-{ENVIRONMENTS[name]}"
        assert deployed in [run.action.name for run in done.history if run.status == "Succeeded"]
    # Built once.
    assert sum(run.action.name == "Build" for run in first.history) == 1

    # Another object in the place of a release is refused by the first thing that runs it.
    altered = io.BytesIO()
    with zipfile.ZipFile(altered, "w") as archive:
        archive.writestr("release.txt", "two\n")
    bucket = names["pipeline"].artifact_bucket(HOME)
    project.developer.client("s3").put_object(Bucket=bucket, Key="releases/altered.zip", Body=altered.getvalue())
    revision = {"actionName": "Source", "revisionType": "S3_OBJECT_KEY", "revisionValue": "releases/altered.zip"}
    given = {"ARTIFACT_DIGEST": digest, "COMMIT_ID": commit, "RELEASE": "releases/altered.zip"}
    started = pipelines.start_pipeline_execution(
        name=names["second"].pipeline,
        sourceRevisions=[revision],
        variables=[{"name": name, "value": value} for name, value in given.items()],
    )
    refused = service.wait(started["pipelineExecutionId"], 120)
    assert refused.status == "Failed"
    assert refused.history[-1].action.name == "UpdatePipeline"
    assert_only_releases(project, service, names)


def assert_only_releases(
    project: PulumiProject,
    service: PipelineService,  # noqa: F811
    names: dict[str, PipelineNames],
) -> None:
    """The next pipeline's source gets nothing else of the first one's artifacts."""
    from aws_rehearsal.pipeline_service.gate import Caller, Gate

    gate = Gate(service.aws.port, service._room.token)  # type: ignore[arg-type]
    pipeline = names["second"]
    role = gate.assume(pipeline.role_arn(), "codepipeline.amazonaws.com", pipeline.pipeline_arn, HOME, "test")
    assert role is not None
    keys = project.developer.aws.client("sts", role, HOME).assume_role(
        RoleArn=pipeline.role_arn("source"), RoleSessionName="test"
    )["Credentials"]
    bucket = names["pipeline"].artifact_bucket(HOME)
    caller = Caller(keys["AccessKeyId"], "", pipeline.account, HOME)
    assert gate.denied(caller, "s3:GetObject", f"arn:aws:s3:::{bucket}/releases/x.zip") is None
    assert gate.denied(caller, "s3:GetObject", f"arn:aws:s3:::{bucket}/fullapp-pipeline/Source/x") is not None
