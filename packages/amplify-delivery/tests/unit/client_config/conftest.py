"""The real apps, and what the Amplify CLI wrote for them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from amplify_delivery.client_config import Backend, Stack, of_assembly, of_export, read_backend
from amplify_delivery.export import assemble, read_export
from unit.archives import unpacked
from unit.export.conftest import APPS, app_export

__all__ = ["app_export"]

NAMES = ("discussions", "fitness-tracker", "media-vault", "product-catalog")
REGION = "us-east-1"


@dataclass(frozen=True)
class App:
    """A real app. `folder` holds the CLI's files by platform; `stacks` are those that it wrote them of."""

    folder: Path
    exported: Path
    stacks: Mapping[str, Stack]

    def of_export(self) -> Backend:
        return read_backend(of_export(read_export(self.exported)), self.stacks, REGION)

    def of_assembly(self) -> Backend:
        export = read_export(self.exported)
        secrets = {(n, "hostedUIProviderCreds") for n, s in export.root.nested.items() if "hostedUI" in s.declared}
        return read_backend(of_assembly(assemble(export, secrets=secrets)), self.stacks, REGION)


@pytest.fixture(scope="session")
def app(app_export: Callable[[str, str], Path]) -> Callable[[str], App]:
    """One of `NAMES`; skips where there is no archive."""

    def found(name: str) -> App:
        archive = Path(os.environ.get(APPS, "/nonexistent"), f"{name}.client-config.tar.gz")
        if not archive.is_file():
            pytest.skip(f"no {archive.name}: set {APPS} to the folder of the real apps")
        folder = next(unpacked(archive).rglob("deployed.json")).parent
        deployed = json.loads((folder / "deployed.json").read_text())
        # The root has an empty path, a stack of a nested one a `/` in it.
        stacks = {p: Stack(s["outputs"], s["parameters"]) for p, s in deployed.items() if p and "/" not in p}
        kind = "as-pushed-AD206-remedied" if name == "fitness-tracker" else "as-pushed"
        return App(folder, app_export(name, kind), stacks)

    return found
