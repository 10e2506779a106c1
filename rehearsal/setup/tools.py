"""The tools of a rehearsal: where they are, and the way to have them all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from amplify_export.errors import SetupError

if TYPE_CHECKING:
    from rehearsal.setup.progress import Progress


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
    raise SetupError("the set-up is not complete", remedy="run `make setup`")


def ensure_all(progress: Progress) -> Tools:
    """Make everything that is missing, and say where it is. Raises `SetupError`."""
    raise SetupError("the set-up is not complete", remedy="run `make setup`")
