"""Pulumi homes for tests: laid out as a rehearsal's, their plugins started warm by one server per test process."""

from __future__ import annotations

import atexit
import functools
import shlex
import shutil
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path

from amplify_delivery.stacks.programs import UNHEARD_VARIABLE
from amplify_delivery_rehearsal.workspace import COMMANDS, PRODUCT
from aws_rehearsal import warm, warm_server
from aws_rehearsal.pulumi_home import prepare
from aws_rehearsal.setup import tools
from aws_rehearsal.setup.launcher import built_launcher
from aws_rehearsal.warm.commands import warm_commands

SAVED_ONCE = {"PULUMI_SKIP_CHECKPOINTS": "true"}
"""For an engine that nobody kills: it saves its state at its end, and not after each of a hundred steps as well, which
is half of its processor time ("Skip saving state checkpoints and only save the final deployment": env.go of Pulumi)."""

UNHEARD = {UNHEARD_VARIABLE: "true"}
"""For plain `pulumi` without `--debug`, as commands set it: the engine drops each of the hundreds of messages that the
SDK sends it, and of an update that changes little a fifth is their processor time."""


HOLDS_LITTLE = {"GOGC": "off", "GOMEMLIMIT": "256MiB"}
"""For Go's processes that run programs of tests, which hold less than that: nothing is collected, which is a tenth of
the processor time of a start."""


def cold_home(folder: Path) -> dict[str, str]:
    """The environment of a home laid out in `folder`. Each start of a plugin is an interpreter's."""
    found = tools()
    return {**prepare(folder, found.python, found.engine_root), **HOLDS_LITTLE}


def warm_home(folder: Path) -> dict[str, str]:
    """The environment of a home laid out in `folder`, with a server for its plugins."""
    environment = cold_home(folder)
    server().lend(folder)
    return environment


_DELIVERY = """
from aws_rehearsal.warm.isolation import leave_no_trace; leave_no_trace()
import runpy, sys; sys.path.insert(0, "")
runpy.run_module("amplify_delivery", run_name="__main__", alter_sys=True)
"""


def delivery(environment: Mapping[str, str], *arguments: str) -> list[str]:
    """The command `python -m amplify_delivery ARGUMENTS`, for a home's environment.

    It is a fork of what the home's server has loaded, if there is one: half a second of each command is the imports of
    Pulumi's SDK and boto3. The tests of the command line itself start it as a person does.
    """
    python = tools().python
    home = Path(environment["PULUMI_HOME"])
    if not (home / warm.SOCKET).exists():
        return [str(python), "-m", "amplify_delivery", *arguments]
    return [*warm.launch(python, home, built_launcher()), _DELIVERY, *arguments]


def program(environment: Mapping[str, str], code: str) -> list[str]:
    """Python code that runs as `delivery` does: what it changes of our modules, its own process has alone."""
    launch = warm.launch(tools().python, Path(environment["PULUMI_HOME"]), built_launcher())
    return [*launch, f"from aws_rehearsal.warm.isolation import leave_no_trace; leave_no_trace()\n{code}"]


_PACKAGE = """
from aws_rehearsal.warm.isolation import leave_no_trace; leave_no_trace()
import sys
from amplify_delivery.stacks.packaged.host import main
sys.exit(main())
"""


def as_typed(folder: Path) -> dict[str, str]:
    """Variables with which commands start warm as they are typed, in a virtualenv with this Python's packages and an
    engine of its own. `folder` is that of a home."""
    folder.mkdir(parents=True, exist_ok=True)
    server().lend(folder)
    return {"PULUMI_HOME": str(folder), **warm_commands(tools().python, COMMANDS, sysconfig.get_path("purelib"))}


def on_path(folder: Path) -> None:
    """Put the command `amplify-delivery` into a folder that goes on PATH, for scripts: it starts warm as well."""
    _command(folder, "amplify-delivery", _DELIVERY)


def package(folder: Path) -> Path:
    """The plugin of the components as a Pulumi package, in a folder of its own: the engine starts it for each command,
    and each start is a second of imports."""
    return _command(folder, "pulumi-resource-amplify-delivery", _PACKAGE)


def _command(folder: Path, name: str, code: str) -> Path:
    """A program that starts warm."""
    folder.mkdir(parents=True, exist_ok=True)
    server().lend(folder)
    start = shlex.join([*warm.launch(tools().python, folder, built_launcher()), code])
    (folder / name).write_text(f'#!/bin/sh\nexec {start} "$@"\n')
    (folder / name).chmod(0o755)
    return folder / name


@functools.cache
def server() -> warm_server.WarmServer:
    """Started when it is first asked for; ends with the test process."""
    folder = Path(tempfile.mkdtemp(prefix="amplify-delivery-warm-"))
    started = warm_server.start(folder, tools().python, PRODUCT)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(started.stop)
    return started
