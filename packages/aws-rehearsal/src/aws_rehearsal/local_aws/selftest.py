"""The self-test of the patches: run once per version of MiniStack and of the patches, then remembered.

A patch that does not work would make every later result a lie, so it stops the start. A patch that MiniStack no longer
needs is only worth a look: it can go.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_rehearsal.errors import SetupError
from aws_rehearsal.setup.cache import cache_root, locked

_HERE = Path(__file__).parent
_TIMEOUT = 120
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SelfTest:
    """What the probes said, by patch."""

    needed: Mapping[str, bool]
    works: Mapping[str, bool]

    @property
    def broken(self) -> tuple[str, ...]:
        """Patches that do not do what they are for."""
        return tuple(name for name, works in self.works.items() if not works)

    @property
    def needless(self) -> tuple[str, ...]:
        """Patches without which this MiniStack behaves as AWS does."""
        return tuple(name for name, needed in self.needed.items() if not needed)


def ensure_patched(python: Path, environment: Mapping[str, str], *, again: bool = False) -> SelfTest | None:
    """The self-test's result, from the cache unless `again`; raises `SetupError` if a patch does not work.

    None if `python` is not an interpreter with a MiniStack beside it, but something that starts one: there is no
    version to remember the result by, and whoever wraps an interpreter tests the one inside.
    """
    version = installed_version(python)
    if version is None:
        return None
    kept = _kept(version)
    result = None if again else _read(kept)
    if result is None:
        with _alone():
            result = (None if again else _read(kept)) or _run(python, environment)
            if all(said["works"] for said in result.values()):
                _write(kept, result)
    test = SelfTest(
        {name: said["needed"] for name, said in result.items()}, {name: said["works"] for name, said in result.items()}
    )
    if test.broken:
        raise SetupError(
            f"MiniStack {version} does not behave as AWS with these patches: {', '.join(test.broken)}",
            where=str(_HERE / "patches"),
            remedy="install the pinned version with `make setup`, or repair the patches for the new one",
        )
    if test.needless:
        _log.warning("MiniStack %s no longer needs these patches: %s", version, ", ".join(test.needless))
    return test


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One self-test at a time on a machine: beside each other they would be slow, and a stack that takes too long looks
    like a patch that does not work. Who has waited finds the result. A cache that cannot be written has no lock."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):
            held.enter_context(locked("local-aws-self-test"))
        yield


def installed_version(python: Path) -> str | None:
    """The version of MiniStack in the virtualenv of `python`, read from its metadata; None if there is none."""
    for metadata in sorted((python.parent.parent / "lib").glob("python*/site-packages/ministack-*.dist-info")):
        return metadata.name.removeprefix("ministack-").removesuffix(".dist-info")
    return None


def _kept(version: str) -> Path:
    """Where the result is remembered: a file named by everything that it depends on."""
    whole = hashlib.sha256(version.encode())
    for path in _sources():
        whole.update(path.read_bytes())
    return cache_root() / "local-aws-self-test" / f"{whole.hexdigest()}.json"


def _read(kept: Path) -> Any:
    try:
        return json.loads(kept.read_bytes())
    except (OSError, ValueError):
        return None


def _write(kept: Path, result: object) -> None:
    """Written beside and renamed, since several processes may write it. A cache that cannot be written is empty."""
    with contextlib.suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=".", dir=kept.parent)
        with os.fdopen(handle, "w") as file:
            json.dump(result, file)
        Path(beside).replace(kept)


def _sources() -> list[Path]:
    facts = _HERE / "handlers"
    patches = sorted((_HERE / "patches").glob("*.py"))
    return [
        *patches,
        *sorted((_HERE / "appsync").glob("*.py")),
        *sorted(facts.glob("*.py")),
        facts / "table.json",
        _HERE / "policy_list.json",
        _HERE / "policy_list.py",
        _HERE / "probes.py",
        _HERE / "probing.py",
        _HERE / "server.py",
    ]


def _run(python: Path, environment: Mapping[str, str]) -> dict[str, dict[str, bool]]:
    command = [str(python), "-I", str(_HERE / "server.py"), "--self-test"]
    try:
        done = subprocess.run(
            command,
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            start_new_session=True,
            check=False,
        )
        result = dict(json.loads(done.stdout))
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(
            f"the local AWS can't test itself: {error}", where=str(python), remedy="run `make setup`"
        ) from error
    except ValueError:
        result = {}
    if not result:
        raise SetupError(
            f"the local AWS can't test itself:\n{done.stderr[-1000:]}",
            where=str(python),
            remedy="install the pinned version of MiniStack with `make setup`",
        )
    return result
