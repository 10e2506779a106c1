"""Check and Diff of the classic stand-in, as the Terraform bridge does them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aws_rehearsal.providers import classic
from aws_rehearsal.providers.classic import resource
from aws_rehearsal.providers.errors import Unsupported
from aws_rehearsal.providers.schema import DEFAULTS, Prop, changes, check, normal_policy
from aws_rehearsal.providers.wire import UNKNOWN, Secret

STACK = resource("aws:cloudformation/stack:Stack").props
BUCKET = resource("aws:s3/bucket:Bucket").props
POLICY = {
    "Statement": [{"Action": ["s3:Get*", "s3:Put*"], "Resource": ["a"], "Effect": "Allow"}],
    "Version": "2012-10-17",
}


def differences(props: Any, olds: Any, news: Any) -> dict[str, tuple[str, bool]]:
    return {change.path: (change.kind, change.replaces) for change in changes(props, olds, news)}


@pytest.mark.parametrize("key", ["name", "onFailure", "disableRollback", "timeoutInMinutes", "region"])
def test_what_replaces_a_stack(key: str) -> None:
    olds = {"name": "a", "onFailure": "DELETE", "timeoutInMinutes": 5, "region": "eu-west-1"}
    new = {"name": "b", "onFailure": "ROLLBACK", "disableRollback": True, "timeoutInMinutes": 6, "region": "us-east-1"}
    assert differences(STACK, olds, {**olds, key: new[key]})[key][1]


@pytest.mark.parametrize("key", ["templateUrl", "templateBody", "iamRoleArn", "policyBody", "tags", "capabilities"])
def test_what_updates_a_stack(key: str) -> None:
    value = {"tags": {"a": "b"}, "capabilities": ["CAPABILITY_IAM"], "templateBody": "{}", "policyBody": "{}"}.get(
        key, "x"
    )
    found = differences(STACK, {"name": "a"}, {"name": "a", key: value})
    assert found
    assert not any(replaces for _, replaces in found.values())


def test_an_adopted_stack_without_on_failure_would_be_replaced() -> None:
    assert differences(STACK, {"name": "a"}, {"name": "a", "onFailure": "DELETE"}) == {"onFailure": ("ADD", True)}


def test_parameters_differ_one_by_one_and_those_of_aws_alone_do_not() -> None:
    olds = {"parameters": {"A": "1", "B": "****", "C": "3"}}
    news = {"parameters": {"A": "1", "B": Secret("hush"), "x.y": "4"}}
    expected = {
        "parameters.B": ("UPDATE", False),
        "parameters.C": ("DELETE", False),
        'parameters["x.y"]': ("ADD", False),
    }
    assert differences(STACK, olds, news) == expected
    assert differences(STACK, olds, {}) == {}


def test_formatting_of_a_template_and_the_order_of_a_set_make_no_difference() -> None:
    olds = {"templateBody": '{"a":1,"b":2}', "capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]}
    news = {"templateBody": '{ "b": 2, "a": 1 }', "capabilities": ["CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"]}
    assert differences(STACK, olds, news) == {}


@pytest.mark.parametrize("empty", [None, "", [], {}, False, 0])
def test_an_empty_value_counts_as_absent(empty: Any) -> None:
    assert differences({"key": Prop("any")}, {"key": empty}, {}) == {}


def test_an_unknown_value_is_a_difference() -> None:
    assert differences(STACK, {"templateUrl": "x"}, {"templateUrl": UNKNOWN}) == {"templateUrl": ("UPDATE", False)}
    assert differences(BUCKET, {"bucket": "x"}, {"bucket": UNKNOWN}) == {"bucket": ("UPDATE", True)}


def test_policies_are_compared_by_meaning() -> None:
    other = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Resource": "a", "Action": ["s3:Put*", "s3:Get*"]},
    }
    assert normal_policy(json.dumps(POLICY)) == normal_policy(json.dumps(other))
    other["Statement"]["Resource"] = "b"  # type: ignore[index]
    assert normal_policy(json.dumps(POLICY)) != normal_policy(json.dumps(other))


def test_defaults_are_filled_in_and_listed() -> None:
    inputs, failures = check("b", BUCKET, {"bucket": "name"})
    assert not failures
    assert inputs == {"bucket": "name", "forceDestroy": False, DEFAULTS: ["forceDestroy"]}


@pytest.mark.parametrize(
    ("token", "inputs", "words"),
    [
        ("aws:cloudformation/stack:Stack", {"templatUrl": "x"}, "did you mean 'templateUrl'"),
        ("aws:cloudformation/stack:Stack", {"outputs": {}}, "unconfigurable attribute"),
        ("aws:cloudformation/stack:Stack", {"onFailure": "EXPLODE"}, '["DO_NOTHING" "ROLLBACK" "DELETE"]'),
        ("aws:s3/bucketPolicy:BucketPolicy", {"bucket": "b"}, 'The argument "policy" is required'),
        ("aws:s3/bucket:Bucket", {"bucket": "b", "bucketPrefix": "c"}, "conflicts with bucket_prefix"),
        ("aws:s3/bucket:Bucket", {"forceDestroy": "perhaps"}, "expected type 'bool'"),
        (
            "aws:s3/bucketVersioning:BucketVersioning",
            {"bucket": "b", "versioningConfiguration": {"status": "On"}},
            "got On",
        ),
        ("aws:s3/bucketOwnershipControls:BucketOwnershipControls", {"bucket": "b", "rule": {}}, "object_ownership"),
    ],
)
def test_wrong_inputs_are_refused_with_the_place(token: str, inputs: Any, words: str) -> None:
    _, failures = check("name", resource(token).props, inputs)
    assert any(words in failure.reason and "Examine values at 'name." in failure.reason for failure in failures)


def test_unknown_and_secret_inputs_are_not_judged_but_kept() -> None:
    inputs, failures = check("s", STACK, {"onFailure": UNKNOWN, "parameters": {"A": Secret("x"), "B": UNKNOWN, "C": 3}})
    assert not failures
    assert inputs["parameters"] == {"A": Secret("x"), "B": UNKNOWN, "C": "3"}


def test_a_type_nobody_wrote_down_is_refused_by_name() -> None:
    with pytest.raises(Unsupported, match="aws:sqs/queue:Queue"):
        resource("aws:sqs/queue:Queue")
    with pytest.raises(Unsupported, match="aws:iam/getPolicyDocument:getPolicyDocument"):
        classic.invoke("aws:iam/getPolicyDocument:getPolicyDocument")


def test_every_type_has_the_name_that_messages_call_it_by() -> None:
    unnamed = {token for token in classic._MODULES if not resource(token).called}
    assert unnamed == set()
