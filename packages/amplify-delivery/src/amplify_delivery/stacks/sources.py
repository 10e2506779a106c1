"""What a pipeline's program is made from, as one digest: its code, what is installed for it, and the stack files.

As long as that is what was applied last, there is nothing that an update could change: no engine is asked then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

_FOLDERS = ("stacks", "components", "changes", "publishing", "amplify_export")
"""The packages that a program imports, whatever files are in them: the project's own are there too."""
_FILES = ("Pulumi.yaml", "Pulumi.*.yaml", "__main__.py", "requirements.lock")


def source_digest(project: Path) -> str:
    """SHA-256 of the names and contents of the files in the project's folder that its programs are made from."""
    whole = hashlib.sha256()
    for path in sorted(_files(project)):
        content = hashlib.sha256((project / path).read_bytes()).hexdigest()
        whole.update(f"{content}  {path}\n".encode())
    return whole.hexdigest()


def _files(project: Path) -> Iterator[str]:
    for pattern in _FILES:
        yield from (path.name for path in project.glob(pattern) if path.is_file())
    for folder in _FOLDERS:
        for path in (project / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(project).as_posix()
