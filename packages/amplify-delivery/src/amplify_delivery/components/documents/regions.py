"""Which regions there are, and which AWS services are in them: the AWS SDK's own lists.

Regions are those of botocore's `data/partitions.json`, of every partition, with those that have to be opted in to;
services are those of its `data/endpoints.json`. Both are read as files, because nothing else of botocore is needed to
read a stack file. A region that AWS has opened later is in a later botocore.
"""

from __future__ import annotations

import difflib
import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SHAPE = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
_ALIKE = 0.75
"""From this on, of 1, a name is near enough to be meant."""

LATER = "if AWS has opened it since, upgrade botocore in requirements.txt, and lock it again"


def is_region(name: str) -> bool:
    """Whether there is such a region."""
    return name in all_regions()


def offers(region: str, service: str) -> bool:
    """Whether AWS has the service, by the prefix of its endpoints, in that region."""
    return any(region in partition["services"].get(service, {}).get("endpoints", {}) for partition in _endpoints())


def nearest(name: str) -> str | None:
    """The region that somebody meant who wrote `name`; two letters that changed places are the likeliest mistake."""

    def likeness(region: str) -> tuple[bool, float]:
        return sorted(region) == sorted(name), difflib.SequenceMatcher(None, name, region).ratio()

    best = max(sorted(all_regions()), key=likeness, default=None)
    return best if best is not None and likeness(best)[1] >= _ALIKE else None


@cache
def all_regions() -> frozenset[str]:
    """The regions of all partitions, without the pseudo-regions of global services (`aws-global`)."""
    names = {name for partition in _data("partitions.json")["partitions"] for name in partition["regions"]}
    return frozenset(name for name in names if SHAPE.fullmatch(name))


@cache
def _endpoints() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _data("endpoints.json")["partitions"]
    return found


def _data(name: str) -> dict[str, Any]:
    spec = find_spec("botocore")
    if spec is None or spec.origin is None:
        return {"partitions": []}
    data: dict[str, Any] = json.loads((Path(spec.origin).parent / "data" / name).read_text(encoding="utf-8"))
    return data
