"""What S3 refuses of a publication, and what to do about it."""

from __future__ import annotations

from contextlib import AbstractContextManager

from amplify_delivery.errors import PublishError
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, LOG_IN, told_as
from amplify_delivery.publishing.target import PublishTarget

_STAYS = "what is published stays"
_NO_BUCKET = "run `pulumi up`: the stack makes its staging bucket before it publishes"
_OTHER_REGION = "the bucket lies in another region: check the region in the stack file"
_LOG_IN = f"{LOG_IN}; then repeat the command: {_STAYS}"

REMEDIES = {
    **dict.fromkeys(
        ACCESS_DENIED,
        "the credentials need s3:ListBucket on the bucket, s3:PutObject on its objects (and kms:GenerateDataKey "
        "if it has a customer key); the bucket must belong to this account. Where a role may only read it, publish "
        "with another first: `amplify-delivery publish ENV`",
    ),
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"), _LOG_IN),
    "404": _NO_BUCKET,
    "NoSuchBucket": _NO_BUCKET,
    "NoSuchUpload": "repeat the command",
    "AllAccessDisabled": "the bucket's owner is closed or suspended: ask the account's owner",
    "PermanentRedirect": _OTHER_REGION,
    "AuthorizationHeaderMalformed": _OTHER_REGION,
    "IllegalLocationConstraintException": _OTHER_REGION,
    "SlowDown": f"S3 still throttles after several tries: repeat the command, {_STAYS}",
    "ServiceUnavailable": f"S3 does not answer: repeat the command, {_STAYS}",
    "InternalError": f"S3 failed: repeat the command, {_STAYS}",
    "ReadTimeoutError": f"repeat the command, {_STAYS}",
    "ConditionalRequestConflict": "somebody else publishes into this bucket: repeat the command",
    "BadDigest": "the object changed on its way or on disk: assemble again and repeat",
    "XAmzContentSHA256Mismatch": "the object changed on its way or on disk: assemble again and repeat",
    "KMS.DisabledException": "enable the bucket's KMS key",
    "KMS.NotFoundException": "the bucket's KMS key is gone: check the bucket's default encryption",
}
"""What to do about an error code of S3, where publishing has more to say than what is true everywhere."""


def refusals(target: PublishTarget, what: str) -> AbstractContextManager[None]:
    """Raise `PublishError` for whatever AWS refuses in the block; `what` is being done, with the object's key if there
    is one."""
    return told_as(
        PublishError, what, str(target), REMEDIES, f"see the message; {_STAYS}, so the command can be repeated"
    )
