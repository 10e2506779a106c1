"""The life of each type of the classic provider: inputs to make it with, and all that our programs change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Inputs = dict[str, Any]
RULES = [
    {"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1}}
]
LIFECYCLE = json.dumps({"rules": [{**rule, "action": {"type": "expire"}} for rule in RULES]})


PROJECT: Inputs = {
    "name": "build",
    "description": "What declared.project gives",
    "serviceRole": "arn:aws:iam::111122223333:role/build",
    "artifacts": {"type": "CODEPIPELINE"},
    "source": {"type": "CODEPIPELINE", "buildspec": "version: 0.2\nphases: {}\n"},
    "environment": {
        "type": "LINUX_CONTAINER",
        "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
        "computeType": "BUILD_GENERAL1_SMALL",
    },
}


def document(action: str, resource: str = "*", **more: Any) -> str:
    """A policy of one statement."""
    statement = {"Sid": "One", "Effect": "Allow", "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(service: str) -> str:
    """A trust policy for an AWS service."""
    principal = {"Service": f"{service}.amazonaws.com"}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def notifications(address: str) -> Inputs:
    """A rule of notifications to a topic."""
    return {
        "name": "rule",
        "detailType": "BASIC",
        "eventTypeIds": ["failed", "succeeded"],
        "resource": "arn:aws:codepipeline:eu-central-1:111122223333:app",
        "targets": [{"type": "SNS", "address": f"arn:aws:sns:eu-central-1:111122223333:{address}"}],
    }


@dataclass
class Case:
    """The life of a type: `updates` are further inputs, each over those of the creation."""

    create: Inputs
    updates: tuple[Inputs, ...] = ()
    suffix: str = ""
    """The variant of the operations, as `provider_calls.json` calls it."""

    @property
    def changes(self) -> list[Inputs]:
        """The whole inputs of each update."""
        return [{**self.create, **change} for change in self.updates]


Made = Callable[..., Inputs]


def _roles(make: Made) -> Iterator[tuple[str, Callable[[], Case]]]:
    given: Inputs = {"name": "same", "assumeRolePolicy": trust("codebuild"), "tags": {"a": "1", "b": "2"}}

    def role() -> Case:
        boundary = make("aws:iam/policy:Policy", name="same-boundary", policy=document("s3:*"))["arn"]
        # Each over those of the creation: the boundary is put, and taken away again.
        trusted = {"assumeRolePolicy": trust("lambda"), "tags": {"a": "2"}}
        changes = ({"permissionsBoundary": boundary}, {"description": "Other"}, trusted, {"maxSessionDuration": 7200})
        return Case(given, changes)

    def policy() -> Case:
        name = str(make("aws:iam/role:Role", **given)["name"])
        put = {"name": "own", "role": name, "policy": document("s3:GetObject")}
        return Case(put, ({"policy": document("s3:PutObject")},))

    def attachment() -> Case:
        name = make("aws:iam/role:Role", name="attached", assumeRolePolicy=trust("codebuild"))["name"]
        arn = make("aws:iam/policy:Policy", name="attached", policy=document("s3:GetObject"))["arn"]
        return Case({"policyArn": arn, "role": name}, ())

    yield "aws:iam/role:Role", role
    yield "aws:iam/rolePolicy:RolePolicy", policy
    yield "aws:iam/rolePolicyAttachment:RolePolicyAttachment", attachment


def cases(make: Made, account: str) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Every type with its case, which makes what it needs first: by `make(TYPE, **inputs)`, which gives the state.

    Long: a flat list of cases, with what several of them need in front.
    """

    def bucket() -> str:
        return str(make("aws:s3/bucket:Bucket", bucket=f"same-{account}", forceDestroy=True)["bucket"])

    def setting(what: str, key: str, *values: Any) -> tuple[str, Callable[[], Case]]:
        return f"aws:s3/{what[0].lower()}{what[1:]}:{what}", lambda: Case(
            {"bucket": bucket(), key: values[0]}, tuple({key: value} for value in values[1:])
        )

    def days(number: int) -> list[Inputs]:
        return [{"id": "old", "status": "Enabled", "filter": {"prefix": ""}, "expiration": {"days": number}}]

    def encrypted(keys: bool) -> list[Inputs]:
        return [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}, "bucketKeyEnabled": keys}]

    tags, other = {"tags": {"a": "1", "b": "2"}}, {"tags": {"a": "2"}}
    none: Inputs = {"tags": {}}
    yield "aws:s3/bucket:Bucket", lambda: Case({"bucket": f"same-{account}", **tags}, (other, none))
    yield setting(
        "BucketVersioning",
        "versioningConfiguration",
        {"status": "Enabled"},
        {"status": "Suspended"},
        {"status": "Enabled"},
    )
    yield setting("BucketPublicAccessBlock", "blockPublicAcls", True, False)
    yield setting(
        "BucketOwnershipControls",
        "rule",
        {"objectOwnership": "BucketOwnerEnforced"},
        {"objectOwnership": "ObjectWriter"},
    )
    yield setting("BucketServerSideEncryptionConfiguration", "rules", encrypted(True), encrypted(False))
    yield setting("BucketLifecycleConfiguration", "rules", days(1), days(2))
    open_to = [
        document(action, resource=f"arn:aws:s3:::same-{account}/*", Principal={"AWS": f"arn:aws:iam::{account}:root"})
        for action in ("s3:GetObject", "s3:PutObject")
    ]
    yield setting("BucketPolicy", "policy", *open_to)
    yield (
        "aws:s3/bucketObjectv2:BucketObjectv2",
        lambda: Case({"bucket": bucket(), "key": "page.html", "content": "1"}, ({"content": "2"},)),
    )
    key_policies = [
        document("kms:*", Principal={"AWS": f"arn:aws:iam::{account}:root"}, Sid=sid) for sid in ("One", "Two")
    ]
    yield (
        "aws:kms/key:Key",
        lambda: Case(
            {"enableKeyRotation": True, "policy": key_policies[0], **tags},
            (other, {"policy": key_policies[1], **other}),
        ),
    )

    def alias() -> Case:
        keys = [make("aws:kms/key:Key", description=text)["keyId"] for text in ("one", "two")]
        return Case({"name": "alias/same", "targetKeyId": keys[0]}, ({"targetKeyId": keys[1]},))

    yield "aws:kms/alias:Alias", alias
    yield (
        "aws:iam/policy:Policy",
        lambda: Case(
            {"name": "same", "policy": document("s3:GetObject"), **tags},
            (other, *({"policy": document(f"s3:Action{number}"), **other} for number in range(6))),
        ),
    )
    yield from _roles(make)
    yield "aws:codebuild/project:Project", lambda: Case(PROJECT, ({"buildTimeout": 31},))
    yield "aws:ecr/repository:Repository", lambda: Case({"name": "same", **tags}, (other,))

    def repository() -> Inputs:
        return {"repository": make("aws:ecr/repository:Repository", name="same")["name"]}

    pulls = [document(f"ecr:{verb}", Principal="*") for verb in ("BatchGetImage", "GetDownloadUrlForLayer")]
    yield (
        "aws:ecr/repositoryPolicy:RepositoryPolicy",
        lambda: Case({**repository(), "policy": pulls[0]}, ({"policy": pulls[1]},)),
    )
    yield "aws:ecr/lifecyclePolicy:LifecyclePolicy", lambda: Case({**repository(), "policy": LIFECYCLE})
    yield (
        "aws:ssm/parameter:Parameter",
        lambda: Case(
            {"name": "/same", "type": "String", "insecureValue": "1", **tags}, ({"insecureValue": "2", **tags}, other)
        ),
    )
    yield "aws:sns/topic:Topic", lambda: Case({"name": "same", **tags}, (other,))

    def topic() -> str:
        return str(make("aws:sns/topic:Topic", name="same")["arn"])

    said = [document(f"sns:{verb}", Principal={"Service": "events.amazonaws.com"}) for verb in ("Publish", "Subscribe")]
    yield "aws:sns/topicPolicy:TopicPolicy", lambda: Case({"arn": topic(), "policy": said[0]}, ({"policy": said[1]},))
    yield (
        "aws:sns/topicSubscription:TopicSubscription",
        lambda: Case({"topic": topic(), "protocol": "email", "endpoint": "a@example.com"}),
    )
    nightly = {"name": "same", "scheduleExpression": "rate(1 day)"}
    yield (
        "aws:cloudwatch/eventRule:EventRule",
        lambda: Case({**nightly, **tags}, ({"scheduleExpression": "rate(2 days)", **tags}, other)),
    )

    def target() -> Case:
        rule = make("aws:cloudwatch/eventRule:EventRule", **nightly)["name"]
        pipelines = [f"arn:aws:codepipeline:eu-central-1:{account}:{name}" for name in ("one", "two")]
        return Case(
            {"rule": rule, "arn": pipelines[0], "roleArn": f"arn:aws:iam::{account}:role/r"}, ({"arn": pipelines[1]},)
        )

    yield "aws:cloudwatch/eventTarget:EventTarget", target
    yield (
        "aws:codestarnotifications/notificationRule:NotificationRule",
        lambda: Case({**notifications("topic"), **tags}, ({**notifications("other"), **tags}, other)),
    )
    topics = [
        json.dumps(
            {
                "Parameters": {"Text": {"Type": "String"}, "Other": {"Type": "String", "Default": "none"}},
                "Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": n}}},
            }
        )
        for n in "ab"
    ]
    whole = {"parameters": {"Text": "a", "Other": "b"}, "capabilities": ["CAPABILITY_NAMED_IAM"], "tags": {"a": "1"}}
    yield (
        "aws:cloudformation/stack:Stack",
        lambda: Case({"name": "same", "templateBody": topics[0], **whole}, ({"templateBody": topics[1]},)),
    )
    yield (
        "aws:secretsmanager/secret:Secret",
        lambda: Case(
            {"name": "same", "recoveryWindowInDays": 7, **tags}, ({"description": "of the app", **tags}, other)
        ),
    )

    def secret() -> Inputs:
        return {"secretId": make("aws:secretsmanager/secret:Secret", name="same", recoveryWindowInDays=0)["arn"]}

    yield "aws:secretsmanager/secretVersion:SecretVersion", lambda: Case({**secret(), "secretString": "1"})
    yield (
        "aws:secretsmanager/secretVersion:SecretVersion",
        lambda: Case({**secret(), "secretStringWo": "1", "secretStringWoVersion": 1}, suffix="WriteOnly"),
    )
