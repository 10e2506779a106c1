"""Python environments from lock files, made with uv: in seconds, and from its cache without network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from amplify_export.errors import SetupError
from rehearsal.setup.cache import CHECKOUT, cache_root, digest, locked
from rehearsal.setup.progress import Progress
from rehearsal.setup.run import run

HERE = Path(__file__).parent
STAMP = ".amplify-delivery"
"""File in an environment that says from which lock it was made; written last."""
UV_LOCK = HERE / "uv.lock.txt"
_OFFLINE = "is there a network? The first set-up fetches packages from the Python package index"
_MINIMUM_UV = (0, 5)


def interpreter(environment: Path) -> Path:
    """The Python of an environment."""
    return environment / "bin" / "python"


def project_environment() -> Path:
    """The project's own: `.venv`, as Pulumi.yaml names it."""
    return CHECKOUT / ".venv"


def cached_environment(name: str, lock: Path) -> Path:
    """Where the environment of a tool lies, by the content of its lock."""
    return cache_root() / name / digest(lock, extra=_python())


def complete(environment: Path, lock: Path) -> bool:
    """Whether the environment was made from this lock, to the end, for this Python. Takes no time."""
    try:
        stamp = json.loads((environment / STAMP).read_text())
    except (OSError, ValueError):
        return False
    return bool(stamp == _stamp(lock)) and interpreter(environment).exists()


def ensure(environment: Path, lock: Path, title: str, progress: Progress) -> Path:
    """Make the environment what its lock says; its interpreter. Raises `SetupError`.

    A complete one is only asked whether it still runs and holds its packages; anything else is made again.
    """
    if complete(environment, lock) and _sound(environment, lock):
        return interpreter(environment)
    with locked(f"environment-{digest(lock, extra=str(environment))}"):
        if not (complete(environment, lock) and _sound(environment, lock)):
            with progress.step(title):
                _make(environment, lock, progress)
    return interpreter(environment)


def _make(environment: Path, lock: Path, progress: Progress) -> None:
    uv = _uv(progress)
    (environment / STAMP).unlink(missing_ok=True)
    for attempt in ("as it is", "from nothing"):
        if attempt == "from nothing" or not _runs(environment):
            shutil.rmtree(environment, ignore_errors=True)
            run([uv, "venv", "--quiet", "--python", sys.executable, environment], progress, remedy=_OFFLINE)
        packages = [uv, "pip", "sync", "--require-hashes", "--python", interpreter(environment), lock]
        run(packages, progress, remedy=_OFFLINE, env={"VIRTUAL_ENV": str(environment)})
        if _sound(environment, lock):
            break
    else:
        raise SetupError("is made, but its packages cannot be found", where=str(environment), remedy="remove it")
    (environment / STAMP).write_text(json.dumps(_stamp(lock)))


def _stamp(lock: Path) -> dict[str, str]:
    return {"lock": digest(lock), "python": _python()}


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor} {Path(sys.base_prefix)}"


def _runs(environment: Path) -> bool:
    try:
        subprocess.run([interpreter(environment), "-c", ""], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


_PROBE = """
import importlib.metadata as m, re, sys
names = [n for n in re.findall(r"^([A-Za-z0-9._-]+)==", open(sys.argv[1]).read(), re.M)]
found = {d.metadata["Name"].lower().replace("_", "-"): d for d in m.distributions()}
for name in names:
    d = found.get(name.lower().replace("_", "-"))
    if d is None:
        continue
    files = [f for f in (d.files or []) if str(f).endswith("__init__.py")]
    if not all(f.locate().exists() for f in files[:1] + files[-1:]):
        sys.exit(f"{name} lacks files")
wanted = [n for n in ("pulumi", "pytest", "ministack") if re.search(rf"^{n}==", open(sys.argv[1]).read(), re.M)]
sys.exit(any(n not in found for n in wanted))
"""


def _sound(environment: Path, lock: Path) -> bool:
    """Whether it runs and its packages are where their records say. About 0.1 s."""
    command = [interpreter(environment), "-I", "-c", _PROBE, lock]
    try:
        return subprocess.run(command, capture_output=True, timeout=120, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _uv(progress: Progress) -> Path:
    """uv on PATH if it is new enough, else one of our own."""
    found = shutil.which("uv")
    if found and _uv_version(found) >= _MINIMUM_UV:
        return Path(found)
    own = cached_environment("uv", UV_LOCK)
    uv = own / "bin" / "uv"
    if not (own / STAMP).exists() or _uv_version(str(uv)) < _MINIMUM_UV:
        shutil.rmtree(own, ignore_errors=True)
        run(
            [sys.executable, "-m", "venv", own],
            progress,
            remedy="install Python's venv module (Debian: apt-get install python3-venv)",
        )
        pip = [interpreter(own), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, "--require-hashes", "-r", UV_LOCK], progress, remedy=_OFFLINE)
        (own / STAMP).write_text("{}")
    return uv


def _uv_version(path: str) -> tuple[int, ...]:
    try:
        out = subprocess.run([path, "--version"], check=True, capture_output=True, text=True, timeout=30).stdout
        return tuple(int(n) for n in out.split()[1].split(".")[:2])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return (0,)


def clean_python_environment() -> None:
    """Let this process's children write byte code: without it each of them compiles the SDKs anew (1.5 s)."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
