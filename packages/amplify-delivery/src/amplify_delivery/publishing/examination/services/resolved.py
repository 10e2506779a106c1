"""Reading what `amplify_delivery.export.templates.resolve` leaves: which resource a value names, and whether it is
made for certain."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from amplify_delivery.export.documents import parsed, several
from amplify_delivery.export.templates.expressions import names_in
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

Path = tuple[str, ...]


def target(value: Any) -> Path | None:
    """The resource that a resolved `Ref` or `Fn::GetAtt` names; None for anything else."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    (name, argument), *_ = value.items()
    path = argument[0] if name == "Fn::GetAtt" and isinstance(argument, list) and argument else argument
    named = name in ("Ref", "Fn::GetAtt") and isinstance(path, list) and all(isinstance(part, str) for part in path)
    return tuple(path) if named else None


def same(value: Any) -> str:
    """A text that two resolved values share if, and only if, they are the same in every deployment."""
    return json.dumps(value, sort_keys=True)


def declared(tree: Tree, path: Path) -> Mapping[str, Any]:
    """A resource as its template declares it."""
    template = next((view.template for view in tree.stacks if view.path == path[:-1]), {})
    return as_mapping(as_mapping(template.get("Resources")).get(path[-1]))


def unconditional(tree: Tree, path: Path) -> bool:
    """Whether a resource or a stack is made for certain: of two that hang on a condition which only the deployment
    knows, only one may be."""
    return not any(path[:depth] in tree.resolved.doubtful for depth in range(1, len(path) + 1))


def in_every_branch(value: Any, problems: Callable[[Any], Iterable[str]]) -> list[str]:
    """The problems of a value; of an `Fn::If` whose condition only CloudFormation knows, those of its first branch if
    the other one has some, too."""
    choice = value.get("Fn::If") if isinstance(value, Mapping) and len(value) == 1 else None
    if not isinstance(choice, list) or len(choice) != 3:
        return list(problems(value))
    one, other = (in_every_branch(branch, problems) for branch in choice[1:])
    return one if other else []


def found(value: Any) -> Iterator[Any]:
    """Every part of a value, itself first."""
    yield value
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for item in inside:
        yield from found(item)


def is_open(value: Mapping[str, Any]) -> bool:
    """Whether something is a function that only CloudFormation works out."""
    return any(key == "Ref" or key.startswith("Fn::") for key in value)


def is_choice(value: Any) -> bool:
    """Whether a value is this or that, or perhaps not there (`AWS::NoValue`), as only CloudFormation knows."""
    return isinstance(value, Mapping) and "Fn::If" in value


def certain(properties: Mapping[str, Any], name: str) -> bool:
    """Whether a property is there for certain."""
    return name in properties and not is_choice(properties[name])


def follows(tree: Tree, path: Path, other: str) -> bool:
    """Whether a resource is made after another one of its template: by what it depends on or refers to."""
    pending, seen = [path[-1]], set[str]()
    while pending:
        item = declared(tree, (*path[:-1], pending.pop()))
        names = {*_names(item.get("DependsOn")), *names_in(item.get("Properties"))}
        if other in names:
            return True
        pending.extend(names - seen)
        seen |= names
    return False


def _names(value: Any) -> Iterator[str]:
    yield from (n for n in several(value) if isinstance(n, str))


def statements_of(document: Any) -> list[Mapping[str, Any] | None]:
    """The statements of a resolved policy, which CloudFormation takes as an object or as JSON in a text; None in place
    of each that only CloudFormation knows, and of a text that is no JSON."""
    document = parsed(document)
    if document is None:
        return []
    if not isinstance(document, Mapping) or is_open(document):
        return [None]
    statements = several(document.get("Statement"))
    return [one if isinstance(one, Mapping) and not is_open(one) else None for one in statements]
