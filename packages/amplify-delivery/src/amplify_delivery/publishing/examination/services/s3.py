"""Check of buckets: lifecycles whose days S3 does not take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from amplify_delivery.export.templates.literals import text
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import is_open
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

LIFECYCLE = Rule(
    "AD720",
    "refused",
    "A lifecycle of a bucket that S3 does not take: a transition to STANDARD_IA or ONEZONE_IA before 30 days, two "
    "transitions of one rule in another order than S3 has for storage classes, too soon after each other (30 days in "
    "STANDARD_IA or ONEZONE_IA, 90 in GLACIER_IR) or to the same class, or objects that are deleted no later than they "
    "change their storage class; of noncurrent versions, too. Or a rule that does nothing.",
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html",
    "`'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'`, `'Days' in the "
    "Transition action for StorageClass 'DEEP_ARCHIVE' for filter '(prefix=)' must be greater than 'Days' in the "
    "Transition action for StorageClass 'GLACIER'`, `'Days' in the Expiration action for filter '(prefix=)' must be "
    "greater than 'Days' in the Transition action`, `At least one action needs to be specified in a rule`",
    remedy="change the days (`amplify override storage`), and export again",
)
_ORDER = ("STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
"""Objects move from left to right ("Supported transitions")."""
_APART = {"ONEZONE_IA", "GLACIER_IR"}
"""Classes of which none leads to the other ("Unsupported lifecycle transitions")."""
_STAYS = {"STANDARD_IA": 30, "ONEZONE_IA": 30, "GLACIER_IR": 90}
"""Days for which one rule has to leave an object there."""
_LEAST = 30
"""Days before STANDARD_IA and ONEZONE_IA."""


def impossible_lifecycles(tree: Tree) -> Iterator[Finding]:
    """AD720: S3 refuses the configuration after it has made the bucket."""
    for path, resource in tree.resolved.resources.items():
        if resource.type != "AWS::S3::Bucket":
            continue
        configuration = as_mapping(as_mapping(resource.properties).get("LifecycleConfiguration"))
        rules = configuration.get("Rules")
        for rule in map(as_mapping, rules if isinstance(rules, list) else ()):
            for problem in dict.fromkeys((*_of_nothing(rule), *_of_current(rule), *_of_noncurrent(rule))):
                yield LIFECYCLE.at(tree.file(path[:-1]), f"{path[-1]} {problem}", LIFECYCLE.remedy)


_ACTIONS = frozenset(
    {
        *("AbortIncompleteMultipartUpload", "ExpirationDate", "ExpirationInDays", "ExpiredObjectDeleteMarker"),
        *("NoncurrentVersionExpiration", "NoncurrentVersionExpirationInDays", "NoncurrentVersionTransition"),
        *("NoncurrentVersionTransitions", "Transition", "Transitions"),
    }
)


def _of_nothing(rule: Mapping[str, Any]) -> Iterator[str]:
    if rule and not is_open(rule) and not _ACTIONS & rule.keys():
        yield f"has a rule of its lifecycle {rule.get('Id', '')} that does nothing".replace("  ", " ")


def _of_current(rule: Mapping[str, Any]) -> Iterator[str]:
    moves = _moves(rule, "Transitions", "Transition")
    yield from _problems("objects", moves, _days(rule.get("ExpirationInDays")))


def _of_noncurrent(rule: Mapping[str, Any]) -> Iterator[str]:
    expires = as_mapping(rule.get("NoncurrentVersionExpiration")).get("NoncurrentDays")
    moves = _moves(rule, "NoncurrentVersionTransitions", "NoncurrentVersionTransition")
    deleted = _days(rule.get("NoncurrentVersionExpirationInDays") if expires is None else expires)
    yield from _problems("noncurrent versions", moves, deleted)


def _moves(rule: Mapping[str, Any], several: str, one: str) -> list[tuple[str, int]]:
    """Storage class and days of each transition whose days are known."""
    listed = rule.get(several)
    given = [as_mapping(t) for t in (*(listed if isinstance(listed, list) else ()), rule.get(one))]
    found = [(str(transition.get("StorageClass")), _days(transition.get("TransitionInDays"))) for transition in given]
    return [(storage, days) for storage, days in found if days is not None]


def _problems(what: str, moves: Sequence[tuple[str, int]], expires: int | None) -> Iterator[str]:
    for storage, days in moves:
        if storage in ("ONEZONE_IA", "STANDARD_IA") and days < _LEAST:
            yield f"moves {what} to {storage} after {days} days, S3 takes {_LEAST} at least"
        if expires is not None and expires <= days:
            yield f"deletes {what} after {expires} days, and moves them to {storage} after {days}"
    for one, other in combinations(moves, 2):
        yield from _between(what, *sorted((one, other), key=_rank))


def _between(what: str, first: tuple[str, int], then: tuple[str, int]) -> Iterator[str]:
    """Of two transitions, the one that S3 has first and the one that it has then."""
    (early, after), (late, later) = first, then
    if early == late:
        yield f"moves {what} to {early} twice in one rule"
    elif {early, late} == _APART:
        yield f"moves {what} to {early} and to {late} in one rule: S3 moves none from one of them to the other"
    elif early in _ORDER and late in _ORDER and later < after + max(_STAYS.get(early, 0), 1):
        least = f"{_STAYS[early]} days after" if early in _STAYS else "after"
        wanted = f"S3 wants the second {least} the first"
        yield f"moves {what} to {early} after {after} days and to {late} after {later}, {wanted}"


def _rank(move: tuple[str, int]) -> int:
    return _ORDER.index(move[0]) if move[0] in _ORDER else len(_ORDER)


def _days(value: Any) -> int | None:
    """A number of days as far as it is known."""
    known = text(value) if isinstance(value, (int, str)) else ""
    return int(known) if known.isdecimal() else None
