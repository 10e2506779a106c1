"""How an operation on a native resource ends, in the words of pulumi-aws-native's `client` package.

Cloud Control answers with a handler's error code and a status message; both stand in the error a user sees.
"""

from __future__ import annotations

from collections.abc import Iterable

from aws_rehearsal.providers.errors import ProviderError, error_code, error_message
from aws_rehearsal.providers.wire import Properties

_BY_WORDS = (
    ("already exist", "AlreadyExists"),
    ("AccessDenied", "AccessDenied"),
    ("not authorized", "AccessDenied"),
    ("does not exist", "NotFound"),
)


class HalfMade(ProviderError):
    """A create that failed after the resource had been made: it exists under this handle."""

    def __init__(self, handle: str, attributes: Properties, reason: str) -> None:
        super().__init__(reason)
        self.handle, self.attributes = handle, attributes


def operation_failed(operation: str, reasons: Iterable[str], code: str = "") -> ProviderError:
    """The error of an operation (CREATE, UPDATE, DELETE); the handler's code, unless given, is read off the words."""
    text = "; ".join(dict.fromkeys(filter(None, reasons))) or "no reason given"
    found = code or next((name for words, name in _BY_WORDS if words in text), "GeneralServiceException")
    return ProviderError(f'operation {operation} failed with "{found}": {text}')


def handler_failed(operation: str, service: str, error: Exception) -> ProviderError:
    """The error of an operation whose handler was refused by the service behind it."""
    code = error_code(error)
    answer = getattr(error, "response", {}).get("ResponseMetadata", {})
    about = (
        f"(Service: {service}, Status Code: {answer.get('HTTPStatusCode', 0)}, Request ID: {answer.get('RequestId')})"
    )
    return operation_failed(operation, [f"{error_message(error) or error} {about}"], _handler_code(code))


def _handler_code(code: str) -> str:
    """A service's error code as one of the handler error codes of "CloudFormation CLI User Guide"."""
    if code.startswith("AccessDenied"):
        return "AccessDenied"
    if code.endswith("InUseException"):
        return "AlreadyExists"
    if code.endswith("NotFoundException"):
        return "NotFound"
    if code == "LimitExceededException":
        return "ServiceLimitExceeded"
    if code.startswith(("Invalid", "Validation")):
        return "InvalidRequest"
    return "GeneralServiceException"
