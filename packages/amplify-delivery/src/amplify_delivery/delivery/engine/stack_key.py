"""How a stack is encrypted: the provider of its key, and its own key, encrypted by that. Pure but for the file.

Both stand in its state, and in its stack file, by which the engine goes ("Configuring secrets encryption" in Pulumi's
documentation).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amplify_delivery.stacks.config.reader import read_yaml

FIELDS = ("secretsprovider", "encryptedkey")
"""The lines of a stack file that name it."""


@dataclass(frozen=True)
class Key:
    """As the engine calls the provider, and as the key stands in the file."""

    provider: str
    encrypted: str

    @classmethod
    def of_lines(cls, lines: Mapping[str, Any]) -> Key | None:
        """The one that a stack file, as read, names; None if it names none, or half of it."""
        provider, encrypted = (str(lines.get(name) or "") for name in FIELDS)
        return cls(provider, encrypted) if provider and encrypted else None

    @classmethod
    def of_file(cls, file: Path) -> Key | None:
        """The same of a file."""
        return cls.of_lines(read_yaml(file))

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Key | None:
        """The one that a state tells itself; None for a passphrase's, and Pulumi Cloud's."""
        told = (state.get("secrets_providers") or {}).get("state") or {}
        provider, encrypted = str(told.get("url") or ""), str(told.get("encryptedkey") or "")
        return cls(provider, encrypted) if provider and encrypted else None

    def as_in_state(self) -> dict[str, Any]:
        """As a state tells it (`pkg/secrets/cloud` of pulumi/pulumi)."""
        return {"type": "cloud", "state": {"url": self.provider, "encryptedkey": self.encrypted}}
