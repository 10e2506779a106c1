"""The engine's events and errors in our words."""

from __future__ import annotations

import pytest
from pulumi.automation import CommandResult
from pulumi.automation.errors import create_command_error
from pulumi.automation.events import EngineEvent

from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.engine.engine import Watch, explain
from amplify_delivery.errors import DeliveryError, DeployError, LockedError, StateError

URN = "urn:pulumi:dev::app::amplify-delivery:index:AmplifyBackend$aws:cloudformation/stack:Stack::backend"
LOCKED = """error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete \
the lock file with `pulumi cancel`.
  file:///state/x.json: created by me@host (pid 7) at 9"""
PROGRAM = "urn:pulumi:dev::app::pulumi:pulumi:Stack::app-dev"


def failed(stderr: str = "", stdout: str = "", watch: Watch | None = None) -> DeliveryError:
    error = create_command_error(CommandResult(stdout=stdout, stderr=stderr, code=255))
    return explain(error, watch or Watch(), "dev")


def said(urn: str, message: str, severity: str = "error") -> EngineEvent:
    diagnostic = {"urn": urn, "message": message, "severity": severity, "color": "never"}
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, "diagnosticEvent": diagnostic})


@pytest.mark.parametrize(
    ("stderr", "message", "remedy"),
    [
        (
            LOCKED,
            "another update of this stack is running: file:///state/x.json: created by me@host (pid 7) at 9",
            "`amplify-delivery unlock dev`",
        ),
        ("error: [409] Conflict: Another update is currently in progress.", "another update of this stack", "wait"),
        ("error: no stack named 'dev' found", "there is no such stack", "--create"),
        ("error: getting secrets manager: incorrect passphrase", "not the one", "PULUMI_CONFIG_PASSPHRASE"),
        ("error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE", "none is given", "PULUMI_CONFIG_PASSPHRASE"),
        ("error: PULUMI_ACCESS_TOKEN must be set for login", "not logged in", "pulumi login"),
        ("error: cipher: message authentication failed", "another key", "encryptionsalt"),
    ],
)
def test_what_the_engine_says_about_its_state(stderr: str, message: str, remedy: str) -> None:
    error = failed(stderr)
    assert isinstance(error, StateError)
    assert isinstance(error, LockedError) == ("another update" in message)
    assert message in error.message
    assert remedy in error.remedy


def test_failed_resources_with_their_reasons() -> None:
    watch = Watch()
    watch(said(URN, "<{%reset%}>ROLLBACK_COMPLETE: Todo: table exists<{%reset%}>\n"))
    watch(said(URN, "ROLLBACK_COMPLETE: Todo: table exists"))
    watch(said(PROGRAM, "update failed"))
    watch(said(URN, "never mind", "warning"))
    error = failed("error: update failed", watch=watch)
    assert isinstance(error, DeployError)
    assert error.message == "aws:cloudformation/stack:Stack backend: ROLLBACK_COMPLETE: Todo: table exists"
    assert "rolled back" in error.remedy


@pytest.mark.parametrize(
    "said_of_it",
    ["AccessDenied: not authorized to perform: cloudformation:CreateStack", "UPDATE_ROLLBACK_FAILED: Todo"],
)
def test_what_was_not_rolled_back_is_not_said_to_be(said_of_it: str) -> None:
    watch = Watch()
    watch(said(URN, said_of_it))
    assert "rolled back" not in str(failed("error: update failed", watch=watch).remedy)


def test_the_providers_wrapping_is_taken_off() -> None:
    watch = Watch()
    wrapped = (
        f"1 error occurred:\n\t* updating {URN}: 1 error occurred:\n\t* waiting for it: UPDATE_ROLLBACK_COMPLETE\n\n"
    )
    watch(said(URN, wrapped))
    assert (
        failed(watch=watch).message
        == "aws:cloudformation/stack:Stack backend: waiting for it: UPDATE_ROLLBACK_COMPLETE"
    )


def test_what_the_program_says_stands_alone() -> None:
    watch = Watch()
    watch(said(PROGRAM, "account is missing\n  -> `pulumi config set account VALUE`"))
    error = failed(watch=watch)
    assert error.message.startswith("account is missing")
    assert "rolled back" not in error.remedy


def test_anything_else_is_the_engines_own_message() -> None:
    assert failed("error: something new\n").message == "something new"


def test_a_replacement_of_the_root_stack_is_noticed() -> None:
    watch = Watch()
    for op in ("replace", "create-replacement"):
        metadata = {"op": op, "urn": URN, "type": ROOT_STACK, "provider": "p", "keys": ["onFailure"]}
        watch(EngineEvent.from_json({"sequence": 1, "timestamp": 1, "resourcePreEvent": {"metadata": metadata}}))
    assert watch.replaced[0] == "aws:cloudformation/stack:Stack backend (onFailure)"
