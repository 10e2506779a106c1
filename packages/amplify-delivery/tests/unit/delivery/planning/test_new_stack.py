"""What only a stack that is there may have is refused before a new one is planned."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.changes.deployed import Deployed
from amplify_delivery.delivery.environment import planned
from amplify_delivery.export import EnvironmentValues, ExportRefused, Finding, render_root
from unit.components.backends import EXPIRES, assembly_of, folder

ASSEMBLY = assembly_of(folder("mytodoapp"))
ROOT = render_root(ASSEMBLY, EnvironmentValues("dev", EXPIRES), "staging")
BOUND = replace(ROOT, against_creating=(Finding("AD311", "refused", "auth.json", "secrets are missing"),))


def backend(root: Any, monkeypatch: pytest.MonkeyPatch) -> planned.Backend:
    target: Any = SimpleNamespace(
        assembly=ASSEMBLY, root=root, parameters=dict(root.parameters), config=SimpleNamespace(production=None)
    )
    monkeypatch.setattr(planned, "now", lambda _: Deployed())
    return planned.backend(target)


def test_a_new_stack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ExportRefused, match=r"AD311 auth\.json: secrets are missing"):
        backend(BOUND, monkeypatch)


def test_a_new_stack_that_lacks_nothing_is_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    assert backend(ROOT, monkeypatch).steps
