"""What is looked for of an account's or a pipeline's lost state, and as what. Pure."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_delivery.delivery.adoption import lost
from amplify_delivery.delivery.engine.killed import pending
from amplify_delivery.delivery.engine.killed.pending import same
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.delivery.planning.program_rights import UNKNOWN

ROLE, KEY, PARAMETER = "aws:iam/role:Role", "aws:kms/key:Key", "aws:ssm/parameter:Parameter"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"


def step(type_: str, operation: str = "create", **inputs: Any) -> ProgramStep:
    return ProgramStep(f"urn:pulumi:a::app::{type_}::it", type_, operation, inputs=inputs)


def test_what_a_preview_does_not_tell_is_left_to_the_refresh() -> None:
    arn = f"arn:aws:kms:eu-west-1:1:{UNKNOWN}"
    (found,) = lost.missing([step(ROLE, name="a", policies=[{"policy": arn}], secret="[secret]"), step(ROLE, "same")])
    assert found.inputs == {"name": "a"}
    assert found.resource["protect"]
    assert lost.missing([step(POLICY, bucket="a")]) == ()


@pytest.mark.parametrize(("type_", "compared"), [(ROLE, False), (PARAMETER, False), (KEY, True)])
def test_it_is_known_by_its_name_and_a_key_by_its_description(type_: str, compared: bool) -> None:
    (found,) = lost.missing([step(type_, name="a", description="wanted", insecureValue="1")])
    asked = lost.by_name(found).inputs
    assert same(asked["description"], "as it is") is not compared
    assert not same(asked["name"], "another")
    assert found.inputs["description"] == "wanted", "the state holds what was wanted until the refresh"


def test_what_nobody_can_look_for_is_told() -> None:
    webhook = "aws:codepipeline/webhook:Webhook"
    steps = [step(webhook), step(webhook, "same"), step(POLICY), step(ROLE), step("pulumi:index:Stash")]
    assert POLICY in pending.AGAIN
    assert lost.not_looked_for(steps) == (f"it ({webhook})",)
