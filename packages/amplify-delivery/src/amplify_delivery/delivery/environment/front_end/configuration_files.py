"""A client's configuration as files in a folder: whole or not at all, and nothing of one's own is written over."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amplify_delivery.errors import ConfigError

_KNOWN = re.compile(
    r"""aws_(project_region|cognito_.*|user_pools_(id|web_client_id)|user_files_s3_bucket(_region)?|appsync_.*|
    cloud_logic_custom|mobile_analytics_app_(id|region)|dynamodb_.*|content_delivery_.*|bots(_config)?)|
    oauth|federationTarget|Analytics|Notifications|predictions|geo|
    UserAgent|Version|analytics|notifications|api|auth|storage|
    IdentityManager|CredentialsProvider|CognitoUserPool|Auth|GoogleSignIn|FacebookSignIn|S3TransferUtility|
    PinpointAnalytics|PinpointTargeting|DynamoDBObjectMapper|AppSync|Lex|Sumerian|
    \$schema|version|data|custom""",
    re.VERBOSE,
)
"""Keys of the files that are made of a backend: what else stands there, somebody has added."""


@dataclass(frozen=True)
class Written:
    """Names of files: those that were written, and those that were so already."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]


def write(folder: Path, content: Mapping[str, str], *, replace: bool = False) -> Written:
    """Write the files into `folder`, which is made if need be.

    A file that holds anything else is refused, unless `replace`. Raises `ConfigError`; no file was touched then, or, if
    the disk has failed, every one is either the old one or the new one.
    """
    before = {name: _read(folder / name) for name in content}
    if not replace:
        for name, text in before.items():
            if text is not None and text != content[name]:
                _check(folder / name, text)
    changed = {name: text for name, text in content.items() if before[name] != text}
    beside = {name: folder / f".{name}.{os.getpid()}" for name in changed}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in changed.items():
            beside[name].write_text(text, encoding="utf-8")
        for name in changed:
            beside[name].replace(folder / name)
    except OSError as error:
        raise ConfigError(
            f"cannot be written: {error.strerror}", where=str(folder), remedy="name another folder with --out"
        ) from None
    finally:
        for path in beside.values():
            with suppress(OSError):
                path.unlink(missing_ok=True)
    return Written(tuple(changed), tuple(name for name in content if name not in changed))


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"is there already, and cannot be read: {error}",
            where=str(path),
            remedy="nothing was written; name another folder with --out",
        ) from None


def _check(path: Path, text: str) -> None:
    found = _document(text)
    if found is None:
        raise _not_ours(path, "is there already, and is not a client's configuration as this command writes it")
    own = [key for key in found if not _KNOWN.fullmatch(key)]
    if own:
        raise _not_ours(path, f"holds keys of your own, which would be lost: {', '.join(own)}")


def _not_ours(path: Path, message: str) -> ConfigError:
    return ConfigError(
        message,
        where=str(path),
        remedy="nothing was written; name another folder with --out, or write over it with --replace",
    )


def _document(text: str) -> dict[str, Any] | None:
    """The object that a file holds: JSON, or the only constant of a module of JavaScript or Dart."""
    start, end = text.find("{"), text.rfind("}")
    around = text[:start] + text[end + 1 :]
    # Whatever else stands around it would be lost as well.
    if not re.fullmatch(_AROUND, around):
        return None
    try:
        found = json.loads(text[start : end + 1])
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


_AROUND = re.compile(
    r"""(\s|//[^\n]*\n|/\*\ eslint-disable\ \*/|const\ \w+\ =|;|export\ default\ \w+|r?'''|''')*""", re.VERBOSE
)
