"""The actions that end a pipeline of Amplify's container API: a Lambda function, and a deployment to Amazon ECS.

"AWS Lambda" and "Amazon Elastic Container Service" in the action structure reference of the CodePipeline User Guide.
Each makes the calls named there, with the action's role. A Lambda action with artifacts is not played.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from aws_rehearsal.local_aws import Credentials
from aws_rehearsal.pipeline_service.clients import Clients, failure_of
from aws_rehearsal.pipeline_service.errors import ActionError
from aws_rehearsal.pipeline_service.pipelines.jobs import Jobs
from aws_rehearsal.pipeline_service.state import ActionRun

_LAMBDA_MINUTES = 60
""""The default timeout for the Invoke action" of a function that tells no result."""
_ECS_MINUTES = 60
_KEPT = (
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "containerDefinitions",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "runtimePlatform",
)
"""What a new revision takes over from the task definition that the service has."""


class Deployments:
    """Carries these actions out; `minute` is how many seconds a minute lasts. Each raises `ActionError`."""

    def __init__(self, clients: Clients, jobs: Jobs, minute: float) -> None:
        self._clients, self._jobs, self._minute = clients, jobs, minute

    def invoke(self, run: ActionRun, credentials: Credentials, region: str) -> None:
        """Invoke a function, without waiting for it, and wait for the result of its job."""
        job = self._jobs.issue(credentials.account)
        run.external_id = job.id
        given = {key: run.configuration[key] for key in ("FunctionName", "UserParameters") if key in run.configuration}
        data = {"actionConfiguration": {"configuration": given}, "inputArtifacts": [], "outputArtifacts": []}
        event = {"CodePipeline.job": {"id": job.id, "accountId": credentials.account, "data": data}}
        try:
            self._clients.get("lambda", credentials, region).invoke(
                FunctionName=given["FunctionName"], InvocationType="Event", Payload=json.dumps(event)
            )
        except ClientError as error:
            raise failure_of(error, f"Invoking the function {given['FunctionName']}") from error
        if not job.done.wait(_LAMBDA_MINUTES * self._minute):
            raise ActionError(
                "TimeoutError", f"The AWS Lambda function {given['FunctionName']} failed to return a result"
            )
        if job.failure is not None:
            raise ActionError("JobFailed", job.failure)
        run.variables = job.variables

    def deploy(self, run: ActionRun, credentials: Credentials, region: str, artifact: Callable[[], bytes]) -> None:
        """A new revision of the service's task definition, with the images of `artifact`, until the service runs it."""
        file = run.configuration.get("FileName", "imagedefinitions.json")
        images = images_of(artifact(), file)
        cluster, service = run.configuration["ClusterName"], run.configuration["ServiceName"]
        ecs = self._clients.get("ecs", credentials, region)
        try:
            current = _service(ecs, cluster, service)["taskDefinition"]
            described = ecs.describe_task_definition(taskDefinition=current, include=["TAGS"])
            revision = revision_of(described["taskDefinition"], images)
            tags = {"tags": described["tags"]} if described.get("tags") else {}
            arn = ecs.register_task_definition(**revision, **tags)["taskDefinition"]["taskDefinitionArn"]
            ecs.update_service(cluster=cluster, service=service, taskDefinition=arn)
            run.external_id = arn
            self._await(ecs, cluster, service, arn, int(run.configuration.get("DeploymentTimeout", _ECS_MINUTES)))
        except ClientError as error:
            raise failure_of(error, f"Deploying to the service {service} of the cluster {cluster}") from error

    def _await(self, ecs: Any, cluster: str, service: str, revision: str, minutes: int) -> None:
        deadline = time.monotonic() + minutes * self._minute
        while time.monotonic() < deadline:
            found = _service(ecs, cluster, service)
            steady = len(found["deployments"]) == 1 and found["runningCount"] == found["desiredCount"]
            if found["taskDefinition"] == revision and steady:
                return
            time.sleep(0.2)
        raise ActionError("JobFailed", f"Amazon ECS service {service} did not become steady in {minutes} minutes")


def _service(ecs: Any, cluster: str, service: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = ecs.describe_services(cluster=cluster, services=[service])["services"]
    if not found or found[0]["status"] != "ACTIVE":
        raise ActionError("ConfigurationError", f"The service {service} does not exist in the cluster {cluster}")
    return found[0]


def images_of(content: bytes, file: str) -> dict[str, str]:
    """Image by container's name, from an artifact's `file`. Raises `ActionError`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = json.loads(archive.read(file))
        return {item["name"]: item["imageUri"] for item in found}
    except KeyError as error:
        raise ActionError("InvalidArtifact", f"Did not find the image definition file {file}") from error
    except (ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ActionError("InvalidArtifact", f"{file} is not a list of container names and image URIs") from error


def revision_of(task: dict[str, Any], images: dict[str, str]) -> dict[str, Any]:
    """The parameters of a task definition's next revision with these images. Raises `ActionError`."""
    names = {container["name"] for container in task["containerDefinitions"]}
    for name in sorted(set(images) - names):
        raise ActionError("InvalidArtifact", f"The task definition has no container {name}")
    containers = [{**c, "image": images.get(c["name"], c["image"])} for c in task["containerDefinitions"]]
    return {**{key: task[key] for key in _KEPT if task.get(key)}, "containerDefinitions": containers}
