"""Lambda's runtimes that age out, as cfn-lint knows them (Lambda Developer Guide, "Runtime deprecation")."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from typing import Any


def may_not_be_created(runtime: str, today: date) -> date | None:
    """Since when Lambda makes no functions with that runtime; None if it does on the day `today` (UTC)."""
    day = _life().get(runtime, {}).get("create-block")
    since = date.fromisoformat(day) if day else None
    return since if since is not None and since <= today else None


@functools.cache
def _life() -> Mapping[str, Mapping[str, Any]]:
    known: Mapping[str, Mapping[str, Any]] = json.loads(
        files("cfnlint.data.AdditionalSpecs").joinpath("LmbdRuntimeLifecycle.json").read_text(encoding="utf-8")
    )
    return known
