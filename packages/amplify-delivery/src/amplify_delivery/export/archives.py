"""Zip archives: checked without being unpacked, and named by what they hold.

The exporter writes the same sources into different bytes each time (time stamps), so an archive's key is a
digest over its entries' names, modes and contents.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import zipfile

MAX_LAMBDA_UNZIPPED = 262_144_000
"""Lambda quotas: 250 MB unzipped, layers included."""
MAX_ENTRIES = 100_000
_CHUNK = 1 << 20


class ArchiveError(ValueError):
    """Not an archive that can be published; the message says why."""


Wanted = Callable[[str, int], bool]
"""Whether an entry's content is wanted, by its name and its size in bytes."""


def entries_digest(data: bytes, limit: int = MAX_LAMBDA_UNZIPPED) -> str:
    """sha256 (hex) over the sorted entries, as `read_entries`."""
    return read_entries(data, limit, lambda *_: False)[0]


def read_entries(data: bytes, limit: int, wanted: Wanted) -> tuple[str, dict[str, bytes]]:
    """sha256 (hex) over the sorted entries, and the contents that are `wanted`.

    Reads every byte, so a broken or encrypted archive is found.

    Raises `ArchiveError`, also as soon as the contents grow over `limit` bytes, whatever sizes it claims.
    """
    import struct  # noqa: PLC0415 - exports without archives need none of these
    import zipfile  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    broken = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError, OverflowError)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            lines, contents = _entries(archive, limit, wanted)
    except ArchiveError:
        raise
    except broken as error:
        raise ArchiveError(f"is not a readable zip archive ({error})") from None
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest(), contents


def unzipped(data: bytes) -> int:
    """Bytes that an archive's entries claim to have unzipped; 0 of one that cannot be read."""
    import zipfile  # noqa: PLC0415

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return 0  # AD403 says it


def doubts(data: bytes, *, runtime: bool) -> list[str]:
    """What Lambda does with an archive that nobody can have meant: it unpacks it, and calls fail. One sentence each.

    `runtime`: what it holds is to run as `bootstrap` (a custom runtime). Only the list of entries is read; an archive
    that cannot be read has none.
    """
    import zipfile  # noqa: PLC0415

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return []  # AD403 says it
    found = []
    if runtime and any(i.filename == "bootstrap" and not (i.external_attr >> 16) & 0o111 for i in infos):
        found.append("`bootstrap` is not executable: each call would end with `permission denied`")
    foreign = [i.filename for i in infos if "\\" in i.filename]
    if foreign:
        named = foreign[0][:60]
        found.append(
            f"{len(foreign)} entries have back slashes in their names ({named}): Lambda makes no folders of them"
        )
    closed = [i.filename for i in infos if not i.is_dir() and (i.external_attr >> 16) and not _readable(i)]
    if closed:
        named = closed[0][:60]
        found.append(f"{len(closed)} entries may be read by their owner alone ({named}): Lambda runs as somebody else")
    return found


def _readable(info: zipfile.ZipInfo) -> bool:
    """Whether everybody may read an entry ("Troubleshoot deployment issues in Lambda", permission denied)."""
    return bool((info.external_attr >> 16) & 0o004)


def entry_names(data: bytes) -> frozenset[str]:
    """The names of an archive's entries; none of one that cannot be read."""
    import zipfile  # noqa: PLC0415

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return frozenset(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return frozenset()  # AD403 says it


def _entries(archive: zipfile.ZipFile, limit: int, wanted: Wanted) -> tuple[list[str], dict[str, bytes]]:
    """One line per entry: mode, sha256, name. And what is wanted of their contents."""
    infos = archive.infolist()
    if not infos:
        raise ArchiveError("holds no file")
    if len(infos) > MAX_ENTRIES:
        raise ArchiveError(f"holds {len(infos):,} entries, the limit is {MAX_ENTRIES:,}")
    if len({i.filename for i in infos}) != len(infos):
        raise ArchiveError("holds two entries of one name")
    lines, contents, left = [], dict[str, bytes](), limit
    for info in infos:
        problem = _problem(info)
        if problem:
            raise ArchiveError(f"entry {info.filename!r} {problem}")
        digest = hashlib.sha256()
        kept: list[bytes] | None = [] if wanted(info.filename, info.file_size) else None
        with archive.open(info) as entry:
            while chunk := entry.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise ArchiveError(f"holds more than {limit:,} bytes unzipped")
                digest.update(chunk)
                if kept is not None:
                    kept.append(chunk)
        if kept is not None:
            contents[info.filename] = b"".join(kept)
        # A folder by itself is nothing to Lambda, and whether a zip names it depends on who has packed it.
        if not info.is_dir() or info.file_size:
            lines.append(f"{info.external_attr >> 16:o} {digest.hexdigest()} {info.filename}\n")
    if not lines:
        raise ArchiveError("holds no file")
    return lines, contents


def _problem(info: zipfile.ZipInfo) -> str | None:
    """Why an entry must not be unpacked, or None."""
    name = info.filename
    if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/"):
        return "leaves the archive"
    if any(ord(c) < 32 for c in name):
        return "has a control character in its name"
    if info.compress_type not in (0, 8):  # stored, deflated
        return "is neither stored nor deflated, which is all that Lambda unpacks"
    return None
