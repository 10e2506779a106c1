"""Tests that look at the page in a browser: where there is none they say so, and in a CI they fail."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aws_rehearsal_tests.absent import IN_CI
from functional.front_end import web_page


def test_without_a_browser_the_rest_of_a_test_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.delenv(IN_CI, raising=False)
    with pytest.warns(UserWarning, match="the page is not looked at: there is no Chromium on PATH"):
        assert web_page.look(tmp_path) is None
    monkeypatch.setenv(IN_CI, "1")
    with pytest.raises(pytest.fail.Exception, match="there is no Chromium on PATH"):
        web_page.look(tmp_path)


def test_the_page_is_copied_without_what_configured_it_here(tmp_path: Path) -> None:
    source = web_page.copy(tmp_path / "web")
    assert {file.name for file in source.parent.iterdir()} == {"index.html", "app.js"}
