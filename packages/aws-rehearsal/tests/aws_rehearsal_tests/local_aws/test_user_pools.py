"""User pools of the local AWS: an update takes back what it does not send, and what a real app does about that."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.export import EnvironmentValues, assemble, read_export
from aws_rehearsal_tests.local_account import LocalAccount
from functional.enforcement.deployed_apps import deployable
from functional.enforcement.execution_role import execution_role
from unit.export.conftest import app_export as app_export  # noqa: PLC0414 - the fixture, for this folder too

# Custom resources run in one process (packages/aws-rehearsal/tests/aws_rehearsal_tests/local_aws/test_functions.py).
pytestmark = pytest.mark.xdist_group("functions")

IN_A_MONTH = int(time.time()) + 30 * 24 * 60 * 60
"""When an API's key expires: AppSync takes a year at most."""

POOL = {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": "people"}}


def triggers(developer: LocalAccount) -> dict[str, Any]:
    cognito = developer.client("cognito-idp")
    (pool,) = cognito.list_user_pools(MaxResults=10)["UserPools"]
    found: dict[str, Any] = cognito.describe_user_pool(UserPoolId=pool["Id"])["UserPool"].get("LambdaConfig", {})
    return found


def test_an_update_by_a_stack_clears_triggers_that_were_set_beside_it(developer: LocalAccount) -> None:
    developer.create({"Resources": {"Pool": POOL}})
    cognito = developer.client("cognito-idp")
    (pool,) = cognito.list_user_pools(MaxResults=10)["UserPools"]
    function = f"arn:aws:lambda:{developer.region}:{developer.account}:function:allow"
    cognito.update_user_pool(UserPoolId=pool["Id"], LambdaConfig={"PreSignUp": function})
    assert triggers(developer) == {"PreSignUp": function}
    message = {"EmailVerificationMessage": "Your code: {####}"}
    changed = {**POOL, "Properties": {**POOL["Properties"], **message}}  # type: ignore[dict-item]
    assert developer.update({"Resources": {"Pool": changed}})["StackStatus"] == "UPDATE_COMPLETE"
    assert triggers(developer) == {}


def test_a_trigger_runs_where_its_function_lets_the_pool_in(developer: LocalAccount) -> None:
    cognito, functions = developer.client("cognito-idp"), developer.client("lambda")
    role = execution_role(developer, name="trigger", trusted="lambda")
    code = BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", "def handler(event, _):\n    return event\n")
    made = functions.create_function(
        FunctionName="trigger",
        Runtime="python3.13",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": code.getvalue()},
    )
    pool = cognito.create_user_pool(PoolName="people", LambdaConfig={"PreSignUp": made["FunctionArn"]})["UserPool"]
    client = cognito.create_user_pool_client(UserPoolId=pool["Id"], ClientName="app")["UserPoolClient"]["ClientId"]

    def sign_up(name: str) -> None:
        cognito.sign_up(ClientId=client, Username=name, Password="Passw0rd!x")

    def let_in(sid: str, source: str) -> None:
        functions.add_permission(
            FunctionName="trigger",
            StatementId=sid,
            Action="lambda:InvokeFunction",
            Principal="cognito-idp.amazonaws.com",
            SourceArn=source,
        )

    refused = "UnexpectedLambdaException.*PreSignUp invocation failed due to error AccessDeniedException"
    with pytest.raises(ClientError, match=refused):
        sign_up("ann")
    let_in("another", f"{pool['Arn']}x")
    with pytest.raises(ClientError, match=refused):
        sign_up("ann")
    let_in("own", pool["Arn"])
    sign_up("ann")


def test_a_real_apps_allow_list_outlives_an_update_of_its_pool(
    developer: LocalAccount, app_export: Callable[[str, str], Path]
) -> None:
    """The app's own custom resource, with its own code."""
    assembly = assemble(read_export(app_export("fitness-tracker", "as-pushed-AD206-remedied")))

    def root(message: str) -> tuple[str, str]:
        auth = next(name for name in assembly.root.nested if name.startswith("authfitness"))
        parameters = {auth: {"emailVerificationMessage": message}}
        return deployable(developer, assembly, EnvironmentValues("copy", IN_A_MONTH, parameters=parameters))

    url, name = root("{####} is your code")
    assert developer.create(url, name)["StackStatus"] == "CREATE_COMPLETE", developer.reasons(name)
    before = triggers(developer)
    assert list(before) == ["PreSignUp"]
    assert developer.update(*root("Your code: {####}"))["StackStatus"] == "UPDATE_COMPLETE", developer.reasons(name)
    (pool,) = developer.client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"]
    found = developer.client("cognito-idp").describe_user_pool(UserPoolId=pool["Id"])["UserPool"]
    assert found["EmailVerificationMessage"] == "Your code: {####}"
    assert triggers(developer) == before


CREDENTIALS = json.dumps(
    [{"ProviderName": name, "client_id": "id", "client_secret": "made-up"} for name in ("Facebook", "Google")]
)


@pytest.mark.parametrize("supplied", [False, True])
def test_a_real_app_with_social_sign_in_needs_the_secrets_that_its_export_lacks(
    supplied: bool, developer: LocalAccount, app_export: Callable[[str, str], Path]
) -> None:
    """The app's own function makes the providers that the app's clients list."""
    secret = ("authmediavault1f08412d", "hostedUIProviderCreds")
    secrets = frozenset({secret} if supplied else ())
    assembly = assemble(read_export(app_export("media-vault", "recompiled")), secrets)
    url, name = deployable(developer, assembly, EnvironmentValues("copy", IN_A_MONTH, secrets=secrets), CREDENTIALS)

    stack = developer.create(url, name)
    if supplied:
        assert stack["StackStatus"] == "CREATE_COMPLETE", developer.reasons(name)
    else:
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
        (auth,) = [c["StackName"] for c in developer.children() if "authmediavault" in c["StackName"]]
        assert "The provider Facebook does not exist for User Pool" in str(developer.reasons(auth))
