"""Check of buckets: lifecycles whose days S3 does not take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.export.templates.literals import text
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

LIFECYCLE = Rule(
    "AD720",
    "refused",
    "A lifecycle of a bucket that S3 does not take: a transition to STANDARD_IA or ONEZONE_IA before 30 days, or "
    "objects that are deleted no later than they change their storage class.",
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html",
    "`'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'`, `'Days' in the "
    "Expiration action for filter '(prefix=)' must be greater than 'Days' in the Transition action`",
    remedy="change the days (`amplify override storage`), and export again",
)
_INFREQUENT = ("ONEZONE_IA", "STANDARD_IA")
_LEAST = 30


def impossible_lifecycles(tree: Tree) -> Iterator[Finding]:
    """AD720: S3 refuses the configuration after it has made the bucket."""
    for path, resource in tree.resolved.resources.items():
        if resource.type != "AWS::S3::Bucket":
            continue
        configuration = as_mapping(as_mapping(resource.properties).get("LifecycleConfiguration"))
        rules = configuration.get("Rules")
        for rule in rules if isinstance(rules, list) else ():
            for problem in dict.fromkeys(_problems(as_mapping(rule))):
                yield LIFECYCLE.at(tree.file(path[:-1]), f"{path[-1]} {problem}", LIFECYCLE.remedy)


def _problems(rule: Mapping[str, Any]) -> Iterator[str]:
    listed = rule.get("Transitions")
    transitions = [as_mapping(t) for t in (*(listed if isinstance(listed, list) else ()), rule.get("Transition"))]
    expires = _days(rule.get("ExpirationInDays"))
    for transition in transitions:
        days, storage = _days(transition.get("TransitionInDays")), transition.get("StorageClass")
        if days is None:
            continue
        if storage in _INFREQUENT and days < _LEAST:
            yield f"moves objects to {storage} after {days} days, S3 takes {_LEAST} at least"
        if expires is not None and expires <= days:
            yield f"deletes objects after {expires} days, and moves them to {storage} after {days}"


def _days(value: Any) -> int | None:
    """A number of days as far as it is known."""
    known = text(value) if isinstance(value, (int, str)) else ""
    return int(known) if known.isdecimal() else None
