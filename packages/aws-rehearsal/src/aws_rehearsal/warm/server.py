"""The process that has everything loaded: takes requests at the home's socket and forks a child for each.

It never waits for one client, has one thread, and makes no gRPC object: gRPC asks that nothing of it is initialised
before a fork (grpc/doc/fork_support.md). It ends when its standard input does, its children with it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from aws_rehearsal.warm import SOCKET, forked_in
from aws_rehearsal.warm.child import become
from aws_rehearsal.warm.request import FILES, Reader, Request

_PIECE = 1 << 16
FORKS_WORTH_IT = 32
"""So many forks have cost what it takes to move the memory into huge pages: who forks less does not do it."""
_PASSED_ON = (signal.SIGINT, signal.SIGTERM)


def main(load: Callable[[], None]) -> None:
    """The executable: serves in the folder it is started in what is forked after `load` has loaded it ahead."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    address = Path(SOCKET)
    address.unlink(missing_ok=True)
    listener.bind(SOCKET)
    address.chmod(0o600)
    listener.listen(128)
    print(flush=True)  # who started this waits for the line
    os.dup2(2, 1)
    base = sys.path[:-1]  # without the checkout, which the code of each start adds itself
    gc.disable()  # a collection writes into every object, and so into memory that is to be shared
    load()
    gc.freeze()  # with 14,000 objects of 350,000 that could be collected: to look for them takes a third of a second
    server = Server(listener, base)
    try:
        server.serve()
    finally:
        server.close()
        address.unlink(missing_ok=True)


class Start:
    """One client: its request, as far as it has come, then the child that was forked for it."""

    def __init__(self, line: socket.socket) -> None:
        self.line, self.reader, self.pid = line, Reader(), 0

    def signal(self, number: int) -> None:
        """To all its processes, as the engine does: a language host's program is interrupted with it."""
        with contextlib.suppress(OSError):  # it has ended, but for the news of it
            os.setpgid(self.pid, self.pid)  # it does that itself, perhaps in a moment
        with contextlib.suppress(OSError):
            os.killpg(self.pid, number)

    def close(self) -> None:
        self.reader.close()
        self.line.close()


class Server:
    """`base` is `sys.path` as an interpreter without PYTHONPATH has it."""

    def __init__(self, listener: socket.socket, base: list[str]) -> None:
        self._listener, self._base = listener, base
        self._starts: dict[socket.socket, Start] = {}
        self._forks = 0
        # Not epoll, whose state a child would share.
        self._selector = selectors.PollSelector()
        self._ended, wake = socket.socketpair()
        self._wake = wake
        for end in (listener, self._ended, wake):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        for file in (0, listener, self._ended):
            self._selector.register(file, selectors.EVENT_READ)

    def serve(self) -> None:
        """Until standard input ends."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == 0:
                    return
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is self._ended:
                    self._reap()
                elif key.fileobj in self._starts:  # not if it was dropped a moment ago
                    self._hear(self._starts[key.fileobj])

    def close(self) -> None:
        """End every child; their runners and programs end with them."""
        children = [start for start in self._starts.values() if start.pid]
        for child in children:
            child.signal(signal.SIGKILL)
        for child in children:
            os.waitpid(child.pid, 0)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it has gone again
            line, _ = self._listener.accept()
            line.setblocking(False)
            self._starts[line] = Start(line)
            self._selector.register(line, selectors.EVENT_READ)

    def _hear(self, start: Start) -> None:
        try:
            piece, files, _, _ = socket.recv_fds(start.line, _PIECE, 0 if start.pid else FILES)
        except BlockingIOError:
            return
        except OSError:
            piece, files = b"", []
        if start.pid:
            self._pass_on(start, piece)
            return
        try:
            request = start.reader.feed(piece, files)
            if request is not None and request.can_be_warm(self._base):
                self._fork(start, request)
            elif request is not None or not piece:
                self._drop(start)  # the client, if it is still there, starts the plugin itself
        except (OSError, ValueError):
            self._drop(start)

    def _pass_on(self, start: Start, numbers: bytes) -> None:
        """Signals that the client got, to the plugin with all its processes; the client's end is the plugin's."""
        for number in numbers:
            if number in _PASSED_ON:
                start.signal(number)
        if not numbers:
            start.signal(signal.SIGKILL)
            self._selector.unregister(start.line)  # `_reap` drops it

    def _fork(self, start: Start, request: Request) -> None:
        """Raises OSError where there is no room for another process."""
        self._forks += 1
        if self._forks == FORKS_WORTH_IT:
            from aws_rehearsal.warm.huge_pages import collapse

            collapse()
        pid = os.fork()
        if pid == 0:
            try:
                self._become(start, request)
            finally:
                os._exit(1)  # nothing may return into the code of the server
        start.pid = pid
        start.reader.close()
        with contextlib.suppress(OSError):  # it has gone: its end comes next
            start.line.send(b"+")

    def _become(self, start: Start, request: Request) -> NoReturn:
        """In the child: nothing of the server stays open."""
        files, start.reader.files = start.reader.files, []
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in self._starts.values():
            each.close()
        for end in (self._listener, self._ended, self._wake):
            end.close()
        forked_in.append(Path.cwd())
        become(request, files, self._base)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._ended.recv(_PIECE):
                pass
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    break
                start = next(start for start in self._starts.values() if start.pid == pid)
                with contextlib.suppress(OSError):
                    start.line.send(str(os.waitstatus_to_exitcode(status)).encode())
                self._drop(start)

    def _drop(self, start: Start) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(start.line)
        del self._starts[start.line]
        start.close()
