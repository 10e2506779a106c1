"""Values for secrets that a new environment needs, no export holds, and nobody has given: here any will do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from secrets import token_hex

from amplify_delivery.export import Assembly, Export
from amplify_delivery.export.assembling import social

Key = tuple[str, str]
"""Nested stack and parameter."""


def lacking(export: Export, assembly: Assembly, known: Collection[Key] = ()) -> Mapping[Key, str]:
    """Values for what the environments of `assembly` have to supply before they are made (AD311), but for what is
    `known`: they have that."""
    keys = [(bound.stack, bound.parameter) for bound in assembly.bound if bound.refused and not bound.literal]
    return {
        key: social.form(social.providers_of(export.root.nested[key[0]]), f"rehearsed-{token_hex(8)}")
        for key in keys
        if key not in known
    }


def said(made: Collection[Key]) -> str:
    """What is told of them."""
    names = ", ".join(sorted(".".join(key) for key in made))
    return f"made up, since neither the export nor a stack file has it: {names} (--secret gives another value)"
