"""Keys of a team's own: Pulumi.yaml declares them, environments' stack files set them, nobody else is disturbed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import EnvironmentConfig, Project, from_pulumi
from amplify_delivery.stacks.config.program import account_config, pipeline_config
from unit.components.recorder import record
from unit.stacks.config.test_files import SMALLEST

PLACE = {"account": "012345678901", "region": "eu-west-1"}
DECLARED = {
    "helloService": {"type": "boolean", "default": "false"},
    "zones": {"type": "array", "default": "[]"},
    "app:token": {"type": "string", "default": ""},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return declare(tmp_path, DECLARED)


def declare(folder: Path, config: Mapping[str, object]) -> Path:
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "app", "runtime": "python", "config": config}))
    return folder


def read(folder: Path, **more: object) -> EnvironmentConfig:
    file = folder / "Pulumi.dev.yaml"
    file.write_text(yaml.safe_dump({"config": {f"app:{key}": value for key, value in {**PLACE, **more}.items()}}))
    return EnvironmentConfig.from_file(file, "dev")


def in_program(folder: Path, secret_keys: tuple[str, ...] = (), **more: str) -> EnvironmentConfig:
    config = {**PLACE, **more}
    made = record(from_pulumi, project="app", directory=folder, config=config, secret_keys=secret_keys)
    result: EnvironmentConfig = made.result.environment
    return result


def test_declared_keys_are_the_programs_own(folder: Path) -> None:
    plain = read(folder)
    assert read(folder, helloService=True, zones=["a"], token="x") == plain
    assert in_program(folder, helloService="true", zones='["a"]', token="x") == plain


def test_they_may_be_secrets(folder: Path) -> None:
    assert read(folder, token={"secure": "AAABAA"}) == read(folder)
    assert in_program(folder, ("token",), token="x") == read(folder)


def test_an_undeclared_key_is_refused_with_the_nearest_one(folder: Path) -> None:
    said = r"unknown key 'heloService', did you mean 'helloService'\?"
    with pytest.raises(ConfigError, match=said):
        read(folder, heloService=True)
    with pytest.raises(ConfigError, match=said):
        in_program(folder, heloService="true")
    with pytest.raises(ConfigError, match=r"a key of your own is declared in Pulumi\.yaml, with its `type`"):
        read(folder, monitor="x")


@pytest.mark.parametrize("declared", ["x", {"default": "x"}, {"value": "x"}])
def test_a_value_declares_nothing(tmp_path: Path, declared: object) -> None:
    """So a mistyped key of ours, with which Pulumi.yaml sets something for all environments, is no key of a team's."""
    declare(tmp_path, {"protct": declared})
    with pytest.raises(ConfigError, match=r"unknown key 'protct', did you mean 'protect'\?"):
        in_program(tmp_path, protct="false")


@pytest.mark.parametrize(("name", "meant"), [("protct", "protect"), ("lintt", "lint"), ("regions", "region")])
def test_nor_is_one_that_can_be_taken_for_ours(tmp_path: Path, name: str, meant: str) -> None:
    declare(tmp_path, {name: {"type": "string", "default": "x"}})
    with pytest.raises(ConfigError, match=rf"Pulumi\.yaml: the key '{name}' is declared, did you mean '{meant}'\?"):
        in_program(tmp_path, (), **{name: "false"})


def test_accounts_and_pipelines_are_not_disturbed(folder: Path) -> None:
    """Pulumi gives every stack the defaults of Pulumi.yaml."""
    (folder / "Pulumi.pipeline.yaml").write_text(SMALLEST.replace("my-app:", "app:"))
    (folder / "Pulumi.dev-account.yaml").write_text("config:\n  app:program: account\n")
    assert Project(folder).account("dev-account").environments == ("dev",)
    given = {"helloService": "true", "zones": '["a"]'}
    config = {**given, "program": "account"}
    made = record(account_config, project="app", name="dev-account", directory=folder, config=config)
    assert made.result == Project(folder).account("dev-account")
    pipeline = yaml.safe_load((folder / "Pulumi.pipeline.yaml").read_text())["config"]
    config = {key.partition(":")[2]: v if isinstance(v, str) else json.dumps(v) for key, v in pipeline.items()}
    made = record(pipeline_config, project="app", name="pipeline", directory=folder, config={**config, **given})
    assert made.result == Project(folder).pipeline("pipeline")


def test_but_have_none_in_their_files(folder: Path) -> None:
    (folder / "Pulumi.dev-account.yaml").write_text("config:\n  app:program: account\n  app:helloService: true\n")
    with pytest.raises(ConfigError, match="unknown key 'helloService'"):
        Project(folder).account("dev-account")


def test_a_key_of_ours_by_its_former_name_is_no_teams(tmp_path: Path) -> None:
    """A Pulumi.yaml of then declares it: taken for a team's own, the environment would leave its account's place."""
    declare(tmp_path, {"enrolled": {"type": "boolean", "default": "false"}})
    assert read(tmp_path, enrolled=True).bootstrapped is True
    assert in_program(tmp_path, enrolled="true").bootstrapped is True
    (tmp_path / "Pulumi.dev-account.yaml").write_text("config:\n  app:program: account\n")
    config = {"enrolled": "false", "program": "account"}
    recording = record(account_config, project="app", name="dev-account", directory=tmp_path, config=config)
    assert recording.result.environments == ("dev",)
