"""Real exports for the tests: small ones from `tests/exports`, large ones from archives where there are any."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from amplify_delivery.export import Assembly, assemble, read_export
from unit.archives import unpacked
from unit.export.mutations import EXPORTS, copy_export

LARGE_EXPORTS = "AMPLIFY_DELIVERY_EXPORTS"
"""Environment variable: a folder with kitchen.tar.gz and large.tar.gz, too big for this repository."""
APPS = "AMPLIFY_DELIVERY_APPS"
"""Environment variable: a folder with archives of real apps, whose exports are not ours to keep here."""


@cache
def kept_assembly(folder: Path, secrets: frozenset[tuple[str, str]] = frozenset()) -> Assembly:
    """The assembly of a folder that no test changes, made once: a large one takes a second."""
    return assemble(read_export(folder), secrets)


@pytest.fixture
def export_copy(tmp_path: Path) -> Callable[[str], Path]:
    """Copies one of `tests/exports` by its name (`full`, `todo-series/v1`), to be changed."""
    return lambda name: copy_export(name, tmp_path / "export")


@pytest.fixture(scope="session")
def assembly_of() -> Callable[[str], Assembly]:
    """The assembly of one of `tests/exports`, made once."""
    made: dict[str, Assembly] = {}

    def assembly(name: str) -> Assembly:
        if name not in made:
            made[name] = assemble(read_export(EXPORTS[name]))
        return made[name]

    return assembly


@pytest.fixture(scope="session")
def large_export() -> Callable[[str], Path]:
    """The folder of a large export (`kitchen`, `large`); skips where there is no archive."""

    def folder(name: str) -> Path:
        archive = Path(os.environ.get(LARGE_EXPORTS, "/nonexistent"), f"{name}.tar.gz")
        if not archive.is_file():
            pytest.skip(f"no {name}.tar.gz: set {LARGE_EXPORTS} to the folder of the large exports")
        return next(p.parent for p in unpacked(archive).rglob("amplify-export-manifest.json"))

    return folder


@pytest.fixture(scope="session")
def app_export() -> Callable[[str, str], Path]:
    """The folder of a real app's export, by the app's name and the kind of export; skips where there is no archive."""

    def folder(name: str, kind: str) -> Path:
        archive = Path(os.environ.get(APPS, "/nonexistent"), f"{name}.tar.gz")
        if not archive.is_file():
            pytest.skip(f"no {name}.tar.gz: set {APPS} to the folder of the real apps")
        return next(p.parent for p in unpacked(archive).rglob(f"{kind}/*/amplify-export-manifest.json"))

    return folder
