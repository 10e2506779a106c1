"""Users of an app that runs can sign in to AWS after every update of the auth roles, also after one that failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.deployment.execution import auth_trust
from amplify_delivery.errors import RefusedError
from amplify_delivery.export import EnvironmentValues, RootStack, assemble, read_export, render_root
from amplify_delivery.export.assembling.auth_roles import IDENTITY_POOL
from amplify_delivery.export.templates.boundary import PERMISSIONS_BOUNDARY
from aws_rehearsal.local_aws import LocalAws, random_account
from aws_rehearsal_tests.local_account import LocalAccount
from functional.adoption.pushed_apps import PushedApp, key_expires, running

AUD = "cognito-identity.amazonaws.com:aud"


@pytest.fixture(scope="module")
def pushed(local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> tuple[PushedApp, LocalAccount]:
    app = PushedApp.unpack("discussions", tmp_path_factory.mktemp("discussions"))
    account = random_account()
    there = LocalAccount(local_aws, account, local_aws.make_admin(account), app.region)
    app.bring(there.client)
    return app, there


@pytest.fixture
def account(pushed: tuple[PushedApp, LocalAccount], monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    _, there = pushed
    for name, value in there.environment.items():
        monkeypatch.setenv(name, value)
    yield Account(there.account, there.region)


def boundary(there: LocalAccount, name: str) -> str:
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    made = there.client("iam").create_policy(PolicyName=name, PolicyDocument=json.dumps(everything))
    return str(made["Policy"]["Arn"])


def root_of(app: PushedApp, there: LocalAccount, boundary: str, pool: str) -> RootStack:
    """The root as we deploy it, all that it names published."""
    assembly = assemble(read_export(app.export("as-pushed")))
    suffix = app.stack_name.split("-")[3]
    given = {"root": {IDENTITY_POOL: pool}} if pool else {}
    values = EnvironmentValues(app.environment, key_expires(), suffix, parameters=given, permissions_boundary=boundary)
    root = render_root(assembly, values, there.bucket())
    for item in assembly.objects:
        there.client("s3").put_object(Bucket=there.bucket(), Key=item.key, Body=assembly.read(item.key))
    return root


def update(there: LocalAccount, root: RootStack, template: Any) -> str:
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in root.parameters.items()]
    url = there.upload("root.json", template)
    return str(there.update(url, root.stack_name, Parameters=given)["StackStatus"])


@pytest.mark.large
def test_the_auth_roles_trust_outlives_updates(
    pushed: tuple[PushedApp, LocalAccount], account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    app, there = pushed
    before = running(there.client, app.stack_name)
    assert {s["Effect"] for trust in before.trust.values() for s in trust["Statement"]} == {"Allow"}

    (pool,) = {s["Condition"]["StringEquals"][AUD] for trust in before.trust.values() for s in trust["Statement"]}

    # An update that fails after the roles: rolled back, they have what the template says, which nobody sets again.
    root = root_of(app, there, boundary(there, "first"), pool)
    there.client("iam").create_role(RoleName="taken", AssumeRolePolicyDocument=json.dumps(before.trust["AuthRole"]))
    role = {"RoleName": "taken", "AssumeRolePolicyDocument": before.trust["AuthRole"]}
    failing = {"Type": "AWS::IAM::Role", "DependsOn": ["AuthRole", "UnauthRole"], "Properties": role}
    broken = {**root.template, "Resources": {**root.template["Resources"], "Failing": failing}}
    lost: list[Any] = []
    with pytest.raises(RefusedError, match="rolled back"), auth_trust.kept(account, root):
        assert update(there, root, broken) == "UPDATE_ROLLBACK_COMPLETE"
        lost.append(running(there.client, app.stack_name).trust)
        raise RefusedError("rolled back")
    assert lost != [before.trust]
    assert running(there.client, app.stack_name).trust == before.trust
    assert capsys.readouterr().err.count("put back as it was") == 2

    # One that succeeds writes the true trust: at no time is there another.
    with auth_trust.kept(account, root):
        assert update(there, root, root.template) == "UPDATE_COMPLETE"
        assert running(there.client, app.stack_name).trust == before.trust
    again = replace(root, parameters={**root.parameters, PERMISSIONS_BOUNDARY: boundary(there, "second")})
    assert update(there, again, root.template) == "UPDATE_COMPLETE"
    assert running(there.client, app.stack_name).trust == before.trust
    assert "put back" not in capsys.readouterr().err

    # Without the pool the template's is written, and then put back.
    unknown = root_of(app, there, boundary(there, "third"), "")
    with auth_trust.kept(account, unknown):
        assert update(there, unknown, unknown.template) == "UPDATE_COMPLETE"
        assert running(there.client, app.stack_name).trust != before.trust
    assert running(there.client, app.stack_name).trust == before.trust
