"""The errors the service answers with, as AWS's JSON protocol carries them."""

from __future__ import annotations


class ServiceError(Exception):
    """An error answer: `code` is the exception's name in the service's model, the text is its message.

    boto3 raises `ClientError` (or the modelled exception of that name) from it.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def document(self) -> dict[str, str]:
        """The answer's body (awsJson1.1)."""
        return {"__type": self.code, "message": self.message}


class ActionError(Exception):
    """An action of a pipeline, or a phase of a build, that failed: `code` and message go into its error details."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def validation(message: str) -> ServiceError:
    """A `ValidationException`."""
    return ServiceError("ValidationException", message)
