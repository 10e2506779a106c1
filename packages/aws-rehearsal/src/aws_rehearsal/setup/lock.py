"""`python3 -m aws_rehearsal.setup.lock`, in the repository's root: pin again what the set-up installs, with hashes, for
every platform.

A part of the repository's own lock goes into the engine's package: what a project of one's own is locked with at first.
The Node modules and the engine's Go modules are pinned by their own tools: change `package.json` in
`node/`, or `engine/go.mod`, first.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from aws_rehearsal.errors import SetupError
from aws_rehearsal.setup.cache import PACKAGE
from aws_rehearsal.setup.node import ensure_node
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.setup.run import run
from aws_rehearsal.setup.uv import find_uv

_LOCKS = {
    Path("requirements-dev.txt"): Path("requirements.lock"),
    PACKAGE / "local_aws/requirements.txt": PACKAGE / "local_aws/requirements.lock",
    **{
        PACKAGE / f"setup/locks/{name}.in": PACKAGE / f"setup/locks/{name}.lock"
        for name in ("uv", "go", "node", "check-jsonschema")
    },
}
_PARTS = {
    Path("packages/amplify-delivery/src/amplify_delivery/delivery/scaffold/requirements.lock"): (
        "amplify-delivery",
        "pytest",
    ),
}
"""Locks that are a part of `requirements.lock`: what these packages need, and themselves if they stand in it."""
_OWN = ("amplify-delivery", "aws-rehearsal", "amplify-delivery-rehearsal")
"""Packages of the repository: they stand beside the lock, not in it."""
_CLIENT_LIBRARY = Path("packages/amplify-delivery/tests/functional/front_end")
"""What a test reads the front end's configuration with."""
_REMEDY = "check that the package registries can be reached and that the ranges can be met"


def main() -> int:
    """0, or 1 with the reason on standard error."""
    progress = Progress()
    try:
        uv = find_uv(progress)
        options = [
            "--universal",
            "--generate-hashes",
            "--upgrade",
            "--python-version",
            "3.11",
            "--no-header",
            "--quiet",
            *(option for name in _OWN for option in ("--no-emit-package", name)),
        ]
        for source, lock in _LOCKS.items():
            with progress.step(lock.name) as step:
                run([uv, "pip", "compile", *options, source, "-o", lock], remedy=_REMEDY)
                step.outcome = "locked"
        whole = Path("requirements.lock").read_text(encoding="utf-8")
        for lock, wanted in _PARTS.items():
            lock.write_text(part(whole, wanted), encoding="utf-8")
        with progress.step("package-lock.json") as step:
            node = ensure_node(progress)
            # The lock names no registry, so that it serves behind any mirror; integrity hashes say what is right.
            command: list[str | Path] = [
                *node.npm,
                "install",
                "--package-lock-only",
                "--omit-lockfile-registry-resolved=true",
            ]
            for folder in (PACKAGE / "node", _CLIENT_LIBRARY):
                run([*command, "--no-audit", "--no-fund"], cwd=folder, remedy=_REMEDY)
                shutil.rmtree(folder / "node_modules", ignore_errors=True)
            step.outcome = "locked"
    except SetupError as error:
        sys.stderr.write(f"lock: {error}\n")
        return 1
    return 0


def part(lock: str, wanted: Collection[str]) -> str:
    """The entries of a lock that the packages `wanted` need, as uv's comments tell (`# via NAME`), and of those
    themselves; without the comments, which name what is not in the part."""
    entries = re.split(r"(?m)^(?=[a-zA-Z0-9])", lock)
    needed_by: dict[str, set[str]] = {}
    for name, text in _named(entries):
        via = re.findall(r"^ +# +(?:via +)?([\w.-]+)$", text, re.MULTILINE)
        needed_by.setdefault(name, set()).update(via)
    kept: set[str] = set(wanted)
    while more := {name for name, by in needed_by.items() if by & kept} - kept:
        kept |= more
    lines = (re.sub(r"(?m)^ *#.*\n", "", text) for name, text in _named(entries) if name in kept)
    return "".join(lines)


def _named(entries: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in entries:
        if found := re.match(r"[\w.-]+(?===)", text):
            yield found[0], text


if __name__ == "__main__":
    sys.exit(main())
