"""Started by tags or by branches of their own, changed while it runs: `amplify-delivery update-pipeline` loses nothing
that was released, and releases nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_delivery.delivery.pipeline import restart
from aws_rehearsal_tests.pipeline_service.world import World, build, stage

SOURCE = "App"


def triggers(push: dict[str, Any]) -> list[dict[str, Any]]:
    git = {"sourceActionName": SOURCE, "push": [push]}
    return [{"providerType": "CodeStarSourceConnection", "gitConfiguration": git}]


RELEASES = {"tags": triggers({"tags": {"includes": ["v*"]}}), "branches": triggers({"branches": {"includes": ["v*"]}})}


def release(world: World, name: str, by: str) -> str:
    """Push a commit that starts the pipeline; its id."""
    commit = world.commit(name, branch=name if by == "branches" else "main")
    if by == "tags":
        world.tag(name)
    world.service.notify_push()
    return commit


def update(world: World, client: Any, name: str, project: str, by: str) -> None:
    """What the resource does whose definition says not to restart."""
    declared = world.declaration(name, stage("Build", build(project)), triggers=RELEASES[by])
    client.update_pipeline(pipeline=declared)


@pytest.mark.parametrize(
    ("by", "policy", "again"), [("tags", "cancel", 2), ("tags", "let-go-on", 1), ("branches", "cancel", 2)]
)
def test_the_released_commits_come_again_and_the_default_branch_does_not(
    world: World, by: str, policy: str, again: int
) -> None:
    world.service.update_policy = policy  # type: ignore[assignment]
    gate = world.folder / "gate"
    slow = world.project("slow", f"while [ ! -e {gate} ]; do sleep 0.05; done")
    name = f"{by}-{policy}"
    first = world.create(name, stage("Build", build(slow)), triggers=RELEASES[by])
    gate.touch()
    world.service.wait(first)
    gate.unlink()

    released = [release(world, version, by) for version in ("v1", "v2")]
    world.commit("not released")
    world.service.notify_push()
    own, waiting = world.executions(name)[1:]
    world.service.wait_for_action(own.id, "slow")
    client = world.pipelines
    ended = restart.settled(client, name, source=SOURCE, pause=0.05)
    assert ended == {first}
    assert waiting.running

    update(world, client, name, world.project("quick", "true"), by)
    me = restart.Run(own.id, restart.RUNNING, released[0])
    for _ in range(2):  # the second time the tokens keep it from starting anything
        come = restart.again(client, name, me, ended, definition="d" * 64, source=SOURCE)
        assert come == tuple(released[:again])
    gate.touch()
    new = world.executions(name)[3:]
    assert len(new) == again
    for execution, commit in zip(new, released, strict=False):
        assert world.service.wait(execution.id).status == "Succeeded"
        revisions = {run.id: run.commit for run in restart.runs(client, name, SOURCE)}
        assert revisions[execution.id] == commit
