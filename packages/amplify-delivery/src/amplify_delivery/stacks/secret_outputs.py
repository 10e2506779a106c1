"""Secret outputs of a stage: what lets the engine see that one has another value.

The engine masks secrets in all that it tells, so nobody outside can compare an output's value with the one before. It
compares inputs of resources itself: a `pulumi.Stash` keeps a digest of the value, as a secret, in the state.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import pulumi

from amplify_delivery.stacks.output_names import STASH_PREFIX


def stash(exported: Mapping[str, Any]) -> None:
    """Keep a digest of each of the `exported` outputs that is secret, or holds a secret."""
    for name, value in sorted(exported.items()):
        if not isinstance(value, str | bool | int | float | None):
            # An output, so that the engine waits for it: only then it is known whether the value is secret.
            _: pulumi.Output[None] = pulumi.Output.from_input(_kept(name, pulumi.Output.from_input(value)))


async def _kept(name: str, value: pulumi.Output[Any]) -> None:
    if await value.is_secret():
        digest: pulumi.Output[str] = value.apply(partial(_digest, name))
        pulumi.Stash(f"{STASH_PREFIX}{name}", input=digest)


def _digest(name: str, value: Any) -> str:
    return hashlib.sha256(f"{name}\0{json.dumps(value, sort_keys=True)}".encode()).hexdigest()
