"""A process that a server has forked has it fork another: from the server's memory, which is whole, in huge pages.

A fork of its own would copy the table of all that it has written to since, and could not be made once it has threads.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from aws_rehearsal.warm import SOCKET
from aws_rehearsal.warm.request import Request


class Fork:
    """Code that runs with this process's files, folder and environment, and ends with it at the latest."""

    def __init__(self, server: Path, request: Request) -> None:
        """`server` is the folder with the server's socket. Raises OSError where it does not start the code."""
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        folder, here = os.open(server, os.O_RDONLY), os.open(".", os.O_RDONLY)
        try:
            # The folder's own name may be longer than an address, and another thread may be in need of this one's.
            self._line.connect(f"/proc/self/fd/{folder}/{SOCKET}")
            content = request.written()
            sent = socket.send_fds(self._line, [content], [0, 1, 2, here])
            self._line.sendall(content[sent:])
            if self._line.recv(1) != b"+":
                raise ConnectionRefusedError("the server has not started it")
        except OSError:
            self._line.close()
            raise
        finally:
            os.close(folder)
            os.close(here)

    def wait(self) -> int:
        """Its exit code; negative for the signal that ended it, 1 if the server has gone."""
        answer = b""
        with self._line:
            while received := self._line.recv(16):
                answer += received
        return int(answer or b"1")
