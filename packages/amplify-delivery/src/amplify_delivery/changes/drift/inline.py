"""Inline policies of `AWS::IAM::Policy`, which CloudFormation detects no drift of: read by their names, of each role.

"This resource does not support drift detection" (its page in the resource type reference): an action that somebody adds
in the console would be seen by nobody. What a template leaves to CloudFormation to work out is not compared. One that
somebody has deleted is a difference, no resource that is gone: an update puts it whole (`iam:PutRolePolicy` is what the
type's handler for updates calls), and so makes it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from amplify_delivery.changes.drift.model import Difference, Drifted, Unread, gone
from amplify_delivery.changes.gained.texts import branches, each, path_of
from amplify_delivery.changes.stacks import MASK, Stacks
from amplify_delivery.changes.steps import Path
from amplify_delivery.export.assembly import canonical
from amplify_delivery.export.documents import parsed
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing

TYPE = "AWS::IAM::Policy"
_ALIKE = {TYPE: "Roles", "AWS::IAM::RolePolicy": "RoleName"}
"""What puts inline policies into roles, and where it names these."""
_ROLE = "AWS::IAM::Role"
_POINTER = "/PolicyDocument"
_NOTHING = {"Ref": "AWS::NoValue"}
_NO_ROLE = "role with name"
"""In what IAM says where the role itself is gone; of a policy it says `The role policy with name`."""

Looked = Drifted | Unread | None
"""What differs, or why nobody can tell; None for one that runs as it was delivered."""


def look(iam: Any, deployed: Stacks, roles: Mapping[Path, str], pool: Executor) -> dict[Path, Looked]:
    """Of each policy whose name and roles are known, what there is; `roles` are the names of roles by their places.

    Left out are those of users and groups, what is not known, one that another resource, or the role itself, puts under
    the same name into the same role (the later of the two is what runs), and one that is not there and perhaps never
    was: its condition is known to the deployment alone. Raises botocore's errors."""
    resources, doubtful = deployed.resolved.resources, deployed.resolved.doubtful
    named = {path: list(_places(path, item.type, item.properties, roles)) for path, item in resources.items()}
    often = Counter(place for path in named for place in {place for place, _ in named[path]})
    known = [
        (path, [role for (role, _), sure in places if sure], resources[path].properties)
        for path, places in named.items()
        if resources[path].type == TYPE
        and any(sure for _, sure in places)
        and all(role and often[role, name] == 1 for (role, name), sure in places if sure)
    ]
    looked = dict(zip((k[0] for k in known), pool.map(lambda k: _of(iam, *k), known), strict=True))
    perhaps = {path for path in looked if any(path[:depth] in doubtful for depth in range(1, len(path) + 1))}
    return {path: found for path, found in looked.items() if path not in perhaps or not _is_missing(found)}


def _places(
    path: Path, kind: str, properties: Any, known: Mapping[Path, str]
) -> Iterator[tuple[tuple[str, str], bool]]:
    """The roles that have a policy, and its name there, each with whether that is certain; an empty text for a role
    that is not known."""
    if kind == _ROLE and isinstance(properties, Mapping):
        for own, when in each(properties.get("Policies")):
            if isinstance(own, Mapping) and isinstance(own.get("PolicyName"), str):
                yield (known.get(path, ""), own["PolicyName"]), not when
        return
    name = properties.get("PolicyName") if kind in _ALIKE and isinstance(properties, Mapping) else None
    if not isinstance(name, str) or _is_open(name):
        return
    for role, when in each(properties.get(_ALIKE[kind])):
        called = known.get(path_of(role) or (), role)
        yield ((called if isinstance(called, str) and not _is_open(called) else ""), name), not when


def _of(iam: Any, path: Path, roles: Sequence[str], properties: Mapping[str, Any]) -> Looked:
    name, document = properties["PolicyName"], parsed(properties.get("PolicyDocument"))
    for role in roles:
        there: dict[str, Any] = {}
        with (
            suppressing(*ACCESS_DENIED) as denied,
            suppressing("NoSuchEntity"),
            suppressing("NoSuchEntity", saying=_NO_ROLE) as no_role,
        ):
            there = iam.get_role_policy(RoleName=role, PolicyName=name)
        if denied:
            return Unread("/".join(path), TYPE, denied.said)
        if no_role:
            return Drifted(path, TYPE, gone())
        runs = there.get("PolicyDocument")
        if not there or not _same(document, runs):
            values = (canonical(value).decode() for value in (document, runs))
            return Drifted(path, TYPE, (Difference(_POINTER, *values),), {"PolicyDocument": runs} if there else {})
    return None


def _is_missing(found: Looked) -> bool:
    return isinstance(found, Drifted) and not found.actual


def _same(written: Any, runs: Any) -> bool:
    """Whether a part of a document runs as it is written, as far as that is known: IAM keeps it as it was sent."""
    if _is_open(written):
        return not _is_choice(written) or any(_same(value, runs) for value, _ in branches(written))
    if isinstance(written, list) or isinstance(runs, list):
        return _same_list(written if isinstance(written, list) else [written], runs)
    if isinstance(written, Mapping):
        names = {name for name, value in written.items() if value != _NOTHING}
        perhaps = {name for name in names if _may_be_nothing(written[name])}
        has = set(runs) if isinstance(runs, Mapping) else None
        return has is not None and names - perhaps <= has <= names and all(_same(written[n], runs[n]) for n in has)
    return _text(written) == _text(runs)


def _same_list(written: Sequence[Any], runs: Any) -> bool:
    has = runs if isinstance(runs, list) else [runs]
    if any(isinstance(item, Mapping) and ("Fn::If" in item or item == _NOTHING) for item in written):
        return True  # how many there are is not known either
    return len(written) == len(has) and all(map(_same, written, has))


def _is_open(value: Any) -> bool:
    """Whether only CloudFormation works it out: a function, a dynamic reference, a parameter that it masks."""
    if isinstance(value, str):
        return "{{resolve:" in value or MASK in value
    return isinstance(value, Mapping) and any(name == "Ref" or name.startswith("Fn::") for name in value)


def _is_choice(value: Any) -> bool:
    """Whether it is one of two, by a condition that only the deployment knows."""
    choice = value.get("Fn::If") if isinstance(value, Mapping) and len(value) == 1 else None
    return isinstance(choice, list) and len(choice) == 3


def _may_be_nothing(value: Any) -> bool:
    """Whether a branch of it says that there is nothing."""
    return value == _NOTHING or (_is_choice(value) and any(map(_may_be_nothing, value["Fn::If"][1:])))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def found(looked: Mapping[Path, Looked], kind: type[Any]) -> Iterator[Any]:
    """Those of one kind."""
    return (one for one in looked.values() if isinstance(one, kind))
