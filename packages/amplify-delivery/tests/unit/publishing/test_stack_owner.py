"""Whose a root stack is that the engine does not know."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplify_delivery.errors import RefusedError
from amplify_delivery.export import EnvironmentValues, render_root
from amplify_delivery.publishing.stack_owner import Owner, check, is_held, owner
from amplify_delivery.publishing.stack_states import STATES, Place
from unit.places import EXPORTS
from unit.publishing.conftest import BUCKET, assembly_of

PLACE = Place("amplify-app-dev-12345", "--region eu-west-1", "dev")


def pushed(name: str) -> dict[str, Any]:
    """The root template of `amplify push`, as an export keeps it."""
    template: dict[str, Any] = json.loads(
        next((EXPORTS / name).glob("amplify-export-*/root-stack-template.json")).read_text()
    )
    return template


def cdk(name: str) -> dict[str, Any]:
    template = pushed(name)
    return {**template, "Parameters": {**template.get("Parameters", {}), "BootstrapVersion": {"Type": "String"}}}


@pytest.mark.parametrize("name", ["todo", "full", "iam"])
def test_by_its_template(name: str) -> None:
    root = render_root(assembly_of(name), EnvironmentValues("dev", 1_900_000_000), BUCKET)
    assert owner(root.template) is Owner.DELIVERY
    assert owner(pushed(name)) is Owner.AMPLIFY
    assert owner(cdk(name)) is Owner.CDK
    assert owner({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}) is Owner.OTHER
    assert owner({}) is Owner.OTHER


@pytest.mark.parametrize("status", STATES)
def test_in_every_state_it_is_said_whose_it_is_unless_there_is_nothing_in_it(status: str) -> None:
    if status in ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_COMPLETE"):
        check(PLACE, status, {})
        return
    with pytest.raises(RefusedError, match=f"in state {status}.*`amplify push` has made it") as caught:
        check(PLACE, status, pushed("todo"))
    assert "`amplify-delivery adopt dev` takes it over" in caught.value.remedy
    assert caught.value.remedy.startswith("nothing was changed")
    with pytest.raises(RefusedError, match="not a backend of Amplify") as caught:
        check(PLACE, status, {"Resources": {}})
    assert "adopt" not in caught.value.remedy
    assert "pulumi config set -s dev environment" in caught.value.remedy


@pytest.mark.parametrize("ids", [["arn:1"], ["app", "x"]])
def test_held_by_its_arn_or_by_its_name(ids: list[str]) -> None:
    assert is_held({"StackId": "arn:1", "StackName": "app"}, ids)
    assert not is_held({"StackId": "arn:2", "StackName": "other"}, ids)
