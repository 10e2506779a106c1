"""The credentials CodePipeline acts with: the pipeline's role, and through it an action's.

"roleArn: the ARN of the IAM service role that performs the declared action. This is assumed through the roleArn for
the pipeline" (ActionDeclaration, CodePipeline API reference). Both are real: the service assumes the pipeline's role
as codepipeline.amazonaws.com, with that session it calls sts:AssumeRole for the action's.
"""

from __future__ import annotations

from botocore.exceptions import ClientError

from aws_rehearsal.local_aws import Credentials
from aws_rehearsal.pipeline_service.clients import Access
from aws_rehearsal.pipeline_service.definitions import Pipeline
from aws_rehearsal.pipeline_service.errors import ActionError

SERVICE = "codepipeline.amazonaws.com"


class Roles:
    """Credentials of pipelines and actions."""

    def __init__(self, access: Access) -> None:
        self._gate = access.gate
        self._clients = access.clients

    def of_pipeline(self, pipeline: Pipeline, session_name: str) -> Credentials:
        """A session of the pipeline's role. Raises `ActionError`."""
        found = self._gate.assume(pipeline.role, SERVICE, pipeline.arn, pipeline.region, session_name)
        if found is None:
            raise ActionError(
                "PermissionError", f"AWS CodePipeline is not authorized to perform AssumeRole on role {pipeline.role}"
            )
        return found

    def of_role(self, pipeline: Pipeline, role: str | None, session_name: str) -> Credentials:
        """A session of an action's or rule's `role`, of the pipeline's if it has none. Raises `ActionError`."""
        credentials = self.of_pipeline(pipeline, session_name)
        if role is None or role == pipeline.role:
            return credentials
        try:
            return self._clients.assume(credentials, role, session_name, pipeline.region)
        except ClientError as error:
            reason = error.response.get("Error", {}).get("Message", str(error))
            raise ActionError(
                "PermissionError",
                f"The pipeline's role {pipeline.role} could not assume the action's role {role}: {reason}",
            ) from error
