"""`python3 -m aws_rehearsal.setup.lock`: pin again what the set-up installs, with hashes, for every platform.

The Node modules and the engine's Go modules are pinned by their own tools: change `packages/aws-rehearsal/src/aws_rehearsal/node/package.json` or
`packages/aws-rehearsal/src/aws_rehearsal/engine/go.mod` first.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from amplify_delivery.errors import SetupError
from aws_rehearsal.setup.cache import CHECKOUT
from aws_rehearsal.setup.node import ensure_node
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.setup.run import run
from aws_rehearsal.setup.uv import find_uv

_LOCKS = {
    "requirements-dev.txt": "requirements.lock",
    "packages/aws-rehearsal/src/aws_rehearsal/local_aws/requirements.txt": "packages/aws-rehearsal/src/aws_rehearsal/local_aws/requirements.lock",
    **{f"rehearsal/setup/locks/{name}.in": f"rehearsal/setup/locks/{name}.lock" for name in ("uv", "go", "node")},
}
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
        ]
        for source, lock in _LOCKS.items():
            with progress.step(lock) as step:
                run([uv, "pip", "compile", *options, source, "-o", lock], cwd=CHECKOUT, remedy=_REMEDY)
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
            run([*command, "--no-audit", "--no-fund"], cwd=CHECKOUT / "rehearsal/node", remedy=_REMEDY)
            shutil.rmtree(CHECKOUT / "rehearsal/node/node_modules", ignore_errors=True)
            step.outcome = "locked"
    except SetupError as error:
        sys.stderr.write(f"lock: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
