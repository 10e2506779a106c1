"""The programs that a stack can have, by the name that its configuration gives."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import pulumi

from amplify_delivery.components.errors import as_run_error
from amplify_delivery.errors import ConfigError

PROGRAMS = ("backend", "account", "pipeline")
"""`backend` delivers an environment, `account` lets a pipeline into its account, `pipeline` makes the pipeline."""


def run() -> None:
    """Run the program that the stack's configuration names with `program`, `backend` unless it names one."""
    with as_run_error():
        find(pulumi.Config().get("program") or "backend")()


def find(name: str) -> Callable[[], None]:
    """The program called `name`. Raises `ConfigError` for one that does not exist."""
    if name not in PROGRAMS:
        raise ConfigError(
            f"there is no program {name!r}",
            where="config key `program`",
            remedy=f"there is {', '.join(PROGRAMS)}; backend is the default",
        )
    # Only what the stack needs is loaded.
    program: Callable[[], None] = import_module(f"amplify_delivery.stacks.{name}").program
    return program
