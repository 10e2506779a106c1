"""Python environments, made with uv from locks with hashes, and made again when they are stale or broken.

An environment is complete when it has its stamp, which is written last and taken away first. The stamp holds the digest
of what it was made from and the names that installing put into it.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_rehearsal.errors import SetupError
from aws_rehearsal.setup.cache import PACKAGE, cache_root, digest, locked, remove
from aws_rehearsal.setup.progress import Progress, Step
from aws_rehearsal.setup.run import run
from aws_rehearsal.setup.uv import find_uv

_REMEDY = "check that the package index can be reached, then call the command again"
_STAMP = "complete.json"
_USED = ("cloudformation", "iam", "kms", "s3", "ssm")  # services of pulumi_aws that the programs use


@dataclass(frozen=True)
class Environment:
    """A virtualenv: `folder`, made from `lock`.

    `imports` are imported and `compiled` (folders below site-packages) compiled once it is there, so that the first
    process that uses it need not. `editable` are folders of packages that are used as they stand there.
    """

    name: str
    folder: Path
    lock: Path
    imports: Sequence[str] = ()
    compiled: Sequence[str] = ()
    editable: Sequence[Path] = ()

    @property
    def made_from(self) -> str:
        """The digest of all that says what is to be in it."""
        return digest(self.lock, *(folder / "pyproject.toml" for folder in self.editable))

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        """Its site-packages. Raises `SetupError` if it has none."""
        for found in self.folder.glob("lib/python3*/site-packages"):
            return found
        raise SetupError("is not a virtualenv", where=str(self.folder), remedy="run `make setup`")


def project_environment(project: Path) -> Environment:
    """A project's own, `.venv` in its folder: what its lock names, and the packages that its repository holds."""
    return Environment(
        "Python packages",
        project / ".venv",
        project / "requirements.lock",
        editable=tuple(path.parent for path in sorted(project.glob("packages/*/pyproject.toml"))),
        imports=("pulumi.automation", "pulumi_aws", "pulumi_aws_native", "boto3", "cfnlint", "pydantic", "pytest"),
        compiled=("pulumi", "botocore", "cfnlint", "rich", *(f"pulumi_aws/{service}" for service in _USED)),
    )


def local_aws_environment() -> Environment:
    """The local AWS's own: it pins another botocore than the project."""
    lock = PACKAGE / "local_aws/requirements.lock"
    return _cached("local AWS", "local-aws", lock, imports=("ministack.app",), compiled=("ministack",))


def image_environment(lock: Path) -> Environment:
    """What a user's project has locked, as an image for its builds would hold it; made once for each lock."""
    compiled = ("pulumi", "botocore", "cfnlint", *(f"pulumi_aws/{service}" for service in _USED))
    return _cached("build image", "image", lock.resolve(), compiled=compiled)


def wheel_environment(name: str) -> Environment:
    """One that only carries a tool's wheel: `go` or `node`."""
    return _cached(f"{name} from PyPI", name, PACKAGE / f"setup/locks/{name}.lock")


def _cached(name: str, key: str, lock: Path, imports: Sequence[str] = (), compiled: Sequence[str] = ()) -> Environment:
    """In the cache, one per lock, so that two work trees with different locks don't fight over it."""
    return Environment(name, cache_root() / "environments" / f"{key}-{digest(lock)[:12]}", lock, imports, compiled)


def is_current(environment: Environment) -> bool:
    """Made from today's lock, and nothing is missing at first sight. Takes a millisecond or two."""
    stamp = _read_stamp(environment)
    if not stamp or stamp.get("lock") != environment.made_from or not environment.python.exists():
        return False
    present = {entry.name for entry in environment.packages.iterdir()}
    return present.issuperset(stamp["names"])


def is_whole(environment: Environment) -> bool:
    """`is_current`, and every installed file is there in its size. Takes a tenth of a second."""
    return is_current(environment) and not _damaged(environment)


def ensure_environment(environment: Environment, progress: Progress) -> Path:
    """Make the environment, or fix it if it is stale or broken; its interpreter. Raises `SetupError`."""
    if is_whole(environment):
        return environment.python
    uv = find_uv(progress)
    with progress.step(environment.name) as step, locked(f"environment-{environment.folder.name}", step):
        if is_whole(environment):
            step.outcome = "made by another set-up meanwhile"
            return environment.python
        stale = _read_stamp(environment) is not None and environment.python.exists() and not _damaged(environment)
        (environment.folder / _STAMP).unlink(missing_ok=True)
        if not stale:
            step.detail = "making the environment"
            remove(environment.folder)
            run([uv, "venv", "--quiet", "--python", sys.executable, environment.folder], remedy=_REMEDY)
        _sync(environment, uv, step)
        _compile(environment, step)
        names = sorted(entry.name for entry in environment.packages.iterdir() if entry.name != "__pycache__")
        stamp = {"lock": environment.made_from, "names": names}
        (environment.folder / _STAMP).write_text(json.dumps(stamp), encoding="utf-8")
        count = sum(name.endswith(".dist-info") for name in names)
        step.outcome = f"{count} packages{', updated to the new lock' if stale else ''}"
    return environment.python


def _sync(environment: Environment, uv: Path, step: Step) -> None:
    """Install exactly what the lock names: from uv's cache alone if it has everything, else from the index."""
    command: list[str | Path] = [uv, "pip", "sync", "--require-hashes", "--python", environment.python]
    here = environment.lock.parent  # a file that a lock names lies beside it
    step.detail = "installing from uv's cache"
    try:
        run([*command, "--offline", environment.lock], remedy=_REMEDY, cwd=here)
    except SetupError:
        step.detail = "downloading packages"
        run([*command, environment.lock], remedy=_REMEDY, cwd=here)
    if damaged := _damaged(environment):
        # Files are hard links into uv's cache: what was changed in place is changed there, too.
        step.detail = f"downloading {', '.join(damaged)} again"
        run([uv, "cache", "clean", *damaged], remedy=_REMEDY)
        again = [option for name in damaged for option in ("--reinstall-package", name)]
        run([*command, *again, environment.lock], remedy=_REMEDY, cwd=here)
    if environment.editable:
        step.detail = "installing the packages of this repository"
        options: list[str | Path] = [
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--offline",
            "--python",
            environment.python,
        ]
        packages = [option for folder in environment.editable for option in ("--editable", folder)]
        run([uv, "pip", "install", *options, *packages], remedy=_REMEDY)


def _compile(environment: Environment, step: Step) -> None:
    step.detail = "compiling byte code"
    python = environment.python
    if environment.compiled:
        folders = [str(environment.packages / name) for name in environment.compiled]
        run([python, "-m", "compileall", "-q", *folders], remedy=_REMEDY)
    if environment.imports:
        run([python, "-c", f"import {', '.join(environment.imports)}"], remedy=_REMEDY)


def _read_stamp(environment: Environment) -> dict[str, Any] | None:
    try:
        stamp: dict[str, Any] = json.loads((environment.folder / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return stamp


def _damaged(environment: Environment) -> list[str]:
    """Names of the packages of which a file that their RECORD names is gone or has another size."""
    packages = environment.packages
    records = sorted(packages.glob("*.dist-info/RECORD"))
    return [record.parent.name.split("-")[0] for record in records if not _as_recorded(record, f"{packages}/")]


def _as_recorded(record: Path, base: str) -> bool:
    with record.open(encoding="utf-8", newline="") as lines:
        try:
            # Plain os.stat: there are 13,000 of them at each start.
            return all(not size or os.stat(base + path).st_size == int(size) for path, _, size in csv.reader(lines))  # noqa: PTH116
        except OSError:
            return False
