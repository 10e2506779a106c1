"""Container images in an assembly: which layouts are read, what is written, and what the templates get."""

from __future__ import annotations

import gzip
import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from amplify_delivery.errors import AssemblyError, ConfigError
from amplify_delivery.export import EnvironmentValues, assemble, load_assembly, read_export, render_root, write_assembly
from amplify_delivery.export.images.importing import keep_image
from amplify_delivery.export.images.layout import blob_path, index_of, read_manifest, write_index
from amplify_delivery.export.images.model import UNBUILT, AssemblyImage, GivenImage, Images
from unit import image_files as files
from unit.export.mutations import EXPORTS

LINUX = "linux/amd64"


def kept(tmp_path: Path, source: Path, platform: str = LINUX) -> AssemblyImage:
    return keep_image("orders", source, platform, tmp_path / "kept")


def test_a_layout_keeps_its_bytes_and_its_digest(tmp_path: Path) -> None:
    digest = files.oci_layout(tmp_path / "layout", "hello")
    image = kept(tmp_path, tmp_path / "layout")
    assert (image.digest, image.platform) == (digest, LINUX)
    assert image.tag == f"orders-{digest.removeprefix('sha256:')}"
    blobs = list((tmp_path / "layout" / "blobs" / "sha256").iterdir())
    assert {p.name: p.read_bytes() for p in (tmp_path / "kept" / "blobs" / "sha256").iterdir()} == {
        p.name: p.read_bytes() for p in blobs
    }
    assert image.size == sum(p.stat().st_size for p in blobs)
    with tarfile.open(tmp_path / "layout.tar", "w") as file:
        file.add(tmp_path / "layout", ".")
    assert kept(tmp_path, tmp_path / "layout.tar") == image


def test_what_docker_saves_becomes_an_image_of_compressed_layers(tmp_path: Path) -> None:
    for name in ("one", "two"):
        files.docker_archive(tmp_path / f"{name}.tar", "hello")
        os.utime(tmp_path / f"{name}.tar", (0, 0))
    image = kept(tmp_path, tmp_path / "one.tar")
    manifest = read_manifest(tmp_path / "kept", image)
    configuration, layer = manifest.blobs
    assert blob_path(tmp_path / "kept", configuration.digest).read_bytes() == files.config("hello")
    assert layer.media_type == "application/vnd.oci.image.layer.v1.tar+gzip"
    assert gzip.decompress(blob_path(tmp_path / "kept", layer.digest).read_bytes()) == files.layer("hello")
    assert json.loads(manifest.body)["mediaType"] == files.OCI_MANIFEST
    assert kept(tmp_path, tmp_path / "two.tar") == image, "equal images have equal digests"


def test_of_several_images_the_one_for_the_platform_is_taken(tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    layout.mkdir()
    entries = []
    for architecture in ("amd64", "arm64"):
        entry = files.image_in(layout, architecture, architecture)
        entries.append({**entry, "platform": {"os": "linux", "architecture": architecture}})
    attestation = files.image_in(layout, "provenance")
    entries.append({**attestation, "annotations": {"vnd.docker.reference.type": "attestation-manifest"}})
    body = json.dumps({"schemaVersion": 2, "mediaType": files.OCI_INDEX, "manifests": entries}).encode()
    files.index(layout, [files.put(layout, body, files.OCI_INDEX)])
    assert kept(tmp_path, layout, "linux/arm64").digest == entries[1]["digest"]
    with pytest.raises(AssemblyError, match=r"0 images for linux/s390x \(of these: linux/amd64, linux/arm64\)"):
        kept(tmp_path, layout, "linux/s390x")


def test_an_image_for_another_machine_is_refused(tmp_path: Path) -> None:
    files.oci_layout(tmp_path / "layout", "hello", "arm64")
    files.docker_archive(tmp_path / "saved.tar", "hello", "arm64")
    for source in ("layout", "saved.tar"):
        with pytest.raises(AssemblyError, match="built for linux/arm64, and is to run on linux/amd64"):
            kept(tmp_path, tmp_path / source)


def test_altered_and_missing_blobs_are_refused(tmp_path: Path) -> None:
    files.oci_layout(tmp_path / "layout", "hello")
    layer = next(p for p in (tmp_path / "layout/blobs/sha256").iterdir() if p.read_bytes()[:2] == b"\x1f\x8b")
    whole = layer.read_bytes()
    layer.write_bytes(whole[:-1] + b"x")
    with pytest.raises(AssemblyError, match="is not what its digest says"):
        kept(tmp_path, tmp_path / "layout")
    layer.unlink()
    with pytest.raises(AssemblyError, match="cannot be read"):
        kept(tmp_path, tmp_path / "layout")
    assert not list((tmp_path / "kept").rglob(".*")), "nothing half-written stays"


@pytest.mark.parametrize("text", [b"", b"no tar file", b"{}"])
def test_what_is_no_image_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "image.tar").write_bytes(text)
    with pytest.raises(AssemblyError, match="neither a folder nor a tar file"):
        kept(tmp_path, tmp_path / "image.tar")
    (tmp_path / "folder").mkdir()
    with pytest.raises(AssemblyError, match=r"manifest\.json cannot be read"):
        kept(tmp_path, tmp_path / "folder")


@pytest.mark.parametrize("bad", ["../../etc/passwd", "sha256:../../../etc/passwd", "sha256:" + "A" * 64])
def test_no_digest_leads_out_of_the_layout(tmp_path: Path, bad: str) -> None:
    files.oci_layout(tmp_path / "layout", "hello")
    manifest = {"config": {"digest": bad, "size": 1}, "layers": []}
    files.index(
        tmp_path / "layout", [files.put(tmp_path / "layout", json.dumps(manifest).encode(), files.OCI_MANIFEST)]
    )
    with pytest.raises(AssemblyError, match="has no manifest"):
        kept(tmp_path, tmp_path / "layout")


def images(tmp_path: Path, *places: tuple[str, str]) -> Images:
    files.oci_layout(tmp_path / "layout", "hello")
    image = kept(tmp_path, tmp_path / "layout")
    write_index(tmp_path / "kept", [image])
    return Images((GivenImage(image, places),), tmp_path / "kept")


def nested_of(name: str) -> str:
    return next(iter(read_export(EXPORTS[name]).root.nested))


def test_an_assembly_holds_its_images_and_tells_them_apart(tmp_path: Path) -> None:
    export = read_export(EXPORTS["todo"])
    given = images(tmp_path)
    assembly = assemble(export, images=given)
    assert assembly.digest() != assemble(export).digest()
    write_assembly(assembly, tmp_path / "assembly")
    found = load_assembly(tmp_path / "assembly")
    assert found.digest() == assembly.digest()
    assert [i.digest for i in found.images] == [given.given[0].image.digest]
    assert index_of(tmp_path / "assembly" / "images").keys() == {"orders"}
    (image,) = found.images
    manifest = read_manifest(found.layout_of(image), image)
    assert all(blob_path(found.layout_of(image), blob.digest).is_file() for blob in manifest.blobs)
    path = blob_path(found.layout_of(image), image.digest)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(AssemblyError, match="it was altered"):
        read_manifest(found.layout_of(image), image)


def test_an_earlier_release_is_written_without_its_images(tmp_path: Path) -> None:
    """As `rollback` has it from the staging bucket: what it deploys lies in the repository."""
    assembly = assemble(read_export(EXPORTS["todo"]), images=images(tmp_path))
    write_assembly(replace(assembly, layout=None), tmp_path / "assembly")
    found = load_assembly(tmp_path / "assembly")
    assert (found.digest(), found.images) == (assembly.digest(), assembly.images)
    with pytest.raises(AssemblyError, match="its image is not in the repository"):
        found.layout_of(found.images[0])


def test_an_assembly_without_images_is_as_it_was(tmp_path: Path) -> None:
    assembly = assemble(read_export(EXPORTS["todo"]))
    assert "images" not in assembly.to_json()
    write_assembly(assembly, tmp_path / "assembly")
    assert not (tmp_path / "assembly" / "images").exists()


def test_an_image_that_is_not_built_is_not_written(tmp_path: Path) -> None:
    unbuilt = Images((GivenImage(AssemblyImage("orders", UNBUILT, 0, LINUX)),), tmp_path)
    assembly = assemble(read_export(EXPORTS["todo"]), images=unbuilt)
    with pytest.raises(AssemblyError, match="image orders: is not built"):
        write_assembly(assembly, tmp_path / "assembly")
    assert not (tmp_path / "assembly").exists()


def test_a_parameter_gets_the_address_by_digest_of_its_own_environment(tmp_path: Path) -> None:
    """A setting of the export that an environment cannot override any more."""
    stack = nested_of("todo")
    given = images(tmp_path, (stack, "DynamoDBBillingMode"))
    assembly = assemble(read_export(EXPORTS["todo"]), images=given)
    for environment in ("dev", "prod"):
        root = render_root(assembly, EnvironmentValues(environment, 0), "bucket")
        passed = root.template["Resources"][stack]["Properties"]["Parameters"]["DynamoDBBillingMode"]
        registry = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}"
        name = f"{assembly.project}/{environment}".lower()
        assert passed == {"Fn::Sub": f"{registry}/{name}@{given.given[0].image.digest}"}
    with pytest.raises(ConfigError, match="set by the assembly itself"):
        values = EnvironmentValues("dev", 0, parameters={stack: {"DynamoDBBillingMode": "x"}})
        render_root(assembly, values, "bucket")


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (("nothing", "Image"), "there is no nested stack 'nothing'"),
        (("STACK", "DynamoDBBillingMod"), "no parameter 'DynamoDBBillingMod', did you mean 'DynamoDBBillingMode'"),
        (("STACK", "env"), ""),
    ],
)
def test_an_image_for_what_is_not_there_is_refused(tmp_path: Path, place: tuple[str, str], message: str) -> None:
    stack = nested_of("todo")
    given = images(tmp_path, (place[0].replace("STACK", stack), place[1]))
    if not message:
        given = Images((*given.given, GivenImage(AssemblyImage("two", UNBUILT, 0, LINUX), given.given[0].parameters)))
        message = "gets its value from image orders already"
    with pytest.raises(ConfigError, match=message):
        assemble(read_export(EXPORTS["todo"]), images=given)
