"""A project with stack files for a pipeline over any number of environments, as a team would have them committed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

PIPELINE = "pipeline"
TOOLING, REGION = "111111111111", "us-east-1"
CONNECTION = f"arn:aws:codeconnections:{REGION}:{TOOLING}:connection/5e6f7a8b-0000-4000-8000-000000000000"
OWN_KEYS = "config:\n  helloService:\n    type: boolean\n    default: false\n"
"""What Pulumi.yaml declares for the example's stage."""
HELLO_TYPES = (
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
)
"""What the example's service is made of."""
WAVE = 9
"""Environments of a stage after PreProd."""


def name_of(number: int) -> str:
    return "preprod" if number == 0 else f"prod{number:03d}"


def account_of(number: int) -> str:
    return f"{222222222222 + number}"


def make(directory: Path, app: str, environments: int) -> Path:
    """Stack files of `environments` environments, in an account each, and of the pipeline over them.

    PreProd alone, then waves of nine with an approval; everywhere a test step after the deployment, and a bake time:
    five actions per environment.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if not (directory / "Pulumi.yaml").exists():
        (directory / "Pulumi.yaml").write_text(f"name: {app}\nruntime: python\n{OWN_KEYS}")
    names = [name_of(number) for number in range(environments)]
    for number, name in enumerate(names):
        place = {"account": account_of(number), "region": REGION, "bootstrapped": "true", "helloService": "true"}
        _write(directory, app, name, place)
        _write(directory, app, f"{name}-account", {"program": "account", "programTypes": list(HELLO_TYPES)})
    after: dict[str, Any] = {
        "post": [
            {"name": "test", "commands": ['curl -Ssf "$ENDPOINT_URL"'], "envFromOutputs": {"ENDPOINT_URL": "helloUrl"}}
        ],
        "bake": {"time": "15m"},
    }
    stages: list[dict[str, Any]] = [{"name": "PreProd", **after}]
    for at in range(1, environments, WAVE):
        wave = names[at : at + WAVE]
        stages.append({"name": f"Prod{len(stages)}", "environments": wave, "approval": "true", **after})
    pipeline = {
        "program": "pipeline",
        "account": TOOLING,
        "region": REGION,
        "source": {"connection": CONNECTION, "repository": "example/app"},
        "stages": stages,
    }
    _write(directory, app, PIPELINE, pipeline)
    return directory


def _write(directory: Path, app: str, stack: str, values: dict[str, Any]) -> None:
    config = {f"{app}:{key}": value for key, value in values.items()}
    (directory / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": config}, sort_keys=False))
