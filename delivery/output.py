"""What commands print: one JSON document for machines, text and tables for people.

Tables are rich's on a terminal, and plain columns elsewhere: no colour codes and no cut lines in a pipe.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from amplify_export.errors import DeliveryError, ExportRefused
from amplify_export.findings import Finding


def document(data: Any) -> None:
    """The JSON document of a command."""
    print(json.dumps(data, indent=2, ensure_ascii=False))


def error(problem: DeliveryError, *, as_json: bool) -> None:
    """A refusal or failure: `{"error": {...}}` on stdout for machines, text on stderr for people."""
    if as_json:
        document({"error": error_json(problem)})
    else:
        print(f"error: {problem}", file=sys.stderr)


def error_json(problem: DeliveryError) -> dict[str, Any]:
    """An error as data; `findings` is there for every kind of error."""
    findings = problem.findings if isinstance(problem, ExportRefused) else ()
    return {
        "type": type(problem).__name__,
        "message": problem.message,
        "where": problem.where,
        "remedy": problem.remedy,
        "findings": [f.to_json() for f in findings],
    }


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table; nothing at all when there are no rows."""
    lines = [[str(cell) for cell in row] for row in rows]
    if not lines:
        return
    if sys.stdout.isatty():
        _rich_table(columns, lines)
        return
    widths = [max(map(len, column)) for column in zip(columns, *lines, strict=True)]
    for line in [list(columns), *lines]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _rich_table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - slow to import, and only a terminal shows it
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    shown = Table(*columns, box=SIMPLE_HEAD)
    for line in lines:
        shown.add_row(*map(escape, line))
    Console().print(shown)


def findings(found: Iterable[Finding]) -> None:
    """Findings for people, each with its remedy."""
    for finding in found:
        print(f"{finding.severity:8}  {finding}")


def line(text: str) -> None:
    """A line on stdout at once: of commands that go on, and may be ended before the buffer is written."""
    print(text, flush=True)


def progress(line: str) -> None:
    """A line about work under way: on stderr, so that stdout holds the result alone."""
    print(line, file=sys.stderr, flush=True)


def counted(number: int, thing: str) -> str:
    """`1 object`, `2 objects`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
