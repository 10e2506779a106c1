"""Measure `pulumi up -s dev` of the todo export, engine and local AWS already up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks.exports import PROJECT, small
from benchmarks.measure import run_once, series

REGION = "us-east-1"


def up(work: Path) -> Iterator[tuple[str, str, str]]:
    """The plain command: first, and with nothing changed."""
    from amplify_delivery.export import assemble, read_export  # noqa: PLC0415
    from amplify_delivery_rehearsal.accounts import DEVELOPER  # noqa: PLC0415
    from amplify_delivery_rehearsal.workspace import Workspace  # noqa: PLC0415
    from aws_rehearsal.local_aws import LocalAws  # noqa: PLC0415
    from aws_rehearsal.pulumi_home import prepare  # noqa: PLC0415
    from aws_rehearsal.setup import tools  # noqa: PLC0415

    export, found = small("todo"), tools()
    command = ["pulumi", "up", "-s", "dev", "--yes", "--non-interactive"]
    firsts, again = [], None
    for attempt in range(3):
        with LocalAws() as aws:  # a fresh one each: bucket names are global
            folder = work / f"up-{attempt}"
            folder.mkdir()
            environment = {
                **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))},
                **prepare(folder / "home", found.python, found.engine_root),
                **aws.environment(aws.make_admin(DEVELOPER), REGION),
            }
            workspace = Workspace.make(folder, PROJECT, environment)
            workspace.rename(assemble(read_export(export)).project, DEVELOPER, REGION)
            workspace.put_export(export)
            workspace.succeed("stack", "init", "dev")
            firsts.append(run_once(command, workspace.project, environment).seconds)
            if attempt == 2:
                again = series(command, workspace.project, environment)
    yield (
        "`pulumi up -s dev` of `todo`, first",
        "at most 4 s",
        f"{sorted(firsts)[1]:.2f} s ({min(firsts):.2f} to {max(firsts):.2f})",
    )
    yield "`pulumi up -s dev` of `todo`, nothing changed", "at most 2.5 s", str(again)
