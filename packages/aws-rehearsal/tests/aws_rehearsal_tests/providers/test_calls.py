"""The stand-ins' answers to single calls of the engine: secrets, unknowns, names, replacement, errors."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import grpc
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from pulumi.runtime.proto import provider_pb2, status_pb2

from aws_rehearsal.providers.classic import s3_lifecycle, stack_waiter
from aws_rehearsal.providers.classic.provider import ClassicProvider
from aws_rehearsal.providers.native.provider import NativeProvider
from aws_rehearsal.providers.wire import UNKNOWN, Secret, decode, encode, plain
from aws_rehearsal_tests.clock import Clock
from aws_rehearsal_tests.provider_calls import Aborted, Calls, FakeSession

STACK = "aws:cloudformation/stack:Stack"
BUCKET = "aws:s3/bucket:Bucket"
ARN = "arn:aws:cloudformation:eu-central-1:111122223333:stack/app/1"


class FakeCloudFormation:
    """Answers as CloudFormation does for one stack, and remembers what was asked."""

    class exceptions:  # noqa: N801 - botocore's name
        ClientError = ClientError

    def __init__(self, status: str = "CREATE_COMPLETE", **stack: Any) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.stack = {"StackId": ARN, "StackName": "app", "StackStatus": status, "Parameters": [], "Tags": []} | stack
        self.events: list[dict[str, Any]] = []
        self.refusal: tuple[str, str] | None = None

    def _asked(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((operation, request))
        if self.refusal and operation.startswith(("Create", "Update")):
            code, message = self.refusal
            raise ClientError({"Error": {"Code": code, "Message": message}}, operation)
        for event in self.events:
            event.setdefault("ClientRequestToken", request.get("ClientRequestToken"))
        return {"StackId": ARN}

    def create_stack(self, **request: Any) -> dict[str, Any]:
        return self._asked("CreateStack", request)

    def update_stack(self, **request: Any) -> dict[str, Any]:
        return self._asked("UpdateStack", request)

    def delete_stack(self, **request: Any) -> dict[str, Any]:
        return self._asked("DeleteStack", request)

    def describe_stacks(self, **request: Any) -> dict[str, Any]:
        return {"Stacks": [self.stack]}

    def get_template(self, **request: Any) -> dict[str, Any]:
        return {"TemplateBody": {"b": 1, "a": 2}}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "describe_stack_events"
        return type("Pages", (), {"paginate": lambda _, **request: [{"StackEvents": self.events}]})()


def classic(token: str, session: FakeSession | None = None) -> Calls:
    provider = ClassicProvider("7.0.0")
    provider._session = session or FakeSession()
    return Calls(provider, token)


def native(token: str, **values: Any) -> Calls:
    provider = NativeProvider("1.0.0")
    provider._session = FakeSession(values=values)
    return Calls(provider, token)


def stack(fake: FakeCloudFormation) -> Calls:
    return classic(STACK, FakeSession({"cloudformation": fake}))


# -- secrets and unknowns


def test_a_secret_parameter_stays_secret_in_outputs_and_is_sent_in_clear() -> None:
    fake = FakeCloudFormation(Parameters=[{"ParameterKey": "Password", "ParameterValue": "****"}])
    _, outputs = stack(fake).create({"name": "app", "parameters": {"Password": Secret("hush"), "Plain": "x"}})
    assert outputs["parameters"] == {"Password": Secret("****")}
    assert {"ParameterKey": "Password", "ParameterValue": "hush"} in fake.asked[0][1]["Parameters"]


def test_a_preview_keeps_secrets_secret_and_unknowns_unknown_inside_maps_and_lists() -> None:
    inputs = {
        "name": "app",
        "parameters": {"A": UNKNOWN, "B": Secret("hush")},
        "notificationArns": ["arn", UNKNOWN],
        "tags": {"a": UNKNOWN},
    }
    resource_id, outputs = stack(FakeCloudFormation()).create(inputs, preview=True)
    assert resource_id == ""
    assert {key: outputs[key] for key in inputs} == inputs
    assert outputs["outputs"] is UNKNOWN
    assert outputs["tagsAll"] is UNKNOWN


def test_stack_outputs_are_known_in_the_preview_of_an_update_that_changes_nothing_real() -> None:
    olds = {"name": "app", "templateUrl": "old", "outputs": {"O": "1"}, "region": "eu-central-1"}
    assert stack(FakeCloudFormation()).update(olds, {"name": "app", "templateUrl": "old"}, preview=True)["outputs"] == {
        "O": "1"
    }
    assert (
        stack(FakeCloudFormation()).update(olds, {"name": "app", "templateUrl": "new"}, preview=True)["outputs"]
        is UNKNOWN
    )


def test_a_parameter_store_value_is_secret_whatever_it_came_as() -> None:
    _, outputs = classic("aws:ssm/parameter:Parameter").create(
        {"name": "/a", "type": "String", "value": "x"}, preview=True
    )
    assert outputs["value"] == Secret("x")


def test_a_native_resource_keeps_its_inputs_as_a_secret() -> None:
    _, outputs = native("aws-native:ssm:Parameter").create({"type": "String", "value": Secret("hush")}, preview=True)
    assert outputs["value"] == Secret("hush")
    assert isinstance(outputs["__inputs"], Secret)
    assert outputs["arn"] is UNKNOWN


# -- reading


def test_a_refresh_reads_noecho_parameters_masked_into_state_and_inputs() -> None:
    shown = [{"ParameterKey": "Password", "ParameterValue": "****"}, {"ParameterKey": "Default", "ParameterValue": "d"}]
    inputs = {"name": "app", "parameters": {"Password": Secret("hush")}}
    answer = stack(FakeCloudFormation(Parameters=shown)).read(ARN, {**inputs, "outputs": {}}, inputs)
    assert decode(answer.properties)["parameters"] == {"Password": Secret("****")}
    assert decode(answer.inputs)["parameters"] == {"Password": Secret("****")}


def test_an_import_reads_what_the_stack_has_but_no_parameters() -> None:
    fake = FakeCloudFormation(
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": "P", "ParameterValue": "v"}],
        Tags=[{"Key": "a", "Value": "b"}],
        DisableRollback=False,
    )
    answer = stack(fake).read("app")
    inputs = decode(answer.inputs)
    assert answer.id == "app"
    assert inputs == {
        "name": "app",
        "capabilities": ["CAPABILITY_IAM"],
        "tags": {"a": "b"},
        "templateBody": '{"a":2,"b":1}',
    } | {"region": "eu-central-1"}


def test_a_deleted_stack_reads_as_gone() -> None:
    answer = stack(FakeCloudFormation("DELETE_COMPLETE")).read(ARN, {"name": "app"}, {"name": "app"})
    assert answer.id == ""


# -- differences


def test_ignored_changes_are_no_difference() -> None:
    olds = {"name": "app", "parameters": {"Password": "****", "Plain": "1"}}
    news = {"name": "app", "parameters": {"Password": Secret("hush"), "Plain": "2"}, "onFailure": "DELETE"}
    answer = stack(FakeCloudFormation()).diff(olds, news, ignoreChanges=["parameters.Password", "onFailure"])
    assert list(answer.detailedDiff) == ["parameters.Plain"]
    assert not answer.replaces


def test_ignored_changes_are_not_sent() -> None:
    fake = FakeCloudFormation("UPDATE_COMPLETE")
    olds = {"name": "app", "parameters": {"Password": "****"}, "templateUrl": "old"}
    news = {"name": "app", "parameters": {"Password": "hush"}, "templateUrl": "new"}
    stack(fake).update(olds, news, ignoreChanges=["parameters"])
    assert fake.asked[0][1]["Parameters"] == [{"ParameterKey": "Password", "ParameterValue": "****"}]


def test_another_region_of_the_provider_replaces_what_has_no_region_of_its_own() -> None:
    calls = classic(BUCKET, FakeSession(region="us-east-1"))
    assert calls.diff({"bucket": "b", "region": "eu-central-1"}, {"bucket": "b"}).replaces == ["region"]
    assert not calls.diff({"bucket": "b", "region": "eu-central-1"}, {"bucket": "b", "region": "eu-central-1"}).replaces


def test_a_replacement_under_the_same_explicit_name_deletes_first() -> None:
    olds = {"name": "app", "onFailure": "DELETE"}
    answer = stack(FakeCloudFormation()).diff(olds, {"name": "app", "onFailure": "ROLLBACK", "__defaults": []})
    assert answer.deleteBeforeReplace
    answer = stack(FakeCloudFormation()).diff(olds, {"name": "app", "onFailure": "ROLLBACK", "__defaults": ["name"]})
    assert not answer.deleteBeforeReplace


def test_native_replaces_what_the_schema_calls_create_only() -> None:
    bucket = native("aws-native:s3:Bucket")
    assert bucket.diff({"bucketName": "a"}, {"bucketName": "b"}).replaces == ["bucketName"]
    changed = {"bucketName": "a", "versioningConfiguration": {"status": "Enabled"}}
    assert list(bucket.diff({"bucketName": "a"}, changed).replaces) == []
    repository = native("aws-native:ecr:Repository")
    olds = {"repositoryName": "r", "encryptionConfiguration": {"encryptionType": "AES256"}}
    news = {"repositoryName": "r", "encryptionConfiguration": {"encryptionType": "KMS"}}
    assert repository.diff(olds, news).replaces == ["encryptionConfiguration"]
    assert repository.diff(olds, olds).changes == provider_pb2.DiffResponse.DIFF_NONE


# -- names


def test_an_automatic_name_is_the_resource_s_with_seven_digits_and_stays() -> None:
    calls = classic(BUCKET)
    calls.name = "My_Bucket"
    first, _ = calls.check({}, randomSeed=b"seed")
    assert first["bucket"].startswith("my-bucket-")
    assert len(first["bucket"]) == len("my-bucket-") + 7
    assert calls.check({}, randomSeed=b"seed")[0] == first
    assert calls.check({}, first, randomSeed=b"other")[0]["bucket"] == first["bucket"]
    assert "bucket" in first["__defaults"]


def test_a_name_that_is_no_longer_given_becomes_automatic() -> None:
    inputs, _ = classic(BUCKET).check({}, {"bucket": "given", "__defaults": ["forceDestroy"]}, randomSeed=b"seed")
    assert inputs["bucket"] != "given"


def test_a_stack_s_autonaming_settings_win() -> None:
    options = provider_pb2.CheckRequest.AutonamingOptions
    proposed = options(proposed_name="exactly", mode=options.ENFORCE)
    assert classic(BUCKET).check({}, autonaming=proposed)[0]["bucket"] == "exactly"
    with pytest.raises(Aborted, match="automatic naming is disabled"):
        classic(BUCKET).check({}, autonaming=options(mode=options.DISABLE))


@pytest.mark.parametrize(
    ("token", "key"),
    [
        ("aws-native:iam:Role", "roleName"),
        ("aws-native:logs:LogGroup", "logGroupName"),
        ("aws-native:s3:Bucket", "bucketName"),
        ("aws-native:lambda:Function", "functionName"),
        ("aws-native:ssm:Parameter", "name"),
    ],
)
def test_a_native_resource_without_a_name_gets_its_own_and_a_random_end(token: str, key: str) -> None:
    calls = native(token)
    bodies: dict[str, dict[str, Any]] = {
        "aws-native:iam:Role": {"assumeRolePolicyDocument": {}},
        "aws-native:lambda:Function": {"code": {"zipFile": "x"}, "role": "arn:aws:iam::111122223333:role/r"},
        "aws-native:ssm:Parameter": {"type": "String", "value": "x"},
    }
    news = bodies.get(token, {})
    inputs, failures = calls.check(news, randomSeed=b"seed")
    assert not failures
    assert inputs[key].startswith("thing-")


# -- native checks


@pytest.mark.parametrize(
    ("token", "news", "failure"),
    [
        ("s3:Bucket", {"bucketName": "Bad_Name"}, "bucketName: 'Bad_Name' does not match"),
        (
            "s3:Bucket",
            {"versioningConfiguration": {"status": "On"}},
            "versioningConfiguration.status: 'On' is not one of",
        ),
        (
            "s3:Bucket",
            {"bucktName": "a"},
            "bucktName: unknown property 'bucktName' of AWS::S3::Bucket (did you mean 'bucketName'?)",
        ),
        (
            "s3:Bucket",
            {"versioningConfiguration": {"state": "x"}},
            "versioningConfiguration.state: unknown property 'state'",
        ),
        ("s3:Bucket", {"tags": [{"key": "a"}]}, "tags[0].value: 'value' is a required property"),
        ("s3:Bucket", {"arn": "x"}, "arn: is set by AWS only"),
        ("ssm:Parameter", {"type": "String"}, "value: 'value' is a required property"),
        ("ssm:Parameter", {"type": "String", "value": "{{resolve:ssm:/x}}"}, "value: holds a dynamic reference"),
        ("logs:LogGroup", {"retentionInDays": 31}, "retentionInDays: 31 is not one of"),
        ("codepipeline:Pipeline", {"roleArn": "arn:aws:iam::1:role/r", "stages": []}, "exactly one of artifactStore"),
    ],
)
def test_native_inputs_are_held_against_the_schema(token: str, news: Any, failure: str) -> None:
    _, failures = native(f"aws-native:{token}").check(news)
    assert any(failure in found for found in failures), failures


def test_native_inputs_that_are_unknown_or_secret_pass() -> None:
    news = {
        "bucketName": UNKNOWN,
        "versioningConfiguration": {"status": UNKNOWN},
        "tags": [{"key": "a", "value": Secret("b")}],
    }
    inputs, failures = native("aws-native:s3:Bucket").check(news)
    assert not failures
    assert inputs == news


def test_native_default_tags_are_merged_into_the_inputs() -> None:
    calls = native("aws-native:s3:Bucket", defaultTags={"tags": {"app": "x", "env": "dev"}})
    inputs, _ = calls.check({"bucketName": "abc", "tags": [{"key": "env", "value": "prod"}]})
    assert inputs["tags"] == [{"key": "env", "value": "prod"}, {"key": "app", "value": "x"}]


def test_a_native_type_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(Aborted, match="aws-native:s3:Buckett"):
        native("aws-native:s3:Buckett").check({})


# -- errors


def failed(fake: FakeCloudFormation) -> Aborted:
    with pytest.raises(Aborted) as raised:
        stack(fake).create({"name": "app", "parameters": {"Password": Secret("hush")}})
    return raised.value


def test_a_failed_create_is_half_made_with_its_secrets_still_secret() -> None:
    fake = FakeCloudFormation("ROLLBACK_COMPLETE")
    fake.events = [
        {
            "LogicalResourceId": "Table",
            "ResourceStatus": "CREATE_FAILED",
            "ResourceStatusReason": "no",
            "ResourceType": "T",
        },
        {"LogicalResourceId": "Fine", "ResourceStatus": "CREATE_COMPLETE", "ResourceType": "T"},
    ]
    error = failed(fake)
    assert error.code == grpc.StatusCode.FAILED_PRECONDITION
    assert "stack status (ROLLBACK_COMPLETE): Table: no" in str(error)
    ((key, packed),) = error.context.trailing
    assert key == "grpc-status-details-bin"
    detail = provider_pb2.ErrorResourceInitFailed()
    status_pb2.Status.FromString(packed).details[0].Unpack(detail)
    assert detail.id == ARN
    assert decode(detail.properties)["parameters"] == {"Password": Secret("hush")}


def test_a_failed_update_is_saved_as_if_it_had_worked() -> None:
    """terraform-plugin-sdk #476: the engine keeps what was planned, and that it failed."""
    fake = FakeCloudFormation("UPDATE_ROLLBACK_COMPLETE", StackStatusReason="no")
    olds = {"name": "app", "templateUrl": "old", "outputs": {"O": "1"}, "parameters": {"P": Secret("hush")}}
    with pytest.raises(Aborted, match=r"(?s)updating urn:.*stack status \(UPDATE_ROLLBACK_COMPLETE\): no") as raised:
        stack(fake).update(olds, {"name": "app", "templateUrl": "new", "parameters": {"P": "plain by now"}})
    detail = provider_pb2.ErrorResourceInitFailed()
    status_pb2.Status.FromString(raised.value.context.trailing[0][1]).details[0].Unpack(detail)
    outputs = decode(detail.properties)
    assert outputs["templateUrl"] == "new"
    assert outputs["parameters"] == {"P": Secret("plain by now")}
    assert "outputs" not in outputs


def test_a_refused_create_makes_nothing() -> None:
    fake = FakeCloudFormation()
    fake.refusal = ("AlreadyExistsException", "Stack [app] already exists")
    error = failed(fake)
    assert not error.context.trailing
    assert error.code == grpc.StatusCode.FAILED_PRECONDITION
    assert str(error).startswith("1 error occurred:\n\t* creating CloudFormation Stack (app): operation error")
    assert "api error AlreadyExistsException: Stack [app] already exists" in str(error)


def test_an_unexpected_state_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_waiter, "POLL_SECONDS", 0)
    assert "unexpected state 'REVIEW_IN_PROGRESS', wanted target" in str(
        failed(FakeCloudFormation("REVIEW_IN_PROGRESS"))
    )


def test_a_denied_call_is_permission_denied() -> None:
    fake = FakeCloudFormation()
    fake.refusal = ("AccessDenied", "not authorized to perform: cloudformation:CreateStack")
    assert failed(fake).code == grpc.StatusCode.PERMISSION_DENIED


def test_events_of_other_operations_are_not_blamed() -> None:
    fake = FakeCloudFormation("ROLLBACK_COMPLETE", StackStatusReason="as a whole")
    fake.events = [
        {
            "LogicalResourceId": "Old",
            "ResourceStatus": "CREATE_FAILED",
            "ResourceStatusReason": "old",
            "ClientRequestToken": "x",
        }
    ]
    assert "stack status (ROLLBACK_COMPLETE): as a whole" in str(failed(fake))


def test_no_updates_to_perform_is_no_error() -> None:
    fake = FakeCloudFormation("UPDATE_COMPLETE", Outputs=[{"OutputKey": "O", "OutputValue": "1"}])
    fake.refusal = ("ValidationError", "No updates are to be performed.")
    outputs = stack(fake).update({"name": "app", "templateUrl": "a"}, {"name": "app", "templateUrl": "b"})
    assert outputs["outputs"] == {"O": "1"}
    assert outputs["templateUrl"] == "b"


def test_an_update_sends_role_and_policy_only_when_they_changed() -> None:
    fake = FakeCloudFormation("UPDATE_COMPLETE")
    olds = {
        "name": "app",
        "iamRoleArn": "role",
        "policyBody": "{}",
        "capabilities": ["CAPABILITY_IAM"],
        "templateUrl": "a",
    }
    stack(fake).update(olds, {**olds, "templateUrl": "b"})
    stack(fake).update(olds, {**olds, "policyBody": json.dumps({"Statement": []})})
    first, second = (request for operation, request in fake.asked)
    assert first["Capabilities"] == ["CAPABILITY_IAM"]
    assert not {"RoleARN", "StackPolicyBody"} & set(first)
    assert second["StackPolicyBody"] == '{"Statement":[]}'


def test_a_delete_sends_no_role() -> None:
    fake = FakeCloudFormation("DELETE_COMPLETE")
    calls = stack(fake)
    request = provider_pb2.DeleteRequest(
        **calls._common, id=ARN, properties=encode({"name": "app", "iamRoleArn": "role"})
    )
    calls.provider.Delete(request, None)
    assert set(fake.asked[0][1]) == {"StackName", "ClientRequestToken"}


def test_a_defect_of_the_stand_in_is_no_unknown_state() -> None:
    with pytest.raises(Aborted, match="defect in the stand-in provider: KeyError") as raised:
        classic(BUCKET).create({"bucket": "b"})
    assert raised.value.code not in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS)


def test_tags_of_the_provider_are_sent_and_shown_apart() -> None:
    fake = FakeCloudFormation(Tags=[{"Key": "app", "Value": "x"}, {"Key": "own", "Value": "y"}])
    session = FakeSession({"cloudformation": fake}, {"defaultTags": {"tags": {"app": "x"}}})
    _, outputs = classic(STACK, session).create({"name": "app", "tags": {"own": "y"}})
    assert fake.asked[0][1]["Tags"] == [{"Key": "app", "Value": "x"}, {"Key": "own", "Value": "y"}]
    assert plain(outputs["tags"]) == {"own": "y"}
    assert plain(outputs["tagsAll"]) == {"app": "x", "own": "y"}


def test_other_tags_of_the_provider_are_an_update_at_once() -> None:
    """Nothing of the program has changed, nothing was refreshed: `tagsAll` differs."""
    values = {"defaultTags": {"tags": {"app": "y"}}}
    state = {"name": "app", "templateUrl": "u", "tags": {"own": "1"}, "tagsAll": {"app": "x", "own": "1"}}
    inputs = {"name": "app", "templateUrl": "u", "tags": {"own": "1"}}
    fake = FakeCloudFormation("UPDATE_COMPLETE", Tags=[{"Key": "app", "Value": "y"}, {"Key": "own", "Value": "1"}])
    calls = classic(STACK, FakeSession({"cloudformation": fake}, values))
    assert list(calls.diff(state, inputs).diffs) == ["tagsAll"]
    assert not calls.diff(state, inputs).replaces
    assert plain(calls.update(state, inputs)["tagsAll"]) == {"app": "y", "own": "1"}
    assert {"Key": "app", "Value": "y"} in fake.asked[-1][1]["Tags"]
    assert not calls.diff({**state, "tagsAll": {"app": "y", "own": "1"}}, inputs).diffs
    unknown = {**inputs, "tags": {"own": UNKNOWN}}
    assert "tagsAll" not in calls.diff(state, unknown).diffs


class Unreachable(FakeCloudFormation):
    def describe_stacks(self, **request: Any) -> dict[str, Any]:
        raise EndpointConnectionError(endpoint_url="https://cloudformation.eu-central-1.amazonaws.com")


def half_made(raised: pytest.ExceptionInfo[Aborted]) -> provider_pb2.ErrorResourceInitFailed:
    """What the engine keeps after a call that ended so."""
    detail = provider_pb2.ErrorResourceInitFailed()
    status_pb2.Status.FromString(raised.value.context.trailing[0][1]).details[0].Unpack(detail)
    return detail


def test_a_network_that_fails_while_a_create_waits_leaves_the_resource_in_the_state() -> None:
    with pytest.raises(Aborted, match="Could not connect") as raised:
        stack(Unreachable()).create({"name": "app", "templateUrl": "u", "tags": {"a": "1"}})
    kept = half_made(raised)
    assert kept.id == ARN
    assert plain(decode(kept.properties))["templateUrl"] == "u"
    assert plain(decode(kept.properties))["tagsAll"] == {"a": "1"}


def test_a_refused_read_after_a_create_leaves_the_resource_in_the_state() -> None:
    """So of every type: upstream sets the id before it looks at what it has made."""

    class Sns(FakeCloudFormation):
        def create_topic(self, **request: Any) -> dict[str, Any]:
            return {"TopicArn": "arn:aws:sns:eu-central-1:111122223333:news"}

        def get_topic_attributes(self, **request: Any) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "AuthorizationError", "Message": "no"}}, "GetTopicAttributes")

    with pytest.raises(Aborted, match="AuthorizationError") as raised:
        classic("aws:sns/topic:Topic", FakeSession({"sns": Sns()})).create({"name": "news"})
    assert half_made(raised).id == "arn:aws:sns:eu-central-1:111122223333:news"


@pytest.mark.parametrize(
    ("token", "key", "values", "replaces"),
    [
        ("aws:sns/topic:Topic", "fifoTopic", (False, True), True),
        ("aws:ssm/parameter:Parameter", "dataType", ("text", "aws:ec2:image"), True),
        ("aws:s3/bucketVersioning:BucketVersioning", "expectedBucketOwner", ("1" * 12, "2" * 12), False),
        (
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            "expectedBucketOwner",
            ("1" * 12, "2" * 12),
            False,
        ),
        # Its source keeps RequiresReplace: see
        # packages/aws-rehearsal/src/aws_rehearsal/providers/classic/s3_lifecycle.py.
        (
            "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            "expectedBucketOwner",
            ("1" * 12, "2" * 12),
            True,
        ),
    ],
)
def test_what_another_value_replaces(token: str, key: str, values: tuple[Any, Any], replaces: bool) -> None:
    old, new = values
    answer = classic(token).diff({key: old}, {key: new})
    assert list(answer.diffs) == [key]
    assert list(answer.replaces) == ([key] if replaces else [])


def test_native_differences_are_from_what_the_outputs_say_of_what_the_program_owns() -> None:
    calls = native("aws-native:logs:LogGroup", region="eu-central-1")
    news = {"logGroupName": "g", "retentionInDays": 30}
    changed = {**news, "retentionInDays": 7, "arn": "a", "__inputs": Secret(news)}
    assert list(calls.diff(changed, news, old_inputs=encode(news)).diffs) == ["retentionInDays"]
    filled_in = {**news, "logGroupClass": "STANDARD", "__inputs": Secret(news)}
    assert not calls.diff(filled_in, news, old_inputs=encode(news)).diffs


def test_get_stack_tells_all_parameters_and_outputs() -> None:
    fake = FakeCloudFormation(
        Parameters=[{"ParameterKey": "P", "ParameterValue": "****"}], Outputs=[{"OutputKey": "O", "OutputValue": "1"}]
    )
    calls = stack(fake)
    request = provider_pb2.InvokeRequest(tok="aws:cloudformation/getStack:getStack", args=encode({"name": "app"}))
    found = decode(getattr(calls.provider.Invoke(request, None), "return"))
    assert found["id"] == ARN
    assert found["parameters"] == {"P": "****"}
    assert found["outputs"] == {"O": "1"}
    assert found["templateBody"] == '{"a":2,"b":1}'


def test_a_lifecycle_configuration_is_read_until_it_is_steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven reads for one put, as recorded: whatever depends on the bucket alone does not wait for them."""
    clock = Clock(monkeypatch, s3_lifecycle)
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}

    class S3:
        class exceptions:  # noqa: N801 - botocore's name
            ClientError = ClientError

        calls: ClassVar[list[str]] = []

        def put_bucket_lifecycle_configuration(self, **_: Any) -> None:
            self.calls.append("put")

        def get_bucket_lifecycle_configuration(self, **_: Any) -> dict[str, Any]:
            self.calls.append("get")
            return {"Rules": [rule]}

    session = FakeSession(clients={"s3": S3()})
    calls = classic("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", session)
    rules = [{"id": "old", "status": "Enabled", "filter": {"prefix": ""}, "expiration": {"days": 1}}]
    calls.create({"bucket": "b", "rules": rules})
    assert S3.calls == ["put", *["get"] * 11]
    assert len(clock.slept) == 10, "it waits between two of them"
