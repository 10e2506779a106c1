"""What lies beside the engine's state in a bootstrapped environment's state bucket: plans and outputs.

The bucket's default encryption takes the environment's key; every call says whose bucket it has to be.
"""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from amplify_delivery.components.documents.naming import OUTPUTS_PREFIX, PLANS_PREFIX, EnvironmentNames
from amplify_delivery.delivery.account.account import Account
from amplify_delivery.errors import DeployError

_NOT_THERE = ("NoSuchKey", "NoSuchBucket", "404")
_NOT_ALLOWED = ("AccessDenied", "403")
"""Also S3's answer when there is no such object and the caller may not list the bucket."""


def plan_key(digest: str) -> str:
    """Where a plan's document lies."""
    return f"{PLANS_PREFIX}{digest}.json"


def outputs_key(environment: str) -> str:
    """Where an environment's outputs lie."""
    return f"{OUTPUTS_PREFIX}{environment}.json"


def read(account: Account, names: EnvironmentNames, key: str) -> bytes | None:
    """An object; None if there is none, or the caller may not read it. Raises `DeployError`."""
    try:
        answer = account.client("s3").get_object(Bucket=names.state_bucket, Key=key, ExpectedBucketOwner=names.account)
        body: bytes = answer["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in (*_NOT_THERE, *_NOT_ALLOWED):
            return None
        raise account.refused(error, f"reading {key} in {names.state_bucket}") from None
    except BotoCoreError as error:
        raise account.refused(error, f"reading {key} in {names.state_bucket}") from None
    return body


def write(account: Account, names: EnvironmentNames, key: str, body: bytes) -> None:
    """Put an object. Raises `NotAllowedError` if the caller may not, `DeployError` for everything else."""
    try:
        account.client("s3").put_object(
            Bucket=names.state_bucket,
            Key=key,
            Body=body,
            ContentType="application/json",
            ExpectedBucketOwner=names.account,
        )
    except (BotoCoreError, ClientError) as error:
        refused = account.refused(error, f"writing {key} in {names.state_bucket}")
        if isinstance(error, ClientError) and error.response["Error"]["Code"] in _NOT_ALLOWED:
            raise NotAllowedError(refused.message, where=refused.where, remedy=refused.remedy) from None
        raise refused from None


def holds(account: Account, names: EnvironmentNames, prefix: str) -> bool:
    """Whether there is an object whose key begins with `prefix`. Raises `DeployError`."""
    try:
        found = account.client("s3").list_objects_v2(
            Bucket=names.state_bucket, Prefix=prefix, MaxKeys=1, ExpectedBucketOwner=names.account
        )
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] in _NOT_THERE:
            return False
        raise account.refused(error, f"listing {names.state_bucket}") from None
    return bool(found.get("KeyCount"))


class NotAllowedError(DeployError):
    """The caller may not write there."""
