"""What can be found out at all: the list of all ids, and what one of them stands for."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from amplify_delivery.delivery import output
from amplify_delivery.findings import Finding, Rule

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
    _show(found)


def explained_in(export: str, explained: Sequence[Explanation], findings: Sequence[Finding], *, as_json: bool) -> None:
    """Ids as they are found in an export: what each is, then where. The worst first."""
    order = ("refused", "warning", "repaired")
    by_id = {found.id: [f for f in findings if f.id == found.id] for found in explained}
    worst = sorted(explained, key=lambda e: min((order.index(f.severity) for f in by_id[e.id]), default=len(order)))
    if as_json:
        several = [{**e.to_json(), "findings": [f.to_json() for f in by_id[e.id]]} for e in worst]
        output.document({"export": export, "explanations": several})
        return
    for found in worst:
        _show(found)
        print()
        if by_id[found.id]:
            output.findings(by_id[found.id])
        else:
            others = ", ".join(dict.fromkeys(f.id for f in findings)) or "nothing"
            print(f"{found.id} is not found in {export}; what is found there: {others}")
        print()
    if not worst:
        print(f"{export}: nothing to report")


def _show(found: Explanation) -> None:
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
