"""A finding: one thing about an export that is worth telling, with its remedy."""

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
