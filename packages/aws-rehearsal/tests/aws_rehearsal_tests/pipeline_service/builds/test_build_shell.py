"""The shell of a build: what one phase leaves to the next."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from aws_rehearsal.pipeline_service.builds.build_shell import Shell

pytestmark = pytest.mark.processes


def run(command: list[str]) -> int:
    return subprocess.run(command, env={"PATH": "/usr/local/bin:/usr/bin:/bin"}, check=False).returncode


@pytest.mark.parametrize("kind", ["/bin/sh", "/bin/bash"])
def test_variables_are_kept_wherever_its_files_lie(kind: str, tmp_path: Path) -> None:
    """TMPDIR may hold blanks and quotes: a build succeeded there, and had exported nothing."""
    folder, directory = tmp_path / "Grüße & Ann's", tmp_path / "the sources"
    directory.mkdir()
    shell = Shell(kind, folder / "state", {"GIVEN": "it's"}, directory, run)
    assert shell.run_commands("build", ("export A='x y'", "B=2; mkdir -p in; cd in"), succeeding=True) is None
    assert shell.run_commands("post_build", ('export C="$B:$GIVEN:${PWD##*/}"',), succeeding=True) is None
    kept = shell.variables()
    assert (kept["A"], kept["C"]) == ("x y", "2:it's:in")
