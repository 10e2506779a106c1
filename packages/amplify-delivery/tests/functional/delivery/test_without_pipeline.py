"""An environment that only a CI delivers: the project has no pipeline's stack file, and the projects do without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aws_rehearsal.local_aws import LocalAws
from functional.delivery.test_failures import fails, succeeds
from functional.delivery.test_project_rights import APP, Bootstrapped

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("without-pipeline")]


class LetInByCi(Bootstrapped):
    """`prod` in an account that lets in a repository's jobs, and no pipeline."""

    def prepare(self, name: str | Path, **keys: str) -> None:
        (self.workspace.project / "Pulumi.pipeline.yaml").unlink(missing_ok=True)
        super().prepare(name, github="{repository: octo/shop}", **keys)


def test_it_is_published_planned_and_deployed(local_aws: LocalAws, examined: Path, tmp_path: Path) -> None:
    made = LetInByCi(tmp_path, local_aws, examined)
    build = made.build("todo-series/v1")
    assert not (build / "Pulumi.pipeline.yaml").exists()
    succeeds(made.run(build, "publish"))
    approved = made.plan(build)
    succeeds(made.run(build, "deploy", "--plan", approved))
    assert [event["result"] for event in made.events()] == ["planned", "deployed"]
    fails(made.run(build, "check", "smoke"), "no pipeline delivers the environment 'prod'")
    roles = {role["RoleName"].removeprefix(f"{APP}-prod-") for role in made.client("iam").list_roles()["Roles"]}
    assert {"ci-plan", "ci-deploy"} <= roles
    assert "action" not in roles
