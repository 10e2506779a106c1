"""Termination protection of the root stack: a step of the plan, and a call of its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.delivery.deployment.execution.protecting import carry_out
from amplify_delivery.delivery.planning import ProtectStack, protection
from amplify_delivery.delivery.planning.covered import Covered
from amplify_delivery.errors import FailedError


class CloudFormation:
    """Remembers what it is asked for, or denies it."""

    def __init__(self, *, denied: bool = False) -> None:
        self.denied = denied
        self.asked: list[dict[str, Any]] = []

    def update_termination_protection(self, **request: Any) -> None:
        if self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "UpdateTerminationProtection")
        self.asked.append(request)


def target(cloudformation: CloudFormation) -> Any:
    return SimpleNamespace(
        root=SimpleNamespace(stack_name="amplify-app-prod-1"),
        config=SimpleNamespace(region="eu-west-1"),
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


@pytest.mark.parametrize(("on", "option"), [(True, "--enable-"), (False, "--no-enable-")])
def test_where_it_is_denied_the_rest_is_deployed(on: bool, option: str) -> None:
    with pytest.raises(FailedError, match="everything is deployed, but") as caught:
        carry_out(target(CloudFormation(denied=True)), (ProtectStack(on),))
    assert (
        f"{option}termination-protection --stack-name amplify-app-prod-1 --region eu-west-1 --profile prod`"
        in caught.value.remedy
    )


def test_a_retry_may_do_what_was_approved_of_it() -> None:
    approved = [ProtectStack(True).to_json()]
    assert ProtectStack(True) in Covered(approved)
    assert ProtectStack(False) not in Covered(approved)
