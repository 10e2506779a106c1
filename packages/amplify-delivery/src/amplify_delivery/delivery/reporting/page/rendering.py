"""A report as one HTML page that needs nothing else: no other file, no network.

Everything that is shown is escaped by the template engine; the data itself stands in the page once more, as JSON in
which no `<` is left. The page's policy (Content-Security-Policy, Level 3, "hash-source") lets exactly this page's style
and script run and nothing be loaded, so that even markup that got through could do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from amplify_delivery.delivery.reporting.page.report_model import Line, Place, Report, Role, Span, Stack, Tone
from amplify_delivery.delivery.reporting.page.tree_layout import HEIGHT, WIDTH, Node, drawn

MARKS = {
    "+": ("add", "new"),
    "~": ("change", "changed"),
    "!": ("replace", "replaced"),
    "-": ("remove", "removed"),
    ">": ("move", "moved"),
    "=": ("change", "update"),
    "^": ("replace", "recovered"),
}
"""Each mark's class in the page, and its word for whoever does not see its colour."""
TONES: dict[str, Tone] = {
    "Succeeded": "good",
    "Failed": "bad",
    "InProgress": "",
    "Skipped": "warn",
    "Cancelled": "warn",
    "Stopped": "warn",
    "Abandoned": "warn",
}
SIGNS = {"good": "✓", "bad": "✕", "warn": "!", "": "·"}
"""A tone, for whoever does not see its colour."""
_FOLDER = Path(__file__).parent
_OPEN = 80
"""Changed resources up to which all stacks are unfolded at first."""
_SPANS = 25
"""The longest ones, which are shown at once."""
_LETTERS = 16
"""Of a stack's name that fit into its node beside its numbers."""


def rendered(report: Report) -> str:
    """The page's text. The same report gives the same text."""
    style, script = _source("page.css"), _source("page.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return _template().render(
        report=report,
        policy=policy,
        style=Markup(style),  # noqa: S704 - files of this package
        script=Markup(script),  # noqa: S704
        groups=groups(report.lines),
        changed=sum(bool(line.mark) for line in report.lines),
        unfolded=sum(bool(line.mark) for line in report.lines) <= _OPEN,
        lost=[line for line in report.lines if line.loss],
        marks=MARKS,
        counts=Counter(line.mark for line in report.lines if line.mark),
        graph=graph(report) if report.stacks else None,
        charts=[(timings, *_longest(timings.spans)) for timings in report.timings],
        services=services,
        tone=lambda status: TONES.get(status, ""),
        signs=SIGNS,
        width=WIDTH,
        height=HEIGHT,
        data=_embedded(report),
    )


def written(report: Report, path: Path) -> None:
    """Write the page to a file. Raises `OSError`."""
    path.write_bytes(encoded(rendered(report)))


def encoded(text: str) -> bytes:
    """As UTF-8. What has no form in it (half a surrogate pair, which JSON can hold) becomes a question mark."""
    return text.encode("utf-8", "replace")


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        seconds=seconds, thousands=lambda number: f"{number:,}", breakable=_breakable, prose=prose
    )
    return environment.get_template("page.html.jinja")


def _breakable(kind: str) -> Markup:
    """A type that may be broken behind its `::`."""
    return Markup("::<wbr>").join(kind.split("::"))


def prose(text: str) -> Markup:
    """A sentence of ours, in which `code` stands in backticks."""
    parts = text.split("`")
    if not len(parts) % 2:  # one backtick without another is what it is
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(p) if n % 2 else escape(p) for n, p in enumerate(parts))


@cache
def _source(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _digest(source: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}"


def _embedded(report: Report) -> Markup:
    """The JSON document for a script element. That ends at `</script`, and its text is not unescaped: neither this nor
    `<!--` can stand in it."""
    text = json.dumps(report.document(), ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)  # noqa: S704 - made safe above


def seconds(number: float) -> str:
    """A time as people read it: `0.4 s`, `12 s`, `3 min 20 s`, `1 h 5 min`."""
    if number < 10:
        return f"{number:.1f} s"
    if number < 90:
        return f"{number:.0f} s"
    minutes, rest = divmod(round(number), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


@dataclass(frozen=True)
class Group:
    """Lines of one stack, or of the program, or outputs. `lost` is the number of those that lose data."""

    title: str
    stack: Place
    run: int
    lines: tuple[Line, ...]
    counts: tuple[tuple[str, int], ...]

    @property
    def changed(self) -> bool:
        return bool(self.counts)


def groups(lines: Iterable[Line]) -> list[Group]:
    """The lines by update, part and stack: the backend's stacks in the order of their places, the root first."""
    parts = ("backend", "program", "outputs")

    def of(line: Line) -> tuple[int, int, Place]:
        return line.run, parts.index(line.part), line.stack

    titles = {"program": "Beside the backend", "outputs": "Outputs of the program"}
    found = []
    for (run, part, stack), inside in itertools.groupby(sorted(lines, key=lambda line: (*of(line), line.name)), key=of):
        members = tuple(inside)
        title = titles.get(parts[part]) or " / ".join(stack) or "Root stack"
        counts = Counter(line.mark for line in members if line.mark)
        found.append(Group(title, stack, run, members, tuple((m, counts[m]) for m in MARKS if counts[m])))
    return found


@dataclass(frozen=True)
class Box:
    """A stack as it is drawn: `label` is what fits, `spoken` all of it in words."""

    node: Node
    label: str
    stack: Stack
    counts: tuple[tuple[str, int], ...]
    spoken: str


@dataclass(frozen=True)
class Graph:
    """The nested stacks, drawn; and once more as they would be listed, each with its depth."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    frames: tuple[object, ...]
    edges: tuple[str, ...]
    listed: tuple[Box, ...]


def graph(report: Report) -> Graph:
    """The drawing of a report's stacks."""
    by_path = {stack.path: stack for stack in report.stacks}
    by_path.setdefault((), Stack((), "root", 0))
    marks: dict[Place, Counter[str]] = {}
    for line in report.lines:
        if line.part == "backend" and line.mark in MARKS:
            marks.setdefault(line.stack, Counter())[line.mark] += 1
    drawing = drawn(list(by_path))
    boxes = tuple(_box(node, by_path[node.path], marks.get(node.path, Counter())) for node in drawing.nodes)
    listed = tuple(sorted(boxes, key=lambda box: box.node.path))
    return Graph(drawing.width, drawing.height, boxes, drawing.frames, drawing.edges, listed)


def _box(node: Node, stack: Stack, counts: Counter[str]) -> Box:
    ordered = tuple((mark, counts[mark]) for mark in MARKS if counts[mark])
    words = ", ".join(f"{number} {MARKS[mark][1]}" for mark, number in ordered) or "nothing changes"
    many = "1 resource" if stack.resources == 1 else f"{stack.resources:,} resources"
    spoken = f"{stack.name}: {many}, {words}" + (f", {stack.status}" if stack.status else "")
    room = _LETTERS + 4 - len(" ".join(f"{m}{n}" for m, n in ordered) or str(stack.resources))
    return Box(node, shortened(stack.name, room), stack, ordered, spoken)


def shortened(name: str, most: int) -> str:
    """A name with its middle left out, if it is longer: what tells names apart is at their ends."""
    if len(name) <= most:
        return name
    front = most // 2
    return f"{name[:front]}…{name[-(most - 1 - front) :]}"


def _longest(spans: Sequence[Span]) -> tuple[list[Span], list[Span]]:
    """The longest, and all others; both in the order of their beginnings."""
    names = {id(span) for span in sorted(spans, key=lambda span: -span.seconds)[:_SPANS]}
    ordered = sorted(spans, key=lambda span: (span.start, -span.seconds, span.name))
    return [s for s in ordered if id(s) in names], [s for s in ordered if id(s) not in names]


def services(role: Role) -> list[tuple[str, list[tuple[str, list[str], bool | None]]]]:
    """A role's needs by service; of each action its name without the service, the types, whether it is missing."""
    ordered = sorted(role.needs, key=lambda need: need.action)
    return [
        (service, [(n.action.partition(":")[2], [t.removeprefix("AWS::") for t in n.types], n.missing) for n in needs])
        for service, needs in itertools.groupby(ordered, key=lambda need: need.action.partition(":")[0])
    ]
