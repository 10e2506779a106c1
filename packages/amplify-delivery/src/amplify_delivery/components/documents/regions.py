"""Which regions there are: the AWS SDK's own list, and names that AWS may have opened after that list was made.

The list is botocore's `data/partitions.json`: every region of every partition, those that have to be opted in to
included. It is read as a file, because nothing else of botocore is needed to read a stack file.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection
from functools import cache
from importlib.util import find_spec
from pathlib import Path

SHAPE = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
_ALIKE = 0.75
"""From this on, of 1, a name is near enough to be meant."""
_AHEAD = 2
"""So far a number may be beyond the highest that is known at its place: AWS does not open regions in their order."""


def is_region(name: str, known: Collection[str] | None = None) -> bool:
    """Whether there is such a region, or may be one that is newer than the list.

    A new one differs from those that are known in its number only (`eu-west-4`), or is another corner of a known part
    of the world (`ca-east-1`). `us-esat-1` is neither.
    """
    regions = all_regions() if known is None else known
    if name in regions:
        return True
    if not SHAPE.fullmatch(name):
        return False
    place, _, number = name.rpartition("-")
    area, _, corner = place.rpartition("-")
    places: dict[str, int] = {}
    for region in regions:
        its_place, _, its_number = region.rpartition("-")
        places[its_place] = max(places.get(its_place, 0), int(its_number))
    corners = {its_place.rpartition("-")[2] for its_place in places}
    areas = {its_place.rpartition("-")[0] for its_place in places}
    return area in areas and corner in corners and 1 <= int(number) <= places.get(place, 0) + _AHEAD


def nearest(name: str) -> str | None:
    """The region that somebody meant who wrote `name`; two letters that changed places are the likeliest mistake."""

    def likeness(region: str) -> tuple[bool, float]:
        return sorted(region) == sorted(name), difflib.SequenceMatcher(None, name, region).ratio()

    best = max(sorted(all_regions()), key=likeness, default=None)
    return best if best is not None and likeness(best)[1] >= _ALIKE else None


@cache
def all_regions() -> frozenset[str]:
    """The regions of all partitions, without the pseudo-regions of global services (`aws-global`)."""
    spec = find_spec("botocore")
    if spec is None or spec.origin is None:
        return frozenset()
    data = json.loads((Path(spec.origin).parent / "data" / "partitions.json").read_text(encoding="utf-8"))
    names = {name for partition in data["partitions"] for name in partition["regions"]}
    return frozenset(name for name in names if SHAPE.fullmatch(name))
