"""A stack's state, read where the engine's backend in a bucket or a folder has written it.

`pulumi stack export`, `stack ls` and `stack history` are a start of the engine each, for a file that our store can
read. Where that lies, and how, is told by `backend/diy` of pulumi/pulumi (`store.go`, `state.go`, `meta.go`) and
`resource/stack/checkpoint.go`. The engine replaces such a file whole, in a bucket as in a folder: nobody sees a half.

Whatever is not as it is usually answers None, and the engine is asked, which knows it or says what is wrong: a state
from before projects, a compressed one, a version that is not known here, a file that is damaged or gone, a place that
may not be read.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from amplify_delivery.delivery.engine import state_faults
from amplify_delivery.delivery.engine.state_store import Store, backend_url, store_of
from amplify_delivery.errors import StateError
from amplify_delivery.stacks.config.reader import project_name

_log = logging.getLogger(__name__)

_META = ".pulumi/meta.yaml"
_STACKS = ".pulumi/stacks/"
_HISTORY = ".pulumi/history/"
_LAYOUT = "1"
"""Of a backend whose stacks are kept by project."""
_UNCHANGED = (3, 4)
"""Versions of a state that the engine hands out as they are; older ones it converts."""
_COMPRESSED = (".gz", ".zst")


_Answer = TypeVar("_Answer")


class StoredStack:
    """A stack where its backend has written it: what can be known of it though the engine is not started. What is asked
    gives None where the engine has to be."""

    def __init__(self, stack: str, folder: Path, variables: Callable[[], Mapping[str, str]]) -> None:
        """`variables` are those that are added to the environment of the engine's commands, at that moment."""
        self._stack, self._folder, self._variables = stack, folder, variables
        self._kept: tuple[object, Store | None] | None = None

    @property
    def backend(self) -> str:
        """The backend's address, as the engine takes it."""
        return backend_url(self._folder, self._variables())

    @property
    def place(self) -> str:
        """The same without what it is told besides, such as the region."""
        return self.backend.partition("?")[0]

    def exists(self) -> bool | None:
        """Whether the backend has the stack."""
        return self._read(exists)

    def exported(self) -> dict[str, Any] | None:
        """The document of its state, as `pulumi stack export` prints it; secrets stay encrypted."""
        return self._read(exported)

    def last_result(self) -> str | None:
        """How its last update has ended; empty without one."""
        return self._read(last_result)

    def lost(self) -> StateError | None:
        """That its state was there, and is not (`state_faults.lost`). Raises `StateError`."""
        return state_faults.lost(self._store(), project_name(self._folder), self._stack)

    def damaged(self, said: str) -> StateError | None:
        """That its state is none, by the engine's words (`state_faults.damaged`). Raises `StateError`."""
        return state_faults.damaged(said, self._store(), project_name(self._folder), self._stack)

    def _store(self) -> Store | None:
        meant = (self.backend, dict(self._variables()))
        if self._kept is None or self._kept[0] != meant:
            self._kept = (meant, store_of(self._folder, self._variables()))
        return self._kept[1]

    def _read(self, reader: Callable[[Store, str, str], _Answer | None]) -> _Answer | None:
        try:
            store = self._store()
        except StateError:
            return None  # the engine says it in its own words
        known = reader(store, project_name(self._folder), self._stack) if store else None
        if store and known is not None:
            _log.debug("%s: %s is read in %s, without the engine", self._stack, reader.__name__, store.place)
        return known


def exported(store: Store, project: str, stack: str) -> dict[str, Any] | None:
    """What `pulumi stack export` prints: `deployment`, its `version` and, where it has any, `features`. Secrets stay
    encrypted. None where the engine has to be asked."""
    try:
        names = _names(store, project, stack)
        if names is None or f"{stack}.json" not in names or any(f"{stack}.json{c}" in names for c in _COMPRESSED):
            return None
        document = _document(store, f"{_STACKS}{project}/{stack}.json")
    except StateError:
        return None
    checkpoint = document.get("checkpoint")
    if document.get("version") not in _UNCHANGED or not isinstance(checkpoint, dict):
        return None
    deployment = checkpoint.get("latest")
    if deployment is not None and not isinstance(deployment, dict):
        return None
    features = {"features": document["features"]} if document.get("features") else {}
    return {"version": document["version"], **features, "deployment": deployment}


def exists(store: Store, project: str, stack: str) -> bool | None:
    """Whether the backend has the stack; None where the engine has to be asked."""
    try:
        names = _names(store, project, stack)
    except StateError:
        return None
    return None if names is None else any(f"{stack}.json{ending}" in names for ending in ("", *_COMPRESSED))


def last_result(store: Store, project: str, stack: str) -> str | None:
    """How the stack's last update has ended (`succeeded`, `failed`), empty without one; None where the engine has to be
    asked. A preview is no update."""
    folder = f"{_HISTORY}{project}/{stack}/"
    try:
        if not _by_project(store):
            return None
        updates = [k for k in store.keys(folder) if re.search(r"\.history\.json(?:\.gz|\.zst)?$", k)]
        if not updates:
            return ""
        # Their names end in the time, in digits that are as many for all.
        return None if updates[-1].endswith(_COMPRESSED) else str(_document(store, updates[-1])["result"])
    except (StateError, KeyError):
        return None


def _names(store: Store, project: str, stack: str) -> set[str] | None:
    """The names of the stack's files; None where they lie elsewhere. A project may have hundreds of stacks: only what
    begins with this one's name is listed."""
    if not _by_project(store):
        return None
    folder = f"{_STACKS}{project}/"
    return {key.removeprefix(folder) for key in store.keys(f"{folder}{stack}.json")}


def _by_project(store: Store) -> bool:
    """Whether the backend keeps its stacks by project."""
    meta = store.read(_META)
    return meta is not None and _layout(meta.body) == _LAYOUT


def _layout(body: bytes) -> str:
    found = re.fullmatch(rb"\s*version:\s*(\d+)\s*", body)  # that, and nothing else, is what the engine writes
    return found[1].decode() if found else ""


def _document(store: Store, key: str) -> dict[str, Any]:
    """Empty for what is none."""
    stored = store.read(key)
    try:
        document = json.loads(stored.body) if stored else None
    except ValueError:  # a code that is none, too
        return {}
    return document if isinstance(document, dict) else {}
