"""A plugin's process: print the port first, do everything else later, and never outlive the engine.

The protocol is that of `sdk/go/common/resource/plugin/plugin.go`: the engine's address is the last argument, one line
with the port goes to standard output, an interrupt ends the plugin.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc

_WATCH_SECONDS = 0.25
_SELDOM = (50_000, 20, 20)
"""The collector's thresholds: a plugin ends with the operation that it was started for."""
_WORKERS = 64  # a create may wait for minutes: as many threads as the engine may have resources in flight


def serve(register: Callable[[grpc.Server], Any]) -> None:
    """Serves until the engine interrupts or goes away.

    Nothing is loaded ahead: in each operation the engine starts a plugin a second time only to check its configuration.
    """
    parent = os.getppid()
    gc.set_threshold(*_SELDOM)
    # os._exit: no finalizers, so no traceback of a thread that a call left behind.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    server = grpc.server(
        futures.ThreadPoolExecutor(_WORKERS),
        options=[
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        ],
    )
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    watch_parent(parent)


def watch_parent(parent: int) -> None:
    """Ends this process when its parent has: after a kill -9 of the engine nobody interrupts its plugins."""
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(0)
