"""What the doctor says: one line for each thing that was looked at, with what to do where something is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

State = Literal["ok", "warning", "error", "not known"]
STATES: tuple[State, ...] = ("ok", "warning", "error", "not known")


@dataclass(frozen=True)
class Line:
    """One thing that was looked at. `remedy` holds commands that work as they are printed; `right` is the IAM action
    that whoever asked lacks, where that is why nothing is known."""

    subject: str
    state: State
    said: str
    remedy: str = ""
    right: str = ""

    def to_json(self) -> dict[str, str]:
        return {
            "subject": self.subject,
            "state": self.state,
            "message": self.said,
            "remedy": self.remedy,
            "right": self.right,
        }


@dataclass(frozen=True)
class Section:
    """What was looked at in one place: this machine, or the account of a stack."""

    place: str
    lines: tuple[Line, ...]

    def to_json(self) -> dict[str, Any]:
        return {"place": self.place, "lines": [line.to_json() for line in self.lines]}


def counted(sections: Iterable[Section]) -> Mapping[str, int]:
    """How many lines there are of each state."""
    states = [line.state for section in sections for line in section.lines]
    return {state: states.count(state) for state in STATES}


def is_well(sections: Sequence[Section], *, strict: bool) -> bool:
    """Whether there is no error; if `strict`, no warning either, and nothing that is not known."""
    found = counted(sections)
    return not found["error"] and not (strict and (found["warning"] or found["not known"]))
