"""From the container images of a stack file to those that an export is assembled with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from amplify_delivery.errors import ConfigError
from amplify_delivery.export import Assembly
from amplify_delivery.export.images.layout import index_of
from amplify_delivery.export.images.model import UNBUILT, AssemblyImage, GivenImage, Images
from amplify_delivery.stacks.config.images import ContainerImage
from amplify_delivery.stacks.config.project import Project

FOLDER = "container-images"
"""Where `amplify-delivery images` leaves them, beside Pulumi.yaml: an OCI image layout."""


IMAGES = "images"
"""The name of a personal stack's own repository in its program."""
PUSHED_IMAGES = "pushed-images"
"""The stash in a personal stack's state with the addresses of the images that it has pushed, by name."""


def given_images(declared: Mapping[str, ContainerImage], layout: Path) -> Images:
    """The images that are `declared`, with those of them that are built in `layout`. Raises `AssemblyError`."""
    if not declared:
        return Images()
    built = index_of(layout)
    return Images(tuple(_given(name, image, built.get(name)) for name, image in sorted(declared.items())), layout)


def _given(name: str, declared: ContainerImage, built: AssemblyImage | None) -> GivenImage:
    image = built if built and built.platform == declared.platform else None
    return GivenImage(
        image or AssemblyImage(name, UNBUILT, 0, declared.platform),
        tuple(_place(place) for place in declared.parameters),
        _place(declared.container) if declared.container else None,
    )


def _place(text: str) -> tuple[str, str]:
    stack, _, inside = text.partition(".")
    return stack, inside


def check_built(assembly: Assembly, where: str) -> None:
    """Raise `ConfigError` for an image that is not built: what would be deployed is not known then."""
    missing = [image.name for image in assembly.images if not image.built]
    if missing:
        raise ConfigError(
            f"not built here: {', '.join(missing)}",
            where=f"{where}: containerImages",
            remedy="run `amplify-delivery images`; in the pipeline Build does it",
        )


MAX_BYTES = 2 * 1024**3
"""Bytes of all images of a project together: they travel in the pipeline's artifact, which every build downloads."""


def check_size(images: Sequence[AssemblyImage]) -> None:
    """Raise `ConfigError` for more than fits into the artifact."""
    size = sum(image.size for image in images)
    if size > MAX_BYTES:
        largest = max(images, key=lambda image: image.size)
        raise ConfigError(
            f"the images have {size:,} bytes together, {MAX_BYTES:,} are taken; the largest is {largest.name} with "
            f"{largest.size:,}",
            where="containerImages",
            remedy="take a smaller base image, and leave out what only the build needs (a second stage in the "
            "Dockerfile)",
        )


def check_privileged(project: Project, stack: str, declared: Mapping[str, ContainerImage]) -> None:
    """Raise `ConfigError` where Build has to build images with Docker, which the pipeline's file does not let it use:
    CodeBuild runs a Docker daemon in privileged mode only ("Run Docker in a build environment")."""
    needing = sorted(name for name, image in declared.items() if image.needs_builder)
    if needing and not project.pipeline(stack).build.privileged:
        raise ConfigError(
            f"Build has to build {', '.join(needing)} with Docker, and may not use it",
            where=str(project.file(stack)),
            remedy="set `build: {privileged: true}` and run `amplify-delivery update-pipeline` once; or let a command "
            "of `build.commands` build without Docker, and name its OCI image layout with `layout` "
            "(docs/containers.md)",
        )
