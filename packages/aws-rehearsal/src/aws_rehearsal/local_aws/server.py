"""The local AWS as one process: MiniStack with our patches, on the loopback interface only.

Runs with the Python of MiniStack's own virtualenv and therefore imports nothing of this project but
the patches beside it. `LocalAws` starts it; by hand:

    python server.py [--port N] [--parent-pipe FD] [--without PATCH ...] [--self-test]

It prints one line of JSON on its standard output as soon as it listens (`{"port": ..., "pid": ...}`);
whatever MiniStack says goes to standard error. Environment:

- `LOCAL_AWS_CUSTOM_RESOURCE_TIMEOUT`: seconds a custom resource may take (default 60);
- `LOCAL_AWS_ALIAS_DELAY`: seconds until a key's new alias or tag counts in policies (default 0);
- `LOCAL_AWS_OPERATION_LIMIT`: resources that one operation on nested stacks makes at most (default 2,500, as on AWS);
- everything MiniStack reads itself, of which `LocalAws` sets what a rehearsal needs.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import select
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path

LOOPBACK = "127.0.0.1"
_HOW_OFTEN_TO_ASK_FOR_THE_PARENT = 1.0


def main() -> None:
    """Listen, import MiniStack, patch it, serve until told to stop or until the parent is gone."""
    arguments = _arguments()
    announce = _keep_standard_output_for_the_announcement()
    parent = os.getppid()
    _stop_at_once_on(signal.SIGTERM, signal.SIGINT)
    if arguments.parent_pipe is not None:
        _end_with_parent(arguments.parent_pipe, parent)
    # Listening before MiniStack is imported: it reads the port while importing, and a port that
    # somebody else could still take would be no port.
    listener = _listen(arguments.port)
    port = listener.getsockname()[1]
    os.environ["GATEWAY_PORT"] = str(port)
    gc.disable()
    import patches  # noqa: PLC0415 - imports MiniStack, which reads the environment set above

    if arguments.self_test:
        import probes  # noqa: PLC0415 - only the self-test needs them

        asyncio.run(probes.run(_serve, listener, lambda result: _report_and_end(announce, result)))
    patches.apply(without=arguments.without)
    _collect_seldom()
    with os.fdopen(announce, "w") as out:
        json.dump({"port": port, "pid": os.getpid()}, out)
        out.write("\n")
    asyncio.run(_serve(listener))


def _collect_seldom() -> None:
    """What is loaded by now stays; and a request leaves more behind than the collector's 700 objects: a tenth of the
    server's time went into looking for garbage among all that every account has."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The local AWS of the rehearsal.")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument(
        "--parent-pipe", type=int, help="descriptor of a pipe: the server ends when its other end closes"
    )
    parser.add_argument("--without", action="append", default=[], help="a patch to leave out")
    parser.add_argument("--self-test", action="store_true", help="try every patch before and after, print the result")
    return parser.parse_args()


def _keep_standard_output_for_the_announcement() -> int:
    kept = os.dup(1)
    os.dup2(2, 1)
    return kept


def _report_and_end(announce: int, result: dict[str, dict[str, bool]]) -> None:
    with os.fdopen(announce, "w") as out:
        json.dump(result, out)
    _end(0)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except OSError as error:
        sys.exit(f"cannot listen on {LOOPBACK}:{port}: {error.strerror}")
    listener.listen(1024)
    return listener


async def _serve(listener: socket.socket) -> None:
    import connections  # noqa: PLC0415 - imports hypercorn
    from hypercorn.asyncio import serve  # noqa: PLC0415 - after the environment is set
    from hypercorn.config import Config  # noqa: PLC0415
    from ministack.app import app  # noqa: PLC0415

    connections.use()
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.backlog = 1024
    # A shutdown trigger of our own, else hypercorn takes over the signals.
    await serve(app, config, shutdown_trigger=asyncio.Event().wait)


def _stop_at_once_on(*signals: signal.Signals) -> None:
    """End the process when told to, whatever its threads wait for.

    Nothing is worth a tidy end: all state is in memory, while a custom resource that waits for its
    Lambda function would hold a tidy end up for an hour.
    """
    for number in signals:
        signal.signal(number, lambda *_: _end(0))


def _end_with_parent(parent_pipe: int, parent: int) -> None:
    """End when the parent has ended, even if it was killed.

    The parent holds the other end of the pipe `parent_pipe`; the system closes it when the parent dies.
    Asking for the parent's id as well covers a forked child of the parent that still holds that end.
    The kernel's parent-death signal (Linux) is not used: it fires when the *thread* that started us ends.
    """

    def watch() -> None:
        while os.getppid() == parent:
            readable, _, _ = select.select([parent_pipe], [], [], _HOW_OFTEN_TO_ASK_FOR_THE_PARENT)
            if readable and not os.read(parent_pipe, 1):
                break
        _end(0)

    threading.Thread(target=watch, name="parent_pipe", daemon=True).start()


def _end(code: int) -> None:
    """End this process and the Lambda workers it started, without waiting for anything.

    Called in a signal handler or on the thread that watches the parent. The group is our own, made by `LocalAws`.
    """
    scratch = os.environ.get("LOCAL_AWS_SCRATCH")
    if scratch:
        shutil.rmtree(scratch, ignore_errors=True)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(code)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
