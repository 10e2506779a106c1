"""`python3 -m aws_rehearsal.setup.lock`, in the repository's root: pin again what the set-up installs, with hashes, for
every platform.

The Node modules and the engine's Go modules are pinned by their own tools: change `package.json` in
`node/`, or `engine/go.mod`, first.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from aws_rehearsal.errors import SetupError
from aws_rehearsal.setup.cache import PACKAGE
from aws_rehearsal.setup.node import ensure_node
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.setup.run import run
from aws_rehearsal.setup.uv import find_uv

_LOCKS = {
    Path("requirements-dev.txt"): Path("requirements.lock"),
    PACKAGE / "local_aws/requirements.txt": PACKAGE / "local_aws/requirements.lock",
    **{PACKAGE / f"setup/locks/{name}.in": PACKAGE / f"setup/locks/{name}.lock" for name in ("uv", "go", "node")},
}
_OWN = ("amplify-delivery", "aws-rehearsal", "amplify-delivery-rehearsal")
"""Packages of the repository: they stand beside the lock, not in it."""
_REMEDY = "check that the package registries can be reached and that the ranges can be met"


def main() -> int:
    """0, or 1 with the reason on standard error."""
    progress = Progress()
    try:
        uv = find_uv(progress)
        options = [
            "--universal",
            "--generate-hashes",
            "--upgrade",
            "--python-version",
            "3.11",
            "--no-header",
            "--quiet",
            *(option for name in _OWN for option in ("--no-emit-package", name)),
        ]
        for source, lock in _LOCKS.items():
            with progress.step(lock.name) as step:
                run([uv, "pip", "compile", *options, source, "-o", lock], remedy=_REMEDY)
                step.outcome = "locked"
        with progress.step("package-lock.json") as step:
            node = ensure_node(progress)
            # The lock names no registry, so that it serves behind any mirror; integrity hashes say what is right.
            command: list[str | Path] = [
                *node.npm,
                "install",
                "--package-lock-only",
                "--omit-lockfile-registry-resolved=true",
            ]
            run([*command, "--no-audit", "--no-fund"], cwd=PACKAGE / "node", remedy=_REMEDY)
            shutil.rmtree(PACKAGE / "node/node_modules", ignore_errors=True)
            step.outcome = "locked"
    except SetupError as error:
        sys.stderr.write(f"lock: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
