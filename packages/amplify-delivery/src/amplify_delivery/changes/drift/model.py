"""What drift is made of: a property of a resource that runs with another value than it was delivered with. Pure.

The words are CloudFormation's: `PropertyDifference` and `StackResourceDrift` in its API reference.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from amplify_delivery.changes.steps import Path
from amplify_delivery.export.assembly import canonical

DELETED = "deleted"
"""What stands for the running value of a resource that is gone."""

_SECRET_PLACES = frozenset({"Environment", "Variables", "ProviderDetails", "SecretString", "ApiKey", "StageVariables"})
"""Parts of a property's path below which secrets stand in clear."""
_SECRET_WORD = re.compile(r"secret|password|passwd|token$|credential|api_?key|private_?key", re.IGNORECASE)
_NO_SECRET = "PasswordPolicy"  # noqa: S105 - a property's name
_SHORT = 16
"""Hexadecimal digits of a value that is not shown."""


@dataclass(frozen=True)
class Difference:
    """One property. `pointer` is a JSON pointer, empty when the whole resource is gone; values are JSON as text,
    without quotes around a plain text, `null` where there is none."""

    pointer: str
    deployed: str
    running: str


@dataclass(frozen=True)
class Drifted:
    """One resource with all that differs. `actual` are the properties that it runs with, as far as they were told."""

    path: Path
    type: str
    differences: tuple[Difference, ...]
    actual: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def deleted(self) -> bool:
        """Whether the resource is gone."""
        return any(not d.pointer for d in self.differences)


@dataclass(frozen=True)
class Unread:
    """A resource, or a whole stack, of which nobody could tell."""

    place: str
    type: str
    why: str


@dataclass(frozen=True)
class Detected:
    """What was found. `unsupported` counts the resources by types whose drift CloudFormation does not detect."""

    drifted: tuple[Drifted, ...] = ()
    unread: tuple[Unread, ...] = ()
    unsupported: Mapping[str, int] = field(default_factory=dict)


def gone(deployed: str = "") -> tuple[Difference, ...]:
    """The difference of a resource that was deleted."""
    return (Difference("", deployed, DELETED),)


def shown(path: Path, pointer: str, value: str) -> str:
    """A value as it may be printed, and written into a stack file: itself, or a digest where it may be a secret. The
    digest is of the place too, so that equal secrets of two places are not seen to be equal."""
    if value in ("null", DELETED) or not _may_be_secret(pointer, value):
        return value
    return f"sha256:{hashlib.sha256(canonical(['/'.join(path), pointer, value])).hexdigest()[:_SHORT]}"


def _may_be_secret(pointer: str, value: str) -> bool:
    parts = pointer.split("/")
    if _NO_SECRET in parts:
        return False
    return bool(_SECRET_PLACES & set(parts)) or any(map(_SECRET_WORD.search, parts)) or _names_secret(value)


def _names_secret(value: str) -> bool:
    """Whether a value that is an object has a member with such a name."""
    names = re.findall(r'"([^"\\]+)"\s*:', value)
    return _NO_SECRET not in names and any(n in _SECRET_PLACES or _SECRET_WORD.search(n) for n in names)
