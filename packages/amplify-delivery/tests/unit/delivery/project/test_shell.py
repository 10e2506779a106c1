"""A step's shell: strict, bounded, and silent about secrets."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.delivery.project import shell
from aws_rehearsal_tests.clock import replace_for

pytestmark = pytest.mark.processes


def ran(*commands: str, seconds: float = 300, **options: Any) -> tuple[shell.Ended, list[str]]:
    lines: list[str] = []
    ended = shell.run(commands, options.pop("variables", {}), seconds, lines.append, **options)
    return ended, lines


def test_commands_share_one_shell_and_their_order() -> None:
    ended, lines = ran("word=hello", 'echo "$word $NAME"', "echo error >&2", variables={"NAME": "world"})
    assert (ended.code, ended.timed_out) == (0, False)
    assert lines == ["hello world", "error"]


@pytest.mark.parametrize(
    ("commands", "code"),
    [(("false", "echo reached"), 1), (("exit 7",), 7), (('echo "$NOT_SET"', "echo reached"), 2), (("kill -9 $$",), -9)],
)
def test_the_first_failure_ends_it(commands: tuple[str, ...], code: int) -> None:
    ended, lines = ran(*commands)
    assert ended.code == code
    assert "reached" not in lines


def test_the_last_lines_are_kept() -> None:
    ended, lines = ran("i=0", "while [ $i -lt 50 ]; do echo $i; i=$((i+1)); done")
    assert len(lines) == 50
    assert ended.last_lines == tuple(str(i) for i in range(50 - shell.LAST_LINES, 50))


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that a shell makes: its time is over then, and not before."""
    file = tmp_path / "ready"

    class Over(subprocess.Popen[str]):
        def wait(self, timeout: float | None = None) -> int:
            if timeout is None:
                return super().wait()
            while not file.exists():
                time.sleep(0.01)
            raise subprocess.TimeoutExpired("sh", timeout)

    replace_for(monkeypatch, shell, subprocess, Popen=Over)
    return file


def test_after_its_time_the_whole_group_is_ended(ready: Path, tmp_path: Path) -> None:
    ended, _ = ran(f"sleep 600 & echo $! > {tmp_path}/child; touch {ready}", "wait")
    assert ended.timed_out
    assert gone(int((tmp_path / "child").read_text()))


def test_what_has_time_left_is_waited_for_and_what_has_none_is_not() -> None:
    assert not ran("sleep 0.1")[0].timed_out
    assert ran("sleep 600", seconds=0.1)[0].timed_out


def test_what_ignores_the_polite_signal_is_killed(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "GRACE", 0.3)
    ended, _ = ran("trap '' TERM", f"touch {ready}", "while :; do sleep 0.1; done")
    assert (ended.timed_out, ended.code) == (True, -9)


def test_what_gets_the_polite_signal_may_clean_up(ready: Path) -> None:
    _, lines = ran("trap 'echo cleaned; exit 3' TERM", f"touch {ready}", "sleep 600 & wait")
    assert lines == ["cleaned"]


def test_what_is_left_in_the_background_ends_with_it(tmp_path: Path) -> None:
    ended, _ = ran(f"sleep 600 & echo $! > {tmp_path}/child")
    assert (ended.code, ended.timed_out) == (0, False)
    assert gone(int((tmp_path / "child").read_text()))


def gone(pid: int) -> bool:
    """Whether a process has ended, or soon ends. One that waits for being reaped has ended."""
    end = time.monotonic() + 300
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False


def test_a_secret_reaches_the_process_and_nobody_else() -> None:
    secret = 'p"ss wörd'
    ended, lines = ran(
        'echo "it is $TOKEN!"', 'test ${#TOKEN} -ge 9', 'echo "$TOKEN" >&2', "exit 1",
        variables={"TOKEN": secret}, secrets=shell.hidden([secret]),
    )  # fmt: skip
    assert lines == ["it is ***!", "***"]
    assert ended.last_lines == ("it is ***!", "***")


@pytest.mark.parametrize(
    ("values", "text", "shown"),
    [
        (["key"], "a key, a keyhole", "a ***, a ***hole"),
        (["abcd", "cdef"], "xabcdefx", "x***x"),
        (["aba"], "ababa", "***"),
        (["one\ntwo"], "two, one", "***, ***"),
        (['say "x"'], '{"a": "say \\"x\\""}', '{"a": "***"}'),
        ([{"user": "u1", "keys": ["k1", 42]}], "u1 k1 42 user", "*** *** *** user"),
        (["", "  ", None, True], "true None", "true None"),
        ([], "nothing", "nothing"),
    ],
)
def test_values_of_secrets_are_masked_in_what_a_step_prints(values: list[Any], text: str, shown: str) -> None:
    assert shell.masked(text, shell.hidden(values)) == shown
