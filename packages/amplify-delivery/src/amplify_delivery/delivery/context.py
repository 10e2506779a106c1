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

    def with_assembly(self, folder: Path) -> Context:
        """The same, with an assembly in place of what the stack files name."""
        from amplify_delivery.stacks.inputs import ASSEMBLY_VARIABLE  # noqa: PLC0415 - as below

        return Context(self.folder, {**self.variables, ASSEMBLY_VARIABLE: str(folder.resolve())})

    @property
    def assembly(self) -> str | None:
        """The folder of the assembly that is deployed instead of what the stack files name."""
        from amplify_delivery.stacks.inputs import ASSEMBLY_VARIABLE  # noqa: PLC0415 - as below

        return self.variables.get(ASSEMBLY_VARIABLE)

    @property
    def for_engine(self) -> dict[str, str]:
        """Variables that the program must have, which the engine runs."""
        from amplify_delivery.stacks.inputs import ASSEMBLY_VARIABLE  # noqa: PLC0415 - as below

        return {ASSEMBLY_VARIABLE: self.assembly} if self.assembly else {}

    @property
    def project(self) -> Project:
        """The project's stack files."""
        from amplify_delivery.stacks.config import Project  # noqa: PLC0415 - pydantic and PyYAML, which some commands do without

        return Project(self.folder)
