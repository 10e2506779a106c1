"""What can be found out at all: the list of all ids, and what one of them stands for."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from amplify_delivery.delivery import output
from amplify_delivery.findings import Rule

if TYPE_CHECKING:
    from amplify_delivery.changes.catalogue import Explanation

_WIDEST = 100


def listed(rules: Sequence[Rule], *, as_json: bool) -> None:
    """Every id with its severity and what it finds."""
    if as_json:
        output.document({"rules": [vars(rule) for rule in rules]})
        return
    output.table(("ID", "SEVERITY", "FINDS"), ((r.id, r.severity, r.what.partition(". ")[0]) for r in rules))
    print("\n`amplify-delivery check --explain ID` says more of one, also of cfn-lint's (E3012; they are AD700)")


def explained(found: Explanation, *, as_json: bool) -> None:
    """All that is known of one id."""
    if as_json:
        output.document(found.to_json())
        return
    width = min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)
    rows = {
        found.id: found.what,
        "severity": found.severity,
        "why": found.why,
        "what to do": found.remedy,
        "overruled": found.overruled,
        "told by": found.told_by,
        "source": found.source,
    }
    for name, text in rows.items():
        if text:
            print(
                textwrap.fill(
                    text,
                    width,
                    initial_indent=f"{name:<12}",
                    subsequent_indent=" " * 12,
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            )
