"""The tools of a rehearsal: where they are, and the way to have them all.

What the set-up found is remembered in `.venv/tools.json`, with what it was made from and the size and time of each
binary; so that the next command knows in milliseconds that nothing is to be done.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amplify_delivery.errors import SetupError
from aws_rehearsal.setup import node as nodejs
from aws_rehearsal.setup.cache import CHECKOUT, cache_root, digest
from aws_rehearsal.setup.engine import ensure_engine
from aws_rehearsal.setup.environments import (
    ensure_environment,
    is_current,
    is_whole,
    local_aws_environment,
    project_environment,
)

if TYPE_CHECKING:
    from aws_rehearsal.setup.progress import Progress


@dataclass(frozen=True)
class Tools:
    """Absolute paths of everything a rehearsal runs.

    `engine_root` is the folder whose `bin/` holds `pulumi`; `python` is the project's interpreter in `.venv`;
    `local_aws_python` that of the local AWS's own environment; `node` the Node.js binary; `node_modules` a folder
    for NODE_PATH with `cfn-response` and the AWS SDK.
    """

    engine_root: Path
    python: Path
    local_aws_python: Path
    node: Path
    node_modules: Path


def tools() -> Tools:
    """The tools, if the set-up is complete; takes milliseconds and changes nothing.

    Raises `SetupError` if anything is missing or older than what the project pins.
    """
    found = _remembered()
    if not found:
        raise SetupError("the set-up is not complete", where=str(CHECKOUT), remedy="run `make setup`")
    return found


def ensure_all(progress: Progress) -> Tools:
    """Make everything that is missing or broken, and say where it is. Raises `SetupError`.

    Looks closer than `tools`: every installed file is there. If all is well it writes nothing to `progress`.
    """
    found = _remembered()
    if found and _all_whole(found):
        return found
    progress.say(f"Set-up: Python packages go into .venv, the rest into {_short(cache_root())}, once for this machine")
    python = ensure_environment(project_environment(), progress)
    local_aws_python = ensure_environment(local_aws_environment(), progress)
    node = nodejs.ensure_node(progress)
    node_modules = nodejs.ensure_modules(node, progress)
    engine_root = ensure_engine(progress)
    found = Tools(engine_root, python, local_aws_python, node.binary, node_modules)
    _remember(found)
    return found


def _record() -> Path:
    return CHECKOUT / ".venv" / "tools.json"


def _made_from() -> str:
    """What the tools depend on, besides themselves."""
    pins = (
        "requirements.lock",
        "packages/aws-rehearsal/src/aws_rehearsal/local_aws/requirements.lock",
        "packages/aws-rehearsal/src/aws_rehearsal/engine/go.mod",
    )
    return f"{digest(*(CHECKOUT / pin for pin in pins))} {nodejs.modules_folder()}"


def _marks(found: Tools) -> dict[str, list[int]]:
    """Size and time of each binary, in nanoseconds: a truncated or replaced one is another."""
    binaries = (found.engine_root / "bin" / "pulumi", found.python, found.local_aws_python, found.node)
    return {str(path): [path.stat().st_size, path.stat().st_mtime_ns] for path in binaries}


def _remember(found: Tools) -> None:
    paths = {field.name: str(getattr(found, field.name)) for field in fields(found)}
    text = json.dumps({"made_from": _made_from(), "paths": paths, "marks": _marks(found)}, indent=2)
    _record().write_text(text, encoding="utf-8")


def _remembered() -> Tools | None:
    try:
        record: dict[str, Any] = json.loads(_record().read_text(encoding="utf-8"))
        found = Tools(**{name: Path(path) for name, path in record["paths"].items()})
        same = record["made_from"] == _made_from() and record["marks"] == _marks(found)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    environments = project_environment(), local_aws_environment()
    return found if same and found.node_modules.is_dir() and all(map(is_current, environments)) else None


def _all_whole(found: Tools) -> bool:
    return nodejs.is_whole(found.node_modules) and is_whole(project_environment()) and is_whole(local_aws_environment())


def _short(path: Path) -> str:
    return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)
