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
IMAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "image")  # noqa: PTH100, PTH118, PTH120
COMMAND = "from aws_rehearsal.warm.commands import run; run()"


def main(home: str, code: str, *arguments: str) -> None:
    parent = os.getppid()
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # no traceback
    # Held back until they can be passed on: the plugin may run, and be interrupted, before this process hears of it.
    before = _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGINT, _signal.SIGTERM))
    line = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    if accepted(line, home, code, arguments, sys.executable):
        os._exit(stood(line, before, parent))
    _signal.pthread_sigmask(_signal.SIG_SETMASK, before)
    os.execv(sys.executable, [sys.executable, "-P", "-c", code, *arguments])  # noqa: S606 - the cold start


def stood(line: _socket.socket, before: set[int], parent: int | None) -> int:
    """The exit code of what has been started, once it has ended; with a `parent` at the latest when that has gone."""
    for number in (_signal.SIGINT, _signal.SIGTERM):
        _signal.signal(number, lambda number, _: pass_on(line, number))
    _signal.pthread_sigmask(_signal.SIG_SETMASK, before)
    return waited(line, parent)


def command(python: str) -> None:
    """For `python -m MODULE` in an image (`image/sitecustomize.py`): this process stands for it, or the function
    returns, and the command goes on in this process. `python` is the server's interpreter."""
    home = os.environ.get("PULUMI_HOME")
    if not home or not alike(python):
        return
    site = sys.modules["site"]
    before = _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGINT, _signal.SIGTERM))
    line = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    places = [str(len(found)) for found in (sys.path, site.PREFIXES)]
    given = (*places, *sys.path, *site.PREFIXES, sys.executable, *sys.orig_argv)
    if accepted(line, home, COMMAND, given, python):
        os._exit(stood(line, before, None))
    line.close()
    _signal.pthread_sigmask(_signal.SIG_SETMASK, before)


def alike(python: str) -> bool:
    """Whether this is the server's interpreter, and finds packages where that has found them before anywhere else."""
    own = os.path.dirname(os.__file__)  # noqa: PTH120
    root = os.path.dirname(os.path.dirname(python))  # noqa: PTH120
    packages = os.path.join(root, "lib", os.path.basename(own), "site-packages")  # noqa: PTH118, PTH119
    skipped = (IMAGE, own, os.path.join(own, "lib-dynload"))  # noqa: PTH118
    found = [place for place in sys.path if place not in skipped and not place.endswith(".zip")]
    return found[:1] == [packages] and os.path.realpath(sys.executable) == os.path.realpath(python)


def accepted(line: _socket.socket, home: str, code: str, arguments: tuple[str, ...], python: str) -> bool:
    """Whether a server has started the plugin."""
    here = -1
    try:
        here = os.open(".", os.O_RDONLY)
        os.chdir(home)
        try:
            line.connect("warm")
        finally:
            os.fchdir(here)
        send(line, here, code, arguments, python)
        return line.recv(1) == b"+"
    except OSError:
        return False
    finally:
        if here >= 0:
            os.close(here)


def send(line: _socket.socket, here: int, code: str, arguments: tuple[str, ...], python: str) -> None:
    mask = os.umask(0)
    os.umask(mask)
    variables = [name + b"=" + value for name, value in os.environb.items()]
    errors = sys.__stdout__.errors if sys.__stdout__ else None
    texts = [__file__, python, sys.getfilesystemencoding(), errors or "strict", str(mask), code]
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


def waited(line: _socket.socket, parent: int | None) -> int:
    """The plugin's exit code. Ends with the engine, as the plugin does: after a kill -9 nobody interrupts it."""
    answer = b""
    line.settimeout(None if parent is None else POLL_SECONDS)
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


if __name__ == "__main__":
    main(*sys.argv[1:])
