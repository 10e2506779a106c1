"""What AWS answers about what a killed run was making: there and ours, not there, or somebody else's."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.changes import deployed
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.engine.killed import by_time, existing, native, policies, sent, tags
from amplify_delivery.delivery.engine.killed.pending import Answer, Foreign, Gone, Operation, There, Unknown
from amplify_delivery.stacks.images import IMAGES
from aws_rehearsal_tests.clock import Clock

NAME = "amplify-app-dev-1"
ARN = f"arn:aws:cloudformation:eu-west-1:111122223333:stack/{NAME}/1"


class Aws:
    """An account whose clients answer what is given, by operation; an exception is raised."""

    account, region = "111122223333", "eu-west-1"

    def __init__(self, **answers: Any) -> None:
        self.answers = {
            "list_resource_requests": {"ResourceRequestStatusSummaries": []},
            "list_buckets": refused("AccessDenied"),
            "list_object_versions": refused("AccessDenied"),
            **answers,
        }

    def client(self, _: str) -> Aws:
        return self

    def asking(self, _: str) -> Any:
        return nullcontext()

    def __getattr__(self, operation: str) -> Any:
        answer = self.answers[operation]

        def call(**arguments: Any) -> Any:
            found = answer.pop(0) if isinstance(answer, list) and answer[1:] else answer
            found = found[0] if isinstance(found, list) else found
            if isinstance(found, Exception):
                raise found
            return found

        return call

    def get_paginator(self, operation: str) -> Any:
        call = getattr(self, operation)
        return type("Pages", (), {"paginate": staticmethod(lambda **arguments: [call(**arguments)])})


def refused(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Any")


def ask(aws: Aws, type_: str, known: frozenset[str] = frozenset(), kind: str = "creating", **inputs: Any) -> Answer:
    resource = {"urn": f"urn:pulumi:dev::app::{type_}::thing", "type": type_, "inputs": inputs}
    return existing.ask(aws, Operation(kind, resource), known)  # type: ignore[arg-type]


def stack(status: str, key: str = "templates/1.json") -> dict[str, Any]:
    parameters = [{"ParameterKey": "TemplateKey", "ParameterValue": key}]
    return {"Stacks": [{"StackName": NAME, "StackId": ARN, "StackStatus": status, "Parameters": parameters}]}


GONE = refused("ValidationError", f"Stack with id {NAME} does not exist")


@pytest.mark.parametrize(
    ("answers", "key", "answer"),
    [
        ([stack("CREATE_COMPLETE")], "templates/1.json", There),
        ([stack("CREATE_IN_PROGRESS"), stack("CREATE_COMPLETE")], "templates/1.json", There),
        ([stack("DELETE_IN_PROGRESS"), GONE], "templates/1.json", Gone),
        ([GONE], "templates/1.json", Gone),
        ([stack("CREATE_COMPLETE")], "templates/2.json", Foreign),
        ([stack("ROLLBACK_COMPLETE")], "templates/1.json", There),
    ],
)
def test_a_root_stack_that_was_being_made(
    monkeypatch: pytest.MonkeyPatch, answers: list[Any], key: str, answer: type
) -> None:
    Clock(monkeypatch, deployed)
    last = answers[-1]
    aws = Aws(describe_stacks=[*answers, last])
    found = ask(aws, ROOT_STACK, name=NAME, parameters={"TemplateKey": key})
    assert isinstance(found, answer)
    assert not isinstance(found, There) or found.id == ARN


@pytest.mark.parametrize(
    ("status", "key", "answer"),
    [
        ("UPDATE_COMPLETE", "templates/1.json", There),
        ("UPDATE_COMPLETE", "templates/2.json", Gone),
        ("UPDATE_ROLLBACK_COMPLETE", "templates/1.json", Gone),
        ("UPDATE_ROLLBACK_FAILED", "templates/1.json", Gone),
    ],
)
def test_a_root_stack_that_was_being_updated(status: str, key: str, answer: type) -> None:
    aws = Aws(describe_stacks=stack(status))
    assert isinstance(ask(aws, ROOT_STACK, kind="updating", name=NAME, parameters={"TemplateKey": key}), answer)


BUCKET, SECRET = "aws:s3/bucket:Bucket", "aws:secretsmanager/secret:Secret"
FUNCTION, PERMISSION = "aws-native:lambda:Function", "aws-native:lambda:Permission"
MADE = datetime(2027, 1, 31, tzinfo=UTC)
API, ROUTE = "aws-native:apigatewayv2:Api", "aws-native:apigatewayv2:Route"
TAGGED = {"TagSet": [{"Key": "app", "Value": "a"}]}
PIPELINE, PARAMETER = "aws-native:codepipeline:Pipeline", "aws:ssm/parameter:Parameter"
KEYS = [
    {"KeyMetadata": {"KeyId": "a", "Description": "another", "KeyState": "Enabled"}},
    {"KeyMetadata": {"KeyId": "b", "Description": "ours", "KeyState": "PendingDeletion"}},
    refused("AccessDeniedException"),
    {"KeyMetadata": {"KeyId": "known", "Description": "ours", "KeyState": "Enabled"}},
    {"KeyMetadata": {"KeyId": "e", "Arn": "arn:e", "Description": "ours", "KeyState": "Enabled"}},
]
REPOSITORY = {"repositoryArn": "arn:r", "registryId": "1", "repositoryUri": "1/r"}
SECRET_THERE = {"ARN": "arn:secret", "Description": "ours", "Tags": []}


def statement(sid: str, source: str) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Condition": {"ArnLike": {"AWS:SourceArn": source}},
    }


POLICY = {"Policy": json.dumps({"Statement": [statement("a", "arn:other"), statement("b", "arn:api")]})}
GRANT = {
    "functionName": "arn:fn",
    "action": "lambda:InvokeFunction",
    "principal": "apigateway.amazonaws.com",
    "sourceArn": "arn:api",
}


@pytest.mark.parametrize(
    ("type_", "inputs", "answers", "answer"),
    [
        (BUCKET, {"bucket": "b", "tags": {"app": "a"}}, {"head_bucket": {}, "get_bucket_tagging": TAGGED}, There("b")),
        (BUCKET, {"bucket": "b"}, {"head_bucket": refused("404")}, Gone()),
        (
            SECRET,
            {"name": "s", "description": "ours"},
            {"describe_secret": SECRET_THERE},
            There("arn:secret", {"arn": "arn:secret"}),
        ),
        (SECRET, {"name": "s"}, {"describe_secret": refused("ResourceNotFoundException")}, Gone()),
        (
            SECRET,
            {"name": "s"},
            {"describe_secret": {"ARN": "arn:s"}},
            Unknown("there is a secret s, and nothing tells whether that run has made it"),
        ),
        (SECRET, {"name": "s"}, {"describe_secret": {**SECRET_THERE, "DeletedDate": 1}}, Gone()),
        (
            "aws-native:iam:Role",
            {"roleName": "r", "description": "d"},
            {"get_role": {"Role": {"Description": "d"}}},
            There("r"),
        ),
        ("aws-native:iam:Role", {"roleName": "r"}, {"get_role": refused("NoSuchEntity")}, Gone()),
        (
            FUNCTION,
            {"functionName": "f", "role": "arn:r"},
            {"get_function": {"Configuration": {"Role": "arn:r"}}},
            There("f"),
        ),
        (FUNCTION, {"functionName": "f"}, {"get_function": refused("ResourceNotFoundException")}, Gone()),
        (
            "aws-native:logs:LogGroup",
            {"logGroupName": "/g"},
            {"describe_log_groups": {"logGroups": [{"logGroupName": "/g2"}]}},
            Gone(),
        ),
        (
            "aws-native:logs:LogGroup",
            {"logGroupName": "/g"},
            {"describe_log_groups": {"logGroups": [{"logGroupName": "/g"}]}},
            There("/g"),
        ),
        (PERMISSION, GRANT, {"get_policy": POLICY}, There("arn:fn|b")),
        (PERMISSION, GRANT, {"get_policy": refused("ResourceNotFoundException")}, Gone()),
        (
            API,
            {"name": "n"},
            {"get_apis": {"Items": [{"Name": "n", "ApiId": "1"}, {"Name": "m", "ApiId": "2"}]}},
            There("1"),
        ),
        (API, {"name": "n"}, {"get_apis": {"Items": [{"Name": "n", "ApiId": "known"}]}}, Gone()),
        ("aws:iam/role:Role", {"name": "r"}, {"get_role": {"Role": {}}}, There("r")),
        ("aws:iam/role:Role", {"name": "r"}, {"get_role": refused("NoSuchEntity")}, Gone()),
        (
            "aws:iam/policy:Policy",
            {"name": "p", "path": "/a/"},
            {"list_policies": {"Policies": [{"PolicyName": "p", "Path": "/a/", "Arn": "arn:p"}]}},
            There("arn:p", {"arn": "arn:p"}),
        ),
        ("aws:iam/policy:Policy", {"name": "p"}, {"list_policies": {"Policies": []}}, Gone()),
        (
            "aws:codebuild/project:Project",
            {"name": "b", "description": "d"},
            {"batch_get_projects": {"projects": [{"arn": "arn:b", "description": "d"}]}},
            There("arn:b", {"arn": "arn:b"}),
        ),
        ("aws:codebuild/project:Project", {"name": "b"}, {"batch_get_projects": {"projects": []}}, Gone()),
        (
            "aws:kms/alias:Alias",
            {"name": "alias/a", "targetKeyId": "arn:aws:kms:eu-west-1:1:key/k"},
            {"list_aliases": {"Aliases": [{"AliasName": "alias/a", "TargetKeyId": "k"}]}},
            There("alias/a"),
        ),
        ("aws:kms/alias:Alias", {"name": "alias/a"}, {"list_aliases": {"Aliases": []}}, Gone()),
        (
            "aws:kms/key:Key",
            {"description": "ours"},
            {"list_keys": {"Keys": [{"KeyId": k} for k in "abcde"]}, "describe_key": [*KEYS]},
            There("e", {"arn": "arn:e", "keyId": "e"}),
        ),
        ("aws:kms/key:Key", {"description": "ours"}, {"list_keys": {"Keys": []}}, Gone()),
        (
            PARAMETER,
            {"name": "/p", "type": "String", "insecureValue": "v"},
            {"get_parameter": {"Parameter": {"Type": "String", "Value": "v", "ARN": "arn:p"}}},
            There("/p", {"arn": "arn:p"}),
        ),
        (PARAMETER, {"name": "/p"}, {"get_parameter": refused("ParameterNotFound")}, Gone()),
        (
            "aws:ecr/repository:Repository",
            {"name": "r"},
            {"describe_repositories": {"repositories": [REPOSITORY]}},
            Unknown("there is a repository r, and nothing tells whether that run has made it"),
        ),
        (
            "aws:ecr/repository:Repository",
            {"name": "r"},
            {"describe_repositories": refused("RepositoryNotFoundException")},
            Gone(),
        ),
        (
            "aws:codestarnotifications/notificationRule:NotificationRule",
            {"name": "n", "resource": "arn:pipeline"},
            {
                "list_notification_rules": {"NotificationRules": [{"Arn": "arn:m"}, {"Arn": "arn:n"}]},
                "describe_notification_rule": [{"Name": "m"}, {"Name": "n"}],
            },
            There("arn:n", {"arn": "arn:n"}),
        ),
        (PIPELINE, {"name": "p", "roleArn": "r"}, {"get_pipeline": {"pipeline": {"roleArn": "r"}}}, There("p")),
        (PIPELINE, {"name": "p"}, {"get_pipeline": refused("PipelineNotFoundException")}, Gone()),
        (
            ROUTE,
            {"apiId": "1", "routeKey": "GET /"},
            {"get_routes": {"Items": [{"RouteKey": "GET /", "RouteId": "r"}]}},
            There("1|r"),
        ),
        (ROUTE, {"apiId": "1", "routeKey": "GET /"}, {"get_routes": refused("NotFoundException")}, Gone()),
    ],
)
def test_what_has_a_name_is_found_by_it(
    type_: str, inputs: dict[str, Any], answers: dict[str, Any], answer: Answer
) -> None:
    assert ask(Aws(**answers), type_, frozenset({"known"}), **inputs) == answer


def test_a_staging_areas_bucket_is_nobody_elses() -> None:
    urn = f"urn:pulumi:dev::app::amplify-delivery:index:StagingArea${BUCKET}::staging"
    operation = Operation("creating", {"urn": urn, "type": BUCKET, "inputs": {"bucket": "b"}})
    aws: Any = Aws(head_bucket={})
    assert existing.ask(aws, operation, frozenset()) == There("b")


@pytest.mark.parametrize("urn", ["amplify-delivery:index:TargetAccount$X::app/prod", "X::images"])
def test_a_repository_of_ours_is_nobody_elses(urn: str) -> None:
    type_ = "aws:ecr/repository:Repository"
    resource = {"urn": f"urn:pulumi:dev::app::{urn}".replace("X", type_), "type": type_, "inputs": {"name": "r"}}
    aws: Any = Aws(describe_repositories={"repositories": [REPOSITORY]})
    found = existing.ask(aws, Operation("creating", resource), frozenset())
    assert found == There("r", {"arn": "arn:r", "registryId": "1", "repositoryUrl": "1/r"})


def test_a_bucket_of_another_account_is_told_and_one_of_ours_that_may_not_be_looked_at_is_an_error() -> None:
    found = ask(Aws(head_bucket=refused("403")), "aws:s3/bucket:Bucket", bucket="b")
    assert isinstance(found, Foreign)
    assert "another account's" in found.why
    resource = {
        "urn": "urn:pulumi:dev::app::amplify-delivery:index:StagingArea$aws:s3/bucket:Bucket::staging",
        "type": "aws:s3/bucket:Bucket",
        "inputs": {"bucket": "b"},
    }
    aws: Any = Aws(head_bucket=refused("403"))
    with pytest.raises(ClientError):
        existing.ask(aws, Operation("creating", resource), frozenset())


def test_what_cloud_control_still_makes_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def going_on(*types: str) -> dict[str, Any]:
        return {"ResourceRequestStatusSummaries": [{"TypeName": type_} for type_ in types]}

    clock = Clock(monkeypatch, native)
    requests = [going_on("AWS::Lambda::Function"), going_on("AWS::Lambda::Function"), going_on("AWS::IAM::Role")]
    there: dict[str, Any] = {"Configuration": {}}
    assert ask(Aws(list_resource_requests=requests, get_function=there), FUNCTION, functionName="f") == There("f")
    assert len(clock.slept) == 2
    denied = Aws(list_resource_requests=refused("AccessDeniedException"), get_function=there)
    assert ask(denied, FUNCTION, functionName="f") == There("f")


def test_since_when_it_is_there_is_told_where_aws_tells_it() -> None:
    """By that what another stack has made before is told from what this run has."""
    milliseconds = int(MADE.timestamp() * 1000)
    for aws, type_, inputs in (
        (Aws(get_role={"Role": {"CreateDate": MADE}}), "aws:iam/role:Role", {"name": "r"}),
        (Aws(get_role={"Role": {"CreateDate": MADE}}), "aws-native:iam:Role", {"roleName": "r"}),
        (
            Aws(list_policies={"Policies": [{"PolicyName": "p", "Path": "/", "Arn": "arn:p", "CreateDate": MADE}]}),
            "aws:iam/policy:Policy",
            {"name": "p"},
        ),
        (
            Aws(batch_get_projects={"projects": [{"arn": "arn:b", "created": MADE}]}),
            "aws:codebuild/project:Project",
            {"name": "b"},
        ),
        (
            Aws(list_aliases={"Aliases": [{"AliasName": "a", "TargetKeyId": "k", "CreationDate": MADE}]}),
            "aws:kms/alias:Alias",
            {"name": "a", "targetKeyId": "k"},
        ),
        (
            Aws(
                list_keys={"Keys": [{"KeyId": "e"}]},
                describe_key={"KeyMetadata": {**KEYS[-1]["KeyMetadata"], "CreationDate": MADE}},
            ),
            "aws:kms/key:Key",
            {"description": "ours"},
        ),
        (Aws(describe_secret={**SECRET_THERE, "CreatedDate": MADE}), SECRET, {"name": "s", "description": "ours"}),
        (
            Aws(describe_log_groups={"logGroups": [{"logGroupName": "/g", "creationTime": milliseconds}]}),
            "aws-native:logs:LogGroup",
            {"logGroupName": "/g"},
        ),
        (Aws(get_apis={"Items": [{"Name": "n", "ApiId": "1", "CreatedDate": MADE}]}), API, {"name": "n"}),
        (
            Aws(
                head_bucket={},
                get_bucket_tagging=TAGGED,
                list_buckets={"Buckets": [{"Name": "bb"}, {"Name": "b", "CreationDate": MADE}]},
            ),
            BUCKET,
            {"bucket": "b", "tags": {"app": "a"}},
        ),
        (
            Aws(get_parameter={"Parameter": {"Type": "String", "Value": "1", "LastModifiedDate": MADE}}),
            "aws:ssm/parameter:Parameter",
            {"name": "p", "type": "String", "insecureValue": "1"},
        ),
    ):
        found = ask(aws, type_, frozenset(), **inputs)
        assert isinstance(found, There)
        assert found.made == MADE, type_
    made = {"repositories": [{**REPOSITORY, "createdAt": MADE}]}
    resource = {"urn": f"urn::{IMAGES}", "type": "aws:ecr/repository:Repository", "inputs": {"name": "r"}}
    found = existing.ask(Aws(describe_repositories=made), Operation("creating", resource), frozenset())  # type: ignore[arg-type]
    assert isinstance(found, There)
    assert found.made == MADE


def test_what_is_somebody_elses_or_cannot_be_told_apart() -> None:
    secret = ask(Aws(describe_secret=SECRET_THERE), SECRET, name="s", description="another")
    assert isinstance(secret, Foreign)
    role = ask(Aws(get_role={"Role": {"Description": "theirs"}}), "aws-native:iam:Role", roleName="r", description="d")
    assert isinstance(role, Foreign)
    function = ask(Aws(get_function={"Configuration": {"Role": "theirs"}}), FUNCTION, functionName="f", role="arn:r")
    assert isinstance(function, Foreign)
    bucket = ask(Aws(head_bucket={}), BUCKET, bucket="b")
    assert isinstance(bucket, Unknown)
    other = Aws(head_bucket={}, get_bucket_tagging=refused("NoSuchTagSet"))
    assert isinstance(ask(other, BUCKET, bucket="b", tags={"app": "a"}), Unknown)
    project = Aws(batch_get_projects={"projects": [{"arn": "arn:b", "description": "theirs"}]})
    assert isinstance(ask(project, "aws:codebuild/project:Project", name="b", description="d"), Foreign)
    alias = Aws(list_aliases={"Aliases": [{"AliasName": "alias/a", "TargetKeyId": "theirs"}]})
    assert isinstance(ask(alias, "aws:kms/alias:Alias", name="alias/a", targetKeyId="k"), Foreign)
    parameter = Aws(get_parameter={"Parameter": {"Type": "String", "Value": "theirs"}})
    assert isinstance(ask(parameter, PARAMETER, name="/p", type="String", insecureValue="v"), Foreign)
    pipeline = Aws(get_pipeline={"pipeline": {"roleArn": "theirs"}})
    assert isinstance(ask(pipeline, PIPELINE, name="p", roleArn="r"), Foreign)
    twice = Aws(list_keys={"Keys": [{"KeyId": "d"}, {"KeyId": "e"}]}, describe_key=[*KEYS[3:]])
    assert isinstance(ask(twice, "aws:kms/key:Key", description="ours"), Unknown)
    two = ask(Aws(get_apis={"Items": [{"Name": "n", "ApiId": "1"}, {"Name": "n", "ApiId": "2"}]}), API, name="n")
    assert isinstance(two, Unknown)
    assert isinstance(ask(Aws(), "aws:ec2/vpc:Vpc"), Unknown)


EMPTY: dict[str, Any] = {"list_object_versions": {}, "list_multipart_uploads": {}}


@pytest.mark.parametrize(
    ("answers", "empty"),
    [
        (EMPTY, True),
        ({**EMPTY, "list_object_versions": {"Versions": [{"Key": "k"}]}}, False),
        ({**EMPTY, "list_object_versions": {"DeleteMarkers": [{"Key": "k"}]}}, False),
        ({**EMPTY, "list_multipart_uploads": {"Uploads": [{"Key": "k"}]}}, False),
        ({**EMPTY, "list_object_versions": refused("AccessDenied")}, False),
        ({**EMPTY, "list_multipart_uploads": refused("AccessDenied")}, False),
        ({**EMPTY, "list_buckets": {"Buckets": [{"Name": "b", "CreationDate": MADE}]}}, False),  # its time tells
    ],
)
def test_whoever_may_not_list_buckets_looks_whether_a_teams_own_is_empty(answers: dict[str, Any], empty: bool) -> None:
    aws = Aws(head_bucket={}, get_bucket_tagging=TAGGED, **answers)
    found = ask(aws, BUCKET, bucket="b", tags={"app": "a"})
    assert isinstance(found, There)
    assert found.empty == empty


TAGGED_TYPES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "aws-native:apigatewayv2:Api": (
        {"name": "n"},
        {"get_apis": {"Items": [{"Name": "n", "ApiId": "1"}]}, "get_api": {"Tags": {"team": "a"}}},
        "get_api",
    ),
    "aws-native:iam:Role": ({"roleName": "r"}, {"get_role": {"Role": {"Tags": [{"Key": "team", "Value": "a"}]}}}, ""),
    "aws-native:lambda:Function": (
        {"functionName": "f"},
        {"get_function": {"Configuration": {}, "Tags": {"team": "a"}}},
        "",
    ),
    "aws-native:logs:LogGroup": (
        {"logGroupName": "/g"},
        {
            "describe_log_groups": {"logGroups": [{"logGroupName": "/g"}]},
            "list_tags_for_resource": {"tags": {"team": "a"}},
        },
        "list_tags_for_resource",
    ),
    "aws:codebuild/project:Project": (
        {"name": "p"},
        {"batch_get_projects": {"projects": [{"arn": "arn:project/p", "tags": [{"key": "team", "value": "a"}]}]}},
        "",
    ),
    "aws:codestarnotifications/notificationRule:NotificationRule": (
        {"name": "n", "resource": "arn:pipeline"},
        {
            "list_notification_rules": {"NotificationRules": [{"Arn": "arn:n"}]},
            "describe_notification_rule": {"Name": "n", "Tags": {"team": "a"}},
        },
        "",
    ),
    "aws:iam/policy:Policy": (
        {"name": "p"},
        {
            "list_policies": {"Policies": [{"PolicyName": "p", "Path": "/", "Arn": "arn:p"}]},
            "get_policy": {"Policy": {"Tags": [{"Key": "team", "Value": "a"}]}},
        },
        "get_policy",
    ),
    "aws:iam/role:Role": ({"name": "r"}, {"get_role": {"Role": {"Tags": [{"Key": "team", "Value": "a"}]}}}, ""),
    "aws:kms/key:Key": (
        {"description": "ours"},
        {
            "list_keys": {"Keys": [{"KeyId": "e"}]},
            "describe_key": KEYS[-1],
            "list_resource_tags": {"Tags": [{"TagKey": "team", "TagValue": "a"}]},
        },
        "list_resource_tags",
    ),
    "aws:ssm/parameter:Parameter": (
        {"name": "/p", "insecureValue": "v"},
        {
            "get_parameter": {"Parameter": {"Value": "v"}},
            "list_tags_for_resource": {"TagList": [{"Key": "team", "Value": "a"}]},
            "describe_parameters": {"Parameters": [{"Name": "/p"}]},
        },
        "list_tags_for_resource",
    ),
}
"""Inputs, answers of an account in which it carries `team: a`, and the call that tells only that."""


def ask_tagged(
    type_: str, tags: dict[str, str], defaults: dict[str, str], component: str = "", denied: str = ""
) -> Answer:
    inputs, answers, _ = TAGGED_TYPES[type_]
    native = type_.startswith("aws-native:") and not type_.endswith((":Api",))
    given: Any = [{"key": k, "value": v} for k, v in tags.items()] if native else tags
    provider = {"urn": "urn:provider", "inputs": {"region": "eu-west-1", "allowedAccountIds": '["111122223333"]'}}
    if defaults:
        provider["inputs"]["defaultTags"] = json.dumps({"tags": defaults})  # type: ignore[index]
    resource = {
        "urn": f"urn:pulumi:dev::app::{component}{type_}::thing",
        "type": type_,
        "provider": "urn:provider::id",
        "inputs": {**inputs, **({"tags": given} if tags else {})},
    }
    aws: Any = Aws(**{**answers, **({denied: refused("AccessDeniedException")} if denied else {})})
    aws.profile = None
    return existing.ask_there(aws, Operation("creating", resource), [provider], frozenset())


@pytest.mark.parametrize("type_", TAGGED_TYPES)
def test_what_carries_other_tags_is_somebody_elses_whenever_it_was_made(type_: str) -> None:
    assert isinstance(ask_tagged(type_, {"team": "a"}, {}), There)
    other = ask_tagged(type_, {"team": "b"}, {})
    assert isinstance(other, Foreign)
    assert "other tags" in other.why
    assert isinstance(ask_tagged(type_, {}, {}), There)  # the time decides
    # The names of our own prove it.
    assert isinstance(ask_tagged(type_, {"team": "b"}, {}, "amplify-delivery:index:TargetAccount$"), There)
    if type_.startswith("aws:"):  # the other provider writes its default tags into the inputs
        assert isinstance(ask_tagged(type_, {}, {"team": "a"}), There)
        assert isinstance(ask_tagged(type_, {}, {"team": "b"}), Foreign)
        assert isinstance(ask_tagged(type_, {"team": "a"}, {"team": "b"}), There)
    if denied := TAGGED_TYPES[type_][2]:
        assert isinstance(ask_tagged(type_, {"team": "b"}, {}, denied=denied), There)


def test_the_tags_of_every_type_are_compared_whose_time_counts() -> None:
    elsewhere = {BUCKET}
    assert tags.LOOKS.keys() | elsewhere >= by_time.BY_TIME
    assert tags.LOOKS.keys() == TAGGED_TYPES.keys()


TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": ["sts:AssumeRole"]}]}
GIVEN_BACK = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "sts:AssumeRole",
    },
}
OTHERS = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "999988887777"}, "Action": "sts:AssumeRole"}]}


def with_policy(type_: str, sent: Any, found: Any, component: str = "", denied: str = "") -> Answer:
    """What is said of one that has the policy `found`, where `sent` was to be its."""
    inputs, answers, _ = TAGGED_TYPES[type_]
    role = {**answers.get("get_role", {}).get("Role", {}), "AssumeRolePolicyDocument": found}
    policy = {**answers.get("get_policy", {}).get("Policy", {}), "DefaultVersionId": "v1"}
    there = {
        **answers,
        "get_role": {"Role": role},
        "get_policy": {"Policy": policy},
        "get_policy_version": {"PolicyVersion": {"Document": found}},
        "get_key_policy": {"Policy": json.dumps(found)},
    }
    aws: Any = Aws(**{**there, **({denied: refused("AccessDenied")} if denied else {})})
    key, _ = policies.LOOKS[type_]
    resource = {
        "urn": f"urn:pulumi:dev::app::{component}{type_}::thing",
        "type": type_,
        "inputs": {**inputs, key: sent},
    }
    return existing.ask_there(aws, Operation("creating", resource), [], frozenset())


@pytest.mark.parametrize("type_", policies.LOOKS)
def test_of_what_has_another_policy_nobody_can_tell(type_: str) -> None:
    """Of the same name and tags, made while that run was at work: a role that lets somebody else in."""
    sent: Any = TRUST if type_.startswith("aws-native:") else json.dumps(TRUST)
    assert isinstance(with_policy(type_, sent, GIVEN_BACK), There)
    other = with_policy(type_, sent, OTHERS)
    assert isinstance(other, Unknown)
    assert "somebody else's, or changed since" in other.why
    assert isinstance(with_policy(type_, None, OTHERS), There), "the service's default was to be its"
    # The names of our own prove it.
    assert isinstance(with_policy(type_, sent, OTHERS, "amplify-delivery:index:TargetAccount$"), There)
    denied = {"aws:iam/policy:Policy": "get_policy_version", "aws:kms/key:Key": "get_key_policy"}.get(type_)
    if denied:
        assert isinstance(with_policy(type_, sent, OTHERS, denied=denied), There)


ROLE = "arn:aws:iam::111122223333:role/builds"
MADE_AS: list[tuple[str, dict[str, Any], str, dict[str, Any], list[dict[str, Any]]]] = [
    # type; what was sent; the call that tells of it; what it tells; what else it may tell
    (
        "aws-native:logs:LogGroup",
        {"logGroupName": "/g", "retentionInDays": 30, "kmsKeyId": "arn:key/1"},
        "describe_log_groups",
        {"logGroupName": "/g", "retentionInDays": 30, "kmsKeyId": "arn:key/1"},
        [{"retentionInDays": 7}, {"kmsKeyId": "arn:key/2"}, {"kmsKeyId": None}],
    ),
    (
        "aws:codebuild/project:Project",
        {
            "name": "p",
            "serviceRole": ROLE,
            "description": "tests",
            "source": {"type": "GITHUB", "location": "https://github.com/a/b", "buildspec": "version: 0.2"},
            "artifacts": {"type": "NO_ARTIFACTS"},
            "environment": {"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0"},
        },
        "batch_get_projects",
        {
            "arn": "arn:project/p",
            "serviceRole": ROLE,
            "description": "tests",
            "source": {"type": "GITHUB", "location": "https://github.com/a/b", "buildspec": "version: 0.2"},
            "artifacts": {"type": "NO_ARTIFACTS"},
            "environment": {"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "privilegedMode": False},
        },
        [
            {"serviceRole": f"{ROLE}-others"},
            {"source": {"type": "GITHUB", "location": "https://github.com/a/c", "buildspec": "version: 0.2"}},
            {"source": {"type": "GITHUB", "location": "https://github.com/a/b", "buildspec": "version: 0.1"}},
            {"environment": {"type": "LINUX_CONTAINER", "image": "somebody/elses"}},
        ],
    ),
    (
        "aws:ssm/parameter:Parameter",
        {"name": "/p", "insecureValue": "v", "description": "ours"},
        "describe_parameters",
        {"Name": "/p", "Description": "ours"},
        [{"Description": "theirs"}, {"Description": None}, {"AllowedPattern": "v"}],
    ),
    (
        "aws-native:apigatewayv2:Api",
        {"name": "n", "protocolType": "HTTP"},
        "get_api",
        {"ProtocolType": "HTTP"},
        [{"ProtocolType": "WEBSOCKET"}, {"Description": "theirs"}],
    ),
]


def made_as(type_: str, sent: dict[str, Any], call: str, told: dict[str, Any], component: str = "") -> Answer:
    """What is said of one of the right name, of which `call` tells that."""
    _, answers, _ = TAGGED_TYPES[type_]
    lists = {
        "describe_log_groups": {"logGroups": [told]},
        "batch_get_projects": {"projects": [told]},
        "describe_parameters": {"Parameters": [told]},
    }
    aws: Any = Aws(**{**answers, call: lists.get(call, told)})
    urn = f"urn:pulumi:dev::app::{component}{type_}::thing"
    return existing.ask_there(aws, Operation("creating", {"urn": urn, "type": type_, "inputs": sent}), [], frozenset())


@pytest.mark.parametrize(("type_", "inputs", "call", "told", "others"), MADE_AS)
def test_of_what_was_made_in_another_way_nobody_can_tell(
    type_: str, inputs: dict[str, Any], call: str, told: dict[str, Any], others: list[dict[str, Any]]
) -> None:
    """Of the same name and tags, made while that run was at work."""
    assert isinstance(made_as(type_, inputs, call, told), There)
    for other in others:
        answer = made_as(type_, inputs, call, {**told, **other})
        assert isinstance(answer, Unknown), other
        assert all(f"another {key[:1].lower()}{key[1:]}" in answer.why for key in other), answer.why
        # The names of our own prove it.
        ours = made_as(type_, inputs, call, {**told, **other}, "amplify-delivery:index:TargetAccount$")
        assert isinstance(ours, There)


NO_LONGER: dict[str, dict[str, Any]] = {
    "aws-native:logs:LogGroup": {"describe_log_groups": {"logGroups": []}},
    "aws:codebuild/project:Project": {"batch_get_projects": {"projects": [], "projectsNotFound": ["p"]}},
    "aws:ssm/parameter:Parameter": {"describe_parameters": {"Parameters": []}},
    "aws-native:apigatewayv2:Api": {"get_api": refused("NotFoundException")},
}
"""What AWS answers of what somebody has deleted since it was found."""


@pytest.mark.parametrize("type_", sent.LOOKS)
def test_what_goes_between_two_questions_is_gone(type_: str) -> None:
    inputs = next(sent for of, sent, *_ in MADE_AS if of == type_)
    urn = f"urn:pulumi:dev::app::{type_}::thing"
    operation = Operation("creating", {"urn": urn, "type": type_, "inputs": inputs})
    aws: Any = Aws(**NO_LONGER[type_])
    assert isinstance(sent.carried(aws, operation, There("thing")), Gone)


def test_a_log_groups_retention_comes_in_a_second_call() -> None:
    type_, inputs, call, told, _ = MADE_AS[0]
    assert isinstance(made_as(type_, inputs, call, {**told, "retentionInDays": None}), There)


def test_whatever_the_time_counts_for_is_compared_in_what_was_sent() -> None:
    assert policies.LOOKS.keys() | sent.LOOKS.keys() | {BUCKET} >= by_time.BY_TIME
