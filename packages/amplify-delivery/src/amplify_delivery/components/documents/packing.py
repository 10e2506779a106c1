"""Statements packed into as few policies as IAM's sizes allow, always in the same way."""

from collections.abc import Iterable

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.statements import PolicyDocument, Statement, document, size, to_json

INLINE_ROOM = 10_240
"""Characters of all inline policies of a role together ("IAM and AWS STS quotas")."""
MANAGED_ROOM = 6_144
"""Characters of one managed policy."""
MAX_MANAGED = 10
"""Managed policies of a role; a quota that can be raised to 20."""


def pack(statements: Iterable[Statement], room: int) -> list[list[Statement]]:
    """Groups of statements of which each, as a document, has at most `room` characters.

    First fit, in order. A statement that is larger alone is split by its actions, which changes nothing for an allow
    or a deny.
    """
    groups: list[list[Statement]] = []
    taken: list[int] = []
    for whole in statements:
        for part in _split(whole, room):
            more = 1 + len(to_json(part))  # with the comma before it
            for number, group in enumerate(groups):
                if taken[number] + more <= room:
                    group.append(part)
                    taken[number] += more
                    break
            else:
                groups.append([part])
                taken.append(size(document([part])))
    return groups


def within(statements: Iterable[Statement], room: int) -> tuple[list[Statement], list[Statement]]:
    """Those that have room in one document of `room` characters, first fit, in order, and the others."""
    first, *others = pack(statements, room)
    return first, [statement for group in others for statement in group]


def _split(whole: Statement, room: int) -> list[Statement]:
    actions = whole["Action"]
    if size(document([whole])) <= room or isinstance(actions, str):
        return [whole]
    middle = len(actions) // 2
    first, second = actions[:middle], actions[middle:]
    parts = []
    for suffix, some in (("A", first), ("B", second)):
        part = {**whole, "Sid": whole["Sid"] + suffix, "Action": some[0] if len(some) == 1 else some}
        parts.extend(_split(part, room))
    return parts


def managed(
    names: EnvironmentNames | PipelineNames, what: str, statements: Iterable[Statement], needs: str
) -> tuple[PolicyDocument, ...]:
    """Managed policies for rights of the role `what`: as many as they need, numbered from 1. `needs` says what for."""
    result = []
    for number, group in enumerate(pack(statements, MANAGED_ROOM), start=1):
        name = names.policy(what, number)
        result.append(
            PolicyDocument(
                name=name,
                path=names.path,
                description=f"What {what} of {names.prefix} needs {needs}, part {number}",
                document=document(group),
                arn=names.iam_arn("policy", names.path, name),
            )
        )
    return tuple(result)
