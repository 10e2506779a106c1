"""New stacks of Pulumi, as `pulumi stack init dev` leaves them: the command is run once per project name and process.

Deriving a key from a passphrase takes the engine 0.2 s, in each of its operations. A key of KMS takes a call: what is
not about passphrases has one.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STACK = "dev"
_LINES = ("encryptionsalt:", "secretsprovider:", "encryptedkey:")


@dataclass(frozen=True)
class Key:
    """A key of KMS: what the engine calls it, and what a stack's own key is when this one has encrypted it."""

    provider: str
    encrypted: str

    @classmethod
    def make(cls, kms: Any) -> Key:
        """A new one in the account and region of that client."""
        arn = kms.create_key()["KeyMetadata"]["Arn"]
        encrypted = kms.encrypt(KeyId=arn, Plaintext=os.urandom(32))["CiphertextBlob"]
        return cls(f"awskms:///{arn}?region={kms.meta.region_name}", base64.b64encode(encrypted).decode())

    @property
    def lines(self) -> str:
        """What the stack file of a stack has that is encrypted by it."""
        return f"secretsprovider: {self.provider}\nencryptedkey: {self.encrypted}\n"


def init_with_key(kms: Any, run: Callable[..., object], *stacks: str) -> None:
    """Make these stacks, with a new key in the account and region of that client; `run` runs the engine's command."""
    key = Key.make(kms)
    for stack in stacks:
        run("stack", "init", stack, f"--secrets-provider={key.provider}")


@dataclass(frozen=True)
class _Initialised:
    lines: str
    """What the stack file has of the secrets' encryption."""
    state: dict[str, str]
    """The backend's files."""
    key: Key | None

    def of(self, text: str, key: Key | None) -> str:
        """The text for another key."""
        if self.key is None or key is None:
            return text
        return text.replace(self.key.provider, key.provider).replace(self.key.encrypted, key.encrypted)


_known: dict[tuple[str, bool], _Initialised] = {}


def init(name: str, folder: Path, state: Path, run: Callable[..., object], key: Key | None = None) -> None:
    """Make the stack `dev` of the project `name` in `folder`, whose backend is the folder `state`; `run` runs the
    command, with further arguments, for the first of that name. Without a key its secrets have a passphrase."""
    file = folder / f"Pulumi.{STACK}.yaml"
    found = _known.get((name, key is None))
    if found is None:
        run(*([f"--secrets-provider={key.provider}"] if key else []))
        lines = {line.partition(":")[0]: line for line in file.read_text().splitlines() if line.startswith(_LINES)}
        made = key and Key(key.provider, lines["encryptedkey"].partition(": ")[2])
        # What lies beside each file is its digest, which the engine does not ask for.
        files = [path for path in state.rglob("*") if path.is_file() and path.suffix != ".attrs"]
        texts = {str(path.relative_to(state)): path.read_text() for path in files}
        _known[name, key is None] = _Initialised("\n".join(lines.values()), texts, made or None)
        return
    file.write_text(f"{file.read_text().rstrip()}\n{found.of(found.lines, key)}\n")
    for place, content in found.state.items():
        (state / place).parent.mkdir(parents=True, exist_ok=True)
        (state / place).write_text(found.of(content, key))
