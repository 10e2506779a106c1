"""The Chromium of the machine: tests of pages drive it with Playwright, which brings none of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

from aws_rehearsal_tests.absent import absent

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

EXCUSED = "AMPLIFY_DELIVERY_WITHOUT_CHROMIUM"
"""Why a machine that stands for the project can have none, as .ci/run has found out and says at its end."""


def binary(which: Callable[[str], str | None], variables: Mapping[str, str]) -> str:
    """Where it is. Without one a test is skipped and says so; in a CI it fails, unless that machine is `EXCUSED`."""
    found = next(filter(None, map(which, NAMES)), None)
    if found is None and (why := variables.get(EXCUSED)):
        pytest.skip(why)
    if found is None:
        absent("there is no Chromium on PATH: on Debian `sudo apt-get install chromium` (.ci/run does so)", variables)
    return found


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
