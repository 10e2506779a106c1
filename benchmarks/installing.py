"""How long it takes from wheels to one's own pipeline rehearsed: what a new user types, with the rehearsal's tools in
place."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.exports import PROJECT

SECONDS = 300
"""What the three commands may take together on two cores, without the engine's build."""
ACCOUNTS = ("111111111111", "222222222222", "333333333333")
REGION = "us-east-1"
CONNECTION = f"arn:aws:codeconnections:{REGION}:{ACCOUNTS[0]}:connection/11111111-2222-3333-4444-555555555555"


def rehearsed(work: Path) -> Iterator[tuple[str, str, str]]:
    """`pip install` of the wheels into an empty environment without pip's cache, `init`, `rehearse`: seconds on the
    wall, and of the processors for all three."""
    dist, environment = work / "dist", work / "environment"
    packages = [str(file.parent) for file in sorted(PROJECT.glob("packages/*/pyproject.toml"))]
    build = [
        "-m",
        "pip",
        "wheel",
        "-q",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        "--wheel-dir",
    ]
    _run([sys.executable, *build, str(dist), *packages], work)
    _run([sys.executable, "-m", "venv", str(environment)], work)
    (export,) = PROJECT.glob("amplify-export-*")
    tooling, *targets = ACCOUNTS
    options = [f"--environment={name}={a}/{REGION}" for name, a in zip(("preprod", "prod"), targets, strict=True)]
    options += [f"--tooling={tooling}/{REGION}", f"--connection={CONNECTION}", "--repository=me/app"]
    command, pip = (str(environment / "bin" / name) for name in ("amplify-delivery", "pip"))
    install = ["install", "-q", "--no-compile", "--no-cache-dir", "--disable-pip-version-check"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = [
        _run([pip, *install, *map(str, sorted(dist.glob("*.whl")))], work),
        _run([command, "init", "app", "--from", str(export), *options], work),
        _run([command, "rehearse"], work / "app"),
    ]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    yield (
        "install the wheels, `init`, `rehearse` one's own pipeline; engine in place",
        f"{SECONDS} s",
        f"{sum(taken):.0f} s ({', '.join(f'{seconds:.0f}' for seconds in taken)}; {used:.0f} s of the processors)",
    )


def _run(command: list[str], folder: Path) -> float:
    """Seconds that it takes. Raises `CalledProcessError`."""
    began = time.monotonic()
    subprocess.run(
        command,
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.monotonic() - began
