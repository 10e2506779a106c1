"""Real apps: what is written is what the real Amplify CLI 14.2.2 wrote of the very same stacks, key by key."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from amplify_delivery.client_config import PLATFORMS, Platform, files, left_out
from unit.client_config.backends import data
from unit.client_config.conftest import NAMES, App
from unit.client_config.json_schema import problems


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("platform", [p for p in PLATFORMS if not p.startswith("outputs")])
def test_the_files_are_those_of_the_cli(app: Callable[[str], App], name: str, platform: Platform) -> None:
    found = app(name)
    expected = {path.name: path.read_text() for path in (found.folder / platform).iterdir()}
    written = files(found.of_export(), platform)
    assert written.keys() == expected.keys()
    for file, text in expected.items():
        assert data(file, written[file]) == data(file, text)
    assert files(found.of_assembly(), platform) == written
    assert left_out(found.of_export(), platform) == ()


@pytest.mark.parametrize("name", NAMES)
def test_gen2s_file_is_valid(app: Callable[[str], App], name: str) -> None:
    found = app(name).of_export()
    written = data("amplify_outputs.json", files(found, "outputs")["amplify_outputs.json"])
    assert list(problems(written)) == []
    assert {"auth", "data"} <= written.keys()
