"""A stack's home in another backend, with another key: the stack there, and the stack file as it has to be then.

The engine reads and writes a stack file where it lies, so this is done on a copy: the file of the project is replaced
whole, by one in which every secret can be read with the key that it names.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.stack_key import FIELDS, Key
from amplify_delivery.errors import StateError
from amplify_delivery.stacks.config.reader import is_secure, parsed, read_yaml

_SALT = re.compile(r"^encryptionsalt:.*\n?", re.MULTILINE)
_SIMPLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
Engines = Callable[[Path], Engine]
"""Gives the engine of the new home for the project in a folder."""


@dataclass(frozen=True)
class Secret:
    """A secret of a stack file: its path, as `pulumi config set --path` takes it, and its value."""

    path: str
    value: str


def secrets(file: Path, shown: Mapping[str, Any]) -> tuple[Secret, ...]:
    """All secrets of a stack file, of which `shown` is what the engine decrypts (`Engine.configuration`). Pure but for
    the file. Raises `StateError` for one that it does not show."""
    found = []
    for key, value in (read_yaml(file).get("config") or {}).items():
        told = shown.get(str(key)) or {}
        clear = told.get("objectValue") if "objectValue" in told else told.get("value")
        found += [Secret(path, _text(clear, steps, file)) for path, steps in _secure(_parsed(value), str(key), ())]
    return tuple(found)


def paths(file: Path) -> tuple[str, ...]:
    """The paths of a stack file's secrets."""
    config = read_yaml(file).get("config") or {}
    return tuple(path for key, value in config.items() for path, _ in _secure(_parsed(value), str(key), ()))


def _parsed(value: Any) -> Any:
    """A value of the file: a list or a mapping may stand there as JSON."""
    return parsed(value) if isinstance(value, str) else value


def _secure(value: Any, path: str, steps: tuple[str | int, ...]) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """The paths of secrets in a value, each with its steps."""
    if is_secure(value):
        yield path, steps
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _secure(item, path + _step(str(key)), (*steps, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _secure(item, f"{path}[{index}]", (*steps, index))


def _step(key: str) -> str:
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    return f".{key}" if _SIMPLE.fullmatch(key) else f'["{quoted}"]'


def _text(clear: Any, steps: tuple[str | int, ...], file: Path) -> str:
    for step in steps:
        try:
            clear = clear[step]
        except (KeyError, IndexError, TypeError):
            clear = None
    if not isinstance(clear, str):
        raise StateError(
            "the engine does not show a secret of this file",
            where=file.name,
            remedy="`pulumi config --show-secrets` says why; nothing was changed",
        )
    return clear


def settle(
    engine: Engine, key: Key | None, given: tuple[Secret, ...], home: Engines, bring: Callable[[Engine, Key], None]
) -> None:
    """Make the stack in its new home, `bring` its state there, and only then give the file of `engine`'s stack the key
    of that, with `given` encrypted by it: whoever has the file finds the state. `key` is the one that the state there
    has already, if it holds anything; nothing is brought then. Repeated, it comes to the same. Raises `StateError`."""
    file = engine.folder / f"Pulumi.{engine.stack}.yaml"
    with tempfile.TemporaryDirectory(prefix="amplify-delivery-home-") as place:
        folder = Path(place)
        shutil.copy(engine.folder / "Pulumi.yaml", folder)
        copied = folder / file.name
        copied.write_text(_rekeyed(file.read_text(encoding="utf-8"), key), encoding="utf-8")
        there = home(folder)
        if key is None and there.exists():
            there.remove()  # nothing is in it, and its key is in no file
        if key is None:
            there.create()
        there.configure((), [(secret.path, secret.value) for secret in given])
        made = Key.of_file(copied)
        if made is None:
            raise StateError(
                "the engine has made the stack and does not say how it is encrypted",
                where=file.name,
                remedy="repeat the command",
            )
        if key is None:
            bring(there, made)
        _replace(file, copied)


def _rekeyed(text: str, key: Key | None) -> str:
    """A stack file's text without its own key, or with another one. What is encrypted in it is encrypted anew."""
    for pattern in (_SALT, *(re.compile(rf"^{name}:.*\n?", re.MULTILINE) for name in FIELDS)):
        text = pattern.sub("", text)
    return text if key is None else f"secretsprovider: {key.provider}\nencryptedkey: {key.encrypted}\n{text}"


def _replace(file: Path, by: Path) -> None:
    """Whole or not at all: a half of it would have secrets that nobody can read."""
    beside = file.with_name(f".{file.name}.new")
    shutil.copyfile(by, beside)
    shutil.copymode(file, beside)
    beside.replace(file)
