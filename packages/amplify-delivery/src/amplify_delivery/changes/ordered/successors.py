"""A table with a name of its own that gets a successor under another one, with its items. Pure.

"You can't perform an update that causes a custom-named resource to be replaced. If you must replace the resource,
specify a new name" (CloudFormation template reference, "Name type"). A release alone would then give the app an empty
table. So before it come two updates that change nothing but the table:

1. *closed*: nobody writes to it any more (a resource-based policy), and CloudFormation keeps it when it is replaced
   (UpdateReplacePolicy, which counts from the update after on, whichever template AWS looks it up in);
2. *made*: the table is replaced by its successor, which is empty, while everything that names the table names the old
   one still, by its name instead of by a reference.

Then the items are copied and compared, and the release brings the references back, which are the successor's now.
What has been done is told by the table's metadata in the deployed template: whoever asks again gets what is left.

Where the second has been done, the table may get yet another successor, under another prefix, from the same old table;
where the release has been done, from the successor that is in use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from amplify_delivery.changes.ordered.indexes import NotOrderableError
from amplify_delivery.changes.references import functions, imports_of
from amplify_delivery.changes.replacement import causes
from amplify_delivery.changes.stacks import DELETES, Stacks
from amplify_delivery.changes.steps import Path, Step, replaced_by
from amplify_delivery.export.assembling.successors import RETAINED, SUCCESSOR
from amplify_delivery.export.assembly import canonical
from amplify_delivery.export.documents import several
from amplify_delivery.export.templates.expressions import names_in

CLOSED = "closed"
MADE = "made"
_WRITES = ("BatchWriteItem", "DeleteItem", "PartiQLDelete", "PartiQLInsert", "PartiQLUpdate", "PutItem", "UpdateItem")
_POLICY = "ResourcePolicy"
_COPIED = ("copy", "keep")
_CLOSING = "CopiedToItsSuccessor"
"""The statement by which a table is closed: it tells our closing from whatever else denies a call."""
_KEYED = frozenset({"AttributeDefinitions", "KeySchema", "LocalSecondaryIndexes"})
"""What replaces a table for its own keys."""
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,30}[-_.]")
"""What a stack file may put before a table's name (`replacedTables`)."""

Template = Mapping[str, Any]


def wanted(new: Stacks) -> tuple[Path, ...]:
    """The tables whose items a release wants copied to their successors."""
    return tuple(
        (*stack, name)
        for stack, template in sorted(new.templates.items())
        for name, resource in sorted((template.get("Resources") or {}).items())
        if _mark(resource).get("data") in _COPIED
    )


def begun(old: Stacks, new: Stacks, steps: Sequence[Step]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Of the tables whose items are to be copied those whose successors are still to be made, and those whose items
    are still to be copied: their successors are there."""
    replaced = replaced_by(steps)
    chosen = [path for path in wanted(new) if old.resource(path)]
    made = tuple(p for p in chosen if _state(old, p) == MADE and p not in replaced)
    return tuple(p for p in chosen if p in replaced), made


def unfilled(old: Stacks, new: Stacks) -> tuple[Path, ...]:
    """The tables whose successors are made, and which `new` has no longer so: it uses the successor, or lets go of it.
    Nothing but the copy itself tells whether the items are there by then."""
    return tuple(
        (*stack, name)
        for stack, template in sorted(old.templates.items())
        for name, resource in sorted((template.get("Resources") or {}).items())
        if _mark(resource).get("state") == MADE and _state(new, (*stack, name)) != MADE
    )


def not_open(stacks: Stacks) -> tuple[Path, ...]:
    """The tables that the app uses and nobody may write to: a successor is to be made, or to be filled."""
    return tuple(
        (*stack, name)
        for stack, template in sorted(stacks.templates.items())
        for name, resource in sorted((template.get("Resources") or {}).items())
        if _mark(resource).get("state") in (CLOSED, MADE)
    )


def left_behind(old: Stacks, new: Stacks) -> tuple[Path, ...]:
    """The tables whose successors were made without the items, are in use, and should have got them now."""
    return tuple(
        path
        for path in wanted(new)
        if (was := _mark(old.resource(path))).get("data") == "leave" and was.get("prefix") == prefix_of(new, path)
    )


def current_prefix(stacks: Stacks, path: Path) -> str:
    """The prefix that the name of the table at `path` has; empty for one that is no successor."""
    mark = _mark(stacks.resource(path))
    return str(mark.get("of", "") if mark.get("state") == CLOSED else mark.get("prefix", ""))


def source(stacks: Stacks, path: Path) -> str:
    """The prefix of the table whose items a successor of the one at `path` gets: of that one, or of the one that it
    would have got them from itself."""
    mark = _mark(stacks.resource(path))
    return str(mark.get("of", "")) if mark.get("state") == MADE else current_prefix(stacks, path)


def base_name(table: Mapping[str, Any], name: str) -> str:
    """What the first of a chain of tables is called whose last one, called `name`, stands in a stack; empty for one
    that has succeeded none. Those between have other prefixes, which no template remembers."""
    mark = _mark(table)
    prefix = str(mark.get("of", "") if mark.get("state") == CLOSED else mark.get("prefix", ""))
    return name.removeprefix(prefix) if prefix and name.startswith(prefix) else ""


def may_be_former(name: str, base: str) -> bool:
    """Whether a table called `name` may be one of the chain whose first one is called `base`: that one, or one with a
    prefix before it."""
    return name == base or (name.endswith(base) and bool(_PREFIX.fullmatch(name.removesuffix(base))))


def has_proposed_prefix(name: str) -> bool:
    """Whether a name begins as `next_prefix` proposes it."""
    return bool(re.match(r"v\d+-", name))


def choices(stacks: Stacks) -> dict[Path, str]:
    """What becomes of the items (`copy`, `keep`, `leave`) of each table that a release gives another name."""
    return {
        (*stack, name): str(mark["data"])
        for stack, template in stacks.templates.items()
        for name, resource in (template.get("Resources") or {}).items()
        if "data" in (mark := _mark(resource))
    }


def closes(old: Stacks, path: Path) -> bool:
    """Whether the first of the two updates is still to be done."""
    return _state(old, path) not in (CLOSED, MADE)


def closed(old: Stacks, path: Path, new: Stacks) -> dict[str, Any]:
    """The table after the first of the two updates. Raises `NotOrderableError`."""
    table = old.resource(path)
    properties = table.get("Properties") or {}
    if _POLICY in properties:
        raise NotOrderableError("the table has a resource-based policy of its own, which its closing would replace")
    policy = {"PolicyDocument": closing(arn(properties["TableName"]))}
    return _with(table, CLOSED, prefix_of(new, path), source(old, path), {**properties, _POLICY: policy})


def next_prefix(name: str) -> str:
    """Another prefix than the one that the name, or prefix, begins with."""
    number = re.match(r"v(\d+)-", name)
    return f"v{int(number[1]) + 1}-" if number else "v2-"


def has_other_keys(old: Stacks, new: Stacks, path: Path) -> bool:
    """Whether the table at `path` cannot have the name in `new` that it has in `old`."""
    was, now = (stacks.resource(path).get("Properties") or {} for stacks in (old, new))
    kind = str(old.resource(path).get("Type"))
    return bool(now) and bool(_KEYED & {*causes(kind, was, now, frozenset()).properties})


def closing(table: Any) -> dict[str, Any]:
    """The policy by which nobody writes to a table, by an expression for its ARN."""
    statement = {
        "Sid": _CLOSING,
        "Effect": "Deny",
        "Principal": "*",
        "Action": [f"dynamodb:{action}" for action in _WRITES],
        "Resource": table,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def made(old: Stacks, path: Path, new: Stacks) -> dict[str, Any]:
    """The template with the table's successor after the second of the two updates. Raises `NotOrderableError`."""
    *_, name = path
    template, table = old.templates[path[:-1]], new.resource(path)
    _check_known(template, table)
    _check_streams(old, path)
    _check_imported(old, path)
    _check_named(old, path, new)
    was = template["Resources"][name]["Properties"]["TableName"]
    rest = {key: _pinned(value, name, was) for key, value in template["Resources"].items() if key != name}
    outputs = {key: _pinned(value, name, was, streams=True) for key, value in (template.get("Outputs") or {}).items()}
    successor = _with(table, MADE, prefix_of(new, path), source(old, path), table["Properties"])
    return {
        **template,
        "Resources": {**rest, name: successor},
        **({"Outputs": outputs} if "Outputs" in template else {}),
    }


def prefix_of(new: Stacks, path: Path) -> str:
    """What is put before the table's name."""
    return str(_mark(new.resource(path))["prefix"])


def keeps_its_items(old: Stacks, new: Stacks, path: Path) -> bool:
    """Whether the replacement of the table at `path` is the second of the two updates, after the first: nobody writes
    to the old one, which is kept, and nobody reads the new one before the items are there. Or another successor in the
    place of one that nobody uses."""
    was, now = _state(old, path), _state(new, path)
    return was in (CLOSED, MADE) and now == MADE and old.policy(path, "UpdateReplacePolicy") != DELETES


def is_copied(new: Stacks, path: Path) -> bool:
    """Whether a release wants the items of the table at `path` in its successor."""
    return _mark(new.resource(path)).get("data") in _COPIED


def is_kept(new: Stacks, path: Path) -> bool:
    """Whether a release wants the successor of the table at `path` as it is."""
    return _mark(new.resource(path)).get("data") == "keep"


def is_made(stacks: Stacks, path: Path) -> bool:
    """Whether the table at `path` is a successor that nobody uses yet."""
    return _state(stacks, path) == MADE


def is_closed_by(policy: Any, table: str) -> bool:
    """Whether a table's resource-based policy, as DynamoDB gives it, has the statement by which nobody writes to the
    table of that ARN."""
    statements = policy.get("Statement") if isinstance(policy, Mapping) else None
    (wanted,) = closing(table)["Statement"]
    return any(_is(found, wanted) for found in several(statements))


def _is(found: Any, wanted: Mapping[str, Any]) -> bool:
    if not isinstance(found, Mapping) or "Condition" in found or found.get("Principal") not in ("*", {"AWS": "*"}):
        return False
    same = all(found.get(key) == wanted[key] for key in ("Sid", "Effect"))
    return same and all(_set(found.get(key)) >= _set(wanted[key]) for key in ("Action", "Resource"))


def _set(value: Any) -> set[Any]:
    return set(value) if isinstance(value, list) else {value}


def arn(table: Any) -> dict[str, Any]:
    """The ARN of a table by an expression for its name."""
    text = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Table}"
    return {"Fn::Sub": [text, {"Table": table}]}


def _mark(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    found = (resource.get("Metadata") or {}).get(SUCCESSOR)
    return found if isinstance(found, Mapping) else {}


def _state(stacks: Stacks, path: Path) -> str:
    return str(_mark(stacks.resource(path)).get("state", ""))


def _with(table: Mapping[str, Any], state: str, prefix: str, of: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    mark = {"prefix": prefix, "state": state, **({"of": of} if of else {})}
    metadata = {**(table.get("Metadata") or {}), SUCCESSOR: mark}
    return {**table, **RETAINED, "Metadata": metadata, "Properties": properties}


def _check_named(old: Stacks, path: Path, new: Stacks) -> None:
    """A successor has another name than what it succeeds, and one that nobody has made yet."""
    here = current_prefix(old, path)
    if here == prefix_of(new, path):
        raise NotOrderableError(
            f"it has the prefix {here} already, and cannot have other keys under the same name: give it another "
            "prefix, and its successor gets its items"
        )
    if is_kept(new, path):
        raise NotOrderableError("it has no such successor yet whose items could be kept: `data: copy`")


def _check_known(template: Template, table: Mapping[str, Any]) -> None:
    """The successor stands in a template that is not the release's: what it names has to be there."""
    there = {*(template.get("Parameters") or {}), *(template.get("Resources") or {})}
    for names, known in ((names_in(table), there), (_conditions(table), {*(template.get("Conditions") or {})})):
        lost = [name for name in sorted(names - known) if not name.startswith("AWS::")]
        if lost:
            raise NotOrderableError(f"its properties name {lost[0]}, which comes with the same release")


_WOULD_GET = (
    "the functions there would get each copied item as a new one. By hand, in this order: (1) take the table out of "
    "`replacedTables`, its keys back to what they were, and the trigger out of the function (`amplify update "
    "function`); have nobody write until the function has read what the stream holds (IteratorAge "
    "is 0); export, deliver. "
    "(2) Put all three back, the trigger with StartingPosition LATEST; export, deliver"
)
"""Why a table whose stream is read gets no successor, and the way round it: the mapping names the old stream by an ARN
that no template gives, so the deployment cannot keep it for one update more."""
_WITHOUT_IMPORT = (
    "By hand, in this order: (1) take the table out of `replacedTables`, its keys back to what they were, and the "
    "model out of what the function may use (`amplify update function`), which cannot use it from "
    "then on; export, deliver. "
    "(2) Put the table's entry and its keys back; export, deliver. (3) Give the function the model again; export, "
    "deliver"
)
"""The way round an import of the table's name. Three deliveries: an import that comes with the copy's release may be
made before the export has its new value, and then keeps that from changing."""


def _check_streams(old: Stacks, path: Path) -> None:
    """Whoever reads the table's stream would get each copied item as a new one, before anybody else."""
    *_, name = path
    stack = path[:-1]
    template = old.templates[stack]
    if any(_names_stream(r, name) for n, r in template["Resources"].items() if n != name):
        raise NotOrderableError(f"its stream is read: {_WOULD_GET}")
    told = [key for key, output in (template.get("Outputs") or {}).items() if _names_stream(output, name)]
    parent = canonical(old.templates.get(stack[:-1], {}).get("Resources") or {}).decode() if stack else ""
    for output in told:
        if f'Outputs.{output}"' in parent:
            raise NotOrderableError(f"its stream is handed on to another stack: {_WOULD_GET}")


def _check_imported(old: Stacks, path: Path) -> None:
    """CloudFormation changes no exported value that another stack imports, and the table's name is another one then."""
    *_, name = path
    stack = path[:-1]
    outputs = old.templates[stack].get("Outputs") or {}
    told = {key for key, output in outputs.items() if name in names_in(output)}
    imported = {canonical(found) for _, found in imports_of(old.resolved)}
    for (place, output), exported in old.resolved.exports.items():
        if place == stack and output in told and canonical(exported) in imported:
            raise NotOrderableError(
                f"another stack of the backend imports its output {output}: CloudFormation changes no exported value "
                f"that is in use. {_WITHOUT_IMPORT}"
            )


def _names_stream(value: Any, name: str) -> bool:
    return any(got in ([name, "StreamArn"], f"{name}.StreamArn") for got in functions(value, "Fn::GetAtt"))


def _conditions(value: Any) -> set[str]:
    found = {str(arguments[0]) for arguments in functions(value, "Fn::If") if isinstance(arguments, list)}
    own = value.get("Condition") if isinstance(value, Mapping) else None
    return found | ({own} if isinstance(own, str) else set())


def _pinned(value: Any, name: str, was: Any, *, streams: bool = False) -> Any:
    """`value` with the table `name` as it is called (`was`) in place of references to it. Raises `NotOrderableError`
    for one that no name gives; `streams` may be told of as they are."""
    if isinstance(value, Mapping):
        if value.get("Ref") == name:
            return was
        attribute = _attribute(value, name)
        if attribute == "Arn":
            return arn(was)
        if attribute and not (streams and attribute == "StreamArn"):
            raise NotOrderableError(f"something else reads its attribute {attribute}")
        if any(f"${{{name}{end}" in text for text in _texts(value.get("Fn::Sub")) for end in "}."):
            raise NotOrderableError(f"a text names it with ${{{name}}}")
        return {key: _pinned(inner, name, was, streams=streams) for key, inner in value.items()}
    return [_pinned(inner, name, was, streams=streams) for inner in value] if isinstance(value, list) else value


def _attribute(value: Mapping[str, Any], name: str) -> str:
    got = value.get("Fn::GetAtt")
    parts: Iterable[Any] = got if isinstance(got, list) else str(got or "").split(".", 1)
    of, *attribute = parts
    return str(attribute[0]) if of == name and attribute else ""


def _texts(sub: Any) -> tuple[str, ...]:
    text = sub[0] if isinstance(sub, list) and sub else sub
    return (text,) if isinstance(text, str) else ()
