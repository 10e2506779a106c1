"""What .ci/run leaves out, and how it says so: commands of the machine only write down how they are called."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from functional.report.browsers import EXCUSED, NAMES

RUN = Path(__file__).resolve().parents[2] / ".ci" / "run"
TARGETS = ["make test", "make rehearse", "make rehearse-ci"]
STRICT = "strict=true"

pytestmark = pytest.mark.processes


class Machine:
    """Whose commands are those in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder / "bin", folder / "log"
        self.folder.mkdir()
        for name in ("bash", "dirname", "env"):
            found = shutil.which(name)
            assert found
            (self.folder / name).symlink_to(found)
        self.has("make", f'echo "make $1 strict=$AMPLIFY_DELIVERY_TESTS_IN_CI excused=${EXCUSED}" >> {self.log}')
        self.has("id", "echo 0")

    def has(self, name: str, script: str) -> None:
        file = self.folder / name
        file.write_text(f"#!/bin/bash\n{script}\n")
        file.chmod(0o755)

    def run(self, **variables: str) -> tuple[list[str], subprocess.CompletedProcess[str]]:
        """How `make` was called, and what was said."""
        self.log.write_text("")
        environment = {"PATH": str(self.folder), **variables}
        ran = subprocess.run([RUN], env=environment, capture_output=True, text=True, check=False)
        return self.log.read_text().splitlines(), ran


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("browser", NAMES)
def test_where_a_browser_is_there_everything_is_tested(machine: Machine, browser: str) -> None:
    machine.has(browser, "")
    made, ran = machine.run()
    assert made == [f"{target} {STRICT} excused=" for target in TARGETS]
    assert (ran.returncode, ran.stderr) == (0, "")


def test_where_there_is_none_debians_is_installed(machine: Machine) -> None:
    machine.has("apt-get", f'echo "apt-get $1" >> {machine.log}')
    made, ran = machine.run()
    assert made == ["apt-get update", "apt-get install", *(f"{target} {STRICT} excused=" for target in TARGETS)]
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "script", "said"),
    [
        ("apt-get", "exit 100", "Debian's could not be installed"),
        ("id", "echo 1000", "only root on a Debian can install one"),
    ],
)
def test_a_machine_that_can_have_none_says_so_at_the_end_and_a_ci_fails(
    machine: Machine, name: str, script: str, said: str
) -> None:
    machine.has(name, script)
    made, ran = machine.run()
    assert [line.partition(" excused=")[0] for line in made] == [f"{target} {STRICT}" for target in TARGETS]
    assert all(said in line for line in made)
    assert ran.returncode == 0
    assert ran.stderr.splitlines()[-1].startswith("NOT TESTED, pages in a browser: no Chromium on PATH")
    assert said in ran.stderr
    made, ran = machine.run(CI="true")
    assert made == [f"{target} {STRICT} excused=" for target in TARGETS]
    assert "tests of pages fail" in ran.stderr


def test_what_fails_ends_it(machine: Machine) -> None:
    machine.has(NAMES[0], "")
    machine.has("make", "exit 2")
    assert machine.run()[1].returncode == os.EX_OK + 2
