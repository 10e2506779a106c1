"""The actions that hand an artifact on to another pipeline: a deployment to Amazon S3, and the start of a pipeline.

"Amazon S3 deploy action reference" and "AWS CodePipeline invoke action reference" of the CodePipeline User Guide. Only
a deployment of the whole artifact, which is not extracted, is played. The start is not waited for.
"""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from aws_rehearsal.local_aws import Credentials
from aws_rehearsal.pipeline_service.builds.artifacts import Artifacts
from aws_rehearsal.pipeline_service.clients import Access, failure_of
from aws_rehearsal.pipeline_service.definitions import Store
from aws_rehearsal.pipeline_service.errors import ActionError
from aws_rehearsal.pipeline_service.state import ActionRun


class HandingOn:
    """Carries these actions out, with the action's role. Each raises `ActionError`."""

    def __init__(self, access: Access, artifacts: Artifacts) -> None:
        self._clients, self._artifacts = access.clients, artifacts

    def put(self, run: ActionRun, credentials: Credentials, region: str, content: bytes) -> None:
        """The artifact as one object."""
        given = run.configuration
        if given["Extract"] != "false" or not given.get("ObjectKey"):
            raise ActionError("InvalidActionConfiguration", "this service deploys to S3 without extracting, to a key")
        store = Store(given["BucketName"], given.get("KMSEncryptionKeyARN") or None)
        self._artifacts.look(credentials, region, store, versioning=True)
        bucket, key = self._artifacts.put(credentials, region, store, given["ObjectKey"], content, acl=True)
        run.external_id = f"{bucket}/{key}"

    def start(self, run: ActionRun, credentials: Credentials, region: str) -> None:
        """Start the pipeline that the configuration names."""
        given = run.configuration
        asked: dict[str, Any] = {"name": given["PipelineName"]}
        try:
            asked |= {
                argument: json.loads(given[key])
                for argument, key in (("sourceRevisions", "SourceRevisions"), ("variables", "Variables"))
                if given.get(key)
            }
            started = self._clients.get("codepipeline", credentials, region).start_pipeline_execution(**asked)
        except ClientError as error:
            raise failure_of(error, f"Starting the pipeline {given['PipelineName']}") from error
        except (ValueError, ParamValidationError) as error:
            raise ActionError("InvalidActionConfiguration", f"SourceRevisions or Variables: {error}") from error
        run.external_id = started["pipelineExecutionId"]
