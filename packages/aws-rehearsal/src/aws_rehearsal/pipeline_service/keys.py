"""What S3 asks KMS for on a caller's behalf, asked for it.

The local S3 stores an object "encrypted with a key" without a word to KMS, so a role without rights on the artifact
store's key would read and write artifacts that AWS refuses. To upload an object S3 needs kms:GenerateDataKey on the
caller's behalf, to download it kms:Decrypt ("Using server-side encryption with AWS KMS keys", S3 User Guide); it
calls with `kms:ViaService` s3.REGION.amazonaws.com and the object's ARN as encryption context.
"""

from __future__ import annotations

from aws_rehearsal.local_aws import Credentials
from aws_rehearsal.pipeline_service.errors import ActionError
from aws_rehearsal.pipeline_service.gate import Caller, Gate


def require_key(
    gate: Gate, credentials: Credentials, action: str, key: str | None, place: tuple[str, str, str]
) -> None:
    """Raise `ActionError` unless `credentials` may use a store's `key` through S3.

    `action` is kms:Decrypt or kms:GenerateDataKey; `place` is the store's region, the bucket and the object's key.
    Without a key of its own a store uses the account's `aws/s3`, which every principal of the account may use.
    """
    if key is None:
        return
    region, bucket, object_key = place
    found = gate.key(key, credentials.account, region)
    if found is None:
        raise ActionError("PermissionError", f"Invalid KMS key: {key} does not exist (NotFoundException)")
    if found["state"] != "Enabled":
        raise ActionError("PermissionError", f"{found['arn']} is {found['state']} (KMS.DisabledException)")
    caller = Caller(credentials.access_key_id, "", credentials.account, region)
    context = {
        "kms:ViaService": f"s3.{region}.amazonaws.com",
        "kms:CallerAccount": credentials.account,
        "kms:ResourceAliases": found["aliases"],
        "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}/{object_key}",
        "kms:EncryptionContextKeys": ["aws:s3:arn"],
    }
    denied = gate.denied(caller, action, found["arn"], context)
    if denied is not None:
        raise ActionError("PermissionError", f"Access Denied: {denied.message}")
