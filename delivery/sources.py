"""What a command is pointed at: an export's folder or an assembly's."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from amplify_export import Assembly, assemble, load_assembly, read_export


def load(folder: Path, secrets: Collection[tuple[str, str]] = ()) -> Assembly:
    """The assembly in `folder`, or that of the export in `folder`.

    `secrets` are the (nested stack, parameter) pairs that an environment supplies as secrets; they matter
    for an export only. Raises `ExportRefused`, `AssemblyError`.
    """
    if (folder / "assembly.json").is_file():
        return load_assembly(folder)
    return assemble(read_export(folder), secrets)
