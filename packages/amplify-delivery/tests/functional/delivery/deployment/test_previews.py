"""A pull request, as the written workflows have it: its plan as a comment, and a backend of its own until it is closed.

The very commands of the files that `init --ci` writes, GitHub's and GitLab's, in their order, on the real engine;
whoever runs them has a token of the CI and no credentials. What delivers the merged commit is
`enforcement/test_ci_jobs.py`, and all of it `amplify_delivery_rehearsal_tests/test_ci_delivery.py`.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.ci_service import gitlab
from aws_rehearsal.ci_service.gitlab_rules import expanded
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from aws_rehearsal_tests import pulumi_homes
from functional import here
from functional.ci_tokens import Issuer, signed
from functional.delivery.environments import REGION, Environment
from functional.delivery.outcomes import succeeds
from unit.delivery.scaffold.workflows.ci_files import Job, workflow
from unit.delivery.scaffold.workflows.test_workflows import GH, MARK
from unit.places import REPOSITORY

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("previews")]

PULL_REQUEST, MAIN = "repo:octo/shop:pull_request", "repo:octo/shop:ref:refs/heads/main"
OURS = {"repository_id": "567890"}
NUMBER = "12"


class Runner:
    """GitHub's, for the repository octo/shop: jobs of its workflows, with a token and without any credentials. And the
    merge request's `GitLab`."""

    def __init__(self, environment: Environment, folder: Path) -> None:
        self.environment, self.folder, self.project = environment, folder, environment.workspace.project
        self.issuer = Issuer(PULL_REQUEST, OURS)
        self.gitlab = GitLab(self)
        on_path = folder / "tools"
        pulumi_homes.on_path(on_path)
        (on_path / "gh").write_text(GH)
        (on_path / "gh").chmod(0o755)
        clean = {
            name: value
            for name, value in environment.workspace.environment.items()
            if name.startswith(("PULUMI_", "AMPLIFY_", "PATH", "AWS_ENDPOINT"))
        }
        self.machine = {**clean, "PATH": f"{on_path}:{clean['PATH']}"}
        """What every job has, whoever runs it."""
        self.variables = {
            **self.machine,
            **self.issuer.variables,
            "GH_LOG": str(folder / "gh.log"),
            "GH_THERE": "",
            "GH_FAILS": "nothing",
            "GITHUB_REPOSITORY": "octo/shop",
        }
        self.role = ""
        self.begun = 0

    def begin(self) -> Path:
        """A job begins in a fresh checkout: what an earlier one has left beside the commit is gone. The folder that it
        has of its own."""
        self.git("clean", "-fdxq", "-e", ".venv")
        self.begun += 1
        temporary = self.folder / f"runner-{self.begun}"
        temporary.mkdir()
        return temporary

    def job(self, file: str, name: str) -> Job:
        temporary = self.begin()
        document = workflow((self.project / ".github/workflows" / file).read_text())["jobs"][name]
        state = self.environment.workspace.environment["PULUMI_BACKEND_URL"]
        given = {
            "github.base_ref": "main",
            "github.token": "token",
            "github.event.pull_request.number": NUMBER,
            "github.event.pull_request.head.repo.full_name != github.repository": "false",
            "vars.BACKEND_PREVIEW_ROLE": self.role,
            "vars.BACKEND_PREVIEW_REGION": REGION,
            "vars.BACKEND_PREVIEW_STATE": state,
        }
        declared = dict(document.get("env", {}))
        if "AWS_CONFIG_FILE" in declared:  # not one for all tests of this machine
            declared["AWS_CONFIG_FILE"] = str(temporary / "aws")
        return Job({**document, "env": declared}, self.project, given, self.variables, temporary)

    def git(self, *arguments: str) -> None:
        name = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *name, *arguments], cwd=self.project, check=True, capture_output=True)


class GitLab:
    """The jobs of GitLab's pipelines of the same commit, each in a shell of its own, for the project with the number
    4711."""

    def __init__(self, runner: Runner) -> None:
        self.runner, self.role = runner, ""

    def run(self, name: str, project: str = "4711") -> subprocess.CompletedProcess[str]:
        """A job from its beginning to its end, but for the engine, which is there."""
        runner, temporary = self.runner, self.runner.begin()
        document = gitlab.read(runner.project).documents[name]
        claims = {"iss": "https://gitlab.com", "aud": "https://gitlab.com", "exp": int(time.time()) + 3600}
        given = {
            "CI_BUILDS_DIR": str(temporary),
            "CI_MERGE_REQUEST_IID": NUMBER,
            "BACKEND_PREVIEW_ROLE": self.role,
            "BACKEND_PREVIEW_REGION": REGION,
            "BACKEND_PREVIEW_STATE": runner.environment.workspace.environment["PULUMI_BACKEND_URL"],
            **{
                variable: signed({**claims, "sub": f"project_id:{project}:ref_type:branch:ref:feature"})
                for variable in document["id_tokens"]
            },
        }
        declared = {name: expanded(value, given) for name, value in document["variables"].items()}
        lines = [*document["before_script"], *document["script"]]
        scripts = [line for line in lines if "venv" not in line and "pip install" not in line]
        assert len(scripts) == len(lines) - 3
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", "\n".join(scripts)],
            cwd=runner.project,
            env={**runner.machine, **given, **declared},
            capture_output=True,
            text=True,
            check=False,
        )

    def says(self, name: str) -> str:
        ran = self.run(name)
        assert ran.returncode == 0, f"{name}\n{ran.stdout}{ran.stderr}"
        return ran.stdout


def runs(job: Job, *steps: str) -> str:
    """What these steps say; each ends well."""
    said = ""
    for step in steps:
        ran = job.run(step)
        assert ran.returncode == 0, f"{step}\n{ran.stdout}{ran.stderr}"
        said += ran.stdout
    return said


@pytest.fixture
def runner(local_aws: LocalAws, examined: Path, tmp_path: Path) -> Iterator[Runner]:
    """A project with the pattern for previews, set up as docs/previews.md says, in a repository."""
    made = Environment(tmp_path, local_aws, tools(), examined, "todo-series/v3")
    project = made.workspace.project
    pattern = project / "Pulumi.preview.yaml"
    (project / "Pulumi.dev.yaml").rename(pattern)
    pattern.write_text(pattern.read_text().replace("config:\n", f"config:\n  {made.app}:disposable: true\n", 1))
    place = f'  {made.app}:account: "033333333333"\n  {made.app}:region: eu-west-1\n'
    (project / "Pulumi.prod.yaml").write_text(f'config:\n{place}  {made.app}:bootstrapped: "true"\n')
    for kind in ("github", "gitlab"):
        succeeds(here.delivery(made.workspace, "init", "--ci", kind))
    found = Runner(made, tmp_path)
    found.git("init", "-q", "-b", "main")
    found.git("add", "-A")
    found.git("commit", "-qm", "The backend")
    found.git("update-ref", "refs/remotes/origin/main", "HEAD")
    let_in(found)
    yield found
    found.issuer.server.shutdown()
    found.issuer.server.server_close()


def let_in(runner: Runner) -> None:
    """The account's OIDC providers, and a role for each: the lines of docs/previews.md and docs/ci.md."""
    iam = runner.environment.client("iam")
    pages = ((REPOSITORY / "docs" / name).read_text(encoding="utf-8") for name in ("ci.md", "previews.md"))
    providers, trusts = (
        re.findall(pattern, page)
        for pattern, page in zip(
            (
                r"aws iam create-open-id-connect-provider --url (\S+) --client-id-list (\S+)",
                r"amplify-delivery (preview trust (?:--ci gitlab )?--repository .*) > trust.json",
            ),
            pages,
            strict=True,
        )
    )
    roles: list[str] = []
    for (url, client), typed in zip(providers, trusts, strict=True):
        iam.create_open_id_connect_provider(Url=url, ClientIDList=[client])
        trust = succeeds(here.delivery(runner.environment.workspace, *typed.split()))
        name = f"shop-previews-{len(roles)}"
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust.output)
        iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        roles.append(made["Role"]["Arn"])
    runner.role, runner.gitlab.role = roles


class Account:
    """What a preview leaves its traces in."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.root = f"amplify-{environment.app}-pr12-{environment.suffix}"

    def roots(self) -> list[str]:
        stacks: list[dict[str, Any]] = self.environment.client("cloudformation").describe_stacks()["Stacks"]
        return [stack["StackName"] for stack in stacks if "RootId" not in stack]

    def tables(self) -> list[str]:
        return [name.partition("-")[0] for name in self.environment.client("dynamodb").list_tables()["TableNames"]]

    def holds_the_models_data(self) -> tuple[str, ...]:
        """Of the model that goes: its table, and what its template keeps (`a_model_keeps`); all or nothing."""
        has = ("TodoList", "Kept", f"files-of-{self.environment.suffix}")
        found = tuple(name for name in has if name in {*self.tables(), *self.environment.buckets()})
        assert found in ((), has)
        return found

    def remembered(self) -> list[str]:
        """The engine's stacks."""
        return [
            stack["name"] for stack in json.loads(self.environment.workspace.succeed("stack", "ls", "--json").output)
        ]

    def is_what_configures(self, folder: Path) -> None:
        """The front end's configuration in `folder`, which is the job's artifact."""
        [api] = self.environment.client("appsync").list_graphql_apis()["graphqlApis"]
        written = json.loads((folder / "client-config" / "amplifyconfiguration.json").read_text())
        assert written["aws_appsync_graphqlEndpoint"] == api["uris"]["GRAPHQL"]

    def is_as_before(self) -> None:
        """Nothing of a preview is there, the bucket that Amplify's template keeps included."""
        assert (self.roots(), self.environment.buckets(), self.remembered()) == ([], set(), ["dev"])


def test_a_pull_request_is_planned_and_has_a_backend_until_it_is_closed(runner: Runner) -> None:
    environment, issuer = runner.environment, runner.issuer
    account = Account(environment)
    a_model_keeps(runner)
    preview = runner.job("backend-preview.yml", "preview")
    nobody_else_comes_in(issuer, preview)
    runs(preview, "Sign in")
    nothing_is_delivered_here(account, preview)

    asked = len(issuer.asked)
    runs(preview, "Make or update", "Configure the front end")
    # The command, the engine for its key, the provider: each has asked for the role's credentials.
    assert len(issuer.asked) >= asked + 3
    assert account.roots() == [account.root]
    assert account.holds_the_models_data()
    account.is_what_configures(preview.temporary)

    # The next push takes a model away: a reviewer reads what merging does. In the preview its table goes unasked, and
    # what its template keeps goes, too: nobody would find it later.
    environment.take("todo-series/v2")
    runner.git("add", f"amplify-export-{environment.app}")
    runner.git("commit", "-qm", "Without a model")
    runs(runner.job("backend-plan.yml", "plan"), "Plan against the target branch", "Comment", "Check the export")
    comment = (runner.folder / "gh.log.body").read_text()
    assert comment.startswith(MARK)
    assert "### `prod`: " in comment
    assert "TodoList" in comment
    assert "`preview`" not in comment
    preview = runner.job("backend-preview.yml", "preview")
    assert "pr12: 1 updated" in runs(preview, "Sign in", "Make or update")
    assert account.holds_the_models_data() == ()

    # The clock runs on the branch, in a checkout that has never heard of it; a week later nobody has closed it.
    issuer.subject = MAIN
    collect = runner.job("backend-preview.yml", "collect")
    last = "Take down what nobody has updated for a week"
    assert "kept: pr12\n" in runs(collect, "Sign in", last)
    assert account.roots() == [account.root]
    assert "deleted: pr12\n" in runs(later(collect, last), last)
    account.is_as_before()

    # It is opened again, and merged: the target branch's program takes it down.
    issuer.subject = PULL_REQUEST
    runs(runner.job("backend-preview.yml", "preview"), "Sign in", "Make or update")
    assert account.roots() == [account.root]
    closed = runner.job("backend-preview.yml", "preview")
    assert not (runner.project / "Pulumi.pr12.yaml").exists()
    assert "pr12: deleted\n" in runs(closed, "Sign in", "Take down")
    account.is_as_before()
    assert not (runner.project / "Pulumi.pr12.yaml").exists()
    assert "pr12: there is none" in runs(closed, "Take down")

    a_merge_request_has_one_as_well(runner, account)


def a_merge_request_has_one_as_well(runner: Runner, account: Account) -> None:
    """GitLab's jobs, in the same account: each from its token to its last command. Its clock calls what GitHub's does,
    which has deleted one above."""
    refused = runner.gitlab.run("backend-preview", project="815")
    assert refused.returncode == 3
    assert "does not let this job of GitLab in (sub 'project_id:815:" in refused.stderr
    asked = len(runner.issuer.asked)
    runner.gitlab.says("backend-preview")
    assert account.roots() == [account.root]
    account.is_what_configures(runner.project)
    assert "kept: pr12\n" in runner.gitlab.says("backend-preview-collect")
    assert "pr12: deleted\n" in runner.gitlab.says("backend-preview-stop")
    account.is_as_before()
    assert len(runner.issuer.asked) == asked  # nobody has asked GitHub for a token


def a_model_keeps(runner: Runner) -> None:
    """A bucket and a table beside a model, which stay when it goes (`DeletionPolicy`), the bucket under its name."""
    [file] = runner.project.glob("amplify-export-*/api/*/amplify-appsync-files/stacks/TodoList.json")
    template = json.loads(file.read_text())
    table = {
        "TableName": {"Fn::Sub": "Kept-${AWS::AccountId}"},
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    bucket = {"BucketName": f"files-of-{runner.environment.suffix}"}
    for name, kind, properties in (("Files", "S3::Bucket", bucket), ("Kept", "DynamoDB::Table", table)):
        kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
        template["Resources"][name] = {"Type": f"AWS::{kind}", "Properties": properties, **kept}
    file.write_text(json.dumps(template))
    runner.git("commit", "-qam", "A model keeps its files")


def nobody_else_comes_in(issuer: Issuer, job: Job) -> None:
    """Another repository's job: the step that signs in ends, and says that it is not let in."""
    issuer.claims = {"repository_id": "99"}
    refused = job.run("Sign in")
    assert refused.returncode == 3
    assert "does not let this job of GitHub in" in refused.stderr
    issuer.claims = OURS


def nothing_is_delivered_here(account: Account, job: Job) -> None:
    ssm, parameter = account.environment.client("ssm"), "/amplify-delivery/other/prod/bootstrap-version"
    ssm.put_parameter(Name=parameter, Value="3", Type="String")
    refused = job.run("Make or update")
    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert "the environment prod of other is delivered to this account" in refused.stderr
    assert account.roots() == []
    ssm.delete_parameter(Name=parameter)


def later(job: Job, name: str) -> Job:
    """The job as it is when a week has gone by: no day counts any more."""
    step = job.step(name)
    aged = {**step, "run": step["run"].replace("--older-than 7", "--older-than 0")}
    assert aged != step
    job.document = {**job.document, "steps": [aged if other is step else other for other in job.document["steps"]]}
    return job
