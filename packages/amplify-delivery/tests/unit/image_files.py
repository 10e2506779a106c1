"""Container images without any builder: a layout, or what `docker save` writes, with one static file in one layer."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def layer(text: str) -> bytes:
    """A tar file with `hello.txt`."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as file:
        member = tarfile.TarInfo("hello.txt")
        member.size = len(text.encode())
        file.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def config(text: str, architecture: str = "amd64") -> bytes:
    found = {
        "os": "linux",
        "architecture": architecture,
        "config": {"Cmd": ["cat", "/hello.txt"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer(text))]},
    }
    return json.dumps(found).encode()


def put(folder: Path, body: bytes, media_type: str) -> dict[str, Any]:
    """A blob in a layout; its descriptor."""
    path = folder / "blobs" / "sha256" / digest(body).removeprefix("sha256:")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return {"mediaType": media_type, "digest": digest(body), "size": len(body)}


def image_in(folder: Path, text: str, architecture: str = "amd64") -> dict[str, Any]:
    """An image's blobs in a layout; the descriptor of its manifest."""
    packed = gzip.compress(layer(text), mtime=0)
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": put(folder, config(text, architecture), "application/vnd.oci.image.config.v1+json"),
        "layers": [put(folder, packed, "application/vnd.oci.image.layer.v1.tar+gzip")],
    }
    return put(folder, json.dumps(manifest).encode(), OCI_MANIFEST)


def index(folder: Path, entries: list[dict[str, Any]]) -> None:
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    (folder / "index.json").write_text(json.dumps(body))


def oci_layout(folder: Path, text: str, architecture: str = "amd64") -> str:
    """An OCI image layout with one image; the digest of its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    entry = image_in(folder, text, architecture)
    index(folder, [entry])
    return str(entry["digest"])


def docker_archive(path: Path, text: str, architecture: str = "amd64") -> None:
    """What `docker save` writes, since Docker 1.10 and to this day: `manifest.json`, a configuration, plain layers."""
    body = config(text, architecture)
    name = f"{digest(body).removeprefix('sha256:')}.json"
    manifest = [{"Config": name, "RepoTags": None, "Layers": ["one/layer.tar"]}]
    with tarfile.open(path, "w") as file:
        for member, data in (
            (name, body),
            ("one/layer.tar", layer(text)),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            info = tarfile.TarInfo(member)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
