"""All checks before publishing, over real exports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.export import Assembly
from amplify_delivery.findings import Finding
from amplify_delivery.publishing.examination.preflight import Deployment, examine
from unit.publishing.conftest import BUCKET, SOUND, assembly_of, rendered, spoiled


@pytest.fixture(autouse=True)
def _kept(own_cache: Path, examined: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLIFY_DELIVERY_CACHE", str(examined))


def findings(assembly: Assembly) -> list[Finding]:
    """What is found in one environment."""
    deployment = Deployment([rendered(assembly)], BUCKET, "us-east-1")  # where other tests have them linted, too
    return examine(assembly, {"dev": deployment})["dev"]


@pytest.mark.parametrize("name", SOUND)
def test_nothing_is_said_against_a_real_export(name: str) -> None:
    assembly = assembly_of(name)
    assert findings(assembly) == []


def test_a_linters_error_points_to_the_nested_stack(todo: Assembly) -> None:
    def misspell(template: dict[str, Any]) -> None:
        template["Resources"]["TodoTable"]["Properties"]["BillingMod"] = "x"

    assembly = spoiled(todo, ("apimytodoapp", "Todo"), misspell)
    (finding,) = findings(assembly)
    assert finding.id == "AD700"
    assert finding.file.startswith("apimytodoapp/Todo (templates/")
    assert "BillingMod" in finding.message


def test_a_type_that_one_region_has_not_is_no_finding_of_the_other(todo: Assembly) -> None:
    def elsewhere(template: dict[str, Any]) -> None:
        template["Resources"]["Group"] = {"Type": "AWS::DAX::ParameterGroup", "Properties": {}}

    assembly = spoiled(todo, ("apimytodoapp", "Todo"), elsewhere)
    regions = {"here": "eu-west-1", "there": "il-central-1", "near": "eu-west-1"}
    deployments = {name: Deployment([rendered(assembly)], BUCKET, region) for name, region in regions.items()}
    found = examine(assembly, deployments)
    assert [len(found[name]) for name in regions] == [0, 1, 0]
    assert "AWS::DAX::ParameterGroup" in found["there"][0].message


def test_no_linters_opinion_ends_a_delivery_alone(todo: Assembly) -> None:
    def misspell(template: dict[str, Any]) -> None:
        template["Resources"]["TodoTable"]["Properties"]["BillingMod"] = "x"

    assembly = spoiled(todo, ("apimytodoapp", "Todo"), misspell)
    rendered_root = [rendered(assembly)]
    deployments = {
        "dev": Deployment(rendered_root, BUCKET, "us-east-1"),
        "prod": Deployment(rendered_root, BUCKET, "us-east-1", ["E3002"]),
        "other": Deployment(rendered_root, BUCKET, "us-east-1", ["E3003"]),
        "all": Deployment(rendered_root, BUCKET, "us-east-1", ["AD700"]),
    }
    found = examine(assembly, deployments)
    assert [len(found[name]) for name in deployments] == [1, 0, 1, 0]
    assert "(cfn-lint E3002)" in found["dev"][0].message
    assert "ignore E3002 (`lint.ignore`" in found["dev"][0].remedy
