"""What a source action calls to read its repository, with the rights of its role.

"CodeCommit source action reference" of the CodePipeline user guide has the calls as permissions of the service role;
beside these `CancelUploadArchive`, which is called of an upload that takes too long. What is called through a
connection AWS lists nowhere. Of a source in S3 its bucket is looked at, as artifact stores are ("Amazon S3 source
action reference").
"""

from __future__ import annotations

from collections.abc import Mapping

from aws_rehearsal.pipeline_service.errors import ActionError
from aws_rehearsal.pipeline_service.gate import Caller, Gate
from aws_rehearsal.pipeline_service.sources.connections import use_denied

_THROUGH_A_CONNECTION = ("GetBranch", "GetCommit", "StartUploadArchiveToS3", "GetUploadArchiveToS3Status")
"""By `ProviderAction`."""
_OF_CODE_COMMIT = ("GetBranch", "GetCommit", "UploadArchive", "GetUploadArchiveStatus")


def require_source(gate: Gate, caller: Caller, provider: str, configuration: Mapping[str, str]) -> None:
    """Raise `ActionError` unless `caller` may read the repository of an action so configured."""
    connection = configuration.get("ConnectionArn")
    if connection is not None:
        for call in _THROUGH_A_CONNECTION:
            denied = use_denied(gate, caller, connection, configuration["FullRepositoryId"], call, configuration)
            if denied is not None:
                raise ActionError("PermissionError", f"Unable to use Connection: {connection}. {denied.message}")
    elif provider == "CodeCommit":
        name = configuration["RepositoryName"]
        for call in _OF_CODE_COMMIT:
            arn = f"arn:aws:codecommit:{caller.region}:{caller.account}:{name}"
            denied = gate.denied(caller, f"codecommit:{call}", arn)
            if denied is not None:
                raise ActionError(
                    "PermissionError",
                    "The service role or action role doesn't have the permissions required to access the AWS "
                    f"CodeCommit repository named {name}. Update the IAM role permissions, and then try again. Error: "
                    f"{denied.message}",
                )
