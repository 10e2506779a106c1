"""Every native resource of the programs, against CloudFormation's own schema of its type: what Cloud Control checks."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.providers.native.conversion import to_cfn
from aws_rehearsal.providers.native.schemas import find
from aws_rehearsal.providers.native.validate import validate
from unit.components.recorder import Recording
from unit.stacks.projects import HOME, account_of, make, run, write

STAGES: list[dict[str, Any]] = [
    {"name": "PreProd", "pre": [{"name": "migrate", "commands": ["true"]}], "bake": {"time": "15m"}},
    {"name": "Prod1", "approval": {"comment": "Go?", "timeout": "2h"}, "onFailure": "rollback"},
    {"name": "Prod2", "approval": "true", "onFailure": "retry"},
]
ARNS = {
    "aws-native:iam:Role": {"arn": "arn:aws:iam::222222222222:role/role"},
    "aws-native:lambda:Function": {"arn": "arn:aws:lambda:us-east-1:222222222222:function:function"},
}
TOKEN = {"aws:secretsmanager/getSecretVersion:getSecretVersion": {"secretString": "ghp_s3cret"}}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    triggers = [{"branches": ["main"], "excludePaths": ["docs/**"]}, {"tags": ["v*"]}]
    directory = make(tmp_path_factory.mktemp("project"), 3, stages=STAGES, triggers=triggers, tags={"team": "app"})
    write(
        directory,
        "preprod",
        {"account": account_of(0), "region": HOME, "suffix": "a8d04", "bootstrapped": "true", "helloService": "true"},
    )
    return directory


def whole(value: Any) -> Any:
    """Numbers as they were before protobuf made floats of them."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def complaints(recording: Recording) -> list[tuple[str, str, str]]:
    found = []
    resources = [r for r in recording.resources if r.type.startswith("aws-native:")]
    assert resources
    for resource in resources:
        kind = find(resource.type, HOME)
        inputs = whole(dict(resource.inputs))
        failures = validate(kind, inputs, to_cfn(kind, inputs))
        found += [(resource.name, failure.property, failure.reason) for failure in failures]
    return found


@pytest.mark.parametrize("stack", ["preprod-account", "pipeline", "preprod"])
def test_no_program_declares_what_cloud_control_would_refuse(directory: Path, stack: str) -> None:
    assert complaints(run(directory, stack, states=ARNS)) == []


@pytest.mark.parametrize(
    "source",
    [
        {"type": "github-token", "repository": "example/app", "poll": "false"},
        {"type": "codecommit", "repository": "app"},
        {"type": "s3", "bucket": "sources", "key": "app.zip"},
    ],
    ids=lambda source: source["type"],
)
def test_nor_with_another_source(directory: Path, tmp_path: Path, source: dict[str, str]) -> None:
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    make(tmp_path, 3, source=source)
    assert complaints(run(tmp_path, "pipeline", answers=TOKEN)) == []
