"""The tools of a rehearsal: where they are, and the way to have them all.

What the set-up found is remembered in the cache, per virtualenv, with what it was made from and the size and time of
each binary; so that the next command knows in milliseconds that nothing is to be done.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_rehearsal.errors import SetupError
from aws_rehearsal.setup import actionlint, language_hosts, launcher
from aws_rehearsal.setup import node as nodejs
from aws_rehearsal.setup.cache import PACKAGE, cache_root, digest
from aws_rehearsal.setup.engine import ensure_engine, is_outdated
from aws_rehearsal.setup.environments import (
    Environment,
    ensure_environment,
    is_current,
    is_whole,
    local_aws_environment,
    project_environment,
    wheel_environment,
)

if TYPE_CHECKING:
    from aws_rehearsal.setup.progress import Progress


@dataclass(frozen=True)
class Tools:
    """Absolute paths of everything a rehearsal runs.

    `engine_root` is the folder whose `bin/` holds `pulumi`; `python` is the interpreter that runs programs and
    commands, with all that they import; `local_aws_python` that of the local AWS's own environment; `node` the Node.js
    binary; `node_modules` a folder for NODE_PATH with `cfn-response` and the AWS SDK.
    """

    engine_root: Path
    python: Path
    local_aws_python: Path
    node: Path
    node_modules: Path


def tools() -> Tools:
    """The tools for the interpreter that runs this, if the set-up is complete; takes milliseconds and changes nothing.

    Raises `SetupError` if anything is missing or older than what is pinned.
    """
    prefix = Path(sys.prefix)
    found = _remembered(prefix)
    if not found:
        raise SetupError("the set-up is not complete", where=str(prefix), remedy=_remedy(prefix))
    return found


def ensure_all(progress: Progress, prefix: Path | None = None, *, tests: bool = False) -> Tools:
    """Make everything that is missing or broken, and say where it is. Raises `SetupError`.

    `prefix` is the virtualenv that runs the programs, the current one unless given; with `tests` what only this
    repository's own tests need is made too, which a rehearsal does not wait for. Looks closer than `tools`: every
    installed file is there. If all is well it writes nothing to `progress`.
    """
    prefix = prefix or Path(sys.prefix)
    found = _remembered(prefix)
    own = _made_by_us(prefix)
    if found and _all_whole(prefix, found):
        if tests:
            _ensure_for_tests(progress)
        return found
    places = (
        f"{'Python packages go into .venv, the rest' if own else 'what is missing goes'} into {_short(cache_root())}"
    )
    progress.say(f"Set-up: {places}, once for this machine")
    python = ensure_environment(own, progress) if own else prefix / "bin" / "python"
    local_aws_python = ensure_environment(local_aws_environment(), progress)
    node = nodejs.ensure_node(progress)
    node_modules = nodejs.ensure_modules(node, progress)
    engine_root = ensure_engine(python, progress)
    if tests:
        _ensure_for_tests(progress)
    found = Tools(engine_root, python, local_aws_python, node.binary, node_modules)
    _remember(prefix, found)
    return found


def _ensure_for_tests(progress: Progress) -> None:
    """What only this repository's own tests need."""
    actionlint.ensure_actionlint(progress)
    language_hosts.ensure_yaml_host(progress)
    launcher.ensure_launcher(progress)
    ensure_environment(wheel_environment("check-jsonschema"), progress)


def _made_by_us(prefix: Path) -> Environment | None:
    """The project's environment, where the virtualenv is one that the set-up makes from its lock: in this package's own
    repository. A virtualenv of a user's is hers."""
    project = prefix.parent
    own = prefix.name == ".venv" and PACKAGE.is_relative_to(project / "packages")
    return project_environment(project) if own else None


def _remedy(prefix: Path) -> str:
    return "run `make setup`" if _made_by_us(prefix) else f"run `{prefix / 'bin' / 'python'} -m aws_rehearsal.setup`"


def _record(prefix: Path) -> Path:
    return cache_root() / "tools" / f"{hashlib.sha256(str(prefix).encode()).hexdigest()[:16]}.json"


def _made_from() -> str:
    """What the tools depend on, besides themselves."""
    return f"{digest(PACKAGE / 'local_aws/requirements.lock', PACKAGE / 'engine/go.mod')} {nodejs.modules_folder()}"


def _marks(found: Tools) -> dict[str, list[int]]:
    """Size and time of each binary, in nanoseconds: a truncated or replaced one is another."""
    binaries = (found.engine_root / "bin" / "pulumi", found.python, found.local_aws_python, found.node)
    return {str(path): [path.stat().st_size, path.stat().st_mtime_ns] for path in binaries}


def _remember(prefix: Path, found: Tools) -> None:
    paths = {field.name: str(getattr(found, field.name)) for field in fields(found)}
    text = json.dumps({"made_from": _made_from(), "paths": paths, "marks": _marks(found)}, indent=2)
    record = _record(prefix)
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(text, encoding="utf-8")


def _remembered(prefix: Path) -> Tools | None:
    try:
        record: dict[str, Any] = json.loads(_record(prefix).read_text(encoding="utf-8"))
        found = Tools(**{name: Path(path) for name, path in record["paths"].items()})
        same = record["made_from"] == _made_from() and record["marks"] == _marks(found)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if same and found.node_modules.is_dir() and all(map(is_current, _environments(prefix))) else None


def _all_whole(prefix: Path, found: Tools) -> bool:
    if is_outdated(found.engine_root):
        return False
    return nodejs.is_whole(found.node_modules) and all(map(is_whole, _environments(prefix)))


def _environments(prefix: Path) -> list[Environment]:
    own = _made_by_us(prefix)
    return [*([own] if own else []), local_aws_environment()]


def _short(path: Path) -> str:
    return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)
