"""What tables look like: whole names, in a pipe and on a terminal of any width."""

from __future__ import annotations

import errno
import io
import os
import pty
import subprocess
import sys
from typing import TextIO, cast

import pytest

from amplify_delivery.delivery import output
from amplify_delivery.export import assemble, compare, read_export
from unit.command_line import ROOT, delivery, export

pytestmark = pytest.mark.processes

OLD, NEW = export("todo-series/v2"), export("todo-series/v3")


def on_a_terminal(*arguments: object, columns: int) -> list[str]:
    """The lines that a command shows on a terminal of that width."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": str(columns)}
    command = [sys.executable, "-m", "amplify_delivery", *map(str, arguments)]
    with subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:
            pass  # the other end was closed
        finally:
            os.close(ours)
    assert process.returncode == 0
    return shown.decode().splitlines()


@pytest.mark.processes
def test_on_80_columns_every_resource_is_named_whole_below_its_stack() -> None:
    lines = on_a_terminal("compare", OLD, NEW, columns=80)
    too_long = [line for line in lines if len(line) > 80]
    assert all(len(line.split()) <= 2 for line in too_long)  # a name that is longer than that, alone with its mark
    stack, named = "", set()
    for line in lines:
        words = line.split()
        if line.endswith("/") and len(words) == 1:
            stack = line.strip()
        elif words[:1] and words[0] in "+~-" and line.startswith("  "):
            named.add(f"{stack}{words[1]}")
    touched = {"/".join(r.path) for r in compare(assemble(read_export(OLD)), assemble(read_export(NEW))).resources}
    assert touched == named
    text = " ".join(" ".join(lines).split())
    assert "…" not in text
    assert "AWS::AppSync::FunctionConfiguration" in text


@pytest.mark.processes
def test_a_wide_terminal_shows_what_a_pipe_gets() -> None:
    piped = delivery("compare", OLD, NEW).out.splitlines()
    assert on_a_terminal("compare", OLD, NEW, columns=400) == piped


@pytest.mark.parametrize("width", [20, 40, 80])
def test_no_word_is_broken_however_narrow_it_is(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    name, url = "outputs.apimyapp.GraphQLAPIEndpointOutput", "https://abcdefghijkl.appsync-api.eu-west-1.amazonaws.com/"
    sentence = "a sentence of some length, which says what is to be done"
    output.table(("output", "value"), [(name, url), ("why", sentence)])
    shown = capsys.readouterr().out
    assert name in shown
    assert url in shown
    last = shown.split("why")[1]
    assert last.split() == sentence.split()
    assert all(len(line) <= width for line in last.splitlines())


class Broken(io.StringIO):
    """A stream whose reader has gone, or whose disk is full."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, _: str) -> int:
        raise OSError(self.number, "gone")


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EIO])
def test_a_command_goes_on_when_nobody_reads_it(number: int) -> None:
    outlet = output.Outlet(Broken(number))
    assert not outlet.gone
    print("a line", file=cast("TextIO", outlet))
    assert outlet.gone


def test_a_full_disk_is_no_reader_that_has_gone() -> None:
    with pytest.raises(OSError, match="gone"):
        print("a line", file=cast("TextIO", output.Outlet(Broken(errno.ENOSPC))))
