"""The launcher: has a warm server start the plugin and stands for it, or becomes the plugin itself.

    python -I -S client.py HOME CODE [arguments of the plugin ...]

A script of its own that imports next to nothing, because its start is paid for each time: 10 ms. `socket` and `signal`
would double that for the enumerations around `_socket` and `_signal`, the parts in C that do all the work.

What it sends: the length of the request in eight bytes, with the descriptors 0, 1, 2 and that of the working directory
beside it, then the request, fields that end in a zero byte (`request.py` reads them). What comes back: `+`, and once
the plugin has ended its exit code, negative for a signal's number; or the connection's end.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import os
import sys

POLL_SECONDS = 0.25


def main(home: str, code: str, *arguments: str) -> None:
    parent = os.getppid()
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # no traceback
    # Held back until they can be passed on: the plugin may run, and be interrupted, before this process hears of it.
    before = _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGINT, _signal.SIGTERM))
    line = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    if not accepted(line, home, code, arguments):
        _signal.pthread_sigmask(_signal.SIG_SETMASK, before)
        os.execv(sys.executable, [sys.executable, "-P", "-c", code, *arguments])  # noqa: S606 - the cold start
    for number in (_signal.SIGINT, _signal.SIGTERM):
        _signal.signal(number, lambda number, _: pass_on(line, number))
    _signal.pthread_sigmask(_signal.SIG_SETMASK, before)
    os._exit(waited(line, parent))


def accepted(line: _socket.socket, home: str, code: str, arguments: tuple[str, ...]) -> bool:
    """Whether a server has started the plugin."""
    try:
        here = os.open(".", os.O_RDONLY)
        os.chdir(home)
        try:
            line.connect("warm")
        finally:
            os.fchdir(here)
        send(line, here, code, arguments)
        return line.recv(1) == b"+"
    except OSError:
        return False


def send(line: _socket.socket, here: int, code: str, arguments: tuple[str, ...]) -> None:
    mask = os.umask(0)
    os.umask(mask)
    variables = [name + b"=" + value for name, value in os.environb.items()]
    errors = sys.__stdout__.errors if sys.__stdout__ else None
    texts = [__file__, sys.executable, sys.getfilesystemencoding(), errors or "strict", str(mask), code]
    fields = [*map(os.fsencode, [*texts, str(len(arguments)), *arguments]), *variables]
    body = b"".join(field + b"\0" for field in fields)
    files = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2, here))
    line.sendmsg([len(body).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
    line.sendall(body)


def pass_on(line: _socket.socket, number: int) -> None:
    try:  # noqa: SIM105 - one import less
        line.send(bytes([number]))
    except OSError:
        pass  # the server has gone, and the plugin with it


def waited(line: _socket.socket, parent: int) -> int:
    """The plugin's exit code. Ends with the engine, as the plugin does: after a kill -9 nobody interrupts it."""
    answer = b""
    line.settimeout(POLL_SECONDS)
    while True:
        try:
            received = line.recv(16)
        except TimeoutError:
            if os.getppid() != parent:
                return 1
            continue
        if not received:
            break
        answer += received
    code = int(answer or b"1")
    return code if code >= 0 else 128 - code


main(*sys.argv[1:])
