"""`aws:s3/bucket:Bucket`.

Plays internal/service/s3/bucket.go of terraform-provider-aws: the id is the name, a bucket that is not empty is only
deleted with `forceDestroy`, the name may lie in the account's own namespace (`-ACCOUNT-REGION-an`). What has a resource
of its own (versioning, encryption, lifecycle, policy ...) is refused here, where upstream only warns. A read asks for
all of it nevertheless, and a refusal of any ends it. Tags go the way that upstream goes where S3 Control and tagging in
the creation (`s3:TagResource`) are refused.
"""

from __future__ import annotations

import contextlib
from typing import Any

from aws_rehearsal.providers.classic.propagation import until_gone
from aws_rehearsal.providers.classic.tags import tag_list
from aws_rehearsal.providers.errors import ProviderError, aws_error, error_code
from aws_rehearsal.providers.resource import REGION, TAGS, Call, Resource, kept
from aws_rehearsal.providers.schema import Prop, out
from aws_rehearsal.providers.wire import Properties

_HOSTED_ZONES = {
    "us-east-1": "Z3AQBSTGFYJSTF",
    "us-east-2": "Z2O1EMRO9K5GLX",
    "us-west-1": "Z2F56UZL2M1ACD",
    "us-west-2": "Z3BJ6K6RIION7M",
    "eu-central-1": "Z21DNDUVLTQW6Q",
    "eu-west-1": "Z1BKCTXD74EZPE",
}
_ELSEWHERE = {
    "accelerationStatus": "BucketAccelerateConfiguration",
    "acl": "BucketAcl",
    "corsRules": "BucketCorsConfiguration",
    "grants": "BucketAcl",
    "lifecycleRules": "BucketLifecycleConfiguration",
    "logging": "BucketLogging",
    "objectLockConfiguration": "BucketObjectLockConfiguration",
    "policy": "BucketPolicy",
    "replicationConfiguration": "BucketReplicationConfig",
    "requestPayer": "BucketRequestPaymentConfiguration",
    "serverSideEncryptionConfiguration": "BucketServerSideEncryptionConfiguration",
    "versioning": "BucketVersioning",
    "website": "BucketWebsiteConfiguration",
}

_READS = {
    "get_bucket_policy": "NoSuchBucketPolicy",
    "get_bucket_acl": "",
    "get_bucket_cors": "NoSuchCORSConfiguration",
    "get_bucket_website": "NoSuchWebsiteConfiguration",
    "get_bucket_versioning": "",
    "get_bucket_accelerate_configuration": "",
    "get_bucket_request_payment": "",
    "get_bucket_logging": "",
    "get_bucket_lifecycle_configuration": "NoSuchLifecycleConfiguration",
    "get_bucket_replication": "ReplicationConfigurationNotFoundError",
    "get_bucket_encryption": "ServerSideEncryptionConfigurationNotFoundError",
    "get_object_lock_configuration": "ObjectLockConfigurationNotFoundError",
}
"""What a read asks for beside the tags, in this order, and the error that says that it is not set."""


class Bucket(Resource):
    token = "aws:s3/bucket:Bucket"
    called = "S3 Bucket"
    name_property = "bucket"
    name_length = 63
    name_lower = True
    name_blockers = ("bucketPrefix",)
    props = {
        **{key: Prop("any") for key in _ELSEWHERE},
        "arn": out(),
        "bucket": Prop(computed=True, replaces=True, conflicts=("bucketPrefix",)),
        "bucketDomainName": out(),
        "bucketNamespace": Prop(computed=True, replaces=True, choices=("account-regional", "global")),
        "bucketPrefix": Prop(computed=True, replaces=True),
        "bucketRegion": out(),
        "bucketRegionalDomainName": out(),
        "forceDestroy": Prop("bool", default=False),
        "hostedZoneId": out(),
        "objectLockEnabled": Prop("bool", computed=True, replaces=True),
        "region": REGION,
        "tags": TAGS,
        "tagsAll": out("map"),
        "websiteDomain": out(),
        "websiteEndpoint": out(),
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        wrong = [
            (key, f"the stand-in plays no {key} inside a bucket: use aws.s3.{instead}")
            for key, instead in _ELSEWHERE.items()
            if key in inputs
        ]
        name = inputs.get("bucket")
        if isinstance(name, str) and inputs.get("bucketNamespace") == "account-regional" and not name.endswith("-an"):
            wrong.append(("bucket", "a bucket in the account-regional namespace is called PREFIX-ACCOUNT-REGION-an"))
        if isinstance(name, str) and not 3 <= len(name) <= 63:
            wrong.append(("bucket", f"expected length of bucket to be in the range (3 - 63), got {name}"))
        return wrong

    def planned(self, call: Call, inputs: Properties, olds: Properties | None, found: list[Any]) -> Properties:
        outputs = super().planned(call, inputs, olds, found)
        for key in _ELSEWHERE:
            outputs.pop(key, None)
        name = outputs.get("bucket")
        if olds is None and isinstance(name, str):
            outputs |= {key: value for key, value in _names(call, name).items() if key != "arn"}
        return outputs

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        client = call.client("s3")
        name = inputs.get("bucket")
        if not name:
            from aws_rehearsal.providers.naming import automatic_name

            name = automatic_name(inputs["bucketPrefix"], b"", 63, separator="")
        request: dict[str, Any] = {"Bucket": name}
        if call.region != "us-east-1":
            request["CreateBucketConfiguration"] = {"LocationConstraint": call.region}
        if inputs.get("objectLockEnabled"):
            request["ObjectLockEnabledForBucket"] = True
        if inputs.get("bucketNamespace"):
            request["BucketNamespace"] = inputs["bucketNamespace"]
        try:
            client.create_bucket(**request)
        except client.exceptions.ClientError as error:
            raise aws_error(f"creating S3 Bucket ({name})", error) from error
        call.has_id(name)
        tags = call.session.tags(inputs.get("tags"))
        if tags:
            try:
                client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(tags)})
            except client.exceptions.ClientError as error:
                raise aws_error(f"setting S3 Bucket ({name}) tags", error) from error
        return self._state(call, name, inputs)

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("s3")
        try:
            client.head_bucket(Bucket=resource_id)
        except client.exceptions.ClientError as error:
            if error_code(error) in ("404", "NoSuchBucket", "NotFound"):
                return None
            raise aws_error(f"reading S3 Bucket ({resource_id})", error) from error
        for operation, unset in _READS.items():
            try:
                getattr(client, operation)(Bucket=resource_id)
            except client.exceptions.ClientError as error:
                if error_code(error) != unset:
                    what = operation.removeprefix("get_").removeprefix("bucket_").replace("_", " ")
                    raise aws_error(f"reading S3 Bucket ({resource_id}) {what}", error) from error
        every = bucket_tags(client, resource_id)
        outputs = {
            **kept(olds, *_NOT_READ),
            **_names(call, resource_id),
            "bucket": resource_id,
            "forceDestroy": bool(olds.get("forceDestroy")),
            "tags": call.session.own_tags(every, olds.get("tags")),
            "tagsAll": every,
        }
        return resource_id, outputs

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        client = call.client("s3")
        tags = call.session.tags(news.get("tags"))
        if tags != olds.get("tagsAll"):
            bucket_tags(client, resource_id)  # upstream looks for tags that it is told to ignore
            try:
                if tags:
                    client.put_bucket_tagging(Bucket=resource_id, Tagging={"TagSet": tag_list(tags)})
                else:
                    client.delete_bucket_tagging(Bucket=resource_id)
            except client.exceptions.ClientError as error:
                raise aws_error(f"updating S3 Bucket ({resource_id}) tags", error) from error
        return self._state(call, resource_id, {**kept(olds, *_NOT_READ), **news})[1]

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("s3")
        try:
            try:
                client.delete_bucket(Bucket=resource_id)
            except client.exceptions.ClientError as error:
                if error_code(error) != "BucketNotEmpty" or not olds.get("forceDestroy"):
                    raise
                empty_bucket(client, resource_id)
                client.delete_bucket(Bucket=resource_id)
        except client.exceptions.ClientError as error:
            if error_code(error) != "NoSuchBucket":
                raise aws_error(f"deleting S3 Bucket ({resource_id})", error) from error
        until_gone(lambda: client.head_bucket(Bucket=resource_id), {"404", "NoSuchBucket", "NotFound"})


_NOT_READ = ("bucketNamespace", "bucketPrefix", "objectLockEnabled", "region")


def _names(call: Call, name: str) -> Properties:
    return {
        "arn": f"arn:{call.session.partition}:s3:::{name}",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegion": call.region,
        "bucketRegionalDomainName": f"{name}.s3.{call.region}.amazonaws.com",
        "hostedZoneId": _HOSTED_ZONES.get(call.region, ""),
    }


def bucket_tags(client: Any, name: str) -> dict[str, str]:
    try:
        tags = client.get_bucket_tagging(Bucket=name)["TagSet"]
    except client.exceptions.ClientError as error:
        if error_code(error) == "NoSuchTagSet":
            return {}
        raise aws_error(f"reading S3 Bucket ({name}) tags", error) from error
    return {tag["Key"]: tag["Value"] for tag in tags if not tag["Key"].startswith("aws:")}


def empty_bucket(client: Any, name: str) -> None:
    """All versions, delete markers and unfinished uploads.

    Raises ProviderError for what an object lock or a policy keeps.
    """
    for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
        items = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in items]
        if objects:
            answer = client.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})
            for wrong in answer.get("Errors", []):
                raise ProviderError(
                    f"emptying S3 Bucket ({name}): {wrong['Key']}: {wrong['Code']}: {wrong.get('Message', '')}"
                )
    with contextlib.suppress(client.exceptions.NoSuchUpload):
        for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=name):
            for upload in page.get("Uploads", []):
                client.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])


TYPES = {Bucket.token: Bucket()}
