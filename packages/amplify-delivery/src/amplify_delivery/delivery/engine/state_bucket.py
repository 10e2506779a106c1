"""What lies beside the engine's state in a bootstrapped environment's state bucket: plans and outputs.

The bucket's default encryption takes the environment's key; every call says whose bucket it has to be.
"""

from __future__ import annotations

from amplify_delivery.components.documents.naming import OUTPUTS_PREFIX, PLANS_PREFIX, EnvironmentNames, PipelineNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing

_NOT_THERE = frozenset({"NoSuchKey", "NoSuchBucket", "404"})


def plan_key(digest: str) -> str:
    """Where a plan's document lies."""
    return f"{PLANS_PREFIX}{digest}.json"


def outputs_key(environment: str) -> str:
    """Where an environment's outputs lie."""
    return f"{OUTPUTS_PREFIX}{environment}.json"


def client_config_key(environment: str) -> str:
    """Where the configuration of an environment's clients lies, for steps that ask for it."""
    return f"{OUTPUTS_PREFIX}{environment}.client-config.json"


def read(account: Account, names: EnvironmentNames, key: str) -> bytes | None:
    """An object; None if there is none, or the caller may not read it. Raises `RefusedError`."""
    # A missing right is also S3's answer when there is no such object and the caller may not list the bucket.
    with account.asking(f"reading {key} in {names.state_bucket}"), suppressing(*_NOT_THERE, *ACCESS_DENIED):
        answer = account.client("s3").get_object(Bucket=names.state_bucket, Key=key, ExpectedBucketOwner=names.account)
        return bytes(answer["Body"].read())
    return None


def write(account: Account, names: EnvironmentNames, key: str, body: bytes) -> None:
    """Put an object. Raises `NotAllowedError` if the caller may not, `RefusedError` for everything else."""
    what = f"writing {key} in {names.state_bucket}"
    with account.asking(what), suppressing(*ACCESS_DENIED) as refusal:
        account.client("s3").put_object(
            Bucket=names.state_bucket,
            Key=key,
            Body=body,
            ContentType="application/json",
            ExpectedBucketOwner=names.account,
        )
    if refusal:
        raise NotAllowedError(f"{what}: {refusal.said}", where=account.place, remedy=refusal.remedy(""))


def exists(account: Account, names: PipelineNames) -> bool:
    """Whether the bucket is there, as far as the caller may tell. Raises `RefusedError`."""
    looking = account.asking(f"looking for {names.state_bucket}")
    with looking, suppressing(*ACCESS_DENIED), suppressing(*_NOT_THERE) as gone:
        account.client("s3").head_bucket(Bucket=names.state_bucket, ExpectedBucketOwner=names.account)
    return not gone


def holds(account: Account, names: EnvironmentNames, prefix: str) -> bool:
    """Whether there is an object whose key begins with `prefix`. Raises `RefusedError`."""
    with account.asking(f"listing {names.state_bucket}"), suppressing(*_NOT_THERE):
        found = account.client("s3").list_objects_v2(
            Bucket=names.state_bucket, Prefix=prefix, MaxKeys=1, ExpectedBucketOwner=names.account
        )
        return bool(found.get("KeyCount"))
    return False


class NotAllowedError(RefusedError):
    """The caller may not write there."""
