"""What a pipeline's source says of itself: CodeConnections, Secrets Manager, CodeCommit, S3."""

from __future__ import annotations

import shlex

from amplify_delivery.components.documents.pipeline.source_models import (
    CodeCommitSource,
    ConnectionSource,
    GitHubTokenSource,
    S3Source,
    Source,
)
from amplify_delivery.delivery.doctor.asking.clients import Clients, asking
from amplify_delivery.delivery.doctor.judging.connection import Connection
from amplify_delivery.delivery.doctor.judging.connection import Source as Found
from amplify_delivery.delivery.doctor.place import Place
from amplify_delivery.publishing.aws_errors import suppressing

_NO_REPOSITORY = "RepositoryDoesNotExistException"
_GONE = "ResourceNotFoundException"


def connection(clients: Clients, source: ConnectionSource) -> Connection:
    """A connection; under the older name of the service, if its ARN has that."""
    _, _, service, region, *_ = source.connection.split(":")
    with asking(f"{service}:GetConnection"), suppressing(_GONE):
        found = clients.client(service, region).get_connection(ConnectionArn=source.connection)["Connection"]
        return Connection(source.connection, str(found["ConnectionStatus"]), str(found.get("ProviderType", "")))
    return Connection(source.connection, "")


def other(clients: Clients, source: Source, place: Place) -> tuple[Found, str]:
    """A source of the pipeline at `place` that is no connection, and what to do if something is wrong with it."""
    if isinstance(source, GitHubTokenSource):
        return _secret(clients, source, place)
    if isinstance(source, CodeCommitSource):
        return _branch(clients, source, place)
    assert isinstance(source, S3Source)  # noqa: S101 - the last kind there is
    return _bucket(clients, source, place)


def before(clients: Clients, pipeline: str, stack: str) -> tuple[Found, str]:
    """The pipeline that another one follows."""
    with asking("codepipeline:GetPipeline"), suppressing("PipelineNotFoundException") as gone:
        clients.client("codepipeline").get_pipeline(name=pipeline)
    return Found(f"pipeline {pipeline}", there=not gone), f"`pulumi up -s {stack}`" if gone else ""


def _secret(clients: Clients, source: GitHubTokenSource, place: Place) -> tuple[Found, str]:
    name = source.token_secret
    # Not on the command line itself: others on the machine see it there, and the shell remembers it.
    make = place.aws(f"secretsmanager create-secret --name {shlex.quote(name)} --secret-string file://FILE")
    remedy = f"write a token of GitHub's into a file that only you can read, then {make}, and delete the file"
    restore = place.aws(f"secretsmanager restore-secret --secret-id {shlex.quote(name)}")
    with asking("secretsmanager:DescribeSecret"), suppressing(_GONE):
        found = clients.client("secretsmanager").describe_secret(SecretId=name)
        wrong = "waits for its deletion" if found.get("DeletedDate") else ""
        return Found(f"secret {name}", there=True, wrong=wrong), restore
    return Found(f"secret {name}", there=False), remedy


def _branch(clients: Clients, source: CodeCommitSource, place: Place) -> tuple[Found, str]:
    what = f"branch {source.branch} of the repository {source.repository}"
    with asking("codecommit:GetBranch"), suppressing(_NO_REPOSITORY, "BranchDoesNotExistException") as gone:
        clients.client("codecommit").get_branch(repositoryName=source.repository, branchName=source.branch)
    if gone.code == _NO_REPOSITORY:
        make = place.aws(f"codecommit create-repository --repository-name {shlex.quote(source.repository)}")
        return Found(what, there=False), f"{make}, and push the branch; or name another one in `source`"
    return Found(what, there=not gone), "push the branch, or name another in `source`" if gone else ""


def _bucket(clients: Clients, source: S3Source, place: Place) -> tuple[Found, str]:
    what, s3 = f"bucket {source.bucket}", clients.client("s3")
    versioning = f"--bucket {source.bucket} --versioning-configuration Status=Enabled"
    remedy = place.aws(f"s3api put-bucket-versioning {versioning}")
    with asking("s3:GetBucketVersioning"), suppressing("404", "NoSuchBucket") as gone:
        status = s3.get_bucket_versioning(Bucket=source.bucket).get("Status")
    if gone:
        return Found(what, there=False), f"{_make(source.bucket, place)}, then {remedy}"
    if status != "Enabled":
        wrong = "is not versioned, and CodePipeline takes a version of an object"
        return Found(what, there=True, wrong=wrong), remedy
    if not source.poll:
        with asking("s3:GetBucketNotification"):
            told = s3.get_bucket_notification_configuration(Bucket=source.bucket)
        if told.get("EventBridgeConfiguration") is None:
            # No command: PutBucketNotificationConfiguration replaces whatever else the bucket tells anybody.
            return (
                Found(what, there=True, wrong="does not tell EventBridge of new objects, so none starts the pipeline"),
                "turn Amazon EventBridge on in the bucket's properties (the console keeps its other notifications), or "
                "have CodePipeline ask: poll, in `source`",
            )
    return Found(what, there=True), ""


def _make(bucket: str, place: Place) -> str:
    """S3 takes every region but its first one from the request's body ("CreateBucket" in the S3 API reference)."""
    where = "" if place.region == "us-east-1" else f" --create-bucket-configuration LocationConstraint={place.region}"
    return place.aws(f"s3api create-bucket --bucket {bucket}{where}")
