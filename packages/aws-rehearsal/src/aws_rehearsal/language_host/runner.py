"""Runs programs: a process that has the SDK loaded and forks for each run.

Follows sdk/python/cmd/pulumi-language-python-exec of pulumi/pulumi: the settings, the event loop, which errors are
shown how, and the exit codes (32: the user has already been told).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import logging
import os
import platform
import runpy
import signal
import socket
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

from aws_rehearsal.warm import forked_in
from aws_rehearsal.warm.fork import Fork
from aws_rehearsal.warm.isolation import leave_no_trace, other_version, use_virtualenv
from aws_rehearsal.warm.request import Request

SHOWN_TO_USER = 32
SELDOM = (50_000, 20, 20)
"""The collector's thresholds for a program, which ends after a second: what it makes stays until then."""


class Runner:
    """The host's end of the line to the process that runs programs."""

    def __init__(self, line: socket.socket) -> None:
        self._stream = line.makefile("rw", encoding="utf-8")
        self._lock = threading.Lock()

    def load(self) -> None:
        """Has the SDK loaded ahead of a run that is going to come."""
        with self._lock:
            self._send(None)

    def run(self, request: dict[str, Any]) -> int:
        """The program's exit code; negative for the signal that ended it."""
        with self._lock:
            self._send(request)
            answer = self._stream.readline()
        return int(answer) if answer else 1

    def _send(self, request: dict[str, Any] | None) -> None:
        self._stream.write(json.dumps(request) + "\n")
        self._stream.flush()


class WarmRunner:
    """Has the server that has forked this process fork another for each run: everything is loaded there."""

    def __init__(self, server: Path, engine: str) -> None:
        self._server, self._engine = server, engine

    def load(self) -> None:
        """Nothing is left to load."""

    def run(self, request: dict[str, Any]) -> int:
        """The program's exit code; negative for the signal that ended it."""
        code = "from aws_rehearsal.language_host.runner import run_once; run_once()"
        asked = Request.of_this_process(code, self._engine, json.dumps(request))
        try:
            return Fork(self._server, asked).wait()
        except OSError as error:
            print(f"the program cannot be started: {error}", file=sys.stderr)
            return 1


def run_once() -> NoReturn:
    """In the fork: runs the program that was asked for, and nothing else."""
    from aws_rehearsal.providers.serve import watch_parent  # loaded in whoever forks this; a cold run needs no gRPC yet

    engine, request = sys.argv[1:]
    del sys.argv[1:], sys.orig_argv[-2:]  # configuration is nobody's argument
    _end_when_told()
    threading.Thread(target=watch_parent, args=(os.getppid(),), daemon=True).start()
    os._exit(_run(json.loads(request), engine))


def start_runner(engine: str) -> Runner | WarmRunner:
    """The process that will run programs: forked from this one, or from the server that this one was forked by. Call
    before any thread is started."""
    if forked_in:
        return WarmRunner(forked_in[0], engine)
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        try:
            _serve_runs(theirs, engine)
        except BaseException:  # noqa: BLE001 - nothing may return into the code of the host
            traceback.print_exc()
        os._exit(1)
    theirs.close()
    return Runner(ours)


def _serve_runs(line: socket.socket, engine: str) -> None:
    _end_when_told()
    stream = line.makefile("rw", encoding="utf-8")
    for text in stream:
        request = json.loads(text)
        if request is None:
            with contextlib.suppress(ImportError):  # the run says it, where the user sees it
                importlib.import_module("pulumi.runtime")
            continue
        child = os.fork()
        if child == 0:
            threading.Thread(target=_end_with_host, args=(line,), daemon=True).start()
            os._exit(_run(request, engine))
        _, status = os.waitpid(child, 0)
        stream.write(f"{os.waitstatus_to_exitcode(status)}\n")
        stream.flush()
    os._exit(0)


def _end_when_told() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))


def _end_with_host(line: socket.socket) -> None:
    """Ends a program whose host is gone: the line then has an end, and nothing is sent on it during a run."""
    if not line.recv(1, socket.MSG_PEEK):
        os._exit(1)


def _run(request: dict[str, Any], engine: str) -> int:
    try:
        import pulumi
        import pulumi.runtime
    except ImportError:
        print(traceback.format_exc(), file=sys.stderr)
        print("It looks like the Pulumi SDK has not been installed. Have you run pip install?", file=sys.stderr)
        _flush()
        return 1
    leave_no_trace()
    gc.set_threshold(*SELDOM)
    virtualenv = Path(request["root_directory"], request["virtualenv"]) if request["virtualenv"] else None
    if virtualenv:
        use_virtualenv(virtualenv)
    pulumi.runtime.set_all_config(request["config"], request["secret_keys"])
    settings = pulumi.runtime.Settings(
        monitor=request["monitor"],
        engine=engine,
        project=request["project"],
        stack=request["stack"],
        parallel=request["parallel"],
        dry_run=request["dry_run"],
        organization=request["organization"],
        root_directory=request["root_directory"],
    )
    pulumi.runtime.configure(settings)
    if virtualenv and (other := other_version(virtualenv)):
        pulumi.log.error(
            f"{virtualenv}: its packages are of Python {other}, and the rehearsal runs {platform.python_version()}\n"
            f"  -> rehearse with Python {other}, or make the virtualenv with the rehearsal's"
        )
        return SHOWN_TO_USER
    os.chdir(request["program_directory"])
    program = request["program"] or "."
    sys.argv = [program, *request["arguments"]]
    if Path(program).is_file():
        sys.path.insert(0, str(Path(program).resolve().parent))
    elif not (Path(program) / "__main__.py").is_file():
        pulumi.log.error(f"unable to find main python program `__main__.py` in `{Path(program).resolve()}`")
        return SHOWN_TO_USER
    return _run_program(program, settings.parallel or 1)


def _run_program(program: str, parallel: int) -> int:
    import pulumi

    # The programming model leaves futures unobserved when a program fails; asyncio would complain about each.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=max(parallel, 1) * 4)
    loop.set_default_executor(executor)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run_main(program)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except Exception:  # noqa: BLE001 - whatever a program raises is shown
        pulumi.log.error("Program failed with an unhandled exception:\n" + _user_traceback(program))
        return SHOWN_TO_USER
    finally:
        executor.shutdown(wait=True)
        loop.close()
        _flush()
    return 0


def _run_main(program: str) -> None:
    runpy.run_path(program, run_name="__main__")


def _user_traceback(program: str) -> str:
    """The traceback from the user's own program on, without the frames that led to it."""
    main = Path(program).resolve()
    main = main if main.suffix else main / "__main__.py"
    frames = traceback.extract_tb(sys.exc_info()[2])
    for index, frame in enumerate(frames):
        if Path(frame.filename).resolve() == main:
            return traceback.format_exc(limit=index - len(frames))
    return traceback.format_exc()


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
