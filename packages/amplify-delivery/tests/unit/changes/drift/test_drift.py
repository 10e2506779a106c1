"""Drift: what is told of it, what a deployment does to it, who has acknowledged it; without AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.changes.drift import detection
from amplify_delivery.changes.drift.detection import detect
from amplify_delivery.changes.drift.effects import Acknowledged, Drift, check, drift, stale, state_digest
from amplify_delivery.changes.drift.legitimate import Own, without_own
from amplify_delivery.changes.drift.model import Detected, Difference, Drifted, gone, shown
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import (
    AddResource,
    ChangeResource,
    RemoveResource,
    ReplaceResource,
    Step,
)
from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing.stack_states import STATES
from amplify_delivery.stacks.config.resource_rules import AcknowledgedDrift
from aws_rehearsal_tests.clock import Clock

FUNCTION = ("functionresize", "LambdaFunction")
KIND = "AWS::Lambda::Function"
TIMEOUT = Difference("/Timeout", "25", "60")
SECRET_PLACES = ("Environment", "Variables", "ProviderDetails", "SecretString", "ApiKey", "StageVariables")
"""Properties of CloudFormation below which whatever stands may be a secret."""
STACK = "AWS::CloudFormation::Stack"


def stacks(**properties: Any) -> Stacks:
    """A root with one function in a nested stack."""
    function = {"Type": KIND, "Properties": {"Timeout": 25, **properties}}
    root = {"Resources": {FUNCTION[0]: {"Type": STACK, "Properties": {"Parameters": {"env": "dev"}}}}}
    return Stacks({(): root, FUNCTION[:1]: {"Resources": {FUNCTION[1]: function}}}, {})


def told(steps: tuple[Step, ...] = (), wanted: Stacks | None = None, *found: Difference, **more: Any) -> Drift:
    (one,) = drift(Detected((Drifted(FUNCTION, KIND, found or (TIMEOUT,)),)), steps, wanted or stacks(), **more)
    return one


def changed(*properties: str) -> tuple[Step, ...]:
    return (ChangeResource(FUNCTION, KIND, properties, "digest"),)


def test_three_values_and_what_a_deployment_does() -> None:
    assert told().to_json() == {
        "path": "functionresize/LambdaFunction",
        "type": KIND,
        "property": "/Timeout",
        "deployed": "25",
        "running": "60",
        "wanted": "25",
        "effect": "left",
        "acknowledged": None,
    }
    assert told().what == "/Timeout: delivered 25, runs 60; left as it runs"
    assert told(changed("Timeout"), stacks(Timeout=30)).effect == "brought-back"
    assert "this release 30" in told(changed("Timeout"), stacks(Timeout=30)).what
    assert told(changed("Timeout"), stacks(Timeout=60)).effect == "taken-over"
    assert told(changed("MemorySize")).effect == "perhaps-brought-back"
    replaced = ReplaceResource(FUNCTION, KIND, ("FunctionName",), ("FunctionName",), True, "", "digest")
    assert told((replaced,)).effect == "brought-back"
    assert told((RemoveResource(FUNCTION, KIND, False, ""),)).effect == "removed"
    assert told((), stacks(Timeout={"Ref": "AWS::Region"})).wanted is None


def test_what_was_deleted() -> None:
    (deleted,) = gone()
    assert told((), None, deleted).effect == "left"
    assert told((RemoveResource(FUNCTION, KIND, False, ""),), None, deleted).effect == "removed"
    fails = told(changed("Timeout"), None, deleted)
    assert fails.effect == "fails"
    with pytest.raises(RefusedError, match="would fail on what somebody has deleted"):
        check([fails], "dev", refuse=False)


def test_acknowledged_is_a_place_with_a_value() -> None:
    known = Acknowledged("functionresize/LambdaFunction", "/Timeout", "60", "until May")
    assert told(acknowledged=[known]).acknowledged == "until May"
    later = Difference("/Timeout", "25", "90")
    assert told((), None, later, acknowledged=[known]).acknowledged is None
    assert stale([told()], [known]) == ()
    assert stale([told((), None, later)], [known]) == (known,)


def test_what_nobody_has_acknowledged_is_refused_where_that_is_asked_for() -> None:
    known = Acknowledged("functionresize/LambdaFunction", "/Timeout", "60", "until May")
    check([told()], "prod", refuse=False)
    check([told(acknowledged=[known])], "prod", refuse=True)
    with pytest.raises(RefusedError, match="delivered 25, runs 60") as caught:
        check([told()], "prod", refuse=True, known=2)
    said = [line.split(" ", 7)[-2:] for line in caught.value.remedy.split("`")[1].split(" && ")]
    assert [(key.strip("'").rpartition(".")[2], value) for key, value in said] == [
        ("path", "functionresize/LambdaFunction"),
        ("property", "/Timeout"),
        ("value", "60"),
        ("reason", "WHY"),
    ]
    assert "-s prod --path 'drift.acknowledged[2].path' functionresize/LambdaFunction && " in caught.value.remedy


def test_a_value_below_zero_is_no_option_of_pulumi() -> None:
    with pytest.raises(RefusedError) as caught:
        check([told((), None, Difference("/Timeout", "25", "-1"))], "prod", refuse=True)
    assert "--path -- 'drift.acknowledged[0].value' -1 && " in caught.value.remedy


def test_a_flag_and_a_number_are_acknowledged_as_pulumi_writes_them() -> None:
    """`pulumi config set --path ... false` writes YAML's false, and the engine gives the program a flag."""
    for written, runs in ((False, "false"), (60, "60"), (0.5, "0.5"), ("[1]", "[1]")):
        found = AcknowledgedDrift.model_validate({"path": "a", "property": "/B", "value": written, "reason": "c"})
        assert found.value == runs


def test_the_state_is_how_it_runs() -> None:
    known = Acknowledged("functionresize/LambdaFunction", "/Timeout", "60", "until May")
    same = state_digest([told()])
    assert state_digest([told(changed("Timeout"), stacks(Timeout=30), acknowledged=[known])]) == same
    assert state_digest([told((), None, Difference("/Timeout", "25", "61"))]) != same
    assert state_digest([told((), None, Difference("/MemorySize", "25", "60"))]) != same
    (elsewhere,) = drift(Detected((Drifted(("another", "LambdaFunction"), KIND, (TIMEOUT,)),)), (), stacks())
    assert state_digest([elsewhere]) != same


def test_what_is_only_perhaps_replaced_is_perhaps_brought_back() -> None:
    perhaps = ReplaceResource(FUNCTION, KIND, ("FunctionName",), ("FunctionName",), False, "", "digest")
    assert told((perhaps,)).effect == "perhaps-brought-back"
    assert told((AddResource(FUNCTION, KIND, "digest"),)).effect == "perhaps-brought-back"


def test_a_nested_stacks_parameters_are_brought_back_by_any_update_of_the_root() -> None:
    given = Drifted(FUNCTION[:1], STACK, (Difference("/Parameters/env", "dev", "other"),))

    def effect(*steps: Step) -> str:
        (found,) = drift(Detected((given,)), steps, stacks())
        return found.effect

    assert effect(*changed("Timeout")) == "brought-back"
    assert effect() == "left"


def test_what_this_release_says_of_a_part_of_a_property() -> None:
    def wanted(pointer: str, **properties: Any) -> str | None:
        return told((), stacks(**properties), Difference(pointer, "1", "2")).wanted

    assert wanted("/Layers/1", Layers=["a", "b"]) == "b"
    assert wanted("/Layers/2", Layers=["a", "b"]) == "null"
    assert wanted("/Layers/x", Layers=["a", "b"]) is None
    assert wanted("/Tags", Tags={"b": True, "a": 1}) == '{"a": 1, "b": true}'
    assert wanted("/Tags/a~1b", Tags={"a/b": "c"}) == "c"
    for unknown in ({"Fn::GetAtt": ["A", "Arn"]}, [{"Ref": "AWS::Region"}], {"A": {"Fn::Sub": "${B.Arn}"}}):
        assert wanted("/Tags", Tags=unknown) is None
    assert wanted("/Role/A", Role={"Fn::GetAtt": ["A", "Arn"]}) is None
    assert told((), stacks(), Difference("/A", "1", "x" * 60)).what.count("x") == 60
    assert told((), stacks(), Difference("/A", "1", "x" * 61)).what.count("x") == 57


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/Environment/Variables/API", "hunter2"),
        ("/Environment", json.dumps({"Variables": {"API": "hunter2"}})),
        ("/ProviderDetails/client_secret", "hunter2"),
        ("/AdditionalAuthenticationProviders/0", json.dumps({"X": {"clientSecret": "hunter2"}})),
        *((f"/{place}/A", "hunter2") for place in SECRET_PLACES),
        *(("/A", json.dumps({place: {"A": "hunter2"}})) for place in SECRET_PLACES),
    ],
)
def test_what_may_be_a_secret_is_not_shown(pointer: str, value: str) -> None:
    found = shown(FUNCTION, pointer, value)
    assert "hunter2" not in found
    assert found == shown(FUNCTION, pointer, value) != shown(FUNCTION, pointer, value + "3")
    assert found.startswith("sha256:")
    assert "hunter2" not in told((), None, Difference(pointer, "null", value)).what


def test_a_password_policy_is_no_secret() -> None:
    assert shown(("auth", "UserPool"), "/Policies/PasswordPolicy/MinimumLength", "6") == "6"
    policy = json.dumps({"PasswordPolicy": {"TemporaryPasswordValidityDays": 7}})
    assert shown(("auth", "UserPool"), "/Policies", policy) == policy


def test_that_there_is_none_or_it_is_gone_is_no_secret() -> None:
    for value in ("null", "deleted"):
        assert shown(FUNCTION, "/Environment/Variables/A", value) == value


# What is right so

POOL = "eu-central-1:0b1c"
TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {"cognito-identity.amazonaws.com:aud": POOL},
                "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"},
            },
        }
    ],
}
OWN = Own(frozenset({POOL}), frozenset({"access-todo"}), frozenset({"arn:aws:iam::1:policy/own"}))


def trust(document: Any, role: str = "AuthRole", *path: str) -> Drifted | None:
    """The trust of a role as it runs: told as one value, or in parts."""
    parts = (
        Difference("/AssumeRolePolicyDocument/Statement/0/Effect", "Deny", "Allow"),
        Difference("/AssumeRolePolicyDocument/Statement/0/Condition", "null", "{}"),
    )
    return without_own(Drifted((*path, role), "AWS::IAM::Role", parts, {"AssumeRolePolicyDocument": document}), OWN)


def test_the_trust_that_amplify_sets_is_no_drift() -> None:
    assert trust(TRUST) is None
    assert trust(json.dumps(TRUST)) is None


def test_a_trust_that_somebody_opened_is() -> None:
    changes: list[dict[str, Any]] = [
        {"Condition": {}},
        {"Principal": "*"},
        {"Condition": json.loads(json.dumps(TRUST["Statement"][0]["Condition"]).replace(POOL, "eu-west-1:foreign"))},
    ]
    for change in changes:
        opened = {**TRUST, "Statement": [{**TRUST["Statement"][0], **change}]}
        assert trust(opened) is not None
    assert trust({**TRUST, "Statement": [*TRUST["Statement"], {"Effect": "Allow", "Principal": "*"}]}) is not None
    assert trust(TRUST, "UnauthRole") is not None, "for signed-in users only"
    assert trust(TRUST, "AuthRole", "api") is not None, "another role of that name"


def test_an_api_key_expires_when_the_program_says() -> None:
    key = ("apiapp", "GraphQLAPIKey")
    expiry = Difference("/Expires", "1800000000", "1790000000")
    assert without_own(Drifted(key, "AWS::AppSync::ApiKey", (expiry,)), OWN) is None
    left = without_own(Drifted(key, "AWS::AppSync::ApiKey", (expiry, Difference("/Description", "a", "b"))), OWN)
    assert left is not None
    assert [d.pointer for d in left.differences] == ["/Description"]


def test_policies_that_resources_of_their_own_add_to_a_role() -> None:
    role = ("apiapp", "Todo", "TodoIAMRole")
    ours = Difference("/Policies/1", "null", json.dumps({"PolicyName": "access-todo", "PolicyDocument": {}}))
    theirs = Difference("/Policies/2", "null", json.dumps({"PolicyName": "by-hand", "PolicyDocument": {}}))
    attached = Difference("/ManagedPolicyArns/0", "null", "arn:aws:iam::1:policy/own")
    foreign = Difference("/ManagedPolicyArns/1", "null", "arn:aws:iam::aws:policy/AdministratorAccess")
    left = without_own(Drifted(role, "AWS::IAM::Role", (ours, theirs, attached, foreign)), OWN)
    assert left is not None
    assert left.differences == (theirs, foreign)


def test_a_policy_that_somebody_has_changed_or_taken_away_is_drift_whatever_its_name() -> None:
    """Only what is there beside the role's own template is right so."""
    role, own = ("apiapp", "Todo", "TodoIAMRole"), json.dumps({"PolicyName": "access-todo", "PolicyDocument": {}})
    for found in (
        Difference("/Policies/1", own, own.replace("{}", '{"Statement": []}')),
        Difference("/Policies/1", own, "null"),
        Difference("/ManagedPolicyArns/0", "arn:aws:iam::1:policy/another", "arn:aws:iam::1:policy/own"),
        Difference("/Path", "null", "arn:aws:iam::1:policy/own"),
    ):
        assert without_own(Drifted(role, "AWS::IAM::Role", (found,)), OWN) is not None, found
        assert without_own(Drifted(role, "AWS::IAM::User", (found,)), OWN) is not None, found
    added = Difference("/Policies/1", "", own)
    assert without_own(Drifted(role, "AWS::IAM::Role", (added,)), OWN) is None
    assert without_own(Drifted(role, "AWS::IAM::User", (added,)), OWN) is not None


def test_the_trust_of_guests_is_the_auth_functions_too() -> None:
    guests = json.loads(json.dumps(TRUST).replace('"authenticated"', '"unauthenticated"'))
    assert trust(guests, "UnauthRole") is None
    assert trust(guests, "AuthRole") is not None
    sid = {**TRUST, "Statement": [{"Sid": "", **TRUST["Statement"][0]}]}
    assert trust(sid) is None, "as IAM gives an empty one back"
    named = {**TRUST, "Statement": [{"Sid": "a", **TRUST["Statement"][0]}]}
    assert trust(named) is not None
    nothing: tuple[Any, ...] = ({"Statement": {}}, {"Statement": ["a"]}, {}, "no JSON", None)
    for broken in nothing:
        assert trust(broken) is not None


def test_what_the_backend_gives_its_roles_is_known_by_resources_of_their_own() -> None:
    """By the name in the template, and by the physical id where the template leaves it to CloudFormation."""
    held = {
        "Access": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "access-todo"}},
        "Unnamed": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": {"Ref": "AWS::StackId"}}},
        "Other": {"Type": "AWS::IAM::RolePolicy", "Properties": {"PolicyName": "another"}},
    }
    ids = {"AWS::IAM::Policy": {"unnamed-1"}, "AWS::IAM::ManagedPolicy": {"arn"}, "AWS::Cognito::IdentityPool": {POOL}}
    own = Own.of(Stacks({(): {"Resources": held}}, {}), ids)
    assert own == Own(frozenset({POOL}), frozenset({"access-todo", "unnamed-1"}), frozenset({"arn"}))


# As CloudFormation tells it


class CloudFormation:
    """A root with one nested stack, whose detections take a look or two."""

    def __init__(self, drifts: dict[str, list[dict[str, Any]]], **more: Any) -> None:
        self.drifts, self.busy, self.ends = drifts, more.get("busy", 0), more.get("ends", True)
        self.failed, self.status = more.get("failed", ""), more.get("status", "UPDATE_COMPLETE")
        self.looks: dict[str, int] = {}
        self.env = "other" if "other" in drifts else "dev"

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - as boto3 calls it
        parameters = [{"ParameterKey": "env", "ParameterValue": self.env}]
        return {"Stacks": [{"StackId": StackName, "StackStatus": self.status, "Parameters": parameters}]}

    def detect_stack_drift(self, StackName: str) -> dict[str, str]:  # noqa: N803
        if self.busy:
            self.busy -= 1
            message = f"Drift detection is already in progress for stack [{StackName}]"
            raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "DetectStackDrift")
        return {"StackDriftDetectionId": StackName}

    def describe_stack_drift_detection_status(self, StackDriftDetectionId: str) -> dict[str, str]:  # noqa: N803
        looks = self.looks[StackDriftDetectionId] = self.looks.get(StackDriftDetectionId, 0) + 1
        if looks < 2 or not self.ends:
            return {"DetectionStatus": "DETECTION_IN_PROGRESS"}
        if self.failed:
            return {"DetectionStatus": "DETECTION_FAILED", "DetectionStatusReason": self.failed}
        return {"DetectionStatus": "DETECTION_COMPLETE"}

    def describe_stack_resource_drifts(self, StackName: str, NextToken: str = "0") -> dict[str, Any]:  # noqa: N803
        """One result a page."""
        found, number = self.drifts.get(StackName, []), int(NextToken)
        more = {"NextToken": str(number + 1)} if number + 1 < len(found) else {}
        return {"StackResourceDrifts": found[number : number + 1], **more}

    def get_paginator(self, operation: str) -> CloudFormation:
        assert operation == "list_stack_resources"
        return self

    def paginate(self, StackName: str) -> list[dict[str, Any]]:  # noqa: N803
        assert StackName == "root"
        nested = {"LogicalResourceId": FUNCTION[0], "PhysicalResourceId": "nested", "ResourceType": STACK}
        return [{"StackResourceSummaries": [{**nested, "ResourceStatus": "CREATE_COMPLETE"}]}]


def function(status: str, **more: Any) -> dict[str, Any]:
    return {"LogicalResourceId": FUNCTION[1], "ResourceType": KIND, "StackResourceDriftStatus": status, **more}


MODIFIED = function(
    "MODIFIED",
    PropertyDifferences=[
        {"PropertyPath": "/Timeout", "ExpectedValue": "25", "ActualValue": "60", "DifferenceType": "NOT_EQUAL"}
    ],
    ActualProperties="{}",
)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch, detection)


def found(cloudformation: CloudFormation) -> Detected:
    return detect(cloudformation, None, "root", stacks(), lambda _: None)


def test_nested_stacks_are_asked_each() -> None:
    detected = found(CloudFormation({"nested": [MODIFIED]}))
    assert detected.drifted == (Drifted(FUNCTION, KIND, (TIMEOUT,)),)
    role = {"LogicalResourceId": "Role", "ResourceType": "AWS::IAM::Role", "StackResourceDriftStatus": "IN_SYNC"}
    assert found(CloudFormation({"nested": [role, role, MODIFIED]})).drifted, "on the third page"
    assert found(CloudFormation({"nested": [function("DELETED")]})).drifted == (Drifted(FUNCTION, KIND, gone()),)
    assert found(CloudFormation({"nested": [function("IN_SYNC")]})) == Detected()


def test_parameters_that_the_parent_does_not_give() -> None:
    (one,) = found(CloudFormation({"other": []})).drifted
    assert one == Drifted(FUNCTION[:1], STACK, (Difference("/Parameters/env", "dev", "other"),))


def test_one_that_somebody_has_begun_is_waited_for() -> None:
    assert found(CloudFormation({"nested": [MODIFIED]}, busy=3)).drifted


def test_what_could_not_be_looked_at_is_told() -> None:
    unknown = function("UNKNOWN", DriftStatusReason="not authorized to perform: lambda:GetFunction")
    (unread,) = found(CloudFormation({"nested": [unknown]}, failed="resource LambdaFunction")).unread[1:]
    assert (unread.place, unread.why) == ("functionresize/LambdaFunction", unknown["DriftStatusReason"])
    assert [u.why for u in found(CloudFormation({}, failed="no rights")).unread] == ["no rights"] * 2
    assert [u.why for u in found(CloudFormation({}, status="DELETE_FAILED")).unread] == [
        "its state is DELETE_FAILED"
    ] * 2


def test_states_in_which_cloudformation_detects() -> None:
    """User guide, "Considerations when detecting drift"; every other one is refused, and told."""
    detected = {
        *("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"),
        *("IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"),
    }
    assert detected < STATES.keys()
    for status in STATES:
        looked = found(CloudFormation({"nested": [MODIFIED]}, status=status))
        assert (bool(looked.drifted), bool(looked.unread)) == (status in detected, status not in detected), status


def test_a_nested_stack_is_told_by_its_own_detection_and_a_masked_parameter_by_none() -> None:
    nested = {"LogicalResourceId": FUNCTION[0], "ResourceType": STACK, "StackResourceDriftStatus": "MODIFIED"}
    assert found(CloudFormation({"root": [{**nested, "PropertyDifferences": []}]})).drifted == ()
    masked = CloudFormation({"other": []})
    masked.env = "****"
    assert found(masked).drifted == ()


def test_a_trust_is_compared_with_the_pool_that_was_looked_at() -> None:
    """The pool's id comes from the detection of its own stack."""
    pool = {
        "LogicalResourceId": "Pool",
        "ResourceType": "AWS::Cognito::IdentityPool",
        "StackResourceDriftStatus": "IN_SYNC",
        "PhysicalResourceId": POOL,
    }
    role = {
        "LogicalResourceId": "AuthRole",
        "ResourceType": "AWS::IAM::Role",
        "StackResourceDriftStatus": "MODIFIED",
        "PropertyDifferences": [
            {"PropertyPath": "/AssumeRolePolicyDocument/Statement/0/Effect", "ExpectedValue": "Deny"}
        ],
        "ActualProperties": json.dumps({"AssumeRolePolicyDocument": TRUST}),
    }
    assert found(CloudFormation({"root": [role], "nested": [pool]})).drifted == ()
    assert found(CloudFormation({"root": [role]})).drifted


def test_what_cloudformation_does_not_detect_is_counted() -> None:
    role = {"LogicalResourceId": "Role", "ResourceType": "AWS::IAM::Role", "StackResourceDriftStatus": "IN_SYNC"}
    assert found(CloudFormation({"nested": [role]})).unsupported == {KIND: 1}


def test_a_detection_that_does_not_end_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection, "LONGEST", 0.05)
    with pytest.raises(RefusedError, match="did not finish detecting drift"):
        found(CloudFormation({}, ends=False))
