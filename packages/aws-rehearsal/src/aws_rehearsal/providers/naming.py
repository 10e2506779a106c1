"""Names the provider makes up when the program gives none.

Plays `ComputeDefaultName` and `NewUniqueName` of pulumi-terraform-bridge and pulumi/sdk: the resource's name, a dash
and seven hexadecimal digits from the seed that the engine sends; kept as long as the resource lives, since Check finds
it in the old inputs under `__defaults`. A stack's `pulumi:autonaming` settings arrive as `autonaming` and win.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from aws_rehearsal.providers.errors import ProviderError

DIGITS = 7


def automatic_name(name: str, seed: bytes, longest: int, *, lower: bool = False, separator: str = "-") -> str:
    """`name` cut to what fits, plus digits."""
    digits = hashlib.sha256(seed).hexdigest()[:DIGITS] if seed else secrets.token_hex(DIGITS)[:DIGITS]
    stem = name.lower().replace("_", "-") if lower else name
    return stem[: longest - DIGITS - len(separator)] + separator + digits


def chosen_name(request: Any, longest: int, *, lower: bool = False) -> str:
    """The name for a CheckRequest of a resource without one.

    Raises ProviderError when automatic naming is switched off for it.
    """
    name = request.name or request.urn.rsplit("::", 1)[-1]
    if request.HasField("autonaming"):
        wanted = request.autonaming
        if wanted.mode == wanted.DISABLE:
            raise ProviderError("automatic naming is disabled: give this resource a name", "INVALID_ARGUMENT")
        if wanted.proposed_name:
            return str(wanted.proposed_name)[:longest]
    return automatic_name(name, request.randomSeed, longest, lower=lower)
