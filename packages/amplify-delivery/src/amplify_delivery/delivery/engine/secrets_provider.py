"""Whether the stack file says how the engine's state is encrypted, before the engine encrypts it otherwise.

The engine takes the key from the stack file, not from the state. Without the file's lines, and with a passphrase in the
environment, it reads the state, writes it back encrypted with the passphrase, and says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import former_state
from amplify_delivery.delivery.engine.stack_key import Key
from amplify_delivery.delivery.engine.state_store import BACKEND_VARIABLE
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import StateError
from amplify_delivery.stacks.config.reader import read_yaml

_PASSPHRASES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
_CLOUD = "cloud"
"""How a state calls the provider of a key in a cloud: KMS and the like."""


def check(environment: str, deployment: Mapping[str, Any], context: Context, *, pipeline: bool = False) -> None:
    """Raise `StateError` if working with this state (`deployment`, as exported) would encrypt it with another key.

    Of what a `pipeline` delivers, whose state lies in S3, the file must name the key even if nothing is encrypted yet.
    Raise `RefusedError` for the former state of what was moved: nobody works with that at all.
    """
    former_state.check(environment, deployment.get("resources") or ())
    file = stack_files.path(context.folder, environment)
    lines = read_yaml(file) if file.is_file() else {}
    passphrase = next((name for name in _PASSPHRASES if context.variables.get(name)), None)
    if lines.get("secretsprovider") and not lines.get("encryptedkey") and passphrase:
        raise _refused(file, f"it names a `secretsprovider` but no `encryptedkey`, and {passphrase} is set")
    used = deployment.get("secrets_providers") or {}
    if used.get("type") == _CLOUD and not lines.get("secretsprovider"):
        url = (used.get("state") or {}).get("url", "a key")
        raise _refused(file, f"the stack's state is encrypted with {url}, and this file does not say so")
    remote = context.variables.get(BACKEND_VARIABLE, "").startswith("s3://")
    if pipeline and remote and Key.of_lines(lines) is None:
        raise _refused(file, "its state lies in S3, and it does not name a `secretsprovider` and an `encryptedkey`")


def _refused(file: Path, message: str) -> StateError:
    return StateError(
        f"{message}: the engine would encrypt the state with a passphrase instead, and not say so",
        where=file.name,
        remedy="restore `secretsprovider` and `encryptedkey` from git (`pulumi stack init` wrote both), and unset "
        + " and ".join(_PASSPHRASES),
    )
