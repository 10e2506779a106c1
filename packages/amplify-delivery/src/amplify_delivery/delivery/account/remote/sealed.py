"""The artifact as a zip: what Build hands to the projects, sealed as `documents.pipeline.artifact` verifies it.

In a pipeline the buildspec seals a checkout, and CodeBuild packs it. Here nothing of the checkout is changed: what a
pipeline would have deleted from it, hidden files and byte code, is left out of the zip.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

from amplify_delivery.components.documents.pipeline.artifact import KEPT, LIST
from amplify_delivery.delivery import output
from amplify_delivery.errors import ConfigError, RefusedError
from amplify_delivery.stacks.config.absent import expect_project

_EPOCH = (1980, 1, 1, 0, 0, 0)
_REMEDY = "make it outside of the checkout, or remove it first; nothing was written"


def pack(folder: Path, out: Path) -> str:
    """Write the checkout in `folder` as a zip with its list; the digest. Raises `RefusedError`, `ConfigError`."""
    expect_project(folder, "; nothing was written")
    kept = _kept(folder)
    names = sorted(_names(folder, kept, out.resolve()), key=lambda name: f"./{name}".encode())
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        listing = ""
        for name in names:
            body = (folder / name).read_bytes()
            listing += f"{hashlib.sha256(body).hexdigest()}  ./{name}\n"
            _add(archive, name, body, executable=os.access(folder / name, os.X_OK))
        _add(archive, LIST, listing.encode(), executable=False)
    with output.writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(content.getvalue())
    return hashlib.sha256(listing.encode()).hexdigest()


def digest_of(content: bytes, where: str) -> str:
    """The digest of a packed artifact: of its list. Raises `ConfigError`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return hashlib.sha256(archive.read(LIST)).hexdigest()
    except (zipfile.BadZipFile, KeyError):
        raise ConfigError(
            "is not an artifact", where=where, remedy="name the file that `amplify-delivery pack --out FILE` wrote"
        ) from None


def _add(archive: zipfile.ZipFile, name: str, body: bytes, *, executable: bool) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, body)


def _kept(folder: Path) -> frozenset[str]:
    file = folder / KEPT
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return frozenset(line.removeprefix("./") for line in lines)


def _names(folder: Path, kept: frozenset[str], out: Path) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        here = Path(parent).relative_to(folder)
        folders[:] = [name for name in sorted(folders) if _stays(here / name, kept)]
        for name in (*folders, *files):
            path = here / name
            if not _stays(path, kept):
                continue
            file = folder / path
            mode = file.lstat().st_mode
            if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
                raise RefusedError(
                    "links and special files do not go into an artifact", where=str(path), remedy=_REMEDY
                )
            if name not in files or file.resolve() == out or path.as_posix() == LIST:
                continue
            if set("\\\n\r") & set(path.as_posix()):
                raise RefusedError("such a name cannot stand in a list of files", where=repr(str(path)), remedy=_REMEDY)
            yield path.as_posix()


def _stays(path: Path, kept: frozenset[str]) -> bool:
    """Not hidden and no byte code, unless `build.keep` names it or the folder that it is in."""
    hidden = path.name.startswith(".") or path.name == "__pycache__"
    within = any(parent.as_posix() in kept for parent in (path, *path.parents))
    return within or not hidden
