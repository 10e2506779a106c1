"""What commands print: one JSON document for machines, text and tables for people.

Tables are plain columns of whole names, in a pipe and on a terminal: no colour codes, no cut lines. Where a terminal is
too narrow for them, each row is laid out over several lines.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO, cast

from amplify_delivery.delivery import pages
from amplify_delivery.errors import ConfigError, DeliveryError, ExportRefused
from amplify_delivery.findings import Finding


def document(data: Any) -> None:
    """The JSON document of a command."""
    print(json.dumps(data, indent=2, ensure_ascii=False))


def append_variables(file: Path, values: Mapping[str, str]) -> None:
    """Append NAME=VALUE lines to a file, as those that CIs read. Raises `ConfigError`, also for a value of several
    lines: what a build exports would write lines of its own."""
    for name, value in values.items():
        if set("\r\n") & set(value):
            raise ConfigError(
                f"the value of {name} has several lines",
                where=str(file),
                remedy="look at the build's log: it is not a digest",
            )
    with writing(file), file.open("a", encoding="utf-8") as lines:
        lines.writelines(f"{name}={value}\n" for name, value in sorted(values.items()))


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """Raise `ConfigError` where the block cannot write a file that an argument has named."""
    try:
        yield
    except OSError as problem:
        raise ConfigError(
            f"cannot be written: {problem.strerror}",
            where=str(file),
            remedy="name a file that may be written, in a folder that is there",
        ) from None


def error(problem: DeliveryError, *, as_json: bool) -> None:
    """A refusal or failure: `{"error": {...}}` on stdout for machines, text on stderr for people."""
    if as_json:
        document({"error": error_json(problem)})
    else:
        print(f"error: {problem}", file=sys.stderr)
        for page in pages.named(str(problem)):
            print(f"`amplify-delivery docs {page}` shows docs/{page}.md", file=sys.stderr)


def error_json(problem: DeliveryError) -> dict[str, Any]:
    """An error as data; `findings` is there for every kind of error."""
    findings = problem.findings if isinstance(problem, ExportRefused) else ()
    return {
        "type": type(problem).__name__,
        "message": problem.message,
        "where": problem.where,
        "remedy": problem.remedy,
        "changed": "maybe" if problem.changed else "no",
        "findings": [f.to_json() for f in findings],
    }


class Outlet:
    """Standard output or error of a command. When whoever reads it has gone (`| head`, a closed terminal), the command
    goes on: what it has begun with AWS must not end because nobody listens."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.gone = False

    def write(self, text: str) -> int:
        try:
            return int(self._stream.write(text))
        except OSError as error:
            self._deaf(error)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._deaf(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _deaf(self, error: OSError) -> None:
        self.gone = True
        # Python flushes once more at its end, and must find somebody then.
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
        if error.errno not in (errno.EPIPE, errno.EIO):
            raise error


@contextmanager
def outlets() -> Iterator[tuple[Outlet, Outlet]]:
    """Standard output and error as `Outlet`s."""
    before = sys.stdout, sys.stderr
    out, err = Outlet(sys.stdout), Outlet(sys.stderr)
    sys.stdout, sys.stderr = cast("TextIO", out), cast("TextIO", err)
    try:
        yield out, err
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = before


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table; nothing at all when there are no rows."""
    lines = [[str(cell) for cell in row] for row in rows]
    if not lines:
        return
    for line in _columns([list(columns), *lines]) or _laid_out(lines, _width()):
        print(line)


def resources(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table of resources: mark, place, type, and what is to be said. A place is the logical ids of the stacks and the
    resource's own, joined by `/`; on a narrow terminal resources stand below the stack that they are in."""
    lines = [list(row) for row in rows]
    if not lines:
        return
    for line in _columns([list(columns), *lines]) or _folded(lines, _width()):
        print(line)


def _width() -> int:
    return shutil.get_terminal_size().columns


def _columns(lines: Sequence[Sequence[str]]) -> list[str]:
    """The lines as columns; none if this is a terminal that is too narrow for them."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    joined = ["  ".join(c.ljust(width) for c, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return [] if sys.stdout.isatty() and max(map(len, joined)) > _width() else joined


def _folded(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    for stack, inside in itertools.groupby(rows, key=lambda row: row[1].rpartition("/")[0]):
        if stack:
            yield f"{stack}/"
        for mark, place, type_, *more in inside:
            yield from _flowed([f"{mark} {place.rpartition('/')[2]}", type_, *more], width, "  " if stack else "")


def _laid_out(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    for row in rows:
        yield from _flowed(row, width, "")


def _flowed(cells: Sequence[str], width: int, indent: str) -> Iterator[str]:
    """Cells beside each other as far as they fit, else below. Sentences are wrapped between words."""
    line = indent + cells[0]
    for cell in filter(None, cells[1:]):
        if len(line) + 2 + len(cell) <= width:
            line += ("  " if line.strip() else "") + cell
            continue
        yield line
        *whole, line = textwrap.wrap(
            cell,
            width,
            initial_indent=f"{indent}    ",
            subsequent_indent=f"{indent}    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        yield from whole
    yield line


def paragraph(label: str, text: str) -> None:
    """A text behind its label; on a terminal wrapped between words, below itself."""
    if not sys.stdout.isatty():
        print(f"{label}{text}")
        return
    below = " " * (len(label) - len(label.lstrip()) + 13)
    lines = textwrap.wrap(
        f"{label}{text}", _width(), subsequent_indent=below, break_long_words=False, break_on_hyphens=False
    )
    print("\n".join(lines))


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
