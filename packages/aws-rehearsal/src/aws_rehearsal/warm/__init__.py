"""Plugins that start warm: one process has loaded what they need, and forks for each start.

In each operation the engine starts every plugin again, some twice, and a program's run on top: two seconds of processor
time for imports alone. The launchers that `pulumi_home` lays out ask the server at the home's socket first. It answers
with a child that has the caller's files, folder, environment and arguments, and is otherwise as after the same start in
an interpreter of its own. Where nobody answers, that start follows: a home works with and without a server.

    engine -> launcher (client.py, or launcher/main.go) == socket ==> server (server.py) -- fork --> plugin (child.py)

The launcher's process stands for the plugin: signals to it reach the plugin, it exits as the plugin does, and when it
is gone, so is the plugin. Nothing outlives the server, which ends with the process that started it.
"""

from __future__ import annotations

from pathlib import Path

SOCKET = "warm"
"""The server's socket in a Pulumi home; only reached by this relative name, since an address has room for 100 bytes."""

CLIENT = Path(__file__).resolve().with_name("client.py")
IMAGE = CLIENT.with_name("image")
"""The folder for a PYTHONPATH with which commands start warm too (`commands.py`)."""


def launch(python: Path, home: Path, binary: Path | None = None) -> list[str]:
    """What starts a plugin: the code, which `python` runs, and its arguments follow. `binary` is the launcher that
    needs no interpreter (`setup.launcher`), if there is one."""
    if binary:
        return [str(binary), str(CLIENT), str(python.absolute()), str(home)]
    return [str(python.absolute()), "-I", "-S", str(CLIENT), str(home)]


forked_in: list[Path] = []
"""In a process that a server has forked: the folder with that server's socket."""
