"""A team's own project in the rehearsal: made by `init`, with environments and regions of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import Project
from amplify_delivery_rehearsal.pipeline_story import own
from unit.places import EXPORTS

CONNECTION = "arn:aws:codeconnections:us-west-2:999999999999:connection/11111111-2222-3333-4444-555555555555"


def made(folder: Path) -> Path:
    """What a team holds after `amplify-delivery init`."""
    shutil.copytree(next((EXPORTS / "todo").glob("amplify-export-*")), folder / "amplify-export-mytodoapp")
    command = [sys.executable, "-m", "amplify_delivery", "init", "--environment", "live=012345678901/eu-central-1"]
    command += ["--tooling", "999999999999/us-west-2", "--connection", CONNECTION, "--repository", "acme/todo"]
    subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return folder


@pytest.mark.engine
def test_a_project_of_ones_own_is_rehearsed_with_its_secrets_made_up(tmp_path: Path) -> None:
    """Its pipeline, its environment and region; what its stack files encrypt cannot be read here, and need not be."""
    project = made(tmp_path)
    file = project / "Pulumi.live.yaml"
    file.write_text(f"secretsprovider: awskms://alias/of-the-real-account\nencryptedkey: AQIB\n{file.read_text()}")
    before = {path: path.read_bytes() for path in sorted(project.rglob("*")) if path.is_file()}
    command = [sys.executable, "-m", "amplify_delivery", "rehearse", "--json"]
    ran = subprocess.run(command, cwd=project, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    told = json.loads(ran.stdout)
    assert [chapter["outcome"] for chapter in told["chapters"]] == ["as told"] * 3
    facts = [fact for chapter in told["chapters"] for fact in chapter["facts"]]
    assert "live: untouched" in facts
    after = {path: path.read_bytes() for path in sorted(project.rglob("*")) if path.is_file()}
    assert {path for path in after if path not in before} == {project / "build" / "rehearsal.html"}
    assert all(after[path] == content for path, content in before.items())


def written(folder: Path, **files: str) -> Project:
    (folder / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    for stack, text in files.items():
        (folder / f"Pulumi.{stack}.yaml").write_text(text)
    return Project(folder)


def test_what_cannot_be_decrypted_is_taken_out(tmp_path: Path) -> None:
    live = """
secretsprovider: awskms://alias/key
encryptedkey: AQIB
config:
  app:account: "012345678901"
  app:parameters:
    authPool:
      secret:
        secure: v1:abc
      plain: kept
      count: 5
"""
    other = 'config:\n  app:account: "012345678902"  # as it was\n'
    project = written(tmp_path, live=live, other=other)
    [secret] = own.without_secrets(project)
    assert (secret.stack, secret.path) == ("live", ("parameters", "authPool", "secret"))
    assert secret.value({("authPool", "secret"): "given"}) == "given"
    assert secret.value({}).startswith("rehearsed-")
    left = yaml.load((tmp_path / "Pulumi.live.yaml").read_text(), Loader=yaml.BaseLoader)
    assert 'account: "012345678901"' in (tmp_path / "Pulumi.live.yaml").read_text()  # a number to the engine's YAML
    assert left == {
        "config": {"app:account": "012345678901", "app:parameters": {"authPool": {"plain": "kept", "count": "5"}}}
    }
    assert (tmp_path / "Pulumi.other.yaml").read_text() == other


@pytest.mark.parametrize(
    ("pipelines", "said"), [([], "no stack file here is a pipeline's"), (["a", "b"], "several pipelines here: a, b")]
)
def test_which_pipeline_is_meant_is_told_before_anything_starts(
    tmp_path: Path, pipelines: list[str], said: str
) -> None:
    project = written(tmp_path, **dict.fromkeys(pipelines, "config:\n  app:program: pipeline\n"))
    with pytest.raises(ConfigError, match=said):
        own.pipeline_stack(project)


def test_a_folder_without_a_project_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no Pulumi.yaml here") as caught:
        own.project_of(tmp_path)
    assert "amplify-delivery init" in caught.value.remedy
