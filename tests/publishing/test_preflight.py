"""All checks before publishing, over real exports."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_export import Assembly
from publishing.preflight import examine
from tests.publishing.conftest import BUCKET, SOUND, assembly_of, rendered, spoiled


@pytest.mark.parametrize("name", SOUND)
def test_nothing_is_said_against_a_real_export(name: str) -> None:
    assembly = assembly_of(name)
    assert examine(assembly, [rendered(assembly)], BUCKET, "eu-central-1") == []


def test_a_linters_error_points_to_the_nested_stack(todo: Assembly) -> None:
    def misspell(template: dict[str, Any]) -> None:
        template["Resources"]["TodoTable"]["Properties"]["BillingMod"] = "x"

    assembly = spoiled(todo, ("apimytodoapp", "Todo"), misspell)
    (finding,) = examine(assembly, [rendered(assembly)], BUCKET, "eu-central-1")
    assert finding.id == "AD700"
    assert finding.file.startswith("apimytodoapp/Todo (templates/")
    assert "BillingMod" in finding.message
