"""Plans against a commit as Markdown: a comment of a pull request. What must not be overlooked stands first, the steps
are folded by stack.

Texts come from templates and stack files of a branch that nobody has read yet. So names and values stand as code, where
nothing is a mark, a link or somebody's name, and sentences are escaped.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

from amplify_delivery.changes.gained import Gained
from amplify_delivery.changes.steps import Step
from amplify_delivery.delivery.planning.offline.against import Against, OfflinePlan
from amplify_delivery.delivery.planning.plan import number_of, updates_of

MARK = "<!-- amplify-delivery plan -->"
"""The first line: by it a CI finds its own comment again."""
LONGEST = 60_000
"""Characters; a comment on GitHub takes 65,536."""
_FEW = 30
"""Lines of one list that are shown; rights and losses are never folded away."""

_SIGNS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$&:])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069]+")
"""Line ends, and what turns a text's direction or cannot be seen."""


def markdown(found: Against) -> str:
    """All plans, in at most `LONGEST` characters: what does not fit is counted. Where data would be lost comes first,
    then what is impossible, then where something is opened."""
    plans = sorted(found.plans, key=lambda p: (not p.losses, not p.impossible, not any(r.open for r in p.gained)))
    head = [MARK, f"## Deployments, against {code(found.revision.ref)} ({code(found.revision.commit[:12])})", ""]
    head += [f"- {sentence(note)}" for note in found.notes]
    sections = ["\n".join(head)]
    sections += ["\n".join(_section(plan)) for plan in plans]
    whole = "\n\n".join(sections)
    folded = [(plan, fold) for plan in plans for fold in _folds(plan)]
    rest = 0
    for index, (plan, fold) in enumerate(folded):
        mark = _place_of(plan)
        if len(whole) + len(fold) > LONGEST:
            rest = len(folded) - index
            break
        whole = whole.replace(mark, f"{fold}\n\n{mark}", 1)
    for plan in plans:
        whole = whole.replace(_place_of(plan), "", 1)
    if rest:
        whole += f"\n\n{rest} more stacks: `amplify-delivery plan --against {sentence(found.revision.ref)}` lists all."
    return re.sub(r"\n{3,}", "\n\n", whole).rstrip() + "\n"


def code(text: str, *, cell: bool = False) -> str:
    """A text as code: in as many backticks as it takes. In a `cell` of a table a `|` ends it even there."""
    clean = _CONTROL.sub(" ", text).strip() or " "
    clean = clean.replace("|", "\\|") if cell else clean
    ticks = "`" * (max(map(len, re.findall("`+", clean)), default=0) + 1)
    space = " " if clean[0] == "`" or clean[-1] == "`" else ""
    return f"{ticks}{space}{clean}{space}{ticks}"


def sentence(text: str) -> str:
    """A text as text, with no sign that means anything to Markdown, and nobody mentioned."""
    return _SIGNS.sub(r"\\\1", _CONTROL.sub(" ", text)).replace("@", "@<!-- -->")


def _section(plan: OfflinePlan) -> Iterator[str]:
    """What is told of one environment without folding."""
    yield f"### {code(plan.name)}: {_summary(plan)}"
    yield ""
    yield f"{code(plan.stack)} in account {code(plan.config.account)}, {code(plan.config.region)}"
    if plan.losses:
        yield from ("", "**Data would be lost:**", "")
        yield from _limited([f"- {_step(s)}: **{sentence(s.loss)}**" for s in plan.losses])
    if plan.impossible:
        yield from ("", "**AWS cannot do this:**", "")
        yield from _limited(
            [
                f"- {code(i.id)} {code(i.place)} {sentence(i.message)} → {sentence(i.remedy_in(plan.name))}"
                for i in plan.impossible
            ]
        )
    if plan.gained:
        yield from ("", "**Rights that are new:**", "")
        yield from _rights(plan.gained, first=not plan.deployed)
    if plan.notes:
        yield ""
        yield from (f"- {sentence(note)}" for note in plan.notes)
    yield from ("", _place_of(plan))


def _place_of(plan: OfflinePlan) -> str:
    """Where an environment's folded stacks go, while the whole is put together."""
    return f"\x00{plan.name}\x00"


def _summary(plan: OfflinePlan) -> str:
    if not plan.steps:
        return "nothing to change"
    parts = [_counted(number_of(plan.steps), "change")]
    if plan.losses:
        parts.append(f"**{_counted(len(plan.losses), 'loss', 'losses')} of data**")
    if plan.impossible:
        parts.append(f"**{len(plan.impossible)} impossible**")
    if plan.gained:
        opened = sum(right.open for right in plan.gained)
        parts.append(_counted(len(plan.gained), "new right") + (f" ({opened} open to anyone)" if opened else ""))
    return ", ".join(parts)


def _rights(found: Sequence[Gained], *, first: bool) -> Iterator[str]:
    shown = [right for right in found if right.open] if first else list(found)
    lines = [f"- {'**open** ' if right.open else ''}{code(right.place)}: {code(right.what)}" for right in shown]
    yield from _limited(lines)
    if len(shown) < len(found):
        yield f"- and, since all of it is new, {len(found) - len(shown)} more"


def _folds(plan: OfflinePlan) -> Iterator[str]:
    """The steps of each stack, folded; of a plan of several updates those of each."""
    count, runs = updates_of(plan.steps)
    for number, header, steps in runs:
        which = f"update {number} of {count} ({header.what}), " if header else ""
        ordered = sorted(steps, key=lambda s: (_stack(s), s.place))
        for stack, inside in itertools.groupby(ordered, key=_stack):
            yield _fold(f"{which}{stack or 'root stack'}", list(inside))


def _fold(title: str, steps: Sequence[Step]) -> str:
    heading = f"{title}: {_counted(len(steps), 'change')}"
    rows = [f"| {code(s.mark)} | {code(_name(s), cell=True)} | {code(s.type, cell=True)} | {_told(s)} |" for s in steps]
    return "\n".join(
        [
            f"<details><summary>{_html(heading)}</summary>",
            "",
            "| | resource | type | |",
            "|---|---|---|---|",
            *rows,
            "",
            "</details>",
        ]
    )


def _told(step: Step) -> str:
    what = code(step.what, cell=True) if step.what else ""
    return f"{what} **{sentence(step.loss)}**" if step.loss else what


def _stack(step: Step) -> str:
    return step.place.rpartition("/")[0]


def _name(step: Step) -> str:
    return step.place.rpartition("/")[2]


def _step(step: Step) -> str:
    return f"{code(step.mark)} {code(step.place)} ({code(step.type)})" + (f" {code(step.what)}" if step.what else "")


def _limited(lines: Sequence[Any]) -> Iterator[str]:
    yield from lines[:_FEW]
    if len(lines) > _FEW:
        yield f"- ... and {len(lines) - _FEW} more"


def _html(text: str) -> str:
    clean = _CONTROL.sub(" ", text)
    return re.sub(r"[^A-Za-z0-9 /,:]", lambda found: f"&#{ord(found[0])};", clean)


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
