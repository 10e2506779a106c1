"""The Chromium of the machine: tests of pages drive it with Playwright, which brings none of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
IN_CI = "AMPLIFY_DELIVERY_TESTS_IN_CI"
"""As packages/conftest.py sets it."""


def binary(which: Callable[[str], str | None], variables: Mapping[str, str]) -> str:
    """Where it is. Without one a test is skipped and says so; in a CI it fails."""
    for found in filter(None, map(which, NAMES)):
        return found
    missing = "there is no Chromium on PATH: on Debian `sudo apt-get install chromium` (.ci/run does so)"
    if variables.get(IN_CI):
        pytest.fail(missing)
    pytest.skip(missing)


@contextmanager
def chromium(variables: Mapping[str, str]) -> Iterator[Browser]:
    """A headless one, in a process of its own."""
    path = binary(shutil.which, variables)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        try:
            yield browser
        finally:
            browser.close()
