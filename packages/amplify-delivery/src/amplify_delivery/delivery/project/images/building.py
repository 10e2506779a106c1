"""Build the container images that a project's stack files name, and put them into an OCI image layout."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from amplify_delivery.delivery.project.images import docker
from amplify_delivery.delivery.project.images.docker import DockerBuild
from amplify_delivery.errors import ConfigError, RefusedError
from amplify_delivery.export import Export
from amplify_delivery.export.archives import read_entries
from amplify_delivery.export.images.container_api import MAX_SOURCES, source_of
from amplify_delivery.export.images.importing import keep_image
from amplify_delivery.export.images.layout import write_index
from amplify_delivery.stacks.config.images import ContainerImage
from amplify_delivery.stacks.config.project import Project
from amplify_delivery.stacks.images import check_privileged, check_size

Declared = Mapping[str, ContainerImage]


def check_builder(declared: Declared, *, in_build: bool) -> None:
    """Raise `RefusedError` where Docker is needed and cannot build: before anything else is begun. `in_build` is the
    pipeline's Build, where something else is to be done about it."""
    needing = sorted(name for name, image in declared.items() if image.needs_builder)
    why = docker.missing() if needing else None
    if why is None:
        return
    if in_build:
        remedy = (
            "in CodeBuild Docker answers in privileged mode only: set `build: {privileged: true}` in the pipeline's "
            "stack file and run `amplify-delivery update-pipeline` once (Build still runs in the project as it was)"
        )
    else:
        remedy = "start Docker"
    raise RefusedError(
        f"{', '.join(needing)}: {why}",
        where="containerImages",
        remedy=f"{remedy}; or build with something else and name its OCI image layout with `layout` "
        "(docs/containers.md). Nothing was changed",
    )


def notes(declared: Declared, project: Project) -> list[str]:
    """What to know of the builder before anything begins. Raises `ConfigError` where images are to be built in a
    pipeline's Build that may not use Docker."""
    for stack in project.stacks("pipeline"):
        if any(project.environment(name).container_images == declared for name in project.pipeline(stack).environments):
            check_privileged(project, stack, declared)
    needing = sorted(name for name, image in declared.items() if image.needs_builder)
    why = docker.missing() if needing else None
    if why is None:
        return []
    return [f"{', '.join(needing)}: {why}; the pipeline's Build has its own, `amplify-delivery images` needs one here"]


def build_into(
    layout: Path, declared: Declared, directory: Path, export: Callable[[], Export], line: Callable[[str], None]
) -> None:
    """Build the images into the folder `layout`, which becomes an OCI image layout. Paths are relative to `directory`;
    `export` reads the export, for container APIs. Raises `RefusedError`, `AssemblyError`, `ConfigError`."""
    with tempfile.TemporaryDirectory() as folder:
        images = []
        for name, image in sorted(declared.items()):
            with _source(name, image, directory, export, Path(folder), line) as source:
                images.append(keep_image(name, source, image.platform, layout))
            line(f"image {name}: {images[-1].digest} ({images[-1].size:,} bytes, {image.platform})")
    check_size(images)
    write_index(layout, images)


def replace_folder(
    folder: Path, declared: Declared, directory: Path, export: Callable[[], Export], line: Callable[[str], None]
) -> None:
    """Build the images into `folder`, which is replaced whole once all are built. Raises as `build_into` does."""
    if folder.exists() and not (folder / "oci-layout").is_file():
        raise ConfigError("is there, and is not an OCI image layout", where=str(folder), remedy="move it away")
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        build_into(beside, declared, directory, export, line)
        beside.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(beside, folder)  # noqa: PTH105 - the same, and clearer here
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def _source(  # noqa: PLR0917 - what an image is built from
    name: str,
    image: ContainerImage,
    directory: Path,
    export: Callable[[], Export],
    scratch: Path,
    line: Callable[[str], None],
) -> Iterator[Path]:
    """Where the image lies, for a moment."""
    if image.layout:
        path = directory / image.layout
        if not path.exists():
            raise ConfigError(
                f"there is no such file or folder: {image.layout}",
                where=f"containerImages.{name}",
                remedy="it is what something else has built by then: a command of `build.commands`, for example",
            )
        yield path
        return
    archive, sources = scratch / f"{name}.tar", scratch / f"{name}.sources"
    try:
        docker.build(_asked(name, image, directory, export, sources), archive, line)
        yield archive
    finally:
        archive.unlink(missing_ok=True)
        shutil.rmtree(sources, ignore_errors=True)


def _unpack(data: bytes, folder: Path) -> None:
    """Unpack the sources of a container API; what they hold was looked at before, as everything of an export."""
    _, contents = read_entries(data, MAX_SOURCES, lambda *_: True)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        modes = {info.filename: (info.external_attr >> 16) & 0o777 for info in archive.infolist()}
    for name, body in contents.items():
        if name.endswith("/"):
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        path.chmod(modes[name] or 0o644)


def _asked(
    name: str, image: ContainerImage, directory: Path, export: Callable[[], Export], sources: Path
) -> DockerBuild:
    if image.container:
        stack, _, container = image.container.partition(".")
        found = export()
        source = source_of(found, stack, container)
        _unpack(found.read(source.archive), sources)
        context = sources / source.folder
        return DockerBuild(name, context, context / "Dockerfile", image.platform)
    file = directory / str(image.dockerfile)
    context = directory / image.context if image.context else file.parent
    return DockerBuild(name, context, file, image.platform, image.target, image.args)
