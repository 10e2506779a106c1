"""Rules that keep the components usable elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

import amplify_delivery

COMPONENTS = sorted((Path(amplify_delivery.__file__).parent / "components").glob("*.py"))


@pytest.mark.parametrize("module", COMPONENTS, ids=lambda m: m.stem)
def test_annotations_are_evaluated(module: Path) -> None:
    """Pulumi reads component arguments from their annotations, which the future import turns into text."""
    assert "from __future__ import annotations" not in module.read_text()
