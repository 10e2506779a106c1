"""What AWS refused, in words a user can act on: botocore's errors become `PublishError`."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from amplify_delivery.errors import PublishError
from amplify_delivery.publishing.target import PublishTarget

_EXPIRED = "log in again (for example `aws sso login`), then repeat the command: what is published stays"
_UNKNOWN_CREDENTIALS = "check the stack's profile and role, and the AWS_* variables of this shell"

REMEDIES = {
    "NoSuchBucket": "run `pulumi up`: the stack makes its staging bucket before it publishes",
    "NoSuchUpload": "repeat the command",
    "AccessDenied": (
        "the credentials need s3:ListBucket on the bucket, s3:PutObject on its objects (and kms:GenerateDataKey "
        "if it has a customer key); the bucket must belong to this account. Where a role may only read it, publish "
        "with another first: `amplify-delivery publish ENV`"
    ),
    "AllAccessDisabled": "the bucket's owner is closed or suspended: ask the account's owner",
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "RequestExpired": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "InvalidAccessKeyId": _UNKNOWN_CREDENTIALS,
    "InvalidClientTokenId": _UNKNOWN_CREDENTIALS,
    "UnrecognizedClientException": _UNKNOWN_CREDENTIALS,
    "SignatureDoesNotMatch": _UNKNOWN_CREDENTIALS,
    "InvalidToken": _UNKNOWN_CREDENTIALS,
    "RequestTimeTooSkewed": "set this machine's clock",
    "PermanentRedirect": "the bucket lies in another region: check the region in the stack file",
    "AuthorizationHeaderMalformed": "the bucket lies in another region: check the region in the stack file",
    "IllegalLocationConstraintException": "the bucket lies in another region: check the region in the stack file",
    "SlowDown": "S3 still throttles after several tries: repeat the command, what is published stays",
    "ServiceUnavailable": "S3 does not answer: repeat the command, what is published stays",
    "InternalError": "S3 failed: repeat the command, what is published stays",
    "ConditionalRequestConflict": "somebody else publishes into this bucket: repeat the command",
    "BadDigest": "the object changed on its way or on disk: assemble again and repeat",
    "XAmzContentSHA256Mismatch": "the object changed on its way or on disk: assemble again and repeat",
    "KMS.DisabledException": "enable the bucket's KMS key",
    "KMS.NotFoundException": "the bucket's KMS key is gone: check the bucket's default encryption",
}
"""What to do about an error code of S3 or STS."""

_CLIENT_SIDE = {
    "NoCredentialsError": "log in, or name a profile in the stack file",
    "PartialCredentialsError": _UNKNOWN_CREDENTIALS,
    "CredentialRetrievalError": _UNKNOWN_CREDENTIALS,
    "ProfileNotFound": "add the profile to ~/.aws/config, or name another one in the stack file",
    "SSOTokenLoadError": "log in: `aws sso login`",
    "UnauthorizedSSOTokenError": "log in: `aws sso login`",
    "TokenRetrievalError": "log in: `aws sso login`",
    "EndpointConnectionError": "check the network, the proxy and the region",
    "ConnectTimeoutError": "check the network, the proxy and the region",
    "ReadTimeoutError": "repeat the command, what is published stays",
    "ProxyConnectionError": "check HTTPS_PROXY",
    "SSLError": "check the certificates that AWS_CA_BUNDLE or the proxy brings",
}


def refused(error: ClientError | BotoCoreError, target: PublishTarget, what: str) -> PublishError:
    """The error to raise for `error`; `what` is what was being done, with the object's key if there is one."""
    if isinstance(error, ClientError):
        answer = error.response.get("Error", {})
        code = str(answer.get("Code", "unknown error"))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        said = str(answer.get("Message") or f"HTTP status {status}")
        if code == "403":
            code = "AccessDenied"
        elif code == "404":
            code = "NoSuchBucket"
        return PublishError(
            f"{what}: AWS says {code}: {said}",
            where=str(target),
            remedy=REMEDIES.get(code, "see the AWS message; what is published stays, so the command can be repeated"),
        )
    name = type(error).__name__
    return PublishError(
        f"{what}: {error}",
        where=str(target),
        remedy=_CLIENT_SIDE.get(name, "repeat the command, what is published stays"),
    )
