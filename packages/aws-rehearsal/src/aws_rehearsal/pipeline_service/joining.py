"""The local AWS with room for a pipeline service: an interpreter that starts its server with the front in it.

**Where the service runs, and why.** The service itself (executions, builds, git, callbacks) lives in the rehearsal's
own process, as threads: it ends with it, and its events need no transport. What must not be done twice lives inside
the local AWS: authentication, the evaluation of identity, boundary, session and key policies, and the handing out of
role sessions. So `inside/front.py` is loaded into its process; it answers CodePipeline and CodeBuild at the one
endpoint that serves all else (`AWS_ENDPOINT_URL`), verifies the signature there, and hands the request on. The
alternatives were weighed: a second endpoint would have to believe the access key it is told (a signature can't
be verified without the secret, and `GetCallerIdentity` can't be replayed), and the whole service inside the local AWS
would put git, sub-processes and minutes of waiting into its one event loop.
"""

from __future__ import annotations

import secrets
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Any

from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools

_LAUNCH = Path(__file__).parent / "inside" / "launch.py"


class Room:
    """A scratch folder with the token that front and service share, and the interpreter that loads the front."""

    def __init__(self, python: Path, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="pipelines-"))
        self.folder.mkdir(exist_ok=True)
        self.token = secrets.token_urlsafe(32)
        token_file = self.folder / "token"
        token_file.touch(mode=0o600)
        token_file.write_text(self.token, encoding="utf-8")
        self.interpreter = self.folder / "python"
        command = " ".join(shlex.quote(str(part)) for part in (python, "-I", _LAUNCH, token_file))
        self.interpreter.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
        self.interpreter.chmod(0o700)

    def close(self) -> None:
        """Remove the scratch folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def local_aws_with_room(
    python: Path | None = None, *, folder: Path | None = None, **arguments: Any
) -> tuple[LocalAws, Room]:
    """A local AWS (not started) that a `PipelineService` can join; close the room when it has ended.

    `python` is the interpreter of the local AWS's virtualenv, by default that of the set-up; `folder` becomes the
    room's, by default a temporary one; `arguments` are `LocalAws`'s own.
    """
    room = Room(python or tools().local_aws_python, folder)
    return LocalAws(python=room.interpreter, **arguments), room
