"""What a command is pointed at: an export's folder or an assembly's, or the export that the project delivers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import Assembly, assemble, load_assembly, read_export
from amplify_delivery.export.images.model import Images

if TYPE_CHECKING:
    from amplify_delivery.stacks.config.images import ContainerImage


def load(folder: Path, secrets: Collection[tuple[str, str]] = ()) -> Assembly:
    """The assembly in `folder`, or that of the export in `folder`.

    `secrets` are the (nested stack, parameter) pairs that an environment supplies as secrets; they matter
    for an export only. Raises `ExportRefused`, `AssemblyError`.
    """
    if (folder / "assembly.json").is_file():
        return load_assembly(folder)
    return assemble(read_export(folder), secrets)


def project_export(folder: Path, environments: Collection[str] = ()) -> tuple[Path, frozenset[tuple[str, str]]]:
    """The project's export, and the parameters that each of the `environments` supplies as a secret.

    Without `environments`, those that the project's pipelines deliver, else all it has. One assembly serves all of
    them, so all must name the same export. Of a project that has no environment yet it is the only one in its folder.
    Raises `ConfigError`.
    """
    from amplify_delivery.stacks.inputs import export_folder, only_export  # noqa: PLC0415 - pydantic and PyYAML, which a named export does without

    names = tuple(environments) or delivered(folder)
    if not names:
        return only_export(folder), frozenset()
    found: dict[Path, str] = {}
    for name in names:
        config = stack_files.load(folder, name)
        if config.assembly:
            raise ConfigError(
                "it names an assembly: there is no export of the project to check and assemble",
                where=str(stack_files.path(folder, name)),
                remedy="name the export with `export`, or give the command an export's folder",
            )
        found.setdefault(export_folder(config, folder), name)
    if len(found) != 1:
        listed = ", ".join(f"{path} ({name})" for path, name in found.items())
        raise ConfigError(
            f"the environments deliver several exports: {listed}",
            where=str(folder.resolve()),
            remedy="give the command an export's folder",
        )
    return next(iter(found)), stack_files.secrets(folder, names)


def delivered(folder: Path) -> tuple[str, ...]:
    """The environments that the project's pipelines deliver, else all it has."""
    from amplify_delivery.stacks.config import Project  # noqa: PLC0415 - as above

    project = Project(folder)
    found = [name for stack in project.stacks("pipeline") for name in project.pipeline(stack).environments]
    return tuple(dict.fromkeys(found)) or project.stacks("backend")


def named_images(folder: Path, export: Path | None, environments: Collection[str]) -> Images:
    """The container images of the environments that a command is called with, else, without an `export`, of those that
    the project delivers; those of them that are built come from where `amplify-delivery images` leaves them. Raises
    `ConfigError` where they do not all have the same: one assembly serves all."""
    names = tuple(environments) or (() if export else delivered(folder))
    if not names:
        return Images()
    from amplify_delivery.stacks.images import FOLDER, given_images  # noqa: PLC0415 - as above

    return given_images(declared_images(folder, names), folder / FOLDER)


def declared_images(folder: Path, environments: Collection[str]) -> Mapping[str, ContainerImage]:
    """The container images that the environments' stack files name. Raises `ConfigError` as `named_images` does."""
    found: Mapping[str, ContainerImage] = {}
    for number, name in enumerate(environments):
        declared = stack_files.load(folder, name).container_images
        if number and declared != found:
            raise ConfigError(
                f"its containerImages are others than those of {next(iter(environments))}",
                where=str(stack_files.path(folder, name)),
                remedy="all environments of a pipeline have the same: write them once, as the `default` of "
                "`containerImages` in Pulumi.yaml",
            )
        found = declared
    return found


def named(folder: Path, export: Path | None, environments: Collection[str]) -> tuple[Path, frozenset[tuple[str, str]]]:
    """The export that a command is called with, else the project's; and the secrets of the environments."""
    return (export, stack_files.secrets(folder, environments)) if export else project_export(folder, environments)
