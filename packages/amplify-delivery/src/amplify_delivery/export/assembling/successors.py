"""The assembly of an environment in which a table with a name of its own has a successor under another name.

CloudFormation replaces nothing that keeps a name of its own. So whoever wants other keys for such a table chooses a
prefix for its name (an environment's rights go by how names end), and says what becomes of its items. The choice stands
in the template, as metadata of the table: what is done with it (`amplify_delivery.changes.ordered.successors`) follows
from the templates alone.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from amplify_delivery.errors import ConfigError
from amplify_delivery.export.assembly import Assembly, AssemblyObject, NestedStack, canonical
from amplify_delivery.export.documents import parse_json

SUCCESSOR = "AmplifyDeliverySuccessor"
"""Key of a table's metadata: `{"prefix": "v2-", "data": "copy"}`."""
RETAINED = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
TABLE = "AWS::DynamoDB::Table"

_KEY = "replacedTables"


@dataclass(frozen=True)
class Successor:
    """That the table at `path` (logical ids from the root stack on) is replaced by one with `prefix` before its name.
    Its items are copied there, or left where they are, or that one is kept as it is; the table itself stays in the
    account in any case."""

    path: tuple[str, ...]
    prefix: str
    data: Literal["copy", "keep", "leave"]

    @property
    def place(self) -> str:
        return "/".join(self.path)


def with_successors(assembly: Assembly, successors: Sequence[Successor]) -> Assembly:
    """`assembly` with these tables under their other names. It has the digest of `assembly`. Pure.

    Raises `ConfigError` where there is no such table, or one without a name of its own.
    """
    if not successors:
        return assembly
    made: dict[str, tuple[AssemblyObject, bytes]] = {}
    root = _stack(assembly, assembly.root, (), successors, made)
    used = {stack.template for _, stack in root.walk()}
    kept = [item for item in assembly.objects if item.kind != "template" or item.key in used]
    objects = sorted([*kept, *(item for item, _ in made.values() if item not in kept)], key=lambda item: item.key)
    return replace(
        assembly,
        root=root,
        objects=tuple(objects),
        reader=lambda key: made[key][1] if key in made else assembly.read(key),
        origin=assembly.origin or assembly,
    )


def _stack(
    assembly: Assembly,
    node: NestedStack,
    path: tuple[str, ...],
    successors: Sequence[Successor],
    made: dict[str, tuple[AssemblyObject, bytes]],
) -> NestedStack:
    """A stack and those below it; children first, because their keys stand in it."""
    own = [s for s in successors if s.path[:-1] == path]
    below = {s.path[len(path)] for s in successors if len(s.path) > len(path) + 1 and s.path[: len(path)] == path}
    for name in sorted(below - node.nested.keys()):
        raise _unknown(next(s for s in successors if s.path[: len(path) + 1] == (*path, name)), node.nested)
    if not own and not below:
        return node
    nested = {
        name: _stack(assembly, child, (*path, name), successors, made) if name in below else child
        for name, child in node.nested.items()
    }
    if not node.template:
        for successor in own:
            raise _unknown(successor, node.nested)  # the root has no tables
        return replace(node, nested=nested)
    body = assembly.read(node.template)
    for name in below:
        body = body.replace(node.nested[name].template.encode(), nested[name].template.encode())
    template = parse_json(body)
    for successor in own:
        template = _renamed(template, successor)
    body = canonical(template)
    item = AssemblyObject.of_template(body)
    made[item.key] = item, body
    return replace(node, template=item.key, nested=nested)


def _unknown(successor: Successor, names: Mapping[str, Any]) -> ConfigError:
    known = difflib.get_close_matches(successor.path[-1], list(names), n=1)
    return ConfigError(
        f"there is no table {successor.place}" + (f"; {known[0]} would be alike" if known else ""),
        where=_KEY,
        remedy="write it as `plan` shows it: logical ids from the root stack on, joined by /",
    )


def _renamed(template: Mapping[str, Any], successor: Successor) -> dict[str, Any]:
    """`template` with the table's other name, wherever the same expression makes it: in the policies of its resolvers'
    role, too. A name that is written plainly is changed at the table alone."""
    *_, name = successor.path
    resources = template.get("Resources") or {}
    tables = {n: r for n, r in resources.items() if r.get("Type") == TABLE}
    if name not in tables:
        raise _unknown(successor, tables)
    was = (tables[name].get("Properties") or {}).get("TableName")
    if was is None:
        raise ConfigError(
            f"{successor.place} has no name of its own: CloudFormation gives it another one when it is replaced",
            where=_KEY,
            remedy="take it out there",
        )
    now = with_prefix(successor.prefix, was)
    if isinstance(was, Mapping) and was.keys().isdisjoint({"Ref"}):
        resources = substituted(resources, was, now)
    table = resources[name]
    table = {
        **table,
        **RETAINED,
        "Metadata": {
            **(table.get("Metadata") or {}),
            SUCCESSOR: {"prefix": successor.prefix, "data": successor.data},
        },
        "Properties": {**table["Properties"], "TableName": now},
    }
    return {**template, "Resources": {**resources, name: table}}


def with_prefix(prefix: str, name: Any) -> Any:
    """An expression for a name with `prefix` before what the expression `name` gives."""
    return f"{prefix}{name}" if isinstance(name, str) else {"Fn::Join": ["", [prefix, name]]}


def substituted(value: Any, was: Any, now: Any) -> Any:
    """`value` with `now` in each place where `was` stood."""
    if value == was:
        return now
    if isinstance(value, Mapping):
        return {key: substituted(inner, was, now) for key, inner in value.items()}
    return [substituted(inner, was, now) for inner in value] if isinstance(value, list) else value
