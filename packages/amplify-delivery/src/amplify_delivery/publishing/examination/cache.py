"""Results that depend on nothing but a content, and on what examined it, are kept one file each: in the user's cache
folder, or in an artifact, for whatever gets that artifact."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

RESULTS_VARIABLE = "AMPLIFY_DELIVERY_EXAMINED"
"""Environment variable with the folder of results, relative to the project's folder. In the pipeline it lies in Build's
artifact: what Build has examined is not examined again. Not `AMPLIFY_DELIVERY_CACHE`, in which whole tools are kept."""
CACHE_VARIABLE = "AMPLIFY_DELIVERY_CACHE"


def results_folder() -> Path:
    """`$AMPLIFY_DELIVERY_EXAMINED`, else the user's cache folder."""
    given = os.environ.get(RESULTS_VARIABLE)
    return Path(given) if given else cache_folder()


def cache_folder() -> Path:
    """`$AMPLIFY_DELIVERY_CACHE`, else `amplify-delivery` in the XDG cache folder."""
    own = os.environ.get(CACHE_VARIABLE)
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "amplify-delivery"


_PACKAGE = Path(__file__).parents[2]


def version_of(*modules: str) -> str:
    """The version of modules of `amplify_delivery`, without importing them: the digest of their sources. Part of a key
    wherever they decide what the result is; so nobody has to remember to count a number up."""
    sources = (_PACKAGE.joinpath(*module.split(".")).with_suffix(".py").read_bytes() for module in modules)
    return hashlib.sha256(b"\0".join(sources)).hexdigest()


class ResultCache:
    """JSON results by key. A cache that cannot be read or written is as good as an empty one."""

    def __init__(self, name: str, base: Path | None = None) -> None:
        self.folder = (base or results_folder()) / name

    @staticmethod
    def key(*parts: str) -> str:
        """One key for all that a result depends on."""
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def get(self, key: str) -> Any | None:
        """The result under `key`, None if there is none."""
        try:
            return json.loads(self._path(key).read_bytes())
        except (OSError, ValueError):
            return None

    def put(self, key: str, result: Any) -> None:
        """Keep `result`: written beside and renamed, since several processes may write the same one."""
        path = self._path(key)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(prefix=".", dir=path.parent)
            with os.fdopen(handle, "w") as file:
                json.dump(result, file)
            Path(beside).replace(path)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:]}.json"
