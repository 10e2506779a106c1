"""Secrets of a stack file, by the paths that the engine sets them with."""

from __future__ import annotations

from pathlib import Path

import pytest

from amplify_delivery.delivery.engine import new_home
from amplify_delivery.delivery.engine.new_home import Secret
from amplify_delivery.delivery.engine.stack_key import Key
from amplify_delivery.errors import StateError

FILE = """encryptionsalt: v1:abc
config:
  app:account: "012345678901"
  app:parameters:
    root: {Plain: text, Token: {secure: v1:1}}
    a.b: {'quoted "name"': {secure: v1:2}}
  dns:zones:
    - plain
    - {key: {secure: v1:3}}
  dns:token:
    secure: v1:4
"""
SHOWN = {
    "app:account": {"value": "012345678901", "secret": False},
    "app:parameters": {
        "value": "...",
        "objectValue": {"root": {"Plain": "text", "Token": "one"}, "a.b": {'quoted "name"': "two"}},
        "secret": True,
    },
    "dns:zones": {"value": "...", "objectValue": ["plain", {"key": "three"}], "secret": True},
    "dns:token": {"value": "four", "secret": True},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "Pulumi.dev.yaml"
    made.write_text(FILE)
    return made


def test_every_secret_has_its_path_and_its_value(file: Path) -> None:
    assert new_home.secrets(file, SHOWN) == (
        Secret("app:parameters.root.Token", "one"),
        Secret('app:parameters["a.b"]["quoted \\"name\\""]', "two"),
        Secret("dns:zones[1].key", "three"),
        Secret("dns:token", "four"),
    )
    assert new_home.paths(file) == tuple(secret.path for secret in new_home.secrets(file, SHOWN))


@pytest.mark.parametrize("key", ["dns:token", "dns:zones", "app:parameters"])
def test_one_that_is_not_shown_is_not_written_as_something_else(file: Path, key: str) -> None:
    with pytest.raises(StateError, match="does not show a secret"):
        new_home.secrets(file, {**SHOWN, key: {"secret": True}})


def test_the_key_of_a_file_and_that_of_a_state_are_compared(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text("secretsprovider: awskms://k\nencryptedkey: e\n")
    key = Key("awskms://k", "e")
    assert Key.of_file(file) == key
    assert Key.of_state({"secrets_providers": key.as_in_state()}) == key
    assert Key.of_state({"secrets_providers": {"type": "passphrase", "state": {"salt": "v1:abc"}}}) is None
    file.write_text("secretsprovider: awskms://k\n")
    assert Key.of_file(file) is None
