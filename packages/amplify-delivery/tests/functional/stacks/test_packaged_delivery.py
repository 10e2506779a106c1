"""An account and its pipeline, both declared by a program in YAML, and a release that goes through: the real engine,
against a local AWS that a pipeline service has joined. It makes what the documents say, whose text unit tests compare
with that of stack files; the rest of a delivery is the story's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.environment import ACCOUNT_VERSION
from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.pipeline import artifact
from amplify_delivery.components.documents.statements import role_trust
from aws_rehearsal.pipeline_service import PipelineService
from aws_rehearsal_tests.conftest import pulumi_home  # noqa: F401 - a fixture
from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.pulumi_project import PulumiProject
from functional.stacks.test_engine_chain import repository, spec, told
from functional.stacks.test_engine_pipeline import alias_delay, service, tooling  # noqa: F401 - fixtures
from functional.stacks.test_packaged import APP, in_yaml, package, write  # noqa: F401 - fixtures

pytestmark = pytest.mark.engine

REPO = "example/app"
STEP = {
    "name": "test",
    "commands": ['test "$COLOUR" = "it\'s blue"', 'test "$(cat release.txt)" = one'],
    "env": {"COLOUR": "it's blue"},
    "timeout": "2h",
}
STAGE = {"name": "Dev", "post": [STEP]}


@pytest.fixture
def project(pulumi_home: dict[str, str], tooling: LocalAccount, tmp_path: Path) -> PulumiProject:  # noqa: F811
    """In the account that has CodeBuild and CodePipeline."""
    return PulumiProject.make(tmp_path, pulumi_home, tooling)


def connection(project: PulumiProject) -> str:
    return f"arn:aws:codeconnections:{project.developer.region}:{project.developer.account}:connection/5e6f7a8b"


def commit(folder: Path, project: PulumiProject) -> None:
    """What is delivered: a project with its environment's file, and without its pipeline's."""
    place = {"account": project.developer.account, "region": project.developer.region}
    (folder / "Pulumi.yaml").write_text(f"name: {APP}\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text(json.dumps({"config": {**place, "bootstrapped": "true"}}))


def shorten(aws: Any, names: EnvironmentNames, of_pipeline: PipelineNames) -> None:
    """Nothing is installed, planned or deployed: Build puts the pipeline's file and seals, everything else verifies,
    and a step is run by the very command."""
    (build,) = aws.batch_get_projects(names=[of_pipeline.project("build")])["projects"]
    put, _ = json.loads(build["source"]["buildspec"])["phases"]["build"]["commands"]
    step = f'{sys.executable} -m amplify_delivery step "$ENVIRONMENT" "$STEP_NAME"'
    specs = {
        of_pipeline.project("build"): spec(put, artifact.seal(), exports=(artifact.VARIABLE,), files=True),
        names.project("publish"): spec(artifact.verify()),
        names.project("plan"): spec(
            artifact.verify(), "export CHANGES=1 PLAN_DIGEST=p", exports=("CHANGES", "PLAN_DIGEST")
        ),
        names.project("deploy"): spec(artifact.verify()),
        names.project("check"): spec(artifact.verify(), step),
    }
    for name, text in specs.items():
        aws.update_project(name=name, source={"type": "CODEPIPELINE", "buildspec": text})


def empty(s3: Any, bucket: str) -> None:
    """Without what the pipeline has left there, the engine may delete it."""
    found = s3.list_object_versions(Bucket=bucket).get("Versions", ())
    objects = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in found]
    s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})


def declare(project: PulumiProject, package: Path, account: dict[str, Any], pipeline: dict[str, Any]) -> None:  # noqa: F811
    """As docs/other-languages.md has it, with further properties of each."""
    place = {"account": project.developer.account, "region": project.developer.region}
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
                "source": {"connection": connection(project), "repository": REPO},
                "stages": [STAGE],
                "protect": False,
                **pipeline,
            },
            "options": {"dependsOn": ["${account}"]},
        },
    }
    write(project, package, resources, ("pipelineName", "pipelineRoleArn", "artifactBuckets", "topicArn"))


def test_both_are_made_and_a_release_goes_through(
    in_yaml: PulumiProject,  # noqa: F811
    package: Path,  # noqa: F811
    service: PipelineService,  # noqa: F811
    tmp_path: Path,
) -> None:
    host = repository(tmp_path, lambda work: commit(work, in_yaml))
    service.repository(connection(in_yaml), REPO, host)
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
    assert stages == ["Source", "Build", "PublishAssets", "Dev-Plan", "Dev"]

    steps = json.loads(in_yaml.succeed("preview", "--json"))["changeSummary"]
    assert set(steps) == {"same"}
    declare(in_yaml, package, {"region": "us-west-2"}, {})
    assert "region is 'us-west-2' now, but this stack was deployed with" in in_yaml.fail()
    declare(in_yaml, package, {}, {})

    for execution in service.executions(of_pipeline.pipeline, account):
        service.wait(execution.id, 120)  # its first one cannot install what is not there
    shorten(aws("codebuild"), names, of_pipeline)
    started = aws("codepipeline").start_pipeline_execution(name=of_pipeline.pipeline)
    done = service.wait(started["pipelineExecutionId"], 120)
    assert done.status == "Succeeded", told(done)
    assert done.history[-1].action.name == "test-dev"

    empty(aws("s3"), of_pipeline.artifact_bucket(region))
    in_yaml.succeed("destroy", "--yes", "--skip-preview")
    assert aws("iam").list_roles(PathPrefix="/amplify-delivery/")["Roles"] == []
