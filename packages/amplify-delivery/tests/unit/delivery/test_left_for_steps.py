"""What a deployment leaves for steps is what they read: files, and what these have no place for."""

from __future__ import annotations

import json

import pytest

from amplify_delivery.client_config import PLATFORMS, Platform, files, left_out
from amplify_delivery.delivery.front_end.left_for_steps import Left, document, parsed
from unit.client_config.backends import everything


@pytest.mark.parametrize("platform", PLATFORMS)
def test_files_and_notes_there_and_back(platform: Platform) -> None:
    found = parsed(document(everything(), ["not deployed, so left out: api/x"]), platform)
    assert found.files == files(everything(), platform)
    assert found.notes == ("not deployed, so left out: api/x", *left_out(everything(), platform))


def test_what_an_earlier_version_has_left_has_no_notes() -> None:
    before = {"files": json.loads(document(everything()))["files"]}
    assert parsed(json.dumps(before).encode(), "ios") == Left(files(everything(), "ios"))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"files": {"javascript": 1}}', b'{"files": {}, "notes": {}}'])
def test_anything_else_is_nothing_that_was_left(body: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        parsed(body, "javascript")
