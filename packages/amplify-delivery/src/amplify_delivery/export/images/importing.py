"""An image that something else has built, brought into a layout of ours: from an OCI image layout, a folder or a tar
file, or from what `docker save` writes, whose layers are compressed on the way, as `docker push` does.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from amplify_delivery.errors import AssemblyError
from amplify_delivery.export.images.layout import (
    AGAIN,
    INDEXES,
    MAX_DOCUMENT,
    OCI_MANIFEST,
    PIECE,
    Blob,
    Manifest,
    blob_path,
    keep_blob,
    parsed,
    put_blob,
)
from amplify_delivery.export.images.model import PREFIX, AssemblyImage

_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_COMPRESSED = ((b"\x1f\x8b", "+gzip"), (b"\x28\xb5\x2f\xfd", "+zstd"))
"""What compressed layers begin with, and how their media type ends."""


def keep_image(name: str, source: Path, platform: str, layout: Path) -> AssemblyImage:
    """Put the image of `source` for `platform` into `layout`. `source` is a layout, a folder or a tar file, whose bytes
    stay as they are, or what `docker save` wrote. Raises `AssemblyError`."""
    where = f"image {name}"
    with _files(source, where) as files:
        saved = not files.has("oci-layout") or files.has("manifest.json")
        manifest = (_from_docker if saved else _from_layout)(files, layout, platform, where)
    return AssemblyImage(name, manifest.digest, manifest.size, platform)


class _Files(Protocol):
    """The files of a folder or a tar file."""

    def has(self, path: str) -> bool: ...

    def open(self, path: str) -> AbstractContextManager[BinaryIO]: ...


class _Folder:
    def __init__(self, folder: Path, where: str) -> None:
        self._folder, self._where = folder, where

    def has(self, path: str) -> bool:
        return (self._folder / path).is_file()

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        try:
            return (self._folder / path).open("rb")
        except OSError as error:
            raise AssemblyError(f"{path} cannot be read: {error.strerror}", where=self._where, remedy=AGAIN) from None


class _Tar:
    """Nothing of it is extracted by its name: a member is read, and kept under its digest."""

    def __init__(self, file: tarfile.TarFile, where: str) -> None:
        self._file, self._where = file, where
        self._members = {member.name.removeprefix("./"): member for member in file.getmembers()}

    def has(self, path: str) -> bool:
        return path in self._members

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        try:
            found = self._file.extractfile(self._members[path])
        except (KeyError, tarfile.TarError, OSError):
            found = None
        if found is None:
            raise AssemblyError(f"{path} is missing", where=self._where, remedy=AGAIN)
        return cast("AbstractContextManager[BinaryIO]", found)


@contextmanager
def _files(source: Path, where: str) -> Iterator[_Files]:
    if source.is_dir():
        yield _Folder(source, where)
        return
    try:
        with tarfile.open(source, "r:*") as file:
            yield _Tar(file, where)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise AssemblyError(
            f"{source} is neither a folder nor a tar file of an image: {error}",
            where=where,
            remedy="write an OCI image layout there, or what `docker save` writes",
        ) from None


def _from_layout(files: _Files, layout: Path, platform: str, where: str) -> Manifest:
    entry = _chosen(files, _document(files, "index.json", where), platform, where)
    body = _blob_bytes(files, entry["digest"], where)
    manifest = Manifest.parse(body, str(entry.get("mediaType", OCI_MANIFEST)), where)
    for blob in manifest.blobs:
        with files.open(_blob_name(blob.digest)) as file:
            keep_blob(file, layout, blob, where)
    _is_for(layout, manifest, platform, where)
    put_blob(layout, body)
    return manifest


def _chosen(files: _Files, index: Mapping[str, Any], platform: str, where: str) -> Mapping[str, Any]:
    """The descriptor of the one image for the platform; attestations beside it (BuildKit, `provenance`) are none."""
    try:
        found = list(_images_in(files, index, where))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise AssemblyError("its index is not an index of images", where=where, remedy=AGAIN) from None
    fitting = [e for e in found if _platform(e) in ("", platform)] if len(found) > 1 else found
    if len(fitting) == 1:
        return fitting[0]
    shown = ", ".join(sorted(_platform(e) or "no platform" for e in found)) or "none"
    raise AssemblyError(
        f"it holds {len(fitting)} images for {platform} (of these: {shown})",
        where=where,
        remedy="write one image into the layout, or set `platform`",
    )


def _images_in(files: _Files, index: Mapping[str, Any], where: str, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    for entry in index["manifests"]:
        if entry.get("annotations", {}).get("vnd.docker.reference.type") == "attestation-manifest":
            continue
        if entry.get("mediaType") in INDEXES and depth < 3:
            yield from _images_in(files, parsed(_blob_bytes(files, entry["digest"], where), where), where, depth + 1)
        else:
            yield entry


def _platform(entry: Mapping[str, Any]) -> str:
    found = entry.get("platform") or {}
    return f"{found.get('os')}/{found.get('architecture')}" if found else ""


def _from_docker(files: _Files, layout: Path, platform: str, where: str) -> Manifest:
    """The image of `docker save`: its configuration as it is, its layers compressed. Which of its two forms it has,
    depends on Docker's version; `manifest.json` is in both ("Docker Image Specification v1.2.0")."""
    listed = _document(files, "manifest.json", where)
    try:
        (entry,) = listed
        config, layers = str(entry["Config"]), [str(path) for path in entry["Layers"]]
    except (KeyError, TypeError, ValueError):
        raise AssemblyError("it is not one image of `docker save`", where=where, remedy=AGAIN) from None
    body = _bytes(files, config, where)
    blobs = [Blob(put_blob(layout, body), len(body), _CONFIG), *(_compressed(files, path, layout) for path in layers)]
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": blobs[0].to_json(),
        "layers": [blob.to_json() for blob in blobs[1:]],
    }
    manifest = Manifest(json.dumps(document, separators=(",", ":")).encode(), OCI_MANIFEST, tuple(blobs))
    _is_for(layout, manifest, platform, where)
    put_blob(layout, manifest.body)
    return manifest


def _is_for(layout: Path, manifest: Manifest, platform: str, where: str) -> None:
    """Refuse an image for another machine: it would be deployed, and end with `exec format error`."""
    config = parsed(blob_path(layout, manifest.blobs[0].digest).read_bytes(), where)
    found = f"{config.get('os', 'linux')}/{config.get('architecture', '')}"
    if found != platform:
        raise AssemblyError(
            f"it is built for {found}, and is to run on {platform}",
            where=where,
            remedy=f"build it for {platform}, or set `platform: {found}`",
        )


def _compressed(files: _Files, path: str, layout: Path) -> Blob:
    with files.open(path) as file, tempfile.TemporaryFile() as spool:
        start = file.read(4)
        ending = next((end for magic, end in _COMPRESSED if start.startswith(magic)), None)
        if ending is None:
            ending = "+gzip"
            # No time and no name: equal layers are equal bytes.
            with gzip.GzipFile("", "wb", 6, cast("BinaryIO", spool), 0) as packed:
                packed.write(start)
                shutil.copyfileobj(file, packed, PIECE)
        else:
            spool.write(start)
            shutil.copyfileobj(file, spool, PIECE)
        size = spool.tell()
        spool.seek(0)
        digest = PREFIX + hashlib.file_digest(spool, "sha256").hexdigest()
        spool.seek(0)
        blob = Blob(digest, size, _LAYER + ending)
        keep_blob(cast("BinaryIO", spool), layout, blob, path)
    return blob


def _blob_name(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix(PREFIX)}"


def _blob_bytes(files: _Files, digest: str, where: str) -> bytes:
    body = _bytes(files, _blob_name(digest), where)
    if PREFIX + hashlib.sha256(body).hexdigest() != digest:
        raise AssemblyError(f"{digest} is not what its digest says", where=where, remedy=AGAIN)
    return body


def _document(files: _Files, path: str, where: str) -> Any:
    return parsed(_bytes(files, path, where), where)


def _bytes(files: _Files, path: str, where: str) -> bytes:
    with files.open(path) as file:
        body = file.read(MAX_DOCUMENT + 1)
    if len(body) > MAX_DOCUMENT:
        raise AssemblyError(f"{path} is larger than {MAX_DOCUMENT:,} bytes", where=where, remedy=AGAIN)
    return body
