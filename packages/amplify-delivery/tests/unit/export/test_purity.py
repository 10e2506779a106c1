"""The package starts fast and touches files only: no Pulumi, no AWS, no YAML where no template is YAML."""

from __future__ import annotations

import subprocess
import sys

import pytest

from unit.export.mutations import EXPORTS

FOREIGN = (
    "pulumi",
    "boto3",
    "botocore",
    "yaml",
    "changes",
    "components",
    "stacks",
    "delivery",
    "publishing",
    "rehearsal",
)


def _loaded(program: str) -> set[str]:
    """The top-level modules that a fresh process has loaded after `program`."""
    program += "\nimport sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return set(result.stdout.split())


@pytest.mark.processes
def test_importing_it_loads_nothing_foreign() -> None:
    assert not _loaded("import amplify_export") & set(FOREIGN)


@pytest.mark.processes
def test_assembling_loads_nothing_foreign() -> None:
    program = f"from amplify_export import *; assemble(read_export({str(EXPORTS['full'])!r}))"
    assert not _loaded(program) & set(FOREIGN)


def test_public_names_are_there() -> None:
    from amplify_delivery import export as amplify_export

    assert sorted(amplify_export.__all__) == amplify_export.__all__
    assert all(hasattr(amplify_export, name) for name in amplify_export.__all__)
