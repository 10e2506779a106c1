"""What becomes of a checkout's files on their way through the artifact: hidden ones that stay, and execution bits.

The artifact is a zip. Which modes its files have in a target account, AWS documents neither for CodeBuild nor for
CodePipeline; a step that runs a script by its execution bit may find it without.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from amplify_delivery.components.documents.pipeline.artifact import KEPT
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import Step

_SCRIPT = re.compile(r"(?:^|[\s;&|(])(\./[\w./-]+)")
"""A command that is a file of the checkout."""


def keep(folder: Path, paths: Sequence[str], where: str) -> None:
    """Write down which hidden files stay in the artifact. Raises `ConfigError` for one that is not there."""
    missing = [path for path in paths if not (folder / path).exists()]
    if missing:
        raise ConfigError(
            f"build.keep names {', '.join(missing)}, which the checkout does not have after the commands of Build",
            where=where,
            remedy="remove it, or commit it",
        )
    file = folder / KEPT
    if paths:
        file.write_text("".join(f"./{path}\n" for path in paths), encoding="utf-8")
    else:
        file.unlink(missing_ok=True)


def run_by_their_bit(folder: Path, steps: Iterable[Step]) -> Iterator[str]:
    """A line for each script that a step runs by its execution bit."""
    for step in steps:
        for script in sorted({script for command in step.commands for script in _SCRIPT.findall(command)}):
            file = folder / script
            if file.is_file() and os.access(file, os.X_OK):
                yield (
                    f"step {step.name} runs {script} by its execution bit, which the artifact may lose on its way: "
                    f"`sh {script}` does without"
                )
