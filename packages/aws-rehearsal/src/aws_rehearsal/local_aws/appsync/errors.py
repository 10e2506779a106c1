"""What ends a resolver.

ResolverError          an error of the field, as AppSync answers it
  TemplateError        a template that AppSync would refuse too
  UnsupportedError     something of AWS's that is not played here
"""

from __future__ import annotations

from typing import Any


class ResolverError(Exception):
    """An error with AppSync's `errorType`; `data` and `info` are what `$util.error` was given."""

    def __init__(self, message: str, error_type: str | None = None, data: Any = None, info: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.error_type = error_type
        self.data = data
        self.info = info


class TemplateError(ResolverError):
    """A template that cannot be parsed, or whose output is no JSON document."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message, "MappingTemplate")


class UnsupportedError(ResolverError):
    """Something that AWS does and this local AWS does not: said, never answered with empty data."""

    def __init__(self, message: str, where: str = "") -> None:
        said = f"The local AWS does not play {message}."
        super().__init__(f"{where}: {said}" if where else said, "NotPlayedByTheLocalAWS")
