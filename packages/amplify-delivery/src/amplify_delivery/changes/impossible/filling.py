"""Successors of tables that a release would use without their items."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from amplify_delivery.changes.impossible.finding import Impossible
from amplify_delivery.changes.impossible.rules import UNFILLED
from amplify_delivery.changes.ordered import successors
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import Path


def unfilled(old: Stacks, new: Stacks, copied: Collection[Path]) -> Iterator[Impossible]:
    """AD749: of a successor's three updates (`amplify_delivery.changes.ordered.successors`) the second is done, and the
    third is asked for without what comes between."""
    for path in successors.unfilled(old, new):
        if path not in copied:
            prefix = successors.current_prefix(old, path)
            yield Impossible(
                UNFILLED.id,
                "/".join(path),
                f"its successor (prefix {prefix}) is made and not filled yet: the items are in the old table, which "
                "stays; this release would have the app use "
                + ("the successor without them" if new.resource(path) else "neither"),
                _filling(old, new, path, prefix),
            )
    for path in successors.left_behind(old, new):
        yield Impossible(
            UNFILLED.id,
            "/".join(path),
            "was delivered with `data: leave`, and its successor is in use: nothing is copied behind the app's back",
            "write `data: leave` for it, as it was delivered",
        )


def _filling(old: Stacks, new: Stacks, path: Path, prefix: str) -> str:
    choices = successors.choices(new)
    up = "`amplify-delivery up ENV` copies them first, so do `plan` and `deploy`"
    anew = successors.has_other_keys(old, new, path)
    if choices.get(path) in ("copy", "keep") and (not anew or successors.prefix_of(new, path) != prefix):
        return up
    if anew:
        prefix = successors.next_prefix(prefix)  # another successor, from the same old table
    place = "/".join(path)
    if path in choices and len(choices) > 1:
        return f"in `replacedTables` of Pulumi.ENV.yaml, give {place} the prefix {prefix} and `data: copy`; then {up}"
    which = f"'replacedTables[{0 if path in choices else len(choices)}]"
    entry = f"--plaintext {which}.path={place}' --plaintext {which}.prefix={prefix}' --plaintext {which}.data=copy'"
    return f"`pulumi config set-all -s ENV --path {entry}`; then {up}"
