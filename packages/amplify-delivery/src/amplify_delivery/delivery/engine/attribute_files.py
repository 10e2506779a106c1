"""The files `NAME.attrs` that the engine's library keeps beside each file of a state in a folder.

They hold a content type and a hash, and the library does without one that is missing. It writes them in place, though
(`blob/fileblob/attrs.go` of gocloud.dev), and the file itself after it: a run that is killed in between leaves an empty
one, and the state beside it is whole, but every command of Pulumi ends with "EOF". A bucket has no such files.
"""

from __future__ import annotations

import json

from amplify_delivery.delivery.engine.state_store import Store

_META = ".pulumi/meta.yaml.attrs"
_NEWEST = 4
"""Of a stack's history the files of two updates, by the times in their names: an update asks for the last one alone."""


def cut_off(store: Store, project: str, stack: str) -> dict[str, str]:
    """Those of the stack, and of the whole state, that are: the tag by key. Raises `StateError` as the store does."""
    if not store.local:
        return {}
    own = f".pulumi/stacks/{project}/{stack}.json"
    history = sorted(key for key in store.keys(f".pulumi/history/{project}/{stack}/") if key.endswith(".attrs"))
    keys = [_META, f"{own}.attrs", f"{own}.bak.attrs", *history[-_NEWEST:]]
    found = {key: store.read(key) for key in keys}
    return {key: stored.tag for key, stored in found.items() if stored is not None and not _whole(stored.body)}


def remove(store: Store, project: str, stack: str) -> list[str]:
    """Remove them; which ones. Harmless at any time: whoever writes one at this moment has it open, and the file
    beside it does without."""
    found = cut_off(store, project, stack)
    return [key for key, tag in found.items() if store.remove(key, tag)]


def _whole(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
