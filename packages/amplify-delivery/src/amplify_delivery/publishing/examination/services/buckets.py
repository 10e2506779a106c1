"""Check of buckets: notifications that overlap, public policies that are blocked, copies without versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import certain, is_open, statements_of, target
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

BUCKET = Rule(
    "AD727",
    "refused",
    "A bucket that S3 does not take: two notifications for the same objects and event, one for an event that does "
    "not exist, or two rules of one kind in a filter; a policy for everybody on a bucket that blocks such policies, as "
    "every new one does that does not say otherwise (a warning there: one of before April 2023 may be open); "
    "replication without versions.",
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html",
    "`Configurations overlap. Configurations on the same bucket cannot share a common event type`, `Cannot specify "
    "more than one prefix rule in a filter`, `because public policies are blocked by the BlockPublicPolicy block "
    "public access setting`, `Versioning must be 'Enabled' on the bucket to apply a replication configuration`",
    remedy="have one notification for each event and prefix, say what the bucket is to be (`PublicAccessBlock"
    "Configuration`, `VersioningConfiguration`; `amplify override storage`), and export again",
)
DESTINATIONS = {
    "LambdaConfigurations": "Function",
    "QueueConfigurations": "Queue",
    "TopicConfigurations": "Topic",
}
"""What a bucket can tell, by the property that lists them."""


_EVENTS = tuple(
    f"s3:{kind}"
    for kind in (
        *("IntelligentTiering", "LifecycleExpiration:", "LifecycleTransition", "ObjectAcl:", "ObjectCreated:"),
        *("ObjectRemoved:", "ObjectRestore:", "ObjectTagging:", "ReducedRedundancyLostObject", "Replication:"),
    )
)
"""How S3's events begin (S3 User Guide, "Supported event types for SQS, SNS, and Lambda")."""


@dataclass(frozen=True)
class _Told:
    """What a notification is for."""

    event: str
    prefix: str
    suffix: str

    def overlaps(self, other: _Told) -> bool:
        prefixes, suffixes = sorted((self.prefix, other.prefix), key=len), sorted((self.suffix, other.suffix), key=len)
        return (
            (_covers(self.event, other.event) or _covers(other.event, self.event))
            and prefixes[1].startswith(prefixes[0])
            and suffixes[1].endswith(suffixes[0])
        )


def _covers(event: str, other: str) -> bool:
    return event == other or (event.endswith(":*") and other.startswith(event[:-1]))


def refused_buckets(tree: Tree) -> Iterator[Finding]:
    """AD727: S3 refuses it after it has made the bucket, or its policy."""
    resources = tree.resolved.resources
    for path, resource in resources.items():
        properties = as_mapping(resource.properties)
        if resource.type == "AWS::S3::Bucket":
            for problem in dict.fromkeys((*_of_notifications(properties), *_of_copies(properties))):
                yield BUCKET.at(tree.file(path[:-1]), f"{path[-1]} {problem}", BUCKET.remedy)
        elif resource.type == "AWS::S3::BucketPolicy" and _is_public(properties.get("PolicyDocument")):
            bucket = target(properties.get("Bucket"))
            made = resources.get(bucket or ())
            if bucket is not None and made is not None and made.type == "AWS::S3::Bucket":
                yield from _of_public(tree, path, bucket, as_mapping(made.properties))


def _of_notifications(properties: Mapping[str, Any]) -> Iterator[str]:
    told: list[_Told] = []
    configuration = as_mapping(properties.get("NotificationConfiguration"))
    for listed in map(configuration.get, DESTINATIONS):
        for one in map(as_mapping, listed if isinstance(listed, list) else ()):
            event, filters = one.get("Event"), _filters(one)
            if isinstance(event, str) and not event.startswith(_EVENTS):
                yield f"tells of {event}, which is not an event of S3"
            if filters is None:
                continue
            for name in ("prefix", "suffix"):
                if len(filters.get(name, ())) > 1:
                    yield f"has two rules for the {name} in the filter of a notification: {', '.join(filters[name])}"
            if isinstance(event, str) and all(len(several) < 2 for several in filters.values()):
                told.append(_Told(event, *("".join(filters.get(name, ())) for name in ("prefix", "suffix"))))
    for first, then in combinations(told, 2):
        if "\0" not in first.prefix + first.suffix + then.prefix + then.suffix and first.overlaps(then):
            where = f" with the prefix {then.prefix!r}" if then.prefix else ""
            yield f"tells two destinations of {then.event}{where}: S3 tells one of an object's event"


def _filters(configuration: Mapping[str, Any]) -> dict[str, list[str]] | None:
    """Prefixes and suffixes of a notification; a zero byte where only CloudFormation knows it, None where it alone
    knows which rules there are."""
    rules: Any = configuration
    for part in ("Filter", "S3Key", "Rules"):
        rules = rules.get(part, {}) if isinstance(rules, Mapping) and not is_open(rules) else None
    if rules == {}:
        return {}
    found: dict[str, list[str]] = {}
    for rule in rules if isinstance(rules, list) else [None]:
        name, value = as_mapping(rule).get("Name"), as_mapping(rule).get("Value")
        if not isinstance(name, str):
            return None
        found.setdefault(name.lower(), []).append(value if isinstance(value, str) else "\0")
    return found


def _of_copies(properties: Mapping[str, Any]) -> Iterator[str]:
    if certain(properties, "ReplicationConfiguration") and "VersioningConfiguration" not in properties:
        yield "is replicated, and keeps no versions (VersioningConfiguration)"


def _is_public(document: Any) -> bool:
    """Whether a policy lets everybody in, without a condition."""
    return any(
        s.get("Effect") == "Allow" and s.get("Principal") in ("*", {"AWS": "*"}) and "Condition" not in s
        for s in statements_of(document)
        if s is not None
    )


def _of_public(
    tree: Tree, path: tuple[str, ...], bucket: tuple[str, ...], properties: Mapping[str, Any]
) -> Iterator[Finding]:
    blocked = as_mapping(properties.get("PublicAccessBlockConfiguration")).get("BlockPublicPolicy")
    where = tree.file(path[:-1])
    if blocked in (True, "true"):
        told = f"{bucket[-1]} blocks public policies, and {path[-1]} is one: it lets everybody in"
        yield BUCKET.at(where, told, BUCKET.remedy)
    elif blocked is None and "Fn::If" not in as_mapping(properties.get("PublicAccessBlockConfiguration")):
        told = (
            f"{bucket[-1]} does not say BlockPublicPolicy: false, and {path[-1]} lets everybody in: a new bucket "
            "blocks such a policy"
        )
        yield replace(BUCKET.at(where, told, BUCKET.remedy), severity="warning")
