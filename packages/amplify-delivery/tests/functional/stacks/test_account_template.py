"""The CloudFormation template of an account, deployed as a StackSet would deploy it."""

from __future__ import annotations

import json
from pathlib import Path

from amplify_delivery.components.documents.environment import ACCOUNT_VERSION
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.deployment.bootstrapping import account_stacks, template
from amplify_delivery.stacks.config import Project
from aws_rehearsal_tests.local_account import LocalAccount
from unit.stacks.projects import APP, make, write


def test_it_is_deployed_with_its_parameters(tmp_path: Path, developer: LocalAccount) -> None:
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
