"""uv, which makes the Python environments: found on PATH, else installed from PyPI into the cache."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from aws_rehearsal.errors import SetupError
from aws_rehearsal.setup.cache import PACKAGE, cache_root, digest, locked, remove
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.setup.run import answer, run, version

_OLDEST = (0, 8)
_LOCK = PACKAGE / "setup/locks/uv.lock"
_REMEDY = "check that PyPI can be reached, or install uv yourself (>= 0.8) so that it is on PATH"


def find_uv(progress: Progress) -> Path:
    """The uv to use, installed first if there is none. Raises `SetupError`."""
    found = shutil.which("uv")
    if found and version(_ask(Path(found))) >= _OLDEST:
        return Path(found)
    folder = cache_root() / "environments" / f"uv-{digest(_LOCK)[:12]}"
    uv = folder / "bin" / "uv"
    if _ask(uv):
        return uv
    with progress.step("uv") as step, locked("uv", step):
        if not _ask(uv):
            step.detail = "installing from PyPI"
            remove(folder)
            _install(folder)
        if not _ask(uv):
            raise SetupError("does not run", where=str(uv), remedy=_REMEDY)
        step.outcome = f"{(_ask(uv) or '').split('(')[0].strip()} from PyPI"
    return uv


def _ask(uv: Path) -> str | None:
    """`uv 0.13.8 (...)`, None if there is no working uv at the path."""
    return answer(uv, "--version")


def _install(folder: Path) -> None:
    """With this Python's pip; a Python whose pip was left out (Debian) still has it for new virtualenvs, or neither."""
    options = [
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--require-hashes",
    ]
    if answer(sys.executable, "-m", "pip", "--version"):
        run([sys.executable, "-m", "pip", *options, "--target", folder, "-r", _LOCK], remedy=_REMEDY)
        return
    try:
        run([sys.executable, "-m", "venv", folder], remedy=_REMEDY)
    except SetupError as error:
        raise SetupError(
            "this Python has neither pip nor the means to make a virtualenv",
            where=sys.executable,
            remedy="install them (Debian, Ubuntu: `apt install python3-venv`), or uv, then run `make setup` again",
        ) from error
    run([folder / "bin" / "pip", *options, "-r", _LOCK], remedy=_REMEDY)
