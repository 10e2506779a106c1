"""`aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration`.

Plays internal/service/s3/bucket_lifecycle_configuration.go of terraform-provider-aws for the rules that a staging or a
state bucket uses: expiration, transitions, non-current versions, broken uploads; a filter by prefix, size or tags.

Another expected owner replaces it, where one of the versioning or the encryption is an update: these two (written with
the older SDK) lost `ForceNew` when the property was deprecated; this one (written with the plugin framework) has
`stringplanmodifier.RequiresReplace()` in every version of the file, and so have its neighbours that are deprecated the
same way (bucket_abac.go, bucket_metadata_configuration.go).
"""

from __future__ import annotations

import time
from typing import Any

from aws_rehearsal.providers.classic.s3_companions import Setting
from aws_rehearsal.providers.resource import REGION, Call
from aws_rehearsal.providers.schema import Prop
from aws_rehearsal.providers.wire import Properties

_STEADY, _PAUSE = 10, 0.01
_NAMES = {
    "abortIncompleteMultipartUpload": "AbortIncompleteMultipartUpload",
    "and": "And",
    "date": "Date",
    "days": "Days",
    "daysAfterInitiation": "DaysAfterInitiation",
    "expiration": "Expiration",
    "expiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
    "filter": "Filter",
    "id": "ID",
    "newerNoncurrentVersions": "NewerNoncurrentVersions",
    "noncurrentDays": "NoncurrentDays",
    "noncurrentVersionExpiration": "NoncurrentVersionExpiration",
    "noncurrentVersionTransitions": "NoncurrentVersionTransitions",
    "objectSizeGreaterThan": "ObjectSizeGreaterThan",
    "objectSizeLessThan": "ObjectSizeLessThan",
    "prefix": "Prefix",
    "status": "Status",
    "storageClass": "StorageClass",
    "tags": "Tags",
    "transitions": "Transitions",
}
_BACK = {name: key for key, name in _NAMES.items()}
_DAYS = {"date": Prop(computed=True), "days": Prop("int")}
_SIZES = {"objectSizeGreaterThan": Prop("int", computed=True), "objectSizeLessThan": Prop("int", computed=True)}
_FILTER = {
    "and": Prop("object", fields={**_SIZES, "prefix": Prop(), "tags": Prop("map")}),
    "prefix": Prop(),
    "tag": Prop("object", fields={"key": Prop(required=True), "value": Prop(required=True)}),
    **_SIZES,
}
_RULE = {
    "abortIncompleteMultipartUpload": Prop("object", fields={"daysAfterInitiation": Prop("int")}),
    "expiration": Prop("object", fields={**_DAYS, "expiredObjectDeleteMarker": Prop("bool", computed=True)}),
    "filter": Prop("object", computed=True, fields=_FILTER),
    "id": Prop(required=True),
    "noncurrentVersionExpiration": Prop(
        "object", fields={"newerNoncurrentVersions": Prop("int"), "noncurrentDays": Prop("int", required=True)}
    ),
    "noncurrentVersionTransitions": Prop(
        "set",
        fields={
            "newerNoncurrentVersions": Prop("int"),
            "noncurrentDays": Prop("int", required=True),
            "storageClass": Prop(required=True),
        },
    ),
    "prefix": Prop(computed=True),
    "status": Prop(required=True, choices=("Enabled", "Disabled")),
    "transitions": Prop("set", fields={**_DAYS, "storageClass": Prop(required=True)}),
}
_ACTIONS = (
    "abortIncompleteMultipartUpload",
    "expiration",
    "noncurrentVersionExpiration",
    "noncurrentVersionTransitions",
    "transitions",
)


class BucketLifecycleConfiguration(Setting):
    token = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    called = "S3 Bucket Lifecycle Configuration"
    props = {
        "bucket": Prop(required=True, replaces=True),
        "expectedBucketOwner": Prop(replaces=True),
        "region": REGION,
        "rules": Prop("set", fields=_RULE),
        "timeouts": Prop("any", computed=True),
        "transitionDefaultMinimumObjectSize": Prop(
            computed=True, choices=("all_storage_classes_128K", "varies_by_storage_class")
        ),
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        rules = [rule for rule in inputs.get("rules") or [] if isinstance(rule, dict)]
        return [
            ("rules", f"rule {rule.get('id')!r}: at least one of {', '.join(_ACTIONS)} must be specified")
            for rule in rules
            if not any(rule.get(action) for action in _ACTIONS)
        ]

    def put(self, client: Any, target: Properties, inputs: Properties) -> None:
        rules = [_sent_rule(rule) for rule in inputs.get("rules") or ()]
        client.put_bucket_lifecycle_configuration(**target, LifecycleConfiguration={"Rules": rules})

    def get(self, client: Any, target: Properties, olds: Properties) -> Properties | None:
        answer = client.get_bucket_lifecycle_configuration(**target)
        size = olds.get("transitionDefaultMinimumObjectSize") or "all_storage_classes_128K"
        return {"rules": [_read(rule) for rule in answer["Rules"]], "transitionDefaultMinimumObjectSize": size}

    def remove(self, client: Any, target: Properties, olds: Properties) -> None:
        client.delete_bucket_lifecycle(**target)

    def _state(self, call: Call, resource_id: str, known: Properties) -> tuple[str, Properties]:
        """After a put the provider waits until it has read the same ten times in a row, which takes 50 seconds there:
        S3 tells old rules for a while (bucket_lifecycle_configuration.go). The local AWS tells the new ones at
        once, so here it reads as often, without the time between."""
        for _ in range(_STEADY):
            super()._state(call, resource_id, known)
            time.sleep(_PAUSE)
        return super()._state(call, resource_id, known)


def _sent_rule(rule: Properties) -> Properties:
    sent: Properties = _sent(rule)
    if "Prefix" not in sent:
        sent.setdefault("Filter", {})  # S3 wants one of the two, and an empty filter is "every object"
    return sent


def _sent(value: Any) -> Any:
    if isinstance(value, list):
        return [_sent(item) for item in value]
    if not isinstance(value, dict):
        return value
    sent: Properties = {}
    for key, item in value.items():
        if item in (None, "") and key != "prefix":
            continue
        if key == "tags":
            sent["Tags"] = [{"Key": name, "Value": text} for name, text in item.items()]
        elif key == "tag":
            sent["Tag"] = {"Key": item["key"], "Value": item["value"]}
        else:
            sent[_NAMES[key]] = _sent(item)
    return sent


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return [_read(item) for item in value]
    if not isinstance(value, dict):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(value, "strftime") else value
    found: Properties = {}
    for name, item in value.items():
        if name == "Tags":
            found["tags"] = {tag["Key"]: tag["Value"] for tag in item}
        elif name == "Tag":
            found["tag"] = {"key": item["Key"], "value": item["Value"]}
        elif name in _BACK:
            found[_BACK[name]] = _read(item)
    return found


TYPES = {BucketLifecycleConfiguration.token: BucketLifecycleConfiguration()}
