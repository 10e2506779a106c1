"""How a deployment that runs is shown: rows of a terminal, or plain lines where nothing is drawn over. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from amplify_delivery.delivery.deployment.live.board import Board, Item, is_cancelled, left
from amplify_delivery.delivery.deployment.live.events import Earlier

_SLOW = 20
"""Seconds: what is done sooner has no line of its own where lines stay."""
_VERBS = {
    "CREATE": "created",
    "UPDATE": "updated",
    "DELETE": "deleted",
    "IMPORT": "imported",
    "ROLLBACK": "rolled back",
}
_DOING = {"CREATE": "creating", "UPDATE": "updating", "DELETE": "deleting", "IMPORT": "importing"}


def duration(seconds: float) -> str:
    """`41 s`, `3 min 05 s`, `1 h 02 min`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def plain(item: Item, now: datetime) -> str | None:
    """A line for what has begun, ended or failed; None for a resource that begins, is soon done, or was cancelled."""
    place = "/".join(item.path)
    if item.ended is None:
        rolling = " (rolled back)" if "ROLLBACK" in item.status else ""
        return f"  {place}: {_doing(item.status)}{rolling}" if item.is_stack else None
    took = duration(item.seconds(now))
    if item.failed and item.is_stack and item.reason.startswith("Embedded stack"):
        return f"  {place}: failed after {took}"  # what has failed in it has a line of its own
    if item.failed:
        return None if is_cancelled(item) else f"  {place} ({item.type}) failed after {took}: {item.reason}"
    if item.is_stack or item.seconds(now) >= _SLOW:
        return f"  {place}: {_done(item.status)} in {took}"
    return None


def still(board: Board, earlier: Earlier | None, now: datetime) -> str:
    """A line that says that work goes on, where, and how long yet."""
    stacks = [i for i in board.at_work if i.is_stack and not _has_inside(board, i)]
    rest = [i for i in board.at_work if not i.is_stack]
    shown = [f"{'/'.join(i.path)} ({duration(i.seconds(now))})" for i in (*rest, *stacks)[:3]]
    more = len(rest) + len(stacks) - len(shown)
    waits = f"; at work: {', '.join(shown)}{f' and {more} more' if more > 0 else ''}" if shown else ""
    return f"  {_head(board, earlier, now)}{waits}"


def rows(board: Board, earlier: Earlier | None, now: datetime, width: int, height: int) -> list[str]:
    """What a terminal of that size shows: a head, each stack that is at work with what it works on, what has failed."""
    if board.began is None or height < 2:
        return []
    failed = [_cut(f"  ✗ {'/'.join(i.path)}: {i.reason}", width) for i in _causes(board)][-max(1, height // 3) :]
    tree = [_cut(row, width) for row in _tree(board, now)]
    room = height - 1 - len(failed)
    if len(tree) > room:
        hidden = len(tree) - room + 1
        tree = [*tree[: max(0, room - 1)], _cut(f"  ... and {hidden} more", width)] if room > 0 else []
    return [_cut(_head(board, earlier, now), width), *tree, *failed]


def _head(board: Board, earlier: Earlier | None, now: datetime) -> str:
    """`update, 2 min 10 s: 35 of 40 resources; about 3 min left`."""
    now = board.ended or now
    began = board.began or now
    said = f"{board.kind}, {duration(max(0.0, (now - began).total_seconds()))}: "
    said += f"{board.done:,} of {board.known:,} resources begun"
    if board.failures:
        said += f", {len(board.failures)} failed"
    if "ROLLBACK" in board.status:
        return f"{said}; CloudFormation rolls back"
    rest = left(board, earlier, now)
    if rest is not None:
        return f"{said}; about {duration(rest)} left"
    if earlier is not None and earlier.kind == board.kind:
        return f"{said}; the last {board.kind} took {duration(earlier.total)}"
    return said


def _tree(board: Board, now: datetime) -> Iterator[str]:
    """Stacks at work, each above what it works on."""
    for item in sorted(board.at_work, key=lambda i: i.path):
        indent = "  " * len(item.path)
        took = duration(item.seconds(now))
        if item.is_stack:
            yield f"{indent}{item.path[-1]}/  {took}"
        else:
            yield f"{indent}{item.path[-1]}  {item.type.removeprefix('AWS::')}  {_doing(item.status)}  {took}"


def _causes(board: Board) -> list[Item]:
    """What has failed, without stacks in which something is known to have failed."""
    places = [i.path for i in board.failures]
    return [i for i in board.failures if not any(p != i.path and p[: len(i.path)] == i.path for p in places)]


def _has_inside(board: Board, stack: Item) -> bool:
    return any(len(i.path) > len(stack.path) and i.path[: len(stack.path)] == stack.path for i in board.at_work)


def _doing(status: str) -> str:
    return _DOING.get(status.partition("_")[0], status.lower())


def _done(status: str) -> str:
    return _VERBS.get(status.partition("_")[0], status.lower())


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"
