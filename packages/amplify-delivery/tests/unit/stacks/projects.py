"""A project of the app `fullapp` with stack files for a pipeline over any number of environments, and its programs."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path
from typing import Any

from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.config.reader import own_keys_in
from unit.components.backends import folder
from unit.components.recorder import Recording, record
from unit.places import REPOSITORY
from unit.written_yaml import as_yaml

PROJECT = REPOSITORY
APP = "fullapp"
TOOLING, HOME, AWAY = "111111111111", "us-east-1", "eu-west-1"
OWN_KEYS = "config:\n  helloService:\n    type: boolean\n    default: false\n"
"""What Pulumi.yaml declares for the example's stage."""
HELLO_TYPES = list(Project(REPOSITORY).account("preprod-account").program_types)
"""What the example's account allows for the example's service."""
CONNECTION = f"arn:aws:codeconnections:{HOME}:{TOOLING}:connection/5e6f7a8b"

SMOKE_TEST: dict[str, Any] = {
    "name": "smoke-test",
    "commands": ["true"],
    "timeout": "3h",
    "rights": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::fixtures/*"]}],
}
ASKED_FOR: dict[str, Any] = {
    "images": "true",
    "stagingKey": "true",
    "allowedOverrides": ["environment.image"],
    "boundaryServices": ["bedrock"],
    "protect": "false",
    "trustSourceArn": "false",
    "programTypes": ["AWS::SQS::Queue"],
    "backendTypes": ["AWS::Kinesis::Stream"],
    "deployRights": [{"actions": ["sqs:SendMessage"], "resources": ["arn:aws:sqs:*:*:jobs"]}],
    "deployPolicies": ["arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"],
    "tags": {"team": "app"},
    "build": {"image": "aws/codebuild/standard:8.0", "computeType": "BUILD_GENERAL1_LARGE"},
    "timeouts": {"deploy": "6h"},
}
"""What an account's file can ask for its environments, all of it."""


def account_of(number: int) -> str:
    return f"{222222222222 + number}"


def name_of(number: int) -> str:
    return "preprod" if number == 0 else f"prod{number}"


def region_of(number: int) -> str:
    return HOME if number % 2 == 0 else AWAY


def write(directory: Path, stack: str, values: dict[str, Any]) -> None:
    config = {f"{APP}:{key}": value for key, value in values.items()}
    (directory / f"Pulumi.{stack}.yaml").write_text(as_yaml({"config": config}))


def make(directory: Path, environments: int = 2, *, stages: list[dict[str, Any]] | None = None, **more: Any) -> Path:
    """The project; environments lie in an account each, every second one in another region. `more` are further keys of
    the pipeline's file. Without `stages`: PreProd alone, then waves of ten with an approval before each."""
    (directory / "Pulumi.yaml").write_text(f"name: {APP}\nruntime: python\n{OWN_KEYS}")
    if not (directory / f"amplify-export-{APP}").exists():
        shutil.copytree(folder(APP), directory / f"amplify-export-{APP}")
    names = [name_of(number) for number in range(environments)]
    for number, name in enumerate(names):
        environment = {
            "account": account_of(number),
            "region": region_of(number),
            "bootstrapped": "true",
            "suffix": "a8d04",
        }
        write(directory, name, environment)
        write(directory, f"{name}-account", {"program": "account"})
    waves = [names[at : at + 10] for at in range(1, environments, 10)]
    default = [{"name": "PreProd", "post": [{"name": "test", "commands": ["true"]}]}]
    default += [{"name": f"Prod{n}", "environments": wave, "approval": "true"} for n, wave in enumerate(waves)]
    pipeline = {
        "program": "pipeline",
        "account": TOOLING,
        "region": HOME,
        "source": {"connection": CONNECTION, "repository": "example/app"},
        "stages": stages or default,
        **more,
    }
    write(directory, "pipeline", pipeline)
    return directory


def run(directory: Path, stack: str, **options: Any) -> Recording:
    """The program of `stack`, with what the engine makes of its file."""

    def program() -> None:
        runpy.run_path(str(PROJECT / "__main__.py"), run_name="__main__")

    config = own_keys_in(directory / f"Pulumi.{stack}.yaml")
    return record(program, project=APP, name=stack, directory=directory, config=config, **options)
