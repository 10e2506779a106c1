"""What is said of files that may come through the artifact otherwise than they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from amplify_delivery.delivery.pipeline import step_runs
from amplify_delivery.delivery.project import artifact_files, shell
from amplify_delivery.stacks.config import Step


def test_a_script_that_is_run_by_its_execution_bit_is_said(tmp_path: Path) -> None:
    for name, mode in (("smoke.sh", 0o755), ("plain.sh", 0o644)):
        (tmp_path / name).write_text("true")
        (tmp_path / name).chmod(mode)
    commands = ("set -x; ./smoke.sh --fast", "sh ./plain.sh", "./plain.sh", "./other.sh", "echo a./smoke.sh")
    notes = list(artifact_files.run_by_their_bit(tmp_path, [Step(name="smoke", commands=commands)]))
    assert len(notes) == 1
    assert "step smoke runs ./smoke.sh by its execution bit" in notes[0]
    assert "`sh ./smoke.sh`" in notes[0]


@pytest.mark.processes
def test_a_script_without_its_bit_is_explained(tmp_path: Path) -> None:
    script = tmp_path / "smoke.sh"
    script.write_text("true")
    step = Step(name="smoke", commands=(str(script),))
    ended = shell.run(step.commands, {}, 10, print)
    error = step_runs.failure(step, ended, "step smoke")
    assert error is not None
    assert "execution bit" in error.remedy
    other = step_runs.failure(step, shell.Ended(1, timed_out=False, last_lines=(), seconds=0), "step smoke")
    assert other is not None
    assert "execution bit" not in other.remedy
