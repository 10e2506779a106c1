"""An environment whose state lies in Pulumi Cloud, which encrypts its secrets: every command, on the real engine.

Pulumi Cloud is a stand-in that answers as the service does (`aws_rehearsal_tests.pulumi_cloud`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from amplify_delivery_rehearsal.conformance.killing import BEFORE, Point
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal_tests.pulumi_cloud import PulumiCloud, RefusedError, pulumi_cloud
from aws_rehearsal_tests.pulumi_homes import SAVED_ONCE
from functional.delivery.bootstrap.moves import move_in
from functional.delivery.engine.test_killed import DELETE, UPDATE
from functional.delivery.environments import Environment
from functional.delivery.outcomes import fails, succeeds
from functional.delivery.test_frightened import Frightened, begun, put_item

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("pulumi-cloud")]


@pytest.fixture
def cloud() -> Iterator[PulumiCloud]:
    with pulumi_cloud() as service:
        yield service


def test_every_command(local_aws: LocalAws, examined: Path, tmp_path: Path, cloud: PulumiCloud) -> None:
    """One test, because each step begins where the one before has left the environment."""
    with begun(local_aws, examined, tmp_path) as made:
        environment = made.environment
        made.with_variables(**SAVED_ONCE)
        move_in(made.environment, cloud)
        made.runs.give("someone")
        succeeds(environment.delivery("up"))
        put_item(environment)
        assert "nobody holds it, and nothing is pending" in succeeds(environment.delivery("unlock")).output
        assert f"state key: one that {cloud.url} keeps" in environment.delivery("doctor").output
        for command in ("outputs", "client-config", "gc"):
            succeeds(environment.delivery(*command.split()))
        one_that_is_not_given(environment, cloud)
        one_that_was_killed(made, cloud)
        one_that_was_removed(made)
        refused = fails(environment.delivery("destroy"), "--delete-data")
        assert refused.exit_code == 3
        a_destroy_that_was_killed(made, cloud)
        succeeds(environment.delivery("destroy", "--delete-data"))
        assert environment.status() is None
        assert cloud.stack(environment.app, "dev").resources == []


def one_that_is_not_given(environment: Environment, cloud: PulumiCloud) -> None:
    """Nobody has given this login the stack."""

    def forbidden(_: str, path: str) -> None:
        if path.startswith("/api/stacks"):
            raise RefusedError(403, "Forbidden")

    cloud.before = forbidden
    said = f"Pulumi Cloud does not let this login read or write the state in {cloud.url}"
    refused = fails(environment.delivery("outputs"), said, "an administrator of the organisation")
    assert refused.exit_code == 3
    cloud.before = lambda method, path: None


def one_that_was_killed(made: Frightened, cloud: PulumiCloud) -> None:
    """Pulumi Cloud does not know that it is gone: a person says so, or five minutes pass."""
    environment, stack = made.environment, cloud.stack(made.environment.app, "dev")
    made.runs.take("second")
    made.with_variables(**dict.fromkeys(SAVED_ONCE))  # what it has begun is in the state
    made.runs.kill(Point(UPDATE), "up")
    made.with_variables(**SAVED_ONCE)
    left = stack.state
    for command in ("plan", "up", "destroy"):
        said = "dev: another update of this stack is running: update of ann"
        refused = fails(environment.delivery(command), said, "`amplify-delivery unlock dev`", "five minutes after")
        assert refused.exit_code == 3
    asked = fails(
        environment.delivery("unlock"), "update of ann is going on", "updating aws:cloudformation/stack:Stack"
    )
    assert (asked.exit_code, stack.running, stack.state) == (3, True, left)
    # It ends by itself; the next command finds what it had begun.
    cloud.let_leases_end()
    fails(environment.delivery("plan"), "a plan cannot look ahead", "`amplify-delivery unlock dev` settles it")
    assert "dev: it is free" in succeeds(environment.delivery("unlock")).output
    planned = re.search(r"rootTemplate +output\n(?:.*\n)*plan (\w{64})", succeeds(environment.delivery("plan")).output)
    assert planned  # what it had not come to: the outputs
    # Or a person ends it.
    stack.state, stack.updates[stack.active].status = left, "running"
    assert "dev: it is free" in succeeds(environment.delivery("unlock", "--yes")).output
    assert not stack.running
    succeeds(environment.delivery("deploy", "--plan", planned[1]))
    back = re.search(r"--plan (\w{64})", succeeds(environment.delivery("rollback")).output)
    assert back
    assert " runs" in succeeds(environment.delivery("rollback", "--plan", back[1])).output


def a_destroy_that_was_killed(made: Frightened, cloud: PulumiCloud) -> None:
    """With nothing of it in the state: what is left is the termination protection, off."""
    environment = made.environment
    made.runs.kill(Point(DELETE, BEFORE), "destroy", "--delete-data")
    assert not made.root["EnableTerminationProtection"]
    cloud.let_leases_end()
    assert not cloud.stack(environment.app, "dev").state["deployment"].get("pending_operations")
    said = succeeds(environment.delivery("unlock"))
    assert "its last update, a destroy, did not end well" in said.output
    assert "its termination protection is on again" in said.output
    assert made.root["EnableTerminationProtection"]


def one_that_was_removed(made: Frightened) -> None:
    """With its key, which nobody else has: the file's secrets are given anew, and what runs is taken in."""
    environment = made.environment
    environment.workspace.succeed("stack", "rm", "dev", "--yes", "--force", "--preserve-config")
    fails(environment.delivery("up"), "there is no such stack in this backend", "`amplify-delivery up dev --create`")
    fails(environment.delivery("adopt", "--state-lost"), "has encrypted the stack's secrets for another stack")
    file = environment.workspace.project / "Pulumi.dev.yaml"
    file.write_text(re.sub(r"\n *secure: \S+", ' ""', file.read_text()))
    made.runs.give("someone")
    succeeds(environment.delivery("adopt", "--state-lost"))
    succeeds(environment.delivery("up"))
    assert "nothing to change" in succeeds(environment.delivery("plan")).output
