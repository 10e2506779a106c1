"""The example's program, for who has the checkout and for who has installed wheels only."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from amplify_delivery_rehearsal import example
from unit.places import REPOSITORY


def test_in_a_checkout_it_is_the_checkouts(tmp_path: Path) -> None:
    assert example.program(tmp_path, "app") == REPOSITORY
    assert list(tmp_path.iterdir()) == []


def test_from_wheels_it_is_what_init_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example, "CHECKOUT", tmp_path / "lib")
    made = example.program(tmp_path / "rehearsal", "app")
    assert (made / "Pulumi.yaml").read_text().splitlines()[1] == "name: app"
    for path in ("__main__.py", "components/stage.py"):
        assert (made / path).read_bytes() == (REPOSITORY / path).read_bytes()
    assert (made / ".venv").resolve() == Path(sys.prefix).resolve()
