"""A CodeBuild project keeps all that it was given, and is deleted by name or ARN, as often as one likes.

MiniStack forgets the queued timeout, the limit of concurrent builds, the logs, the cache, the VPC and more, so that
whatever compares a project with its declaration finds it changed; it knows no ARN in DeleteProject and calls a
project that is gone an error.
AWS: CodeBuild API Reference, "Project" (every field of CreateProject is one of it), "UpdateProject" (a limit of -1
takes it off), "DeleteProject" (the only error is InvalidInputException).
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import json_response
from ministack.services import codebuild

from ._expect import expect, replace

_FIELDS = (
    "autoRetryLimit",
    "buildBatchConfig",
    "cache",
    "concurrentBuildLimit",
    "fileSystemLocations",
    "logsConfig",
    "queuedTimeoutInMinutes",
    "secondaryArtifacts",
    "secondarySourceVersions",
    "secondarySources",
    "vpcConfig",
)
_TARGET = "CodeBuild_20161006"


def apply() -> None:
    """Keep the fields that MiniStack drops beside those it keeps."""
    create = expect(codebuild, "_create_project", "data")
    update = expect(codebuild, "_update_project", "data")
    delete = expect(codebuild, "_delete_project", "data")
    shape = expect(codebuild, "_project_shape", "project")

    def project_shape(project: dict[str, Any]) -> Any:
        return {**shape(project), **{field: project[field] for field in _FIELDS if field in project}}

    def create_project(data: dict[str, Any]) -> Any:
        answer = create(data)
        return _keep({"queuedTimeoutInMinutes": 480, **data}, answer)

    def update_project(data: dict[str, Any]) -> Any:
        answer = update(data)
        return _keep(data, answer)

    def delete_project(data: dict[str, Any]) -> Any:
        name = codebuild._project_name_from_identifier(data.get("name", ""))
        return delete({"name": name}) if name in codebuild._projects else json_response({})

    replace("_project_shape", project_shape, codebuild)
    replace("_create_project", create_project, codebuild)
    replace("_update_project", update_project, codebuild)
    replace("_delete_project", delete_project, codebuild)


def _keep(data: dict[str, Any], answer: Any) -> Any:
    if answer[0] >= 300:
        return answer
    project = codebuild._projects[data["name"]]
    project.update({field: data[field] for field in _FIELDS if field in data})
    if project.get("concurrentBuildLimit") == -1:
        del project["concurrentBuildLimit"]
    return json_response({"project": codebuild._project_shape(project)})


def probe(aws: Any) -> bool:
    """A project's limit and queued timeout are there when it is asked for; it is deleted by its ARN, twice."""

    def call(operation: str, **body: Any) -> Any:
        return aws.json(aws.owner, "codebuild", f"{_TARGET}.{operation}", **body)

    made = call(
        "CreateProject",
        name="probe-projects",
        source={"type": "CODEPIPELINE"},
        artifacts={"type": "CODEPIPELINE"},
        environment={"type": "LINUX_CONTAINER", "image": "image", "computeType": "BUILD_GENERAL1_SMALL"},
        serviceRole=f"arn:aws:iam::{aws.owner.account}:role/probe",
        concurrentBuildLimit=1,
        queuedTimeoutInMinutes=30,
    )["project"]
    (found,) = call("BatchGetProjects", names=["probe-projects"])["projects"]
    kept = (found.get("concurrentBuildLimit"), found.get("queuedTimeoutInMinutes")) == (1, 30)
    return kept and all(aws.succeeds(lambda: call("DeleteProject", name=made["arn"])) for _ in range(2))
