"""Secrets in action configurations: given out masked, and kept when the mask comes back. Pure."""

from __future__ import annotations

from typing import Any

_SECRET = "OAuthToken"  # noqa: S105 - the key's name
_MASK = "****"


def without_secrets(configuration: dict[str, str]) -> dict[str, str]:
    """A configuration with its secrets masked."""
    return {key: _MASK if key == _SECRET else value for key, value in configuration.items()}


def masked(action: dict[str, Any]) -> dict[str, Any]:
    """A declared action as it is given out, with what AWS fills in."""
    configuration = without_secrets(action.get("configuration") or {})
    return {
        "runOrder": 1,
        "inputArtifacts": [],
        "outputArtifacts": [],
        **action,
        **({"configuration": configuration} if configuration else {}),
    }


def keep_masked_secrets(declared: dict[str, Any], old: dict[str, Any]) -> None:
    """Put the secrets of the `old` structure where `declared` has their mask.

    Whoever gets a pipeline, changes it and sends it back means the token that is there.
    """
    known = {
        (stage["name"], action["name"]): (action.get("configuration") or {}).get(_SECRET)
        for stage in old["stages"]
        for action in stage["actions"]
    }
    for stage in declared["stages"]:
        for action in stage["actions"]:
            configuration = action.get("configuration") or {}
            if configuration.get(_SECRET) == _MASK and known.get((stage["name"], action["name"])):
                configuration[_SECRET] = known[stage["name"], action["name"]]
