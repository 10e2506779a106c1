"""Jobs of a CI come into an account: `pack` and `start`, with the declared roles and tokens as GitHub signs them.

Here nobody checks a token's signature; issuer, audience and claims are compared as AWS does.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from amplify_delivery import cli
from amplify_delivery.components.documents import staging
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.components.documents.pipeline import artifact
from amplify_delivery.components.documents.pipeline.buildspecs import PLAN_VARIABLES
from amplify_delivery.components.documents.statements import to_json
from amplify_delivery.components.documents.web_identity import GITHUB
from amplify_delivery.delivery.account.remote import builds
from amplify_delivery.delivery.scaffold import ci
from aws_rehearsal.pipeline_service import PipelineService
from aws_rehearsal_tests import pulumi_homes
from functional.ci_tokens import Issuer, signed
from functional.enforcement.declared_world import DeclaredWorld
from unit.delivery.scaffold.workflows.ci_files import Job, workflow

pytestmark = pytest.mark.xdist_group("enforced-trust")

PLAN = "ab" * 32
MAIN, PROD = "repo:octo/shop:ref:refs/heads/main", "repo:octo@11/shop@22:environment:prod"
WORKFLOW = "octo/shop/.github/workflows/backend-deploy.yml@refs/heads/main"
OURS = {"repository_id": "22", "ref": "refs/heads/main", "job_workflow_ref": WORKFLOW}


@pytest.fixture(scope="module")
def world(service: PipelineService) -> DeclaredWorld:
    """A world whose projects verify the artifact, and tell a plan in the place of making one."""
    made = DeclaredWorld(service, "team/shop")
    for names, issuer, audience in (
        (made.prod, f"https://{GITHUB}", "sts.amazonaws.com"),
        (made.preprod, "https://gitlab.com", "https://gitlab.com"),
    ):
        _prepare(made, names, issuer, audience)
    return made


def _prepare(made: DeclaredWorld, names: EnvironmentNames, issuer: str, audience: str) -> None:
    policy = to_json(staging.bucket_policy(names.staging_bucket, names.region))
    made.admin("s3", names.account, names.region).put_bucket_policy(Bucket=names.staging_bucket, Policy=policy)
    made.admin("iam", names.account).create_open_id_connect_provider(Url=issuer, ClientIDList=[audience])
    codebuild = made.admin("codebuild", names.account, names.region)
    for project in ("publish", "plan", "deploy", "check"):
        own = {
            "plan": f"CHANGES=3 PLAN_DIGEST={PLAN} && export CHANGES PLAN_DIGEST",
            "deploy": f'test "$PLAN_DIGEST" = {PLAN} || exit 3',
        }
        spec: dict[str, Any] = {"version": 0.2, "env": {"shell": "bash"}}
        spec["phases"] = {"build": {"commands": [artifact.verify(), own.get(project, "true")]}}
        if project == "plan":
            spec["env"]["exported-variables"] = PLAN_VARIABLES
        source = {"type": "CODEPIPELINE", "buildspec": json.dumps(spec)}
        codebuild.update_project(name=names.project(project), source=source)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer(MAIN, OURS)
    yield made
    made.server.shutdown()


@pytest.fixture
def job(world: DeclaredWorld, issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """A job's commands in a checkout: exit code, and what was said."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    for names in (world.preprod, world.prod):
        place = f'  shop:account: "{names.account}"\n  shop:region: {names.region}\n  shop:bootstrapped: "true"\n'
        (tmp_path / f"Pulumi.{names.environment}.yaml").write_text(f"config:\n{place}")
    monkeypatch.chdir(tmp_path)
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{world.aws.port}")
    monkeypatch.setenv("GITHUB_SHA", "c0ffee")
    for name, value in issuer.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(builds, "_SHORTEST", 0.1)
    monkeypatch.setattr(builds, "_LONGEST", 0.1)

    def call(*arguments: str) -> tuple[int, str]:
        code = cli.main(list(arguments))
        said = capsys.readouterr()
        return code, said.out + said.err

    return call


def digest_in(said: str) -> str:
    """The digest of what `pack` has packed, in what it says."""
    [found] = re.findall(r"\b[0-9a-f]{64}\b", said)
    return str(found)


def test_the_workflows_own_commands_deliver(world: DeclaredWorld, issuer: Issuer, job: Any, tmp_path: Path) -> None:
    """The jobs that `init --ci github` writes, with what GitHub hands from one to the other."""
    jobs = workflow(ci.files(ci.GITHUB, ["prod"])[".github/workflows/backend-deploy.yml"])["jobs"]
    tools = tmp_path / ".tools"
    pulumi_homes.on_path(tools)

    def begin(name: str, **values: str) -> Job:
        temporary = tmp_path / f".{name}"
        temporary.mkdir()
        variables = {"PATH": f"{tools}:{os.environ['PATH']}", **issuer.variables}
        return Job(jobs[name], tmp_path, values, variables, temporary)

    def run(here: Job, step: str) -> None:
        ran = here.run(step)
        assert ran.returncode == 0, ran.stdout + ran.stderr

    build = begin("build")
    run(build, "Pack")
    digest = build.outputs["ARTIFACT_DIGEST"]
    assert jobs["build"]["outputs"] == {"digest": "${{ steps.pack.outputs.ARTIFACT_DIGEST }}"}
    plan = begin("plan-prod", **{"needs.build.outputs.digest": digest})
    (plan.temporary / "artifact.zip").write_bytes((build.temporary / "artifact.zip").read_bytes())
    run(plan, "Publish")
    run(plan, "Plan")
    assert plan.outputs == {"CHANGES": "3", "PLAN_DIGEST": PLAN}
    assert "CHANGES=3" in plan.summary
    assert jobs["plan-prod"]["outputs"] == {"plan": "${{ steps.plan.outputs.PLAN_DIGEST }}"}
    handed = {"needs.build.outputs.digest": digest, "needs.plan-prod.outputs.plan": plan.outputs["PLAN_DIGEST"]}
    deploy = begin("deploy-prod", **handed)
    assert deploy.run("Deploy as planned").returncode == 3, "the environment is not in the token yet"
    issuer.subject = PROD
    run(deploy, "Deploy as planned")
    assert world.service.builds()[-1].name == world.prod.project("deploy")


def test_a_release_goes_from_the_branch_through_the_approved_environment(
    world: DeclaredWorld, issuer: Issuer, job: Any, tmp_path: Path
) -> None:
    names, out = world.prod, tmp_path / "out"
    (tmp_path / "release.txt").write_text("one")
    code, said = job("pack", "--out", "artifact.zip", "--variables", str(out))
    assert code == 0, said
    digest = out.read_text().strip().removeprefix("ARTIFACT_DIGEST=")
    code, said = job("start", "prod", "publish", "--artifact", "artifact.zip")
    assert code == 0, said
    assert f"put into {names.staging_bucket}" in said
    assert issuer.asked[0] == "/token?version=1&audience=sts.amazonaws.com bearer runner"
    # The second one finds it there: nothing is written over, and nothing needs to be.
    code, said = job("start", "prod", "plan", "--artifact", "artifact.zip", "--variables", str(out))
    assert code == 0, said
    assert f"was in {names.staging_bucket}" in said
    assert "CHANGES=3\n" in out.read_text()

    deploy = ("start", "prod", "deploy", "--digest", digest, "--plan", PLAN)
    # The planning job may not deploy: GitHub signs the environment only once its protection rules are met.
    code, said = job(*deploy)
    assert code == 3, said
    assert f"does not let this job of GitHub in (sub '{MAIN}', aud 'sts.amazonaws.com')" in said
    assert "docs/ci.md" in said
    issuer.subject = PROD
    code, said = job(*deploy)
    assert code == 0, said
    build = world.service.builds()[-1]
    given = {variable["name"]: variable["value"] for variable in build.overrides}
    assert given == {"ARTIFACT_DIGEST": digest, "COMMIT_ID": "c0ffee", "PLAN_DIGEST": PLAN}
    # A plan that has changed meanwhile: `deploy` itself refuses, and says so with its exit code.
    code, said = job(*deploy[:-1], "cd" * 32)
    assert code == 3, said
    assert "has ended with FAILED: exit status 3" in said


@pytest.mark.parametrize(
    ("subject", "claims"),
    [
        ("repo:mallory/shop:ref:refs/heads/main", {**OURS, "repository_id": "99"}),
        (MAIN, {**OURS, "repository_id": "99"}),
        (MAIN, {}),
        ("repo:octo/shop:pull_request", OURS),
        ("repo:octo/shop:ref:refs/heads/other", OURS),
        (MAIN, {**OURS, "ref": "refs/heads/other"}),
        (MAIN, {**OURS, "job_workflow_ref": WORKFLOW.replace("deploy", "other")}),
        (MAIN, {**OURS, "aud": "https://github.com/octo"}),
        (MAIN, {**OURS, "iss": "https://gitlab.com"}),
    ],
)
def test_nobody_elses_job_is_let_in(
    world: DeclaredWorld, issuer: Issuer, job: Any, subject: str, claims: dict[str, str]
) -> None:
    issuer.subject, issuer.claims = subject, claims
    before = len(world.service.builds())
    code, said = job("start", "prod", "plan", "--digest", "ab" * 32)
    assert code == 3, said
    assert "does not let this job of GitHub in" in said
    assert len(world.service.builds()) == before


WHO = "import boto3; print(boto3.client('sts', 'eu-west-1').get_caller_identity()['Arn'])"
"""What begins later in a job: each such process looks for credentials itself."""


def test_what_begins_long_after_a_jobs_sign_in_is_let_in(
    world: DeclaredWorld, issuer: Issuer, job: Any, tmp_path: Path
) -> None:
    """A backend takes twenty minutes, a token of GitHub's lives for five: what takes one from a file comes too late."""
    role = world.prod.ci_role_arn("plan")
    tools = tmp_path / ".tools"
    pulumi_homes.on_path(tools)
    kept, issuer.seconds = tmp_path / "token", -1
    kept.write_text(issuer.token())  # as it is by then
    issuer.seconds = 300
    for name, document in workflow(ci.files(ci.GITHUB)[".github/workflows/backend-preview.yml"])["jobs"].items():
        (tmp_path / name).mkdir()
        values = {"vars.BACKEND_PREVIEW_ROLE": role, "vars.BACKEND_PREVIEW_REGION": world.prod.region}
        profile = {"AWS_CONFIG_FILE": str(tmp_path / name / "aws"), "AWS_PROFILE": document["env"]["AWS_PROFILE"]}
        asked = {"ROLE": role, "AWS_REGION": world.prod.region, **profile}
        variables = {"PATH": f"{tools}:{os.environ['PATH']}", **issuer.variables, **asked}
        here = Job({**document, "env": {}}, tmp_path, values, variables, tmp_path / name)
        assert set(asked) <= set(document["env"])
        before = len(issuer.asked)
        ran = here.run("Sign in")
        assert ran.returncode == 0, ran.stderr
        assert "AccessKeyId" not in ran.stdout
        config = Path(profile["AWS_CONFIG_FILE"])
        assert config.stat().st_mode & 0o077 == 0
        # Nothing of what lets in is kept anywhere.
        assert not any(word in config.read_text() for word in ("runner", "eyJ", "secret", "token"))
        found = _process(tools, variables)
        assert found.returncode == 0, found.stderr
        assert f"assumed-role/{role.rpartition('/')[2]}/" in found.stdout
        assert len(issuer.asked) == before + 2
    file = {"AWS_ROLE_ARN": role, "AWS_WEB_IDENTITY_TOKEN_FILE": str(kept)}
    late = _process(tools, {"PATH": os.environ["PATH"], **file})
    assert "ExpiredTokenException" in late.stderr
    # Another repository's job learns at once that it is not let in.
    issuer.claims = {**OURS, "repository_id": "99"}
    ran = here.run("Sign in")
    assert ran.returncode == 3
    assert "does not let this job of GitHub in" in ran.stderr


def test_a_cancelled_job_says_that_its_build_goes_on() -> None:
    running = {"projectName": "shop-prod-deploy", "currentPhase": "BUILD", "buildComplete": False}
    account: Any = SimpleNamespace(
        client=lambda _: SimpleNamespace(batch_get_builds=lambda ids: {"builds": [running]}),
        changing=lambda *_: contextlib.nullcontext(),
    )
    said: list[str] = []

    def cancelled(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        builds.follow(account, builds.Wanted("deploy", "ab" * 32), "shop-prod-deploy:1", said.append, cancelled)
    assert said[-1] == "shop-prod-deploy:1: goes on in the account; a cancelled job cancels nothing there"


def test_gitlabs_own_commands_deliver(world: DeclaredWorld, issuer: Issuer, job: Any, tmp_path: Path) -> None:
    """The jobs that `init --ci gitlab` writes, with the files that GitLab hands from one to the other; whoever starts
    the pipeline by hand gives variables for what is handed on."""
    included = yaml.safe_load(ci.files(ci.GITLAB, ["preprod"])[ci.GITLAB_INCLUDED])
    tools = tmp_path / ".tools"
    pulumi_homes.on_path(tools)
    plan = "project_id:4711:ref_type:branch:ref:main"
    deploy = f"{plan}:environment_protected:true:deployment_tier:staging"
    by_hand = {"ARTIFACT_DIGEST": "cd" * 32, "PLAN_PREPROD": "cd" * 32, "PLAN_DIGEST": "cd" * 32}

    def run(name: str, subject: str, *without: str) -> subprocess.CompletedProcess[str]:
        token = signed({"iss": "https://gitlab.com", "aud": "https://gitlab.com", "sub": subject})
        given = {"PATH": f"{tools}:{os.environ['PATH']}", "AMPLIFY_DELIVERY_ID_TOKEN": token, **by_hand}
        environment = {name: value for name, value in {**os.environ, **given}.items() if name not in issuer.variables}
        lines = [line for line in included[name]["script"] if not any(word in line for word in without)]
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", "\n".join(lines)],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    for name, subject, without in (
        ("backend-build", "", ("pytest", "amplify-delivery build")),
        ("backend-plan-preprod", plan, ()),
        ("backend-deploy-preprod", deploy, ()),
    ):
        ran = run(name, subject, *without)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert all((tmp_path / path).is_file() for path in included[name].get("artifacts", {}).get("paths", ()))
        if name == "backend-plan-preprod":
            assert run("backend-deploy-preprod", plan).returncode == 3, "nobody has approved"
    build = world.service.builds()[-1]
    assert build.name == world.preprod.project("deploy")
    given = {variable["name"]: variable["value"] for variable in build.overrides}
    assert given["PLAN_DIGEST"] == PLAN
    assert given["ARTIFACT_DIGEST"] == (tmp_path / "build.env").read_text().strip().removeprefix("ARTIFACT_DIGEST=")


def _who(tools: Path) -> list[str]:
    """The command of such a process; `tools` are on a job's PATH."""
    return pulumi_homes.program({"PULUMI_HOME": str(tools)}, WHO)


def _process(tools: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(_who(tools), env=environment, capture_output=True, text=True, check=False)


def test_an_artifact_that_was_altered_runs_nowhere(world: DeclaredWorld, job: Any, tmp_path: Path) -> None:
    names = world.prod
    (tmp_path / "other.txt").write_text("other")
    code, said = job("pack", "--out", "artifact.zip")
    assert code == 0
    digest = digest_in(said)
    key = builds.artifact_key(digest)
    s3 = world.admin("s3", names.account, names.region)
    (tmp_path / "other.txt").write_text("altered")
    job("pack", "--out", "altered.zip")
    s3.put_object(Bucket=names.staging_bucket, Key=key, Body=(tmp_path / "altered.zip").read_bytes(), IfNoneMatch="*")
    code, said = job("start", "prod", "plan", "--artifact", "artifact.zip")
    assert code == 3, said
    assert "has ended with FAILED" in said
    assert "is not the list that Build made: refused." in world.service.log(world.service.builds()[-1].id)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=names.staging_bucket, Key=key, Body=b"over it")


def test_a_job_of_gitlab_comes_in_with_the_token_in_its_variable(
    world: DeclaredWorld, issuer: Issuer, job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one role is open to jobs of the branch, the other to those in a protected environment; a step's job says
    which one it wants."""
    for name in issuer.variables:
        monkeypatch.delenv(name)
    ours = "project_id:4711:ref_type:branch:ref:main"
    there = f"{ours}:environment_protected:true:deployment_tier:staging"
    code, said = job("pack", "--out", "artifact.zip")
    digest = digest_in(said)
    step = ("check", "--step", "smoke", "--digest", digest, "--role", "deploy")
    for subject, answers in (
        (ours, (0, 3)),
        (there, (3, 0)),
        (there.replace("true", "false"), (3, 3)),
        (ours.replace("main", "feature"), (3, 3)),
        (there.replace("4711", "815"), (3, 3)),
    ):
        # AWS compares no other claim of this issuer: these are as they are in every token, and prove nothing there.
        claims = {"project_id": "4711", "environment_protected": "true", "ref_protected": "true"}
        token = signed({"iss": "https://gitlab.com", "aud": "https://gitlab.com", "sub": subject, **claims})
        monkeypatch.setenv("AMPLIFY_DELIVERY_ID_TOKEN", token)
        code, said = job("start", "preprod", "publish", "--artifact", "artifact.zip")
        assert code == answers[0], said
        code, said = job("start", "preprod", *step)
        assert code == answers[1], said
    assert issuer.asked == []
    names = world.preprod
    ended = [build for build in world.service.builds() if build.name == names.project("check")]
    assert {o["name"]: o["value"] for o in ended[-1].overrides}["STEP_NAME"] == "smoke"
