"""What the engine knows, as a report shows it; and a report of which nothing but the files could be read."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from amplify_delivery import cli
from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import (
    AddResource,
    ChangeOutput,
    ChangeProgram,
    ProtectStack,
    RemoveResource,
    UpdateRoot,
    UpdateStack,
)
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.reporting import contents, gathering
from amplify_delivery.delivery.reporting.page.report_model import Line, Report, parsed
from amplify_delivery.errors import ConfigError, RefusedError, StateError
from amplify_delivery.export import EnvironmentValues, assemble, read_export, render_root
from unit.command_line import export

PATH = ("api", "Todo")


def stacks(name: str) -> Stacks:
    assembly = assemble(read_export(export(name)))
    root = render_root(assembly, EnvironmentValues("prod", 2_000_000_000), "bucket")
    return Stacks.of(assembly, root, root.parameters)


def test_every_resource_is_listed_once_with_what_is_done_to_it() -> None:
    old, new = stacks("todo-series/v2"), stacks("todo-series/v3")
    steps = plan_backend(old, new)
    lines = contents.lines(new, steps)
    places = Counter((line.stack, line.name) for line in lines)
    assert places.most_common(1)[0][1] == 1
    marked = {"/".join((*line.stack, line.name)): line.mark for line in lines if line.mark}
    assert marked == {step.place: step.mark for step in steps}
    listed = sum(stack.resources for stack in contents.stacks(new, "root", {}))
    removed = [step for step in steps if isinstance(step, RemoveResource)]
    assert len([line for line in lines if line.type != "AWS::CloudFormation::Stack"]) == listed + len(removed)


def test_steps_that_are_no_resources_are_listed_where_they_belong() -> None:
    none = Stacks({(): {"Resources": {}}}, {})
    steps = (
        UpdateRoot("key1", ("the first index",)),
        AddResource((*PATH, "Table"), "AWS::DynamoDB::Table", "d"),
        UpdateRoot("key2", ()),
        UpdateStack(("api",), ("Outputs",), "d"),
        ChangeProgram(
            "urn:pulumi:prod::app::aws:lambda:Function::hello", "aws:lambda:Function", "update", ("code",), "", "d"
        ),
        ChangeOutput("helloUrl", "add", "d"),
        ProtectStack(on=True),
    )
    assert contents.lines(none, steps) == (
        Line(PATH, "Table", "AWS::DynamoDB::Table", "+", run=1),
        Line((), "api", "AWS::CloudFormation::Stack", "~", "Outputs; no resource changes", run=2),
        Line((), "hello", "aws:lambda:Function", "~", "code", part="program", run=2),
        Line((), "helloUrl", "output", "+", part="outputs", run=2),
        Line((), "(root stack)", "AWS::CloudFormation::Stack", "~", "termination protection on", run=2),
    )  # fmt: skip


@pytest.fixture
def todo(project: Path) -> Path:
    shutil.copytree(export("todo"), project / export("todo").name)
    return project


def no_account(*_: object) -> Account:
    raise RefusedError("no credentials were found", where="account 444444444444", remedy="log in")


def run(project: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.chdir(project)
    monkeypatch.setattr(Account, "of", no_account)
    return cli.main(["report", "dev", *arguments])


def test_without_credentials_there_is_what_the_files_say(
    todo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(todo, monkeypatch, "--json") == 0
    found: Report = parsed(json.loads(capsys.readouterr().out))
    assert [(line.what, line.why, line.remedy) for line in found.unread] == [
        ("The account", "account 444444444444: no credentials were found", "log in")
    ]
    assert (found.app, found.environment, found.account) == ("mytodoapp", "dev", "444444444444")
    assert found.plan is None
    assert len(found.stacks) > 3
    assert "AWS::DynamoDB::Table" in {line.type for line in found.lines}
    assert {role.name for role in found.roles} == {"mytodoapp-dev-cloudformation"}
    assert not (todo / "build").exists()
    assert run(todo, monkeypatch) == 0
    said = capsys.readouterr().out
    assert "not read: The account: account 444444444444: no credentials were found\n  -> log in\n" in said


def denied(region: str) -> Account:
    """An account that says whose credentials these are, and denies everything else."""
    session = boto3.session.Session("id", "key", "token", region)

    def answer(model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        if model.name == "GetCallerIdentity":
            who = {"Account": "444444444444", "Arn": "arn:aws:sts::444444444444:assumed-role/nobody/x"}
            return SimpleNamespace(status_code=200), who
        code = {"Error": {"Code": "AccessDenied", "Message": f"not authorized to perform {model.name}"}}
        return SimpleNamespace(status_code=403), {**code, "ResponseMetadata": {"HTTPStatusCode": 403}}

    session.events.register("before-call", answer)
    return Account("444444444444", region, session=session)


def test_whatever_may_not_be_read_is_told_one_by_one(
    todo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A role that may nothing: the report is made all the same, with AWS's own words for each part."""
    file = todo / "Pulumi.dev.yaml"
    file.write_text(file.read_text() + '  mytodoapp:bootstrapped: "true"\n')
    monkeypatch.chdir(todo)
    monkeypatch.setattr(Account, "of", lambda config: denied(config.region))

    def not_logged_in(*_: object) -> None:
        raise StateError("no access to the engine's state", where="dev", remedy="pulumi login")

    monkeypatch.setattr(gathering, "Engine", not_logged_in)
    assert cli.main(["report", "dev", "--json"]) == 0
    found = parsed(json.loads(capsys.readouterr().out))
    told = {line.what: line.why for line in found.unread}
    assert list(told) == [
        "The account's bootstrap version",
        "The root stack",
        "The whole plan",
        "What would change of the backend",
        "The audit log",
        "What mytodoapp-dev-cloudformation may do",
    ]
    refused = {name: why for name, why in told.items() if "not authorized to perform" in why}
    assert set(told) - set(refused) == {"The whole plan"}
    assert "not authorized to perform FilterLogEvents" in told["The audit log"]
    assert told["The whole plan"] == "dev: no access to the engine's state"
    assert "nobody" in found.lead
    facts = {fact.label: fact.value for fact in found.facts}
    assert (facts["Root stack"], facts["Plan"], facts["Rights"], facts["Bootstrap"]) == (
        "not read", "not made", "not read", "not read",
    )  # fmt: skip
    assert len(found.stacks) > 3


def test_the_page_is_written_and_its_path_is_told(
    todo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(todo, monkeypatch) == 0
    said = capsys.readouterr().out
    page = Path("build/report-dev.html")
    assert said.splitlines()[-1] == f"dev: all of it on one page: {page}"
    assert "not read: The account: account 444444444444: no credentials were found" in said
    assert (todo / page).read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_place_where_nothing_can_be_written_is_refused(
    todo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(todo, monkeypatch, "--out", "nowhere/page.html") == ConfigError("").exit_code
    assert "nowhere/page.html: cannot be written: No such file or directory" in capsys.readouterr().err
