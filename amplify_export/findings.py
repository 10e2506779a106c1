"""A finding: one thing about an export that is worth telling, with its remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["repaired", "warning", "refused"]


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
