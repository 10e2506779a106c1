"""Processes of builds end with us, however we end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aws_rehearsal.pipeline_service.builds.processes import Group, Reaper

_DIES = """
import os, sys
from pathlib import Path
from aws_rehearsal.pipeline_service.builds.processes import Group, Reaper
group = Group(["sleep", "300"], {"PATH": os.environ["PATH"]}, Path("/"), print, Reaper())
print(group.id, flush=True)
os._exit(1)
"""


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.processes
def test_a_group_ends_when_the_process_that_started_it_is_gone() -> None:
    done = subprocess.run([sys.executable, "-c", _DIES], capture_output=True, text=True, check=False)
    group = int(done.stdout)

    deadline = time.monotonic() + 300
    while _runs(group) and time.monotonic() < deadline:
        time.sleep(0.02)

    assert not _runs(group)


@pytest.mark.processes
def test_a_group_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    lines: list[str] = []
    reaper = Reaper()
    script = "trap '' TERM; echo ready; while true; do sleep 0.05; done"
    group = Group(["sh", "-c", script], {"PATH": os.environ["PATH"]}, tmp_path, lines.append, reaper)
    deadline = time.monotonic() + 300
    while not lines and time.monotonic() < deadline:
        time.sleep(0.01)

    group.end(0.2)

    assert group.wait(300) == -9
    reaper.close()
