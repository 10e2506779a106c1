"""`build` and `images` with container images: built by Docker, which is played, or by a command."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.export import load_assembly
from amplify_delivery.export.images.layout import blob_path, index_of, read_manifest
from aws_rehearsal.pipeline_service.builds.container_image import write_tools
from unit.command_line import Ran, delivery
from unit.commands.test_build import build, cache, environment
from unit.image_files import oci_layout
from unit.stacks.projects import APP, make

__all__ = ["cache"]
pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("build")]
DOCKERFILE = {"orders": {"dockerfile": "services/orders/Dockerfile", "platform": "linux/arm64"}}


def project(folder: Path, images: dict[str, Any], **settings: Any) -> Path:
    """A project with the environment `preprod`, a pipeline, and these images of all its environments."""
    folder.mkdir()
    make(folder, 1, build=settings)
    file = folder / "Pulumi.yaml"
    given = json.dumps({"type": "object", "default": images})
    file.write_text(file.read_text().replace("config:\n", f"config:\n  containerImages: {given}\n"))
    (folder / "services/orders").mkdir(parents=True)
    (folder / "services/orders/Dockerfile").write_text("FROM scratch\nCOPY hello.txt /\n")
    return folder


def with_docker(folder: Path) -> dict[str, str]:
    return {"PATH": f"{write_tools(folder / 'tools')}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}


def without_docker(folder: Path, said: str) -> dict[str, str]:
    """A Docker without a daemon, as in CodeBuild outside of privileged mode."""
    tool = folder / "tools" / "docker"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{tool.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}


def test_build_builds_once_and_seals_the_image_with_the_assembly(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", DOCKERFILE, privileged="true")
    ran = build(folder, **with_docker(tmp_path))
    assert ran.code == 0, ran.err
    assembly = load_assembly(folder / "assembly")
    (image,) = assembly.images
    assert f"image orders: {image.digest}" in ran.out
    assert image.platform == "linux/arm64"
    manifest = read_manifest(assembly.layout_of(image), image)
    assert all(blob_path(assembly.layout_of(image), blob.digest).is_file() for blob in manifest.blobs)
    assert not (folder / "container-images").exists(), "once in the artifact"


def test_without_a_builder_nothing_begins(tmp_path: Path) -> None:
    """Before the commands, whose last one would have taken an hour."""
    folder = project(tmp_path / "project", DOCKERFILE, privileged="true", commands=["touch began"])
    ran = build(folder, **without_docker(tmp_path, "Cannot connect to the Docker daemon"))
    assert ran.code == 3
    assert "containerImages: orders: no Docker daemon answers: Cannot connect to the Docker daemon" in ran.err
    assert "amplify-delivery update-pipeline" in ran.err
    assert "docs/containers.md" in ran.err
    assert not (folder / "began").exists()


def test_docker_that_build_may_not_use_is_said_first(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", DOCKERFILE, commands=["touch began"])
    ran = build(folder, **with_docker(tmp_path))
    assert ran.code == 3
    assert "Build has to build orders with Docker, and may not use it" in ran.err
    assert "set `build: {privileged: true}`" in ran.err
    assert not (folder / "began").exists()


def test_a_command_may_build_without_docker(tmp_path: Path) -> None:
    """What it writes keeps its digest; without privileged mode."""
    digest = oci_layout(tmp_path / "made", "hello")
    images = {"orders": {"layout": "built"}}
    folder = project(tmp_path / "project", images, commands=[f"cp -R {tmp_path / 'made'} built"])
    ran = build(folder, **without_docker(tmp_path, "never asked"))
    assert ran.code == 0, ran.err
    assert [i.digest for i in load_assembly(folder / "assembly").images] == [digest]


def test_what_no_command_has_built_is_refused(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", {"orders": {"layout": "built"}})
    ran = build(folder)
    assert ran.code == 3
    assert "there is no such file or folder: built" in ran.err
    assert not (folder / "assembly").exists()


def test_a_failing_docker_build_fails_build(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", DOCKERFILE, privileged="true")
    (folder / "services/orders/Dockerfile").unlink()
    ran = build(folder, **with_docker(tmp_path))
    assert ran.code == 3
    assert "image orders: there is no such Dockerfile" in ran.err


def images(folder: Path, *arguments: str, **variables: str) -> Ran:
    return delivery("images", *arguments, cwd=folder, env={**environment(), **variables})


def test_images_are_built_for_deployments_from_here(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", DOCKERFILE, privileged="true")
    assert images(folder, **without_docker(tmp_path, "no daemon")).code == 3
    for text in ("FROM scratch\n", "FROM scratch\nCMD x\n"):
        (folder / "services/orders/Dockerfile").write_text(text)
        ran = images(folder, "--json", **with_docker(tmp_path))
        assert ran.code == 0, ran.err
        (found,) = json.loads(ran.out)["images"]
        assert {name: i.digest for name, i in index_of(folder / "container-images").items()} == {
            "orders": found["digest"]
        }
    (folder / "other").mkdir()
    (folder / "container-images").rename(folder / "kept")
    (folder / "container-images").mkdir()
    (folder / "container-images" / "mine.txt").write_text("mine")
    assert "is not an OCI image layout" in images(folder, **with_docker(tmp_path)).err
    assert (folder / "container-images" / "mine.txt").read_text() == "mine"


def test_environments_with_different_images_are_refused(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    folder = make(tmp_path / "project", 2, build={"privileged": "true"})
    path = folder / "Pulumi.preprod.yaml"
    path.write_text(f"{path.read_text()}  {APP}:containerImages: {json.dumps({'orders': {'layout': 'built'}})}\n")
    for command in ("build", "check"):
        ran = delivery(command, cwd=folder, env=environment())
        assert ran.code == 3
        assert "containerImages are others than those of" in ran.err


def test_check_says_whether_there_is_a_builder(tmp_path: Path) -> None:
    """Refused where the pipeline cannot build; told where only this machine cannot."""
    folder = project(tmp_path / "project", DOCKERFILE)
    tools = without_docker(tmp_path, "Cannot connect to the Docker daemon")
    ran = delivery("check", cwd=folder, env={**environment(), **tools})
    assert (ran.code, "may not use it" in ran.err) == (3, True)
    make(folder, 1, build={"privileged": "true"})
    settings = folder / "Pulumi.yaml"
    given = json.dumps({"type": "object", "default": DOCKERFILE})
    settings.write_text(settings.read_text().replace("config:\n", f"config:\n  containerImages: {given}\n"))
    ran = delivery("check", cwd=folder, env={**environment(), **tools})
    assert ran.code == 0, ran.err
    assert "note: orders: no Docker daemon answers: Cannot connect to the Docker daemon; the pipeline's" in ran.out


def test_check_knows_what_images_are_for_without_building_any(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", {"orders": {"layout": "built", "parameters": ["apifullap.Image"]}})
    ran = delivery("check", cwd=folder, env=environment())
    assert ran.code == 3
    assert "containerImages.orders: there is no nested stack 'apifullap', did you mean 'apifullapp'?" in ran.err
