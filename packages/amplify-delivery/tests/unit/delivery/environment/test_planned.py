"""What is deployed, as CloudFormation tells it, and the parameters that cannot be compared."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.changes import deployed
from amplify_delivery.changes.deployed import read, settle
from amplify_delivery.changes.guard import PLAN_VARIABLE
from amplify_delivery.changes.stacks import MASK
from amplify_delivery.delivery.deployment.execution import carrying_out
from amplify_delivery.delivery.environment import planned
from amplify_delivery.delivery.planning import AddResource, Plan, Start, Target
from amplify_delivery.errors import DeployError
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.export.assembly import canonical
from aws_rehearsal_tests.clock import Clock

STACK = "AWS::CloudFormation::Stack"
NESTED = {"Api": {"Type": STACK, "Properties": {}}, "Gone": {"Type": STACK, "Properties": {}}}
TEMPLATES: dict[str, Any] = {
    "root-id": {"Resources": NESTED},
    "api-id": json.dumps({"Resources": {"Todo": {"Type": STACK}}}),
    "todo-id": "Resources:\n  Table:\n    Type: AWS::DynamoDB::Table\n    DependsOn: !Ref Role\n",
}
"""A template as boto3 gives it: parsed, or as the text that it was."""
CHILDREN = {"root-id": {"Api": "api-id", "Gone": ""}, "api-id": {"Todo": "todo-id"}}


def nothing(key: str) -> bytes | None:
    pytest.fail(f"asked for {key}")


class CloudFormation:
    """CloudFormation's answers about one root stack."""

    def __init__(self, status: str | None) -> None:
        self.status = status
        self.templates = TEMPLATES
        self.key = "templates/unknown"
        self.listed: list[str] = []

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - as boto3 calls it
        if self.status is None:
            message = f"Stack with id {StackName} does not exist"
            raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks")
        parameters = [{"ParameterKey": "Secret", "ParameterValue": MASK}]
        parameters.append({"ParameterKey": TEMPLATE_KEY, "ParameterValue": self.key})
        return {"Stacks": [{"StackId": "root-id", "StackStatus": self.status, "Parameters": parameters}]}

    def get_template(self, StackName: str, TemplateStage: str) -> dict[str, Any]:  # noqa: N803
        assert TemplateStage == "Original"
        return {"TemplateBody": self.templates[StackName]}

    def get_paginator(self, _: str) -> CloudFormation:
        return self

    def paginate(self, StackName: str) -> list[dict[str, Any]]:  # noqa: N803
        self.listed.append(StackName)
        return [
            {
                "StackResourceSummaries": [
                    {
                        "LogicalResourceId": name,
                        "ResourceType": STACK,
                        "PhysicalResourceId": physical,
                        "ResourceStatus": "CREATE_COMPLETE",
                    }
                ]
            }
            for name, physical in CHILDREN[StackName].items()
        ]


def test_all_nested_templates_in_whatever_form() -> None:
    cloudformation = CloudFormation("UPDATE_ROLLBACK_COMPLETE")
    found = read(cloudformation, "app", nothing)
    assert found.stacks is not None
    assert found.stacks.templates.keys() == {(), ("Api",), ("Api", "Todo")}
    assert found.stacks.templates["Api", "Todo"]["Resources"]["Table"]["DependsOn"] == {"Ref": "Role"}
    assert found.stacks.parameters == {"Secret": MASK, TEMPLATE_KEY: "templates/unknown"}
    assert cloudformation.listed == ["root-id", "api-id"], "a stack without nested ones need not be listed"


def translated(text: str) -> tuple[dict[str, bytes], CloudFormation]:
    """What was published with a text in the root and in a nested stack, and CloudFormation's answers about it."""
    pool = {"Type": "AWS::Cognito::UserPool", "Properties": {"Subject": text}}
    nested = canonical({"Resources": {"Pool": pool, "Todo": {"Type": STACK}}})
    nested_key = f"templates/{hashlib.sha256(nested).hexdigest()}.json"
    url = {"Fn::Sub": f"https://s3.${{AWS::Region}}.amazonaws.com/bucket/{nested_key}"}
    properties = {"TemplateURL": url, "Parameters": {"Message": text, "ä": "a", "z": "z"}}
    root = canonical({"Resources": {"Api": {"Type": STACK, "Properties": properties}, "Gone": {"Type": STACK}}})
    key = f"templates/{hashlib.sha256(root).hexdigest()}.json"
    cloudformation = CloudFormation("CREATE_COMPLETE")
    told = [re.sub("[^\\x00-\\x7f]", "?", body.decode()) for body in (root, nested)]
    cloudformation.templates = {**TEMPLATES, "root-id": json.loads(told[0]), "api-id": told[1]}
    cloudformation.key = key
    return {key: root, nested_key: nested}, cloudformation


def templates(cloudformation: CloudFormation, published: Mapping[str, bytes]) -> Mapping[Any, Any]:
    found = read(cloudformation, "app", published.get).stacks
    assert found is not None
    return found.templates


@pytest.mark.parametrize("text", ["Ihr Bestätigungscode", "確認コード?", "Grüße 😀"])
def test_characters_that_get_template_does_not_tell_come_from_what_was_published(text: str) -> None:
    published, cloudformation = translated(text)
    root, nested = map(json.loads, published.values())
    found = templates(cloudformation, published)
    assert (found[()], found["Api",]) == (root, nested)


def test_a_text_of_the_same_length_is_another_one() -> None:
    published, cloudformation = translated("Grüße")
    others, other = translated("Größe")
    every = {**published, **others}
    assert templates(cloudformation, every)[()] != templates(other, every)[()]
    assert templates(cloudformation, every)["Api",] != templates(other, every)["Api",]


def test_a_template_that_is_not_what_its_key_says_is_not_believed() -> None:
    published, cloudformation = translated("Grüße")
    wrong = {key: body.replace("ü".encode(), "ö".encode()) for key, body in published.items()}
    assert "Gr??e" in json.dumps(templates(cloudformation, wrong)[()])
    assert "Gr??e" in json.dumps(templates(cloudformation, wrong)["Api",])


def test_a_template_that_is_not_there_any_more_counts_as_told() -> None:
    _, cloudformation = translated("Grüße")
    assert "Gr??e" in json.dumps(templates(cloudformation, {})[()])


def test_what_somebody_has_changed_by_hand_is_not_what_was_published() -> None:
    published, cloudformation = translated("Grüße")
    mine = {**cloudformation.templates["root-id"], "Outputs": {"Mine": {"Value": "1"}}}
    cloudformation.templates = {**cloudformation.templates, "root-id": mine}
    assert templates(cloudformation, published)[()] == mine


@pytest.mark.parametrize("status", [None, "ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_a_stack_without_resources_is_none(status: str | None) -> None:
    found = read(CloudFormation(status), "app", nothing)
    assert (found.status, found.stacks) == (status, None)


def test_what_is_changing_cannot_be_planned_from() -> None:
    with pytest.raises(DeployError, match="UPDATE_IN_PROGRESS"):
        read(CloudFormation("UPDATE_IN_PROGRESS"), "app", nothing)


def test_a_deployment_that_goes_on_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    cloudformation, said = CloudFormation("UPDATE_IN_PROGRESS"), list[str]()

    def then(_: float) -> None:
        if len(clock.slept) == 8:
            cloudformation.status = "UPDATE_COMPLETE"

    clock = Clock(monkeypatch, deployed, then=then)
    assert settle(cloudformation, "app", 600, said.append)
    assert said == ["app is UPDATE_IN_PROGRESS: waiting until that has ended, 10 minutes at most"]
    assert clock.slept == [0.5, 1, 2, 4, 8, 15, 15, 15]


def test_whoever_waits_for_long_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to three hours: a command that says nothing is taken for dead, by people and by CIs."""
    said = list[str]()
    Clock(monkeypatch, deployed)
    assert settle(CloudFormation("UPDATE_IN_PROGRESS"), "app", 3 * 3600, said.append)
    assert said[0] == "app is UPDATE_IN_PROGRESS: waiting until that has ended, 180 minutes at most"
    assert said[1] == "app is UPDATE_IN_PROGRESS even after 5 minutes"
    assert len(said) >= 30


@pytest.mark.parametrize("status", [None, "CREATE_COMPLETE", "REVIEW_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"])
def test_nothing_to_wait_for(status: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch, deployed, then=lambda _: pytest.fail("waited"))
    assert not settle(CloudFormation(status), "app", 600, pytest.fail)


def test_a_deployment_that_does_not_end_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, deployed)
    settle(CloudFormation("DELETE_IN_PROGRESS"), "app", 60, lambda _: None)
    assert clock.monotonic() == 60
    settle(CloudFormation("DELETE_IN_PROGRESS"), "app", 0, pytest.fail)


def test_parameters_that_only_the_deployment_knows_are_no_change() -> None:
    wanted = {"Name": "new", "Version": deployed.LATER, "New": deployed.LATER, "Secret": "from the file"}
    have = {"Name": "old", "Version": "v1", "Secret": MASK, "Removed": "1"}
    assert deployed.with_deployed(wanted, have) == {
        "Name": "new",
        "Version": "v1",
        "New": deployed.LATER,
        "Secret": MASK,
    }


DIGEST = "a" * 64
NO_ROLES: dict[str, Any] = {"Resources": {}}


def test_an_engine_that_ends_well_without_having_done_it(monkeypatch: pytest.MonkeyPatch) -> None:
    step = AddResource(("api", "Table"), "AWS::DynamoDB::Table", "digest")
    start = Start("amplify-app-dev-12345", "UPDATE_ROLLBACK_COMPLETE", "1", "2", "3", "4")
    approved = Plan(start, Target("dev", "4" * 12, "eu-central-1", "a", "r", "p", "c"), (step,))
    told: list[Mapping[str, str]] = []

    def up(given: Mapping[str, str]) -> SimpleNamespace:
        told.append(given)
        return SimpleNamespace(changes={"same": 14})

    engine: Any = SimpleNamespace(up=up, say=None, line=print)
    monkeypatch.setattr(carrying_out, "_shown", lambda *_: nullcontext())
    target: Any = SimpleNamespace(account=None, root=SimpleNamespace(template=NO_ROLES))
    none: Any = None
    nothing_there = deployed.Deployed("UPDATE_ROLLBACK_COMPLETE", None)
    monkeypatch.setattr(planned, "backend", lambda _: planned.Backend(nothing_there, (step,), none))
    with pytest.raises(DeployError, match=r"1 change of the backend did not take place:\n  \+ api/Table"):
        carrying_out.carry_out(engine, approved, DIGEST, target)
    monkeypatch.setattr(planned, "backend", lambda _: planned.Backend(nothing_there, (), none))
    assert carrying_out.carry_out(engine, approved, DIGEST, target) == {"same": 14}
    assert told == [{PLAN_VARIABLE: DIGEST}] * 2  # the program's own guard has to know what was approved
