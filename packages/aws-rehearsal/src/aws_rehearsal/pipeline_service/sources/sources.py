"""What source actions fetch: the zip, its revision, and the output variables of each provider.

Output variables after "Variables available for pipeline actions" of the CodePipeline User Guide.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from aws_rehearsal.pipeline_service.clients import failure_of
from aws_rehearsal.pipeline_service.errors import ActionError
from aws_rehearsal.pipeline_service.sources.repositories import Commit, Repositories, Repository, names_of
from aws_rehearsal.pipeline_service.sources.triggers import watched_branch
from aws_rehearsal.pipeline_service.state import ActionRun, Execution

CLONE_REFERENCE = ".codebuild-clone-reference.json"
"""The one file of a `CODEBUILD_CLONE_REF` artifact: what CodeBuild clones, and with which connection."""


@dataclass(frozen=True)
class Fetched:
    """What a source action put out."""

    content: bytes
    revision: str
    summary: str | None
    url: str | None
    variables: dict[str, str]
    connection: str | None = None
    """What it came through."""
    encrypted: tuple[str, str, str] | None = None
    """Of an object that a key of KMS encrypts: the key, the bucket, the object's key."""


def fetch(execution: Execution, run: ActionRun, repositories: Repositories, client: Callable[[str], Any]) -> Fetched:
    """The revision an execution was started for, else the newest. Raises `ActionError`."""
    if run.action.provider == "S3":
        name = run.action.name
        key = execution.wanted_keys.get(name) or run.configuration["S3ObjectKey"]
        return _object(run, client("s3"), key, execution.wanted_revisions.get(name))
    pipeline = execution.pipeline
    connection, full_id = names_of(run.action, pipeline.region, pipeline.account)
    repository = repositories.of(run.action, pipeline.region, pipeline.account)
    if repository is None:
        missing = f" through the connection {connection}" if connection else ""
        raise ActionError("ConfigurationError", f"No repository {full_id} can be reached{missing}")
    branch = watched_branch(run.action) or ""
    wanted = execution.wanted_revisions.get(run.action.name)
    ref, _, commit_id = (wanted or "").rpartition(" ")
    commit = repository.commit(commit_id or f"refs/heads/{branch}")
    if ref.startswith("heads/"):
        branch = ref.removeprefix("heads/")
    found = _variables(run, repository, commit, branch)
    if ref.startswith("tags/"):
        found["TagName"] = ref.removeprefix("tags/")
    # What cannot be a variable's value (an empty message) is left out, as it can't be referred to either.
    found = {name: value for name, value in found.items() if value}
    through = connection if run.action.provider == "CodeStarSourceConnection" else None
    content = _content(run, repository, commit, branch, through)
    return Fetched(content, commit.id, commit.message[:2048], None, found, through)


def _content(run: ActionRun, repository: Repository, commit: Commit, branch: str, connection: str | None) -> bytes:
    if run.configuration.get("OutputArtifactFormat", "CODE_ZIP") != "CODEBUILD_CLONE_REF":
        return repository.archive(commit.id)
    reference = {
        "path": str(repository.path),
        "commit": commit.id,
        "branch": branch,
        "repository": repository.full_id,
        "connection": connection,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(CLONE_REFERENCE, json.dumps(reference))
    return out.getvalue()


def _variables(run: ActionRun, repository: Repository, commit: Commit, branch: str) -> dict[str, str]:
    common = {"AuthorDate": commit.author_date, "BranchName": branch, "CommitId": commit.id}
    message = commit.message
    if run.action.provider == "CodeStarSourceConnection":
        return {
            **common,
            "CommitMessage": message,
            "ConnectionArn": run.configuration["ConnectionArn"],
            "FullRepositoryName": repository.full_id,
        }
    if run.action.provider == "GitHub":
        return {
            **common,
            "CommitMessage": message,
            "CommitterDate": commit.committer_date,
            "CommitUrl": f"https://github.com/{repository.full_id}/commit/{commit.id}",
            "RepositoryName": repository.full_id.rpartition("/")[2],
        }
    return {
        **common,
        "CommitMessage": message,
        "CommitterDate": commit.committer_date,
        "RepositoryName": repository.full_id,
    }


def _object(run: ActionRun, s3: Any, key: str, wanted: str | None) -> Fetched:
    """An S3 source; its bucket must be versioned."""
    bucket = run.configuration["S3Bucket"]
    version = {"VersionId": wanted} if wanted else {}
    try:
        answer = s3.get_object(Bucket=bucket, Key=key, **version)
        content: bytes = answer["Body"].read()
    except ClientError as error:
        raise failure_of(error, f"Reading s3://{bucket}/{key}") from error
    found = answer.get("VersionId")
    if not found or found == "null":
        raise ActionError("ConfigurationError", f"The source bucket {bucket} must have versioning enabled")
    variables = {"BucketName": bucket, "ETag": answer["ETag"].strip('"'), "ObjectKey": key, "VersionId": found}
    named = answer.get("SSEKMSKeyId")
    encrypted = (named, bucket, key) if named else None
    return Fetched(content, found, f"Amazon S3 version id: {found}", None, variables, encrypted=encrypted)
