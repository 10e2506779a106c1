"""A forked child becomes the plugin: all that the interpreter would have from its caller, and a fresh `__main__`."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys
import tempfile
import time
import traceback
import types
from typing import NoReturn

from aws_rehearsal.warm.isolation import give_out_ahead
from aws_rehearsal.warm.request import Request


def become(request: Request, files: list[int], base: list[str]) -> NoReturn:
    """Runs the code of the start, as `python -P -c` does, in place of whatever was to follow the fork."""
    code = 1
    try:
        _take_over(request, files, base)
        # The server was started with `-c` too: its own `__main__` has what such a one begins with.
        begun = {name: value for name, value in vars(sys.modules["__main__"]).items() if name.startswith("__")}
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        vars(main).update(begun)
        gc.enable()
        give_out_ahead()
        exec(compile(request.code, "<string>", "exec"), vars(main))  # noqa: S102 - our own launcher's
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if end.code is not None and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
    except BaseException:  # noqa: BLE001 - nothing may return into the code of the server
        traceback.print_exc()
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _take_over(request: Request, files: list[int], base: list[str]) -> None:
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    os.fchdir(files[3])
    for file in files:
        os.close(file)
    os.setpgid(0, 0)  # the server does it too: whoever is first
    os.umask(request.umask)
    os.environ.clear()
    os.environb.update(request.variables)
    time.tzset()
    sys.path[:] = request.search_path(base)
    sys.argv = ["-c", *request.arguments]
    sys.orig_argv = [sys.executable, "-P", "-c", request.code, *request.arguments]
    sys.dont_write_bytecode = bool(request.variables.get(b"PYTHONDONTWRITEBYTECODE"))
    sys.stdin = sys.__stdin__ = _stream(0, request, request.errors)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _stream(1, request, request.errors)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _stream(2, request, "backslashreplace")  # type: ignore[misc]
    tempfile.tempdir = None  # found out by a module that was loaded, for the server


def _stream(number: int, request: Request, errors: str) -> io.TextIOWrapper:
    """A standard stream as the interpreter opens it (create_stdio in Python/pylifecycle.c)."""
    unbuffered = bool(request.variables.get(b"PYTHONUNBUFFERED"))
    raw = io.FileIO(number, "r" if number == 0 else "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedReader(raw) if number == 0 else raw if unbuffered else io.BufferedWriter(raw),
        encoding=request.encoding,
        errors=errors,
        line_buffering=not unbuffered and (number == 2 or raw.isatty()),
        write_through=unbuffered,
    )
