"""The package starts fast and touches files only: no Pulumi, no AWS, no YAML where no template is YAML."""

from __future__ import annotations

import subprocess
import sys

import pytest

from unit.export.mutations import EXPORTS

OURS = "amplify_delivery"
FOREIGN = ("pulumi", "boto3", "botocore", "yaml")
ABOVE = tuple(f"{OURS}.{name}" for name in ("changes", "components", "stacks", "delivery", "commands", "publishing"))


def _loaded(program: str) -> set[str]:
    """The top-level modules, and our packages, that a fresh process has loaded after `program`."""
    program += "\nimport sys\nloaded = [name.split('.') for name in sys.modules]"
    program += "\nprint(*sorted({'.'.join(parts[:depth]) for parts in loaded for depth in (1, 2)}))"
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return set(result.stdout.split())


@pytest.mark.processes
def test_importing_it_loads_nothing_foreign() -> None:
    assert not _loaded("import amplify_delivery.export") & {*FOREIGN, *ABOVE}


@pytest.mark.processes
def test_assembling_loads_nothing_foreign() -> None:
    program = f"from amplify_delivery.export import *; assemble(read_export({str(EXPORTS['full'])!r}))"
    assert not _loaded(program) & {*FOREIGN, *ABOVE}


def test_public_names_are_there() -> None:
    from amplify_delivery import export

    assert sorted(export.__all__) == export.__all__
    assert all(hasattr(export, name) for name in export.__all__)
