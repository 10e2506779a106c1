"""Measure deliveries of the todo export, engine and local AWS already up."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.exports import PROJECT, small
from benchmarks.measure import run_once, series

if TYPE_CHECKING:
    from amplify_delivery_rehearsal.workspace import Workspace

REGION = "us-east-1"


def up(work: Path) -> Iterator[tuple[str, str, str]]:
    """The plain command: first, and with nothing changed."""
    command = ["pulumi", "up", "-s", "dev", "--yes", "--non-interactive"]
    firsts, again = [], None
    for attempt in range(3):
        with _todo(work / f"up-{attempt}") as workspace:
            firsts.append(run_once(command, workspace.project, workspace.environment).seconds)
            if attempt == 2:
                again = series(command, workspace.project, workspace.environment)
    yield (
        "`pulumi up -s dev` of `todo`, first",
        "at most 4 s",
        f"{sorted(firsts)[1]:.2f} s ({min(firsts):.2f} to {max(firsts):.2f})",
    )
    yield "`pulumi up -s dev` of `todo`, nothing changed", "at most 2.5 s", str(again)


def unchanged(work: Path) -> Iterator[tuple[str, str, str]]:
    """A release that changes nothing: its plan, and its deployment."""
    with _todo(work / "unchanged") as workspace:
        delivery = [sys.executable, "-m", "amplify_delivery"]
        run_once([*delivery, "up", "dev"], workspace.project, workspace.environment)
        planned = work / "plan.json"
        plan = [*delivery, "plan", "dev", "--out", str(planned)]
        run_once(plan, workspace.project, workspace.environment)
        document = json.loads(planned.read_text())
        if document["changes"]:
            raise RuntimeError(f"{document['changes']} changes of a release that has none")
        deploy = [*delivery, "deploy", "dev", "--plan", document["digest"]]
        for name, command in (("plan", plan), ("deploy", deploy)):
            seen = series(command, workspace.project, workspace.environment)
            yield f"`amplify-delivery {name}` of an unchanged release of `todo`", "at most 3 s", str(seen)


@contextmanager
def _todo(folder: Path) -> Iterator[Workspace]:
    """A project with the todo export and an empty stack `dev`, in a fresh local AWS: names of buckets are global."""
    from amplify_delivery.export import assemble, read_export  # noqa: PLC0415
    from amplify_delivery_rehearsal.accounts import DEVELOPER  # noqa: PLC0415
    from amplify_delivery_rehearsal.workspace import Workspace  # noqa: PLC0415
    from aws_rehearsal.local_aws import LocalAws  # noqa: PLC0415
    from aws_rehearsal.pulumi_home import prepare  # noqa: PLC0415
    from aws_rehearsal.setup import tools  # noqa: PLC0415

    export, found = small("todo"), tools()
    with LocalAws() as aws:
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
        yield workspace
