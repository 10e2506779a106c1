"""Kills a command at one of its requests to Pulumi Cloud, as `conformance.killing` does at one of its calls of AWS."""

from __future__ import annotations

import threading
from collections.abc import Callable

from amplify_delivery_rehearsal.conformance.killing import BEFORE, LOST, kill_tree
from aws_rehearsal_tests import pulumi_homes
from aws_rehearsal_tests.pulumi_cloud import PulumiCloud, RefusedError
from functional.delivery.environments import Environment


def kill(
    environment: Environment, cloud: PulumiCloud, called: str, when: str, *arguments: str, number: int = 1
) -> None:
    """Start a command, and kill it and its engine when it sends the request of that number whose `METHOD PATH` ends
    with `called`: BEFORE Pulumi Cloud has it, or with its answer LOST. Nothing of the dead run is answered from then
    on."""
    server = pulumi_homes.server().pid
    started, reached = threading.Event(), threading.Event()
    pids, left = list[int](), [number]

    def at(here: str) -> Callable[[str, str], None]:
        def hook(method: str, path: str) -> None:
            dead = reached.is_set()
            if not dead and here == when and f"{method} {path}".endswith(called):
                left[0] -= 1
            if not dead and not left[0]:
                started.wait(60)
                reached.set()
                kill_tree(pids[0], server)
                dead = here == BEFORE
            if dead and here == BEFORE:
                raise RefusedError(503, "nobody is there any more")

        return hook

    cloud.before, cloud.after = at(BEFORE), at(LOST)
    command, *rest = arguments
    process = environment.start(*pulumi_homes.delivery(environment.workspace.environment, command, "dev", *rest))
    try:
        pids.append(process.pid)
        started.set()
        said, _ = process.communicate()
    finally:
        kill_tree(process.pid, server)
        cloud.before = cloud.after = lambda method, path: None
    assert reached.is_set(), f"it ended with {process.returncode}, and never sent {called}:\n{said}"
