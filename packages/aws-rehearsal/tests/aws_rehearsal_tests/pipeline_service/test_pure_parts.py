"""The small pure parts: triggers, variables, buildspecs, overrides, rules."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest

from aws_rehearsal.pipeline_service.builds.buildspec import BuildspecError, read_buildspec
from aws_rehearsal.pipeline_service.builds.overrides import overridden, start_context
from aws_rehearsal.pipeline_service.definitions import Action, Pipeline, Stage
from aws_rehearsal.pipeline_service.errors import ActionError
from aws_rehearsal.pipeline_service.inside.front import Front
from aws_rehearsal.pipeline_service.pipelines.rules import variable_check
from aws_rehearsal.pipeline_service.pipelines.variables import resolve
from aws_rehearsal.pipeline_service.sources.triggers import Push, matches, starts


@pytest.mark.parametrize(
    ("declared", "push", "matched"),
    [
        ({"branches": {"includes": ["main"]}}, Push("main"), True),
        ({"branches": {"includes": ["release/*"]}}, Push("release/1"), True),
        ({"branches": {"includes": ["release/*"]}}, Push("release/1/fix"), False),
        ({"branches": {"includes": ["release/**"]}}, Push("release/1/fix"), True),
        ({"branches": {"includes": ["**"], "excludes": ["wip-*"]}}, Push("wip-1"), False),
        ({"branches": {"includes": ["{main,next}"]}}, Push("next"), True),
        ({"branches": {"excludes": ["wip"]}}, Push("main"), True),
        ({"branches": {"includes": ["main"]}}, Push(tag="main"), False),
        ({"tags": {"includes": ["v?.*"]}}, Push(tag="v1.2"), True),
        ({"tags": {"includes": ["v*"]}}, Push("v1"), False),
        ({"filePaths": {"includes": ["api/**"]}}, Push("main", files=("api/a/b.js", "x")), True),
        ({"filePaths": {"includes": ["api/*"]}}, Push("main", files=("api/a/b.js",)), False),
        ({"filePaths": {"excludes": ["**.md"]}}, Push("main", files=("a.md", "docs/b.md")), False),
        ({"filePaths": {"excludes": ["**.md"]}}, Push("main", files=("a.md", "b.js")), True),
    ],
)
def test_a_push_filter(declared: dict[str, Any], push: Push, matched: bool) -> None:
    assert matches(declared, push) is matched


def test_without_triggers_only_the_sources_branch_counts() -> None:
    source = Action("App", "Source", "AWS", "CodeCommit", configuration={"BranchName": "main"})
    pipeline = Pipeline("p", "1" * 12, "r", "role", 1, (Stage("Source", (source,)),), {})

    assert starts(pipeline, source, Push("main"))
    assert not starts(pipeline, source, Push("other"))
    assert not starts(pipeline, source, Push(tag="main"))


def test_a_variable_nobody_put_out_fails_the_action() -> None:
    assert resolve("a #{b.c} #{b.c}", {"b": {"c": "d"}}) == "a d d"
    with pytest.raises(ActionError, match=r"#\{b.x\} could not be resolved"):
        resolve("#{b.x}", {"b": {"c": "d"}})


@pytest.mark.parametrize(
    ("operator", "value", "passed"),
    [
        ("EQ", "12", True),
        ("EQ", "1", False),
        ("NE", "0", True),
        ("CONTAINS", "2", True),
        ("CONTAINS", "3", False),
        ("MATCHES", "[0-9]+", True),
        ("MATCHES", "1", False),
    ],
)
def test_a_variable_check(operator: str, value: str, passed: bool) -> None:
    assert variable_check({"Variable": "12", "Operator": operator, "Value": value})[0] is passed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("version: 0.1\nphases: {build: {commands: [x]}}", "only 0.2"),
        ("version: 0.2", "no phases"),
        ("version: 0.2\nphases: {deploy: {commands: [x]}}", "invalid phase: deploy"),
        ("version: 0.2\nphases: {build: {commands: [{a: b}]}}", "string type"),
        ("version: 0.2\nphases: {build: {on-failure: RETRY, commands: [x]}}", "ABORT or CONTINUE"),
        ("version: 0.2\nphases: {build: {commands: [x]}}\nartifacts: {secondary-artifacts: {A: {}}}", "no files"),
        ("- a", "not a mapping"),
        ("version: [", "while parsing"),
    ],
)
def test_a_bad_buildspec_says_why(text: str, reason: str) -> None:
    with pytest.raises(BuildspecError, match=reason):
        read_buildspec(text)


def test_an_override_is_a_condition_key_only_when_it_is_given() -> None:
    assert start_context({"projectName": "p"}) == {}
    context = start_context(
        {
            "projectName": "p",
            "buildspecOverride": "x",
            "imageOverride": "i",
            "serviceRoleOverride": "r",
            "environmentVariablesOverride": [{"name": "A", "value": "1", "type": "PLAINTEXT"}],
        }
    )
    assert context["codebuild:source.buildspec"] == "x"
    assert context["codebuild:environment.image"] == "i"
    assert context["codebuild:serviceRole"] == "r"
    assert context["codebuild:environment.environmentVariables/A.value"] == "1"
    assert context["codebuild:environment.environmentVariables.name"] == ["A"]


def test_an_override_is_the_builds_not_the_projects() -> None:
    project: dict[str, Any] = {"name": "p", "source": {"type": "NO_SOURCE", "buildspec": "old"}}

    assert overridden(project, {"buildspecOverride": "new"})["source"] == {"type": "NO_SOURCE", "buildspec": "new"}
    assert project["source"]["buildspec"] == "old"


# --- a service that is gone -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("joined", [False, True])
def test_without_the_service_the_front_says_what_to_do(*, joined: bool) -> None:
    """The local AWS of `--keep` outlives the command that started both."""
    front = Front("token")
    if joined:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        answered, _, _ = front._answer("join", {"x-pipelines-token": "token"}, json.dumps({"port": port}).encode())
        assert answered == 200
    status, _, body = asyncio.run(front.hand_on({"service": "codebuild"}))
    assert (status, json.loads(body)["__type"]) == (503, "ServiceUnavailableException")
    assert "ended with the command that started it" in json.loads(body)["message"]
    assert "Start it again" in json.loads(body)["message"]
