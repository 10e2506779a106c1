"""One form of a wheel: same files, same bytes, on every machine and with every Python.

What a build backend packs depends on its version and on zlib's (Pythons are linked with different ones). So members are
stored uncompressed, in a fixed order and with fixed times and modes; RECORD is rewritten, and WHEEL names no version
of a backend. Git and the pipeline's artifact compress them anyway.

Source: "Binary distribution format" of the PyPA specifications. These wheels are pure Python without data or scripts.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from amplify_delivery.errors import ConfigError

_WHEEL = "Wheel-Version: 1.0\nGenerator: amplify-delivery\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_TIME = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can name."""
_FILE = 0o100644 << 16


@dataclass(frozen=True)
class Wheel:
    """A wheel's bytes, and what its name says."""

    distribution: str
    """As in file names: `amplify_delivery`."""
    version: str
    content: bytes

    @property
    def file(self) -> str:
        """Its file's name."""
        return f"{self.distribution}-{self.version}-py3-none-any.whl"

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def read(self, member: str) -> bytes | None:
        """A member's content, None if there is none."""
        with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
            return archive.read(member) if member in archive.namelist() else None


def packed(distribution: str, version: str, files: Mapping[str, bytes]) -> Wheel:
    """The wheel of these files, by their paths in it. What belongs in `.dist-info` is picked: METADATA, entry points
    and licenses; what an installer adds is none of it."""
    info = f"{distribution}-{version}.dist-info/"
    code = {path: content for path, content in files.items() if not path.partition("/")[0].endswith(".dist-info")}
    known = {p: c for p, c in files.items() if p.startswith(info) and _is_built(p.removeprefix(info))}
    known[f"{info}WHEEL"] = _WHEEL.encode()
    members = [*sorted(code.items()), *sorted(known.items())]
    record = "".join(f"{path},sha256={record_hash(content)},{len(content)}\n" for path, content in members)
    members.append((f"{info}RECORD", f"{record}{info}RECORD,,\n".encode()))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, content in members:
            member = zipfile.ZipInfo(path, _TIME)
            member.create_system, member.external_attr = 3, _FILE  # Unix, wherever this runs
            archive.writestr(member, content)
    return Wheel(distribution, version, buffer.getvalue())


def _is_built(name: str) -> bool:
    return name in ("METADATA", "entry_points.txt") or name.startswith("licenses/")


def record_hash(content: bytes) -> str:
    """As RECORD writes it: base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def opened(file: Path) -> Wheel:
    """The wheel in a file, as it is. Raises `ConfigError` for a file that is none of pure Python."""
    remedy = "name a wheel file, as in amplify_delivery-0.2.0-py3-none-any.whl"
    parts = file.name.removesuffix(".whl").split("-")
    if not file.name.endswith("-py3-none-any.whl") or len(parts) != 5:
        raise ConfigError("is not called as a wheel of pure Python is", where=str(file), remedy=remedy)
    try:
        content = file.read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            broken = archive.testzip()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(file), remedy=remedy) from None
    except zipfile.BadZipFile as error:
        raise ConfigError(f"is not a wheel: {error}", where=str(file), remedy=remedy) from None
    if broken:
        raise ConfigError(f"is damaged at {broken}", where=str(file), remedy="download or build it again")
    return Wheel(parts[0], parts[1], content)


def repacked(wheel: Wheel) -> Wheel:
    """A build backend's wheel in our form."""
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    return packed(wheel.distribution, wheel.version, files)
