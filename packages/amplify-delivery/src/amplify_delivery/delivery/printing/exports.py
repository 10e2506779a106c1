"""Findings about an export, and the assembly that was made of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amplify_delivery.delivery import output
from amplify_delivery.errors import REFUSED
from amplify_delivery.export import Assembly, Export
from amplify_delivery.findings import Finding


def findings(export: Export, findings: Sequence[Finding]) -> int:
    """Print every finding about an export, for people; the exit code."""
    output.findings(sorted(findings, key=lambda f: ("refused", "warning", "repaired").index(f.severity)))
    counts = {s: sum(f.severity == s for f in findings) for s in ("refused", "warning", "repaired")}
    print(f"{export.path}: " + (", ".join(f"{n} {s}" for s, n in counts.items() if n) or "nothing to report"))
    return REFUSED if counts["refused"] else 0


def described(made: Assembly, out: Path) -> dict[str, Any]:
    """The assembly that was written into `out`, for machines."""
    return {
        "assembly": str(out),
        "project": made.project,
        "digest": made.digest(),
        "objects": len(made.objects),
        "bytes": _size(made),
        "stacks": _stacks(made),
        "findings": [f.to_json() for f in made.findings],
    }


def assembly(made: Assembly, out: Path) -> None:
    """An assembly that was written into `out`, for people, but for its findings."""
    stacks, objects = output.counted(_stacks(made), "stack"), output.counted(len(made.objects), "object")
    print(f"{out}: {made.project}, {stacks}, {objects}, {_size(made):,} bytes")


def _size(made: Assembly) -> int:
    return sum(o.size for o in made.objects)


def _stacks(made: Assembly) -> int:
    return sum(1 for _ in made.root.walk())
