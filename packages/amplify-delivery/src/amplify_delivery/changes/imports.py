"""What a backend imports from other stacks of its account and region (`Fn::ImportValue`), and whether it is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from amplify_delivery.changes.impossible import Impossible
from amplify_delivery.changes.references import imports_of
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.export.templates.expressions import flatten
from amplify_delivery.findings import Rule
from amplify_delivery.publishing.aws_errors import suppressing_all

IMPORT = Rule(
    "AD747",
    "refused",
    "An import that no stack of the account and region exports.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-importvalue.html",
    "`No export named X found`",
    remedy="deploy the stack that exports it to this account first",
)

Exports = Callable[[], Collection[str] | None]
"""The names that stacks of the account and region export; None if that cannot be had."""


def not_exported(stacks: Stacks, exports: Exports, ignored: Collection[str] = ()) -> tuple[Impossible, ...]:
    """AD747: what resources and outputs of `stacks` import and no stack exports. What they export themselves counts as
    exported: CloudFormation may make it in time. `exports` is asked only if something is imported."""
    wanted = sorted(_imports(stacks))
    if not wanted or IMPORT.id in ignored:
        return ()
    there = exports()
    if there is None:
        return ()
    own = list(_own(stacks))
    return tuple(
        Impossible(
            IMPORT.id,
            place,
            f"imports {name}, which no stack of this account and region exports",
            "deploy the stack that exports it to this account first",
        )
        for place, name in wanted
        if name not in there and not any(pattern.fullmatch(name) for pattern in own)
    )


def listed(cloudformation: Any, told: Callable[[str], object]) -> Exports:
    """The exports of an account and region, asked when called. Whoever may not list them leaves it to AWS, and is
    `told` so."""

    def exports() -> frozenset[str] | None:
        with suppressing_all() as refusal:
            pages = cloudformation.get_paginator("list_exports").paginate()
            return frozenset(export["Name"] for page in pages for export in page["Exports"])
        lacking = "these credentials lack cloudformation:ListExports: " if refusal.denied else ""
        told(
            "whether anybody exports what the backend imports (Fn::ImportValue) only the deployment will tell "
            f"({lacking}{refusal.said})"
        )
        return None

    return exports


def _imports(stacks: Stacks) -> set[tuple[str, str]]:
    """(place, name) of all imports whose name is known."""
    return {("/".join(path), name) for path, name in imports_of(stacks.resolved) if isinstance(name, str)}


def _own(stacks: Stacks) -> Iterator[re.Pattern[str]]:
    """What the names that these stacks export look like: parts that are no text may be anything."""
    for template in stacks.templates.values():
        for output in (template.get("Outputs") or {}).values():
            if "Export" in output:
                parts = flatten((output["Export"] or {}).get("Name"))
                yield re.compile("".join(re.escape(p) if isinstance(p, str) else ".+" for p in parts))
