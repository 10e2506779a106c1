"""Whether what is installed is what the locks name: after a pull that changed a pin, tests may fail for that alone."""

from __future__ import annotations

from pathlib import Path

from aws_rehearsal.setup.environments import Environment, is_current


def told(environment: Environment, prefix: Path) -> str | None:
    """What to do where the Python of `prefix` is that of `environment`, and made from another lock; `make` does it by
    itself, and pytest alone does not."""
    if prefix.resolve() != environment.folder.resolve() or is_current(environment):
        return None
    return f"the packages in {environment.folder.name} are not those that {environment.lock.name} names: `make setup`"
