"""What a patch needs of MiniStack: a function with the parameters that the patch was written for."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any


class PatchError(RuntimeError):
    """MiniStack no longer has the function a patch wraps: it must be looked at by a person."""


def expect(module: ModuleType, name: str, *parameters: str) -> Callable[..., Any]:
    """The function `name` of `module`, which must begin with these parameters, else `PatchError`."""
    function = getattr(module, name, None)
    if not callable(function):
        raise PatchError(f"{module.__name__} has no function {name!r} any more")
    found = tuple(inspect.signature(function).parameters)
    if found[: len(parameters)] != parameters:
        raise PatchError(f"{module.__name__}.{name} takes {found}, not {parameters}")
    return function


def replace(name: str, function: Callable[..., Any], *modules: ModuleType) -> None:
    """Put `function` in the place of `name` in every one of `modules` that holds it, the owner first.

    MiniStack's modules import functions from each other by name, so the owner alone is not enough.
    """
    # `inspect.signature` follows it, so that a second patch of the same function still sees MiniStack's.
    function.__wrapped__ = getattr(modules[0], name)  # type: ignore[attr-defined]
    for module in modules:
        if not hasattr(module, name):
            raise PatchError(f"{module.__name__} does not use {name!r} any more")
        setattr(module, name, function)


def json_body(body: bytes) -> dict[str, Any]:
    """The members of a JSON request; none if it is no JSON object, which the service itself will say."""
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
