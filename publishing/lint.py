"""cfn-lint over many templates: each content once, results kept, in several processes when there are many.

A result depends on the template's bytes, the region, cfn-lint's version and our own rules, and is kept under all four:
a re-export lints only what changed, and another cfn-lint everything. Where all is known, cfn-lint is not even imported.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from amplify_export.errors import PublishError
from publishing.cache import ResultCache, version_of

if TYPE_CHECKING:
    from publishing.linter import Linter

RULES = version_of("linter")
"""Which version of our own part it is: what `publishing.linter` asks of cfn-lint, and leaves out of its answer."""
MANY = 400_000
"""Bytes of templates beyond which other processes pay (cfn-lint reads some 250 KB a second)."""

_IN_TURN = threading.Lock()
"""Hooks of several backends run in threads, and cfn-lint's rules keep what they match in themselves."""


def lint_templates(
    templates: Mapping[str, Callable[[], bytes]], region: str, progress: Callable[[str], None]
) -> dict[str, list[str]]:
    """Errors of each template by its key; `templates` maps keys to readers of their bytes."""
    kept = ResultCache("lint")
    rules = f"cfn-lint {version('cfn-lint')}, ours {RULES}"
    results: dict[str, list[str]] = {}
    missing: dict[str, tuple[str, str]] = {}
    for key, read in templates.items():
        body = read()
        digest = kept.key(hashlib.sha256(body).hexdigest(), rules, region)
        known = kept.get(digest)
        if isinstance(known, list):
            results[key] = known
        else:
            missing[key] = digest, body.decode()
    if missing:
        progress(f"linting {len(missing)} of {len(templates)} templates")
    texts = {key: text for key, (_, text) in missing.items()}
    for done, (key, problems) in enumerate(_lint(texts, region), 1):
        results[key] = problems
        kept.put(missing[key][0], problems)
        if done % 10 == 0 and done < len(missing):
            progress(f"linted {done} of {len(missing)} templates")
    return results


def _lint(texts: Mapping[str, str], region: str) -> Iterator[tuple[str, list[str]]]:
    processes = min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, len(texts)
    )
    if processes > 1 and sum(map(len, texts.values())) > MANY:
        yield from _in_processes(texts, region, processes)
    elif texts:
        linter = _linter(region)
        for key, text in texts.items():
            with _IN_TURN:
                problems = linter.lint(text)
            yield key, problems


@cache
def _linter(region: str) -> Linter:
    """One for all that is linted in this process: Build lints the root of each environment."""
    from publishing.linter import Linter  # noqa: PLC0415 - cfn-lint takes 0.4 s to import

    return Linter(region)


def _in_processes(texts: Mapping[str, str], region: str, count: int) -> Iterator[tuple[str, list[str]]]:
    """Piles of about equal size, one process each.

    Plain sub-processes, not multiprocessing: this may run in a thread of a Pulumi program, which can
    neither be forked (gRPC) nor be imported again by a spawned child.
    """
    piles: list[dict[str, str]] = [{} for _ in range(count)]
    sizes = [0] * count
    for key in sorted(texts, key=lambda k: -len(texts[k])):
        smallest = sizes.index(min(sizes))
        piles[smallest][key] = texts[key]
        sizes[smallest] += len(texts[key])
    processes = [_start() for _ in piles]
    try:
        with ThreadPoolExecutor(count) as pool:
            for process, pile in zip(processes, piles, strict=True):
                pool.submit(_feed, process, {"region": region, "templates": pile})
        for process, pile in zip(processes, piles, strict=True):
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            for line in process.stdout:
                key, problems = json.loads(line)
                yield key, problems
                del pile[key]
            if process.wait() != 0 or pile:
                raise PublishError(
                    f"cfn-lint ended with code {process.returncode} before it saw {', '.join(pile) or 'all'}",
                    where="lint",
                    remedy="repeat the command; if it happens again, run cfn-lint over the template yourself",
                )
    finally:
        for process in processes:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def _start() -> subprocess.Popen[str]:
    home = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join(p for p in (home, os.environ.get("PYTHONPATH")) if p)
    return subprocess.Popen(
        [sys.executable, "-m", "publishing.lint_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": path},
        # A terminal's Ctrl-C is for us; we end what we started.
        process_group=0,
    )


def _feed(process: subprocess.Popen[str], work: object) -> None:
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    try:
        with process.stdin as pipe:
            json.dump(work, pipe)
    except BrokenPipeError:
        pass  # the process died: whoever reads its answers says so
