"""Inline policies of `AWS::IAM::Policy`, which CloudFormation detects no drift of: read by their names, of each role.

"This resource does not support drift detection" (its page in the resource type reference): an action that somebody adds
in the console would be seen by nobody. What a template leaves to CloudFormation to work out is not compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from amplify_delivery.changes.drift.model import Difference, Drifted, Unread, gone
from amplify_delivery.changes.gained.texts import each, path_of
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import Path
from amplify_delivery.export.assembly import canonical
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing

TYPE = "AWS::IAM::Policy"
_POINTER = "/PolicyDocument"
_NOTHING = {"Ref": "AWS::NoValue"}

Looked = Drifted | Unread | None
"""What differs, or why nobody can tell; None for one that runs as it was delivered."""


def look(iam: Any, deployed: Stacks, roles: Mapping[Path, str], pool: Executor) -> dict[Path, Looked]:
    """Of each policy whose name and roles are known, what there is; `roles` are the names of roles by their places.
    Those of users and groups, and of what is not known, are left out. Raises botocore's errors."""
    known = [
        (path, names, resource.properties)
        for path, resource in deployed.resolved.resources.items()
        if resource.type == TYPE and (names := _roles(resource.properties, roles))
    ]
    return dict(zip((k[0] for k in known), pool.map(lambda k: _of(iam, *k), known), strict=True))


def _roles(properties: Any, known: Mapping[Path, str]) -> list[str]:
    """The names of all roles that have it; none where one is not known."""
    if not isinstance(properties, Mapping) or not isinstance(properties.get("PolicyName"), str):
        return []
    found = [known.get(path_of(role) or (), role) for role, when in each(properties.get("Roles")) if not when]
    return found if all(isinstance(name, str) and name for name in found) else []


def _of(iam: Any, path: Path, roles: Sequence[str], properties: Mapping[str, Any]) -> Looked:
    name, document = properties["PolicyName"], properties.get("PolicyDocument")
    for role in roles:
        there: dict[str, Any] = {}
        with suppressing(*ACCESS_DENIED) as denied, suppressing("NoSuchEntity"):
            there = iam.get_role_policy(RoleName=role, PolicyName=name)
        if denied:
            return Unread("/".join(path), TYPE, denied.said)
        if not there:
            return Drifted(path, TYPE, gone())
        if not _same(document, there["PolicyDocument"]):
            values = (canonical(value).decode() for value in (document, there["PolicyDocument"]))
            return Drifted(path, TYPE, (Difference(_POINTER, *values),), {"PolicyDocument": there["PolicyDocument"]})
    return None


def _same(written: Any, runs: Any) -> bool:
    """Whether a part of a document runs as it is written, as far as that is known: IAM keeps it as it was sent."""
    if _is_open(written):
        return True
    if isinstance(written, Mapping):
        names = {name for name, value in written.items() if value != _NOTHING}
        return isinstance(runs, Mapping) and names == runs.keys() and all(_same(written[n], runs[n]) for n in names)
    if isinstance(written, list) or isinstance(runs, list):
        return _same_list(written if isinstance(written, list) else [written], runs)
    return _text(written) == _text(runs)


def _same_list(written: Sequence[Any], runs: Any) -> bool:
    has = runs if isinstance(runs, list) else [runs]
    if any(isinstance(item, Mapping) and ("Fn::If" in item or item == _NOTHING) for item in written):
        return True  # how many there are is not known either
    return len(written) == len(has) and all(map(_same, written, has))


def _is_open(value: Any) -> bool:
    """Whether only CloudFormation works it out."""
    return isinstance(value, Mapping) and len(value) == 1 and all(n == "Ref" or n.startswith("Fn::") for n in value)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def found(looked: Mapping[Path, Looked], kind: type[Any]) -> Iterator[Any]:
    """Those of one kind."""
    return (one for one in looked.values() if isinstance(one, kind))
