"""What a command finds around it: the folder that it was called in, and the environment's variables.

The command line reads both, once, and passes them down. So whatever is below can be called for another folder, and with
other variables, without anybody having to change those of the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amplify_delivery.stacks.config import Project


@dataclass(frozen=True)
class Context:
    """`folder` is the project's, where Pulumi.yaml lies, as messages name it; `variables` are those of the process."""

    folder: Path
    variables: Mapping[str, str]

    @property
    def project(self) -> Project:
        """The project's stack files."""
        from amplify_delivery.stacks.config import Project  # noqa: PLC0415 - pydantic and PyYAML, which some commands do without

        return Project(self.folder)
