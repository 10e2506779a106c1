"""When the trust of an auth role counts as lost, and that it is put back."""

from __future__ import annotations

import copy
import json
import shlex
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.changes import deployed
from amplify_delivery.changes.amplify import auth_trust
from amplify_delivery.changes.amplify.auth_trust import lost, now_for
from amplify_delivery.delivery.deployment.execution import auth_trust as around
from amplify_delivery.delivery.deployment.execution import carrying_out
from amplify_delivery.delivery.deployment.execution.auth_trust import kept
from amplify_delivery.errors import FailedError, PluginLostError, RefusedError
from aws_rehearsal_tests.clock import Clock

POOL = "eu-central-1:11111111-2222-3333-4444-555555555555"


def trust(effect: str = "Allow", pool: str | list[str] = POOL, action: Any = "sts:AssumeRoleWithWebIdentity") -> Any:
    statement: dict[str, Any] = {
        "Effect": effect,
        "Principal": {"Federated": "cognito-identity.amazonaws.com"},
        "Action": action,
    }
    if effect == "Allow":
        statement["Condition"] = {"StringEquals": {"cognito-identity.amazonaws.com:aud": pool}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_a_trust_that_denies_everybody_is_lost() -> None:
    assert lost(trust(), trust("Deny"))
    assert lost({**trust(), "Statement": trust()["Statement"][0]}, trust("Deny"))


def test_what_somebody_has_added_for_the_same_pool_is_lost() -> None:
    more = trust(action=["sts:AssumeRoleWithWebIdentity", "sts:TagSession"])
    assert lost(more, trust())


def test_the_same_trust_is_not_lost() -> None:
    assert not lost(trust(), copy.deepcopy(trust()))


def test_another_pool_is_another_wish() -> None:
    assert not lost(trust(), trust(pool=f"{POOL}x"))


def test_nothing_is_lost_of_a_trust_that_let_nobody_in() -> None:
    assert not lost(trust("Deny"), trust())
    assert not lost(trust("Deny"), trust("Deny"))
    assert not lost({}, trust("Deny"))


def test_it_is_put_back_for_the_pool_that_there_is_now() -> None:
    other = f"{POOL}x"
    assert now_for(trust(), other) == trust(pool=other)
    assert now_for(trust(), POOL) == now_for(trust(), "") == trust()
    several = trust(pool=[POOL, other])
    assert now_for(several, "third") == several
    assert now_for(trust("Deny"), other) == trust("Deny")


class Iam:
    """Auth roles, whose trust CloudFormation loses; what was written back. With `roles` each has a name of its own."""

    place, options = "account", "--region eu-west-1"

    def __init__(self, *, roles: bool = False) -> None:
        self.trust, self.written = trust(), list[str]()
        self.denied, self._roles = "", roles
        self.outputs = list[dict[str, str]]()
        self.at_work = list[bool]()
        """Of each look at the stack to come, whether it is in the middle of its update; with the last one it ends, and
        has written the template's trust."""

    def client(self, _: str) -> Iam:
        return self

    def describe_stack_resource(self, **given: str) -> dict[str, Any]:
        return {"StackResourceDetail": {"PhysicalResourceId": given["LogicalResourceId"] if self._roles else "role"}}

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        if self.at_work and not self.at_work.pop(0):
            self.trust = trust("Deny")
        status = "UPDATE_IN_PROGRESS" if self.at_work else "UPDATE_COMPLETE"
        return {"Stacks": [{"StackStatus": status, "Outputs": self.outputs}]}

    def get_role(self, RoleName: str) -> dict[str, Any]:  # noqa: N803 - as boto3 calls it
        return {"Role": {"RoleName": RoleName, "AssumeRolePolicyDocument": self.trust}}

    def update_assume_role_policy(self, RoleName: str, PolicyDocument: str) -> None:  # noqa: N803
        if RoleName == self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "UpdateAssumeRolePolicy")
        self.written.append(f"{RoleName} {PolicyDocument}")


@pytest.mark.parametrize("ending", [KeyboardInterrupt, RefusedError("no")])
def test_whatever_ends_a_deployment_the_trust_is_put_back(ending: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (auth_trust, around):
        monkeypatch.setattr(module, "setters", lambda _: ("x",))
    monkeypatch.setattr(auth_trust, "auth_roles", lambda _: ("AuthRole",))
    iam: Any = Iam()
    root: Any = SimpleNamespace(template={"Resources": {}}, stack_name="app", outputs={})
    with pytest.raises(type(ending) if isinstance(ending, Exception) else ending), kept(iam, root):
        iam.trust = trust("Deny")
        raise ending
    assert iam.written == [f"role {json.dumps(trust())}"]


def test_it_is_not_looked_at_before_cloudformation_has_ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whose plugin was lost has an answer while CloudFormation still works: what it writes then would stay."""
    for module in (auth_trust, around):
        monkeypatch.setattr(module, "setters", lambda _: ("x",))
    monkeypatch.setattr(auth_trust, "auth_roles", lambda _: ("AuthRole",))
    Clock(monkeypatch, deployed)
    iam: Any = Iam()
    root: Any = SimpleNamespace(template={"Resources": {}}, stack_name="app", outputs={})
    with pytest.raises(PluginLostError), kept(iam, root):
        iam.at_work = [True, True, False]
        raise PluginLostError("lost")
    assert iam.written == [f"role {json.dumps(trust())}"]
    # It may take hours, and nobody would know what for.
    (waiting, *_) = [line for line in capsys.readouterr().err.splitlines() if "waiting" in line]
    assert "then the auth roles' trust is looked at" in waiting


def test_where_one_role_may_not_be_written_the_other_ones_trust_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (auth_trust, around):
        monkeypatch.setattr(module, "setters", lambda _: ("x",))
    monkeypatch.setattr(auth_trust, "auth_roles", lambda _: ("AuthRole", "UnauthRole"))
    iam: Any = Iam(roles=True)
    root: Any = SimpleNamespace(template={"Resources": {}}, stack_name="app", outputs={})
    told = pytest.raises(FailedError, match="the trust of AuthRole was lost, and cannot be put back")
    with told as caught, kept(iam, root):
        iam.trust = trust("Deny")
        iam.denied = "AuthRole"
    assert iam.written == [f"UnauthRole {json.dumps(trust())}"]
    assert "--role-name AuthRole" in caught.value.remedy
    assert "UnauthRole" not in caught.value.remedy


RESOURCES = {
    role: {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Ref": f"{role}Name"}, "AssumeRolePolicyDocument": t}}
    for role, t in (("AuthRole", trust("Deny")), ("UnauthRole", trust("Deny")))
} | {
    "Update": {
        "Type": "Custom::LambdaCallout",
        "Properties": {
            "idpId": "p",
            "authRoleName": {"Ref": "AuthRoleName"},
            "unauthRoleName": {"Ref": "UnauthRoleName"},
        },
    }
}


def test_the_next_run_says_which_role_lets_nobody_in_and_what_opens_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Its plan is empty: template and parameters are as they should be."""
    iam: Any = Iam(roles=True)
    iam.outputs = [{"OutputKey": "authPool", "OutputValue": POOL}]
    root: Any = SimpleNamespace(
        template={"Resources": RESOURCES}, stack_name="app", outputs={("authapp", "IdentityPoolId"): "authPool"}
    )
    target, empty = SimpleNamespace(account=iam, root=root), SimpleNamespace(steps=())
    assert carrying_out.carry_out(None, empty, "d", target) == {}  # type: ignore[arg-type]
    assert capsys.readouterr().err == ""
    iam.trust = trust("Deny")
    assert carrying_out.carry_out(None, empty, "d", target) == {}  # type: ignore[arg-type]
    told = capsys.readouterr().err
    for role, users in (("AuthRole", "authenticated"), ("UnauthRole", "unauthenticated")):
        (command,) = [c for c in told.split("`") if f"--role-name {role} " in c]
        words = shlex.split(command)
        given = json.loads(words[words.index("--policy-document") + 1])["Statement"][0]
        assert given["Effect"] == "Allow"
        assert given["Condition"]["StringEquals"] == {"cognito-identity.amazonaws.com:aud": POOL}
        assert given["Condition"]["ForAnyValue:StringLike"] == {"cognito-identity.amazonaws.com:amr": users}
    assert iam.written == []
