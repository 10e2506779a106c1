"""The resources beside a bucket that hold one of its settings each.

Plays bucket_versioning.go, bucket_public_access_block.go, bucket_server_side_encryption_configuration.go,
bucket_ownership_controls.go and bucket_policy.go of internal/service/s3 in terraform-provider-aws: the id is the
bucket's name (with the expected owner after a comma), and a setting whose bucket is gone is gone itself.
"""

from __future__ import annotations

from typing import Any

from aws_rehearsal.providers.classic.propagation import until_gone
from aws_rehearsal.providers.errors import aws_error, error_code
from aws_rehearsal.providers.resource import REGION, Call, Resource, kept
from aws_rehearsal.providers.schema import Prop, normal_policy, policy_that_is_no_json
from aws_rehearsal.providers.wire import Properties

_BUCKET = Prop(required=True, replaces=True)
_OWNER = Prop()
_GONE = {
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
    "404",
}


class Setting(Resource):
    """One setting of a bucket: `put`, `get` and `remove` are all that differs from type to type."""

    waits = True
    """Whether a delete waits until the setting is gone."""

    def put(self, client: Any, target: Properties, inputs: Properties) -> None:
        raise NotImplementedError

    def get(self, client: Any, target: Properties, olds: Properties) -> Properties | None:
        """The setting as properties, None when it is not set."""
        raise NotImplementedError

    def remove(self, client: Any, target: Properties, olds: Properties) -> None:
        raise NotImplementedError

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        resource_id = ",".join(filter(None, (inputs["bucket"], inputs.get("expectedBucketOwner"))))
        self._try(call, resource_id, "creating", lambda client, target: self.put(client, target, inputs))
        return self._state(call, resource_id, inputs)

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client, target = call.client("s3"), _target(resource_id)
        try:
            found = self.get(client, target, olds)
        except client.exceptions.ClientError as error:
            if error_code(error) in _GONE:
                return None
            raise aws_error(f"reading {self.called} ({resource_id})", error) from error
        if found is None:
            return None
        outputs = {"bucket": target["Bucket"], **found}
        if "ExpectedBucketOwner" in target and "expectedBucketOwner" in self.props:
            outputs["expectedBucketOwner"] = target["ExpectedBucketOwner"]
        return resource_id, outputs

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        self._try(call, resource_id, "updating", lambda client, target: self.put(client, target, news))
        return self._state(call, resource_id, news)[1]

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        self._try(call, resource_id, "deleting", lambda client, target: self._remove(client, target, olds))

    def _remove(self, client: Any, target: Properties, olds: Properties) -> None:
        self.remove(client, target, olds)
        if self.waits and not olds.get("skipDestroy"):
            until_gone(lambda: self.get(client, target, olds), _GONE)

    def _try(self, call: Call, resource_id: str, doing: str, act: Any) -> None:
        client = call.client("s3")
        try:
            act(client, _target(resource_id))
        except client.exceptions.ClientError as error:
            if doing == "deleting" and error_code(error) in _GONE:
                return
            raise aws_error(f"{doing} {self.called} ({resource_id})", error) from error


def _target(resource_id: str) -> Properties:
    bucket, _, owner = resource_id.partition(",")
    return {"Bucket": bucket, **({"ExpectedBucketOwner": owner} if owner else {})}


class BucketVersioning(Setting):
    token = "aws:s3/bucketVersioning:BucketVersioning"
    called = "S3 Bucket Versioning"
    waits = False
    props = {
        "bucket": _BUCKET,
        "expectedBucketOwner": _OWNER,
        "mfa": Prop(),
        "region": REGION,
        "versioningConfiguration": Prop(
            "object",
            required=True,
            fields={
                "mfaDelete": Prop(computed=True, choices=("Enabled", "Disabled")),
                "status": Prop(required=True, choices=("Enabled", "Suspended", "Disabled")),
            },
        ),
    }

    def put(self, client: Any, target: Properties, inputs: Properties) -> None:
        wanted = inputs["versioningConfiguration"]
        if wanted["status"] == "Disabled":  # "never switched on": there is no call for it
            return
        configuration = {"Status": wanted["status"]}
        if wanted.get("mfaDelete"):
            configuration["MFADelete"] = wanted["mfaDelete"]
        extra = {"MFA": inputs["mfa"]} if inputs.get("mfa") else {}
        client.put_bucket_versioning(**target, **extra, VersioningConfiguration=configuration)

    def get(self, client: Any, target: Properties, olds: Properties) -> Properties | None:
        answer = client.get_bucket_versioning(**target)
        if not answer.get("Status") and (olds.get("versioningConfiguration") or {}).get("status") != "Disabled":
            return None
        found = {"status": answer.get("Status") or "Disabled"}
        if answer.get("MFADelete"):
            found["mfaDelete"] = answer["MFADelete"]
        return {"versioningConfiguration": found, **({"mfa": olds["mfa"]} if olds.get("mfa") else {})}

    def remove(self, client: Any, target: Properties, olds: Properties) -> None:
        if (olds.get("versioningConfiguration") or {}).get("status") == "Enabled":
            client.put_bucket_versioning(**target, VersioningConfiguration={"Status": "Suspended"})


_ACCESS = {
    "blockPublicAcls": "BlockPublicAcls",
    "blockPublicPolicy": "BlockPublicPolicy",
    "ignorePublicAcls": "IgnorePublicAcls",
    "restrictPublicBuckets": "RestrictPublicBuckets",
}


class BucketPublicAccessBlock(Setting):
    token = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    called = "S3 Bucket Public Access Block"
    props = {
        **{key: Prop("bool", default=False) for key in _ACCESS},
        "bucket": _BUCKET,
        "region": REGION,
        "skipDestroy": Prop("bool"),
    }

    def put(self, client: Any, target: Properties, inputs: Properties) -> None:
        wanted = {name: bool(inputs.get(key)) for key, name in _ACCESS.items()}
        client.put_public_access_block(**target, PublicAccessBlockConfiguration=wanted)

    def get(self, client: Any, target: Properties, olds: Properties) -> Properties | None:
        found = client.get_public_access_block(**target)["PublicAccessBlockConfiguration"]
        return {**{key: bool(found.get(name)) for key, name in _ACCESS.items()}, **kept(olds, "skipDestroy")}

    def remove(self, client: Any, target: Properties, olds: Properties) -> None:
        if not olds.get("skipDestroy"):
            client.delete_public_access_block(**target)


class BucketServerSideEncryptionConfiguration(Setting):
    token = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    called = "S3 Bucket Server-side Encryption Configuration"
    waits = False
    props = {
        "bucket": _BUCKET,
        "expectedBucketOwner": _OWNER,
        "region": REGION,
        "rules": Prop(
            "set",
            required=True,
            fields={
                "applyServerSideEncryptionByDefault": Prop(
                    "object",
                    fields={
                        "kmsMasterKeyId": Prop(),
                        "sseAlgorithm": Prop(required=True, choices=("AES256", "aws:fsx", "aws:kms", "aws:kms:dsse")),
                    },
                ),
                "blockedEncryptionTypes": Prop("list"),
                "bucketKeyEnabled": Prop("bool"),
            },
        ),
    }

    def put(self, client: Any, target: Properties, inputs: Properties) -> None:
        rules = []
        for rule in inputs["rules"]:
            sent: Properties = {"BucketKeyEnabled": bool(rule.get("bucketKeyEnabled"))}
            default = rule.get("applyServerSideEncryptionByDefault")
            if default:
                sent["ApplyServerSideEncryptionByDefault"] = {"SSEAlgorithm": default["sseAlgorithm"]}
                if default.get("kmsMasterKeyId"):
                    sent["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] = default["kmsMasterKeyId"]
            if rule.get("blockedEncryptionTypes"):
                sent["BlockedEncryptionTypes"] = {"EncryptionType": rule["blockedEncryptionTypes"]}
            rules.append(sent)
        client.put_bucket_encryption(**target, ServerSideEncryptionConfiguration={"Rules": rules})

    def get(self, client: Any, target: Properties, olds: Properties) -> Properties | None:
        rules = []
        for rule in client.get_bucket_encryption(**target)["ServerSideEncryptionConfiguration"]["Rules"]:
            found: Properties = {"bucketKeyEnabled": bool(rule.get("BucketKeyEnabled"))}
            default = rule.get("ApplyServerSideEncryptionByDefault")
            if default:
                found["applyServerSideEncryptionByDefault"] = {
                    "sseAlgorithm": default["SSEAlgorithm"],
                    "kmsMasterKeyId": default.get("KMSMasterKeyID", ""),
                }
            blocked = (rule.get("BlockedEncryptionTypes") or {}).get("EncryptionType")
            if blocked:
                found["blockedEncryptionTypes"] = blocked
            rules.append(found)
        return {"rules": rules}

    def remove(self, client: Any, target: Properties, olds: Properties) -> None:
        client.delete_bucket_encryption(**target)


class BucketOwnershipControls(Setting):
    token = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    called = "S3 Bucket Ownership Controls"
    props = {
        "bucket": _BUCKET,
        "region": REGION,
        "rule": Prop(
            "object",
            required=True,
            fields={
                "objectOwnership": Prop(
                    required=True, choices=("BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced")
                )
            },
        ),
    }

    def put(self, client: Any, target: Properties, inputs: Properties) -> None:
        rules = [{"ObjectOwnership": inputs["rule"]["objectOwnership"]}]
        client.put_bucket_ownership_controls(**target, OwnershipControls={"Rules": rules})

    def get(self, client: Any, target: Properties, olds: Properties) -> Properties | None:
        rules = client.get_bucket_ownership_controls(**target)["OwnershipControls"]["Rules"]
        return {"rule": {"objectOwnership": rules[0]["ObjectOwnership"]}} if rules else None

    def remove(self, client: Any, target: Properties, olds: Properties) -> None:
        client.delete_bucket_ownership_controls(**target)


class BucketPolicy(Setting):
    token = "aws:s3/bucketPolicy:BucketPolicy"
    called = "S3 Bucket Policy"
    props = {
        "bucket": _BUCKET,
        "policy": Prop("policy", required=True),
        "region": REGION,
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        return policy_that_is_no_json(inputs, "JSON policy")

    def put(self, client: Any, target: Properties, inputs: Properties) -> None:
        client.put_bucket_policy(**target, Policy=inputs["policy"])

    def get(self, client: Any, target: Properties, olds: Properties) -> Properties | None:
        policy, old = client.get_bucket_policy(**target)["Policy"], olds.get("policy")
        # As upstream: an equivalent document is shown as it was written.
        return {"policy": old if old and normal_policy(old) == normal_policy(policy) else policy}

    def remove(self, client: Any, target: Properties, olds: Properties) -> None:
        client.delete_bucket_policy(**target)


TYPES = {
    kind.token: kind()
    for kind in (
        BucketVersioning,
        BucketPublicAccessBlock,
        BucketServerSideEncryptionConfiguration,
        BucketOwnershipControls,
        BucketPolicy,
    )
}
