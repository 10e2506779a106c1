"""Checks: what would fail, leak or destroy, found before AWS does.

One class per check. A check is registered by being in one of this package's modules. Reading an export
refuses malformed documents by itself (AD1xx, `amplify_export.read`), rewriting its locations finds files
that are missing (`amplify_export.rewrite`); their ids stand in `OTHER_IDS` so that one list knows all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amplify_export.checks import assets, parameters, quotas, structure
from amplify_export.checks.context import Check, Context
from amplify_export.findings import Finding

OTHER_IDS = {
    "AD101": "The path is no folder that can be read.",
    "AD102": "One of the four files that every export has is missing.",
    "AD103": "A document is not UTF-8, not JSON or YAML, or has a key twice.",
    "AD104": "A path or a link leaves the export's folder.",
    "AD105": "A document does not have the form that `amplify export` writes.",
    "AD106": "A file is larger than anything the exporter writes.",
    "AD107": "The manifest names a template that is not there.",
    "AD406": "A template names a file that is not in the export.",
    "AD407": "A template composes a location in a way that cannot be rewritten.",
    "AD504": "A template is larger than CloudFormation takes.",
}
"""Ids that other modules give, with a sentence each."""


def all_checks() -> list[Check]:
    """Every check, by id."""
    found: list[Check] = []
    for module in (structure, parameters, assets, quotas):
        for item in vars(module).values():
            if isinstance(item, type) and item.__module__ == module.__name__ and hasattr(item, "find"):
                check: Any = item()
                found.append(check)
    return sorted(found, key=lambda c: c.id)


def run_checks(context: Context) -> Iterator[Finding]:
    """Every finding of every check."""
    for check in all_checks():
        for file, message, remedy in check.find(context):
            yield Finding(check.id, check.severity, file, message, remedy)


__all__ = ["OTHER_IDS", "Check", "Context", "all_checks", "run_checks"]
