"""The programs that a stack can have, by the name that its configuration gives."""

from __future__ import annotations

from collections.abc import Callable

from amplify_export.errors import ConfigError

PROGRAMS = ("backend",)
"""`backend` deploys an environment."""


def find(name: str) -> Callable[[], None]:
    """The program called `name`. Raises `ConfigError` for one that does not exist."""
    if name != "backend":
        raise ConfigError(
            f"there is no program {name!r}",
            where="config key `program`",
            remedy=f"there is {', '.join(PROGRAMS)}, and that is the default",
        )
    from stacks.backend import program  # noqa: PLC0415 - only what the stack needs is loaded

    return program
