"""Byte code for a checkout's first run of the tests: each process of pytest-xdist would compile all of it by itself.

pytest rewrites the assertions of whatever it collects, five seconds of processor time for all tests, and each of the
processes begins with all of them. Here each makes its share; what another has not made yet by then, pytest makes.
"""

from __future__ import annotations

import compileall
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.assertion import rewrite
from _pytest.assertion.rewrite import assertstate_key


def compile_share(config: pytest.Config, packages: Path) -> None:
    """What this process compiles, if it is one of several that collect a whole folder of tests."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    tests = sorted(_collected(config), key=lambda path: (-path.stat().st_size, path))
    if count < 2 or not tests or sys.dont_write_bytecode:
        return
    mine = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    plain = sorted(path for folder in packages.glob("*/src") for path in folder.rglob("*.py"))
    for path in plain[mine::count]:
        compileall.compile_file(path, quiet=2)
    for path in tests[mine::count]:
        _rewrite(config, path)


def _collected(config: pytest.Config) -> Iterator[Path]:
    for argument in config.args:
        folder = config.invocation_params.dir / argument
        if folder.is_dir():
            yield from folder.rglob("test_*.py")


def _rewrite(config: pytest.Config, path: Path) -> None:
    """Writes what pytest's hook for imports would; a file that cannot be compiled is its to tell."""
    state = config.stash[assertstate_key]
    folder = rewrite.get_cache_dir(path)
    compiled = folder / f"{path.stem}{rewrite.PYC_TAIL}"
    if rewrite._read_pyc(path, compiled, state.trace) is None and rewrite.try_makedirs(folder):
        try:
            stat, code = rewrite._rewrite_test(path, config)
        except (SyntaxError, ValueError):
            return
        rewrite._write_pyc(state, code, stat, compiled)
