"""Termination protection of the root stack: a step of the plan, and a call of its own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.delivery.deployment.execution.protecting import carry_out
from amplify_delivery.delivery.planning import ProtectStack, protection
from amplify_delivery.delivery.planning.covered import Covered
from amplify_delivery.errors import FailedError
from amplify_delivery.publishing import termination
from amplify_delivery.stacks.config.environment import model_of


class CloudFormation:
    """Remembers what it is asked for, or denies it."""

    def __init__(self, *, denied: bool = False, on: bool | None = False) -> None:
        self.denied, self.on = denied, on
        self.asked: list[dict[str, Any]] = []

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - as boto3 calls it
        assert StackName == "amplify-app-prod-1"
        if self.on is None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeStacks")
        return {"Stacks": [{"EnableTerminationProtection": self.on}]}

    def update_termination_protection(self, **request: Any) -> None:
        if self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "UpdateTerminationProtection")
        self.asked.append(request)


def target(cloudformation: CloudFormation, production: bool | None = None) -> Any:
    return SimpleNamespace(
        root=SimpleNamespace(stack_name="amplify-app-prod-1"),
        config=SimpleNamespace(region="eu-west-1", production=production),
        account=SimpleNamespace(client=lambda _: cloudformation, options="--region eu-west-1 --profile prod"),
    )


@pytest.mark.parametrize(
    ("protected", "production", "on"),
    [
        (False, None, None),
        (True, None, None),
        (False, True, True),
        (True, True, None),
        (True, False, False),
        (False, False, None),
    ],
)
def test_it_is_a_step_where_it_is_not_so_yet(protected: bool, production: bool | None, on: bool | None) -> None:
    assert protection(protected, production) == (() if on is None else (ProtectStack(on),))


def test_it_is_done_once() -> None:
    cloudformation = CloudFormation()
    assert carry_out(target(cloudformation), (ProtectStack(True),))
    assert cloudformation.asked == [{"StackName": "amplify-app-prod-1", "EnableTerminationProtection": True}]
    assert not carry_out(target(cloudformation), ())
    assert len(cloudformation.asked) == 1


BY_HAND = "termination-protection --stack-name amplify-app-prod-1 --region eu-west-1 --profile prod`"


def test_where_it_is_denied_in_production_the_rest_is_deployed() -> None:
    with pytest.raises(FailedError, match="everything is deployed, but") as caught:
        carry_out(target(CloudFormation(denied=True), production=True), (ProtectStack(True),))
    assert f"--enable-{BY_HAND}" in caught.value.remedy


@pytest.mark.parametrize(("on", "option"), [(True, "--enable-"), (False, "--no-enable-")])
def test_where_it_is_denied_elsewhere_that_is_said(on: bool, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not carry_out(target(CloudFormation(denied=True)), (ProtectStack(on),))
    said = capsys.readouterr().err
    assert "note: everything is deployed, but" in said
    assert f"{option}{BY_HAND}" in said


@pytest.mark.parametrize(
    ("file", "with_data", "without"),
    [
        ({}, True, False),
        ({"production": "true"}, True, True),
        ({"production": "false"}, True, False),
        ({"protect": "false"}, False, False),
        ({"disposable": "true"}, None, False),
    ],
)
def test_what_it_should_be(file: dict[str, str], with_data: bool | None, without: bool | None) -> None:
    """`protect` of a stack file is the engine's protection, and AWS's: where the engine's ends, AWS's does, or a plain
    `pulumi destroy` would forget a stack that stays."""
    place = {"account": "111111111111", "region": "eu-west-1"}
    config = model_of({**place, **file}, frozenset(), "dev", Path("Pulumi.dev.yaml"))
    assert config.termination_protection(holds_data=True) is with_data
    assert config.termination_protection(holds_data=False) is without


@pytest.mark.parametrize(
    ("now", "on", "denied", "asked", "warned"),
    [
        (True, False, False, [False], 0),
        (None, False, False, [False], 0),
        (False, False, True, [], 0),  # every `pulumi up` of what holds no data comes here, with whatever rights
        (True, False, True, [], 1),
        (False, True, False, [True], 0),
        (False, True, True, [], 1),
    ],
)
def test_what_is_off_is_not_turned_off(
    monkeypatch: pytest.MonkeyPatch, *, now: bool | None, on: bool, denied: bool, asked: list[bool], warned: int
) -> None:
    cloudformation, warnings = CloudFormation(denied=denied, on=now), list[str]()
    monkeypatch.setattr(termination, "clients", lambda _: lambda _: cloudformation)
    termination.try_to_set(target(cloudformation).account, "amplify-app-prod-1", warnings.append, on=on)
    assert [request["EnableTerminationProtection"] for request in cloudformation.asked] == asked
    assert len(warnings) == warned


def test_a_retry_may_do_what_was_approved_of_it() -> None:
    approved = [ProtectStack(True).to_json()]
    assert ProtectStack(True) in Covered(approved)
    assert ProtectStack(False) not in Covered(approved)
    assert ProtectStack(True) in Covered([]), "a first create that was killed had not come to it"
