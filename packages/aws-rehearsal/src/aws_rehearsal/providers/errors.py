"""What a stand-in answers instead of a result.

ProviderError            a clean refusal: nothing was made, or what was made is as the state says
├── Unsupported          the real provider can do this, the stand-in does not play it
└── InitFailed           something was made and is not finished: the engine keeps it as half-made
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class ProviderError(Exception):
    """Shown to the user as it is.

    `code` names a gRPC status; never UNKNOWN, INTERNAL or DATA_LOSS, which the engine reads as "nobody knows".
    """

    code = "FAILED_PRECONDITION"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        if code:
            self.code = code


class Unsupported(ProviderError):
    """Refused by the stand-in only."""

    code = "INVALID_ARGUMENT"


class InitFailed(ProviderError):
    """A partial failure (`ErrorResourceInitFailed` in provider.proto): the resource exists under this id."""

    def __init__(self, resource_id: str, outputs: dict[str, Any], reasons: Iterable[str]) -> None:
        self.reasons = list(reasons)
        super().__init__("\n".join(self.reasons))
        self.resource_id = resource_id
        self.outputs = outputs


def aws_error(doing: str, error: Exception) -> ProviderError:
    """An AWS answer in the words of the SDK for Go, as the real provider shows it.

    `doing: operation error CloudFormation: CreateStack, https response error StatusCode: 400, RequestID: ..., ` and the
    error: `api error Code: message`, or without `api error` where the service's model has the code.
    """
    response = getattr(error, "response", None)
    if response is None:
        return ProviderError(f"{doing}: {error}", "UNAVAILABLE")
    details, about = response.get("Error", {}), response.get("ResponseMetadata", {})
    code = details.get("Code", "")
    operation = ": ".join(filter(None, (about.get("ServiceId"), getattr(error, "operation_name", ""))))
    modelled = "" if about.get("Modelled") else "api error "
    text = (
        f"{doing}: operation error {operation}, https response error StatusCode: {about.get('HTTPStatusCode', 0)}, "
        f"RequestID: {about.get('RequestId', '')}, {modelled}{code}: {details.get('Message', '')}"
    )
    refused = code in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")
    return ProviderError(text, "PERMISSION_DENIED" if refused else None)


def error_code(error: Exception) -> str:
    """The AWS error code of a botocore ClientError, else an empty string."""
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def error_message(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Message", ""))
