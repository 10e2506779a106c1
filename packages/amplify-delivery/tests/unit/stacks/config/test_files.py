"""The stack files of accounts and pipelines: what they may say, and one sentence for each thing that is wrong."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from amplify_delivery.components.documents.pipeline.source_models import S3Source
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import AccountConfig, PipelineConfig, Project
from amplify_delivery.stacks.config.documentation import PROGRAMS
from amplify_delivery.stacks.config.program import account_config, pipeline_config
from amplify_delivery.stacks.config.reader import as_written, own_keys_in
from unit.components.recorder import record
from unit.places import REPOSITORY
from unit.rows import hold
from unit.written_yaml import as_yaml

PROJECT = REPOSITORY
CONNECTION = "arn:aws:codeconnections:us-east-1:111111111111:connection/5e6f7a8b"
SMALLEST = f"""\
config:
  app:program: pipeline
  app:account: "111111111111"
  app:region: us-east-1
  app:source:
    connection: {CONNECTION}
    repository: example/app
  app:stages:
    - name: PreProd
    - name: Prod
      approval: true
"""
PIPELINE: dict[str, Any] = {
    "program": "pipeline",
    "account": "111111111111",
    "region": "us-east-1",
    "profile": "tooling",
    "roleArn": "arn:aws:iam::111111111111:role/deploy",
    "organization": "o-a1b2c3d4e5",
    "source": {"connection": CONNECTION, "repository": "example/app", "branch": "main", "detectChanges": "true"},
    "triggers": [
        {
            "branches": ["main"],
            "excludeBranches": ["wip/*"],
            "paths": ["amplify-export-*/**"],
            "excludePaths": ["*.md"],
        },
        {"tags": ["v*"], "excludeTags": ["v0*"]},
    ],
    "stages": [
        {
            "name": "PreProd",
            "environments": ["preprod"],
            "pre": [{"name": "migrate", "commands": ["./migrate"]}],
            "post": [
                {
                    "name": "smoke",
                    "commands": ['curl -Ssf "$ENDPOINT_URL"'],
                    "env": {"RETRIES": "3"},
                    "envFromOutputs": {"ENDPOINT_URL": "helloUrl"},
                    "clientConfig": {"platform": "javascript", "folder": "web/src"},
                    "timeout": "15m",
                    "after": [],
                    "rights": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::fixtures/*"]}],
                }
            ],
            "bake": {"time": "30m", "alarm": "errors"},
            "onFailure": "rollback",
        },
        {
            "name": "Prod",
            "environments": ["prod"],
            "approval": {
                "comment": "Go?",
                "timeout": "7d",
                "notification": "arn:aws:sns:us-east-1:111111111111:releases",
                "reviewUrl": "https://example.com",
                "skipUnchanged": "true",
            },
            "approvalBeforePlan": {"comment": "Who merged this?"},
        },
    ],
    "build": {
        "image": "aws/codebuild/standard:7.0",
        "computeType": "BUILD_GENERAL1_MEDIUM",
        "architecture": "x86_64",
        "commands": ["make test"],
        "env": {"CI": "true"},
        "keep": [".npmrc"],
        "secrets": {"NPM_TOKEN": "registries:npm"},
        "folder": "backends/todo",
        "privileged": "false",
    },
    "engine": {"url": "https://example.com/pulumi.tar.gz", "sha256": "0" * 64},
    "schedule": "cron(0 6 ? * MON-FRI *)",
    "notifications": {"emails": ["team@example.com"]},
    "tags": {"cost-center": "42"},
    "artifactRegions": ["eu-west-1"],
    "protect": "true",
}
ACCOUNT: dict[str, Any] = {
    "program": "account",
    "environments": ["prod"],
    "pipeline": "pipeline",
    "github": {
        "repository": "octo/shop",
        "ownerId": "11",
        "repositoryId": "22",
        "branch": "main",
        "workflow": ".github/workflows/backend-deploy.yml",
    },
    "engine": {"url": "https://example.com/pulumi.tar.gz", "sha256": "0" * 64},
    "profile": "prod-admin",
    "roleArn": "arn:aws:iam::333333333333:role/admin",
    "programTypes": ["AWS::SQS::Queue", "Custom::Thing"],
    "backendTypes": ["AWS::Kinesis::Stream"],
    "deployRights": [{"actions": ["sqs:SendMessage"], "resources": ["*"]}],
    "deployPolicies": ["arn:aws:iam::aws:policy/AmazonSQSFullAccess"],
    "boundaryServices": ["bedrock", "iot"],
    "allowedOverrides": ["environment.image"],
    "rolesBoundary": "arn:aws:iam::333333333333:policy/organization",
    "images": "false",
    "stagingKey": "false",
    "trustSourceArn": "true",
    "build": {
        "architecture": "x86_64",
        "image": "aws/codebuild/standard:7.0",
        "computeType": "BUILD_GENERAL1_SMALL",
    },
    "stepNetwork": {
        "vpc": "vpc-0123456789abcdef0",
        "subnets": ["subnet-0123456789abcdef0"],
        "securityGroups": ["sg-0123456789abcdef0"],
    },
    "timeouts": {"publish": "1h", "plan": "1h", "deploy": "4h", "check": "1h"},
    "tags": {"team": "app"},
    "protect": "false",
}
GITLAB: dict[str, Any] = {
    "project": "octo/web/shop",
    "projectId": "4711",
    "branch": "main",
    "tier": "production",
    "host": "gitlab.com",
    "planSubject": "project_path:octo/web/shop:ref_type:branch:ref:main:environment_protected:false",
    "deploySubject": "project_path:octo/web/shop:ref_type:branch:ref:main:environment_protected:true",
}
"""In the place of `github`."""


def project(folder: Path, **files: str | dict[str, Any]) -> Project:
    """A project `app` with stack files: text, or its own keys."""
    (folder / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    for stack, content in files.items():
        path = folder / f"Pulumi.{stack.replace('_', '-')}.yaml"
        keys = content if isinstance(content, dict) else {}
        text = as_yaml({"config": {f"app:{key}": value for key, value in keys.items()}})
        path.write_text(text if keys else str(content))
    return Project(folder)


# --- what is there -----------------------------------------------------------------------------------------------


def test_the_smallest_useful_pipeline_has_less_than_15_lines(tmp_path: Path) -> None:
    assert len(SMALLEST.splitlines()) < 15
    config = project(tmp_path, pipeline=SMALLEST).pipeline("pipeline")
    assert config.environments == ("preprod", "prod")
    preprod, prod = config.stages
    assert preprod.approval is None
    assert prod.approval is not None
    assert prod.approval.timeout == 24 * 60
    assert config.source.type == "connection"


def test_the_documents_pipeline_is_that_small_one() -> None:
    page = (PROJECT / "docs" / "configuration.md").read_text()
    (example,) = (e for block in page.split("```yaml\n")[1:] if "stages:" in (e := block.split("```")[0]))
    assert yaml.safe_load(example.replace("myapp", "app")) == yaml.safe_load(SMALLEST)


def test_the_smallest_account_names_nothing_but_its_program(tmp_path: Path) -> None:
    config = project(tmp_path, prod_account={"program": "account"}).account("prod-account")
    assert config.environments == ("prod",)
    assert config.pipeline == "pipeline"
    assert config.protect


def test_every_key_can_be_set_and_is_read(tmp_path: Path) -> None:
    read = project(tmp_path, pipeline=PIPELINE, prod_account=ACCOUNT)
    pipeline, account = read.pipeline("pipeline"), read.account("prod-account")
    smoke = read.step("preprod", "smoke")
    assert (smoke.timeout, smoke.env, smoke.env_from_outputs) == (15, {"RETRIES": "3"}, {"ENDPOINT_URL": "helloUrl"})
    assert smoke.rights[0].actions == ("s3:GetObject",)
    assert pipeline.stages[0].bake is not None
    assert pipeline.stages[0].bake.time == 30
    assert account.timeouts.deploy == 240
    assert not account.protect
    for given, model in ((PIPELINE, PipelineConfig), ({**ACCOUNT, "gitlab": GITLAB}, AccountConfig)):
        assert set(given) == set(model.written_names())


def test_another_source_says_its_type(tmp_path: Path) -> None:
    source = {"type": "s3", "bucket": "sources", "key": "app.zip"}
    config = project(tmp_path, pipeline={**PIPELINE, "source": source, "triggers": []}).pipeline("pipeline")
    assert isinstance(config.source, S3Source)


@pytest.mark.parametrize("path", sorted(PROJECT.glob("Pulumi.*.yaml")), ids=lambda path: path.name)
def test_the_projects_own_files_are_valid(path: Path) -> None:
    here, stack = Project(PROJECT), path.name.split(".")[1]
    if stack in here.stacks("pipeline"):
        for environment in here.pipeline(stack).environments:
            assert here.environment(environment).bootstrapped
    elif stack in here.stacks("account"):
        config = here.account(stack)
        for environment in config.environments:
            assert here.pipeline_of(environment)[0] == config.pipeline
    else:
        assert here.environment(stack)


# --- one program, two readers ------------------------------------------------------------------------------------


def test_a_running_program_reads_what_the_file_says(tmp_path: Path) -> None:
    """The engine gives text and JSON, and flags and numbers as such."""
    files = project(tmp_path, pipeline=PIPELINE, prod_account=ACCOUNT)
    for given, stack, read, expected in (
        (PIPELINE, "pipeline", pipeline_config, files.pipeline("pipeline")),
        (ACCOUNT, "prod-account", account_config, files.account("prod-account")),
    ):
        config = {**given, "tags": {"cost-center": 42}} if given is PIPELINE else given
        assert record(read, name=stack, directory=tmp_path, config=config).result == expected


def test_a_number_stays_as_it_is_written() -> None:
    assert as_written({"a": [3.1, True, "x", None]}, {"a": ["3.10", "true", "x", ""]}) == {
        "a": ["3.10", "true", "x", ""]
    }
    assert as_written({"a": [3.1, False]}, {}) == {"a": ["3.1", "false"]}


def test_the_defaults_of_pulumi_yaml_are_nothing(tmp_path: Path) -> None:
    """The engine gives them to every stack, of whatever program."""
    defaults = {k: e["default"] for k, e in yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())["config"].items()}
    config = {**defaults, "program": "account", "environments": ["prod"]}
    project(tmp_path)
    declared = (PROJECT / "Pulumi.yaml").read_text().replace("name: seriesapp", "name: app")
    (tmp_path / "Pulumi.yaml").write_text(declared)
    result = record(account_config, name="prod-account", directory=tmp_path, config=config).result
    assert result == AccountConfig.model_validate({"program": "account", "environments": ["prod"]})


PROJECT_WIDE = """\
name: app
runtime: python
config:
  lint:
    type: object
    default: {ignore: [{id: E3012, reason: everywhere}]}
  suffix: {type: string, default: ""}
  app:protect: {type: boolean, default: false}
  tags: {type: object, default: {team: app}}
  region: eu-west-1
"""
PLACED = {"account": "333333333333", "environment": "prod"}


def test_what_pulumi_yaml_sets_is_so_in_every_environment_that_does_not_set_it(tmp_path: Path) -> None:
    """As the engine gives it to the program: checked below, on the engine (test_engine.py)."""
    own = {"ignore": [{"id": "E2015", "reason": "here"}]}
    found = project(tmp_path, prod=PLACED, dev={**PLACED, "environment": "dev", "lint": own, "protect": "true"})
    (tmp_path / "Pulumi.yaml").write_text(PROJECT_WIDE)
    prod, dev = found.environment("prod"), found.environment("dev")
    assert (prod.ignored, prod.protect, prod.region, prod.suffix) == (("E3012",), False, "eu-west-1", None)
    assert (dev.ignored, dev.protect) == (("E2015",), True)


def test_what_pulumi_yaml_says_to_environments_is_nothing_to_accounts_and_pipelines(tmp_path: Path) -> None:
    account, pipeline = {"program": "account", "environments": ["prod"]}, {**PIPELINE, "tags": {"team": "b"}}
    found = project(tmp_path, prod_account=account, pipeline=pipeline)
    (tmp_path / "Pulumi.yaml").write_text(PROJECT_WIDE)
    read = found.account("prod-account")
    assert (read.tags, read.protect) == ({"team": "app"}, False)
    assert found.pipeline("pipeline").tags == {"team": "b"}
    # The engine gives all of it to every stack.
    given = {**account, "tags": {"team": "app"}, "protect": False, "region": "eu-west-1"}
    given["lint"] = {"ignore": [{"id": "E3012", "reason": "everywhere"}]}
    assert record(account_config, name="prod-account", directory=tmp_path, config=given).result == read


@pytest.mark.parametrize("key", ["account", "stages"])
def test_a_secret_is_refused_in_the_program(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError, match=f"{key} cannot be a secret"):
        record(pipeline_config, name="pipeline", directory=tmp_path, config=PIPELINE, secret_keys=(key,))


# --- every field wrong once --------------------------------------------------------------------------------------


def wrong(base: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """`base` with one value changed; `path` is as in `stages.0.name`. `...` takes the key away."""
    changed = copy.deepcopy(base)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    at: Any = changed
    for part in parents:
        at = at[part]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return changed


STEP = "stages.0.post.0"
WRONG_PIPELINES = [
    ("organization", "a1b2c3d4e5", "'a1b2c3d4e5' is not an organization"),
    ("source", {"type": "pipeline", "pipeline": "My Pipeline"}, "'My Pipeline' is not a pipeline"),
    ("program", "pipelin", "program"),
    ("account", ..., "account is missing"),
    ("account", "111", "12 digits: quote it"),
    ("account", {"secure": "v1:x"}, "account cannot be a secret"),
    ("region", "us-east", "'us-east' is not an AWS region"),
    ("region", {"secure": "v1:x"}, "region cannot be a secret"),
    ("profile", ["a"], "is not text"),
    ("roleArn", "deploy", "is not the ARN of a role"),
    ("stags", [], None),
    ("tags", {"Team": "R&D"}, "the tag 'Team' has '&', which IAM takes in no tag"),
    ("tags", {"R&D": "x"}, "the tag 'R&D' has '&', which IAM takes in no tag"),
    ("tags", {"Owner": "a", "owner": "b"}, "the tags 'Owner' and 'owner' are one to IAM"),
    ("tags", {"Amplify-Delivery:app": "x"}, "the tag 'Amplify-Delivery:app' is ours"),
    ("tags", {"AWS:owner": "x"}, "the tag 'AWS:owner' is AWS's"),
    ("tags", {"k" * 129: "x"}, "a key has 1 to 128 characters"),
    ("tags", {"owner": "x" * 257}, "a value at most 256"),
    ("tags", {f"key{n}": "x" for n in range(49)}, "49 tags"),
    ("stagess", [{"name": "X"}], "unknown key 'stagess', did you mean 'stages'?"),
    ("source", "github", "is not a mapping"),
    ("source", ..., "source is missing"),
    ("source.type", "git", "there is no source of type 'git'"),
    ("source.connection", "arn:aws:x", "source.connection: 'arn:aws:x' is not an ARN of a connection"),
    ("source.connection", ..., "source.connection is missing"),
    ("source.repository", "app", "is not a repository, such as OWNER/NAME"),
    ("source.branch", " ", "source.branch: is empty"),
    ("source.brnch", "x", "unknown key 'brnch', did you mean 'branch'?"),
    ("source.detectChanges", "yes", "'yes' is neither true nor false"),
    ("source", {"type": "github-token", "repository": "a/b", "poll": "1"}, "source.poll: '1' is neither"),
    ("source", {"type": "github-token", "repository": "b"}, "is not a repository"),
    ("source", {"type": "github-token", "repository": "a/b", "tokenSecret": ""}, "source.tokenSecret: is empty"),
    ("source", {"type": "codecommit", "repository": "a/b"}, "is not a CodeCommit repository"),
    ("source", {"type": "s3", "bucket": "B", "key": "k"}, "'B' is not a bucket"),
    ("source", {"type": "s3", "bucket": "bucket"}, "source.key is missing"),
    ("source", {"type": "codecommit", "repository": "a"}, "triggers exist for connections only"),
    ("triggers", {"branches": ["x"]}, "is not a list"),
    ("triggers.0", {}, "a trigger without a filter"),
    ("triggers.0.tags", ["v*"], "make two triggers"),
    ("triggers.0.branches", "main", "triggers.0.branches: 'main' is not a list"),
    ("triggers.0.excludeBranches", [""], "is empty"),
    ("triggers.0.paths", [["x"]], "is not text"),
    ("triggers.0.excludePaths", "x", "is not a list"),
    ("triggers.1.excludeTags", "x", "is not a list"),
    ("triggers.0.branch", ["x"], "unknown key 'branch', did you mean 'branches'?"),
    ("stages", ..., "stages is missing"),
    ("stages", {"name": "Prod"}, "is not a list"),
    ("stages.0", "PreProd", "stages.0: 'PreProd' is not a mapping"),
    ("stages.0.name", "Pre Prod", "stages.0.name: 'Pre Prod' is not a name"),
    ("stages.0.name", ..., "stages.0.name is missing"),
    ("stages.0.environments", [], "stages.0.environments is empty"),
    ("stages.0.environments", ["pre-prod"], "is not an environment"),
    ("stages.0.environments", ["prod"], "environment prod is in two places"),
    ("stages.0.enviroments", ["x"], "did you mean 'environments'?"),
    ("stages.0.pre", {}, "is not a list"),
    ("stages.0.pre.0.name", "SMOKE", "two steps are called smoke"),
    ("stages.0.bake", "30m", "is not a mapping"),
    ("stages.0.bake.time", "30", "'30' is not a length of time"),
    ("stages.0.bake.time", "8h", "a bake time of 480 minutes"),
    ("stages.0.bake.alarm", "", "is empty"),
    ("stages.0.onFailure", "undo", "'undo' is not 'none', 'rollback' or 'retry'"),
    ("stages.1.approval", "yes", "'yes' is neither true nor false"),
    ("stages.1.approval.comment", "x" * 500, "up to 400 characters"),
    ("stages.1.approval.timeout", "1m", "CodePipeline takes 5m to 60d"),
    ("stages.1.approval.notification", "releases", "is not the ARN of an SNS topic"),
    ("stages.1.approval.reviewUrl", "example.com", "is not an address"),
    ("stages.1.approvalBeforePlan", "yes", "'yes' is neither true nor false"),
    ("stages.1.approval.skipUnchanged", "perhaps", "'perhaps' is neither true nor false"),
    ("stages.1.approval.approvers", [], "unknown key 'approvers'"),
    (f"{STEP}.name", "deploy", "a step cannot be called deploy"),
    (f"{STEP}.name", "a b", "is not a name"),
    (f"{STEP}.commands", [], "commands is empty"),
    (f"{STEP}.commands", "make test", "is not a list"),
    (f"{STEP}.env", {"A-B": "1"}, "'A-B' is not a valid name for an environment variable"),
    (f"{STEP}.env", {"AWS_REGION": "x"}, "AWS_REGION is not yours to set"),
    (f"{STEP}.env", {"TOKEN": {"secure": "v1:x"}}, "stages.0.post.0.env.TOKEN cannot be a secret"),
    (f"{STEP}.env", {"ENDPOINT_URL": "x"}, "is in both `env` and `envFromOutputs`"),
    (f"{STEP}.envFromOutputs", ["helloUrl"], "is not a mapping"),
    (
        f"{STEP}.clientConfig",
        "web",
        "'web' is not 'javascript', 'android', 'ios', 'flutter', 'outputs' or 'outputs-dart'",
    ),
    (
        f"{STEP}.clientConfig.platform",
        "web",
        "'web' is not 'javascript', 'android', 'ios', 'flutter', 'outputs' or 'outputs-dart'",
    ),
    (f"{STEP}.clientConfig.folder", "../src", "the folder '../src' is not one of the checkout"),
    (f"{STEP}.timeout", "36h", "a step takes 1m to 35h"),
    (f"{STEP}.timeout", "fast", "'fast' is not a length of time"),
    (f"{STEP}.rights", ["s3:*"], "is not a mapping"),
    (f"{STEP}.rights.0.actions", ["*"], "'*' is not an IAM action"),
    (f"{STEP}.rights.0.resources", [], "resources is empty"),
    (f"{STEP}.rights.0", {"actions": ["s3:*"], "resources": ["*"]}, "s3:* on every resource"),
    ("build", "small", "is not a mapping"),
    ("build.image", "", "build.image: is empty"),
    ("build.architecture", "arm", "architecture"),
    ("build", {"architecture": "arm64", "image": "aws/codebuild/standard:7.0"}, "is not one for arm64"),
    ("build.computeType", "LARGE", "'LARGE' is not a CodeBuild compute type"),
    ("build.commands", "make", "is not a list"),
    ("build.env", "x", "is not a mapping"),
    ("build.keep", ["npmrc"], "is not a hidden file"),
    ("build.secrets", {"NPM_TOKEN": ""}, "is empty"),
    ("build.secrets", {"CI": "x"}, "CI is in both `env` and `secrets`"),
    ("build.secrets", {"PATH": "x"}, "PATH is not yours to set"),
    (f"{STEP}.after", ["smok"], "step smoke is after smok, which is not a step of the same list"),
    ("build.privileged", "on", "is neither true nor false"),
    ("engine.url", "http://example.com/pulumi.tar.gz", "is not an address"),
    ("engine.sha256", "abc", "is not a SHA-256"),
    ("engine.version", "3", "unknown key 'version'"),
    ("schedule", "daily", "'daily' is not a schedule"),
    *(
        (
            "stages",
            [{"name": "Prod", key: {"notification": f"arn:aws:sns:ap-south-1:{'1' * 12}:a"}}],
            "is told to arn:aws",
        )
        for key in ("approval", "approvalBeforePlan")
    ),
    ("notifications", ["a@example.com"], "is not a mapping"),
    ("notifications.emails", ["team"], "is not an e-mail address"),
    ("tags", ["a"], "is not a mapping"),
    ("artifactRegions", ["Ireland"], "is not an AWS region"),
    ("tags.a", "", "is empty"),
    ("protect", "no", "'no' is neither true nor false"),
]
WRONG_ACCOUNTS = [
    ("program", "acount", "program"),
    ("environments", "prod", "is not a list"),
    ("environments", ["Prod"], "is not an environment"),
    ("pipeline", "My Pipeline", "is not a pipeline"),
    ("github", "octo/shop", "is not a mapping"),
    ("github.repository", "octo/*", "is not a repository of GitHub"),
    ("github.ownerId", "octo", "is not a number"),
    ("github", {"repository": "octo/shop", "repositoryId": "22"}, "ownerId"),
    ("github.workflow", "backend-deploy.yml", "is not a workflow's file"),
    ("github.workflow", ".github/workflows/*.yml", "is not a workflow's file"),
    ("github.branch", "*", "is not the name of one branch"),
    ("github.branch", "refs/heads/main", "is not the name of one branch"),
    ("gitlab", {"project": "shop", "projectId": "1"}, "is not a project of GitLab"),
    ("gitlab", {"project": "a/b"}, "projectId is missing"),
    ("gitlab", {"project": "a/b", "projectId": "1", "tier": "prod"}, "tier"),
    (
        "gitlab",
        {"project": "a/b", "planSubject": "project_path:a/b:ref:x", "deploySubject": "project_path:a/b:ref:x"},
        "so whoever plans could deploy before anybody approves",
    ),
    (
        "gitlab",
        {"project": "a/b", "projectId": "1", "planSubject": "project_id:1:x", "deploySubject": "project_id:12:x"},
        "is not of the project a/b",
    ),
    ("gitlab", {"project": "a/b", "host": "https://gitlab.com"}, "is not a host"),
    ("gitlab", {"project": "a/b", "branch": "a b"}, "is not the name of one branch"),
    (
        "gitlab",
        {"project": "a/b", "planSubject": "project_path:a/b:ref:x"},
        "planSubject and deploySubject go together",
    ),
    ("gitlab", {"project": "a/b", "deploySubject": "project_path:*"}, "is not a subject of GitLab's tokens"),
    ("gitlab", GITLAB, "github and gitlab do not go together"),
    ("engine", "pulumi", "is not a mapping"),
    ("profile", {"secure": "v1:x"}, "profile cannot be a secret"),
    ("roleArn", "admin", "is not the ARN of a role"),
    ("account", "333333333333", "unknown key 'account'"),
    ("programTypes", ["Queue"], "is not a CloudFormation type"),
    ("backendTypes", ["Stream"], "is not a CloudFormation type"),
    ("deployRights.0.actions", ["everything"], "is not an IAM action"),
    ("deployRights.0.resources", "x", "is not a list"),
    ("deployPolicies", ["AdministratorAccess"], "is not the ARN of a policy"),
    ("boundaryServices", "bedrock", "is not a list"),
    ("allowedOverrides", ["environment.imge"], "is not an override that is denied, did you mean 'environment.image'?"),
    ("boundaryServices", ["bedrock:InvokeModel"], "is not a prefix of IAM actions"),
    ("rolesBoundary", "boundary", "is not the ARN of a policy"),
    ("images", "docker", "is neither true nor false"),
    ("stagingKey", "alias/x", "is neither true nor false"),
    ("trustSourceArn", "x", "is neither true nor false"),
    ("build.privileged", "true", "unknown key 'privileged'"),
    ("build.computeType", "x", "is not a CodeBuild compute type"),
    ("build.image", "", "is empty"),
    ("build.architecture", "x86", "architecture"),
    ("build", {"image": "aws/codebuild/amazonlinux-aarch64-standard:3.0"}, "is not one for x86_64"),
    ("stepNetwork", "vpc-0123", "is not a mapping"),
    ("stepNetwork.vpc", "default", "is not a VPC"),
    ("stepNetwork.subnets", [], "is empty"),
    ("stepNetwork.securityGroups", ["default"], "is not a security group"),
    ("timeouts.publish", "1", "is not a length of time"),
    ("timeouts.plan", "2m", "plan may take 2 minutes"),
    ("timeouts.deploy", "40h", "deploy may take 2400 minutes"),
    ("timeouts.check", ["1h"], "is not a length of time"),
    ("timeouts.bake", "1h", "unknown key 'bake'"),
    ("tags", "x", "is not a mapping"),
    ("protect", "x", "is neither true nor false"),
]


def _refused(read: Callable[[], object]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read()
    assert "\n" not in caught.value.message
    assert "pydantic" not in str(caught.value)
    return caught.value


def test_a_wrong_pipeline_is_one_sentence(tmp_path: Path) -> None:
    def check(path: str, value: Any, says: str | None) -> None:
        files = project(tmp_path, pipeline=wrong(PIPELINE, path, value))
        if says is None:  # not set at all
            assert files.pipeline("pipeline")
            return
        error = _refused(lambda: files.pipeline("pipeline"))
        assert says in str(error)
        assert error.where.endswith("Pulumi.pipeline.yaml")

    hold(check, WRONG_PIPELINES)


def test_a_wrong_account_is_one_sentence(tmp_path: Path) -> None:
    def check(path: str, value: Any, says: str) -> None:
        files = project(tmp_path, prod_account=wrong(ACCOUNT, path, value))
        assert says in str(_refused(lambda: files.account("prod-account")))

    hold(check, WRONG_ACCOUNTS)


def _fields(model: type[BaseModel], seen: tuple[type[BaseModel], ...] = ()) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{model.__name__}.{field.alias or name}"
        for inner in _models(field.annotation):
            if inner not in seen:
                yield from _fields(inner, (*seen, model))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models(argument)


def test_every_field_is_in_the_tables() -> None:
    """By its name: a new field without a wrong value of its own fails here."""
    tried = {part for path, value, _ in (*WRONG_PIPELINES, *WRONG_ACCOUNTS) for part in path.split(".")}
    tried |= {key for *_, value, _ in (*WRONG_PIPELINES, *WRONG_ACCOUNTS) if isinstance(value, dict) for key in value}
    fields = {name for model in (AccountConfig, PipelineConfig) for name in _fields(model)}
    assert {field for field in fields if field.split(".")[1] not in tried} == set()


# --- files that belong together ----------------------------------------------------------------------------------


ENVIRONMENT = {"account": "222222222222", "region": "us-east-1"}


def test_an_environment_without_a_file_is_told_with_the_nearest(tmp_path: Path) -> None:
    files = project(tmp_path, preprod=ENVIRONMENT)
    error = _refused(lambda: files.environment("prepod"))
    assert "there is no environment 'prepod', did you mean 'preprod'?" in str(error)


def test_a_pipelines_environment_has_its_stacks_name(tmp_path: Path) -> None:
    files = project(tmp_path, preprod={**ENVIRONMENT, "environment": "test"})
    assert "delivers the environment 'test'" in str(_refused(lambda: files.environment("preprod")))


def test_an_environment_that_no_pipeline_delivers(tmp_path: Path) -> None:
    files = project(tmp_path, pipeline=SMALLEST, dev=ENVIRONMENT)
    assert "no pipeline delivers the environment 'dev'" in str(_refused(lambda: files.pipeline_of("dev")))


def test_a_step_is_found_by_environment_and_name(tmp_path: Path) -> None:
    error = _refused(lambda: project(tmp_path, pipeline=PIPELINE).step("preprod", "smok"))
    assert "its steps are migrate, smoke" in str(error)


def test_several_pipelines_share_the_environments(tmp_path: Path) -> None:
    second = textwrap.dedent(SMALLEST).replace("PreProd", "Canary").replace("Prod", "Europe")
    files = project(tmp_path, pipeline=SMALLEST, europe=second)
    assert files.pipeline_of("prod")[0] == "pipeline"
    assert files.pipeline_of("canary")[0] == "europe"


def test_an_environment_in_two_pipelines_is_of_the_one_that_its_account_lets_in(tmp_path: Path) -> None:
    """Not of the first by name: a step would be read from another file than the one that the pipeline was made of."""
    hotfix = (
        textwrap.dedent(SMALLEST).replace("PreProd", "Canary").replace("- name: Prod", "- name: Prod\n      post: []")
    )
    files = project(tmp_path, pipeline=SMALLEST, hotfix=hotfix)
    error = _refused(lambda: files.pipeline_of("prod"))
    assert "several pipelines deliver the environment 'prod': hotfix, pipeline" in str(error)
    assert files.pipeline_of("preprod")[0] == "pipeline"
    files = project(tmp_path, prod_account={"program": "account", "pipeline": "pipeline"})
    assert files.pipeline_of("prod")[0] == "pipeline"
    files = project(tmp_path, prod_account={"program": "account", "pipeline": "hotfix"})
    assert files.pipeline_of("prod")[0] == "hotfix"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("config:\n  app:region: a\n  app:region: b\n", "'app:region' is set twice (lines 2 and 3)"),
        ("config:\n  app:parameters: {api: {a: 1, b: 2, a: 3}}\n", "'a' is set twice (lines 2 and 2)"),
        ("config:\n  app:region: a\n  region: b\n", "'region' is set twice: as `region` and as `app:region`"),
        ("config: {}\nconfig: {}\n", "'config' is set twice (lines 1 and 2)"),
    ],
)
def test_a_key_that_stands_twice_is_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: app\n")
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        own_keys_in(file)
    assert says in error.value.message
    assert error.value.where == str(file)
    assert error.value.remedy


def test_every_kind_of_file_is_documented() -> None:
    assert set(PROGRAMS) == {"environment", "account", "pipeline"}
