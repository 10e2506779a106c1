"""Plain `pulumi up` takes nobody's access: the auth roles' trust, which a custom resource has set, outlives an update
of the roles, also one that is rolled back.

The handler of a role may write the template's trust in every update, which denies everybody; the local AWS's does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from functional.delivery.environments import Environment

pytestmark = pytest.mark.engine

PUT_BACK = "CloudFormation had written the template's trust to"


@pytest.fixture
def environment(local_aws: LocalAws, examined: Path, tmp_path: Path) -> Iterator[Environment]:
    """The example app with auth, delivered by the plain command."""
    made = Environment(tmp_path, local_aws, tools(), examined, "todo-series/v4")
    up = made.plain("up", "--skip-preview")
    assert up.exit_code == 0, up.output
    yield made


def trust(environment: Environment) -> dict[str, Any]:
    iam = environment.client("iam")
    names = [f"{environment.root}-{role}" for role in ("authRole", "unauthRole")]
    return {name: iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"] for name in names}


def override(environment: Environment, seconds: int, **more: Any) -> None:
    """What `amplify override project` does: another property of the roles, and `more` resources."""
    (file,) = environment.workspace.project.glob("amplify-export-*/root-stack-template.json")
    template = json.loads(file.read_text())
    for role in ("AuthRole", "UnauthRole"):
        template["Resources"][role]["Properties"]["MaxSessionDuration"] = seconds
    template["Resources"].update(more)
    file.write_text(json.dumps(template))


def test_it_outlives_a_plain_up(environment: Environment) -> None:
    before = trust(environment)
    assert {s["Effect"] for document in before.values() for s in document["Statement"]} == {"Allow"}
    override(environment, 7200)
    up = environment.plain("up", "--skip-preview")
    assert up.exit_code == 0, up.output
    assert all(f"{PUT_BACK} {role}: put back" in up.output for role in before)
    assert trust(environment) == before

    # Rolled back, the roles are written once more.
    taken = {"RoleName": f"{environment.root}-authRole", "AssumeRolePolicyDocument": next(iter(before.values()))}
    failing = {"Type": "AWS::IAM::Role", "DependsOn": ["AuthRole", "UnauthRole"], "Properties": taken}
    override(environment, 3600, Failing=failing)
    failed = environment.plain("up", "--skip-preview")
    assert failed.exit_code != 0
    assert environment.status() == "UPDATE_ROLLBACK_COMPLETE", failed.output
    assert trust(environment) == before
    assert all(f"{PUT_BACK} {role}: put back" in failed.output for role in before)
