"""The stack file of a preview, made from a pattern: a stack file that says `disposable: true`. Pure.

Every run of a CI begins with a fresh checkout, so a preview's file is made again each time, and has to name the key of
the state: all previews have the pattern's, `secretsprovider` with `encryptedkey`, or `encryptionsalt`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from amplify_delivery.delivery.engine.stack_key import Key
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import EnvironmentConfig

_NAME = re.compile(r"pr([1-9][0-9]{0,7})")
_MARK = "# A preview, made by `amplify-delivery preview`. Not for git: it is made again from "


MISSING = (
    'write it as docs/previews.md has it ("Setting it up"), or name the stack file that previews are modelled on with '
    "--pattern; nothing was changed"
)
"""What to do where there is no pattern."""


def name_of(number: int) -> str:
    """The environment and the Pulumi stack of a pull request's preview: deterministic, and short as names in AWS have
    to be. Raises `ConfigError`."""
    name = f"pr{number}"
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{number} is not the number of a pull request", where="--pull-request", remedy="1 to 99999999"
        )
    return name


def is_preview(stack: str) -> bool:
    """Whether a stack's name is one that `name_of` makes."""
    return _NAME.fullmatch(stack) is not None


def is_encrypted_as(state: Mapping[str, Any], lines: Mapping[str, Any]) -> bool:
    """Whether a stack's state (`deployment`, as exported) shows that it was made after the pattern with the stack file
    `lines`. All previews have the pattern's data key, or salt, which the engine has made for the pattern alone: whoever
    calls `pulumi stack init` gets another one. In a state that nothing was written to yet there is nothing to lose.
    (Pulumi's pkg/secrets/cloud/manager.go and pkg/secrets/passphrase/manager.go: what a state says of them.)"""
    used = state.get("secrets_providers") or {}
    if not used:
        return not (state.get("resources") or state.get("pending_operations"))
    name = "encryptedkey" if used.get("type") == "cloud" else "salt"
    key = lines.get("encryptedkey" if name == "encryptedkey" else "encryptionsalt")
    return bool(key) and (used.get("state") or {}).get(name) == key


def is_made(text: str) -> bool:
    """Whether a stack file is one that was made here."""
    return text.startswith(_MARK)


def check(config: EnvironmentConfig, lines: Mapping[str, Any], file: str) -> None:
    """Raise `ConfigError` unless the stack file `file` is a pattern; `lines` is its document."""
    if not config.disposable:
        raise ConfigError(
            "it does not say `disposable: true`, so it cannot be the pattern of previews, whose data goes with them",
            where=file,
            remedy="name another stack file with --pattern, or say so in it (docs/previews.md)",
        )
    if config.environment != file.removeprefix("Pulumi.").removesuffix(".yaml"):
        raise ConfigError(
            f"it names the environment {config.environment!r}, and each preview has its own",
            where=file,
            remedy="take `environment` out of it",
        )
    if not (Key.of_lines(lines) or lines.get("encryptionsalt")):
        raise ConfigError(
            "it does not say how the previews' states are encrypted",
            where=file,
            remedy=f"make that stack, once, which writes it: `pulumi stack init {config.environment} "
            "--secrets-provider=awskms://alias/...`, and commit the file",
        )


def text_of(pattern: str, file: str) -> str:
    """The text of a preview's stack file, from the text of the pattern's."""
    return f"{_MARK}{file}.\n{pattern}"
