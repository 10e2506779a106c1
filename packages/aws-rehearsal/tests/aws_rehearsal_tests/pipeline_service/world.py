"""Accounts, roles, buckets, repositories and pipelines for the tests of the pipeline service."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import tempfile
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from aws_rehearsal.local_aws import Credentials, LocalAws, random_account
from aws_rehearsal.pipeline_service import PipelineService
from aws_rehearsal.pipeline_service.state import Execution

REGION, OTHER_REGION = "eu-central-1", "us-east-1"
CONNECTION = "arn:aws:codeconnections:eu-central-1:111111111111:connection/0a1b2c3d"


def trusted(*services: str, **more: Any) -> dict[str, Any]:
    """A trust policy for services."""
    statement = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole", **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def trusted_role(arn: str) -> dict[str, Any]:
    """A trust policy for one role: its account, on condition that it is this role."""
    account = arn.split(":")[4]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                "Action": "sts:AssumeRole",
                "Condition": {"ArnEquals": {"aws:PrincipalArn": arn}},
            }
        ],
    }


def allow(actions: str | list[str], resources: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """A statement that allows."""
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def deny(actions: str | list[str], resources: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """A statement that denies."""
    return {**allow(actions, resources, **more), "Effect": "Deny"}


class World:
    """A tooling account with everything a pipeline needs, and a target account."""

    def __init__(self, aws: LocalAws, service: PipelineService, folder: Path) -> None:
        self.aws, self.service, self.folder = aws, service, folder
        self.tooling, self.target = random_account(), random_account()
        self.admin = aws.make_admin(self.tooling)
        self._clients: dict[tuple[str, Credentials, str], Any] = {}
        self.pipelines = self.client("codepipeline")
        self.codebuild = self.client("codebuild")
        self._commits = 1
        self.repository = folder / "app.git"
        self.full_id = f"team/app{self.tooling}"
        shutil.copytree(_repository(), folder, dirs_exist_ok=True)
        service.repository(CONNECTION, self.full_id, self.repository)
        self.key = self.client("kms").create_key()["KeyMetadata"]["Arn"]
        self.bucket = f"artifacts-{self.tooling}"
        self._bucket(self.bucket, REGION)
        rights = [
            allow(["s3:*", "kms:*", "codeconnections:UseConnection", "sts:AssumeRole", "codebuild:*", "sns:Publish"])
        ]
        self.pipeline_role = self.role("pipeline", trusted("codepipeline.amazonaws.com"), rights)
        self.build_trust = trusted("codebuild.amazonaws.com")
        self.build_role = self.role("build", self.build_trust, [allow(["s3:*", "kms:*", "logs:*"])])

    @cached_property
    def target_admin(self) -> Credentials:
        return self.aws.make_admin(self.target)

    def client(self, service: str, credentials: Credentials | None = None, region: str = REGION) -> Any:
        """A client, the administrator's by default; the same one when asked again."""
        key = service, credentials or self.admin, region
        if key not in self._clients:
            self._clients[key] = self.aws.client(*key)
        return self._clients[key]

    def role(self, name: str, trust: dict[str, Any], statements: list[dict[str, Any]], account: str = "") -> str:
        """Make a role (or give it new policies), in the tooling account by default; its ARN."""
        iam = self.client("iam", self.aws.make_admin(account or self.tooling), "us-east-1")
        try:
            arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        except iam.exceptions.EntityAlreadyExistsException:
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
            arn = iam.get_role(RoleName=name)["Role"]["Arn"]
        # A policy needs a statement: a role without rights gets one that says so.
        document = json.dumps({"Version": "2012-10-17", "Statement": statements or [deny("*")]})
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=document)
        return arn

    def user(self, name: str, statements: list[dict[str, Any]]) -> Credentials:
        """A user of the tooling account with these rights."""
        iam = self.client("iam", region="us-east-1")
        iam.create_user(UserName=name)
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(self.tooling, key["AccessKeyId"], key["SecretAccessKey"])

    def commit(self, message: str, files: dict[str, str] | None = None, branch: str = "main") -> str:
        """Commit files and push them; the commit's id."""
        work = self.folder / "work"
        self._commits += 1
        if branch != "main":
            self._git("checkout", "-q", "-B", branch)
        for name, text in (files or {"file.txt": f"{self._commits}\n"}).items():
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self._git("add", "-A")
        self._git("commit", "-q", "-m", message)
        self._git("push", "-q", "origin", branch)
        commit_id = self._git("rev-parse", "HEAD")
        if branch != "main":
            self._git("checkout", "-q", "main")
        return commit_id

    def tag(self, name: str) -> None:
        self._git("tag", name)
        self._git("push", "-q", "origin", name)

    def project(self, name: str, *commands: str, spec: dict[str, Any] | None = None, **more: Any) -> str:
        """Make a project of the pipeline whose build phase runs `commands`, or with another buildspec."""
        buildspec = spec or {"version": 0.2, "phases": {"build": {"commands": list(commands)}}}
        admin = more.pop("admin", self.admin)
        declared = {
            "name": name,
            "source": {"type": "CODEPIPELINE", "buildspec": json.dumps(buildspec, indent=1)},
            "artifacts": {"type": "CODEPIPELINE"},
            "environment": {
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
            "serviceRole": self.build_role,
            **more,
        }
        self.client("codebuild", admin).create_project(**declared)
        return name

    def declaration(self, name: str, *stages: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A V2 pipeline with a source stage and `stages`."""
        return {
            "name": name,
            "roleArn": self.pipeline_role,
            "artifactStore": {"type": "S3", "location": self.bucket, "encryptionKey": {"id": self.key, "type": "KMS"}},
            "pipelineType": "V2",
            "executionMode": "QUEUED",
            "stages": [{"name": "Source", "actions": [self.source()]}, *stages],
            **more,
        }

    def source(self, **configuration: str) -> dict[str, Any]:
        return {
            "name": "App",
            "namespace": "Source",
            "actionTypeId": {
                "category": "Source",
                "owner": "AWS",
                "provider": "CodeStarSourceConnection",
                "version": "1",
            },
            "configuration": {
                "ConnectionArn": CONNECTION,
                "FullRepositoryId": self.full_id,
                "BranchName": "main",
                **configuration,
            },
            "outputArtifacts": [{"name": "Sources"}],
        }

    def create(self, name: str, *stages: dict[str, Any], **more: Any) -> str:
        """Create a pipeline and answer the id of the execution that its creation starts."""
        self.pipelines.create_pipeline(pipeline=self.declaration(name, *stages, **more))
        return self.executions(name)[0].id

    def executions(self, name: str) -> list[Execution]:
        """The executions of a pipeline of this world, oldest first."""
        return self.service.executions(name, self.tooling)

    def run(self, name: str, timeout: float = 30, **arguments: Any) -> Any:
        """Start an execution and wait for its end."""
        started = self.pipelines.start_pipeline_execution(name=name, **arguments)
        return self.service.wait(started["pipelineExecutionId"], timeout)

    def actions(self, name: str, execution: str) -> dict[str, Any]:
        """The actions of an execution by name, as ListActionExecutions tells them (the latest of each)."""
        found = self.pipelines.list_action_executions(pipelineName=name, filter={"pipelineExecutionId": execution})[
            "actionExecutionDetails"
        ]
        return {action["actionName"]: action for action in reversed(found)}

    def stage_state(self, name: str, stage: str) -> dict[str, Any]:
        """A stage as GetPipelineState tells it."""
        states = self.pipelines.get_pipeline_state(name=name)["stageStates"]
        return next(state for state in states if state["stageName"] == stage)

    def approve(self, name: str, execution: str, stage: str = "Approve", status: str = "Approved") -> None:
        """Answer the approval of a stage (its action has the stage's name)."""
        token = self.service.wait_for_action(execution, stage).token
        self.pipelines.put_approval_result(
            pipelineName=name,
            stageName=stage,
            actionName=stage,
            token=token,
            result={"status": status, "summary": f"{status} by me"},
        )

    def _bucket(self, name: str, region: str) -> None:
        more = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3 = self.client("s3", region=region)
        s3.create_bucket(Bucket=name, **more)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})

    def _git(self, *arguments: str) -> str:
        return _git(self.folder / "work", *arguments)


def _git(cwd: Path, *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(cwd),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
    }
    done = subprocess.run(["git", *arguments], cwd=cwd, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@cache
def _repository() -> Path:
    """A repository with a first commit, `app.git`, and a clone of it, `work`: made once, and copied for each test."""
    folder = tempfile.TemporaryDirectory(prefix="repository-")
    atexit.register(folder.cleanup)
    made = Path(folder.name)
    _git(made, "init", "-q", "--template=", "--bare", "-b", "main", "app.git")
    _git(made, "clone", "-q", "--template=", "app.git", "work")
    work = made / "work"
    _git(work, "remote", "set-url", "origin", "../app.git")
    (work / "file.txt").write_text("1\n")
    _git(work, "add", "-A")
    _git(work, "commit", "-q", "-m", "first")
    _git(work, "push", "-q", "origin", "main")
    return made


def build(project: str, **more: Any) -> dict[str, Any]:
    """A CodeBuild action named like its project."""
    return {
        "name": project,
        "actionTypeId": {"category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"},
        "configuration": {"ProjectName": project, **more.pop("configuration", {})},
        "inputArtifacts": [{"name": "Sources"}],
        **more,
    }


def approval(name: str = "Approve", **more: Any) -> dict[str, Any]:
    """A manual approval."""
    return {
        "name": name,
        "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
        **more,
    }


def stage(name: str, *actions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A stage."""
    return {"name": name, "actions": list(actions), **more}


def variable_check(variable: str, operator: str, value: str) -> list[dict[str, Any]]:
    """The rules of a condition with one variable check."""
    kind = {"category": "Rule", "owner": "AWS", "provider": "VariableCheck", "version": "1"}
    configuration = {"Variable": variable, "Operator": operator, "Value": value}
    return [{"name": "Check", "ruleTypeId": kind, "configuration": configuration}]
