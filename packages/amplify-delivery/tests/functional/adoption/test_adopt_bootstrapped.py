"""An app in an account that lets a pipeline in: adopted as it runs, the boundary as a step of its own.

It is an export of this repository, as the CLI pushes what was exported: an app of which no push was kept.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.naming import EnvironmentNames
from aws_rehearsal.local_aws import LocalAws
from functional.adoption.adoptable import Adoptable
from functional.adoption.pushed_apps import FURTHER, Running, leaves
from functional.adoption.test_adopt import ADOPT, DEPLOY, PLAN, REMADE
from functional.pipeline_files import write_pipeline

pytestmark = pytest.mark.engine


def bootstrap(app: Adoptable) -> EnvironmentNames:
    """The account's administrator lets the pipeline in."""
    project, place = app.app.project, app.workspace.project
    app.file.write_text(f'{app.file.read_text()}  # kept\n  {project}:bootstrapped: "true"\n')
    (place / f"Pulumi.{app.stack}-account.yaml").write_text(f"config:\n  {project}:program: account\n")
    write_pipeline(place, project, app.stack)
    done = app.delivery("bootstrap")
    assert done.exit_code == 0, done.output
    return EnvironmentNames(project, app.there.account, app.app.region, app.app.environment)


def boundaries(app: Adoptable) -> dict[str, str | None]:
    """The boundary of each role of the backend, by path of logical ids."""
    iam, cloudformation = app.there.client("iam"), app.there.client("cloudformation")
    return {
        path: iam.get_role(RoleName=name)["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        for path, kind, name in leaves(cloudformation, app.app.stack_name)
        if kind == "AWS::IAM::Role"
    }


def harmless(plan: dict[str, Any]) -> set[str]:
    """The paths of what a plan makes again that loses nothing."""
    assert plan["dataLoss"] == []
    steps = [s for s in plan["steps"] if s["step"].endswith("-resource")]
    remade = {s["path"]: (s["step"], s["type"]) for s in steps if s["step"] != "change-resource"}
    assert set(remade.values()) <= REMADE
    return set(remade)


def nothing_is_lost(before: Running, after: Running, remade: set[str]) -> None:
    """Data and ids are the same, but for what was made again."""
    assert replace(after, resources={}) == replace(before, resources={})
    kept = [{p: i for p, i in r.items() if p not in remade} for r in (before.resources, after.resources)]
    assert kept[0] == kept[1]


def tells_the_way_on(app: Adoptable, adopted: dict[str, Any], names: EnvironmentNames) -> None:
    """Where what comes next has to look for the state, and how the boundary comes."""
    assert f"`pulumi config rm boundary -s {app.stack}`" in " ".join(adopted["notes"])
    assert adopted["backend"] == names.state_backend


@pytest.mark.parametrize("name", FURTHER)
def test_the_boundary_comes_after_the_adoption(local_aws: LocalAws, examined: Path, tmp_path: Path, name: str) -> None:
    app = Adoptable(name, tmp_path, local_aws, examined, encrypted_by="what bootstrap makes")
    names = bootstrap(app)
    before = app.running
    assert before.items and all(len(rows) == 1 for rows in before.items.values())
    adopted = app.document(*ADOPT)
    assert app.running == before
    made_again = harmless(adopted["plan"])
    assert "boundary" in adopted["written"]
    tells_the_way_on(app, adopted, names)
    text = app.file.read_text()
    assert f'{app.app.project}:boundary: "false"' in text
    assert "# kept" in text
    assert not [s for s in adopted["plan"]["steps"] if "PermissionsBoundary" in s.get("properties", ())]

    app.log_in(names.state_backend)
    delivered = app.delivery(*DEPLOY, adopted["plan"]["digest"])
    assert delivered.exit_code == 0, delivered.output
    after = app.running
    nothing_is_lost(before, after, made_again)
    assert set(boundaries(app).values()) == {None}
    assert app.there.stack(app.app.stack_name)["RoleARN"] == names.execution_role_arn
    again = app.document("adopt")
    assert again["already"]
    assert "now, `pulumi config rm boundary -s " in " ".join(again["notes"])

    app.type_pulumi("pulumi config rm boundary")
    plan = app.document("plan")
    roles = boundaries(app)
    changed = {s["path"]: tuple(s["properties"]) for s in plan["steps"] if s["step"] == "change-resource"}
    assert changed == dict.fromkeys(roles, ("PermissionsBoundary",))
    assert {s["step"] for s in plan["steps"]} <= {"change-resource", "update-stack"}
    delivered = app.delivery(*DEPLOY, plan["digest"])
    assert delivered.exit_code == 0, delivered.output
    assert set(boundaries(app).values()) == {names.boundary_arn}
    assert app.running == after
    assert "nothing to change" in app.delivery(*PLAN).output
