"""The state of an adopted environment, as the provider would have written it."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_delivery.delivery.adoption import state
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.errors import RefusedError

TYPE = "aws:cloudformation/stack:Stack"
PREFIX = "urn:pulumi:main::app::"
STACK = f"{PREFIX}pulumi:pulumi:Stack::app-main"
BACKEND = f"{PREFIX}amplify-delivery:index:AmplifyBackend::backend"
ROOT = f"{PREFIX}amplify-delivery:index:AmplifyBackend${TYPE}::backend"
IDENTITY = f"{PREFIX}amplify-delivery:index:AmplifyBackend$pulumi:index:Stash::backend-identity"
PLACE = f"{PREFIX}pulumi:index:Stash::place"
PROVIDER = f"{PREFIX}pulumi:providers:aws::aws"
PARAMETERS = {"AuthRoleName": "auth", "DeploymentBucketName": "bucket"}


def imported(**inputs: Any) -> dict[str, Any]:
    given = {
        "name": "amplify-app-main-abcde",
        "templateBody": "{a-secret}",
        "disableRollback": False,
        "region": "r",
        **inputs,
    }
    return {"urn": ROOT, "type": TYPE, "id": "arn", "inputs": given, "outputs": {**given, "outputs": {"A": "b"}}}


def test_an_imported_root_gets_the_parameters_that_it_runs_with() -> None:
    other = {"urn": PLACE, "type": "pulumi:index:Stash"}
    done = state.completed({"manifest": {}, "resources": [other, imported()]}, PARAMETERS)
    assert done["resources"][0] == other
    root = done["resources"][1]
    assert root["protect"]
    assert root["inputs"] == {"__defaults": [], "name": "amplify-app-main-abcde", "parameters": PARAMETERS}
    assert root["outputs"]["parameters"] == PARAMETERS
    assert root["outputs"]["outputs"] == {"A": "b"}
    assert "a-secret" not in str(root), "a secret of the running template stays in no state"
    assert state.is_complete(root, PARAMETERS)
    assert not state.is_complete(imported(), PARAMETERS)
    assert state.completed(done, PARAMETERS) == done


def test_only_the_root_and_what_is_remembered_of_it_are_taken_in() -> None:
    steps = [
        ProgramStep(STACK, "pulumi:pulumi:Stack", "create", custom=False),
        ProgramStep(PLACE, "pulumi:index:Stash", "create", parent=STACK),
        ProgramStep(PROVIDER, "pulumi:providers:aws", "create", parent=STACK),
        ProgramStep(f"{PREFIX}pulumi:index:Stash::theirs", "pulumi:index:Stash", "create", parent=STACK),
        ProgramStep(BACKEND, "amplify-delivery:index:AmplifyBackend", "create", parent=STACK, custom=False),
        ProgramStep(IDENTITY, "pulumi:index:Stash", "create", parent=BACKEND),
        ProgramStep(ROOT, TYPE, "import", parent=BACKEND, provider=f"{PROVIDER}::id"),
        ProgramStep(f"{PREFIX}aws:sns/topic:Topic::alarms", "aws:sns/topic:Topic", "create", parent=STACK),
    ]
    assert set(state.targets(steps, "arn")) == {PLACE, PROVIDER, BACKEND, IDENTITY, ROOT}
    with pytest.raises(RefusedError, match="declares no root stack to adopt"):
        state.targets(steps[:3], "arn")


def test_what_the_state_holds_already_is_no_target() -> None:
    """The engine would delete what depends on it and is not declared in an adoption: the staging area."""
    steps = [
        ProgramStep(STACK, "pulumi:pulumi:Stack", "same", custom=False),
        ProgramStep(PLACE, "pulumi:index:Stash", "same", parent=STACK),
        ProgramStep(PROVIDER, "pulumi:providers:aws", "same", parent=STACK),
        ProgramStep(BACKEND, "amplify-delivery:index:AmplifyBackend", "same", parent=STACK, custom=False),
        ProgramStep(IDENTITY, "pulumi:index:Stash", "update", parent=BACKEND),
        ProgramStep(ROOT, TYPE, "import", parent=BACKEND, provider=f"{PROVIDER}::id"),
    ]
    assert state.targets(steps, "arn") == [IDENTITY, ROOT]
