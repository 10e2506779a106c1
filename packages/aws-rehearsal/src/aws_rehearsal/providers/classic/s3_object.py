"""`aws:s3/bucketObjectv2:BucketObjectv2`: one object, from text, base64 or an asset.

Plays internal/service/s3/object.go of terraform-provider-aws: the id is `BUCKET/KEY`, content is not compared after a
refresh (only `etag` and `sourceHash` are), deleting removes all versions only with `forceDestroy`.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from aws_rehearsal.providers.errors import ProviderError, aws_error, error_code
from aws_rehearsal.providers.resource import REGION, TAGS, Call, Resource, kept
from aws_rehearsal.providers.schema import Change, Prop, out
from aws_rehearsal.providers.wire import ARCHIVE_SIGNATURE, Asset, Properties

_HEADERS = {
    "cacheControl": "CacheControl",
    "contentDisposition": "ContentDisposition",
    "contentEncoding": "ContentEncoding",
    "contentLanguage": "ContentLanguage",
    "contentType": "ContentType",
    "kmsKeyId": "SSEKMSKeyId",
    "serverSideEncryption": "ServerSideEncryption",
    "storageClass": "StorageClass",
    "websiteRedirect": "WebsiteRedirectLocation",
}
_CHECKSUMS = {
    "checksumCrc32": "ChecksumCRC32",
    "checksumCrc32c": "ChecksumCRC32C",
    "checksumCrc64nvme": "ChecksumCRC64NVME",
    "checksumSha1": "ChecksumSHA1",
    "checksumSha256": "ChecksumSHA256",
}
_KEPT = ("acl", "checksumAlgorithm", "content", "contentBase64", "forceDestroy", "source", "sourceHash")


_UNPLAYED = ("objectLockLegalHoldStatus", "objectLockMode", "objectLockRetainUntilDate", "overrideProvider")


class BucketObjectv2(Resource):
    token = "aws:s3/bucketObjectv2:BucketObjectv2"
    called = "S3 Object"
    name_property = "key"
    name_length = 1024
    props = {
        "acl": Prop(computed=True),
        "arn": out(),
        "bucket": Prop(required=True, replaces=True),
        "bucketKeyEnabled": Prop("bool", computed=True),
        "cacheControl": Prop(),
        "checksumAlgorithm": Prop(choices=("CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME")),
        **{key: out() for key in _CHECKSUMS},
        "content": Prop(conflicts=("contentBase64", "source")),
        "contentBase64": Prop(conflicts=("content", "source")),
        "contentDisposition": Prop(),
        "contentEncoding": Prop(),
        "contentLanguage": Prop(),
        "contentType": Prop(computed=True),
        "etag": Prop(computed=True),
        "forceDestroy": Prop("bool", default=False),
        "key": Prop(replaces=True),
        "kmsKeyId": Prop(computed=True),
        "metadata": Prop("map"),
        **{key: Prop("any") for key in _UNPLAYED},
        "region": REGION,
        "serverSideEncryption": Prop(computed=True, choices=("AES256", "aws:fsx", "aws:kms", "aws:kms:dsse")),
        "source": Prop("asset", conflicts=("content", "contentBase64")),
        "sourceHash": Prop(),
        "storageClass": Prop(computed=True),
        "tags": TAGS,
        "tagsAll": out("map"),
        "versionId": out(),
        "websiteRedirect": Prop(),
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        return [(key, f"the stand-in plays no {key} of an object") for key in _UNPLAYED if key in inputs]

    def unknown_after(self, found: list[Change]) -> set[str]:
        body = {"content", "contentBase64", "etag", "source", "sourceHash"}
        return {"etag", "versionId", *_CHECKSUMS} if any(change.property in body for change in found) else set()

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        resource_id = f"{inputs['bucket']}/{inputs['key'].lstrip('/')}"
        self._put(call, resource_id, inputs, "uploading")
        return self._state(call, resource_id, inputs)

    def _put(self, call: Call, resource_id: str, inputs: Properties, doing: str) -> None:
        client = call.client("s3")
        bucket, _, key = resource_id.partition("/")
        request: Properties = {name: inputs[own] for own, name in _HEADERS.items() if inputs.get(own)}
        if inputs.get("acl"):
            request["ACL"] = inputs["acl"]
        if inputs.get("kmsKeyId"):
            request.setdefault("ServerSideEncryption", "aws:kms")
        if inputs.get("bucketKeyEnabled"):
            request["BucketKeyEnabled"] = True
        if inputs.get("checksumAlgorithm"):
            request["ChecksumAlgorithm"] = inputs["checksumAlgorithm"]
        if inputs.get("metadata"):
            request["Metadata"] = inputs["metadata"]
        tags = call.session.tags(inputs.get("tags"))
        if tags:
            from urllib.parse import urlencode

            request["Tagging"] = urlencode(tags)
        try:
            client.put_object(Bucket=bucket, Key=key, Body=_body(inputs), **request)
        except client.exceptions.ClientError as error:
            raise aws_error(f"{doing} S3 Object ({key}) to Bucket ({bucket})", error) from error

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("s3")
        bucket, _, key = resource_id.removeprefix("s3://").partition("/")
        try:
            head = client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
            tags = client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
        except client.exceptions.ClientError as error:
            if error_code(error) in ("404", "NoSuchKey", "NoSuchBucket", "NotFound"):
                return None
            raise aws_error(f"reading S3 Object ({resource_id})", error) from error
        every = {tag["Key"]: tag["Value"] for tag in tags}
        outputs = {
            **kept(olds, *_KEPT),
            **{own: head[name] for own, name in (_HEADERS | _CHECKSUMS).items() if head.get(name)},
            "arn": f"arn:{call.session.partition}:s3:::{bucket}/{key}",
            "bucket": bucket,
            "bucketKeyEnabled": bool(head.get("BucketKeyEnabled")),
            "etag": head["ETag"].strip('"'),
            "key": key,
            "metadata": head.get("Metadata") or {},
            "storageClass": head.get("StorageClass") or "STANDARD",
            "tags": call.session.own_tags(every, olds.get("tags")),
            "tagsAll": every,
            "versionId": head.get("VersionId") or "",
        }
        return f"{bucket}/{key}", outputs

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        if changed <= {"forceDestroy"}:
            return self._state(call, resource_id, news)[1]
        self._put(call, resource_id, news, "uploading")
        return self._state(call, resource_id, news)[1]

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("s3")
        bucket, _, key = resource_id.partition("/")
        try:
            client.delete_object(Bucket=bucket, Key=key)
            if olds.get("forceDestroy") or olds.get("versionId") not in (None, "", "null"):
                _delete_versions(client, bucket, key)
        except client.exceptions.ClientError as error:
            if error_code(error) not in ("NoSuchBucket", "NoSuchKey"):
                raise aws_error(f"deleting S3 Bucket ({bucket}) Object ({key})", error) from error


def _delete_versions(client: Any, bucket: str, key: str) -> None:
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
        for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            if item["Key"] == key:
                client.delete_object(Bucket=bucket, Key=key, VersionId=item["VersionId"])


def _body(inputs: Properties) -> bytes:
    source = inputs.get("source")
    if isinstance(source, Asset):
        if source.signature == ARCHIVE_SIGNATURE and not source.fields.get("path"):
            raise ProviderError(
                "the stand-in takes an archive only as a file: FileArchive of a .zip", "INVALID_ARGUMENT"
            )
        if source.fields.get("path"):
            return Path(source.fields["path"]).read_bytes()
        if "text" in source.fields:
            return str(source.fields["text"]).encode()
        raise ProviderError("the stand-in takes an asset only as a file or as text", "INVALID_ARGUMENT")
    if isinstance(source, str):
        return Path(source).read_bytes()
    if inputs.get("contentBase64"):
        return base64.b64decode(inputs["contentBase64"])
    return str(inputs.get("content") or "").encode()


TYPES = {BucketObjectv2.token: BucketObjectv2()}
