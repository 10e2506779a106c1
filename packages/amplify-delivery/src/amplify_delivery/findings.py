"""A finding: one thing about an export that is worth telling, with its remedy; and the rule that it comes from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["repaired", "warning", "refused"]


_NAMED = 6
"""How many names a finding lists before it counts the rest."""


def listed(names: Collection[str]) -> str:
    """Names for a sentence: `a, b, c`, or `a, b, c, d, e, f and 14 more`."""
    shown = list(names)[:_NAMED]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


@dataclass(frozen=True, order=True)
class Finding:
    """`id` is stable (AD101...); `file` is relative to the export's folder."""

    id: str
    severity: Severity
    file: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.id} {self.file}: {self.message}"
        return f"{text}\n  -> {self.remedy}" if self.remedy else text

    def to_json(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Rule:
    """What an id stands for, wherever it is found out: docs/checks.md is made of these."""

    id: str
    severity: Severity
    """As a rule: what is right in the exported environment only is told there, and refused in others."""
    what: str
    """One sentence for the user, or a few."""
    source: str
    """Address of the document that says so: AWS's, or the report of the exporter's fault."""
    on_aws: str = ""
    """What AWS would answer, where it is known."""
    remedy: str = ""
    """What to do, wherever it is; a finding says it of its place."""

    def at(self, file: str, message: str, remedy: str = "") -> Finding:
        """The finding of this in `file`."""
        return Finding(self.id, self.severity, file, message, remedy)
