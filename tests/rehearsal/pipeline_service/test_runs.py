"""A declared pipeline really runs: source, builds, approvals, variables, artifacts."""

from __future__ import annotations

from tests.rehearsal.pipeline_service.world import World, approval, build, stage


def test_a_commit_goes_through_source_build_and_approval(world: World) -> None:
    world.project("thin-build", 'test "$(cat file.txt)" = 1', "echo built > out.txt")
    execution = world.create("thin", stage("Build", build("thin-build")), stage("Approve", approval()))

    world.approve("thin", execution)

    assert world.service.wait(execution).status == "Succeeded"
