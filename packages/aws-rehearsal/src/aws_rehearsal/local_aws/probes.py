"""Is each patch still needed, and does it work? Runs inside the server's process, with `server.py --self-test`.

All probes run at the same time, first against MiniStack as it is, then with every patch applied.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import patches
from probing import Probing

_log = logging.getLogger("self-test")


Result = dict[str, dict[str, bool]]


async def run(
    serve: Callable[[socket.socket], Coroutine[Any, Any, None]],
    listener: socket.socket,
    report: Callable[[Result], None],
) -> None:
    """Report `{patch: {"needed": bool, "works": bool}}`: what the probes say without the patches and with them.

    `report` must end the process: what the probes left waiting can't be ended otherwise.
    """
    # Long enough for a function to start, short enough for a start that waits for it.
    os.environ["LOCAL_AWS_CUSTOM_RESOURCE_TIMEOUT"] = "0.3"
    port = listener.getsockname()[1]
    server = asyncio.create_task(serve(listener))
    try:
        before = await asyncio.to_thread(_probe_all, Probing(port, 1, patience=0.5))
        patches.apply()
        after = await asyncio.to_thread(_probe_all, Probing(port, 2, patience=60))
    except Exception:  # noqa: BLE001
        # Leaving this function would wait for what the probes left waiting.
        _log.exception("the self-test broke")
        report({})
    report({name: {"needed": not before[name], "works": after[name]} for name in before})
    await server


def _probe_all(aws: Probing) -> dict[str, bool]:
    with ThreadPoolExecutor(max_workers=len(patches.ALL)) as pool:
        running = {patches.name_of(patch): pool.submit(_probe, patch, aws) for patch in patches.ALL}
        return {name: probe.result() for name, probe in running.items()}


def _probe(patch: Any, aws: Probing) -> bool:
    try:
        return bool(patch.probe(aws))
    except Exception:  # noqa: BLE001 - a probe that breaks has not shown what it should
        _log.exception("the probe of %s broke", patches.name_of(patch))
        return False
