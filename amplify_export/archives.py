"""Zip archives: checked without being unpacked, and named by what they hold.

The exporter writes the same sources into different bytes each time (time stamps), so an archive's key is a
digest over its entries' names, modes and contents.
"""

from __future__ import annotations

import hashlib
import io

MAX_LAMBDA_UNZIPPED = 262_144_000
"""Lambda quotas: 250 MB unzipped, layers included."""
MAX_ENTRIES = 100_000
_CHUNK = 1 << 20


class BadArchive(ValueError):
    """Not an archive that can be published; the message says why."""


def entries_digest(data: bytes, limit: int = MAX_LAMBDA_UNZIPPED) -> str:
    """sha256 (hex) over the sorted entries. Reads every byte, so a broken or encrypted archive is found.

    Raises `BadArchive`, also as soon as the contents grow over `limit` bytes, whatever sizes it claims.
    """
    import lzma  # noqa: PLC0415 - exports without archives need none of these
    import zipfile  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            if not infos:
                raise BadArchive("holds no file")
            if len(infos) > MAX_ENTRIES:
                raise BadArchive(f"holds {len(infos):,} entries, the limit is {MAX_ENTRIES:,}")
            names = [i.filename for i in infos]
            if len(set(names)) != len(names):
                raise BadArchive("holds two entries of one name")
            total, lines = 0, []
            for info in infos:
                if info.filename.startswith(("/", "\\")) or ".." in info.filename.replace("\\", "/").split("/"):
                    raise BadArchive(f"entry {info.filename!r} leaves the archive")
                digest = hashlib.sha256()
                with archive.open(info) as entry:
                    while chunk := entry.read(_CHUNK):
                        total += len(chunk)
                        if total > limit:
                            raise BadArchive(f"holds more than {limit:,} bytes unzipped")
                        digest.update(chunk)
                lines.append(f"{info.external_attr >> 16:o} {digest.hexdigest()} {info.filename}\n")
    except BadArchive:
        raise
    except (
        zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, NotImplementedError, ValueError
    ) as error:
        raise BadArchive(f"is not a readable zip archive ({error})") from None
    return hashlib.sha256("".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()
