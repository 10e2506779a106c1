"""What a plan says about a root stack before anything is planned on top of it, and the one call that recovers it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.changes import deployed
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
        self.denied, self.resource_status, self.child = "", "UPDATE_FAILED", ""
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
            return {
                "Stacks": [
                    {"StackName": f"{NAME}-Api-X", "StackId": CHILD, "StackStatus": self.child or self.statuses[0]}
                ]
            }
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
        return [{"StackResourceSummaries": [{**summary, "ResourceStatus": self.resource_status}]}]

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


# What is done, and what is not


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED", "ROLLBACK_FAILED"])
@pytest.mark.parametrize("now", ["UPDATE_COMPLETE", None])
def test_what_was_approved_of_one_state_is_not_done_in_another(
    status: str, now: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has repaired the stack since: to delete it would take what it holds by now."""
    Clock(monkeypatch, recovery)
    scene = Scene(status, kept=True)
    seen = look(scene)
    scene.statuses = [now or status]
    if now is None:
        monkeypatch.setattr(recovery, "described", lambda *_: None)
    with pytest.raises(RefusedError, match=f"by now, not {status}") as caught:
        recovery.carry_out(scene.target, "prod", seen.steps[0])
    assert scene.called == []
    assert (caught.value.exit_code, "`amplify-delivery plan prod`" in caught.value.remedy) == (3, True)


def test_without_an_execution_role_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudFormation uses the stack's own then; an empty ARN it refuses."""
    Clock(monkeypatch, recovery)
    for status, after in (
        ("UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_COMPLETE"),
        ("UPDATE_FAILED", "ROLLBACK_COMPLETE"),
        ("ROLLBACK_FAILED", "DELETE_COMPLETE"),
    ):
        scene = Scene(status, kept=True)
        step = replace(look(scene).steps[0], role="", skipped=())
        scene.statuses = [status, after]
        recovery.carry_out(scene.target, "prod", step)
        assert [given for _, given in scene.called] == [{"StackName": ID}]


@pytest.mark.parametrize("ends", ["ROLLBACK_COMPLETE", "DELETE_COMPLETE", None])
def test_a_rollback_to_nothing_ends_well(ends: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no stable state behind it is deleted (RollbackStack, API reference)."""
    Clock(monkeypatch, recovery)
    scene = Scene("UPDATE_FAILED")
    step = look(scene).steps[0]
    monkeypatch.setattr(recovery, "_settled", lambda *_: ends)
    recovery.carry_out(scene.target, "prod", step)
    assert [call for call, _ in scene.called] == ["rollback_stack"]


def test_a_deletion_ends_where_there_is_no_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene("ROLLBACK_COMPLETE", kept=True)
    step = look(scene).steps[0]
    monkeypatch.setattr(recovery, "_settled", lambda *_: None)
    recovery.carry_out(scene.target, "prod", step)
    assert [call for call, _ in scene.called] == ["delete_stack"]


def test_a_rollback_that_fails_again_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch, recovery)
    scene = Scene("UPDATE_ROLLBACK_FAILED")
    with pytest.raises(FailedError, match=r"its state is UPDATE_ROLLBACK_FAILED:\n  Api/Table: "):
        recovery.carry_out(scene.target, "prod", look(scene).steps[0])


def test_a_stack_that_changes_for_ever_is_not_waited_for_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch, recovery)
    scene = Scene("UPDATE_FAILED")
    step = look(scene).steps[0]
    scene.statuses = ["UPDATE_FAILED", "UPDATE_ROLLBACK_IN_PROGRESS"]
    with pytest.raises(FailedError, match="its state is still UPDATE_ROLLBACK_IN_PROGRESS after 4 hours") as caught:
        recovery.carry_out(scene.target, "prod", step)
    assert "describe-stack-events" in caught.value.remedy


def test_what_failed_once_it_had_recovered_the_stack_is_midway(monkeypatch: pytest.MonkeyPatch) -> None:
    """`up` has changed something by then: 4, and not 3."""
    scene, done = Scene("UPDATE_FAILED"), list[Any]()
    step = look(scene).steps[0]
    seen = replace(look(scene), steps=(step, step))
    monkeypatch.setattr(recovery, "look", lambda *_: seen)

    def carry_out(*given: Any) -> None:
        if done:
            raise RefusedError("not twice")
        done.append(given)

    monkeypatch.setattr(recovery, "carry_out", carry_out)
    with pytest.raises(FailedError, match="not twice"):
        recovery.at_once(scene.target, "prod", OURS)


def test_only_what_could_not_be_rolled_back_is_named() -> None:
    scene = Scene("UPDATE_ROLLBACK_FAILED")
    scene.resource_status = "UPDATE_COMPLETE"
    seen = look(scene)
    assert seen.steps[0].skipped == ()
    assert seen.notes == ("`rollbackSkips` names Api/Table, whose rollback has not failed: it can be taken out",)


def test_a_nested_stack_that_is_whole_has_failed_itself() -> None:
    """Its rollback, seen from the root; what is in it was rolled back."""
    scene = Scene("UPDATE_ROLLBACK_FAILED")
    scene.child = "UPDATE_ROLLBACK_COMPLETE"
    (note, stale) = look(scene).notes
    assert note.startswith("Api could not be rolled back: CloudFormation gives no reason. Put that right")
    assert "`rollbackSkips` names Api/Table" in stale


def test_a_resource_of_the_root_is_skipped_by_its_logical_id() -> None:
    assert recovery._skip("Queue", {"Api": "child"}) == "Queue"
    assert recovery._skip("Api/Queue", {"Api": "child"}) == "child.Queue"


def test_an_empty_stack_that_holds_data_after_all_is_not_deleted() -> None:
    with pytest.raises(RefusedError, match=r"ROLLBACK_COMPLETE: it can only be deleted(.*\n)*.*Api/Table"):
        look(Scene("ROLLBACK_COMPLETE"))


def test_a_change_set_that_was_never_executed_has_no_template_to_be_known_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS refuses to give one (GetTemplate)."""
    monkeypatch.setattr(deployed, "template", lambda *_: pytest.fail("asked for"))
    monkeypatch.setattr(recovery, "in_stack", lambda *_: iter(()))
    seen = look(Scene("REVIEW_IN_PROGRESS"), {"resources": []})
    assert (seen.way, seen.steps[0].operation) == (Way.CLEAR, "delete-stack")


@pytest.mark.parametrize("of", ["aws:s3/bucket:Bucket", "pulumi:providers:aws"])
def test_only_a_stack_in_the_state_makes_one_ours(of: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RefusedError, match="it is not a backend of Amplify"):
        look(Scene("UPDATE_COMPLETE"), {"resources": [{"type": of, "id": ID}]})
    monkeypatch.setattr(recovery, "described", lambda *_: None)
    assert look(Scene("none"), {"resources": [{"type": of, "id": ID}]}).notes == ()
    assert look(Scene("none"), {"resources": [{"type": ROOT_STACK, "id": ID.replace(NAME, "other")}]}).notes == ()


def test_what_is_planned_on_a_stack_that_has_to_be_rolled_back_is_not_known_yet() -> None:
    """It tells the template that failed."""
    step: Any = "a step of the release"
    rolled, continued = look(Scene("UPDATE_FAILED")), look(Scene("UPDATE_ROLLBACK_FAILED"))
    assert recovery.first(rolled, (step,)) == rolled.steps
    assert recovery.first(continued, (step,)) == (*continued.steps, step)


def test_what_a_root_does_that_is_recovered_first_it_does_to_all_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, asked = Scene("UPDATE_ROLLBACK_FAILED"), list[str]()
    monkeypatch.setattr(recovery, "check_nested", lambda *_: asked.append("nested"))
    recovery.check_still(scene.target, look(scene), Deployed("UPDATE_ROLLBACK_FAILED"))
    assert asked == []
    healthy = Scene("UPDATE_COMPLETE")
    recovery.check_still(healthy.target, look(healthy), Deployed("UPDATE_COMPLETE"))
    assert asked == ["nested"]
