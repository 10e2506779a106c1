"""The engine's state of an environment that a pipeline delivers: in the environment's own account, with its own key.

The stack is made there once. `pulumi stack init` writes `secretsprovider` and `encryptedkey` into the stack file; both
belong in git, because every build starts from a fresh checkout and must find the same data key.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amplify_delivery.components.documents.naming import STATE_PREFIX, EnvironmentNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.engine import state_bucket
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.pulumi_command import Line
from amplify_delivery.delivery.engine.stack_key import Key
from amplify_delivery.delivery.engine.state_store import BACKEND_VARIABLE
from amplify_delivery.errors import StateError


def make(folder: Path, names: EnvironmentNames, account: Account, line: Line) -> bool:
    """Make the environment's Pulumi stack in its account's state bucket; whether there was none.

    Raises `StateError` if there is one whose key the stack file does not name.
    """
    found = engine(folder, names, account, line)
    if found.create():
        return True
    file = folder / f"Pulumi.{names.environment}.yaml"
    if Key.of_file(file) is None:
        raise StateError(
            f"the stack is in {names.state_bucket} already, and this file does not say how it is encrypted",
            where=file.name,
            remedy="restore `secretsprovider` and `encryptedkey` from git; they were written when the stack was made",
        )
    return False


def resources(folder: Path, names: EnvironmentNames, account: Account, line: Line) -> list[Mapping[str, Any]]:
    """What is in the environment's Pulumi stack; nothing if that was never made."""
    # The engine writes into a bucket that it finds empty.
    if not state_bucket.holds(account, names, f"{STATE_PREFIX}stacks/"):
        return []
    found = engine(folder, names, account, line)
    return found.resources() if found.exists() else []


def engine(folder: Path, names: EnvironmentNames, account: Account, line: Line) -> Engine:
    """The engine of the environment's Pulumi stack in its account."""
    variables = {BACKEND_VARIABLE: names.state_backend, **account.environment()}
    return Engine(names.environment, folder, line, variables, names.secrets_provider)
