"""The digest of an account's stack: equal exactly as long as the stack makes the same, as its program registers it."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.stacks.access import account_environments, environment_access
from amplify_delivery.stacks.account_digest import DECLARING, account_digest
from amplify_delivery.stacks.assemblies import Assemblies
from amplify_delivery.stacks.config import Project
from unit.components.recorder import Recording
from unit.places import REPOSITORY
from unit.stacks.projects import APP, HOME, account_of, make, run, write

STAMPS = ("bootstrap-digest", "bootstrap-done")
PLACE = {"account": account_of(0), "region": HOME, "bootstrapped": "true", "suffix": "a8d04"}
STEP = {"name": "test", "commands": ["true"]}
RIGHTS = [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::fixtures/*"]}]


def digest(directory: Path, stack: str = "preprod-account") -> str:
    """As the command computes it."""
    project = Project(directory).once()
    config, assemblies = project.account(stack), Assemblies(project)
    accesses = {}
    for environment in account_environments(project, config, stack):
        assembly, types = assemblies.of(environment)
        accesses[environment.environment] = environment_access(project, APP, config, environment, assembly, types=types)
    return account_digest(config, accesses, None)


def made(recording: Recording) -> str:
    """All that the program has registered, without what tells of it."""
    kept = [
        (r.type, r.name, r.inputs, bool(r.request.protect), sorted(r.depends_on))
        for r in recording.resources
        if not str(r.inputs.get("name", "")).endswith(STAMPS)
    ]
    return json.dumps(sorted(kept, key=lambda each: (each[0], each[1])), sort_keys=True, default=str)


def stamped(recording: Recording) -> str:
    (found,) = {r.inputs["insecureValue"] for r in recording.resources if r.name.endswith("-bootstrap-digest")}
    return str(found)


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("preprod-account", {"program": "account"}),
    ("preprod-account", {"program": "account", "protect": "false"}),
    ("preprod-account", {"program": "account", "tags": {"team": "app"}}),
    ("preprod-account", {"program": "account", "images": "true"}),
    ("preprod-account", {"program": "account", "stagingKey": "true"}),
    ("preprod-account", {"program": "account", "programTypes": ["AWS::SQS::Queue"]}),
    ("preprod-account", {"program": "account", "timeouts": {"deploy": "6h"}}),
    ("preprod-account", {"program": "account", "build": {"computeType": "BUILD_GENERAL1_LARGE"}}),
    ("preprod-account", {"program": "account", "profile": "administrator"}),
    ("preprod", {**PLACE, "suffix": "b9e15"}),
    ("preprod", {**PLACE, "helloService": "true"}),
    ("preprod", {**PLACE, "region": "eu-west-1"}),
    ("prod1", {"account": account_of(0), "region": HOME, "bootstrapped": "true"}),
    ("prod1", {"account": account_of(1), "region": HOME, "bootstrapped": "true"}),
]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    directory = make(tmp_path_factory.mktemp("project"))
    return directory, digest(directory), made(run(directory, "preprod-account"))


def test_the_command_computes_what_the_program_writes_down_and_the_former_names_count(tmp_path: Path) -> None:
    make(tmp_path)
    found = digest(tmp_path)
    assert stamped(run(tmp_path, "preprod-account")) == found
    # No right hangs on tags of the environment's own, which may change between two bootstraps.
    write(tmp_path, "preprod", {**PLACE, "tags": {"cost-center": "42"}})
    assert digest(tmp_path) == found
    write(tmp_path, "preprod", {k: v for k, v in PLACE.items() if k != "bootstrapped"} | {"enrolled": "true"})
    assert stamped(run(tmp_path, "preprod-account")) == digest(tmp_path) != found


@pytest.mark.parametrize(("file", "values"), CHANGES, ids=[f"{file}: {values}" for file, values in CHANGES])
def test_it_changes_exactly_when_what_is_made_does(
    before: tuple[Path, str, str], tmp_path: Path, file: str, values: dict[str, Any]
) -> None:
    directory, known, resources = before
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    write(tmp_path, file, values)
    recording, now = run(tmp_path, "preprod-account"), digest(tmp_path)
    # Whose credentials are used is a matter of providers, not of what is made.
    if "profile" in values:
        assert now == known
    else:
        assert (now == known) == (made(recording) == resources)
    assert stamped(recording) == now


def test_environments_of_one_stack_have_the_stacks_digest(tmp_path: Path) -> None:
    """One that is taken out of the stack changes it, though no word about the other does."""
    make(tmp_path)
    write(tmp_path, "prod1", {"account": account_of(0), "region": "eu-west-1", "bootstrapped": "true"})
    write(tmp_path, "preprod-account", {"program": "account", "environments": ["preprod", "prod1"]})
    both = run(tmp_path, "preprod-account")
    assert stamped(both) == digest(tmp_path)
    write(tmp_path, "preprod-account", {"program": "account", "environments": ["preprod"]})
    assert digest(tmp_path) != stamped(both)


def test_roles_and_projects_come_after_the_digest_and_the_last_stamp_after_the_version(tmp_path: Path) -> None:
    """What is whole is told by what is written first and last; neither may keep what holds data in the stack."""
    recording = run(make(tmp_path), "preprod-account")
    by_name = {r.name: r for r in recording.resources}
    first, last = by_name["preprod-bootstrap-digest"], by_name["preprod-bootstrap-done"]
    for kind in ("aws-native:iam:Role", "aws:iam/policy:Policy", "aws:codebuild/project:Project"):
        assert all(first.urn in r.depends_on for r in recording.all(kind))
    assert not any(first.urn in r.depends_on for r in recording.resources if r.request.protect)
    assert by_name["preprod-bootstrap-version"].urn in last.depends_on
    assert set(last.request.ignoreChanges) == {"insecureValue", "value"}


def test_all_code_that_declares_counts() -> None:
    """Whatever the account's program reaches and is no builder of documents, which count by what they come to."""
    package = REPOSITORY / "packages/amplify-delivery/src/amplify_delivery"
    pending, found = ["stacks/account.py"], set[str]()
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found.add(name)
        for node in ast.walk(ast.parse((package / name).read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("amplify_delivery.components"):
                for module in (str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)):
                    path = f"{module.removeprefix('amplify_delivery.').replace('.', '/')}.py"
                    if (package / path).is_file() and "/documents/" not in path:
                        pending.append(path)
    documents_by_value = {"components/errors.py", "components/names.py"}
    times = {"components/documents/account/storage.py"}  # how long what is stored stays is in no document
    only_looks = {"components/lost_state.py"}  # before a first create
    assert found - documents_by_value - only_looks | times == set(DECLARING)
