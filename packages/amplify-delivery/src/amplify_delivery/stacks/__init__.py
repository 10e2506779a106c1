"""The Pulumi programs, one per kind of stack, and the typed form of their configuration.

A project's own program needs two names of it: `programs.run`, and `Environment`, which its stage is called with. They
are loaded when first used, so that tools which read stack files do not load Pulumi.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amplify_delivery.stacks.stage import Environment

__all__ = ["Environment"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from amplify_delivery.stacks import stage  # noqa: PLC0415 - loads Pulumi

    return getattr(stage, name)
