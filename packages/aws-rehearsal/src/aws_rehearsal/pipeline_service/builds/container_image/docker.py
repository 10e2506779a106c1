"""`docker` as Amplify's buildspec uses it (login, build, tag and push), and as whoever builds an image to keep it does:
version, build, save. Nothing is built; what is pushed is empty, what is saved has the Dockerfile in its one layer."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

_STATE = Path.home() / ".docker-played.json"
"""A build has a home of its own."""
_REGISTRY = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def main() -> None:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="docker")
    commands = parser.add_subparsers(dest="command", required=True)
    login = commands.add_parser("login")
    login.add_argument("--username", "-u", required=True)
    login.add_argument("--password-stdin", action="store_true", required=True)
    login.add_argument("registry")
    build = commands.add_parser("build")
    build.add_argument("--tag", "-t", action="append", default=[])
    build.add_argument("--file", "-f")
    build.add_argument("--iidfile")
    build.add_argument("--platform", default="linux/amd64")
    build.add_argument("--target")
    build.add_argument("--build-arg", action="append", default=[])
    build.add_argument("folder")
    save = commands.add_parser("save")
    save.add_argument("--output", "-o", required=True)
    save.add_argument("image")
    version = commands.add_parser("version")
    version.add_argument("--format")
    tag = commands.add_parser("tag")
    tag.add_argument("source")
    tag.add_argument("target")
    push = commands.add_parser("push")
    push.add_argument("image")
    arguments = parser.parse_args()
    state = json.loads(_STATE.read_text(encoding="utf-8")) if _STATE.exists() else {"images": {}, "logins": []}
    globals()[f"_{arguments.command}"](arguments, state)
    _STATE.write_text(json.dumps(state), encoding="utf-8")


def _login(arguments: argparse.Namespace, state: dict[str, Any]) -> None:
    if _REGISTRY.fullmatch(arguments.registry) is None:
        sys.exit(f"docker: the rehearsal reaches no registry but Amazon ECR, not {arguments.registry}")
    if not sys.stdin.read().strip():
        sys.exit("Error: Cannot perform an interactive login from a non TTY device")
    state["logins"].append(arguments.registry)
    print("Login Succeeded")


def _build(arguments: argparse.Namespace, state: dict[str, Any]) -> None:
    file = Path(arguments.file) if arguments.file else Path(arguments.folder) / "Dockerfile"
    try:
        content = file.read_bytes()
    except OSError:
        sys.exit(f"ERROR: failed to read dockerfile: open {file}: no such file or directory")
    print(f"The rehearsal builds no image; {file} is only read")
    identity = hashlib.sha256(content).hexdigest()
    for name in arguments.tag:
        state["images"][name] = identity
    if arguments.iidfile:
        Path(arguments.iidfile).write_text(f"sha256:{identity}", encoding="utf-8")
        state["images"][f"sha256:{identity}"] = identity
        state.setdefault("built", {})[identity] = [arguments.platform, content.decode(errors="replace")]


def _version(_: argparse.Namespace, __: dict[str, Any]) -> None:
    print("28.0.0 (played by the rehearsal)")


def _save(arguments: argparse.Namespace, state: dict[str, Any]) -> None:
    """As Docker writes it ("Docker Image Specification v1.2.0"): a configuration, and its layers as tar files."""
    platform, dockerfile = state.get("built", {}).get(_found(arguments.image, state), (None, ""))
    if platform is None:
        sys.exit(f"Error response from daemon: reference does not exist: {arguments.image}")
    system, _, architecture = platform.partition("/")
    layer = _tar({"Dockerfile": dockerfile.encode()})
    digest = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    config = {"os": system, "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": [digest]}}
    body = json.dumps(config).encode()
    name = f"{hashlib.sha256(body).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": None, "Layers": ["layer/layer.tar"]}]
    files = {name: body, "layer/layer.tar": layer, "manifest.json": json.dumps(manifest).encode()}
    Path(arguments.output).write_bytes(_tar(files))


def _tar(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, body in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return stream.getvalue()


def _tag(arguments: argparse.Namespace, state: dict[str, Any]) -> None:
    state["images"][arguments.target] = _found(arguments.source, state)


def _push(arguments: argparse.Namespace, state: dict[str, Any]) -> None:
    identity = _found(arguments.image, state)
    registry, _, rest = arguments.image.partition("/")
    repository, _, tag = rest.rpartition(":")
    where = _REGISTRY.fullmatch(registry)
    if where is None or registry not in state["logins"]:
        sys.exit(f"denied: no basic auth credentials for {registry}")
    import boto3  # noqa: PLC0415 - a third of a second, which only a push has to wait for

    ecr = boto3.client("ecr", region_name=where["region"])
    mine = {"registryId": where["account"], "repositoryName": repository}
    config = json.dumps({"rehearsal": identity}).encode()
    layers = [_upload(ecr, mine, content) for content in (config, b"\0" * 32)]
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", **layers[0]},
        "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", **layers[1]}],
    }
    ecr.put_image(**mine, imageManifest=json.dumps(manifest), imageManifestMediaType=_MANIFEST, imageTag=tag)
    print(f"{tag}: pushed")


def _upload(ecr: Any, mine: dict[str, str], content: bytes) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    layers = ecr.batch_check_layer_availability(**mine, layerDigests=[digest])["layers"]
    if not any(layer.get("layerAvailability") == "AVAILABLE" for layer in layers):
        upload = ecr.initiate_layer_upload(**mine)["uploadId"]
        last = len(content) - 1
        ecr.upload_layer_part(**mine, uploadId=upload, partFirstByte=0, partLastByte=last, layerPartBlob=content)
        ecr.complete_layer_upload(**mine, uploadId=upload, layerDigests=[digest])
    return {"digest": digest, "size": len(content)}


def _found(image: str, state: dict[str, Any]) -> str:
    if image not in state["images"]:
        sys.exit(f"Error response from daemon: No such image: {image}")
    return str(state["images"][image])


if __name__ == "__main__":
    main()
