"""Policies as requests and templates bring them: an object, or JSON in a text; one of a thing, or a list of it."""

from __future__ import annotations

import json
from typing import Any


def several(value: Any) -> list[Any]:
    """One or a list ("IAM JSON policy elements: Action"), as a list; of None an empty one."""
    return list(value) if isinstance(value, list) else [] if value is None else [value]


def statements_of(document: Any) -> list[dict[str, Any]]:
    """Of a policy, which a template may have as an object or as JSON in a text, and that in a text again."""
    while isinstance(document, str):
        document = json.loads(document)
    return several((document or {}).get("Statement"))
