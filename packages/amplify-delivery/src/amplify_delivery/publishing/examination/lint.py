"""cfn-lint over many templates: each content once, results kept, in several processes when there are many.

A result depends on the template's text, the region, cfn-lint's version and our own rules, and is kept under all four:
a re-export lints only what changed, and another cfn-lint everything. Where all is known, cfn-lint is not even imported.

Of the keys in a template's text only their number and order count: every changed file changes the templates that name
it up to the root, among them the largest of all, and to cfn-lint one digest is like another. So are accounts and
suffixes in the names of an environment: to the roots of all environments of a release it has one answer.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from amplify_delivery.errors import PublishError
from amplify_delivery.publishing.examination.cache import ResultCache, version_of

if TYPE_CHECKING:
    from amplify_delivery.publishing.examination.linter import Linter

_log = logging.getLogger(__name__)

SOURCES = (
    "publishing.examination.linter",
    *(f"export.templates.{module}" for module in ("resolve", "conditions", "composing", "expressions", "literals")),
)
"""The modules that our own part is made of."""
RULES = version_of(*SOURCES)
"""Which version of our own part it is: what `linter` asks of cfn-lint, and leaves out of its answer since it can never
be created."""
MANY = 400_000
"""Bytes of templates beyond which other processes pay (cfn-lint reads some 250 KB a second)."""

_FAILED = "(cfn-lint E0002)"
"""How a problem ends that is `linter.FAILED`, an error of cfn-lint and not of the template."""

_DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
"""The part of a key that is made from a file's content."""

_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_SUFFIX = re.compile(r"(?<=-)[0-9a-z]+$")
"""Of a root stack's name."""

_Work = tuple[str, list[str]]
"""A template's text, and the regions where it is not known whether it is good."""

_IN_TURN = threading.Lock()
"""Hooks of several backends run in threads, and cfn-lint's rules keep what they match in themselves."""


@dataclass(frozen=True)
class Template:
    """What is linted: how its bytes are read, and the regions where it should be good."""

    read: Callable[[], bytes]
    regions: Sequence[str]
    bucket: str = ""
    """The staging bucket of its environment, if it is of one alone."""
    stack: str = ""
    """The root stack's name, likewise."""


def lint_templates(
    templates: Mapping[str, Template], progress: Callable[[str], None]
) -> dict[str, dict[str, list[str]]]:
    """Errors of each template by its key and region."""
    kept = ResultCache("lint")
    rules = f"cfn-lint {version('cfn-lint')}, ours {RULES}"
    results: dict[str, dict[str, list[str]]] = {}
    places: dict[tuple[str, str], str] = {}
    missing: dict[str, _Work] = {}
    own: dict[str, _Own] = {}
    for key, template in templates.items():
        results[key], unknown = {}, []
        text, own[key] = _without_own(template)
        content = hashlib.sha256(text.encode()).hexdigest()
        for region in template.regions:
            place = places[key, region] = kept.key(content, rules, region)
            known = kept.get(place)
            if isinstance(known, list):
                results[key][region] = known
            else:
                unknown.append(region)
        if unknown:
            missing[key] = text, unknown
    if missing:
        progress(f"linting {len(missing)} of {len(templates)} templates")
    for done, (key, found) in enumerate(_lint(missing), 1):
        for region, problems in found.items():
            results[key][region] = [problem for problem in problems if not problem.endswith(_FAILED)]
            if results[key][region] == problems:
                kept.put(places[key, region], problems)
            else:
                # Another process may see all of it: what this one lacks (memory, a module) is no fact about the text.
                progress(f"cfn-lint has not looked at all of {key}: {next(p for p in problems if p.endswith(_FAILED))}")
        if done % 10 == 0 or 10 < done == len(missing):
            progress(f"linted {done} of {len(missing)} templates")
    return {
        key: {region: [own[key].put_into(problem) for problem in problems] for region, problems in of_key.items()}
        for key, of_key in results.items()
    }


@dataclass(frozen=True)
class _Own:
    """What a template has of its own, and is not asked about: digests, and names by what stands for them."""

    digests: Sequence[str]
    names: Mapping[str, str]

    def put_into(self, problem: str) -> str:
        """What was found of the text without it, as it is of the template."""
        for other, name in self.names.items():
            problem = problem.replace(other, name)
        return _DIGEST.sub(self._digest, problem)

    def _digest(self, found: re.Match[str]) -> str:
        number = int(found[0], 16)
        return self.digests[number] if number < len(self.digests) else found[0]


def _without_own(template: Template) -> tuple[str, _Own]:
    """The template's text with a number in place of each digest, of the same length and characters and as different,
    and with noughts in place of account and suffix in the names; and what was there."""
    text, digests, names = template.read().decode(), dict[str, int](), dict[str, str]()
    for name, part in ((template.bucket, _ACCOUNT), (template.stack, _SUFFIX)):
        other = part.sub(lambda found: "0" * len(found[0]), name)
        if other != name and name in text and other not in text:
            text, names[other] = text.replace(name, other), name
    text = _DIGEST.sub(lambda found: f"{digests.setdefault(found[0], len(digests)):064x}", text)
    return text, _Own(list(digests), names)


def _lint(work: Mapping[str, _Work]) -> Iterator[tuple[str, dict[str, list[str]]]]:
    processes = min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, len(work)
    )
    if processes > 1 and sum(len(text) for text, _ in work.values()) > MANY:
        yield from _in_processes(work, processes)
    elif work:
        one = linter()
        for key, (text, regions) in work.items():
            with _IN_TURN:
                found = one.lint(text, regions)
            yield key, found


@cache
def linter() -> Linter:
    """One for all that is linted in this process: its rules take 0.3 s to load."""
    from amplify_delivery.publishing.examination.linter import Linter  # noqa: PLC0415 - cfn-lint takes 0.4 s to import

    return Linter()


def _in_processes(work: Mapping[str, _Work], count: int) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Piles of about equal size, one process each.

    Plain sub-processes, not multiprocessing: this may run in a thread of a Pulumi program, which can
    neither be forked (gRPC) nor be imported again by a spawned child.
    """
    piles: list[dict[str, _Work]] = [{} for _ in range(count)]
    sizes = [0] * count
    for key in sorted(work, key=lambda k: -len(work[k][0])):
        smallest = sizes.index(min(sizes))
        piles[smallest][key] = work[key]
        sizes[smallest] += len(work[key][0])
    processes = [_start() for _ in piles]
    try:
        with ThreadPoolExecutor(count) as pool:
            for process, pile in zip(processes, piles, strict=True):
                pool.submit(_feed, process, pile)
        for process, pile in zip(processes, piles, strict=True):
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            for line in process.stdout:
                key, found = json.loads(line)
                yield key, found
                del pile[key]
            ended = process.wait()
            _log.debug("cfn-lint's process %d has ended with %d", process.pid, ended)
            if ended != 0 or pile:
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
    home = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join(p for p in (home, os.environ.get("PYTHONPATH")) if p)
    process = subprocess.Popen(
        [sys.executable, "-m", "amplify_delivery.publishing.examination.lint_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": path},
        # A terminal's Ctrl-C is for us; we end what we started.
        process_group=0,
    )
    _log.debug("cfn-lint runs as process %d", process.pid)
    return process


def _feed(process: subprocess.Popen[str], work: object) -> None:
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    try:
        with process.stdin as pipe:
            json.dump(work, pipe)
    except BrokenPipeError:
        pass  # the process died: whoever reads its answers says so
