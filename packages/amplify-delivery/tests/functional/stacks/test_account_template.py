"""The CloudFormation template of an account, deployed as a StackSet would deploy it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amplify_delivery.components import lost_state
from amplify_delivery.components.documents.environment import ACCOUNT_VERSION
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.components.lost_state import Runs
from amplify_delivery.delivery.adoption import lost
from amplify_delivery.delivery.bootstrap.account_stacks import account_stacks, template
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.errors import RefusedError
from amplify_delivery.stacks.config import Project
from aws_rehearsal_tests.local_account import LocalAccount
from unit.stacks.projects import APP, make, write


def test_it_is_deployed_with_its_parameters(
    tmp_path: Path, developer: LocalAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, 1)
    place = {"account": developer.account, "region": developer.region, "bootstrapped": "true", "suffix": "a8d04"}
    write(tmp_path, "preprod", place)
    project = Project(tmp_path)
    found = template(project, account_stacks(project, ["preprod"]))
    url = developer.upload("account.json", json.dumps(found.template))
    given = [{"ParameterKey": k, "ParameterValue": v} for k, v in found.parameters["preprod"].items()]
    given = [p for p in given if p["ParameterKey"] in found.template["Parameters"]]
    stack = developer.create(url, "amplify-delivery-account", Parameters=given)
    assert stack["StackStatus"] == "CREATE_COMPLETE", developer.reasons("amplify-delivery-account")
    names = EnvironmentNames(APP, developer.account, developer.region, "preprod")
    version = developer.client("ssm").get_parameter(Name=names.version_parameter)["Parameter"]["Value"]
    assert version == str(ACCOUNT_VERSION)
    role = developer.client("iam").get_role(RoleName=names.action_role)["Role"]
    assert role["Arn"] == names.action_role_arn
    key = developer.client("kms").describe_key(KeyId=names.state_key_alias)["KeyMetadata"]["Arn"]
    inline = developer.client("iam").get_role_policy(RoleName=names.project_role("deploy"), PolicyName="deploy")
    assert key in json.dumps(inline["PolicyDocument"])

    # It has an owner: neither made a second time by an account's stack nor taken in by one whose state is lost.
    runs = lost_state.bootstrapped(developer.client, names)
    assert runs
    assert runs.stack == "amplify-delivery-account"
    write(tmp_path, "preprod-account", {"program": "account"})
    for variable, value in developer.environment.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(RefusedError, match="the CloudFormation stack amplify-delivery-account has made it") as error:
        lost.take_in("preprod-account", Context(tmp_path, {}), Patience(0), lambda _: None)
    assert "adopt" not in error.value.remedy
    # What an account's own stack makes has none.
    own = EnvironmentNames(APP, developer.account, developer.region, "own")
    developer.client("ssm").put_parameter(Name=own.version_parameter, Value="3", Type="String")
    assert lost_state.bootstrapped(developer.client, own) == Runs(f"what bootstraps own ({own.version_parameter})")
