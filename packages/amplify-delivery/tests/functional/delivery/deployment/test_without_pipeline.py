"""An environment that only a CI delivers: the project has no pipeline's stack file, and the projects do without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aws_rehearsal.local_aws import LocalAws
from functional.delivery.deployment.test_project_rights import APP, Bootstrapped, asked
from functional.delivery.outcomes import fails, succeeds

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("without-pipeline")]


class LetInByCi(Bootstrapped):
    """`prod` in an account that lets in a repository's jobs, and no pipeline."""

    def prepare(self, name: str | Path, **keys: str) -> None:
        (self.workspace.project / "Pulumi.pipeline.yaml").unlink(missing_ok=True)
        github = '{repository: octo/shop, ownerId: "1", repositoryId: "2"}'
        super().prepare(name, github=github, **keys)


def test_it_is_published_planned_and_deployed(local_aws: LocalAws, examined: Path, tmp_path: Path) -> None:
    made = LetInByCi(tmp_path, local_aws, examined)
    build = made.build("todo-series/v1")
    assert not (build / "Pulumi.pipeline.yaml").exists()
    succeeds(made.run(build, "publish"))
    approved = made.plan(build)
    succeeds(made.run(build, "deploy", "--plan", approved))
    assert [event["result"] for event in made.events()] == ["planned", "deployed"]
    a_front_end_is_configured(made, build)
    fails(made.run(build, "check", "smoke"), "no pipeline delivers the environment 'prod'")
    roles = {role["RoleName"].removeprefix(f"{APP}-prod-") for role in made.client("iam").list_roles()["Roles"]}
    assert {"ci-plan", "ci-deploy"} <= roles
    assert "action" not in roles


def a_front_end_is_configured(made: LetInByCi, build: Path) -> None:
    """As behind a pipeline: with rights to read the stacks, and what is written with it is listed."""
    out = made.folder / "front-end"
    succeeds(made.run(build, "plan", "--out", str(out), command="client-config"))
    web = json.loads((out / "amplifyconfiguration.json").read_text())
    [api] = made.client("appsync").list_graphql_apis()["graphqlApis"]
    [key] = made.client("appsync").list_api_keys(apiId=api["apiId"])["apiKeys"]
    assert (web["aws_appsync_graphqlEndpoint"], web["aws_appsync_apiKey"]) == (api["uris"]["GRAPHQL"], key["id"])
    item = asked(web, 'mutation { createTodo(input: {name: "Milk"}) { id name } }')["createTodo"]
    assert asked(web, "{ listTodos { items { id name } } }")["listTodos"]["items"] == [item]
