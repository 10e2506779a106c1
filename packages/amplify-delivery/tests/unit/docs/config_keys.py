"""Whether a path that `pulumi config set` is given is one of a stack file, and its value one that stands there: by the
schemas of docs/schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from unit.docs.shell_lines import INSIDE
from unit.docs.tool_lists import HIDDEN, PLACEHOLDER, NotTakenError
from unit.places import REPOSITORY

FILES = ("environment", "account", "pipeline")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+|[A-Z]|\0+)\]")


def check(given: Sequence[str]) -> None:
    """`given` is a path, and a value if there is one. Raises `NotTakenError`."""
    if not given or PLACEHOLDER.fullmatch(given[0].partition(".")[0].partition("[")[0]) or INSIDE in given[0]:
        return
    path, value = given[0].rpartition(":")[2], given[1] if len(given) > 1 else None
    key, *steps = (name or int(index.isdigit()) for name, index in _STEP.findall(path))
    if key in own_keys():
        return
    kinds = [(kind["keys"][key], kind["$defs"]) for kind in map(schema, FILES) if key in kind["keys"]]
    if not kinds:
        raise NotTakenError(f"no key {key} of a stack file")
    found = [(leaf, defs) for kind, defs in kinds for leaf in _leaves(kind, steps, defs)]
    if not found:
        raise NotTakenError(f"{path} is no path of a stack file")
    if value is not None and not PLACEHOLDER.fullmatch(value) and not any(_takes(leaf, value) for leaf, _ in found):
        raise NotTakenError(f"{path}: {value} cannot stand there")


@cache
def schema(kind: str) -> dict[str, Any]:
    """A stack file's: its keys without the project's name, and what they refer to."""
    read = json.loads((REPOSITORY / "docs" / "schema" / f"{kind}.json").read_text(encoding="utf-8"))
    keys = read["properties"]["config"]["patternProperties"]
    return {
        "keys": {name.rpartition(":")[2].rstrip("$"): found for name, found in keys.items()},
        "$defs": read["$defs"],
    }


@cache
def own_keys() -> frozenset[str]:
    """Those of the example's own program, which no schema has."""
    project = (REPOSITORY / "Pulumi.yaml").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^  (\w+):$", project, re.M)) - set().union(*(schema(kind)["keys"] for kind in FILES))


def _leaves(node: dict[str, Any], steps: list[Any], defs: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What may stand at the end of a path."""
    if "$ref" in node:
        yield from _leaves(defs[node["$ref"].rpartition("/")[2]], steps, defs)
    elif "anyOf" in node:
        for one in node["anyOf"]:
            yield from _leaves(one, steps, defs)
    elif not steps:
        yield node
    else:
        below = node.get("items") if isinstance(steps[0], int) else node.get("properties", {}).get(steps[0])
        more = node.get("additionalProperties")
        if below is None and isinstance(more, dict) and isinstance(steps[0], str):
            below = more
        if below is not None:
            yield from _leaves(below, steps[1:], defs)


def _takes(leaf: dict[str, Any], value: str) -> bool:
    """Whether a value may stand there: every value comes as text."""
    if HIDDEN in value or INSIDE in value:
        return True
    if "enum" in leaf:
        return value in map(str, leaf["enum"])
    if leaf.get("format") == "date":
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value))
    kinds = leaf.get("type", "string")
    if kinds == "boolean":
        return value in ("true", "false")
    if kinds in ("integer", "number"):
        return bool(re.fullmatch(r"-?\d+(\.\d+)?", value))
    return kinds not in ("null", "object", "array") and bool(re.search(leaf.get("pattern", ""), value))
