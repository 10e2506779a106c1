"""An account and its pipeline, both declared by a program in YAML: the real engine, against a local AWS that a pipeline
service has joined. It makes what the documents say, whose text unit tests compare with that of stack files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.environment import ACCOUNT_VERSION
from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.statements import role_trust
from aws_rehearsal_tests.conftest import pulumi_home  # noqa: F401 - a fixture
from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.pulumi_project import PulumiProject
from functional.stacks.test_engine_pipeline import alias_delay, service, tooling  # noqa: F401 - fixtures
from functional.stacks.test_packaged import APP, in_yaml, package, write  # noqa: F401 - fixtures

pytestmark = pytest.mark.engine

STAGE = {"name": "Dev", "approval": {}, "post": [{"name": "test", "commands": ["true"], "timeout": "2h"}]}


@pytest.fixture
def project(pulumi_home: dict[str, str], tooling: LocalAccount, tmp_path: Path) -> PulumiProject:  # noqa: F811
    """In the account that has CodeBuild and CodePipeline."""
    return PulumiProject.make(tmp_path, pulumi_home, tooling)


def declare(project: PulumiProject, package: Path, account: dict[str, Any], pipeline: dict[str, Any]) -> None:  # noqa: F811
    """As docs/other-languages.md has it, with further properties of each."""
    place = {"account": project.developer.account, "region": project.developer.region}
    connection = f"arn:aws:codeconnections:{place['region']}:{place['account']}:connection/5e6f7a8b"
    resources = {
        "account": {
            "type": "amplify-delivery:TargetAccount",
            "properties": {
                **place,
                "environment": "dev",
                "pipeline": {"name": "pipeline", **place},
                "stage": STAGE,
                "protect": False,
                **account,
            },
        },
        "pipeline": {
            "type": "amplify-delivery:DeliveryPipeline",
            "properties": {
                **place,
                "app": APP,
                "environments": [{"environment": "dev", **place}],
                "source": {"connection": connection, "repository": "example/app"},
                "stages": [STAGE],
                "protect": False,
                **pipeline,
            },
            "options": {"dependsOn": ["${account}"]},
        },
    }
    write(project, package, resources, ("pipelineName", "pipelineRoleArn", "artifactBuckets", "topicArn"))


def test_both_are_made_and_made_again_without_a_change(in_yaml: PulumiProject, package: Path) -> None:  # noqa: F811
    account, region = in_yaml.developer.account, in_yaml.developer.region
    aws = in_yaml.developer.client
    in_yaml.init_with_key("dev")
    declare(in_yaml, package, {"pipeline": {"name": "pipeline", "account": "1234", "region": region}}, {})
    assert "pipeline.account: '1234' is not an AWS account, which has 12 digits" in " ".join(in_yaml.fail().split())
    declare(in_yaml, package, {}, {"environments": []})
    assert "a stage deploys dev, and nobody says where it lies" in " ".join(in_yaml.fail().split())

    declare(in_yaml, package, {}, {})
    in_yaml.up()
    names, of_pipeline = EnvironmentNames(APP, account, region, "dev"), PipelineNames(APP, account, region)
    outputs = in_yaml.outputs()
    assert outputs["pipelineName"] == of_pipeline.pipeline
    assert outputs["pipelineRoleArn"] == of_pipeline.role_arn()
    assert outputs["artifactBuckets"] == {region: of_pipeline.artifact_bucket(region)}
    assert outputs.get("topicArn") is None
    version = aws("ssm").get_parameter(Name=names.version_parameter)["Parameter"]["Value"]
    assert version == str(ACCOUNT_VERSION)
    action_role = aws("iam").get_role(RoleName=names.action_role)["Role"]
    assert action_role["AssumeRolePolicyDocument"] == role_trust(of_pipeline.role_arn())
    projects = [names.project("check"), of_pipeline.project("build")]
    check, build = aws("codebuild").batch_get_projects(names=projects)["projects"]
    assert check["timeoutInMinutes"] == 2 * 60 + 15
    assert "> Pulumi.pipeline.yaml" in build["source"]["buildspec"]
    pipeline = aws("codepipeline").get_pipeline(name=of_pipeline.pipeline)["pipeline"]
    stages = [stage["name"] for stage in pipeline["stages"]]
    assert stages == ["Source", "Build", "PublishAssets", "Dev-Plan", "Dev-Approve", "Dev"]

    steps = json.loads(in_yaml.succeed("preview", "--json"))["changeSummary"]
    assert set(steps) == {"same"}
    declare(in_yaml, package, {"region": "us-west-2"}, {})
    assert "region is 'us-west-2' now, but this stack was deployed with" in in_yaml.fail()
    declare(in_yaml, package, {}, {})
    in_yaml.succeed("destroy", "--yes", "--skip-preview")
    assert aws("iam").list_roles(PathPrefix="/amplify-delivery/")["Roles"] == []
