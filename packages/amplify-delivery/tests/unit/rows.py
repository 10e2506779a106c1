"""Tables of which a row is a few microseconds of work: one test for all, which names each row that does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def hold(check: Callable[..., None], rows: Iterable[tuple[Any, ...]]) -> None:
    """`check(*row)` fails for none of `rows`, of which there is at least one; else all that fail are told."""
    count, failed = 0, []
    for row in rows:
        count += 1
        try:
            check(*row)
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - whatever it is, it belongs to this row
            failed.append(f"{' | '.join(map(str, row))[:200]}: {type(error).__name__}: {error}")
    assert count, "there is no row"
    assert not failed, f"{len(failed)} of {count} rows:\n" + "\n".join(failed)


def each(rows: Iterable[tuple[Any, ...]]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Makes a check of one row, which asks for no fixture, a test of all."""

    def made(check: Callable[..., None]) -> Callable[[], None]:
        def every() -> None:
            hold(check, rows)

        every.__name__, every.__qualname__ = check.__name__, check.__qualname__
        every.__module__, every.__doc__ = check.__module__, check.__doc__
        return every

    return made
