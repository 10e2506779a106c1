"""The programs that a stack can have, by the name that its configuration gives."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from amplify_delivery.errors import ConfigError

PROGRAMS = ("backend", "account", "pipeline")
"""`backend` delivers an environment, `account` lets a pipeline into its account, `pipeline` makes the pipeline."""


def find(name: str) -> Callable[[], None]:
    """The program called `name`. Raises `ConfigError` for one that does not exist."""
    if name not in PROGRAMS:
        raise ConfigError(
            f"there is no program {name!r}",
            where="config key `program`",
            remedy=f"there is {', '.join(PROGRAMS)}; backend is the default",
        )
    # Only what the stack needs is loaded.
    program: Callable[[], None] = import_module(f"stacks.{name}").program
    return program
