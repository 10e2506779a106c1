"""What a build in privileged mode finds in its image: `docker` and `aws`, played.

Nothing is built and nothing leaves this machine: the base image of a Dockerfile, and the registry
`ACCOUNT.dkr.ecr.REGION.amazonaws.com`, are hosts on the internet. A push calls Amazon ECR's API, with the build's own
rights, for an image with nothing in it. CodeBuild's images have both tools ("Docker images provided by CodeBuild").
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

_HERE = Path(__file__).parent


def write_tools(folder: Path) -> Path:
    """Write the commands into `folder`, for a build's PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("aws", "docker"):
        tool = folder / name
        script = _HERE / f"{name}.py"
        tool.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I {shlex.quote(str(script))} "$@"\n', "utf-8")
        tool.chmod(0o755)
    return folder
