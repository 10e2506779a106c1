"""A registry of container images on this machine, and a way to it that breaks."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.setup.registry import ensure_crane


def crane(*arguments: str) -> str:
    """What crane, another client than ours, says."""
    command = [str(ensure_crane(Progress())), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@contextlib.contextmanager
def registry(folder: Path) -> Iterator[str]:
    """The address of a running registry, `127.0.0.1:PORT`, which keeps its blobs in `folder`."""
    folder.mkdir()
    command = [str(ensure_crane(Progress())), "registry", "serve", "--address", "127.0.0.1:0", "--disk", str(folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            found = next(filter(None, (re.search(r"serving on port (\d+)", line) for line in process.stderr)))
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield f"127.0.0.1:{found[1]}"
        finally:
            process.kill()


class Cutting:
    """A way to `server` that breaks off, so many `times`, as soon as `after` bytes have been sent on a connection."""

    def __init__(self, server: str, after: int, times: int) -> None:
        self._server, self._after, self.times = server, after, times
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.cut = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        host, _, port = self._server.partition(":")
        with contextlib.suppress(OSError), client, socket.create_connection((host, int(port))) as server:
            threading.Thread(target=self._copy, args=(server, client), daemon=True).start()
            sent = 0
            while data := client.recv(65536):
                sent += len(data)
                if sent > self._after and self.cut < self.times:
                    self.cut += 1
                    for side in (client, server):
                        side.shutdown(socket.SHUT_RDWR)
                    return
                server.sendall(data)

    @staticmethod
    def _copy(server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)


def big(size: int) -> str:
    """Text that hardly gets smaller when it is compressed."""
    return os.urandom(size // 2).hex()
