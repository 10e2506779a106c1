"""A client's configuration as files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, get_args

from amplify_delivery.client_config import gen2, javascript, native
from amplify_delivery.client_config.backend import Backend

Platform = Literal["javascript", "android", "ios", "flutter", "outputs", "outputs-dart"]
PLATFORMS: tuple[Platform, ...] = get_args(Platform)
"""Amplify's front ends, and `outputs`: what Gen 2's libraries read, on all of them; Flutter's reads it as
`outputs-dart`."""

EXPORTS, CONFIGURATION, MOBILE = "aws-exports.js", "amplifyconfiguration.json", "awsconfiguration.json"
DART, OUTPUTS, OUTPUTS_DART = "amplifyconfiguration.dart", "amplify_outputs.json", "amplify_outputs.dart"
FILES: Mapping[Platform, tuple[str, ...]] = {
    "javascript": (EXPORTS, CONFIGURATION),
    "android": (CONFIGURATION, MOBILE),
    "ios": (CONFIGURATION, MOBILE),
    "flutter": (DART,),
    "outputs": (OUTPUTS,),
    "outputs-dart": (OUTPUTS_DART,),
}
"""The files of each platform, as the CLI calls them."""

_GENERATED = "Made by amplify-delivery of what is deployed: do not edit it, make it again."


def files(backend: Backend, platform: Platform) -> dict[str, str]:
    """The files of a platform: text by name."""
    if platform == "javascript":
        found = present(javascript.configuration(backend))
        head = f"/* eslint-disable */\n// {_GENERATED}\n\n"
        module = f"{head}const awsmobile = {_json(found, 4)};\n\nexport default awsmobile;\n"
        return {EXPORTS: module, CONFIGURATION: f"{_json(found, 2)}\n"}
    if platform == "outputs" or platform == "outputs-dart":  # noqa: PLR1714 - mypy narrows it
        outputs = _json(present(gen2.configuration(backend)), 2)
        return {OUTPUTS: f"{outputs}\n"} if platform == "outputs" else {OUTPUTS_DART: _dart("amplifyConfig", outputs)}
    configuration = present(native.amplify_configuration(backend, platform))
    if platform == "flutter":
        return {DART: _dart("amplifyconfig", _json(configuration, 4))}
    mobile = present(native.aws_configuration(backend, platform))
    return {CONFIGURATION: f"{_json(configuration, 4)}\n", MOBILE: f"{_json(mobile, 4)}\n"}


def present(value: Any) -> Any:
    """Without the keys that have no value."""
    if isinstance(value, Mapping):
        return {key: present(item) for key, item in value.items() if item is not None}
    return [present(item) for item in value] if isinstance(value, list) else value


def _json(value: Any, indent: int) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False)


def _dart(name: str, document: str) -> str:
    """A constant of Dart. In a plain text `$` and `\\` mean something to Dart ("Strings", its language tour): such a
    document stands in a raw one. The three quotes that end both are never in it as they are."""
    quoted = document.replace("'''", "\\u0027\\u0027\\u0027")
    raw = "r" if "$" in quoted or "\\" in quoted else ""
    return f"const {name} = {raw}'''{quoted}''';\n"
