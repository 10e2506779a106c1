"""Showing what CloudFormation does while the engine waits for it: drawn on a terminal, in plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from amplify_delivery.delivery import output
from amplify_delivery.delivery.deployment.live import drawing
from amplify_delivery.delivery.deployment.live.board import Item
from amplify_delivery.delivery.deployment.live.polling import Polling
from amplify_delivery.delivery.engine.watch import RootWork
from amplify_delivery.publishing.aws_errors import suppressing_all

if TYPE_CHECKING:
    from rich.console import Console

    from amplify_delivery.delivery.account.aws_account import Account
    from amplify_delivery.delivery.engine.engine import Engine

Line = Callable[[str], None]
_DRAWN, _PLAIN = 2.0, 5.0
"""Seconds between two rounds of questions."""
_STILL = 60.0
"""Seconds between two plain lines that say that work goes on."""
_LAST = 20.0
"""Seconds that the last round may take, when the deployment has ended."""
_CI = ("CI", "CODEBUILD_BUILD_ID")


@contextmanager
def followed(client: Any, stack: str, work: RootWork, line: Line, variables: Mapping[str, str]) -> Iterator[None]:
    """Show what happens to the root stack `stack` in the block, while the engine is at `work` on it; `line` is where
    the engine's own output goes.

    `client` is one of CloudFormation's, with the rights of whoever deploys. That it cannot be shown changes nothing.
    """
    polling = Polling(client, stack, work)
    with suppressing_all() as refusal:
        polling.begin()
    if refusal:
        yield
        return
    console = _terminal(line, variables)
    if console is None:
        with _running(polling, _PLAIN, _Lines(polling, line)):
            yield
        return
    from rich.live import Live  # noqa: PLC0415 - only where something is drawn
    from rich.text import Text  # noqa: PLC0415

    def drawn() -> Text:
        earlier = polling.earlier.get(polling.board.kind)
        found = drawing.rows(polling.board, earlier, _now(), console.width, max(4, console.height // 2))
        return Text("\n".join(found), no_wrap=True)

    failures = _Lines(polling, line, failures_only=True)
    with (
        Live(get_renderable=drawn, console=console, transient=True, refresh_per_second=2),
        _running(polling, _DRAWN, failures),
    ):
        yield


def destroying(engine: Engine, variables: Mapping[str, str]) -> Callable[[Account, str], AbstractContextManager[None]]:
    """The same for a root stack that `engine` destroys, by its id, where its own output goes."""

    def shown(account: Account, stack: str) -> AbstractContextManager[None]:
        return followed(account.client("cloudformation"), stack, engine.root, engine.line, variables)

    return shown


def _terminal(line: Line, variables: Mapping[str, str]) -> Console | None:
    """The terminal to draw on; None if there is none, or a CI reads it."""
    stream = sys.stderr if line is output.progress else sys.stdout
    if not stream.isatty() or variables.get("TERM", "dumb") == "dumb" or any(variables.get(name) for name in _CI):
        return None
    from rich.console import Console  # noqa: PLC0415

    return Console(stderr=stream is sys.stderr)


@contextmanager
def _running(polling: Polling, pause: float, told: Callable[[list[Item]], None]) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=polling.follow, args=(stop, pause, told), name="live", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_LAST)


class _Lines:
    """Plain lines: each thing that is told of, and from time to time that work goes on."""

    def __init__(self, polling: Polling, line: Line, *, failures_only: bool = False) -> None:
        self._polling, self._line, self._failures_only = polling, line, failures_only
        self._said = _now()

    def __call__(self, changed: list[Item]) -> None:
        now = _now()
        shown = [item for item in changed if item.failed or not self._failures_only]
        for text in filter(None, (drawing.plain(item, now) for item in shown)):
            self._line(text)
            self._said = now
        board = self._polling.board
        if board.at_work and not self._failures_only and (now - self._said).total_seconds() >= _STILL:
            self._line(drawing.still(board, self._polling.earlier.get(board.kind), now))
            self._said = now


def _now() -> datetime:
    return datetime.now(UTC)
