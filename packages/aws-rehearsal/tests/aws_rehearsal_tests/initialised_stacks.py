"""New stacks of Pulumi, as `pulumi stack init dev` leaves them: the command is run once per project name and process.

Deriving a key from a passphrase takes the engine 0.3 s each time, and a hundred tests begin with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STACK = "dev"


@dataclass(frozen=True)
class _Initialised:
    salt: str
    """The line in the stack file that its secrets are encrypted with."""
    state: dict[str, bytes]
    """The backend's files."""


_known: dict[str, _Initialised] = {}


def init(name: str, folder: Path, state: Path, run: Callable[[], object]) -> None:
    """Make the stack `dev` of the project `name` in `folder`, whose backend is the folder `state`; `run` runs the
    command, for the first of that name."""
    file = folder / f"Pulumi.{STACK}.yaml"
    found = _known.get(name)
    if found is None:
        run()
        (salt,) = (line for line in file.read_text().splitlines() if line.startswith("encryptionsalt:"))
        files = {str(path.relative_to(state)): path.read_bytes() for path in state.rglob("*") if path.is_file()}
        _known[name] = _Initialised(salt, files)
        return
    file.write_text(f"{file.read_text().rstrip()}\n{found.salt}\n")
    for place, content in found.state.items():
        (state / place).parent.mkdir(parents=True, exist_ok=True)
        (state / place).write_bytes(content)
