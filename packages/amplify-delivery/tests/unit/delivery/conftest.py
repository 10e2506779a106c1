"""How a command is run as people and machines do: in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from unit.places import EXPORTS, REPOSITORY

ROOT = REPOSITORY


def export(name: str) -> Path:
    """The folder that `amplify export` wrote."""
    return next((EXPORTS / name).glob("amplify-export-*"))


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


def delivery(*arguments: object, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> Ran:
    """`amplify-delivery ARGUMENTS` with this checkout's packages."""
    ran = subprocess.run(
        [sys.executable, "-m", "amplify_delivery", *map(str, arguments)],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with one environment, `dev`, from which the packages of this checkout can be imported."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "Pulumi.yaml").write_text("name: mytodoapp\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(
        'config:\n  mytodoapp:account: "444444444444"\n  mytodoapp:region: eu-central-1\n'
    )
    return tmp_path
