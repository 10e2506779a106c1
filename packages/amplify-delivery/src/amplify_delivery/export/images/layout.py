"""The OCI image layout that this program keeps images in.

"OCI Image Layout Specification" 1.1: `oci-layout`, `index.json`, and every blob in `blobs/sha256/HEX`, under the digest
of its bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from amplify_delivery.errors import AssemblyError
from amplify_delivery.export.documents import parse_json
from amplify_delivery.export.images.model import PREFIX, AssemblyImage

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MANIFESTS = (OCI_MANIFEST, DOCKER_MANIFEST)
INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_NAME = "org.opencontainers.image.ref.name"
"""The annotation with an image's name in an index ("Annotations" of the OCI Image Format Specification)."""
MAX_DOCUMENT = 4 * 1024 * 1024
"""Bytes of a manifest or an index, the most that registries have to take ("OCI Distribution Specification", Push)."""
PIECE = 1024 * 1024
AGAIN = "build the image again"


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
        data = parsed(body, where)
        try:
            found = [blob_of(data["config"]), *map(blob_of, data["layers"])]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise AssemblyError(
                "the image has no manifest of the kind that is read here", where=where, remedy=AGAIN
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
        raise AssemblyError(f"{image.digest} cannot be read: {error.strerror}", where=where, remedy=AGAIN) from None
    manifest = Manifest.parse(body, OCI_MANIFEST, where)
    if manifest.digest != image.digest:
        raise AssemblyError(f"its manifest is not {image.digest}: it was altered", where=where, remedy=AGAIN)
    return manifest


def index_of(layout: Path) -> dict[str, AssemblyImage]:
    """The images in a layout that this module wrote, by name; none where there is no such folder. Raises
    `AssemblyError`."""
    path = layout / "index.json"
    if not path.is_file():
        return {}
    data = parsed(path.read_bytes(), str(path))
    found = {}
    try:
        for entry in data["manifests"]:
            name, platform = entry["annotations"][_NAME], entry["platform"]
            image = AssemblyImage(name, blob_of(entry).digest, 0, f"{platform['os']}/{platform['architecture']}")
            manifest = read_manifest(layout, image)
            found[name] = AssemblyImage(name, image.digest, manifest.size, image.platform)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise AssemblyError("is not an index of images", where=str(path), remedy=AGAIN) from None
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
    index = {"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": entries}
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
                keep_blob(file, target, blob, f"image {image.name}")
        put_blob(target, manifest.body)
    if images:
        write_index(target, images)


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


def keep_blob(file: BinaryIO, layout: Path, blob: Blob, where: str) -> None:
    """Copy a blob, unless it is there; under its name there never is anything else than its bytes."""
    path = blob_path(layout, blob.digest)
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    digest, size = hashlib.sha256(), 0
    try:
        with part.open("wb") as out:
            while piece := file.read(PIECE):
                digest.update(piece)
                size += len(piece)
                out.write(piece)
        if PREFIX + digest.hexdigest() != blob.digest or size != blob.size:
            raise AssemblyError(
                f"{blob.digest} is not what its digest says: {size} bytes, sha256:{digest.hexdigest()}",
                where=where,
                remedy=AGAIN,
            )
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


def put_blob(layout: Path, body: bytes) -> str:
    """Write a small blob; its digest."""
    digest = PREFIX + hashlib.sha256(body).hexdigest()
    path = blob_path(layout, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return digest


def blob_of(entry: Mapping[str, Any]) -> Blob:
    """A descriptor. Raises what Python raises for what is none."""
    digest = str(entry["digest"])
    hexadecimal = digest.removeprefix(PREFIX)
    if not digest.startswith(PREFIX) or len(hexadecimal) != 64 or set(hexadecimal) - set("0123456789abcdef"):
        raise ValueError(digest)
    return Blob(digest, int(entry["size"]), str(entry.get("mediaType", "")))


def parsed(body: bytes, where: str) -> Any:
    """A JSON document of an image. Raises `AssemblyError`."""
    try:
        return parse_json(body)
    except (ValueError, RecursionError):
        raise AssemblyError("is not JSON", where=where, remedy=AGAIN) from None
