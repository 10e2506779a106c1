"""The stack files `Pulumi.ENV.yaml` of the project folder, as the commands need them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from amplify_delivery.delivery.project import expiry
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import Assembly, EnvironmentValues

if TYPE_CHECKING:
    from amplify_delivery.stacks.config import EnvironmentConfig


def add_export(parser: argparse.ArgumentParser) -> None:
    """`EXPORT`: a folder, in place of the project's export."""
    parser.add_argument(
        "export",
        nargs="?",
        type=Path,
        metavar="EXPORT",
        help="folder that `amplify export` wrote; default: the project's",
    )


def add_environment(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """`--environment NAME`: an environment of the project, by its stack file's name."""
    if several:
        parser.add_argument(
            "--environment",
            nargs="+",
            action="extend",
            default=[],
            metavar="NAME",
            help="environments whose stack files supply the export's secrets",
        )
    else:
        parser.add_argument("--environment", required=True, metavar="NAME", help="Pulumi.NAME.yaml in this folder")


def path(folder: Path, name: str) -> Path:
    """Where an environment's stack file lies: in the folder of Pulumi.yaml."""
    return folder / f"Pulumi.{name}.yaml"


def load(folder: Path, name: str, missing: str = "") -> EnvironmentConfig:
    """An environment's stack file. Raises `ConfigError` when there is none, or it is wrong; `missing` is what to do
    where there is none, if that is something else than to make an environment."""
    from amplify_delivery.stacks.config import EnvironmentConfig  # noqa: PLC0415 - pydantic and PyYAML, which most commands do without

    file = path(folder, name)
    if not file.is_file():
        raise _none(folder, name, missing)
    return EnvironmentConfig.from_file(file, name)


def _none(folder: Path, name: str, missing: str) -> ConfigError:
    from amplify_delivery.stacks.config import Project  # noqa: PLC0415
    from amplify_delivery.stacks.config.absent import expect_project, no_stack  # noqa: PLC0415

    expect_project(folder)
    file = path(folder, name)
    error = no_stack(
        file,
        "environment",
        Project(folder).stacks("backend"),
        # `pulumi stack rm` takes the file with the stack, unless it is told not to (`--preserve-config`).
        f" (`amplify-delivery init --personal {name}=ACCOUNT/REGION`). If `pulumi stack rm` has deleted it, "
        f"`git checkout HEAD -- {file.name}` brings it back as it was committed",
    )
    error.remedy = missing or error.remedy
    return error


def program(folder: Path, name: str) -> str:
    """The program of a stack, as its file says: `backend`, `account` or `pipeline`. Raises `ConfigError`."""
    from amplify_delivery.stacks.config.reader import own_keys_in  # noqa: PLC0415

    file = path(folder, name)
    return str(own_keys_in(file).get("program") or "backend") if file.is_file() else "backend"


def values(folder: Path, config: EnvironmentConfig) -> EnvironmentValues:
    """What an environment sets on top of an assembly, as its Pulumi program sees it."""
    from amplify_delivery.stacks.config import Project  # noqa: PLC0415
    from amplify_delivery.stacks.inputs import environment_values  # noqa: PLC0415

    return environment_values(config, folder, datetime.now(UTC), Project(folder).app)


def secrets(folder: Path, names: Iterable[str]) -> frozenset[tuple[str, str]]:
    """The (nested stack, parameter) pairs that each of the environments `names` supplies as a secret."""
    found = [load(folder, name).secret_names for name in names]
    return frozenset.intersection(*found) if found else frozenset()


def kept_literals(folder: Path, names: Iterable[str]) -> frozenset[str]:
    """The literals of the exported environment that each of the environments `names` takes as they are."""
    found = [frozenset(load(folder, name).kept_literals) for name in names]
    return frozenset.intersection(*found) if found else frozenset()


def configured(assembly: Assembly, folder: Path, name: str) -> Assembly:
    """The assembly as an environment is delivered, if its stack file lies in this folder; else as it is."""
    from amplify_delivery.stacks.inputs import as_configured  # noqa: PLC0415

    return as_configured(assembly, load(folder, name)) if path(folder, name).is_file() else assembly


def values_of(folder: Path, name: str) -> EnvironmentValues:
    """What the environment's stack file sets, if it lies in this folder; else its name alone."""
    if path(folder, name).is_file():
        return values(folder, load(folder, name))
    return EnvironmentValues(name, expiry.in_a_year())
