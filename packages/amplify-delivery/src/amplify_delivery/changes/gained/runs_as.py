"""Which role a resource acts as, where that is another one than before, or none of the backend's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.changes.gained.grants import Grant, Term
from amplify_delivery.changes.gained.policies import Holders
from amplify_delivery.changes.gained.texts import ALWAYS, When, branches, path_of, shown
from amplify_delivery.changes.steps import Path
from amplify_delivery.export.templates.resolve import ResolvedResource

_ROLES = ("Role", "RoleArn", "RoleARN", "ExecutionRoleArn", "ServiceRole", "ServiceRoleArn", "TaskRoleArn")
"""Properties in which types of AWS name the role that they act as (`AWS::Lambda::Function`, `AWS::AppSync::DataSource`,
`AWS::Pipes::Pipe`, `AWS::CodeBuild::Project`, `AWS::ECS::TaskDefinition` and their like)."""
_ELSEWHERE = ("AWS::Cognito::", "AWS::IAM::", "AWS::CloudFormation::")
"""Types whose roles are told apart by themselves (`openings`), or that act as none."""


def runs_as(old: Mapping[Path, ResolvedResource], new: Mapping[Path, ResolvedResource]) -> Iterator[Grant]:
    """Resources that act as a role that they did not act as before. What is new with a role that is new as well says
    nothing beyond the role's own policies."""
    had, has = Holders(old), Holders(new)
    for path, item in new.items():
        same = path in old and old[path].properties == item.properties
        if same or item.type.startswith(_ELSEWHERE) or not item.type.startswith("AWS::"):
            continue
        named = _roles(item)
        then = _roles(old[path]) if named and path in old else {}
        for name, roles in named.items():
            before = {_called(role, had) for role, _ in then.get(name, ())}
            for role, when in roles:
                its_own = path not in old and path_of(role) is not None
                if isinstance(role, (str, Mapping)) and not its_own and has.called(role) not in before:
                    on = Term(has.called(role))
                    yield Grant("trust", "/".join(path), Term("acts as it"), on, when=when, path=path, type=item.type)


def _called(role: Any, holders: Holders) -> str:
    return holders.called(role) if isinstance(role, (str, Mapping)) else shown(role)


def _roles(item: ResolvedResource) -> dict[str, list[tuple[Any, When]]]:
    """The roles that a resource names, by the property: by itself, or of a part of it, as targets and destinations
    do. Within a role's own value none is looked for by the same name."""
    found: dict[str, list[tuple[Any, When]]] = {}
    stack: list[tuple[Any, When, tuple[str, ...]]] = [(item.properties, ALWAYS, _ROLES)]
    while stack:
        part, when, names = stack.pop()
        for value, under in branches(part, when):
            if isinstance(value, list):
                stack += [(inner, under, names) for inner in value if isinstance(inner, (list, Mapping))]
            elif isinstance(value, Mapping):
                for key, inner in value.items():
                    if key in names:
                        found.setdefault(key, []).extend(branches(inner, under))
                    if not key.startswith("Fn::") and isinstance(inner, (list, Mapping)):
                        others = tuple(name for name in names if name != key) if key in names else names
                        stack.append((inner, under, others))
    return found
