"""Lambda's runtimes that age out, as cfn-lint knows them (Lambda Developer Guide, "Runtime deprecation")."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Life:
    """The days of a runtime's end, and which one comes after it; None where AWS has named none."""

    deprecated: date | None
    no_create: date | None
    no_update: date | None
    successor: str | None


def lives() -> Mapping[str, Life]:
    """All runtimes that cfn-lint knows, by name."""

    def day(text: str | None) -> date | None:
        return date.fromisoformat(text) if text else None

    return {
        runtime: Life(
            day(known.get("deprecated")),
            day(known.get("create-block")),
            day(known.get("update-block")),
            known.get("successor"),
        )
        for runtime, known in _life().items()
    }


def may_not_be_created(runtime: str, today: date) -> date | None:
    """Since when Lambda makes no functions with that runtime; None if it does on the day `today` (UTC)."""
    day = _life().get(runtime, {}).get("create-block")
    since = date.fromisoformat(day) if day else None
    return since if since is not None and since <= today else None


@functools.cache
def _life() -> Mapping[str, Mapping[str, Any]]:
    # The file alone: cfn-lint itself takes most of a second to import.
    package = find_spec("cfnlint")
    assert package is not None and package.origin is not None  # noqa: S101 - it is a requirement of ours
    path = Path(package.origin).with_name("data") / "AdditionalSpecs" / "LmbdRuntimeLifecycle.json"
    known: Mapping[str, Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return known
