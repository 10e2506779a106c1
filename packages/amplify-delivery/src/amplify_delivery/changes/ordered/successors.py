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
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from amplify_delivery.changes.ordered.indexes import NotOrderableError
from amplify_delivery.changes.stacks import KEEPS, Stacks
from amplify_delivery.changes.steps import Path, ReplaceResource, Step
from amplify_delivery.export.assembling.successors import RETAINED, SUCCESSOR
from amplify_delivery.export.assembly import canonical

CLOSED = "closed"
MADE = "made"
_WRITES = ("BatchWriteItem", "DeleteItem", "PartiQLDelete", "PartiQLInsert", "PartiQLUpdate", "PutItem", "UpdateItem")
_POLICY = "ResourcePolicy"

Template = Mapping[str, Any]


def wanted(new: Stacks) -> tuple[Path, ...]:
    """The tables whose items a release wants copied to their successors."""
    return tuple(
        (*stack, name)
        for stack, template in sorted(new.templates.items())
        for name, resource in sorted((template.get("Resources") or {}).items())
        if _mark(resource).get("data") == "copy"
    )


def begun(old: Stacks, new: Stacks, steps: Sequence[Step]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Of the tables whose items are to be copied those whose successors are still to be made, and those whose items
    are still to be copied: their successors are there."""
    replaced = {s.path for s in steps if isinstance(s, ReplaceResource) and s.certain}
    chosen = [path for path in wanted(new) if old.resource(path)]
    made = tuple(p for p in chosen if _state(old, p) == MADE and p not in replaced)
    return tuple(p for p in chosen if p in replaced), made


def closes(old: Stacks, path: Path, prefix: str) -> bool:
    """Whether the first of the two updates is still to be done."""
    return _mark(old.resource(path)) != {"prefix": prefix, "state": CLOSED}


def closed(old: Stacks, path: Path, new: Stacks) -> dict[str, Any]:
    """The table after the first of the two updates. Raises `NotOrderableError`."""
    table = old.resource(path)
    properties = table.get("Properties") or {}
    if _state(old, path) == MADE:
        raise NotOrderableError(
            f"its successor with the prefix {_mark(table)['prefix']} is made, and may not have its items yet: put that "
            "prefix back, and deliver it first"
        )
    if _mark(table).get("prefix") and _state(old, path) != CLOSED:
        raise NotOrderableError(
            f"it is a successor itself, with the prefix {_mark(table)['prefix']}; its items are not copied once more: "
            "keep that prefix, and the keys"
        )
    if _POLICY in properties:
        raise NotOrderableError("the table has a resource-based policy of its own, which its closing would replace")
    statement = {
        "Sid": "CopiedToItsSuccessor",
        "Effect": "Deny",
        "Principal": "*",
        "Action": [f"dynamodb:{action}" for action in _WRITES],
        "Resource": arn(properties["TableName"]),
    }
    policy = {"PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    return _with(table, CLOSED, prefix_of(new, path), {**properties, _POLICY: policy})


def made(old: Stacks, path: Path, new: Stacks) -> dict[str, Any]:
    """The template with the table's successor after the second of the two updates. Raises `NotOrderableError`."""
    *_, name = path
    template, table = old.templates[path[:-1]], new.resource(path)
    _check_known(template, table)
    _check_streams(old, path)
    _check_imported(old, path)
    was = template["Resources"][name]["Properties"]["TableName"]
    rest = {key: _pinned(value, name, was) for key, value in template["Resources"].items() if key != name}
    outputs = {key: _pinned(value, name, was, streams=True) for key, value in (template.get("Outputs") or {}).items()}
    successor = _with(table, MADE, prefix_of(new, path), table["Properties"])
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
    to the old one, which is kept, and nobody reads the new one before the items are there."""
    was, now = _mark(old.resource(path)), _mark(new.resource(path))
    return (
        was.get("state") == CLOSED
        and now.get("state") == MADE
        and was.get("prefix") == now.get("prefix")
        and old.policy(path, "UpdateReplacePolicy") != KEEPS
    )


def is_copied(new: Stacks, path: Path) -> bool:
    """Whether a release wants the items of the table at `path` in its successor."""
    return _mark(new.resource(path)).get("data") == "copy"


def arn(table: Any) -> dict[str, Any]:
    """The ARN of a table by an expression for its name."""
    text = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Table}"
    return {"Fn::Sub": [text, {"Table": table}]}


def _mark(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    found = (resource.get("Metadata") or {}).get(SUCCESSOR)
    return found if isinstance(found, Mapping) else {}


def _state(stacks: Stacks, path: Path) -> str:
    return str(_mark(stacks.resource(path)).get("state", ""))


def _with(table: Mapping[str, Any], state: str, prefix: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {**(table.get("Metadata") or {}), SUCCESSOR: {"prefix": prefix, "state": state}}
    return {**table, **RETAINED, "Metadata": metadata, "Properties": properties}


def _check_known(template: Template, table: Mapping[str, Any]) -> None:
    """The successor stands in a template that is not the release's: what it names has to be there."""
    for section, names in (("Parameters", _refs(table)), ("Conditions", _conditions(table))):
        lost = sorted(names - (template.get(section) or {}).keys() - {"AWS::NoValue"})
        lost = [n for n in lost if not n.startswith("AWS::")]
        if lost:
            raise NotOrderableError(f"its properties name {lost[0]}, which comes with the same release")


def _check_streams(old: Stacks, path: Path) -> None:
    """Whoever reads the table's stream would get each copied item as a new one, before anybody else."""
    *_, name = path
    stack = path[:-1]
    template = old.templates[stack]
    if any(_names_stream(r, name) for n, r in template["Resources"].items() if n != name):
        raise NotOrderableError("its stream is read: the functions there would get each copied item as a new one")
    told = [key for key, output in (template.get("Outputs") or {}).items() if _names_stream(output, name)]
    parent = canonical(old.templates.get(stack[:-1], {}).get("Resources") or {}).decode() if stack else ""
    for output in told:
        if f'Outputs.{output}"' in parent:
            raise NotOrderableError(
                "its stream is handed on to another stack: the functions there would get each copied item as a new one"
            )


def _check_imported(old: Stacks, path: Path) -> None:
    """CloudFormation changes no exported value that another stack imports, and the table's name is another one then."""
    *_, name = path
    stack = path[:-1]
    outputs = old.templates[stack].get("Outputs") or {}
    told = {key for key, output in outputs.items() if _names_it(output, name)}
    imported = {canonical(found) for found in _imports(old)}
    for (place, output), exported in old.resolved.exports.items():
        if place == stack and output in told and canonical(exported) in imported:
            raise NotOrderableError(
                f"another stack of the backend imports its output {output}: CloudFormation changes no exported value "
                "that is in use"
            )


def _imports(stacks: Stacks) -> Iterator[Any]:
    for resource in stacks.resolved.resources.values():
        yield from _functions(resource.properties, "Fn::ImportValue")
    for stack in stacks.resolved.stacks.values():
        yield from _functions(stack.parameters, "Fn::ImportValue")


def _names_stream(value: Any, name: str) -> bool:
    return any(got in ([name, "StreamArn"], f"{name}.StreamArn") for got in _functions(value, "Fn::GetAtt"))


def _names_it(value: Any, name: str) -> bool:
    got = (g[0] if isinstance(g, list) else str(g).partition(".")[0] for g in _functions(value, "Fn::GetAtt"))
    return name in {*_refs(value), *got}


def _refs(value: Any) -> set[str]:
    return {ref for ref in _functions(value, "Ref") if isinstance(ref, str)}


def _conditions(value: Any) -> set[str]:
    found = {str(arguments[0]) for arguments in _functions(value, "Fn::If") if isinstance(arguments, list)}
    own = value.get("Condition") if isinstance(value, Mapping) else None
    return found | ({own} if isinstance(own, str) else set())


def _functions(value: Any, function: str) -> Iterator[Any]:
    """The arguments of an intrinsic function, wherever it stands in `value`."""
    if isinstance(value, Mapping):
        if function in value:
            yield value[function]
        for inner in value.values():
            yield from _functions(inner, function)
    elif isinstance(value, list):
        for inner in value:
            yield from _functions(inner, function)


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
