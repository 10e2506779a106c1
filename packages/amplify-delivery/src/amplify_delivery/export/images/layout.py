"""OCI image layouts: read one, from a folder or a tar file, and keep the bytes of its image in another one.

"OCI Image Layout Specification" 1.1: `oci-layout`, `index.json`, and every blob in `blobs/sha256/HEX`, under the digest
of its bytes. What `docker save` writes is read too; its layers are compressed on the way, as `docker push` does.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from amplify_delivery.errors import AssemblyError
from amplify_delivery.export.documents import parse_json
from amplify_delivery.export.images.model import PREFIX, AssemblyImage

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MANIFESTS = (OCI_MANIFEST, DOCKER_MANIFEST)
_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_NAME = "org.opencontainers.image.ref.name"
"""The annotation with an image's name in an index ("Annotations" of the OCI Image Format Specification)."""
_MAX_DOCUMENT = 4 * 1024 * 1024
"""Bytes of a manifest or an index, the most that registries have to take ("OCI Distribution Specification", Push)."""
_PIECE = 1024 * 1024
_COMPRESSED = ((b"\x1f\x8b", "+gzip"), (b"\x28\xb5\x2f\xfd", "+zstd"))
"""What compressed layers begin with, and how their media type ends."""
_AGAIN = "build the image again"


@dataclass(frozen=True)
class Blob:
    """A blob of an image: `digest` is `sha256:HEX`, `size` in bytes."""

    digest: str
    size: int
    media_type: str

    def to_json(self) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True)
class Manifest:
    """An image's manifest: its bytes, which its digest is of, and the blobs that it names, the configuration first."""

    body: bytes
    media_type: str
    blobs: tuple[Blob, ...]

    @property
    def digest(self) -> str:
        return PREFIX + hashlib.sha256(self.body).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of the whole image."""
        return len(self.body) + sum({b.digest: b.size for b in self.blobs}.values())

    @classmethod
    def parse(cls, body: bytes, media_type: str, where: str) -> Manifest:
        """Raises `AssemblyError`."""
        data = _parsed(body, where)
        try:
            found = [_blob(data["config"]), *map(_blob, data["layers"])]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise AssemblyError(
                "the image has no manifest of the kind that is read here", where=where, remedy=_AGAIN
            ) from None
        return cls(body, str(data.get("mediaType") or media_type), tuple(found))


def blob_path(layout: Path, digest: str) -> Path:
    """Where a blob lies in a layout."""
    return layout / "blobs" / "sha256" / digest.removeprefix(PREFIX)


def read_manifest(layout: Path, image: AssemblyImage) -> Manifest:
    """The manifest of an image in a layout. Raises `AssemblyError` for one that is not what its digest says."""
    where = f"image {image.name}"
    try:
        body = blob_path(layout, image.digest).read_bytes()
    except OSError as error:
        raise AssemblyError(f"{image.digest} cannot be read: {error.strerror}", where=where, remedy=_AGAIN) from None
    manifest = Manifest.parse(body, OCI_MANIFEST, where)
    if manifest.digest != image.digest:
        raise AssemblyError(f"its manifest is not {image.digest}: it was altered", where=where, remedy=_AGAIN)
    return manifest


def index_of(layout: Path) -> dict[str, AssemblyImage]:
    """The images in a layout that this module wrote, by name; none where there is no such folder. Raises
    `AssemblyError`."""
    path = layout / "index.json"
    if not path.is_file():
        return {}
    data = _parsed(path.read_bytes(), str(path))
    found = {}
    try:
        for entry in data["manifests"]:
            name, platform = entry["annotations"][_NAME], entry["platform"]
            image = AssemblyImage(name, _blob(entry).digest, 0, f"{platform['os']}/{platform['architecture']}")
            manifest = read_manifest(layout, image)
            found[name] = AssemblyImage(name, image.digest, manifest.size, image.platform)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise AssemblyError("is not an index of images", where=str(path), remedy=_AGAIN) from None
    return found


def write_index(layout: Path, images: Sequence[AssemblyImage]) -> None:
    """Write what makes a folder of blobs a layout."""
    entries = []
    for image in sorted(images, key=lambda i: i.name):
        manifest = read_manifest(layout, image)
        system, _, architecture = image.platform.partition("/")
        entries.append(
            {
                "mediaType": manifest.media_type,
                "digest": image.digest,
                "size": len(manifest.body),
                "annotations": {_NAME: image.name},
                "platform": {"os": system, "architecture": architecture},
            }
        )
    layout.mkdir(parents=True, exist_ok=True)
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}', encoding="utf-8")
    index = {"schemaVersion": 2, "mediaType": _INDEXES[0], "manifests": entries}
    (layout / "index.json").write_text(json.dumps(index, sort_keys=True, indent=1) + "\n", encoding="utf-8")


def copy_images(source: Path | None, images: Sequence[AssemblyImage], target: Path) -> None:
    """Write the layout `target` with these images of the layout `source`, every byte compared with its digest. Without
    a `source` there is none to be written: of an earlier release, whose images lie in the repository. Raises
    `AssemblyError`."""
    for image in images:
        if not image.built:
            raise AssemblyError("is not built", where=f"image {image.name}", remedy="run `amplify-delivery images`")
        if source is None:
            return
        manifest = read_manifest(source, image)
        for blob in manifest.blobs:
            with _opened(blob_path(source, blob.digest), image.name) as file:
                _keep(file, target, blob, f"image {image.name}")
        _put(target, manifest.body)
    if images:
        write_index(target, images)


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
            raise AssemblyError(f"{path} cannot be read: {error.strerror}", where=self._where, remedy=_AGAIN) from None


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
            raise AssemblyError(f"{path} is missing", where=self._where, remedy=_AGAIN)
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
            _keep(file, layout, blob, where)
    _is_for(layout, manifest, platform, where)
    _put(layout, body)
    return manifest


def _chosen(files: _Files, index: Mapping[str, Any], platform: str, where: str) -> Mapping[str, Any]:
    """The descriptor of the one image for the platform; attestations beside it (BuildKit, `provenance`) are none."""
    try:
        found = list(_images_in(files, index, where))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise AssemblyError("its index is not an index of images", where=where, remedy=_AGAIN) from None
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
        if entry.get("mediaType") in _INDEXES and depth < 3:
            yield from _images_in(files, _parsed(_blob_bytes(files, entry["digest"], where), where), where, depth + 1)
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
        raise AssemblyError("it is not one image of `docker save`", where=where, remedy=_AGAIN) from None
    body = _bytes(files, config, where)
    blobs = [Blob(_put(layout, body), len(body), _CONFIG), *(_compressed(files, path, layout) for path in layers)]
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": blobs[0].to_json(),
        "layers": [blob.to_json() for blob in blobs[1:]],
    }
    manifest = Manifest(json.dumps(document, separators=(",", ":")).encode(), OCI_MANIFEST, tuple(blobs))
    _is_for(layout, manifest, platform, where)
    _put(layout, manifest.body)
    return manifest


def _is_for(layout: Path, manifest: Manifest, platform: str, where: str) -> None:
    """Refuse an image for another machine: it would be deployed, and end with `exec format error`."""
    config = _parsed(blob_path(layout, manifest.blobs[0].digest).read_bytes(), where)
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
                shutil.copyfileobj(file, packed, _PIECE)
        else:
            spool.write(start)
            shutil.copyfileobj(file, spool, _PIECE)
        size = spool.tell()
        spool.seek(0)
        digest = PREFIX + hashlib.file_digest(spool, "sha256").hexdigest()
        spool.seek(0)
        blob = Blob(digest, size, _LAYER + ending)
        _keep(cast("BinaryIO", spool), layout, blob, path)
    return blob


@contextmanager
def _opened(path: Path, name: str) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise AssemblyError(
            f"{path.name} cannot be read: {error.strerror}", where=f"image {name}", remedy="build the image again"
        ) from None
    with file:
        yield file


def _keep(file: BinaryIO, layout: Path, blob: Blob, where: str) -> None:
    """Copy a blob, unless it is there; under its name there never is anything else than its bytes."""
    path = blob_path(layout, blob.digest)
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    digest, size = hashlib.sha256(), 0
    try:
        with part.open("wb") as out:
            while piece := file.read(_PIECE):
                digest.update(piece)
                size += len(piece)
                out.write(piece)
        if PREFIX + digest.hexdigest() != blob.digest or size != blob.size:
            raise AssemblyError(
                f"{blob.digest} is not what its digest says: {size} bytes, sha256:{digest.hexdigest()}",
                where=where,
                remedy=_AGAIN,
            )
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


def _put(layout: Path, body: bytes) -> str:
    """Write a small blob; its digest."""
    digest = PREFIX + hashlib.sha256(body).hexdigest()
    path = blob_path(layout, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return digest


def _blob(entry: Mapping[str, Any]) -> Blob:
    digest = str(entry["digest"])
    hexadecimal = digest.removeprefix(PREFIX)
    if not digest.startswith(PREFIX) or len(hexadecimal) != 64 or set(hexadecimal) - set("0123456789abcdef"):
        raise ValueError(digest)
    return Blob(digest, int(entry["size"]), str(entry.get("mediaType", "")))


def _blob_name(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix(PREFIX)}"


def _blob_bytes(files: _Files, digest: str, where: str) -> bytes:
    body = _bytes(files, _blob_name(digest), where)
    if PREFIX + hashlib.sha256(body).hexdigest() != digest:
        raise AssemblyError(f"{digest} is not what its digest says", where=where, remedy=_AGAIN)
    return body


def _document(files: _Files, path: str, where: str) -> Any:
    return _parsed(_bytes(files, path, where), where)


def _bytes(files: _Files, path: str, where: str) -> bytes:
    with files.open(path) as file:
        body = file.read(_MAX_DOCUMENT + 1)
    if len(body) > _MAX_DOCUMENT:
        raise AssemblyError(f"{path} is larger than {_MAX_DOCUMENT:,} bytes", where=where, remedy=_AGAIN)
    return body


def _parsed(body: bytes, where: str) -> Any:
    try:
        return parse_json(body)
    except (ValueError, RecursionError):
        raise AssemblyError("is not JSON", where=where, remedy=_AGAIN) from None
