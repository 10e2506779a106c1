"""The workflow of docs/front-end.md, which a web app's own repository takes over: linted, and its commands are ours."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery import cli
from unit.delivery.scaffold.workflows.ci_files import expressions, workflow
from unit.delivery.scaffold.workflows.workflow_linter import github_scripts, problems, script_problems
from unit.places import REPOSITORY

PAGE = (REPOSITORY / "docs" / "front-end.md").read_text(encoding="utf-8").partition("## In the web app's own CI")[2]
TEXT = PAGE.partition("```yaml\n")[2].partition("```")[0]


@pytest.mark.processes
def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    file = tmp_path / "web.yml"
    file.write_text(TEXT)
    assert problems(file) == ""
    assert script_problems(github_scripts(workflow(TEXT))) == ""


def test_it_has_no_more_rights_than_it_needs() -> None:
    document: dict[str, Any] = workflow(TEXT)
    assert document["permissions"] == {}
    for job in document["jobs"].values():
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
        for step in job["steps"]:
            assert not expressions(step.get("run", ""))
            if "uses" in step:
                assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"])
                assert step["with"]["persist-credentials"] is False


def test_its_commands_are_commands() -> None:
    calls = re.findall(r"^ +amplify-delivery (.*)$", TEXT, re.MULTILINE)
    assert calls == ["client-config prod --platform javascript --out ../src"]
    for name, *arguments in map(shlex.split, calls):
        assert cli.parser_of(name).parse_args(arguments).environment == "prod"
    assert "preview credentials --role $ROLE" in TEXT
    assert cli.parser_of("preview").parse_args(["credentials", "--role", "arn"]).action == "credentials"


def test_the_roles_trust_names_one_branch_of_one_repository() -> None:
    trust = json.loads(PAGE.partition("```json\n")[2].partition("```")[0])
    (statement,) = trust["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert set(statement["Condition"]["StringEquals"]) == {
        "token.actions.githubusercontent.com:aud",
        "token.actions.githubusercontent.com:sub",
    }
