"""Every state of CloudFormation's times every command, as the commands themselves meet it: what each does before
anything is planned on top of the stack.

What a state means is tested with the table of states (`unit/publishing/test_stack_states.py`); this is whether each
command asks it, of the root stack and of what is nested in it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.changes.deployed import Deployed
from amplify_delivery.commands import rollback
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import deploying, proposing, updating
from amplify_delivery.delivery.deployment.releases import staged
from amplify_delivery.delivery.engine import secrets_provider
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.environment import planned, recovery, wanted
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import FailedError, RefusedError
from amplify_delivery.publishing.aws_errors import told_as
from amplify_delivery.publishing.stack_states import STATES
from unit.command_line import ROOT
from unit.delivery.teardown import test_destroy
from unit.publishing.test_stack_states import CLEAR, CONTINUE, DELETE, EXPECTED, GO, MAKE, ROLL_BACK, WAIT
from unit.rows import hold

NAME, CHILD = "amplify-app-dev-12345", "child-id"
ID = f"arn:aws:cloudformation:eu-west-1:111122223333:stack/{NAME}/1"
STATE = {"resources": [{"type": ROOT_STACK, "id": ID}]}
CONTEXT = Context(ROOT, {})
OPERATIONS = {
    CLEAR: "delete-stack",
    DELETE: "delete-stack",
    CONTINUE: "continue-update-rollback",
    ROLL_BACK: "rollback-stack",
}


class GoesOnError(Exception):
    """The command has looked at the stacks, and plans now."""


class Scene:
    """An environment whose root stack, or the stack nested in it, is in some state. It is AWS, the account and the
    engine at once; `did` is what was done to the root stack first."""

    def __init__(self, status: str, nested: str = "UPDATE_COMPLETE") -> None:
        self.status, self.nested = status, nested
        self.did: list[str] = []
        self.stack, self.meta = "dev", SimpleNamespace(region_name="eu-west-1")
        self.account, self.region = "111122223333", "eu-west-1"

    @property
    def target(self) -> Any:
        config = SimpleNamespace(
            account=self.account,
            profile=None,
            region=self.region,
            rollback_skips=(),
            bootstrapped=False,
            production=None,
            guard=self.plans,
        )
        root = SimpleNamespace(stack_name=NAME)
        return SimpleNamespace(account=self, root=root, config=config, execution_role_arn="", context=CONTEXT)

    def plans(self, *_: Any) -> Any:
        raise GoesOnError

    def client(self, _: str) -> Scene:
        return self

    def asking(self, what: str) -> Any:
        return told_as(RefusedError, what, "account", {})

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - as boto3 calls it
        if self.status == "DELETE_COMPLETE":  # by its name it is not found any more
            message = f"Stack with id {StackName} does not exist"
            raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks")
        return {"Stacks": [{"StackName": NAME, "StackId": ID, "StackStatus": self.status}]}

    def get_stack_policy(self, StackName: str) -> dict[str, str]:  # noqa: N803
        assert StackName == NAME
        return {}

    def get_template(self, **_: Any) -> dict[str, Any]:
        return {"TemplateBody": {"Resources": {}}}

    def get_paginator(self, operation: str) -> Any:
        pages: dict[str, Any] = {
            "list_stacks": {"StackSummaries": [{"StackId": CHILD, "StackStatus": self.nested}]},
            "list_stack_resources": {"StackResourceSummaries": []},
        }
        return SimpleNamespace(paginate=lambda **_: [pages[operation]])

    def deployed(self, *_: Any) -> Any:
        there = self.status != "DELETE_COMPLETE"
        ids = {(): ID, ("Api",): CHILD} if there else {}
        return SimpleNamespace(found=Deployed(self.status if there else None, ids=ids))

    def preview(self, *_: Any) -> Any:
        return SimpleNamespace(steps=())

    def recovered(self, _target: Any, _environment: str, step: Any) -> None:
        """The deployment's own recovery, after which the root stack can be updated."""
        self.did.append(step.operation)
        self.status = "UPDATE_ROLLBACK_COMPLETE"

    @contextmanager
    def foreseen(self, *_: Any) -> Iterator[tuple[Any, Any]]:
        yield self, STATE

    @contextmanager
    def holding(self, *_: Any) -> Iterator[Any]:
        yield SimpleNamespace(waited=False, over=False)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Files, the engine and its state, and whatever comes after the look at the stacks, stand still."""
        for name in ("wanted", "described", "published"):
            patch.setattr(wanted, name, lambda *_, **__: self.target)
        for module in (deploying, proposing, updating):
            patch.setattr(module, "Engine", lambda *_, **__: self)
        for holder in (deploying, updating):
            patch.setattr(holder, "holding", self.holding)
        patch.setattr(proposing, "wait_until_free", lambda *_: False)
        patch.setattr(proposing, "log_if_allowed", lambda *_: None)
        patch.setattr(resolving, "foreseen", self.foreseen)
        patch.setattr(resolving, "resolve", lambda *_: STATE)
        patch.setattr(secrets_provider, "check", lambda *_: None)
        patch.setattr(stack_files, "program", lambda *_: "backend")
        patch.setattr(stack_files, "load", lambda *_: self.target.config)
        patch.setattr(updating, "_updates_root", lambda _: True)
        patch.setattr(planned, "checked", lambda *_: lambda _: None)
        patch.setattr(planned, "backend", self.deployed)
        patch.setattr(planned, "_program", self.plans)
        patch.setattr(recovery, "carry_out", self.recovered)
        patch.setattr(staged, "Staging", lambda *_: None)
        patch.setattr(staged, "chosen", lambda *_: SimpleNamespace(digest="a" * 64))
        patch.setattr(staged, "fetch", lambda *_: None)


def _plan() -> None:
    proposing.propose("plan", "dev", CONTEXT, Patience(0))


def _deploy() -> None:
    deploying.deploy("dev", CONTEXT, deploying.Approved("0" * 64), Patience(0), print)


def _up() -> None:
    updating.update("dev", CONTEXT, Patience(0), print)


def _rollback(plan: str | None) -> None:
    given = {"environment": "dev", "to": None, "list": False, "plan": plan, "audit": None, "json": False, "wait": 0}
    rollback.run(argparse.Namespace(**given), CONTEXT)


COMMANDS: Mapping[str, Callable[[], None]] = {
    "plan": _plan,
    "deploy": _deploy,
    "up": _up,
    "rollback": lambda: _rollback(None),
    "rollback --plan": lambda: _rollback("0" * 64),
}


def met(command: str, scene: Scene) -> RefusedError | FailedError | None:
    """What a command is refused with; None if it goes on."""
    with pytest.MonkeyPatch.context() as patch:
        scene.install(patch)
        seen: list[recovery.Seen] = []
        look = recovery.look

        def looked(*given: Any) -> recovery.Seen:
            seen.append(look(*given))
            return seen[-1]

        patch.setattr(recovery, "look", looked)
        try:
            COMMANDS[command]()
        except GoesOnError:
            if command != "up":  # these plan first: what they would do stands in the plan
                scene.did += [step.operation for step in seen[0].steps]
            return None
        except (RefusedError, FailedError) as error:
            return error
    pytest.fail("it has not looked at the stacks, or nothing came after")


def root(status: str, command: str) -> None:
    wanted_of = EXPECTED[status][0]
    scene = Scene(status)
    error = met(command, scene)
    if wanted_of in (GO, MAKE, *OPERATIONS):
        assert error is None, error
        assert scene.did == ([OPERATIONS[wanted_of]] if wanted_of in OPERATIONS else [])
        return
    assert error is not None
    assert status in error.message
    assert ("wait until that has ended" if wanted_of == WAIT else wanted_of) in error.remedy
    assert (error.exit_code, scene.did) == (3, [])


def nested(status: str, command: str) -> None:
    """Below a root stack that could be updated."""
    said, scene = EXPECTED[status][2].replace("stack-name child", f"stack-name {CHILD}"), Scene("UPDATE_COMPLETE")
    scene.nested = status
    error = met(command, scene)
    if not said:
        assert error is None, error
        return
    assert error is not None
    assert (status in error.message, error.where) == (True, f"Api ({CHILD}, nested in {NAME})")
    assert said in error.remedy
    assert (error.exit_code, scene.did) == (3, [])


def test_the_root_stack() -> None:
    hold(root, [(status, command) for status in STATES for command in COMMANDS])


def test_a_nested_stack() -> None:
    hold(nested, [(status, command) for status in STATES for command in COMMANDS])


class Locked(Scene):
    """Locked by Amplify's migration to Gen 2. What the commands would begin with is in `did`."""

    def get_stack_policy(self, StackName: str) -> dict[str, str]:  # noqa: N803 - as boto3 calls it
        assert StackName == NAME
        lock = {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}
        return {"StackPolicyBody": json.dumps({"Statement": [lock]})}

    def preview(self, *_: Any) -> Any:
        self.did.append("preview")
        return super().preview()

    def install(self, patch: pytest.MonkeyPatch) -> None:
        super().install(patch)

        def resolve(*_: Any) -> Any:
            self.did.append("what a killed run has left is put right")
            return STATE

        patch.setattr(resolving, "resolve", resolve)


def test_what_a_migration_has_locked_is_left_alone_from_the_beginning() -> None:
    """Whatever state it is in: nobody waits for the migration, previews beside it, or writes a state."""

    def check(status: str, command: str) -> None:
        scene = Locked(status)
        error = met(command, scene)
        assert error is not None
        assert "its stack policy denies every update" in error.message
        assert (error.exit_code, scene.did) == (3, [])

    states = ("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED")
    hold(check, [(status, command) for status in states for command in COMMANDS])


def destroyed(status: str, child: str) -> bool:
    """Whether `destroy` goes on; else it has touched nothing."""
    scene = test_destroy.Scene()
    scene.statuses, scene.nested = [None if status == "DELETE_COMPLETE" else status], child
    with pytest.MonkeyPatch.context() as patch:
        try:
            assert scene.run(patch) == 0
        except RefusedError as error:
            assert f"its state is {child if status == 'UPDATE_COMPLETE' else status}" in error.message
            assert scene.done == []
            return False
    assert "destroyed" in scene.done
    return True


def test_destroy_waits_and_nothing_else_keeps_it() -> None:
    def check(status: str, of: str) -> None:
        goes_on = destroyed(status, "UPDATE_COMPLETE") if of == "root" else destroyed("UPDATE_COMPLETE", status)
        busy = EXPECTED[status][1] == WAIT
        assert goes_on == (not busy)

    hold(check, [(status, of) for status in STATES for of in ("root", "nested")])
