"""Every field of every stack file, wrong once: one clear error by both readers, and nothing is registered.

The fields are found in the models, and tried at every place where they stand. A new field fails here until `EXAMPLES`
sets it and `WRONG` has a bad value for it.
"""

from __future__ import annotations

import copy
import inspect
import itertools
import os
import runpy
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pydantic import BaseModel

from amplify_delivery import testing
from amplify_delivery.components.documents.fields import Compute, Model, Right
from amplify_delivery.components.documents.pipeline.source_models import (
    CodeCommitSource,
    ConnectionSource,
    GitHubTokenSource,
    PipelineSource,
    S3Source,
    Trigger,
)
from amplify_delivery.components.documents.pipeline.stage_models import Approval, Bake, ClientConfig
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import AccountConfig, EnvironmentConfig, PipelineConfig, Stage, Step
from amplify_delivery.stacks.config.account import StepNetwork, Timeouts
from amplify_delivery.stacks.config.ci import GitHub, GitLab
from amplify_delivery.stacks.config.images import AcceptedFinding, ContainerImage, ImageFindings
from amplify_delivery.stacks.config.pipeline import Build, Engine, Notifications
from amplify_delivery.stacks.config.project import read_account, read_pipeline
from amplify_delivery.stacks.config.resource_rules import (
    AcknowledgedDrift,
    DataLoss,
    Drift,
    Ignored,
    Lint,
    ReplacedTable,
    RollbackSkip,
)
from unit.places import REPOSITORY
from unit.stacks.config.test_files import ACCOUNT, GITLAB, PIPELINE
from unit.written_yaml import as_yaml

PROJECT = REPOSITORY
Path_ = tuple[str | int, ...]

ENVIRONMENT: dict[str, Any] = {
    "program": "backend",
    "account": "012345678901",
    "region": "eu-west-1",
    "environment": "dev",
    "profile": "work",
    "roleArn": "arn:aws:iam::012345678901:role/deploy",
    "export": "amplify-export-app",
    "assembly": "assembly",
    "valuesFrom": "amplify-export-prod",
    "suffix": "00123",
    "parameters": {"authx": {"memory": "512"}},
    "keptLiterals": ["eu-west-1_AbCdEfGh1"],
    "apiKeyExpires": "2027-05-01",
    "protect": "true",
    "production": "false",
    "disposable": "false",
    "dataLoss": [
        {"path": "api/Todo/TodoTable", "reason": "never used", "until": "2027-05-01"},
        {"path": "api/Old/OldTable", "reason": "never used", "plan": "a" * 64},
    ],
    "replacedTables": [{"path": "api/Todo/TodoTable", "prefix": "v2-", "data": "copy"}],
    "rollbackSkips": [{"path": "api/Todo/TodoTable", "reason": "deleted by hand"}],
    "lint": {"ignore": [{"id": "E2015", "reason": "CloudFormation compares texts"}]},
    "drift": {
        "detect": "true",
        "refuse": "false",
        "acknowledged": [
            {"path": "functionresize/LambdaFunction", "property": "/Timeout", "value": "60", "reason": "until May"}
        ],
    },
    "containerImages": {
        "orders": {
            "dockerfile": "services/orders/Dockerfile",
            "context": "services",
            "target": "run",
            "args": {"VERSION": "3.10"},
            "platform": "linux/arm64",
            "parameters": ["customorders.Image"],
        },
        "api": {"container": "apiorders.api"},
        "built": {"layout": "built/image.tar"},
    },
    "imageFindings": {
        "refuse": "high",
        "accepted": [{"id": "CVE-2026-12345", "reason": "not reached: no shell in the image"}],
    },
    "executionRoleArn": "arn:aws:iam::012345678901:role/cloudformation",
    "permissionsBoundary": "arn:aws:iam::012345678901:policy/organization",
    "tags": {"cost-center": "42"},
    "bootstrapped": "true",
    "boundary": "true",
    "enrolled": "false",
}

PERSONAL = ("permissionsBoundary",)
"""What does not go with `bootstrapped`."""


@dataclass(frozen=True)
class Example:
    """A valid file, and how it is read."""

    model: type[Model]
    stack: str
    keys: dict[str, Any]
    only: str = ""
    """Of its own keys the one that it is there for; the others are tried in another example."""


def _without(keys: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if key not in names}


def _from(**source: str) -> Example:
    return Example(PipelineConfig, "pipeline", {**_without(PIPELINE, "triggers"), "source": source}, "source")


EXAMPLES = {
    "environment": Example(EnvironmentConfig, "dev", _without(ENVIRONMENT, "assembly", *PERSONAL, "enrolled")),
    "assembled": Example(EnvironmentConfig, "dev", _without(ENVIRONMENT, "export", *PERSONAL, "enrolled"), "assembly"),
    "former": Example(
        EnvironmentConfig,
        "dev",
        _without(ENVIRONMENT, "export", *PERSONAL, "bootstrapped", "imageFindings"),
        "enrolled",
    ),
    "personal": Example(
        EnvironmentConfig,
        "dev",
        _without(ENVIRONMENT, "export", "bootstrapped", "enrolled", "imageFindings"),
        "permissionsBoundary",
    ),
    "account": Example(AccountConfig, "prod-account", ACCOUNT),
    "gitlab": Example(AccountConfig, "prod-account", {**_without(ACCOUNT, "github"), "gitlab": GITLAB}, "gitlab"),
    "pipeline": Example(
        PipelineConfig, "pipeline", {**PIPELINE, "source": {"type": "connection", **PIPELINE["source"]}}
    ),
    "token": _from(type="github-token", repository="a/b", branch="main", tokenSecret="token", poll="true"),
    "codecommit": _from(type="codecommit", repository="app", branch="main"),
    "s3": _from(type="s3", bucket="bucket", key="a.zip", poll="false"),
    "chain": Example(
        PipelineConfig,
        "pipeline",
        {
            **_without(PIPELINE, "build", "schedule", "triggers"),
            "source": {"type": "pipeline", "pipeline": "first"},
        },
    ),
}
"""Together they set every field."""


@dataclass(frozen=True)
class Bad:
    """A wrong value, and what the one error says of it."""

    value: Any
    says: str
    about: str = "field"
    """`field`: the error names the field; `parent`: what it stands in, since two fields do not fit together."""


NUMBER = Bad("12345678901", "quote it, YAML turns an unquoted number into another one")
FLAG = (Bad("yes", "'yes' is neither true nor false"), Bad("1", "'1' is neither true nor false"))
BLANK = Bad("  ", "is empty")
LIST = Bad("x", "'x' is not a list")
MAPPING = Bad(["a"], "is not a mapping")
TIME = (Bad("30", "'30' is not a length of time"), Bad("1h30m", "'1h30m' is not a length of time"))
ROLE = Bad("admin", "'admin' is not the ARN of a role")
TAGS = (MAPPING, Bad({"team": ""}, "is empty"), Bad({"team": ["a"]}, "is not text"))
BRANCH = (BLANK, Bad({"name": "main"}, "is not text"))
REGION = (
    Bad("Frankfurt", "'Frankfurt' is not an AWS region"),
    Bad("eu-west", "is not an AWS region"),
    Bad("us-esat-1", "'us-esat-1' is not an AWS region, did you mean 'us-east-1'?"),
)
ACCOUNT_ID = (
    NUMBER,
    Bad("1.2345678901e+10", "quote it"),
    Bad("12_345_678_901", "quote it"),
    Bad("0123-4567-8901", "has 12 digits"),
    Bad("my-account", "has 12 digits"),
)
PATTERNS = (LIST, Bad([""], "is empty"), Bad([["x"]], "is not text"))
VARIABLES = (
    MAPPING,
    Bad({"A-B": "1"}, "'A-B' is not a valid name for an environment variable"),
    Bad({"1A": "x"}, "is not a valid name for an environment variable"),
    Bad({"AWS_REGION": "x"}, "AWS_REGION is not yours to set"),
    Bad({"A": ["x"]}, "is not text"),
)
COMMANDS = (LIST, Bad(["make", ""], "is empty"))
STEPS = (LIST, Bad(["smoke"], "'smoke' is not a mapping"))

UNSCHEDULED = (
    Bad("daily", "'daily' is not a schedule"),
    Bad("cron(0 6 * *)", "is not a schedule"),
    # EventBridge: singular for 1, plural for more; one of the two days is `?`, and not both.
    Bad("rate(1 days)", "'rate(1 days)' is no schedule to EventBridge"),
    Bad("rate(5 minute)", "is no schedule to EventBridge"),
    Bad("rate(0 minutes)", "is no time at all"),
    Bad("cron(0 6 * * * *)", "both or neither of day of month and day of week"),
    Bad("cron(0 6 ? * ? *)", "both or neither of day of month and day of week"),
)
WRONG: dict[type[BaseModel], dict[str, tuple[Bad, ...]]] = {
    DataLoss: {
        "path": (BLANK,),
        "reason": (BLANK,),
        "plan": (BLANK, Bad("abc", "'abc' is not a digest of a plan")),
        "until": (Bad("tomorrow", "'tomorrow' is not a date"),),
    },
    ReplacedTable: {
        "path": (BLANK,),
        "prefix": (Bad("v2", "'v2' is not a prefix such as v2-"), Bad("-", "'-' is not a prefix such as v2-")),
        "data": (Bad("move", "'move' is not 'copy', 'keep' or 'leave'"),),
    },
    RollbackSkip: {"path": (BLANK,), "reason": (BLANK,)},
    Ignored: {
        "id": (BLANK, Bad("W2001", "'W2001' is not an id of cfn-lint's errors"), Bad("AD305", "'AD305' is not an id")),
        "reason": (BLANK,),
    },
    AcknowledgedDrift: {
        "path": (BLANK,),
        "property": (Bad("Timeout", "'Timeout' is not a property as `plan --json` has it"),),
        "value": (BLANK, Bad(["a"], "is not text")),
        "reason": (BLANK,),
    },
    Drift: {
        "detect": FLAG,
        "refuse": FLAG,
        "acknowledged": (
            LIST,
            Bad(["a"], "is not a mapping"),
            Bad([{"path": "a", "value": "deleted"}], "is missing"),
            Bad([{"path": "a", "value": "deleted", "reason": "b"}] * 2, "a is acknowledged twice", "parent"),
        ),
    },
    Lint: {
        "ignore": (
            LIST,
            Bad(["E2015"], "is not a mapping"),
            Bad([{"id": "E2015"}], "is missing"),
            Bad([{"id": "E2015", "reason": "a"}] * 2, "E2015 is ignored twice", "parent"),
            Bad([{"id": "AD749", "reason": "a"}], "AD749 cannot be ignored", "parent"),
        ),
    },
    AcceptedFinding: {"id": (BLANK, Bad("a finding", "'a finding' is not an id of a finding")), "reason": (BLANK,)},
    ImageFindings: {
        "refuse": (Bad("grave", "'grave' is not 'critical', 'high', 'medium' or 'low'"),),
        "accepted": (
            LIST,
            Bad(["CVE-1"], "is not a mapping"),
            Bad([{"id": "CVE-1"}], "is missing"),
            Bad([{"id": "CVE-1", "reason": "a"}] * 2, "CVE-1 is accepted twice", "parent"),
        ),
    },
    EnvironmentConfig: {
        "drift": (Bad(["detect"], "is not a mapping"), Bad({"detects": "true"}, "unknown key 'detects'")),
        "containerImages": (
            Bad(["orders"], "is not a mapping"),
            Bad({"Orders": {"layout": "x"}}, "'Orders' is not a name of an image"),
            Bad({"orders": {}}, "says nothing of where it comes from"),
            Bad({"orders": {"layout": "x", "container": "api.api"}}, "container and layout exclude each other"),
            Bad({"orders": {"layout": "x", "target": "run"}}, "`target` belongs to a `dockerfile`"),
        ),
        "imageFindings": (Bad(["high"], "is not a mapping"), Bad({"refused": "high"}, "unknown key 'refused'")),
        "lint": (Bad(["E2015"], "is not a mapping"), Bad({"ignored": []}, "unknown key 'ignored'")),
        "dataLoss": (
            LIST,
            Bad(["api/Todo/TodoTable"], "is not a mapping"),
            Bad([{"path": "a", "reason": "b"}], "has to be bounded"),
            Bad([{"path": "a", "reason": "b", "until": "2027-05-01", "plan": "a" * 64}], "has to be bounded"),
        ),
        "replacedTables": (
            LIST,
            Bad(["api/Todo/TodoTable"], "is not a mapping"),
            Bad([{"path": "a"}], "is missing"),
            Bad([{"path": "a", "prefix": p, "data": "copy"} for p in ("a-", "b-")], "has a twice"),
        ),
        "rollbackSkips": (
            LIST,
            Bad(["api/Todo/TodoTable"], "is not a mapping"),
            Bad([{"path": "a"}], "is missing"),
        ),
        "keptLiterals": (LIST, Bad(["a", ""], "is empty")),
        "program": (Bad("backed", "'backed' is not 'backend'"),),
        "account": ACCOUNT_ID,
        "region": REGION,
        "environment": (BLANK, Bad(["dev"], "is not text")),
        "profile": (BLANK, Bad(["a"], "is not text")),
        "roleArn": (ROLE, Bad("arn:aws:iam::999999999999:role/x", "role of another account", "parent")),
        "export": (BLANK, Bad({"folder": "x"}, "is not text")),
        "assembly": (BLANK, Bad(["x"], "is not text")),
        "valuesFrom": (BLANK, Bad(["x"], "is not text")),
        "suffix": (BLANK, Bad(["x"], "is not text")),
        "parameters": (
            Bad("x", "nested stack -> parameter -> value"),
            Bad({"authx": "y"}, "nested stack -> parameter -> value"),
            Bad({"authx": {"y": {"z": "1"}}}, "parameters.authx.y is not text"),
        ),
        "apiKeyExpires": (
            Bad("1.5.2027", "'1.5.2027' is not a date such as 2027-05-01"),
            Bad("2027-02-30", "is not a date"),
        ),
        "protect": FLAG,
        "production": (
            *FLAG,
            Bad("true", "in production data goes with one plan only: api/Todo/TodoTable may go until a day", "parent"),
        ),
        "executionRoleArn": (ROLE, Bad("arn:aws:iam::999999999999:role/x", "role of another account", "parent")),
        "permissionsBoundary": (
            Bad("organization", "'organization' is not the ARN of a policy"),
            Bad("arn:aws:iam::999999999999:policy/x", "policy of another account", "parent"),
        ),
        "tags": TAGS,
        "bootstrapped": FLAG,
        "disposable": FLAG,
        "boundary": FLAG,
        "enrolled": FLAG,
    },
    AccountConfig: {
        "program": (Bad("acount", "'acount' is not 'account'"),),
        "environments": (LIST, Bad(["Prod"], "'Prod' is not an environment"), Bad(["a"], "is not an environment")),
        "pipeline": (Bad("My Pipeline", "'My Pipeline' is not a pipeline"), Bad("x" * 31, "is not a pipeline")),
        "github": (Bad("octo/shop", "'octo/shop' is not a mapping"),),
        "gitlab": (Bad("octo/shop", "'octo/shop' is not a mapping"),),
        "engine": (Bad("pulumi", "'pulumi' is not a mapping"),),
        "profile": (BLANK,),
        "roleArn": (ROLE,),
        "programTypes": (LIST, Bad(["Queue"], "'Queue' is not a CloudFormation type")),
        "backendTypes": (LIST, Bad(["Stream"], "'Stream' is not a CloudFormation type")),
        "deployRights": (LIST, Bad(["s3:*"], "'s3:*' is not a mapping")),
        "deployPolicies": (LIST, Bad(["AdministratorAccess"], "is not the ARN of a policy")),
        "boundaryServices": (LIST, Bad(["bedrock:*"], "'bedrock:*' is not a prefix of IAM actions, such as bedrock")),
        "allowedOverrides": (LIST, Bad(["buildspec"], "'buildspec' is not an override that is denied")),
        "rolesBoundary": (Bad("boundary", "'boundary' is not the ARN of a policy"),),
        "images": FLAG,
        "stagingKey": FLAG,
        "trustSourceArn": FLAG,
        "build": (Bad("small", "'small' is not a mapping"),),
        "stepNetwork": (Bad("vpc-0123", "'vpc-0123' is not a mapping"),),
        "timeouts": (Bad("1h", "'1h' is not a mapping"),),
        "tags": TAGS,
        "protect": FLAG,
    },
    GitHub: {
        "repository": (Bad("octo", "'octo' is not a repository"), Bad("octo/*", "is not a repository of GitHub")),
        "ownerId": (Bad("octo", "'octo' is not a number"), Bad("0", "'0' is not a number")),
        "repositoryId": (Bad("22a", "'22a' is not a number"),),
        "workflow": (Bad("deploy.yml", "'deploy.yml' is not a workflow's file"),),
        "branch": (
            Bad("ma*n", "is not the name of one branch"),
            Bad("refs/heads/main", "is not the name of one branch"),
        ),
    },
    GitLab: {
        "project": (Bad("shop", "'shop' is not a project of GitLab"), Bad("octo/*", "is not a project of GitLab")),
        "branch": (Bad("", "is not the name of one branch"), Bad("a..b", "is not the name of one branch")),
        "projectId": (Bad("octo", "'octo' is not a number"),),
        "tier": (Bad("prod", "'prod' is not"),),
        "host": (Bad("https://gitlab.com", "is not a host, such as gitlab.com"),),
        "planSubject": (
            Bad("project_path:octo/*", "is not a subject"),
            Bad("project_path:mallory/shop:ref:main", "is not of the project octo/web/shop", "parent"),
        ),
        "deploySubject": (Bad("ref:main", "is not a subject of GitLab's tokens"),),
    },
    ContainerImage: {
        "dockerfile": (BLANK,),
        "context": (BLANK,),
        "target": (BLANK,),
        "args": (Bad({"VERSION": ["3"]}, "is not text"),),
        "container": (Bad("apiorders", "is not a nested stack and what is in it"),),
        "layout": (BLANK,),
        "platform": (Bad("windows/amd64", "is not 'linux/amd64' or 'linux/arm64'"),),
        "parameters": (LIST, Bad(["customorders"], "is not a nested stack and what is in it")),
    },
    StepNetwork: {
        "vpc": (Bad("default", "'default' is not a VPC"),),
        "subnets": (LIST, Bad([], "is empty"), Bad(["subnet-x"], "'subnet-x' is not a subnet")),
        "securityGroups": (LIST, Bad([], "is empty"), Bad(["default"], "'default' is not a security group")),
    },
    Timeouts: {
        "publish": (*TIME, Bad("4m", "publish may take 4 minutes", "parent")),
        "plan": (*TIME, Bad("37h", "plan may take 2220 minutes", "parent")),
        "deploy": (*TIME, Bad("2d", "deploy may take 2880 minutes", "parent")),
        "check": (*TIME, Bad("1m", "check may take 1 minutes", "parent")),
    },
    Right: {
        "actions": (
            LIST,
            Bad([], "is empty"),
            Bad(["*"], "'*' is not an IAM action", "parent"),
            Bad(["s3GetObject"], "is not an IAM action", "parent"),
        ),
        "resources": (LIST, Bad([], "is empty")),
    },
    Compute: {
        "architecture": (Bad("arm", "'arm' is not 'x86_64' or 'arm64'"),),
        "image": (BLANK, Bad(["x"], "is not text")),
        "computeType": (Bad("LARGE", "'LARGE' is not a CodeBuild compute type"),),
    },
    PipelineConfig: {
        "program": (Bad("pipline", "'pipline' is not 'pipeline'"),),
        "account": ACCOUNT_ID,
        "region": REGION,
        "profile": (BLANK,),
        "roleArn": (ROLE,),
        "source": (
            Bad("github", "'github' is not a mapping"),
            Bad({"type": "gitlab"}, "there is no source of type 'gitlab'"),
            Bad({"repository": "a/b"}, "source.connection is missing"),
        ),
        "triggers": (
            LIST,
            Bad(["main"], "'main' is not a mapping"),
            Bad([{"branches": ["a"]}] * 4, "triggers has 4 elements, but may have 3"),
        ),
        "stages": (
            LIST,
            Bad(["PreProd"], "'PreProd' is not a mapping"),
            Bad([{"name": "A1"}, {"name": "a1"}], "environment a1 is in two places", "parent"),
            Bad([{"name": "A1"}, {"name": "A1", "environments": ["b1"]}], "two stages are called A1", "parent"),
        ),
        "build": (Bad("small", "'small' is not a mapping"),),
        "engine": (
            Bad("3.2", "'3.2' is not a mapping"),
            Bad({"url": "https://a/b.tar.gz"}, "engine.sha256 is missing"),
        ),
        "schedule": (
            Bad("daily", "'daily' is not a schedule"),
            Bad("cron(0 6 * *)", "is not a schedule"),
            *UNSCHEDULED,
        ),
        "notifications": (Bad(["a@example.com"], "is not a mapping"),),
        "tags": TAGS,
        "artifactRegions": (LIST, Bad(["Ireland"], "'Ireland' is not an AWS region")),
        "organization": (Bad("a1b2c3d4e5", "'a1b2c3d4e5' is not an organization"),),
        "protect": FLAG,
    },
    ConnectionSource: {
        "type": (Bad("git", "there is no source of type 'git'", "parent"),),
        "connection": (Bad("my-connection", "is not an ARN of a connection"),),
        "repository": (Bad("app", "'app' is not a repository"), Bad("a/b c", "is not a repository")),
        "branch": BRANCH,
        "detectChanges": FLAG,
    },
    GitHubTokenSource: {
        "type": (Bad("github", "there is no source of type 'github'", "parent"),),
        "repository": (Bad("app", "'app' is not a repository"), Bad("a/b/c", "is not a repository")),
        "branch": BRANCH,
        "tokenSecret": (BLANK,),
        "poll": FLAG,
    },
    CodeCommitSource: {
        "type": (Bad("code-commit", "there is no source of type 'code-commit'", "parent"),),
        "repository": (Bad("a/b", "'a/b' is not a CodeCommit repository"),),
        "branch": BRANCH,
    },
    S3Source: {
        "type": (Bad("S3", "there is no source of type 'S3'", "parent"),),
        "bucket": (Bad("My_Bucket", "'My_Bucket' is not a bucket"),),
        "key": (BLANK,),
        "poll": FLAG,
    },
    PipelineSource: {
        "type": (Bad("Pipeline", "there is no source of type 'Pipeline'", "parent"),),
        "pipeline": (Bad("My Pipeline", "'My Pipeline' is not a pipeline"),),
    },
    Trigger: {
        "branches": PATTERNS,
        "excludeBranches": PATTERNS,
        "paths": PATTERNS,
        "excludePaths": PATTERNS,
        "tags": PATTERNS,
        "excludeTags": PATTERNS,
    },
    Stage: {
        "name": (
            Bad("Pre Prod", "'Pre Prod' is not a name"),
            Bad("1st", "is not a name"),
            Bad("X" * 81, "is not a name"),
        ),
        "environments": (LIST, Bad([], "is empty"), Bad(["pre-prod"], "'pre-prod' is not an environment")),
        "pre": STEPS,
        "post": STEPS,
        "approval": (
            Bad("yes", "'yes' is neither true nor false"),
            Bad(["me"], "is not a mapping"),
        ),
        "approvalBeforePlan": (
            Bad("yes", "'yes' is neither true nor false"),
            Bad({"skipUnchanged": "true"}, "`approvalBeforePlan` cannot be skipped", "parent"),
        ),
        "bake": (Bad("30m", "'30m' is not a mapping"), Bad({"alarm": "errors"}, "bake.time is missing")),
        "onFailure": (Bad("undo", "'undo' is not 'none', 'rollback' or 'retry'"),),
    },
    Step: {
        "name": (
            Bad("a b", "'a b' is not a name"),
            Bad("x" * 41, "is not a name"),
            Bad("Deploy", "a step cannot be called Deploy", "parent"),
        ),
        "commands": (*COMMANDS, Bad([], "is empty")),
        "env": VARIABLES,
        "envFromOutputs": VARIABLES,
        "clientConfig": (Bad("web", "'web' is not 'javascript', 'android'"), Bad(["ios"], "is not a mapping")),
        "timeout": (*TIME, Bad("36h", "a timeout of 2160 minutes", "parent"), Bad("0m", "of 0 minutes", "parent")),
        "after": (LIST,),
        "rights": (LIST, Bad(["s3:GetObject"], "is not a mapping")),
    },
    ClientConfig: {
        "platform": (
            Bad("web", "'web' is not 'javascript', 'android', 'ios', 'flutter', 'outputs' or 'outputs-dart'"),
        ),
        "folder": (
            BLANK,
            Bad("/src", "the folder '/src' is not one of the checkout", "parent"),
            Bad("web/../../src", "is not one of the checkout", "parent"),
        ),
    },
    Approval: {
        "comment": (Bad("x" * 401, "is not a comment: up to 400 characters"),),
        "timeout": (*TIME, Bad("1m", "a timeout of 1 minutes", "parent"), Bad("61d", "of 87840 minutes", "parent")),
        "notification": (Bad("releases", "'releases' is not the ARN of an SNS topic"),),
        "skipUnchanged": FLAG,
        "reviewUrl": (Bad("example.com", "'example.com' is not an address"),),
    },
    Bake: {
        "time": (*TIME, Bad("8h", "a bake time of 480 minutes", "parent"), Bad("0m", "of 0 minutes", "parent")),
        "alarm": (BLANK,),
    },
    Build: {
        "commands": COMMANDS,
        "env": VARIABLES,
        "folder": (
            Bad("/backends/todo", "'/backends/todo' is not a folder of the repository that Build can enter"),
            Bad("../todo", "'../todo' is not a folder of the repository that Build can enter"),
            Bad("a b", "'a b' is not a folder of the repository that Build can enter"),
        ),
        "secrets": (
            Bad("npm-token", "'npm-token' is not a mapping"),
            Bad({"NPM_TOKEN": "a b"}, "'a b' is not a name of a secret"),
            Bad({"AWS_PROFILE": "x"}, "is not yours to set"),
        ),
        "keep": (
            LIST,
            Bad(["web/app.js"], "'web/app.js' is not a hidden file or folder of the checkout"),
            Bad(["../.npmrc"], "is not a hidden file or folder"),
            Bad([".config/app.json"], "is not a hidden file or folder"),
            Bad([".git"], "'.git' is not for an artifact"),
        ),
        "privileged": FLAG,
    },
    Engine: {
        "url": (Bad("http://a/b.tar.gz", "is not an address"), Bad("https://a/b.zip", "is not an address")),
        "sha256": (Bad("abc", "'abc' is not a SHA-256"), Bad("A" * 64, "is not a SHA-256")),
    },
    Notifications: {
        "emails": (LIST, Bad(["team"], "'team' is not an e-mail address")),
    },
}


# --- where the fields stand ------------------------------------------------------------------------------------------


def _models(annotation: Any) -> Iterator[type[Model]]:
    """The models in a field's type."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models(argument)


def _all_models(model: type[Model]) -> set[type[Model]]:
    found = {model}
    for field in model.model_fields.values():
        for inner in _models(field.annotation):
            found |= _all_models(inner)
    return found


def _fitting(models: list[type[Model]], value: Any) -> type[Model]:
    """Of several models the one whose `type` the value has."""
    return next(
        m for m in models if len(models) == 1 or value["type"] in typing.get_args(m.model_fields["type"].annotation)
    )


def _places(model: type[Model], value: Mapping[str, Any], path: Path_ = ()) -> Iterator[tuple[type[Model], Path_]]:
    """Each mapping of an example, with its model."""
    yield model, path
    for name, field in model.model_fields.items():
        alias, inner = field.alias or name, list(_models(field.annotation))
        found = value.get(alias)
        if inner and isinstance(found, Mapping) and typing.get_origin(field.annotation) is Mapping:
            for key, item in found.items():
                yield from _places(_fitting(inner, item), item, (*path, alias, key))
        elif inner and isinstance(found, Mapping):
            yield from _places(_fitting(inner, found), found, (*path, alias))
        elif inner and isinstance(found, list):
            for index, item in enumerate(found):
                yield from _places(_fitting(inner, item), item, (*path, alias, index))


def _owner(model: type[Model], alias: str) -> type[BaseModel]:
    """The class that a field is defined in: `Build` has those of `Compute`."""
    name = next(n for n, field in model.model_fields.items() if (field.alias or n) == alias)
    return next(c for c in model.__mro__ if name in inspect.get_annotations(c))


@dataclass(frozen=True)
class Case:
    """One wrong file."""

    example: str
    path: Path_
    given: dict[str, Any]
    says: str
    about: Path_
    """What the error must name; () for the file alone."""
    what: str = ""

    @property
    def id(self) -> str:
        return f"{self.example} {'.'.join(map(str, self.path))} {self.what}"


def _at(document: dict[str, Any], path: Path_) -> Any:
    found: Any = document
    for key in path:
        found = found[key]
    return found


def _fields() -> Iterator[tuple[str, type[Model], Path_, str, dict[str, Any]]]:
    """Every field at every place where an example sets it: the example, its model, the path of what it stands in."""
    for name, example in EXAMPLES.items():
        for model, path in _places(example.model, example.keys):
            for alias in model.written_names():
                wanted = not example.only or (*path, alias)[0] == example.only
                if wanted and alias in _at(example.keys, path):
                    yield name, model, path, alias, example.keys


def _changed(document: dict[str, Any], path: Path_, alias: str, value: Any, key: str | None = None) -> dict[str, Any]:
    """The document with another value, or under another key; `...` takes the field away."""
    changed = copy.deepcopy(document)
    inside = _at(changed, path)
    items = [(key or alias, value) if name == alias else (name, item) for name, item in inside.items()]
    inside.clear()
    inside.update({name: item for name, item in items if item is not ...})
    return changed


def _bad_values() -> Iterator[Case]:
    for example, model, path, alias, document in _fields():
        for number, bad in enumerate(WRONG[_owner(model, alias)].get(alias, ())):
            about = (*path, alias) if bad.about == "field" else path
            yield Case(
                example, (*path, alias), _changed(document, path, alias, bad.value), bad.says, about, f"{number}"
            )


def _misspelt() -> Iterator[Case]:
    for example, _, path, alias, document in _fields():
        key = alias[0] + alias[2:]  # one letter lost
        given = _changed(document, path, alias, _at(document, (*path, alias)), key)
        says = f"unknown key {key!r}, did you mean {alias!r}?"
        yield Case(example, (*path, alias), given, says, path, "misspelt")


def _secrets() -> Iterator[Case]:
    for example, _, path, alias, document in _fields():
        whole = alias == "parameters" and not path
        says = "parameters is one secret" if whole else "cannot be a secret"
        given = _changed(document, path, alias, {"secure": "v1:abc:def"})
        yield Case(example, (*path, alias), given, says, (*path, alias), "secret")


def _missing() -> Iterator[Case]:
    for example, model, path, alias, document in _fields():
        field = next(f for n, f in model.model_fields.items() if (f.alias or n) == alias)
        by_name = alias in {"environment", "environments"}  # the stack's, or the stage's name
        if field.is_required() and not by_name and not (model in SOURCES and alias == "type"):
            yield Case(example, (*path, alias), _changed(document, path, alias, ...), "is missing", (*path, alias), "")


SOURCES = (ConnectionSource, GitHubTokenSource, CodeCommitSource, S3Source, PipelineSource)
"""A source without a type is a connection."""
BAD, MISSPELT, SECRET, MISSING = list(_bad_values()), list(_misspelt()), list(_secrets()), list(_missing())


# --- completeness ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [pytest.param(model, id=model.__name__) for model in WRONG])
def test_every_field_has_a_bad_value(model: type[Model]) -> None:
    own = {alias for alias in model.written_names() if _owner(model, alias) is model}
    assert set(WRONG[model]) == own, "give the new field a bad value, and what the error says of it"


def test_every_model_is_in_the_table() -> None:
    models = set().union(*(_all_models(example.model) for example in EXAMPLES.values()))
    assert {_owner(model, alias) for model in models for alias in model.written_names()} == set(WRONG)


def test_every_field_is_set_in_an_example() -> None:
    """Only then it is tried at all its places."""
    tried = {(model, alias) for _, model, _, alias, _ in _fields()}
    models = set().union(*(_all_models(example.model) for example in EXAMPLES.values()))
    expected = {(model, alias) for model in models for alias in model.written_names()}
    assert expected - tried == set()


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_are_right(tmp_path: Path, example: str) -> None:
    assert _read(example, _file(tmp_path, example, EXAMPLES[example].keys))


# --- one clear error -------------------------------------------------------------------------------------------------


def _file(folder: Path, example: str, given: dict[str, Any]) -> Path:
    (folder / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    path = folder / f"Pulumi.{EXAMPLES[example].stack}.yaml"
    config = {"config": {f"app:{key}": value for key, value in given.items()}}
    path.write_text(as_yaml(config, sort_keys=False))
    return path


def _read(example: str, path: Path) -> Any:
    model, stack = EXAMPLES[example].model, EXAMPLES[example].stack
    if model is EnvironmentConfig:
        return EnvironmentConfig.from_file(path, stack)
    return read_account(path, stack) if model is AccountConfig else read_pipeline(path)


def _refusal(case: Case, folder: Path) -> ConfigError | None:
    try:
        _read(case.example, _file(folder, case.example, case.given))
    except ConfigError as error:
        return error
    return None


def _unclear(case: Case, folder: Path) -> str:
    """What is wrong with a wrong file's refusal; empty when it is as it should be."""
    error = _refusal(case, folder)
    if error is None:
        return "nothing is said"
    named = ".".join(map(str, case.about))
    wanted = {
        "the file": error.where == str(folder / f"Pulumi.{EXAMPLES[case.example].stack}.yaml"),
        f"{case.says!r}": case.says in error.message,
        f"the name {named!r}": named in error.message,
        "what to do": bool(error.remedy),
        "one line": "\n" not in error.message + error.remedy,
        "its own words": not any(words in str(error) for words in ("pydantic", "Value error")),
    }
    missed = [what for what, there in wanted.items() if not there]
    return f"{', '.join(missed)} missed in: {error}" if missed else ""


def _by_place(*cases: list[Case]) -> pytest.MarkDecorator:
    """One test for all cases in a mapping of an example."""
    found: dict[str, list[Case]] = {}
    for case in itertools.chain(*cases):
        found.setdefault(".".join(map(str, (case.example, *case.path[:-1]))), []).append(case)
    return pytest.mark.parametrize("cases", found.values(), ids=list(found))


@_by_place(BAD)
def test_a_wrong_value_is_one_clear_error(tmp_path: Path, cases: list[Case]) -> None:
    assert {case.id: said for case in cases if (said := _unclear(case, tmp_path))} == {}


@_by_place(MISSPELT)
def test_a_misspelt_key_is_told_with_the_nearest(tmp_path: Path, cases: list[Case]) -> None:
    assert {case.id: said for case in cases if (said := _unclear(case, tmp_path))} == {}


@_by_place(SECRET)
def test_what_other_stacks_read_is_no_secret(tmp_path: Path, cases: list[Case]) -> None:
    assert {case.id: said for case in cases if (said := _unclear(case, tmp_path))} == {}


@_by_place(MISSING)
def test_what_must_be_there_is_missed_by_name(tmp_path: Path, cases: list[Case]) -> None:
    assert {case.id: said for case in cases if (said := _unclear(case, tmp_path))} == {}


# --- nothing changed -------------------------------------------------------------------------------------------------


@_by_place(BAD, MISSPELT, MISSING)
def test_the_program_says_the_same_and_registers_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cases: list[Case]
) -> None:
    """With what the engine makes of the file: text, and JSON with numbers and flags."""
    recordings: list[testing.Recording] = []

    def kept() -> testing.Recording:
        recordings.append(made := made_by_testing())
        return made

    made_by_testing = testing.Recording
    monkeypatch.setattr(testing, "Recording", kept)
    otherwise = {}
    for case in cases:
        expected = str(_refusal(case, tmp_path))
        said = _by_the_program(case, tmp_path)
        # Without `program` it is not known whose keys the others would be.
        if not said or (case.path != ("program",) and said != expected.replace(f"{tmp_path}{os.sep}", "")):
            otherwise[case.id] = said
    assert otherwise == {}
    assert len(recordings) == len(cases)
    assert [r.type for recording in recordings for r in recording.resources] == []


def _by_the_program(case: Case, folder: Path) -> str:
    """What the program ends with over the file that is there; empty when it does not."""

    def program() -> None:
        runpy.run_path(str(PROJECT / "__main__.py"), run_name="__main__")

    stack = EXAMPLES[case.example].stack
    given = {key: value if isinstance(value, str) else _as_json(value) for key, value in case.given.items()}
    try:
        testing.record(program, name=stack, directory=folder, config=given)
    except pulumi.RunError as error:
        return str(error)
    return ""


def _as_json(value: Any) -> Any:
    """Flags and numbers in a structure as YAML types them, which is how the engine hands them over."""
    if isinstance(value, Mapping):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return {"true": True, "false": False}.get(value, value)
