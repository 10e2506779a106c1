"""Check of buckets: notifications that overlap, public policies that are blocked, copies without versions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from amplify_delivery.export.documents import several
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import Path, certain, is_open, statements_of, target
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

BUCKET = Rule(
    "AD727",
    "refused",
    "A bucket that S3 does not take: two notifications for the same objects and event, one for an event that does "
    "not exist, or two rules of one kind in a filter; a policy for everybody on a bucket that blocks such policies, as "
    "every new one does that does not say otherwise (a warning there: one of before April 2023 may be open); "
    "replication without versions; a website that redirects everything, and has pages. Or a bucket's policy about "
    "another bucket, or with an action on what it is not for: objects are the bucket's ARN with `/*`, it is that ARN.",
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html",
    "`Configurations overlap. Configurations on the same bucket cannot share a common event type`, `Cannot specify "
    "more than one prefix rule in a filter`, `because public policies are blocked by the BlockPublicPolicy block "
    "public access setting`, `Versioning must be 'Enabled' on the bucket to apply a replication configuration`, "
    "`Policy has invalid resource`, `Action does not apply to any resource(s) in statement`",
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
        if resource.type == "AWS::S3::BucketPolicy":
            for problem in dict.fromkeys(_of_policy(tree, properties)):
                yield BUCKET.at(tree.file(path[:-1]), f"{path[-1]} {problem}", _WHAT)
        if resource.type == "AWS::S3::BucketPolicy" and _is_public(properties.get("PolicyDocument")):
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
            if isinstance(event, str) and all(len(values) < 2 for values in filters.values()):
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
    website = as_mapping(properties.get("WebsiteConfiguration"))
    beside = sorted(name for name in website if name != "RedirectAllRequestsTo")
    if certain(website, "RedirectAllRequestsTo") and beside:
        yield f"redirects all requests of its website, and has {' and '.join(beside)} beside that"
    if certain(properties, "ReplicationConfiguration") and "VersioningConfiguration" not in properties:
        yield "is replicated, and keeps no versions (VersioningConfiguration)"


_WHAT = (
    "write the bucket's own ARN for what is asked of it (s3:ListBucket), and that with `/*` for what is asked of its "
    "objects (`amplify override storage`), and export again"
)
_OF_OBJECTS = re.compile(r"s3:(Get|Put|Delete|Restore|Replicate)Object(Version)?(Acl|Tagging|Torrent)?", re.IGNORECASE)
_OF_BUCKETS = re.compile(
    r"s3:(List(Bucket|BucketVersions|BucketMultipartUploads)|GetBucket(Location|Acl|Policy|Versioning|CORS))",
    re.IGNORECASE,
)
"""Actions of which everybody knows what they are asked of ("Actions defined by Amazon S3")."""


def _of_policy(tree: Tree, properties: Mapping[str, Any]) -> Iterator[str]:
    own = target(properties.get("Bucket"))
    made = tree.resolved.resources.get(own or ())
    if made is not None and made.type != "AWS::S3::Bucket":
        own, name = None, None  # an attribute of something: it may be the name of any bucket
    else:
        name = as_mapping(made.properties).get("BucketName") if made else properties.get("Bucket")
    for statement in statements_of(properties.get("PolicyDocument")):
        if statement is None or "Resource" not in statement:
            continue
        resources = [_place(one) for one in several(statement["Resource"])]
        for bucket, objects in resources:
            if bucket is not None and _is_another(tree, bucket, own, name):
                what = "/".join(bucket) if isinstance(bucket, tuple) else bucket
                yield f"is about {what}{'/*' if objects else ''}, which is another bucket"
        kinds = {objects for _, objects in resources}
        for action in several(statement.get("Action")):
            if isinstance(action, str) and _OF_OBJECTS.fullmatch(action) and kinds == {False}:
                yield f"has {action} for a bucket: it is asked of objects"
            elif isinstance(action, str) and _OF_BUCKETS.fullmatch(action) and kinds == {True}:
                yield f"has {action} for objects: it is asked of the bucket"


def _is_another(tree: Tree, bucket: Path | str, own: Path | None, name: Any) -> bool:
    """Whether a bucket, by its place or its name, is for certain not that of `own` place or called `name`."""
    if isinstance(bucket, str):
        return isinstance(name, str) and bucket != name and "*" not in bucket
    made = tree.resolved.resources.get(bucket)
    if made is None or made.type != "AWS::S3::Bucket" or bucket == own:
        return False
    theirs = as_mapping(made.properties).get("BucketName")
    return theirs != name if isinstance(theirs, str) and isinstance(name, str) else own is not None


def _place(resource: Any) -> tuple[tuple[str, ...] | str | None, bool | None]:
    """The bucket that a policy's resource is about, and whether it is about objects; None for what is not known."""
    if isinstance(resource, str):
        named, slash, _ = resource.rpartition(":::")[2].partition("/")
        known = ":::" in resource and (slash or "*" not in named)
        return (named or None, bool(slash)) if known else (None, None)
    attribute = as_mapping(resource).get("Fn::GetAtt")
    if attribute is not None:
        return target(resource), False if target(resource) else None
    parts = as_mapping(resource).get("Fn::Join")
    if isinstance(parts, list) and len(parts) == 2 and parts[0] == "" and isinstance(parts[1], list):
        within = parts[1][:2]
        if len(within) == 2 and isinstance(within[1], str) and within[1].startswith("/"):
            return target(within[0]), True
    return None, None


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
