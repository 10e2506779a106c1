"""Pulumi homes for tests: laid out as a rehearsal's, their plugins started warm by one server per test process."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from aws_rehearsal import warm
from aws_rehearsal.pulumi_home import prepare
from aws_rehearsal.setup import tools


def cold_home(folder: Path) -> dict[str, str]:
    """The environment of a home laid out in `folder`. Each start of a plugin is an interpreter's."""
    found = tools()
    return prepare(folder, found.python, found.engine_root)


def warm_home(folder: Path) -> dict[str, str]:
    """The environment of a home laid out in `folder`, with a server for its plugins."""
    environment = cold_home(folder)
    server().lend(folder)
    return environment


@functools.cache
def server() -> warm.WarmServer:
    """Started when it is first asked for; ends with the test process."""
    folder = Path(tempfile.mkdtemp(prefix="amplify-delivery-warm-"))
    started = warm.start(folder, tools().python)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(started.stop)
    return started
