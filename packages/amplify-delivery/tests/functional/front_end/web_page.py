"""The example's page as a visitor's browser shows it: served from a folder, configured by files in there."""

from __future__ import annotations

import os
import shutil
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from functional.report.browsers import chromium
from unit.places import REPOSITORY

WEB = REPOSITORY / "web"
Tables = dict[str, list[dict[str, str]]]
"""What each list shows: its rows, by the names of their columns. A list without a table shows one row, its text."""


def copy(folder: Path) -> Path:
    """The page without its configuration, in `folder`; where that belongs."""
    shutil.copytree(WEB, folder, ignore=shutil.ignore_patterns("src"))
    return folder / "src"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a web server for a folder: what `python -m http.server` does."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def look(folder: Path) -> tuple[Tables, list[str]] | None:
    """What a visitor sees of the page in `folder`, and whatever it has logged. None where there is no browser, which is
    said: what else a test has found out counts (in a CI it fails)."""
    with looking(folder) as see:
        return see()


@contextmanager
def looking(folder: Path) -> Iterator[Callable[[], tuple[Tables, list[str]] | None]]:
    """The same for more than one look, with one browser: a second of processor time each."""
    browser: Browser | None = None
    with ExitStack() as stack:
        try:
            browser = stack.enter_context(chromium(os.environ))
        except pytest.skip.Exception as missing:
            warnings.warn(f"the page is not looked at: {missing}", stacklevel=4)
        address = stack.enter_context(served(folder))
        yield lambda: shown(browser, address) if browser else None


def shown(browser: Browser, address: str) -> tuple[Tables, list[str]]:
    """What the page shows when it is ready, and whatever it has logged."""
    page, problems = browser.new_page(), list[str]()
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    try:
        page.goto(address)
        page.wait_for_selector('main[aria-busy="false"]')
        found = page.evaluate(
            """() => Object.fromEntries([...document.querySelectorAll("section")].map((section) => {
                const columns = [...section.querySelectorAll("th")].map((cell) => cell.textContent);
                const rows = [...section.querySelectorAll("tbody tr")].map((row) =>
                    Object.fromEntries([...row.cells].map((cell, index) => [columns[index], cell.textContent])));
                const text = section.querySelector("p")?.textContent;
                return [section.querySelector("h2").textContent, text ? [{ text }] : rows];
            }))"""
        )
    finally:
        page.close()
    return found, problems
