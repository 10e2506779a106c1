"""What an account denies while roles of the backend have no boundary."""

from __future__ import annotations

import pytest

from amplify_delivery.changes.steps import AddResource, ChangeResource, RemoveResource, Step
from amplify_delivery.delivery.account import rights_check
from amplify_delivery.delivery.planning.unbounded import denied
from amplify_delivery.errors import RefusedError
from amplify_delivery.stacks.config import EnvironmentConfig

ROLE, POLICY, MANAGED = "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"
PATH = ("functionfetch", "LambdaExecutionRole")


@pytest.mark.parametrize(
    ("step", "is_denied"),
    [
        (AddResource(PATH, ROLE, ""), True),
        (AddResource(PATH, POLICY, ""), True),
        (AddResource(PATH, "AWS::Lambda::Function", ""), False),
        (ChangeResource(PATH, ROLE, ("Policies",), ""), True),
        (ChangeResource(PATH, ROLE, ("PermissionsBoundary",), ""), True),
        (ChangeResource(PATH, ROLE, ("AssumeRolePolicyDocument",), ""), True),
        (ChangeResource(("AuthRole",), ROLE, ("AssumeRolePolicyDocument",), ""), False),
        (ChangeResource(("AuthRole",), ROLE, ("AssumeRolePolicyDocument", "Policies"), ""), True),
        (ChangeResource(PATH, ROLE, ("Tags",), ""), False),
        (ChangeResource(PATH, POLICY, ("PolicyDocument",), ""), True),
        (ChangeResource(PATH, MANAGED, ("PolicyDocument",), ""), False),
        (ChangeResource(PATH, MANAGED, ("Roles",), ""), True),
        (RemoveResource(PATH, ROLE, kept=False, loss=""), True),
        (RemoveResource(PATH, ROLE, kept=True, loss=""), False),
    ],
)
def test_what_gives_a_role_rights_is_denied_without_the_boundary(step: Step, is_denied: bool) -> None:
    assert denied([step]) == ((step.place,) if is_denied else ())


def test_a_plan_that_would_is_refused_until_the_roles_have_it() -> None:
    config = EnvironmentConfig(
        account="012345678901", region="eu-west-1", environment="prod", bootstrapped=True, boundary=False
    )
    steps = [ChangeResource(PATH, ROLE, ("Policies",), "")]
    with pytest.raises(RefusedError, match=r"(?s)these have none yet.*functionfetch/LambdaExecutionRole") as caught:
        rights_check.check_unbounded(steps, config)
    assert "`pulumi config rm boundary`" in caught.value.remedy
    rights_check.check_unbounded([], config)
    for more in (
        {"boundary": True},
        {"bootstrapped": False},
        {"execution_role_arn": "arn:aws:iam::012345678901:role/a"},
    ):
        rights_check.check_unbounded(steps, config.model_copy(update=more))
