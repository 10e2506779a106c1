"""How a CI reads its YAML, which is not how Python's library does: another version of YAML, other keys refused."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from aws_rehearsal.ci_service.jobs import NotPlayedError

_TAG = "tag:yaml.org,2002:"


class _GitHub(yaml.SafeLoader):
    """YAML 1.2 ("core schema"): `on`, `yes` and `12:30` are texts. Every scalar is the text that GitHub makes of it, or
    None. Anchors are known, merge keys are not; a key stands once."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's; filled below

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value == "<<":
                raise yaml.constructor.ConstructorError(None, None, "GitHub knows no merge key `<<`", key.start_mark)
            if key.value in seen:
                said = f"{key.value!r} is defined twice"
                raise yaml.constructor.ConstructorError(None, None, said, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _GitLab(yaml.SafeLoader):
    """YAML 1.1, with a tag of GitLab's own."""


def _bool(_: Any, node: Any) -> str:
    return str(node.value).lower()


def _int(_: Any, node: Any) -> str:
    text = str(node.value)
    return str(int(text, 0) if text.startswith(("0x", "0o")) else int(text))


def _float(_: Any, node: Any) -> str:
    return f"{float(node.value):.15g}"


def _reference(_: Any, node: Any) -> Any:
    raise yaml.constructor.ConstructorError(None, None, "a rehearsal does not play `!reference`", node.start_mark)


def _set_up() -> None:
    for name, pattern, first in (
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ):
        _GitHub.add_implicit_resolver(_TAG + name, re.compile(f"(?:{pattern})$"), first)
    for name, made in (("bool", _bool), ("int", _int), ("float", _float)):
        _GitHub.add_constructor(_TAG + name, made)
    _GitLab.add_constructor("!reference", _reference)


_set_up()


def github(path: str, text: str) -> Any:
    """A document as GitHub reads it. Raises `NotPlayedError`."""
    return _read(path, text, _GitHub)


def gitlab(file: Path, name: str) -> dict[str, Any]:
    """A file as GitLab reads it: a map. Raises `NotPlayedError`."""
    if not file.is_file():
        raise NotPlayedError("is not there", where=name, remedy="a project of GitLab has what it includes")
    found = _read(name, file.read_text(encoding="utf-8"), _GitLab)
    if not isinstance(found, dict):
        raise NotPlayedError("is no map of jobs", where=name, remedy="see GitLab's CI/CD YAML syntax reference")
    return {str(key): value for key, value in found.items()}


def _read(path: str, text: str, loader: type[yaml.SafeLoader]) -> Any:
    try:
        return yaml.load(text, Loader=loader)  # noqa: S506 - both are SafeLoader's
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise NotPlayedError(
            f"cannot be read: {getattr(error, 'problem', None) or error}",
            where=f"{path}:{mark.line + 1}" if mark else path,
            remedy="correct it there",
        ) from None


def mapping(value: Any, what: str, where: str) -> Mapping[str, Any]:
    """`value` if it is a map, an empty one for nothing. Raises `NotPlayedError`."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise NotPlayedError(f"{what} is no map", where=where, remedy="correct it there")
    return value
