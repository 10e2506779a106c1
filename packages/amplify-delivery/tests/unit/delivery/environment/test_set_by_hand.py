"""What somebody has set beside CloudFormation, which sees no drift of it, and a deployment takes back."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.deployed import Deployed
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.delivery.environment import set_by_hand
from amplify_delivery.delivery.environment.set_by_hand import FUNCTION, POOL, ByHand, declared

BUCKET, ARN = "amplify-app-main-abcde-deployment", "arn:aws:lambda:eu-west-1:111122223333:function:hook"


def packed(date: int, **files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (date, 1, 1, 0, 0, 0)), content)
    return out.getvalue()


DELIVERED = packed(2024, **{"index.js": "1"})


class There:
    """An account in which one function and one user pool run; the bucket holds what was delivered."""

    def __init__(self, code: bytes = DELIVERED, triggers: dict[str, Any] | None = None, denied: str = "") -> None:
        self.code, self.triggers, self.denied = code, triggers or {}, denied
        self.asked: list[str] = []
        self.address: str | None = "https://code"

    def client(self, _: str) -> There:
        return self

    def called(self, operation: str) -> None:
        self.asked.append(operation)
        if operation == self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)

    def get_paginator(self, operation: str) -> There:
        assert operation == "list_stack_resources"
        return self

    def paginate(self, StackName: str) -> list[Any]:  # noqa: N803 - as boto3 calls it
        held = [{"LogicalResourceId": name, "PhysicalResourceId": f"{StackName}-{name}"} for name in ("F", "Pool")]
        return [{"StackResourceSummaries": [one]} for one in held]

    def get_function(self, FunctionName: str) -> Any:  # noqa: N803
        assert FunctionName == "root-F"
        self.called("get_function")
        digest = base64.b64encode(hashlib.sha256(self.code).digest()).decode()
        return {"Configuration": {"CodeSha256": digest}, "Code": {"Location": self.address}}

    def get_object(self, Bucket: str, Key: str, ExpectedBucketOwner: str) -> Any:  # noqa: N803
        assert (Bucket, Key, ExpectedBucketOwner) == (BUCKET, "builds/f.zip", "111122223333")
        return {"Body": io.BytesIO(DELIVERED)}

    def describe_user_pool(self, UserPoolId: str) -> Any:  # noqa: N803
        assert UserPoolId == "root-Pool"
        self.called("describe_user_pool")
        return {"UserPool": {"LambdaConfig": self.triggers}}

    def send(self, request: Any) -> Any:
        assert request.url.startswith("https://code")
        return SimpleNamespace(content=self.code)


def stacks(key: str = "builds/f.zip", **pool: Any) -> Stacks:
    return Stacks(
        {
            (): {
                "Resources": {
                    "F": {"Type": FUNCTION, "Properties": {"Code": {"S3Bucket": BUCKET, "S3Key": key}}},
                    "Pool": {"Type": POOL, **({"Properties": {}} | pool)},
                }
            }
        },
        {},
    )


WAS, NEW_CODE, NEW_POOL = stacks(), stacks("archives/f.zip"), stacks(Properties={"UserPoolName": "a"})


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Any:
    def asked(there: There, wanted: Stacks, was: Stacks | None = WAS) -> ByHand:
        monkeypatch.setattr(set_by_hand, "URLLib3Session", lambda: there)
        config = SimpleNamespace(account="111122223333", region="eu-west-1", profile=None)
        target: Any = SimpleNamespace(account=there, config=config)
        found = Deployed("UPDATE_COMPLETE", was, ids={(): "root"})
        return set_by_hand.look(target, found, wanted, plan_backend(was, wanted))

    return asked


def test_code_that_was_mended_in_the_console_is_told_before_it_is_overwritten(look: Any) -> None:
    found = look(There(packed(2024, **{"index.js": "mended"})), NEW_CODE)
    assert found.code == {"F"}
    (note,) = found.notes
    assert note.startswith("other code runs than was delivered (1: F)")
    assert "get-function --function-name root-F --query Code.Location --output text --region eu-west-1`" in note


def test_code_of_which_aws_gives_no_address_counts_as_other(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    there = There(packed(2025, **{"index.js": "1"}))
    monkeypatch.setattr(there, "address", None)
    assert look(there, NEW_CODE).code == {"F"}


@pytest.mark.parametrize("code", [DELIVERED, packed(2025, **{"index.js": "1"})], ids=["same bytes", "packed again"])
def test_code_that_runs_as_it_was_delivered_is_not(look: Any, code: bytes) -> None:
    assert look(There(code), NEW_CODE) == ByHand()


def test_what_is_not_touched_is_not_asked_for(look: Any) -> None:
    there = There(b"other", {"PostConfirmation": ARN})
    held = WAS.templates[()]["Resources"]
    function = {**held["F"], "Properties": {**held["F"]["Properties"], "Timeout": 9}}
    kept: list[dict[str, Any]] = [
        {"DeletionPolicy": "Retain"},
        {"UpdateReplacePolicy": "Retain"},
        {"Metadata": {}},
        {"DependsOn": "F"},
    ]
    slower = Stacks({(): {"Resources": {**held, "F": function}}}, {})
    for wanted in (WAS, slower, *(stacks(**of) for of in kept)):
        assert look(there, wanted) == ByHand()
    assert look(there, WAS, None) == ByHand()
    assert there.asked == []


def test_a_trigger_that_was_set_by_hand_is_told_before_the_pool_is_written_without_it(look: Any) -> None:
    (note,) = look(There(triggers={"PostConfirmation": ARN, "KMSKeyID": "key"}), NEW_POOL).notes
    assert note.startswith(f"Pool runs with triggers that no template has (PostConfirmation: {ARN}):")
    sender = {"CustomSMSSender": {"LambdaArn": ARN, "LambdaVersion": "V1_0"}}
    assert f"(CustomSMSSender: {ARN})" in look(There(triggers=sender), NEW_POOL).notes[0]
    tokens = {"PreTokenGeneration": ARN, "PreTokenGenerationConfig": {"LambdaArn": ARN}}
    wanted = stacks(Properties={"LambdaConfig": {"PreTokenGeneration": ARN}})
    assert look(There(triggers=tokens), wanted).notes == ()
    # What the release itself takes away is among its steps.
    assert look(There(triggers=tokens), NEW_POOL, wanted).notes == ()


def test_triggers_of_amplifys_custom_resource_are_the_templates_own(look: Any) -> None:
    """It sets them when it runs again, and then no others."""

    def with_setter(nonce: str) -> Stacks:
        setter = {"userpoolId": "p", "lambdaConfig": [{"triggerType": "PreSignUp"}], "nonce": nonce}
        held = {**WAS.templates[()]["Resources"], "Set": {"Type": "Custom::Triggers", "Properties": setter}}
        return Stacks({(): {"Resources": held}}, {})

    assert declared(with_setter("1")) == {"PreSignUp"}
    runs = {"PreSignUp": ARN, "PostConfirmation": ARN}
    (note,) = look(There(triggers=runs), with_setter("2"), with_setter("1")).notes
    assert f"(PostConfirmation: {ARN})" in note


def test_what_may_not_be_asked_is_not_told(look: Any) -> None:
    assert look(There(b"other", denied="get_function"), NEW_CODE) == ByHand()
    assert look(There(triggers={"PostConfirmation": ARN}, denied="describe_user_pool"), NEW_POOL) == ByHand()


@pytest.mark.parametrize(
    "held", [[], [{"LogicalResourceId": "F"}, {"LogicalResourceId": "Pool"}]], ids=["none", "no id"]
)
def test_what_the_stack_does_not_hold_is_not_told(
    look: Any, monkeypatch: pytest.MonkeyPatch, held: list[dict[str, str]]
) -> None:
    """A resource below a condition that only AWS can tell, or one that somebody has deleted."""
    monkeypatch.setattr(There, "paginate", lambda *_, **__: [{"StackResourceSummaries": held}])
    there = There(b"other", {"PostConfirmation": ARN})
    assert look(there, NEW_CODE) == ByHand()
    assert look(there, NEW_POOL) == ByHand()
    assert not there.asked
