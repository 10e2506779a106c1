"""Started by tags, changed while it runs: `amplify-delivery update-pipeline` loses nothing that was released."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_delivery.delivery.pipeline import restart
from aws_rehearsal_tests.pipeline_service.world import World, build, stage

SOURCE = "App"
TAGS = [
    {
        "providerType": "CodeStarSourceConnection",
        "gitConfiguration": {"sourceActionName": SOURCE, "push": [{"tags": {"includes": ["v*"]}}]},
    }
]


def update(world: World, client: Any, name: str, project: str) -> None:
    """What the resource does whose definition says not to restart."""
    declared = world.declaration(name, stage("Build", build(project)), triggers=TAGS)
    client.update_pipeline(pipeline=declared)


@pytest.mark.parametrize(("policy", "again"), [("cancel", 2), ("let-go-on", 1)])
def test_the_tagged_commits_come_again_and_the_branch_does_not(world: World, policy: str, again: int) -> None:
    world.service.update_policy = policy  # type: ignore[assignment]
    gate = world.folder / "gate"
    slow = world.project("slow", f"while [ ! -e {gate} ]; do sleep 0.05; done")
    name = f"tagged-{policy}"
    first = world.create(name, stage("Build", build(slow)), triggers=TAGS)
    gate.touch()
    world.service.wait(first)
    gate.unlink()

    tagged = []
    for tag in ("v1", "v2"):
        tagged.append(world.commit(tag))
        world.tag(tag)
        world.service.notify_push()
    world.commit("not released")
    own, waiting = world.executions(name)[1:]
    world.service.wait_for_action(own.id, "slow")
    client = world.pipelines
    ended = restart.settled(client, name, source=SOURCE, pause=0.05)
    assert ended == {first}
    assert waiting.running

    update(world, client, name, world.project("quick", "true"))
    me = restart.Run(own.id, restart.RUNNING, tagged[0])
    for _ in range(2):  # the second time the tokens keep it from starting anything
        come = restart.again(client, name, me, ended, definition="d" * 64, source=SOURCE)
        assert come == tuple(tagged[:again])
    gate.touch()
    new = world.executions(name)[3:]
    assert len(new) == again
    for execution, commit in zip(new, tagged, strict=False):
        assert world.service.wait(execution.id).status == "Succeeded"
        revisions = {run.id: run.commit for run in restart.runs(client, name, SOURCE)}
        assert revisions[execution.id] == commit
