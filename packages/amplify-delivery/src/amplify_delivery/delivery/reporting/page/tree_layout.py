"""Where the stacks of a tree are drawn: columns from left to right, one per level, the root at the top left.

A stack's nested stacks stand in the next column: those without any below them in a frame of several columns, so that
160 of them fit on a screen in letters that can be read, those with some one below the other with their own beside them.
The same tree is always drawn the same. Units are CSS pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from amplify_delivery.delivery.reporting.page.report_model import Place

WIDTH, HEIGHT = 170, 26
"""Of a node."""
GAP, BETWEEN, PADDING = 30, 6, 8
"""Between two levels, between two nodes, and within a frame."""
MARGIN = 12
_COLUMNS = ((6, 1), (14, 2), (36, 3))
"""Up to so many nodes, so many columns of them; more have four."""
_MOST_COLUMNS = 4


@dataclass(frozen=True)
class Node:
    """A stack at its place. `parent` and `first`, its first nested stack, are indexes of nodes; -1 where there is none.
    It is number `position` of the `of` nested stacks of its parent."""

    path: Place
    x: int
    y: int
    level: int
    position: int
    of: int
    parent: int
    first: int


@dataclass(frozen=True)
class Frame:
    """What holds the nested stacks of one stack."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Drawing:
    """Nodes in the order of reading, frames, and lines as SVG path data."""

    width: int
    height: int
    nodes: tuple[Node, ...]
    frames: tuple[Frame, ...]
    edges: tuple[str, ...]


def drawn(paths: Sequence[Place]) -> Drawing:
    """The tree of stacks with these paths. A stack whose parent is not among them stands below the nearest that is."""
    plotter = _Plotter(_children(paths))
    height = plotter.place((), MARGIN, MARGIN)
    right = max([node.x + WIDTH for node in plotter.nodes] + [f.x + f.width for f in plotter.frames])
    return Drawing(right + MARGIN, height + 2 * MARGIN, plotter.numbered(), tuple(plotter.frames), tuple(plotter.edges))


def _children(paths: Sequence[Place]) -> dict[Place, list[Place]]:
    known = {(), *paths}
    below: dict[Place, list[Place]] = {path: [] for path in known}
    for path in sorted(known - {()}):
        parent = path[:-1]
        while parent not in known:
            parent = parent[:-1]
        below[parent].append(path)
    return below


@dataclass
class _Placed:
    path: Place
    x: int
    y: int
    level: int
    position: int
    of: int
    parent: Place | None


class _Plotter:
    def __init__(self, below: dict[Place, list[Place]]) -> None:
        self._below = below
        self._parents = {child: parent for parent, children in below.items() for child in children}
        self.nodes: list[_Placed] = []
        self.frames: list[Frame] = []
        self.edges: list[str] = []

    def place(self, path: Place, x: int, y: int, *, level: int = 1, position: int = 1, of: int = 1) -> int:
        """Draw a stack with all below it; the height that this takes."""
        self.nodes.append(_Placed(path, x, y, level, position, of, self._parents.get(path)))
        below = self._below[path]
        # What has nothing below it first: the frame is near its stack, however long the rest gets.
        leaves = [child for child in below if not self._below[child]]
        inner = [child for child in below if self._below[child]]
        right, bottom = x + WIDTH + GAP, y
        if leaves:
            bottom += self._frame(path, leaves, right, y, level=level + 1, of=len(below)) + BETWEEN * 2
            self._edge(x, y, right, y)
        for number, child in enumerate(inner, len(leaves) + 1):
            self._edge(x, y, right, bottom)
            bottom += self.place(child, right, bottom, level=level + 1, position=number, of=len(below)) + BETWEEN * 2
        return max(HEIGHT, bottom - y - BETWEEN * 2 if below else HEIGHT)

    def _frame(self, path: Place, leaves: Sequence[Place], x: int, y: int, *, level: int, of: int) -> int:
        """Column by column, in alphabetical order, as a reader looks names up."""
        columns = next((columns for most, columns in _COLUMNS if len(leaves) <= most), _MOST_COLUMNS)
        rows = math.ceil(len(leaves) / columns)
        columns = math.ceil(len(leaves) / rows)
        # The frame's first row stands beside its stack.
        top = y - PADDING
        for number, leaf in enumerate(leaves):
            column, row = divmod(number, rows)
            left = x + PADDING + column * (WIDTH + BETWEEN)
            self.nodes.append(_Placed(leaf, left, y + row * (HEIGHT + BETWEEN), level, number + 1, of, path))
        width = columns * (WIDTH + BETWEEN) - BETWEEN + 2 * PADDING
        height = rows * (HEIGHT + BETWEEN) - BETWEEN + 2 * PADDING
        self.frames.append(Frame(x, top, width, height))
        return height - PADDING

    def _edge(self, x: int, y: int, right: int, bottom: int) -> None:
        middle, half = x + WIDTH + GAP // 2, HEIGHT // 2
        start, end = f"M{x + WIDTH} {y + half}", f"V{bottom + half}H{right}"
        self.edges.append(f"{start}H{right}" if bottom == y else f"{start}H{middle}{end}")

    def numbered(self) -> tuple[Node, ...]:
        """With indexes in place of paths."""
        index = {node.path: number for number, node in enumerate(self.nodes)}
        return tuple(self._numbered(index))

    def _numbered(self, index: dict[Place, int]) -> Iterator[Node]:
        for node in self.nodes:
            parent = -1 if node.parent is None else index[node.parent]
            first = min((index[child] for child in self._below[node.path]), default=-1)
            yield Node(node.path, node.x, node.y, node.level, node.position, node.of, parent, first)
