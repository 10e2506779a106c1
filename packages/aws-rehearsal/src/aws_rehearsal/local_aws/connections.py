"""Connections of the local AWS, with less work for each request than hypercorn's own.

Of the processor time of a call that MiniStack answers at once, a third was how hypercorn (0.18) waits for the next one
and writes its answer. What goes over the line is the same.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from hypercorn.asyncio import run
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.events import Event, RawData

_ENOUGH = 1 << 16
"""Bytes that are written at once: whoever sends more waits for the other side to take them."""


def use() -> None:
    """Have hypercorn serve with these."""
    vars(run)["TCPServer"] = Connection


class _Idle:
    """Ends a connection on which nothing has come for long. Hypercorn has a task for it, which it cancels and makes
    again with each request, and which waits for the server's end as well: this one's end is its process's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, config: Any, end: Callable[[], Awaitable[None]]) -> None:
        self._loop, self._config, self._end = loop, config, end
        self._timer: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    async def restart(self, *_: object) -> None:
        """Nothing is expected for a while. Called with what hypercorn would have run in its task."""
        await self.stop()
        self._timer = self._loop.call_later(self._config.keep_alive_timeout, self._begin)

    async def stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        self._ending = self._loop.create_task(self._if_still(self._timer))

    async def _if_still(self, timer: asyncio.TimerHandle | None) -> None:
        """A request may have come in the same turn of the loop."""
        if timer is self._timer:
            await self._end()


class Connection(TCPServer):  # type: ignore[misc]
    """One client's. What is sent in one turn of the event loop is written at its end: the head of an answer and its
    body were two writes, and woke the client twice."""

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop, config: Any, *others: Any) -> None:
        super().__init__(app, loop, config, *others)
        self.idle_task = _Idle(loop, config, self._initiate_server_close)
        self._waiting: list[bytes] = []

    async def protocol_send(self, event: Event) -> None:
        """As hypercorn's."""
        if not isinstance(event, RawData):
            self._write()
            await super().protocol_send(event)
            return
        if not event.data:
            return
        if not self._waiting:
            self.loop.call_soon(self._write)
        self._waiting.append(event.data)
        if sum(map(len, self._waiting)) >= _ENOUGH:
            whole = b"".join(self._waiting)
            self._waiting.clear()
            await super().protocol_send(RawData(whole))

    def _write(self) -> None:
        if self._waiting:
            whole = b"".join(self._waiting)
            self._waiting.clear()
            with contextlib.suppress(ConnectionError, RuntimeError):  # it is closed, which hypercorn knows by then
                self.writer.write(whole)

    async def _close(self) -> None:
        self._write()
        await super()._close()
