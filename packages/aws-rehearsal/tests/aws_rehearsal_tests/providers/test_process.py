"""The plugins as processes: started by the engine, gone with it, quiet."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aws_rehearsal import warm_server
from aws_rehearsal.pulumi_home import environment, prepare
from aws_rehearsal.setup import tools
from aws_rehearsal_tests.pulumi_project import PulumiProject

pytestmark = pytest.mark.engine

SLOW = """
    import time
    aws.s3.Bucket("one", bucket=f"one-{ACCOUNT}")
    aws.get_caller_identity()
    with open("writing", "w") as file:
        file.write(str(os.getpgid(0)))
    os.rename("writing", "reached")
    time.sleep(60)
"""


def processes(home: str) -> list[int]:
    """Processes whose environment says that they belong to this Pulumi home."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and f"PULUMI_HOME={home}".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def waited(condition: Callable[[], object], seconds: float = 300) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def alive(of: Callable[[int, int], bool]) -> list[int]:
    """Processes by their parent and group, without those that have ended and wait for somebody to notice."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit():
                state, parent, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
                if state != "Z" and of(int(parent), int(group)):
                    found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_a_large_program_comes_to_no_limit_of_memory(tmp_path: Path) -> None:
    given = environment(tmp_path)
    assert "GOMEMLIMIT" not in given
    assert given["GOGC"].isdecimal()


@pytest.fixture(params=["cold", "warm"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[warm_server.WarmServer | None]:
    """Who starts the plugins of `own_home`."""
    if request.param == "cold":
        yield None
        return
    (tmp_path / "home").mkdir()
    with warm_server.start(tmp_path / "home", tools().python) as started:
        yield started


@pytest.fixture
def own_home(project: PulumiProject, server: warm_server.WarmServer | None, tmp_path: Path) -> PulumiProject:
    """The project with a home of its own, so that its processes can be told from others."""
    found = tools()
    home = prepare(tmp_path / "home", found.python, found.engine_root)
    folder = tmp_path / "own"
    folder.mkdir()
    own = PulumiProject.make(folder, home, project.developer).init()
    own.program(SLOW)
    return own


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_the_engine(
    own_home: PulumiProject, server: warm_server.WarmServer | None, number: int
) -> None:
    home = own_home.home["PULUMI_HOME"]
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"]
    log = own_home.folder / "log"
    with log.open("w") as out:
        engine = subprocess.Popen(
            command, cwd=own_home.folder, env=own_home.environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        assert waited((own_home.folder / "reached").exists), log.read_text()
        # The engine, a plugin, the language host and its runner; or launchers in their place.
        assert len(processes(home)) >= 3
        host = int((own_home.folder / "reached").read_text())
        if server is None:
            assert len(alive(lambda parent, group: group == host)) >= 3  # and the program
        else:
            assert len(alive(lambda parent, group: group == host)) == 1  # the program, forked by the server as they are
            assert len(alive(lambda parent, group: parent == server.pid)) >= 3
    finally:
        os.kill(engine.pid, number)
        engine.wait()
    assert waited(lambda: not processes(home)), processes(home)
    assert waited(lambda: not alive(lambda parent, group: group == host))
    assert server is None or waited(lambda: not alive(lambda parent, group: parent == server.pid))
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("server", ["warm"], indirect=True)
def test_a_program_ends_with_a_server_that_is_killed(own_home: PulumiProject, server: warm_server.WarmServer) -> None:
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"]
    log = own_home.folder / "log"
    with log.open("w") as out:
        engine = subprocess.Popen(command, cwd=own_home.folder, env=own_home.environment, stdout=out, stderr=out)
    assert waited((own_home.folder / "reached").exists), log.read_text()
    program = int((own_home.folder / "reached").read_text())
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert waited(lambda: not alive(lambda parent, group: group == program))
    assert engine.wait() != 0


def test_a_home_is_laid_out_again_without_change(own_home: PulumiProject) -> None:
    home = Path(own_home.home["PULUMI_HOME"])
    found = tools()
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()}
    stale = home / "plugins" / "resource-aws-v6.0.0"
    stale.mkdir()
    (stale / "pulumi-resource-aws").touch()
    environment = prepare(home, found.python, found.engine_root)
    assert environment == {**own_home.home, "PULUMI_BACKEND_URL": (home / "state").as_uri()}
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()} == before
    assert not stale.exists()


def test_the_engine_writes_no_log_of_each_command_into_a_home(project: PulumiProject, tmp_path: Path) -> None:
    """It would, of all that it does, compressed and encrypted, and without a setting against it."""
    found = tools()
    home = prepare(tmp_path / "home", found.python, found.engine_root)
    shown = subprocess.run(
        ["pulumi", "preview", "--non-interactive"], cwd=project.init().folder, env=project.environment | home
        | {"PULUMI_BACKEND_URL": project.home["PULUMI_BACKEND_URL"]},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "log" not in shown.stdout + shown.stderr
    assert not list(tmp_path.rglob("*.log"))


def test_logs_that_a_home_has_stay(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "one.log").touch()
    found = tools()
    prepare(tmp_path, found.python, found.engine_root)
    assert (tmp_path / "logs" / "one.log").is_file()
