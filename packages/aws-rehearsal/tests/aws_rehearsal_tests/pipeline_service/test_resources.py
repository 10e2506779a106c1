"""Pipelines and projects that a template declares, and the actions that end a container API's pipeline."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_rehearsal.local_aws import random_account
from aws_rehearsal.pipeline_service import PipelineService
from aws_rehearsal.pipeline_service.builds.builds import Build
from aws_rehearsal.pipeline_service.errors import ActionError
from aws_rehearsal.pipeline_service.pipelines.deployments import images_of, revision_of
from aws_rehearsal_tests.local_account import LocalAccount

NOTIFY = """
const { CodePipeline } = require('@aws-sdk/client-codepipeline');
exports.handler = async ({ 'CodePipeline.job': { id, data } }) => {
  const wanted = data.actionConfiguration.configuration.UserParameters;
  const pipelines = new CodePipeline();
  if (wanted === 'fail') {
    return pipelines.putJobFailureResult({ jobId: id, failureDetails: { type: 'JobFailed', message: 'not today' } });
  }
  await pipelines.putJobSuccessResult({ jobId: id, outputVariables: { said: wanted } });
};
"""
JOBS = ["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"]


@pytest.fixture
def owner(service: PipelineService) -> Iterator[LocalAccount]:
    """A fresh account with a bucket that has an object to begin with."""
    account = random_account()
    local = LocalAccount(service.aws, account, service.aws.make_admin(account))
    s3 = local.client("s3")
    s3.put_bucket_versioning(Bucket=local.bucket(), VersioningConfiguration={"Status": "Enabled"})
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("buildspec.yml", "version: 0.2\nphases: {build: {commands: [docker version]}}\n")
    for key in ("one.zip", "two.zip"):
        s3.put_object(Bucket=local.bucket(), Key=key, Body=content.getvalue())
    yield local
    for pipeline in local.client("codepipeline").list_pipelines()["pipelines"]:
        local.client("codepipeline").delete_pipeline(name=pipeline["name"])


def document(action: Any, **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]}


def role(trusted: str, *allowed: str) -> dict[str, Any]:
    trust = document("sts:AssumeRole", Principal={"Service": f"{trusted}.amazonaws.com"})
    policies = [{"PolicyName": "p", "PolicyDocument": document(list(allowed), Resource="*")}] if allowed else []
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust, "Policies": policies}}


def action(kind: str, owner: str, provider: str, **more: Any) -> dict[str, Any]:
    declared = {"Category": kind, "Owner": owner, "Provider": provider, "Version": "1"}
    return {"Name": provider, "ActionTypeId": declared, **more}


def source(local: LocalAccount, key: str) -> dict[str, Any]:
    place = {"S3Bucket": local.bucket(), "S3ObjectKey": key}
    return action("Source", "AWS", "S3", Configuration=place, OutputArtifacts=[{"Name": "Made"}])


def pipeline(local: LocalAccount, last: dict[str, Any], key: str = "one.zip") -> dict[str, Any]:
    stages = [{"Name": "Source", "Actions": [source(local, key)]}, {"Name": "Last", "Actions": [last]}]
    properties = {
        "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        "ArtifactStore": {"Type": "S3", "Location": local.bucket()},
        "Stages": stages,
    }
    return {"Type": "AWS::CodePipeline::Pipeline", "Properties": properties}


APPROVAL = action("Approval", "AWS", "Manual")


def names(local: LocalAccount) -> list[str]:
    return [found["name"] for found in local.client("codepipeline").list_pipelines()["pipelines"]]


def test_a_declared_pipeline_is_made_changed_and_deleted(service: PipelineService, owner: LocalAccount) -> None:
    given = {"Role": role("codepipeline", "s3:*"), "Pipeline": pipeline(owner, APPROVAL)}
    assert owner.create({"Resources": given})["StackStatus"] == "CREATE_COMPLETE", owner.reasons()
    (name,) = names(owner)
    assert name.startswith("stack-Pipeline-")
    (first,) = service.executions(name, owner.account)
    assert first.trigger[0] == "CreatePipeline"

    again = {**given, "Pipeline": pipeline(owner, APPROVAL, "two.zip")}
    assert owner.update({"Resources": again})["StackStatus"] == "UPDATE_COMPLETE", owner.reasons()
    assert names(owner) == [name]
    # Its source polls: another object is another revision.
    assert [e.trigger[0] for e in service.executions(name, owner.account)] == ["CreatePipeline", "PollForSourceChanges"]
    assert owner.delete()["StackStatus"] == "DELETE_COMPLETE"
    assert names(owner) == []


def test_what_codepipeline_refuses_fails_the_resource(owner: LocalAccount) -> None:
    given = {"Role": role("lambda"), "Pipeline": pipeline(owner, APPROVAL)}
    assert owner.create({"Resources": given})["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "is not authorized to perform AssumeRole on role" in owner.reasons()["Pipeline"]
    assert names(owner) == []


@pytest.mark.parametrize(("asked", "status"), [("well done", "Succeeded"), ("fail", "Failed")])
def test_a_function_tells_the_result_of_its_job(
    service: PipelineService, owner: LocalAccount, asked: str, status: str
) -> None:
    told = {"FunctionName": {"Ref": "Function"}, "UserParameters": asked}
    function = {
        "Code": {"ZipFile": NOTIFY},
        "Handler": "index.handler",
        "Role": {"Fn::GetAtt": ["FunctionRole", "Arn"]},
        "Runtime": "nodejs22.x",
    }
    last = action("Invoke", "AWS", "Lambda", Configuration=told, Namespace="Last")
    given = {
        "Role": role("codepipeline", "s3:*", "lambda:InvokeFunction"),
        "FunctionRole": role("lambda", *JOBS),
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Pipeline": pipeline(owner, last),
    }
    assert owner.create({"Resources": given})["StackStatus"] == "CREATE_COMPLETE", owner.reasons()
    (execution,) = service.executions(names(owner)[0], owner.account)
    assert service.wait(execution.id).status == status
    run = execution.history[-1]
    if status == "Failed":
        assert run.error == ("JobFailed", "not today")
    else:
        assert run.variables == {"said": asked}
    with pytest.raises(ClientError, match="InvalidJobStateException"):
        owner.client("codepipeline").put_job_success_result(jobId=run.external_id)


def privileged_build(service: PipelineService, owner: LocalAccount) -> Build:
    """The build of a declared project in privileged mode, which asks for Docker."""
    properties = {
        "Artifacts": {"Type": "CODEPIPELINE"},
        "Source": {"Type": "CODEPIPELINE"},
        "ServiceRole": {"Fn::GetAtt": ["ProjectRole", "Arn"]},
        "Environment": {
            "ComputeType": "BUILD_GENERAL1_SMALL",
            "Image": "aws/codebuild/standard:7.0",
            "PrivilegedMode": True,
            "Type": "LINUX_CONTAINER",
        },
    }
    configured = {"Configuration": {"ProjectName": {"Ref": "Project"}}, "InputArtifacts": [{"Name": "Made"}]}
    given = {
        "Role": role("codepipeline", "s3:*", "codebuild:*"),
        "ProjectRole": role("codebuild", "s3:*", "logs:*"),
        "Project": {"Type": "AWS::CodeBuild::Project", "Properties": properties},
        "Pipeline": pipeline(owner, action("Build", "AWS", "CodeBuild", **configured)),
    }
    assert owner.create({"Resources": given})["StackStatus"] == "CREATE_COMPLETE", owner.reasons()
    (execution,) = service.executions(names(owner)[0], owner.account)
    service.wait(execution.id)
    (build,) = (found for found in service.builds() if found.account == owner.account)
    return build


def test_a_declared_project_builds_with_a_docker_that_is_played(service: PipelineService, owner: LocalAccount) -> None:
    """Its version says so."""
    build = privileged_build(service, owner)
    assert build.name.startswith("Project-")
    assert "28.0.0 (played by the rehearsal)" in service.log(build.id)
    assert owner.delete()["StackStatus"] == "DELETE_COMPLETE"
    assert owner.client("codebuild").list_projects()["projects"] == []


def test_an_ecs_deployment_wants_its_file_and_a_container_of_that_name() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("imagedefinitions.json", json.dumps([{"name": "api", "imageUri": "new"}]))
    images = images_of(content.getvalue(), "imagedefinitions.json")
    task = {"family": "f", "containerDefinitions": [{"name": "api", "image": "old"}], "revision": 3}
    assert revision_of(task, images) == {"family": "f", "containerDefinitions": [{"name": "api", "image": "new"}]}
    with pytest.raises(ActionError, match="Did not find the image definition file other"):
        images_of(content.getvalue(), "other")
    with pytest.raises(ActionError, match="has no container api"):
        revision_of({"containerDefinitions": [{"name": "web", "image": "old"}]}, images)
