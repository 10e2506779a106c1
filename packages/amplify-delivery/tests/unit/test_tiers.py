"""The fast tier starts no process; what does is marked by itself or by hand."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
from collections.abc import Callable

import pytest

from aws_rehearsal.local_aws import LocalAws


def test_what_asks_for_the_local_aws_is_marked_by_itself(local_aws: LocalAws, request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("processes")


def test_what_asks_for_nothing_is_of_the_fast_tier(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("processes") is None


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(lambda: subprocess.run([sys.executable, "-c", ""], check=True), id="a program"),
        pytest.param(lambda: asyncio.run(asyncio.create_subprocess_exec(sys.executable, "-c", "")), id="asyncio"),
        pytest.param(lambda: os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {}), id="posix_spawn"),
        pytest.param(os.fork, id="fork"),
        pytest.param(pty.fork, id="a terminal"),
    ],
)
def test_a_process_in_the_fast_tier_fails_its_test(begin: Callable[[], object]) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"give it `pytest\.mark\.processes`"):
        begin()


@pytest.mark.processes
def test_a_process_that_is_marked_is_let_through() -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)
