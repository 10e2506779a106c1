"""Which property of a type gets an automatic name, and which name.

Plays provider/pkg/autonaming of pulumi-aws-native: a string property `Name`, else `<Type>Name`, else the only one whose
name ends the type's (`ScalingPolicy` has `PolicyName`). The name is the resource's, a dash and seven digits, within the
schema's lengths.
"""

from __future__ import annotations

from typing import Any

from aws_rehearsal.providers.errors import ProviderError
from aws_rehearsal.providers.naming import DIGITS, automatic_name
from aws_rehearsal.providers.native.schemas import TypeSchema


def name_property(kind: TypeSchema) -> str | None:
    """The property's name in a program, None for types without one."""
    short = kind.name.rsplit("::", 1)[-1].lower()
    texts = {
        key: name for key, name in kind.inputs.items() if kind.resolve(kind.properties[name]).get("type") == "string"
    }
    by_name = {name.lower(): key for key, name in texts.items()}
    for wanted in ("name", f"{short}name"):
        if wanted in by_name:
            return by_name[wanted]
    named = [name for name in by_name if name.endswith("name")]
    ending = [by_name[name] for name in named if short.endswith(name.removesuffix("name"))]
    return ending[0] if len(ending) == 1 else None


def automatic(kind: TypeSchema, key: str, request: Any) -> str:
    """The name for a CheckRequest.

    Raises ProviderError when the resource's own name leaves no room for digits, or naming is switched off.
    """
    schema = kind.resolve(kind.properties[kind.inputs[key]])
    name = request.name or request.urn.rsplit("::", 1)[-1]
    longest = schema.get("maxLength") or 255
    if request.HasField("autonaming"):
        wanted = request.autonaming
        if wanted.mode == wanted.DISABLE:
            raise ProviderError(f"automatic naming is disabled: provide a value for {key!r}", "INVALID_ARGUMENT")
        if wanted.proposed_name:
            return str(wanted.proposed_name)
    if len(name) + 1 >= longest:
        raise ProviderError(
            f"failed to auto-generate value for {key!r}. Prefix: {name + '-'!r} is too large to fix max length "
            f"constraint of {longest}. Please provide a value for {key!r}",
            "INVALID_ARGUMENT",
        )
    return automatic_name(name, request.randomSeed, max(longest, len(name) + 1 + min(DIGITS, longest - len(name) - 1)))
