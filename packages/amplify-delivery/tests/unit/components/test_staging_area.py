from __future__ import annotations

import json
from typing import Any

import pulumi

from amplify_delivery.components.providers import Access, aws_provider
from amplify_delivery.components.staging_area import StagingArea, StagingAreaArgs
from unit.components.recorder import Recording, record

S3 = "aws:s3/bucket"


def make(**args: Any) -> Recording:
    def program() -> None:
        provider = aws_provider("aws", Access("012345678901", "eu-west-1"))
        area = StagingAreaArgs("app-dev-staging-012345678901-eu-west-1-an", "012345678901", "eu-west-1", **args)
        StagingArea("staging", area, pulumi.ResourceOptions(providers=[provider]))

    return record(program)


def test_the_bucket_lies_in_the_accounts_own_namespace() -> None:
    bucket = make().one(f"{S3}:Bucket")
    assert bucket.inputs == {
        "bucket": "app-dev-staging-012345678901-eu-west-1-an",
        "bucketNamespace": "account-regional",
        "forceDestroy": False,
    }
    assert make(force_destroy=True).one(f"{S3}:Bucket").inputs["forceDestroy"] is True


def test_it_is_closed_versioned_and_tls_only() -> None:
    area = make()
    closed = area.one(f"{S3}PublicAccessBlock:BucketPublicAccessBlock").inputs
    assert {k for k, v in closed.items() if v is True} == {
        "blockPublicAcls",
        "blockPublicPolicy",
        "ignorePublicAcls",
        "restrictPublicBuckets",
    }
    ownership = area.one(f"{S3}OwnershipControls:BucketOwnershipControls").inputs
    assert ownership["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    versioning = area.one(f"{S3}Versioning:BucketVersioning").inputs
    assert versioning["versioningConfiguration"] == {"status": "Enabled"}
    policy = json.loads(area.one(f"{S3}Policy:BucketPolicy").inputs["policy"])
    assert policy["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_published_objects_never_expire() -> None:
    area = make()
    lifecycle = area.one(f"{S3}LifecycleConfiguration:BucketLifecycleConfiguration")
    [rule] = lifecycle.inputs["rules"]
    assert "expiration" not in rule
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 1}
    assert area.one(f"{S3}Versioning:BucketVersioning").urn in lifecycle.depends_on


def test_s3s_own_keys_encrypt_unless_a_customer_key_is_wanted() -> None:
    encryption = f"{S3}ServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    plain, keyed = make(), make(customer_key=True)
    [rule] = plain.one(encryption).inputs["rules"]
    assert rule == {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}
    assert plain.all("aws:kms/key:Key") == []
    [rule] = keyed.one(encryption).inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {
        "sseAlgorithm": "aws:kms",
        "kmsMasterKeyId": "arn:aws:::staging",
    }
    assert rule["bucketKeyEnabled"] is True
    key = keyed.one("aws:kms/key:Key").inputs
    assert key["enableKeyRotation"] is True
    assert "kms:CallerAccount" in key["policy"]


def test_every_public_output_is_registered() -> None:
    type_ = "amplify-delivery:index:StagingArea"
    outputs = make(customer_key=True).outputs_of(type_)
    assert outputs == {
        "bucket_name": "app-dev-staging-012345678901-eu-west-1-an",
        "bucket_arn": "arn:aws:::staging",
        "key_arn": "arn:aws:::staging",
    }
    public = {n for n in StagingArea.__annotations__ if not n.startswith("_")}
    assert set(outputs) == public


def test_no_resource_without_the_given_provider() -> None:
    for resource in make(customer_key=True).resources:
        if resource.type.startswith("aws:"):
            assert resource.provider.endswith("::aws::aws-id"), resource.type
