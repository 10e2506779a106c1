"""Where only the place of equal bytes changes: mapping templates, schemas and code that lie elsewhere afterwards.

Whatever deployed a stack before put these under keys of its own; ours are made from contents. So CloudFormation updates
each resource that reads one, although it will read the same. The bytes that run are asked for, since their keys say
nothing of them; what cannot be read counts as changed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import ChangeResource, Step
from amplify_delivery.export.archives import ArchiveError, entries_digest
from amplify_delivery.export.assembling.store import FOLDERS

Location = tuple[str, str]
"""(bucket, key) of an object in S3."""
Read = Callable[[Location], bytes | None]
"""The bytes of an object; None if they may not or cannot be read."""

_URL = re.compile(r"s3://([^/]+)/(.+)")
_OBJECTS = (("S3Bucket", "S3Key"), ("Bucket", "Key"))
"""How properties name an object: code and layers, bodies of REST APIs."""
_KEY = re.compile(rf"(?:{'|'.join(FOLDERS.values())})/([0-9a-f]{{64}})(?:\.[A-Za-z0-9]+)?")
"""A key of ours, with the digest of the content."""
_ARCHIVE = ".zip"
_AT_ONCE = 8


@dataclass(frozen=True)
class SameBytes:
    """`places` of the steps that change nothing but where equal bytes lie; `unread` are objects that run and that could
    not be read."""

    places: frozenset[str] = frozenset()
    unread: tuple[Location, ...] = ()


def same_bytes(steps: Sequence[Step], deployed: Stacks, wanted: Stacks, read: Read) -> SameBytes:
    """Which of `steps`, from `deployed` to `wanted`, are such. `read` is asked once for each object, in threads."""
    pairs = {}
    for step in steps:
        if isinstance(step, ChangeResource):
            old, new = (s.resolved.resources[step.path].properties for s in (deployed, wanted))
            moved = tuple(_moves({k: old.get(k) for k in step.properties}, {k: new.get(k) for k in step.properties}))
            if moved and None not in moved:
                pairs[step.place] = [m for m in moved if m]
    places = sorted({was for moved in pairs.values() for was, _ in moved})
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        bodies = dict(zip(places, pool.map(read, places), strict=True))
    equal = {place for place, moved in pairs.items() if all(_holds(bodies[was], key) for was, key in moved)}
    return SameBytes(frozenset(equal), tuple(place for place, body in bodies.items() if body is None))


def _moves(old: Any, new: Any) -> Iterator[tuple[Location, str] | None]:
    """(where it was, key of ours) for each object that lies elsewhere; None for any other difference."""
    was, will = location(old), location(new)
    if was and will:
        yield (was, will[1]) if _KEY.fullmatch(will[1]) else None
        if _beside(old) != _beside(new):
            yield None
    elif isinstance(old, Mapping) and isinstance(new, Mapping) and old.keys() == new.keys():
        for key in old:
            yield from _moves(old[key], new[key])
    elif old != new:
        yield None


def _beside(value: Any) -> dict[str, Any]:
    """What a property says beside bucket and key: a version, an ETag."""
    names = {name for pair in _OBJECTS for name in pair}
    return {k: v for k, v in value.items() if k not in names} if isinstance(value, Mapping) else {}


def location(value: Any) -> Location | None:
    """The object of S3 that a property names, if it names one and is known."""
    if isinstance(value, str) and (found := _URL.fullmatch(value)):
        return found[1], found[2]
    if isinstance(value, Mapping):
        for bucket, key in _OBJECTS:
            if isinstance(value.get(bucket), str) and isinstance(value.get(key), str):
                return value[bucket], value[key]
    return None


def _holds(body: bytes | None, key: str) -> bool:
    """Whether `body` is what lies under a key of ours."""
    found = _KEY.fullmatch(key)
    if body is None or found is None:
        return False
    try:
        digest = entries_digest(body) if key.endswith(_ARCHIVE) else hashlib.sha256(body).hexdigest()
    except ArchiveError:
        return False
    return digest == found[1]
