"""Where things are kept: the work tree, the cache outside it, and locks so that two set-ups don't meet."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aws_rehearsal.setup.progress import Step

PACKAGE = Path(__file__).resolve().parents[1]
"""The folder of `aws_rehearsal`, with what is pinned for it."""


def cache_root() -> Path:
    """The folder for what is made once per machine: `$AMPLIFY_DELIVERY_CACHE`, else in the user's cache folder."""
    if own := os.environ.get("AMPLIFY_DELIVERY_CACHE"):
        return Path(own).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "amplify-delivery"


def digest(*files: Path) -> str:
    """The sha256 (hexadecimal) of the files' contents, in the order given."""
    whole = hashlib.sha256()
    for file in files:
        whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def remove(path: Path) -> None:
    """Delete a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def locked(name: str, step: Step | None = None) -> Iterator[None]:
    """Hold the machine-wide lock `name`; waits while another process holds it, which `step` tells. A killed one frees
    it by dying."""
    folder = cache_root() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if step is not None:
                step.detail = "waiting for another set-up that is at this"
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
