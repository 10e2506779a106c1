"""What a plan says about a root stack before anything is planned on top of it, and the one call that recovers it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.changes.deployed import Deployed
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.environment import recovery
from amplify_delivery.delivery.planning.program import BACKEND
from amplify_delivery.errors import FailedError, RefusedError
from amplify_delivery.publishing.aws_errors import told_as
from amplify_delivery.publishing.stack_states import RECOVERED_VARIABLE, Way
from aws_rehearsal_tests.clock import Clock

NAME, ROLE = "amplify-app-prod-12345", "arn:aws:iam::111122223333:role/app-prod-cloudformation"
ID = f"arn:aws:cloudformation:eu-west-1:111122223333:stack/{NAME}/1"
CHILD = f"arn:aws:cloudformation:eu-west-1:111122223333:stack/{NAME}-Api-X/2"
STACK, TABLE = "AWS::CloudFormation::Stack", "AWS::DynamoDB::Table"
OURS = {"resources": [{"type": ROOT_STACK, "id": ID}]}


class Scene:
    """A root in some state, with a table in a nested stack; what was called, in order."""

    def __init__(self, *statuses: str, kept: bool = False) -> None:
        self.statuses, self.kept = list(statuses), kept
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.denied = ""
        self.account, self.region = "111122223333", "eu-west-1"

    @property
    def target(self) -> Any:
        skips = (SimpleNamespace(path="Api/Table", reason="deleted by hand"),)
        config = SimpleNamespace(profile=None, account=self.account, region=self.region, rollback_skips=skips)
        root = SimpleNamespace(stack_name=NAME)
        return SimpleNamespace(account=self, root=root, config=config, execution_role_arn=ROLE)

    def client(self, _: str) -> Scene:
        return self

    def asking(self, what: str) -> AbstractContextManager[None]:
        return told_as(RefusedError, what, "account", {})

    def changing(self, what: str, **given: Any) -> AbstractContextManager[None]:
        return Account.changing(self, what, **given)  # type: ignore[arg-type]

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - as boto3 calls it
        if StackName == CHILD:
            return {"Stacks": [{"StackName": f"{NAME}-Api-X", "StackId": CHILD, "StackStatus": self.statuses[0]}]}
        status = self.statuses.pop(0) if self.statuses[1:] else self.statuses[0]
        return {"Stacks": [{"StackName": NAME, "StackId": ID, "StackStatus": status}]}

    def get_template(self, StackName: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        policy = {"DeletionPolicy": "Retain"} if self.kept else {}
        return {"TemplateBody": {"Resources": {"Table": {"Type": TABLE, **policy}} if StackName == CHILD else {}}}

    def get_paginator(self, operation: str) -> Scene:
        if operation == self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not allowed"}}, operation)
        return self

    def paginate(self, StackName: str) -> list[dict[str, Any]]:  # noqa: N803
        of = {ID: ("Api", STACK, CHILD), CHILD: ("Table", TABLE, "Table-prod")}[StackName]
        summary = dict(zip(("LogicalResourceId", "ResourceType", "PhysicalResourceId"), of, strict=True))
        return [{"StackResourceSummaries": [{**summary, "ResourceStatus": "UPDATE_FAILED"}]}]

    def __getattr__(self, operation: str) -> Any:
        return lambda **given: self.called.append((operation, given))


def look(scene: Scene, state: Any = OURS) -> recovery.Seen:
    return recovery.look(scene.target, "prod", state)


@pytest.mark.parametrize(
    ("status", "after", "call", "given"),
    [
        (
            "UPDATE_ROLLBACK_FAILED",
            "UPDATE_ROLLBACK_COMPLETE",
            "continue_update_rollback",
            {"ResourcesToSkip": [f"{NAME}-Api-X.Table"]},
        ),
        ("UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE", "rollback_stack", {}),
        ("ROLLBACK_FAILED", "DELETE_COMPLETE", "delete_stack", {}),
    ],
)
def test_one_call_with_the_execution_role(
    status: str, after: str, call: str, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock(monkeypatch, recovery)
    scene = Scene(status, kept=True)
    seen = look(scene)
    assert seen.variables == {RECOVERED_VARIABLE: status}
    scene.statuses = [status, after]
    recovery.carry_out(scene.target, "prod", seen.steps[0])
    assert scene.called == [(call, {"StackName": ID, "RoleARN": ROLE, **given})]

    scene = Scene(status, status, kept=True)
    with pytest.raises(FailedError, match=f"its state is {status}") as caught:
        recovery.carry_out(scene.target, "prod", seen.steps[0])
    assert "{" not in caught.value.remedy
    # Not over the entry that is there.
    assert ("rollbackSkips[1].path" in caught.value.remedy) == (call == "continue_update_rollback")
    assert caught.value.exit_code == 4


def test_a_root_stack_that_somebody_has_deleted_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else all would be made again, and the app pointed at it, as if it were the first time."""
    monkeypatch.setattr(recovery, "described", lambda *_: None)
    (note,) = look(Scene("none")).notes
    assert f"{NAME} was deployed, and is gone" in note
    assert look(Scene("none"), {"resources": []}).notes == ()
    elsewhere = Scene("none")
    elsewhere.region = "eu-central-1"  # by now: nobody has looked where it was deployed, and nobody has deleted it
    assert look(elsewhere).notes == ()


def test_what_holds_data_is_not_deleted_unasked() -> None:
    with pytest.raises(RefusedError, match=r"CREATE_FAILED: it can only be deleted(.*\n)*.*Api/Table") as caught:
        look(Scene("CREATE_FAILED"))
    # AWS takes `--retain-resources` of a stack in DELETE_FAILED only: before that the tables go.
    assert "delete-stack" not in caught.value.remedy
    assert "has to be saved first" in caught.value.remedy
    assert "Only if it may go, with its data: `amplify-delivery destroy prod --delete-data`" in (caught.value.remedy)


def test_what_holds_data_can_stay_when_a_deletion_has_failed() -> None:
    with pytest.raises(RefusedError, match="DELETE_FAILED: it can only be deleted") as caught:
        look(Scene("DELETE_FAILED"))
    keeping = f"aws cloudformation delete-stack --stack-name {NAME} --retain-resources Api --region eu-west-1`"
    assert keeping in caught.value.remedy
    assert caught.value.remedy.index(keeping) < caught.value.remedy.index("Only if it may go, with its data")


def test_the_plan_says_what_is_left_as_it_is_and_why() -> None:
    seen = look(Scene("UPDATE_ROLLBACK_FAILED"))
    assert (seen.way, seen.steps[0].skipped) == (Way.CONTINUE, ("Api/Table",))
    assert any("leaves Api/Table as it is, because: deleted by hand" in note for note in seen.notes)


def test_somebody_elses_is_told_and_one_that_was_being_made_is_ours() -> None:
    with pytest.raises(RefusedError, match="it is not a backend of Amplify"):
        look(Scene("UPDATE_COMPLETE"), {"resources": []})

    def pending(urn: str) -> dict[str, Any]:
        return {"pending_operations": [{"resource": {"type": ROOT_STACK, "urn": urn}}]}

    assert look(Scene("UPDATE_COMPLETE"), pending(f"{BACKEND}{ROOT_STACK}::backend")).way is Way.GO
    # A stack that a team makes beside the backend is another one.
    with pytest.raises(RefusedError, match="it is not a backend of Amplify"):
        look(Scene("UPDATE_COMPLETE"), pending(f"app:index:Stage${ROOT_STACK}::reports"))


def test_what_may_not_be_listed_is_said_without_a_traceback() -> None:
    scene = Scene("UPDATE_ROLLBACK_FAILED")
    scene.denied = "list_stack_resources"
    with pytest.raises(RefusedError, match="not allowed"):
        look(scene)


@pytest.mark.parametrize("now", ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE", None])
def test_a_stack_that_somebody_changes_meanwhile_is_not_planned_on(now: str | None) -> None:
    """Between the look at its state and the reading of its templates the engine previews, which takes seconds."""
    scene = Scene("UPDATE_COMPLETE")
    seen = look(scene)
    recovery.check_still(scene.target, seen, Deployed("UPDATE_COMPLETE"))
    with pytest.raises(RefusedError, match="its state was UPDATE_COMPLETE a moment ago") as caught:
        recovery.check_still(scene.target, seen, Deployed(now))
    assert caught.value.remedy.startswith("nothing was changed")
