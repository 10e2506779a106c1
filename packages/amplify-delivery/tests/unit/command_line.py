"""How a command is run: in this process, or as people and machines do, in one of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO
from unittest import mock

import pytest

from amplify_delivery import cli
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


def run(arguments: Iterable[object], cwd: Path, env: Mapping[str, str] | None, out: TextIO, err: TextIO) -> int:
    """`amplify-delivery ARGUMENTS`, in this process; the exit code. `env` are its variables, None for this process'."""
    with contextlib.ExitStack() as there:
        there.enter_context(contextlib.chdir(cwd))
        there.enter_context(mock.patch.dict(os.environ, env or {}, clear=env is not None))
        there.enter_context(mock.patch.object(sys, "stdin", there.enter_context(Path(os.devnull).open())))
        there.enter_context(contextlib.redirect_stdout(out))
        there.enter_context(contextlib.redirect_stderr(err))
        try:
            return cli.main([*map(str, arguments)])
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else int(end.code is not None)


def delivery(*arguments: object, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> Ran:
    """`amplify-delivery ARGUMENTS`, in this process: its own would import for half a second."""
    out, err = io.StringIO(), io.StringIO()
    code = run(arguments, cwd, env, out, err)
    return Ran(code, out.getvalue(), err.getvalue())


def process(*arguments: object, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> Ran:
    """`amplify-delivery ARGUMENTS` in a process of its own, with this checkout's packages."""
    ran = subprocess.run(
        [sys.executable, "-m", "amplify_delivery", *map(str, arguments)],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
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
