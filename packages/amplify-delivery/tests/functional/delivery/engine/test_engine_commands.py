"""Which commands of the real engine a step costs, and that nothing is lost by asking for less."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import CommandResult
from pulumi.automation.errors import create_command_error

from amplify_delivery.delivery.engine import automation_api
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.pulumi_command import Command, Line
from amplify_delivery.delivery.engine.stack_outputs import Output
from amplify_delivery.errors import DeployError, SetupError, StateError
from amplify_delivery.stacks.programs import UNHEARD_VARIABLE
from aws_rehearsal.local_aws import LocalAws, random_account
from aws_rehearsal_tests import pulumi_homes
from aws_rehearsal_tests.clock import Clock
from aws_rehearsal_tests.conftest import project, pulumi_home
from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.pulumi_project import PulumiProject

__all__ = ["project", "pulumi_home"]

pytestmark = pytest.mark.engine

PLAIN = {"name": "x", "deep": {"list": [1, "two", None, True], "text": "é"}}
PROGRAM = f"""
    for name, value in {PLAIN!r}.items():
        pulumi.export(name, value)
"""
TWO = """
    pulumi.Stash("one", input=1)
    pulumi.Stash("two", input=2, opts=pulumi.ResourceOptions(protect=True))
"""


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was run of `pulumi`, the first two words of each."""
    ran: list[list[str]] = []
    run = Command.run

    def noted(self: Command, args: list[str], *more: Any) -> CommandResult:
        ran.append(args[:2] if args[0] == "stack" else args[:1])
        return run(self, args, *more)

    monkeypatch.setattr(Command, "run", noted)
    return ran


@pytest.fixture(scope="module")
def deployed(
    pulumi_home: dict[str, str], local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory
) -> tuple[PulumiProject, bytes]:
    """A project with two resources, and its state after the update that has made them."""
    account = random_account()
    developer = LocalAccount(local_aws, account, local_aws.make_admin(account))
    project = PulumiProject.make(tmp_path_factory.mktemp("two"), pulumi_home, developer).init()
    project.program(TWO)
    project.up()
    return project, state_file(project).read_bytes()


@pytest.fixture
def two(deployed: tuple[PulumiProject, bytes]) -> PulumiProject:
    """The project with both resources, whatever a test before has destroyed: they are in its state alone."""
    project, state = deployed
    state_file(project).write_bytes(state)
    return project


def state_file(project: PulumiProject) -> Path:
    return project.folder / "state" / ".pulumi" / "stacks" / "small" / "dev.json"


on_two = pytest.mark.xdist_group("two")
"""On the tests that share that project: one process runs them all."""


def engine_of(project: PulumiProject, monkeypatch: pytest.MonkeyPatch, line: Line = lambda _: None) -> Engine:
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    return Engine("dev", project.folder, line)


def test_an_update_is_one_command_and_has_told_its_outputs(
    project: PulumiProject, monkeypatch: pytest.MonkeyPatch, commands: list[list[str]]
) -> None:
    project.init().program(PROGRAM)
    engine = engine_of(project, monkeypatch)
    engine.up()
    told = engine.outputs()
    assert commands == [["up"]]
    assert told == Engine("dev", project.folder, lambda _: None).outputs()
    assert {name: o.value for name, o in told.items()} == PLAIN


def test_a_preview_has_told_the_outputs_that_the_stack_has(
    project: PulumiProject, monkeypatch: pytest.MonkeyPatch, commands: list[list[str]]
) -> None:
    """Those of now, not those that the program would have: a release that changes nothing asks no more."""
    project.init().program(PROGRAM)
    engine_of(project, monkeypatch).up()
    commands.clear()
    project.program('    pulumi.export("name", "another")\n')
    engine = Engine("dev", project.folder, lambda _: None)
    engine.preview()
    assert {name: o.value for name, o in engine.outputs().items()} == PLAIN
    assert commands == [["preview"]]


def test_secret_outputs_are_asked_for(project: PulumiProject, monkeypatch: pytest.MonkeyPatch) -> None:
    project.init().program(PROGRAM + '    pulumi.export("key", pulumi.Output.secret({"inner": "hush"}))\n')
    engine = engine_of(project, monkeypatch)
    watch = engine.up()
    assert "hush" not in str(watch.outputs)
    assert engine.outputs()["key"] == Output({"inner": "hush"}, secret=True)
    assert engine.outputs()["name"] == Output("x", secret=False)
    assert "hush" not in str(engine.state())
    previewed = Engine("dev", project.folder, lambda _: None)
    previewed.preview()
    assert previewed.outputs()["key"] == Output({"inner": "hush"}, secret=True)


WRITING = (
    "error: list bucket: blob (code=NotFound): lstat /state/.pulumi/stacks/app/other.json.18ec.tmp: no such file",
    "error: EOF",
)
"""What the engine says of files that another one writes beside it: seen at 67 of 500 accounts, four at a time."""


@pytest.mark.parametrize(("times", "listed"), [(len(WRITING), True), (99, False)])
def test_stacks_are_listed_while_another_engine_writes(
    times: int, listed: bool, project: PulumiProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.init()
    engine, run, left = engine_of(project, monkeypatch), Command.run, [*WRITING * times][:times]

    def writing(self: Command, args: list[str], *more: Any) -> CommandResult:
        if args[:2] == ["stack", "ls"] and left:
            raise create_command_error(CommandResult(stdout="", stderr=left.pop(), code=255))
        return run(self, args, *more)

    monkeypatch.setattr(Command, "run", writing)
    Clock(monkeypatch, automation_api)
    if listed:
        assert [name for name, _ in engine.stacks()] == ["dev"]
        return
    with pytest.raises(StateError, match="beside its state"):
        engine.stacks()
    assert len(left) < times


def test_a_state_is_read_without_a_start_of_the_engine_and_is_what_the_engine_prints(
    project: PulumiProject, monkeypatch: pytest.MonkeyPatch, commands: list[list[str]]
) -> None:
    def exported() -> Any:
        return json.loads(project.pulumi("stack", "export").stdout)

    project.init()
    engine = engine_of(project, monkeypatch)
    assert engine.state() == (exported()["deployment"] or {})
    assert not engine.succeeded()
    project.program(
        TWO + '    pulumi.export("key", pulumi.Output.secret("hush"))\n    pulumi.export("n", 0.1 + 1e20)\n'
    )
    assert project.pulumi("up", "--yes", "--skip-preview").returncode == 0
    assert engine.state() == exported()["deployment"]
    assert sorted(resources_of(engine)[-2:]) == ["one", "two"]
    assert engine.succeeded()
    assert (engine.exists(), Engine("de", project.folder, lambda _: None).exists()) == (True, False)
    project.program("    raise SystemExit(1)\n")
    assert project.pulumi("up", "--yes", "--skip-preview").returncode != 0
    assert engine.state() == exported()["deployment"]
    assert not engine.succeeded()
    assert commands == []


def test_a_state_that_only_the_engine_can_read_is_asked_of_it(
    project: PulumiProject, monkeypatch: pytest.MonkeyPatch, commands: list[list[str]]
) -> None:
    project.init().program(PROGRAM)
    engine = engine_of(project, monkeypatch)
    monkeypatch.setenv("PULUMI_DIY_BACKEND_GZIP", "true")
    engine.up()
    assert list((project.folder / "state").rglob("dev.json.gz"))
    commands.clear()
    assert resources_of(engine) == ["small-dev"]
    assert engine.succeeded()
    assert commands == [["stack", "export"], ["stack", "history"]]


def test_a_program_hears_that_nobody_asked_for_its_debug_messages(
    project: PulumiProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine drops them then: what is left out is not missed."""
    project.init().program(f"""
    import os
    pulumi.log.debug("whispered")
    pulumi.export("unheard", os.environ.get("{UNHEARD_VARIABLE}") or "no")
""")
    engine = engine_of(project, monkeypatch)
    engine.up()
    assert engine.outputs()["unheard"].value == "true"
    plain = [project.pulumi("up", "--yes", "--skip-preview", *options).stdout for options in ((), ("--debug",))]
    assert ["whispered" in said for said in plain] == [False, True]
    assert engine.state()["resources"][0]["outputs"]["unheard"] == "no"
    monkeypatch.setenv("PULUMI_OPTION_DEBUG", "true")
    engine.up()
    assert engine.outputs()["unheard"].value == "no"


def test_an_engine_that_the_sdk_does_not_work_with_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "bin" / "pulumi"
    old.parent.mkdir()
    old.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo v2.0.0 || touch {tmp_path}/ran\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}:/usr/bin:/bin")
    (tmp_path / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    with pytest.raises(SetupError, match=r"(?s)`pulumi version` failed.*2\.0\.0"):
        Engine("dev", tmp_path, lambda _: None).up()
    assert not (tmp_path / "ran").exists()


def test_no_engine_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    (tmp_path / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    with pytest.raises(SetupError, match="no `pulumi` on PATH"):
        Engine("dev", tmp_path, lambda _: None)


def resources_of(engine: Engine) -> list[str]:
    return [str(r["urn"]).rpartition("::")[2] for r in engine.resources()]


@on_two
def test_what_is_done_before_a_destroy_is_done_under_the_engines_lock(
    two: PulumiProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody gets in between: neither another command of ours, nor plain `pulumi`."""
    engine = engine_of(two, monkeypatch)
    seen: list[str] = []

    def before(stopped: threading.Event) -> None:
        assert not stopped.is_set()
        seen.extend(resources_of(engine))
        plain = two.pulumi("up", "--yes", "--skip-preview")
        assert plain.returncode != 0
        assert "currently locked by 1 lock(s)" in plain.stdout
        with pytest.raises(StateError, match="another update of this stack is running"):
            Engine("dev", two.folder, lambda _: None).destroy()

    engine.destroy(before=before)
    assert seen
    assert resources_of(engine) == []


@on_two
def test_what_fails_before_a_destroy_leaves_everything(two: PulumiProject, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    engine = engine_of(two, monkeypatch, lines.append)
    there = resources_of(engine)

    def refuse(_: threading.Event) -> None:
        raise DeployError("it is in use")

    with pytest.raises(DeployError, match="it is in use"):
        engine.destroy(before=refuse)
    assert "Traceback" not in "\n".join(lines)
    assert resources_of(engine) == there
    engine.destroy(before=lambda _: None)
    assert resources_of(engine) == []


@on_two
def test_only_some_of_them_under_the_lock(two: PulumiProject, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of(two, monkeypatch)
    kept, gone = [r for r in engine.refresh() if str(r["type"]).endswith(":Stash")]
    called: list[bool] = []
    engine.destroy([str(gone["urn"])], before=lambda _: called.append(True))
    assert called == [True]
    left = {r["urn"] for r in engine.resources()}
    assert gone["urn"] not in left
    assert kept["urn"] in left
    engine.destroy(before=lambda _: called.append(True))
    assert called == [True, True]


DESTROY = """
import time
from pathlib import Path
from amplify_delivery.delivery.engine.engine import Engine

def before(stopped):
    print("begun", flush=True)
    stopped.wait(600)
    print("stopped", flush=True)
    time.sleep(1)
    print("ended", flush=True)

Engine("dev", Path.cwd(), lambda _: None).destroy(before=before)
"""


class Destroying:
    """A destroy in a process of its own, in the middle of what is done before."""

    def __init__(self, project: PulumiProject) -> None:
        self.locks = Path(project.environment["PULUMI_BACKEND_URL"].removeprefix("file://")) / ".pulumi" / "locks"
        self.process = subprocess.Popen(
            [sys.executable, "-c", DESTROY], cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=project.environment, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "begun\n"
        self.engine = int(subprocess.check_output(["pgrep", "-P", str(self.process.pid), "pulumi"], text=True))

    def locked(self) -> bool:
        return any(self.locks.rglob("*.json"))


@on_two
@pytest.mark.parametrize("killed", ["command", "engine", "both"])
def test_whoever_is_killed_nothing_is_destroyed_and_the_printed_command_takes_the_lock_away(
    two: PulumiProject, monkeypatch: pytest.MonkeyPatch, killed: str
) -> None:
    engine = engine_of(two, monkeypatch)
    there = resources_of(engine)
    destroying = Destroying(two)
    assert destroying.locked()
    if killed != "engine":
        destroying.process.kill()
    if killed != "command":
        os.kill(destroying.engine, signal.SIGKILL)
    said, _ = destroying.process.communicate()
    if killed == "engine":
        # Our command does not go on without the engine, and ends only when nothing is done any more.
        assert said.splitlines() == ["stopped", "ended"]
        assert destroying.process.returncode == 1
    wait_until_gone(destroying.engine)
    assert resources_of(engine) == there
    if destroying.locked():
        with pytest.raises(StateError, match="another update of this stack is running") as error:
            engine.destroy(before=lambda _: pytest.fail("it is locked"))
        assert "`amplify-delivery unlock dev`" in error.value.remedy
        command = pulumi_homes.delivery(two.environment, "unlock", "dev")
        ran = subprocess.run(command, cwd=two.folder, env=two.environment, text=True, capture_output=True, check=False)
        assert ran.stdout.splitlines()[-1] == "dev: it is free", (ran.stdout, ran.stderr)
    else:
        # Without its command the engine may find the time to give up cleanly.
        assert killed == "command"
    engine.destroy(before=lambda _: None)
    assert resources_of(engine) == []


def wait_until_gone(process: int) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the engine works on, without the command that has asked for it")


@on_two
def test_an_interrupt_ends_what_is_done_before_and_destroys_nothing(
    two: PulumiProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_of(two, monkeypatch)
    there = resources_of(engine)
    destroying = Destroying(two)
    destroying.process.send_signal(signal.SIGINT)
    said, _ = destroying.process.communicate()
    assert said.splitlines() == ["stopped", "ended"]
    assert destroying.process.returncode != 0
    assert not destroying.locked()
    assert resources_of(engine) == there
