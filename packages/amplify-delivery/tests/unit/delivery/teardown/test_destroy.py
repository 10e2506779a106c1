"""`amplify-delivery destroy` of an environment: nothing is touched before all is checked, and what lives on is said."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.changes import deployed
from amplify_delivery.changes.stateful import BUCKET
from amplify_delivery.commands import destroy
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.components.remembered import ROOT_STACK_NAME
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import begun
from amplify_delivery.delivery.deployment.live import following
from amplify_delivery.delivery.engine.automation_api import Before
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking import waiting
from amplify_delivery.delivery.engine.watch import RootWork
from amplify_delivery.delivery.planning.program import BACKEND
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.delivery.teardown import destruction, emptying, root_stack
from amplify_delivery.delivery.teardown.held import Held
from amplify_delivery.errors import ConfigError, DeployError, LockedError, NoStackError, RefusedError
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.publishing import stack_states
from aws_rehearsal_tests.clock import Clock
from unit.command_line import ROOT

LOCKED = "the stack is currently locked"
NAME = "amplify-app-dev-5af8b"
URN = f"urn:pulumi:dev::app::{BACKEND}{ROOT_STACK}::backend"
ID = f"arn:aws:cloudformation:eu-west-1:111122223333:stack/{NAME}/1"


class Scene:
    """An environment with a root stack and a bucket; what was done to it, in order. `statuses` are what CloudFormation
    answers, one per question, the last one for ever; None: there is no such stack."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.forgotten: list[Any] = []
        self.shown: list[str] = []
        self.root, self.line = RootWork(), print
        self.meta = SimpleNamespace(region_name="eu-west-1")
        self.statuses: list[str | None] = ["UPDATE_COMPLETE"]
        self.after: str | None = "DELETE_COMPLETE"
        self.locked = False
        self.ends_it: BaseException | None = None
        """Ends the engine's run before it has come to the root stack, which is in the state `after` then."""
        self.state: list[dict[str, Any]] = [{"urn": URN, "type": ROOT_STACK, "id": ID, "protect": True}]
        self.terminable = True
        self.delete_data, self.wait = True, 0
        self.nested = "UPDATE_COMPLETE"
        self.exported: Callable[..., str] = lambda *_: NAME
        self.policy: str | None = None
        self.template: dict[str, Any] | None = {"Parameters": {TEMPLATE_KEY: {}}}
        self.stack = "dev"
        self.account, self.region = "111122223333", "eu-west-1"
        self.said = (self.account, self.region)
        self.held = [Held("Bucket", BUCKET, "app-bucket", "objects", kept=False)]
        self.others: dict[str, str] = {}
        self.disposable = False
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.deleted: list[dict[str, Any]] = []

    def client(self, _: str) -> Scene:
        return self

    def asking(self, _: str) -> AbstractContextManager[None]:
        return nullcontext()

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - as boto3 calls it
        status = self.statuses.pop(0) if self.statuses[1:] else self.statuses[0]
        if status is None:
            error = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")
        stack = {"StackName": NAME, "StackId": ID, "StackStatus": status}
        return {"Stacks": [{**stack, "EnableTerminationProtection": not self.terminable}]}

    def update_termination_protection(self, StackName: str, EnableTerminationProtection: bool) -> None:  # noqa: N803
        assert StackName == ID
        self.done.append("held" if EnableTerminationProtection else "released")
        self.terminable = not EnableTerminationProtection

    def get_template(self, **_: str) -> dict[str, Any]:
        if self.template is None:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "no template"}}, "GetTemplate")
        return {"TemplateBody": self.template}

    def get_stack_policy(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - as boto3 calls it
        del StackName
        return {"StackPolicyBody": self.policy} if self.policy else {}

    def get_paginator(self, operation: str) -> Any:
        if operation == "describe_stack_events":
            return SimpleNamespace(paginate=lambda StackName: [{"StackEvents": self.events.get(StackName, [])}])  # noqa: N803
        assert operation == "list_stacks"
        return self

    def paginate(self, StackStatusFilter: Any = None) -> list[dict[str, Any]]:  # noqa: N803 - as boto3 calls it
        if StackStatusFilter == ["DELETE_COMPLETE"]:
            return [{"StackSummaries": self.deleted}]
        return [{"StackSummaries": [{"StackId": "todo-id", "StackStatus": self.nested}]}]

    def head_bucket(self, **_: Any) -> None:
        """Every bucket is there."""

    def resources(self) -> list[dict[str, Any]]:
        return self.state

    @contextmanager
    def followed(self, _: Any, stack: str, work: RootWork, *__: Any) -> Iterator[None]:
        """The live view of the root stack."""
        assert work is self.root
        self.shown.append(stack)
        yield

    def destroy(self, before: Before | None = None) -> SimpleNamespace:
        if self.locked:
            raise DeployError(LOCKED)
        if before:
            self.done.append("locked")
            before(threading.Event())
        if self.ends_it:
            self.statuses = [self.after]
            raise self.ends_it
        self.done.append("destroyed")
        self.statuses = [self.after]
        return SimpleNamespace(changes={"delete": 1})

    def run(self, monkeypatch: pytest.MonkeyPatch) -> int:
        config = SimpleNamespace(profile=None, production=None, account=self.said[0], region=self.said[1])
        config.disposable = self.disposable
        monkeypatch.setattr(stack_files, "program", lambda *_: "backend")
        monkeypatch.setattr(stack_files, "load", lambda *_: config)
        monkeypatch.setattr(destroy, "Engine", lambda *_: self)
        monkeypatch.setattr(resolving, "resolve", lambda *_: {})  # no run was killed
        monkeypatch.setattr(destroy, "holding", lambda *_: nullcontext())
        monkeypatch.setattr(begun, "forget", self.forgotten.append)
        monkeypatch.setattr(following, "followed", self.followed)
        monkeypatch.setattr(destruction, "Account", SimpleNamespace(of=lambda _: self))
        monkeypatch.setattr(destruction, "in_state", lambda *_: [])
        monkeypatch.setattr(root_stack, "in_stack", lambda *_: self.held)
        monkeypatch.setattr(root_stack, "named_roots", lambda *_: {"dev": NAME, "qa": "another", **self.others})
        monkeypatch.setattr(root_stack, "nested_in", lambda *_: [(("Todo",), "todo-id")])
        monkeypatch.setattr(root_stack, "living", lambda *_: ["Todo/Table (AWS::DynamoDB::Table): Todo-dev"])
        monkeypatch.setattr(root_stack, "root_stack_name", self.exported)
        Clock(monkeypatch, deployed, waiting)
        monkeypatch.setattr(emptying, "bucket", lambda _, name, __: self.done.append(f"emptied {name}"))
        given = {"stack": "dev", "region": None, "json": False, "delete_data": self.delete_data, "wait": self.wait}
        return destroy.run(argparse.Namespace(**given), Context(ROOT, {}))


DEPLOYMENT = Held("DeploymentBucket", BUCKET, f"{NAME}-deployment", "objects", kept=True)
"""What every root of Amplify's holds, and what stays."""


@pytest.mark.parametrize("engine_protects", [True, False])
def test_termination_protection_ends_with_the_data_that_is_agreed_on(
    engine_protects: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene()
    scene.terminable, scene.state[0]["protect"] = False, engine_protects
    scene.held.append(DEPLOYMENT)
    assert scene.run(monkeypatch) == 0
    assert scene.done == ["locked", "released", "emptied app-bucket", "destroyed"]


@pytest.mark.parametrize("ends_it", [DeployError("a resource of the program cannot be deleted"), KeyboardInterrupt()])
@pytest.mark.parametrize(
    ("after", "stays"),
    [("UPDATE_COMPLETE", True), ("DELETE_FAILED", False), ("DELETE_IN_PROGRESS", False), (None, False)],
)
def test_a_root_stack_that_stays_is_protected_again(
    ends_it: BaseException, after: str | None, stays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene()
    scene.terminable, scene.ends_it, scene.after = False, ends_it, after
    with pytest.raises(type(ends_it)):
        scene.run(monkeypatch)
    assert scene.done == ["locked", "released", "emptied app-bucket", *(["held"] if stays else [])]


def test_one_that_was_not_protected_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.ends_it, scene.after = DeployError("a resource of the program cannot be deleted"), "UPDATE_COMPLETE"
    with pytest.raises(DeployError):
        scene.run(monkeypatch)
    assert scene.done == ["locked", "emptied app-bucket"]
    assert scene.forgotten == []


@pytest.mark.parametrize("on", [True, False])
def test_protection_that_is_on_is_not_turned_on_again(on: bool) -> None:
    scene: Any = Scene()
    scene.terminable = not on
    root_stack.Root("dev", (ID,), NAME, "", dict).hold(scene, {ID})
    assert scene.done == ([] if on else ["held"])


def test_what_a_deployment_has_protected_goes_where_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates whose data is all retained: protected as any with data, and nobody has to agree to a loss."""
    scene = Scene()
    scene.terminable, scene.delete_data = False, False
    scene.held = [DEPLOYMENT, Held("Files/Bucket", BUCKET, "files", "objects", kept=True)]
    assert scene.run(monkeypatch) == 0
    assert scene.done == ["locked", "released", "destroyed"]


@pytest.mark.parametrize("delete_data", [True, False])
@pytest.mark.parametrize("held", [[DEPLOYMENT], []])
def test_a_protection_that_somebody_else_has_set_stays(
    held: list[Held], delete_data: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene()
    scene.terminable, scene.held, scene.delete_data = False, held, delete_data
    scene.state[0]["protect"] = False
    with pytest.raises(RefusedError, match="protected against termination, though nothing") as caught:
        scene.run(monkeypatch)
    assert "--no-enable-termination-protection --stack-name amplify-app-dev-5af8b" in caught.value.remedy
    assert scene.done == []


def test_all_is_deleted_and_emptied_under_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    assert scene.run(monkeypatch) == 0
    assert scene.done == ["locked", "emptied app-bucket", "destroyed"]
    assert scene.shown == [ID]  # by its name a deleted stack is not found
    assert scene.forgotten == [scene]  # the plan of a deployment that has failed: nothing can go on with it


@pytest.mark.parametrize("said", [("444455556666", "eu-west-1"), ("111122223333", "us-east-1")])
def test_what_was_deployed_elsewhere_than_the_file_says_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, said: tuple[str, str]
) -> None:
    """There nothing of it is found, so no data either; the engine would delete it where its state has it."""
    scene = Scene()
    scene.said, scene.delete_data = said, False
    scene.statuses = [None]
    scene.state[0]["custom"] = True
    with pytest.raises(DeployError, match=r"deployed in account 111122223333, eu-west-1; the stack file says") as error:
        scene.run(monkeypatch)
    assert scene.done == []
    assert "Put `account` and `region` back" in error.value.remedy


def test_a_lock_is_met_before_a_bucket_is_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.locked = True
    with pytest.raises(DeployError, match=LOCKED):
        scene.run(monkeypatch)
    assert scene.done == []


def test_a_backend_that_a_migration_has_locked_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.policy = '{"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}'
    with pytest.raises(DeployError, match="denies every update"):
        scene.run(monkeypatch)
    assert "destroyed" not in scene.done and not [done for done in scene.done if done.startswith("emptied")]


def test_a_stack_that_is_updated_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.statuses = ["UPDATE_IN_PROGRESS"]
    with pytest.raises(DeployError, match="its state is UPDATE_IN_PROGRESS") as error:
        scene.run(monkeypatch)
    assert "--wait MINUTES" in error.value.remedy
    assert scene.done == []


def test_a_nested_stack_that_is_updated_by_itself_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.nested = "UPDATE_IN_PROGRESS"
    with pytest.raises(DeployError, match="somebody is changing it by itself"):
        scene.run(monkeypatch)
    assert scene.done == []
    scene.nested = "UPDATE_ROLLBACK_FAILED"
    assert scene.run(monkeypatch) == 0


def test_an_update_that_begins_before_the_lock_is_held_is_met_under_it(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.statuses = ["UPDATE_COMPLETE", "UPDATE_IN_PROGRESS"]
    with pytest.raises(DeployError, match="its state is UPDATE_IN_PROGRESS"):
        scene.run(monkeypatch)
    assert scene.done == ["locked"]


def test_data_that_comes_before_the_lock_is_held_is_not_lost_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.delete_data = False
    scene.statuses = ["DELETE_COMPLETE", "CREATE_COMPLETE"]
    with pytest.raises(DeployError, match="this would delete data:\n  Bucket"):
        scene.run(monkeypatch)
    assert scene.done == ["locked"]


def test_an_update_is_waited_for_so_long_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.wait = 1
    scene.statuses = ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert scene.run(monkeypatch) == 0
    assert scene.done == ["locked", "emptied app-bucket", "destroyed"]


def test_a_lock_is_waited_for_and_all_is_looked_at_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.wait, scene.delete_data = 1, False
    scene.statuses, held = ["DELETE_COMPLETE", "DELETE_COMPLETE", "CREATE_COMPLETE"], iter([True, False])
    real = scene.destroy

    def destroy_when_free(before: Before | None = None) -> SimpleNamespace:
        if next(held):
            raise LockedError(LOCKED)
        return real(before)

    monkeypatch.setattr(scene, "destroy", destroy_when_free)
    # What the other one has made is not deleted unasked.
    with pytest.raises(DeployError, match="this would delete data"):
        scene.run(monkeypatch)
    assert scene.done == []


@pytest.mark.parametrize("where", ["remembered", "export"])
def test_a_stack_of_its_name_that_the_engine_does_not_hold_is_named_and_left(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    scene = Scene()
    facts = {"output": {ROOT_STACK_NAME: NAME}}
    scene.state = [{"type": "pulumi:index:Stash", "id": "x", "outputs": facts}] if where == "remembered" else []
    with pytest.raises(DeployError, match="does not hold it: it was forgotten, or is not its own") as error:
        scene.run(monkeypatch)
    assert "Todo/Table (AWS::DynamoDB::Table): Todo-dev" in error.value.message
    ways = ("`pulumi whoami -v`", "`amplify-delivery adopt dev --state-lost`")
    places = [error.value.remedy.index(way) for way in ways]
    assert places == sorted(places)
    assert "delete-stack" not in error.value.remedy  # it holds data, which nobody has agreed to lose
    assert scene.done == []


def test_a_stack_without_data_that_the_engine_does_not_hold_may_be_deleted_by_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene()
    scene.state, scene.held = [], []
    with pytest.raises(DeployError, match="does not hold it: it was forgotten, or is not its own") as error:
        scene.run(monkeypatch)
    # What deletes it comes last, after the ways that lose nothing.
    ways = ("`pulumi whoami -v`", "`amplify-delivery adopt dev --state-lost`", "It holds no data")
    deletion = f"`aws cloudformation delete-stack --stack-name {NAME} --region eu-west-1`"
    places = [error.value.remedy.index(way) for way in (*ways, deletion)]
    assert places == sorted(places)
    assert scene.done == []


@pytest.mark.parametrize("held", [True, False])
def test_a_stack_that_another_file_names_is_not_advised_to_be_deleted(
    monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    """A file that was copied: what its state does not hold is another environment's."""
    scene = Scene()
    scene.state, scene.others = [], {"prod": NAME}
    scene.held = scene.held if held else []
    with pytest.raises(DeployError, match="does not hold it") as error:
        scene.run(monkeypatch)
    assert "Pulumi.prod.yaml names this stack, too" in error.value.remedy
    assert "`pulumi config set -s dev environment NAME`" in error.value.remedy
    assert "delete-stack" not in error.value.remedy
    assert "--state-lost" not in error.value.remedy  # which refuses it
    assert scene.done == []


def event(stack: str, logical: str, kind: str, physical: str, status: str) -> dict[str, Any]:
    return {
        "StackId": stack,
        "LogicalResourceId": logical,
        "ResourceType": kind,
        "PhysicalResourceId": physical,
        "ResourceStatus": status,
        "Timestamp": datetime(2026, 1, 1, tzinfo=UTC),
    }


@pytest.mark.parametrize("known", [True, False])
def test_what_a_stack_has_left_that_was_deleted_by_hand_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], known: bool
) -> None:
    scene, nested = Scene(), ID.replace(NAME, f"{NAME}-api")
    scene.statuses = ["DELETE_COMPLETE" if known else None]
    scene.state = scene.state if known else []
    scene.deleted = [
        {"StackName": NAME, "StackId": "an earlier one", "CreationTime": 1},
        {"StackName": NAME, "StackId": ID, "CreationTime": 2},
        {"StackName": "other", "StackId": "other", "CreationTime": 3},
    ]
    scene.events = {
        ID: [  # newest first
            event(ID, NAME, "AWS::CloudFormation::Stack", ID, "DELETE_COMPLETE"),
            event(ID, "DeploymentBucket", BUCKET, "app-deployment", "DELETE_SKIPPED"),
            event(ID, "api", "AWS::CloudFormation::Stack", nested, "DELETE_COMPLETE"),
            event(ID, "Role", "AWS::IAM::Role", "role", "DELETE_SKIPPED"),
            event(ID, NAME, "AWS::CloudFormation::Stack", ID, "DELETE_IN_PROGRESS"),
            event(ID, NAME, "AWS::CloudFormation::Stack", ID, "UPDATE_COMPLETE"),
            event(ID, "Former", BUCKET, "left by an update", "DELETE_SKIPPED"),
        ],
        nested: [event(nested, "Files", BUCKET, "app-files", "DELETE_SKIPPED")],
    }
    assert scene.run(monkeypatch) == 0
    said = capsys.readouterr().out
    assert "app-deployment" in said and "aws s3 rb s3://app-deployment --force" in said
    assert "api/Files" in said and "aws s3 rb s3://app-files --region" in said
    assert "left by an update" not in said and "role" not in said


@pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "DELETE_COMPLETE"])
@pytest.mark.parametrize("disposable", [True, False])
def test_what_updates_of_a_disposable_environment_have_left_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: str, disposable: bool
) -> None:
    """Nobody has planned them, and nothing else knows of it. What the stack holds again is told once."""
    scene, again = Scene(), Held("Again", BUCKET, "app-again", "objects", kept=True)
    scene.disposable, scene.statuses, scene.held = disposable, [status], [*scene.held, again]
    scene.events = {
        ID: [
            event(ID, NAME, "AWS::CloudFormation::Stack", ID, "UPDATE_COMPLETE"),
            event(ID, "Files", BUCKET, "app-files", "DELETE_SKIPPED"),
            event(ID, "Again", BUCKET, "app-again", "DELETE_SKIPPED"),
        ]
    }
    assert scene.run(monkeypatch) == 0
    said = capsys.readouterr().out
    assert ("aws s3 rb s3://app-files" in said) is disposable
    if status == "UPDATE_COMPLETE":
        assert said.count("aws s3 rb s3://app-again") == 1


PUSHED: dict[str, Any] = {"Resources": {name: {} for name in ("AuthRole", "UnauthRole", "DeploymentBucket")}}


@pytest.mark.parametrize(
    ("template", "says", "remedy"),
    [
        (None, "it was forgotten", "`amplify-delivery adopt dev --state-lost`"),
        (PUSHED, "`amplify push` has made it", "`amplify-delivery adopt dev` takes it in"),
        ({"Resources": {}}, "not a backend of Amplify", "`environment` or `suffix` of the stack file is wrong"),
    ],
)
def test_of_a_stack_that_the_engine_does_not_hold_it_is_said_who_has_made_it(
    monkeypatch: pytest.MonkeyPatch, template: dict[str, Any] | None, says: str, remedy: str
) -> None:
    """No way is told that `adopt` refuses, and of somebody else's none that deletes it."""
    scene = Scene()
    scene.state, scene.template = [], template
    with pytest.raises(DeployError, match=says) as error:
        scene.run(monkeypatch)
    assert remedy in error.value.remedy
    assert ("--state-lost" in error.value.remedy) == (template is None)
    assert "delete-stack" not in error.value.remedy
    assert scene.done == []


def test_whoever_may_not_ask_what_is_left_destroys_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.state, scene.statuses, scene.after = [], [None], None

    def denied(*_: object) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListStacks")

    monkeypatch.setattr(root_stack, "deleted_last", denied)
    assert scene.run(monkeypatch) == 0
    assert scene.done == ["destroyed"]


def test_nothing_in_the_state_and_no_such_stack_is_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.state, scene.statuses, scene.after = [], [None], None
    assert scene.run(monkeypatch) == 0
    assert scene.done == ["destroyed"]


@pytest.mark.parametrize("exported", [True, False])
def test_an_environment_without_a_stack_is_not_advised_to_be_made(
    monkeypatch: pytest.MonkeyPatch, exported: bool
) -> None:
    scene = Scene()

    def none() -> list[dict[str, Any]]:
        raise NoStackError("there is no such stack in this backend of Pulumi", where="dev", remedy="`up dev --create`")

    def name(*_: object) -> str:
        if exported:
            return NAME
        raise ConfigError("there is no amplify-export-* folder here")

    monkeypatch.setattr(scene, "resources", none)
    monkeypatch.setattr(destruction, "root_stack_name", name)
    with pytest.raises(NoStackError, match="nothing is known here to destroy") as error:
        scene.run(monkeypatch)
    assert "--create" not in error.value.remedy and "stack init" not in error.value.remedy
    assert "`pulumi whoami -v`" in error.value.remedy
    look = f"`aws cloudformation describe-stacks --stack-name {NAME} --region eu-west-1`"
    assert (look in error.value.remedy) == exported


def test_an_empty_state_and_no_export_is_not_said_to_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.state = []

    def nothing(*_: object) -> str:
        raise ConfigError("there is no amplify-export-* folder here", remedy="export it")

    scene.exported = nothing
    with pytest.raises(DeployError, match="cannot be told: there is no amplify-export") as error:
        scene.run(monkeypatch)
    assert "nothing was changed" in error.value.remedy


@pytest.mark.parametrize("after", sorted(stack_states.STATES.keys() - {"DELETE_COMPLETE"}))
def test_a_stack_that_lives_on_is_not_said_to_be_deleted(after: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.after = after
    with pytest.raises(DeployError, match=f"still there, in state {after}") as error:
        scene.run(monkeypatch)
    assert "In it live:\n  Todo/Table (AWS::DynamoDB::Table): Todo-dev" in error.value.message
    assert "aws cloudformation wait stack-delete-complete" in error.value.remedy


def test_data_that_nobody_has_agreed_to_lose_is_not_advised_to_be_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.after, scene.held = "UPDATE_COMPLETE", []
    destroy_it = scene.destroy

    def destroyed(before: Before | None = None) -> SimpleNamespace:
        done = destroy_it(before)
        scene.held.append(Held("Late", BUCKET, "late-bucket", "objects"))
        return done

    monkeypatch.setattr(scene, "destroy", destroyed)
    with pytest.raises(DeployError, match="still there, in state UPDATE_COMPLETE") as error:
        scene.run(monkeypatch)
    assert "delete-stack" not in error.value.remedy
    assert "`amplify-delivery adopt dev --state-lost`" in error.value.remedy


@pytest.mark.parametrize(("path", "forced"), [("DeploymentBucket", True), ("storagepictures/S3Bucket", False)])
def test_no_command_is_printed_that_would_empty_a_bucket_of_users_files(path: str, forced: bool) -> None:
    held = Held(path, "AWS::S3::Bucket", "a-bucket", "objects", kept=True)
    command = destruction.removal(held, SimpleNamespace(region="eu-west-1", profile=None))
    assert command.startswith("aws s3 rb s3://a-bucket")
    assert ("--force" in command) == forced
