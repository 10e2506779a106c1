"""Measure `pulumi preview -s pipeline` over 90 environments: the real engine, the stand-in providers, a local AWS."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator
from pathlib import Path

from amplify_delivery.export import assemble, read_export
from benchmarks import projects
from benchmarks.exports import PROJECT, small
from benchmarks.measure import Series, run_watched

ENVIRONMENTS = 90
RUNS = 5


def preview(work: Path) -> Iterator[tuple[str, str, str]]:
    """Of a pipeline that is not there yet: everything is to be made."""
    from amplify_delivery_rehearsal.workspace import Workspace  # noqa: PLC0415
    from aws_rehearsal.local_aws import LocalAws  # noqa: PLC0415
    from aws_rehearsal.pulumi_home import prepare  # noqa: PLC0415
    from aws_rehearsal.setup import tools  # noqa: PLC0415

    export, found = small("full"), tools()
    app = assemble(read_export(export)).project
    folder = work / "preview"
    folder.mkdir()
    with LocalAws() as aws:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))},
            **prepare(folder / "home", found.python, found.engine_root),
            **aws.environment(aws.make_admin(projects.TOOLING), projects.REGION),
        }
        workspace = Workspace.make(folder, PROJECT, environment)
        workspace.rename(app, projects.TOOLING, projects.REGION)
        workspace.put_export(export)
        projects.make(workspace.project, app, ENVIRONMENTS)
        workspace.succeed("stack", "init", projects.PIPELINE)
        command = ["pulumi", "preview", "-s", projects.PIPELINE, "--non-interactive"]
        run_watched(command, workspace.project, environment, _kind)
        watched = [run_watched(command, workspace.project, environment, _kind) for _ in range(RUNS)]
    cpu = statistics.median(watch.cpu for _, watch in watched)
    yield (
        f"`pulumi preview -s pipeline`, {ENVIRONMENTS} environments",
        "",
        f"{Series(tuple(run for run, _ in watched))}; {cpu:.1f} s of processor time",
    )
    most = max((watch for _, watch in watched), key=lambda watch: watch.together)
    parts = ", ".join(f"{kind} {mebibytes:.0f}" for kind, mebibytes in sorted(most.most.items()))
    yield "its processes at their largest, of the run with the most memory", "", f"{parts} MiB"


def _kind(command: str) -> str:
    """Which of the engine's processes has this command line."""
    for part, kind in (
        ("aws_rehearsal.language_host", "program"),
        ("pulumi-language-python", "program"),
        ("aws_rehearsal.providers.aws_native", "provider aws-native"),
        ("aws_rehearsal.providers.aws", "provider aws"),
    ):
        if part in command:
            return kind
    return "engine"
