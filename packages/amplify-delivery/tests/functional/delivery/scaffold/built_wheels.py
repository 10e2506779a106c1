"""The three distributions as wheels, as `make wheels` builds them, and virtualenvs that they are installed into."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest

from unit.places import REPOSITORY

SOURCES = sorted(path.parent for path in REPOSITORY.glob("packages/*/pyproject.toml"))


def run(*command: object, cwd: Path = REPOSITORY) -> str:
    """What a command prints; it must succeed. Those beside it are found first, as in a virtualenv that is activated."""
    path = f"{Path(str(command[0])).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        list(map(str, command)), cwd=cwd, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert ran.returncode == 0, f"{command}:\n{ran.stdout}{ran.stderr}"
    return ran.stdout


def build(out: Path, sources: Sequence[Path] = SOURCES) -> dict[str, Path]:
    """Build and repack; the wheels by their distributions' names."""
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")
    run(*pip, "--no-build-isolation", "--wheel-dir", out / "backend", *sources)
    run(
        sys.executable, "-m", "amplify_delivery.delivery.scaffold.wheels", out, *sorted((out / "backend").glob("*.whl"))
    )
    return built(out)


def built(out: Path) -> dict[str, Path]:
    """The wheels in a folder by their distributions' names."""
    return {path.name.partition("-")[0]: path for path in sorted(out.glob("*.whl"))}


def released(factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels of this checkout, built once for all processes of a run: only to be read. That a build of its own has
    the same bytes, `test_built_wheels.py` shows."""
    base = factory.getbasetemp()
    # pytest-xdist gives each process a folder in the run's.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "released-wheels"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "done"
        if not done.exists():
            build(folder)
            done.touch()
    return built(folder)


def virtualenv(folder: Path, wheels: Sequence[Path], *, compiled: bool = False, complete: bool = False) -> Path:
    """A virtualenv with these wheels; what they depend on is taken from this Python's. Its folder of commands.

    Byte code is made of what is imported only; where the test is about what pip installs, of all of it: `compiled`.
    Where somebody looks what is installed there, all of it lies there, by links: `complete`.
    """
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    install = (sys.executable, "-m", "pip", "--python", folder / "bin/python", "install", "--quiet", "--no-index")
    code = ["--compile" if compiled else "--no-compile"]
    run(*install, *code, "--disable-pip-version-check", "--no-deps", *wheels)
    packages = next(folder.glob("lib/python3*/site-packages"))
    others = Path(sysconfig.get_path("purelib"))
    if complete:
        ours = ("amplify_delivery", "aws_rehearsal", "_editable", "_virtualenv", "distutils")
        for other in others.iterdir():
            if not other.name.startswith(ours) and other.suffix != ".pth" and not (packages / other.name).exists():
                (packages / other.name).symlink_to(other)
    else:
        (packages / "others.pth").write_text(f"{others}\n")
    return folder / "bin"
