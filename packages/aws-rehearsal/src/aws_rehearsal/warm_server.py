"""Start the process from which a Pulumi home's plugins are forked (`aws_rehearsal.warm`), with all of them loaded ahead
(`aws_rehearsal.preload`)."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from aws_rehearsal.warm import SOCKET


class WarmServer:
    """Starts plugins for a Pulumi home until it is stopped, or the process that started it has ended."""

    def __init__(self, home: Path, process: subprocess.Popen[str] | None) -> None:
        self._socket, self._process = home.resolve() / SOCKET, process

    @property
    def pid(self) -> int | None:
        """The server's process, None where plugins are always started cold."""
        return None if self._process is None else self._process.pid

    def lend(self, home: Path) -> None:
        """Have it start the plugins of another home too. Nothing of a home is known to the server."""
        link = home.resolve() / SOCKET
        link.unlink(missing_ok=True)
        link.symlink_to(self._socket)

    def stop(self) -> None:
        """End it, and with it every plugin that it has started."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()  # the server ends at the end of its input, however it comes
            self._process.wait()

    def __enter__(self) -> WarmServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(home: Path, python: Path, also: Sequence[str] = ()) -> WarmServer:
    """A server for a home that has been prepared with the same `python`. `also` are packages that
    programs or commands of this home import besides Pulumi's own: all of their modules are loaded ahead. Beside them
    may stand `MODULE:FUNCTION` of such a package, which is called: for what it makes once, and then keeps.

    Returns as soon as plugins can be asked for; who asks before everything is loaded waits for that. What the server
    has to say is in the home's `warm.log`.
    """
    if sys.platform == "darwin":
        # Apple's frameworks (the proxy settings, for one) may end a process that was forked without a new image.
        return WarmServer(home, None)
    root = str(home.resolve() / "modules")  # `pulumi_home.MODULES`
    code = f"import sys; sys.path.append({root!r}); from aws_rehearsal.preload import preload; "
    code += f"from aws_rehearsal.warm.server import main; main(lambda: preload({list(also)!r}))"
    with (home / "warm.log").open("a") as log:
        process = subprocess.Popen(
            [str(python.absolute()), "-P", "-c", code],
            cwd=home,
            env=_environment(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # an interrupt at the terminal is for the engine, which then ends its plugins
        )
    if process.stdout is not None:
        process.stdout.readline()
        process.stdout.close()
    return WarmServer(home, process)


def _environment(home: Path) -> dict[str, str]:
    """What modules may see while they are loaded: nothing of whoever rehearses, no credentials, no configuration."""
    kept = {name: value for name, value in os.environ.items() if name == "LANG" or name.startswith("LC_")}
    return {**kept, "PATH": os.defpath, "HOME": str(home)}
