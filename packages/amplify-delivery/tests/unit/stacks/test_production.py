"""`production: true` in a stack file: what is refused then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.cli import main
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import EnvironmentConfig, Project
from amplify_delivery.stacks.model import pipeline_model
from unit.stacks.projects import APP, make, write


def environment(folder: Path, text: str) -> EnvironmentConfig:
    (folder / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    file = folder / "Pulumi.prod.yaml"
    file.write_text(f'config:\n  account: "444444444444"\n  region: eu-west-1\n{text}')
    return EnvironmentConfig.from_file(file, "prod")


def test_nothing_is_said_where_nothing_was_said(tmp_path: Path) -> None:
    assert environment(tmp_path, "").production is None
    assert environment(tmp_path, "  production: false\n").production is False
    assert environment(tmp_path, "  production: true\n").production is True


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("  protect: false\n", "`protect: false` does not go with `production: true`"),
        ("  dataLoss:\n    - {path: a/T, reason: r, until: '2999-01-01'}\n", "a/T may go until a day"),
    ],
)
def test_what_does_not_go_with_it(tmp_path: Path, more: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        environment(tmp_path, f"  production: true\n{more}")
    environment(tmp_path, f"  production: false\n{more}")


def test_one_plan_may_lose_data(tmp_path: Path) -> None:
    digest = "a" * 64
    config = environment(tmp_path, f"  production: true\n  dataLoss:\n    - {{path: a/T, reason: r, plan: {digest}}}\n")
    assert config.data_loss[0].plan == digest


@pytest.mark.parametrize(
    ("approval", "says"),
    [
        ({}, "asks nobody"),
        ({"approval": "false"}, "asks nobody"),
        ({"approval": {"skipUnchanged": "true"}}, "does not always ask"),
        ({"approval": "true"}, ""),
        ({"approval": {"comment": "look twice"}}, ""),
    ],
)
def test_somebody_is_always_asked(tmp_path: Path, approval: dict[str, Any], says: str) -> None:
    project = Project(make(tmp_path, 1, stages=[{"name": "PreProd", **approval}]))
    pipeline = project.pipeline("pipeline")
    pipeline_model(project, APP, "pipeline", pipeline)  # nothing is asked for yet
    place = {"account": "222222222222", "region": "us-east-1", "bootstrapped": "true", "suffix": "a8d04"}
    write(tmp_path, "preprod", {**place, "production": "true"})
    if says:
        with pytest.raises(ConfigError, match=f"the stage PreProd deploys preprod, which is production, and {says}"):
            pipeline_model(project, APP, "pipeline", pipeline)
    else:
        pipeline_model(project, APP, "pipeline", pipeline)


@pytest.mark.parametrize("command", ["up", "destroy"])
def test_up_and_destroy_are_refused(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment(tmp_path, "  production: true\n")
    monkeypatch.chdir(tmp_path)
    assert main([command, "prod"]) == 3
    said = capsys.readouterr().err
    assert "this is production" in said
    assert "nothing was changed" in said
    assert "amplify-delivery plan prod" in said
