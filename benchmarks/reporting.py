"""Measure a report's page: written for a large backend, opened in a real Chromium, and searched there."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.delivery.reporting import contents
from amplify_delivery.delivery.reporting.page.rendering import written
from amplify_delivery.delivery.reporting.page.report_model import Plan, Report
from amplify_delivery.export import EnvironmentValues, assemble, read_export, render_root
from benchmarks.assembling import ABSENT
from benchmarks.exports import large

EXPIRES = 1_826_668_800
WORDS = ("entity04", "resolver", "no such thing", "")
BOUND = "at most 1 s"
_TYPED = """text => new Promise(done => {
  const began = performance.now(), field = document.querySelector('#search');
  field.value = text;
  field.dispatchEvent(new Event('input'));
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
})"""
"""Milliseconds from a letter to the next picture."""


def page(work: Path) -> Iterator[tuple[str, str, str]]:
    """Of `large`, deployed for the first time: every one of its resources is new."""
    unpacked = large("large", work)
    if unpacked is None:
        yield "a report's page of `large`", BOUND, ABSENT
        return
    report, file = _report(unpacked), work / "report.html"
    began = time.perf_counter()
    written(report, file)
    seconds = time.perf_counter() - began
    size, number = file.stat().st_size / 1e6, len(report.lines)
    yield f"a report's page of `large` ({number:,} resources) written", "", f"{seconds:.2f} s, {size:.1f} MB"
    binary = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if binary is None:
        yield "the same opened and searched", BOUND, "not measured: there is no Chromium on PATH"
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary)
        opened = [_opened(browser.new_page(), file) for _ in range(5)]
        yield "the same opened, until it can be used", "", _told([seconds for seconds, _ in opened])
        yield "the same searched, until it shows what is found", BOUND, _told([s for _, many in opened for s in many])
        browser.close()


def _report(unpacked: Path) -> Report:
    assembly = assemble(read_export(unpacked))
    root = render_root(assembly, EnvironmentValues("prod", EXPIRES), "bucket")
    shall = Stacks.of(assembly, root, root.parameters)
    steps = plan_backend(None, shall)
    return Report(
        title="large / prod",
        lead="",
        made="",
        version="",
        plan=Plan(whole=True, changes=len(steps)),
        lines=contents.lines(shall, steps),
        stacks=contents.stacks(shall, root.stack_name, {}),
        findings=contents.findings(assembly.findings),
    )


def _opened(page: Page, file: Path) -> tuple[float, list[float]]:
    """Seconds until the page has run its script, and of each search with all stacks unfolded."""
    began = time.perf_counter()
    page.goto(file.as_uri())
    page.wait_for_function("document.querySelector('#found').textContent")
    seconds = time.perf_counter() - began
    page.click("#unfold")
    return seconds, [page.evaluate(_TYPED, word) / 1000 for word in WORDS]


def _told(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"
