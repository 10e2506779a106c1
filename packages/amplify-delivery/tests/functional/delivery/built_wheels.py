"""The three distributions as wheels, as `make wheels` builds them, and virtualenvs that they are installed into."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from unit.places import REPOSITORY

SOURCES = sorted(path.parent for path in REPOSITORY.glob("packages/*/pyproject.toml"))


def run(*command: object, cwd: Path = REPOSITORY) -> str:
    """What a command prints; it must succeed. Those beside it are found first, as in a virtualenv that is activated."""
    path = f"{Path(str(command[0])).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        list(map(str, command)), cwd=cwd, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, f"{command}:\n{ran.stdout}{ran.stderr}"
    return ran.stdout


def build(out: Path, sources: Sequence[Path] = SOURCES) -> dict[str, Path]:
    """Build and repack; the wheels by their distributions' names."""
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")
    run(*pip, "--no-build-isolation", "--wheel-dir", out / "backend", *sources)
    run(sys.executable, "-m", "amplify_delivery.delivery.wheels", out, *sorted((out / "backend").glob("*.whl")))
    return {path.name.partition("-")[0]: path for path in sorted(out.glob("*.whl"))}


def virtualenv(folder: Path, wheels: Sequence[Path]) -> Path:
    """A virtualenv with these wheels; what they depend on is taken from this Python's. Its folder of commands."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    install = (sys.executable, "-m", "pip", "--python", folder / "bin/python", "install", "--quiet", "--no-index")
    run(*install, "--disable-pip-version-check", "--no-deps", *wheels)
    packages = next(folder.glob("lib/python3*/site-packages"))
    (packages / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder / "bin"
