"""What AWS, or the way to it, has refused: botocore's errors in words a user can act on.

The only module that knows botocore's errors. Whoever calls AWS says what is asked for and where (`told_as`: every
refusal becomes an error of ours), and within that which refusals are answers, too: by their codes (`suppressing`, for
what is not there, there already, or not allowed), or all of them (`suppressing_answers`, `suppressing_all`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import MappingProxyType, TracebackType
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from amplify_delivery.errors import DeliveryError

AWS_ERRORS = (BotoCoreError, ClientError)
"""Everything that a call of AWS may raise: a refusal, no credentials, no way to the endpoint, no answer."""

_SSO = "`aws sso login`, with `--profile NAME` where the stack file names one"
LOG_IN = (
    f"log in again (for example {_SSO}). Keys that this shell exports come before every profile: export new ones, or "
    "`unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN`"
)
"""What to do about credentials that have ended ("Configuration settings and precedence", AWS CLI user guide)."""
_EXPIRED = f"{LOG_IN}; then repeat the command"
_UNKNOWN_CREDENTIALS = "check the stack's profile and role, and the AWS_* variables of this shell"
_DENIED = "give these credentials the right that AWS names, or use others, then repeat the command"
_THROTTLED = "AWS still throttles after several tries: repeat the command in a few minutes"
_NO_ANSWER = "AWS does not answer as it should: repeat the command; health.aws.amazon.com lists disturbances"
_NETWORK = "check the network, the proxy and the region"

ACCESS_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})
"""Codes of a missing right. `403` is S3's, where an answer has no body."""

_HOLDS_NOT = frozenset({"PreconditionFailed", "412", "NoSuchKey", "404"})
"""S3's codes for a condition that does not hold: something is there, or something else, or nothing any more."""
_CONFLICTS = frozenset({"ConditionalRequestConflict", "OperationAborted", "409"})
"""S3's codes for somebody who writes or deletes the same object at this very moment. Nothing is known of the object
then ("Conditional requests" in the S3 user guide: the request may be retried)."""
_TRIES = 5
_ITS_OWN = 500
"""From this HTTP status on AWS itself has failed."""

REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(ACCESS_DENIED, _DENIED),
        **dict.fromkeys(
            ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"),
            _EXPIRED,
        ),
        **dict.fromkeys(
            (
                "InvalidAccessKeyId",
                "InvalidClientTokenId",
                "InvalidSignatureException",
                "InvalidToken",
                "SignatureDoesNotMatch",
                "UnrecognizedClientException",
            ),
            _UNKNOWN_CREDENTIALS,
        ),
        **dict.fromkeys(
            ("RequestLimitExceeded", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequestsException"),
            _THROTTLED,
        ),
        **dict.fromkeys(
            ("InternalError", "InternalFailure", "InternalServerError", "ServiceUnavailable"),
            _NO_ANSWER,
        ),
        "OptInRequired": "enable the service or region for this account, or name another region",
        "RequestTimeTooSkewed": "set this machine's clock",
    }
)
"""What to do about AWS's codes, whatever was asked for ("Common Error Types" in the API references)."""

CLIENT_SIDE: Mapping[str, str] = MappingProxyType(
    {
        "NoCredentialsError": "log in, or name a profile of your AWS configuration: `export AWS_PROFILE=NAME` in this "
        "shell, or `profile` in the stack file",
        "PartialCredentialsError": _UNKNOWN_CREDENTIALS,
        "CredentialRetrievalError": _UNKNOWN_CREDENTIALS,
        "NoRegionError": "name the region in the stack file",
        "ProfileNotFound": "add the profile to ~/.aws/config, or name another one: `profile` in the stack file, else "
        "AWS_PROFILE in this shell",
        "SSOTokenLoadError": f"log in: {_SSO}",
        "UnauthorizedSSOTokenError": f"log in: {_SSO}",
        "TokenRetrievalError": f"log in: {_SSO}",
        "EndpointConnectionError": _NETWORK,
        "ConnectTimeoutError": _NETWORK,
        "ReadTimeoutError": "repeat the command",
        "ConnectionClosedError": "repeat the command",
        "ProxyConnectionError": "check HTTPS_PROXY",
        "SSLError": "check the certificates that AWS_CA_BUNDLE or the proxy brings",
    }
)
"""What to do about botocore's own errors, by their classes."""


def code(error: Exception) -> str:
    """The code of AWS's refusal, such as `NoSuchKey`; empty for what is none."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def status(error: Exception) -> int:
    """The HTTP status of AWS's refusal; 0 for what is none."""
    answer = error.response.get("ResponseMetadata", {}) if isinstance(error, ClientError) else {}
    return int(answer.get("HTTPStatusCode", 0))


def answered_at(error: Exception) -> str | None:
    """The header `Date` of AWS's refusal: its time of day; None for what is none."""
    answer = error.response.get("ResponseMetadata", {}) if isinstance(error, ClientError) else {}
    date = answer.get("HTTPHeaders", {}).get("date")
    return str(date) if date else None


def said(error: Exception) -> str:
    """What AWS says, with the operation and the request's id, by which CloudTrail and AWS's support find it; else what
    botocore says."""
    if not isinstance(error, ClientError):
        return str(error)
    words = error.response.get("Error", {}).get("Message") or f"HTTP status {status(error)}"
    request = error.response.get("ResponseMetadata", {}).get("RequestId")
    which = f"{error.operation_name}, request {request}" if request else error.operation_name
    return f"AWS says {code(error) or 'unknown error'}: {words} ({which})"


def remedy(error: Exception, own: Mapping[str, str], otherwise: str) -> str:
    """What to do about it: what the caller knows of the code (`own`), else what is true everywhere."""
    name = code(error) if isinstance(error, ClientError) else type(error).__name__
    return own.get(name) or REMEDIES.get(name) or CLIENT_SIDE.get(name) or otherwise


def may_be_done(error: Exception) -> bool:
    """Whether AWS may have done what it was asked for all the same: its answer was lost, or is a failure of its own."""
    return not isinstance(error, ClientError) or status(error) >= _ITS_OWN


@contextmanager
def told_as(
    kind: type[DeliveryError] | Callable[[Exception], type[DeliveryError]],
    what: str,
    where: str,
    own: Mapping[str, str] = MappingProxyType({}),
    otherwise: str = "check the credentials and their rights, then repeat the command",
) -> Iterator[None]:
    """Raise `kind`, which may be asked with the error, for whatever AWS refuses in the block: `what` was being done,
    `where` (an account, a bucket), and what to do by AWS's code: `own` remedies first, those that are true everywhere
    then, else `otherwise`."""
    try:
        yield
    except AWS_ERRORS as error:
        made = kind if isinstance(kind, type) else kind(error)
        raise made(f"{what}: {said(error)}", where=where, remedy=remedy(error, own, otherwise)) from None


class Refusal:
    """What AWS has refused in a block of `suppressing` and its like; false as long as it has refused nothing."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __bool__(self) -> bool:
        return self.error is not None

    @property
    def code(self) -> str:
        """AWS's code; empty for what did not come from AWS, and where nothing was refused."""
        return code(self.error) if self.error else ""

    @property
    def status(self) -> int:
        """The answer's HTTP status; 0 for what did not come from AWS, and where nothing was refused."""
        return status(self.error) if self.error else 0

    @property
    def denied(self) -> bool:
        """Whether a right is missing."""
        return self.code in ACCESS_DENIED

    @property
    def said(self) -> str:
        """What AWS says, else botocore; empty where nothing was refused."""
        return said(self.error) if self.error else ""

    @property
    def answered_at(self) -> str | None:
        """`answered_at` of it; None where nothing was refused."""
        return answered_at(self.error) if self.error else None

    def remedy(self, otherwise: str) -> str:
        """What to do about it: what is true everywhere of its code, else `otherwise`."""
        return remedy(self.error, {}, otherwise) if self.error else otherwise


class _Suppressing(AbstractContextManager[Refusal, bool]):
    def __init__(self, suppressed: Callable[[Exception], bool]) -> None:
        self._suppressed, self._refusal = suppressed, Refusal()

    def __enter__(self) -> Refusal:
        return self._refusal

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, AWS_ERRORS) or not self._suppressed(error):
            return False
        self._refusal.error = error
        return True


def suppressing(*codes: str, saying: str = "") -> AbstractContextManager[Refusal, bool]:
    """Go on behind the block once AWS has refused something in it with one of `codes`, and `saying` among its words;
    whatever else is raised passes. What was refused is told by the `Refusal`."""
    return _Suppressing(lambda error: code(error) in codes and saying in str(error))


def suppressing_answers() -> AbstractContextManager[Refusal, bool]:
    """The same for everything that AWS answers, whatever the code: not for missing credentials, nor for no answer."""
    return _Suppressing(lambda error: bool(code(error)))


def suppressing_all() -> AbstractContextManager[Refusal, bool]:
    """The same for everything that a call of AWS may raise: for what is worth knowing, and no more."""
    return _Suppressing(lambda _: True)


Answer = TypeVar("Answer")


def conditionally(request: Callable[[], Answer]) -> Answer | None:
    """The answer to a conditional `request` of S3; None if the condition does not hold.

    A conflict is neither: the request is sent again, after pauses that grow. Raises botocore's errors, a conflict that
    does not end among them.
    """
    for tries in range(1, _TRIES + 1):
        try:
            return request()
        except AWS_ERRORS as error:
            if code(error) in _HOLDS_NOT:
                return None
            if code(error) not in _CONFLICTS or tries == _TRIES:
                raise
            time.sleep(0.1 * 2**tries)
    raise AssertionError("unreachable")
