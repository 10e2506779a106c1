"""The lease in a state bucket: with the declared roles' credentials, and of builds that CodeBuild knows."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import stored_state
from amplify_delivery.delivery.engine.locking.holder import BUILD, BUILD_ARN, Holder
from amplify_delivery.delivery.engine.locking.lease import Lease
from amplify_delivery.delivery.engine.locking.session import holding, lease_of, wait_until_free
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.errors import LockedError, StateError
from aws_rehearsal.local_aws import Credentials
from aws_rehearsal.pipeline_service import PipelineService
from functional.enforcement.declared_world import APP, DeclaredWorld
from functional.enforcement.test_enforced_trust import declared

__all__ = ["declared"]

pytestmark = pytest.mark.xdist_group("enforced-trust")

As = Callable[[Credentials], Any]


@pytest.fixture
def engine(declared: DeclaredWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """An engine of a stack whose state lies in its own bucket, for a process with these credentials."""
    (tmp_path / "Pulumi.yaml").write_text(f"name: {APP}\nruntime: python\n")

    def of(names: EnvironmentNames | PipelineNames, credentials: Credentials) -> Any:
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        for name, value in declared.aws.environment(credentials, names.region).items():
            monkeypatch.setenv(name, value)
        stack = names.environment if isinstance(names, EnvironmentNames) else names.name
        return SimpleNamespace(stack=stack, folder=tmp_path, variables={"PULUMI_BACKEND_URL": names.state_backend})

    return of


def lease(engine: Any) -> Lease:
    found = lease_of(engine)
    assert found
    return found


def context(engine: Any, **variables: str) -> Context:
    return Context(engine.folder, variables)


def test_deploy_holds_the_environment_and_plan_only_looks(declared: DeclaredWorld, engine: Callable[..., Any]) -> None:
    prod = declared.prod
    deploy = engine(prod, declared.project(prod, "deploy"))
    with holding(deploy, "deploy", context(deploy), Patience(0)):
        held = lease(deploy).look()
        assert held
        assert held.holder
        assert lease(deploy).key == "leases/shop/prod.json"
        other = Holder.here("up", {})
        # Neither a new one nor one over what was there before is written.
        assert lease(deploy).store.create(lease(deploy).key, other.written) is None
        assert lease(deploy).store.replace(lease(deploy).key, other.written, '"0"') is None
        assert not lease(deploy).store.remove(lease(deploy).key, '"0"')
        plan = engine(prod, declared.project(prod, "plan"))
        assert not wait_until_free(plan, "plan", context(plan), Patience(0))  # of this very process
        with pytest.raises(StateError, match="AccessDenied") as error:
            lease(plan).store.remove(lease(plan).key, held.tag)
        assert "use a profile or role of the account that the state is in" in error.value.remedy
    assert lease(plan).look() is None
    with pytest.raises(StateError, match="AccessDenied"), holding(plan, "deploy", context(plan), Patience(0)):
        pytest.fail("it was held")


def test_plan_and_deploy_read_the_state_without_the_engine(declared: DeclaredWorld, engine: Callable[..., Any]) -> None:
    """Else each would start the engine, which may read it too, and nobody would see why."""
    prod = declared.prod
    store = lease(engine(prod, declared.project(prod, "deploy"))).store
    state = {"version": 3, "checkpoint": {"latest": {"resources": []}}}
    history = f".pulumi/history/{APP}/prod/prod-1796017478281909407.history.json"
    written = {
        ".pulumi/meta.yaml": b"version: 1\n",
        f".pulumi/stacks/{APP}/prod.json": json.dumps(state).encode(),
        history: b'{"result": "succeeded"}',
    }
    tags = {key: store.create(key, body) for key, body in written.items()}
    for what in ("deploy", "plan"):
        place = lease(engine(prod, declared.project(prod, what))).store
        assert stored_state.exported(place, APP, "prod") == {"version": 3, "deployment": {"resources": []}}
        assert stored_state.exists(place, APP, "prod")
        assert stored_state.last_result(place, APP, "prod") == "succeeded"
    assert all(store.remove(key, str(tag)) for key, tag in tags.items())


def test_of_a_build_that_holds_it_codebuild_is_asked(
    declared: DeclaredWorld, engine: Callable[..., Any], service: PipelineService
) -> None:
    prod = declared.prod
    codebuild = declared.admin("codebuild", prod.account, prod.region)
    build = codebuild.start_build(
        projectName=prod.project("deploy"),
        sourceTypeOverride="NO_SOURCE",
        artifactsOverride={"type": "NO_ARTIFACTS"},
        buildspecOverride='{"version": 0.2, "phases": {"build": {"commands": ["sleep 60"]}}}',
    )["build"]
    its = replace(Holder.here("deploy", {BUILD: build["id"], BUILD_ARN: build["arn"]}), host="container")
    mine = engine(prod, declared.project(prod, "deploy"))
    assert lease(mine).store.create(lease(mine).key, its.written)
    for what in ("deploy", "plan"):
        other = engine(prod, declared.project(prod, what))
        with pytest.raises(LockedError, match=f"build {build['id']}.*; the build is IN_PROGRESS"):
            wait_until_free(other, what, context(other, **{BUILD: "another"}), Patience(0))
    codebuild.stop_build(id=build["id"])
    while not codebuild.batch_get_builds(ids=[build["id"]])["builds"][0]["buildComplete"]:
        time.sleep(0.1)
    plan = engine(prod, declared.project(prod, "plan"))
    assert not wait_until_free(plan, "plan", context(plan, **{BUILD: "another"}), Patience(0))
    mine = engine(prod, declared.project(prod, "deploy"))
    with holding(mine, "deploy", context(mine, **{BUILD: "another"}), Patience(0)) as held:
        assert held.over
        assert held.over.build == build["id"]
    assert lease(mine).look() is None


def test_a_pipeline_holds_itself_and_no_other_one(declared: DeclaredWorld, engine: Callable[..., Any]) -> None:
    update = engine(declared.pipeline, declared.tools("update"))
    with holding(update, "update-pipeline", context(update), Patience(0)):
        assert lease(update).key == f"leases/shop/{declared.pipeline.name}.json"
    update.stack = "another"
    with pytest.raises(StateError, match="AccessDenied"), holding(update, "up", context(update), Patience(0)):
        pytest.fail("it was held")


# --- what has happened to the bucket ----------------------------------------------------------------------------------


def test_a_bucket_that_was_deleted_is_said(declared: DeclaredWorld, engine: Callable[..., Any]) -> None:
    canary = declared.canary
    owner = engine(canary, declared.aws.make_admin(canary.account))
    owner.variables["PULUMI_BACKEND_URL"] = owner.variables["PULUMI_BACKEND_URL"].replace("canary", "another")
    with pytest.raises(StateError, match="NoSuchBucket") as error, holding(owner, "up", context(owner), Patience(0)):
        pytest.fail("it was held")
    assert "docs/operations.md" in error.value.remedy
    assert error.value.exit_code == 3
