"""What `init --ci` writes, taken apart: a workflow's steps, run in a shell as GitHub's runner does."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


def workflow(text: str) -> dict[str, Any]:
    """A workflow's document; YAML 1.1 reads the key `on` as true."""
    found: dict[Any, Any] = yaml.safe_load(text)
    return {"on" if key is True else key: value for key, value in found.items()}


def expressions(value: Any) -> set[str]:
    """Every `${{ }}` in a document."""
    if isinstance(value, Mapping):
        return set().union(*map(expressions, value.values()))
    if isinstance(value, list):
        return set().union(*map(expressions, value))
    return set(re.findall(r"\$\{\{\s*(.*?)\s*\}\}", str(value)))


@dataclass
class Job:
    """A job of a workflow, on this machine: its steps' commands, with the expressions' values as given."""

    document: Mapping[str, Any]
    folder: Path
    values: Mapping[str, str]
    variables: Mapping[str, str]
    temporary: Path
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""

    def step(self, name: str) -> Mapping[str, Any]:
        return next(step for step in self.document["steps"] if step.get("name") == name)

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run one step. "bash -e", as the runner does where no shell is named."""
        step = self.step(name)
        files = {name: self.temporary / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")}
        for file in files.values():
            file.touch()
        added = files["GITHUB_PATH"].read_text().split()
        declared = {**(self.document.get("env") or {}), **(step.get("env") or {})}
        environment = {
            **os.environ,
            **self.variables,
            "RUNNER_TEMP": str(self.temporary),
            **{key: str(file) for key, file in files.items()},
            **{key: self._value(str(value)) for key, value in declared.items()},
        }
        environment["PATH"] = ":".join([*reversed(added), environment["PATH"]])
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-c", self._value(step["run"])],
            cwd=self.folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        lines = files["GITHUB_OUTPUT"].read_text().splitlines()
        self.outputs = dict(line.split("=", 1) for line in lines)
        self.summary = files["GITHUB_STEP_SUMMARY"].read_text()
        return ran

    def _value(self, text: str) -> str:
        return re.sub(r"\$\{\{\s*(.*?)\s*\}\}", lambda found: self.values[found[1]], text)
