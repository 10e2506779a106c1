"""Which actions policy documents grant. Sets of actions only: resources and conditions are IAM's to decide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from amplify_delivery.export.documents import several

Document = Mapping[str, Any]


class Granted:
    """The actions that identity policies allow, within a permissions boundary if there is one.

    An action counts as granted if some statement allows it on some resource, and none denies it everywhere and always.
    """

    def __init__(self, policies: Iterable[Document], boundary: Document | None = None) -> None:
        self._statements = [s for policy in policies for s in _statements(policy)]
        self._boundary = None if boundary is None else list(_statements(boundary))

    def allows(self, action: str) -> bool:
        """Whether `action` is granted; it may be a pattern, which must be granted as a whole."""
        return _allows(self._statements, action) and (self._boundary is None or _allows(self._boundary, action))


def of_role(iam: Any, role: str) -> Granted:
    """What the role called `role` is granted by its own and its attached policies. Raises botocore's errors."""
    found = iam.get_role(RoleName=role)["Role"]
    own = iam.get_paginator("list_role_policies").paginate(RoleName=role)
    attached = iam.get_paginator("list_attached_role_policies").paginate(RoleName=role)
    policies = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for page in own
        for name in page["PolicyNames"]
    ]
    policies += [_managed(iam, policy["PolicyArn"]) for page in attached for policy in page["AttachedPolicies"]]
    boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return Granted(policies, _managed(iam, boundary) if boundary else None)


def _managed(iam: Any, arn: str) -> Document:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document: Document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return document


def _statements(document: Document) -> Iterator[Document]:
    yield from several(document["Statement"])


def _allows(statements: list[Document], action: str) -> bool:
    fitting = [s for s in statements if _names(s, action)]
    return any(s["Effect"] == "Allow" for s in fitting) and not any(map(_denies_always, fitting))


def _denies_always(statement: Document) -> bool:
    return (
        statement["Effect"] == "Deny" and not statement.get("Condition") and "*" in several(statement.get("Resource"))
    )


def _names(statement: Document, action: str) -> bool:
    if "NotAction" in statement:
        return not _matches(statement["NotAction"], action)
    return _matches(statement.get("Action"), action)


def _matches(patterns: Any, action: str) -> bool:
    # IAM compares actions without regard to case.
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in several(patterns))
