"""The programs that a stack can have, by the name that its configuration gives."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pulumi

from amplify_delivery.components.errors import as_run_error
from amplify_delivery.errors import ConfigError

if TYPE_CHECKING:
    from amplify_delivery.stacks.stage import StageFactory

BACKEND = "backend"
UNHEARD_VARIABLE = "AMPLIFY_DELIVERY_DEBUG_UNHEARD"
"""Is set for a program whose engine was not asked for its debug messages."""
PROGRAMS = (BACKEND, "account", "pipeline")
"""`backend` delivers an environment, `account` lets a pipeline into its account, `pipeline` makes the pipeline."""


def run(stage: StageFactory) -> None:
    """Run the program that the stack's configuration names with `program`, `backend` unless it names one.

    A project's `__main__.py` is this call. `stage` is what an environment consists of, the team's own class
    (`components/stage.py`): it is called with an `Environment`, and declares the backend as its `backend`. The programs
    of accounts and pipelines have nothing of a team's. Raises `pulumi.RunError`, without a traceback, for what a stack
    file or the export has wrong.
    """
    if os.environ.get(UNHEARD_VARIABLE):
        # The SDK has ninety of them for a small environment, and waits for the engine's answer to each: a tenth of the
        # processor time of a plan.
        pulumi.log.debug = _unheard
    with as_run_error():
        name = pulumi.Config().get("program") or BACKEND
        program = find(name)
        if name == BACKEND:
            program(stage)
        else:
            program()


def find(name: str) -> Callable[..., Any]:
    """The program called `name`. Raises `ConfigError` for one that does not exist."""
    if name not in PROGRAMS:
        raise ConfigError(
            f"there is no program {name!r}",
            where="config key `program`",
            remedy=f"there is {', '.join(PROGRAMS)}; backend is the default",
        )
    # Only what the stack needs is loaded.
    program: Callable[..., Any] = import_module(f"amplify_delivery.stacks.{name}").program
    return program


def _unheard(
    msg: str,
    resource: pulumi.Resource | None = None,
    stream_id: int | None = None,
    ephemeral: bool | None = None,
) -> None:
    """In the place of `pulumi.log.debug`: the engine would drop the message."""
