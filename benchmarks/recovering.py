"""Measure how long the same command takes to recover after the run before it was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.delivering import REGION
from benchmarks.exports import PROJECT, small
from benchmarks.measure import run_once

if TYPE_CHECKING:
    from amplify_delivery_rehearsal.conformance.killing import KillingProxy, Point

LIMIT = 60
"""Seconds that a recovery may take beside what AWS itself needs."""


def recovery(work: Path) -> Iterator[tuple[str, str, str]]:
    """`up` and `destroy` of the todo export, killed at one call after the other, and the same command again. The local
    AWS takes a second or two for what takes AWS minutes: what is seen is what we need."""
    from amplify_delivery_rehearsal.conformance.killing import BEFORE, Point  # noqa: PLC0415

    create, delete = (f"cloudformation:{verb}Stack" for verb in ("Create", "Delete"))
    made = [Point("s3:CreateBucket"), Point(create, BEFORE), Point(create)]
    gone = [Point(delete, BEFORE), Point(delete), Point("s3:DeleteBucket")]
    with _deliverable(work) as place:
        undisturbed = place.run("up")
        place.run("destroy", "--delete-data")
        place.tidy()
        seconds = {"up": place.recovered(made, "up"), "destroy": place.recovered(gone, "destroy", "--delete-data")}
    for command, found in seconds.items():
        yield (
            f"`amplify-delivery {command}` of `todo` again, after a kill at one of {len(found)} calls",
            f"at most {LIMIT} s more than AWS needs",
            f"{max(found):.1f} s at most ({min(found):.1f} to {max(found):.1f})"
            + (f"; an undisturbed first one {undisturbed:.1f} s" if command == "up" else ""),
        )


class _deliverable:  # noqa: N801 - used as a function
    """An environment of the todo export whose commands reach a fresh local AWS through the proxy that kills."""

    def __init__(self, work: Path) -> None:
        self._work = work

    def __enter__(self) -> Place:
        from amplify_delivery.export import assemble, read_export  # noqa: PLC0415
        from amplify_delivery_rehearsal.accounts import DEVELOPER  # noqa: PLC0415
        from amplify_delivery_rehearsal.conformance.killing import KillingProxy  # noqa: PLC0415
        from amplify_delivery_rehearsal.workspace import Workspace  # noqa: PLC0415
        from aws_rehearsal.local_aws import LocalAws  # noqa: PLC0415
        from aws_rehearsal.pulumi_home import prepare  # noqa: PLC0415
        from aws_rehearsal.setup import tools  # noqa: PLC0415

        export, found, folder = small("todo"), tools(), self._work / "recovery"
        folder.mkdir()
        self._aws = LocalAws()
        self._aws.__enter__()
        self._proxy = KillingProxy(self._aws.port or 0)
        self._proxy.__enter__()
        admin = self._aws.make_admin(DEVELOPER)
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))},
            **prepare(folder / "home", found.python, found.engine_root),
            **self._aws.environment(admin, REGION),
            "AWS_ENDPOINT_URL": self._proxy.endpoint,
        }
        workspace = Workspace.make(folder, PROJECT, environment)
        workspace.rename(assemble(read_export(export)).project, DEVELOPER, REGION)
        workspace.put_export(export)
        workspace.succeed("stack", "init", "dev")
        return Place(workspace.project, environment, self._proxy, self._aws.client("s3", admin, REGION))

    def __exit__(self, *_: object) -> None:
        self._proxy.__exit__()
        self._aws.__exit__(None, None, None)


@dataclass(frozen=True)
class Place:
    """Where commands are run."""

    project: Path
    environment: Mapping[str, str]
    proxy: KillingProxy
    s3: object

    def command(self, *arguments: str) -> list[str]:
        name, *more = arguments
        return [sys.executable, "-m", "amplify_delivery", name, "dev", *more]

    def run(self, *arguments: str) -> float:
        """Seconds of a whole command."""
        return run_once(self.command(*arguments), self.project, self.environment).seconds

    def tidy(self) -> None:
        """Delete the deployment bucket, which its template keeps."""
        for bucket in self.s3.list_buckets()["Buckets"]:  # type: ignore[attr-defined]
            self.s3.delete_bucket(Bucket=bucket["Name"])  # type: ignore[attr-defined]

    def recovered(self, points: list[Point], *arguments: str) -> list[float]:
        """Seconds of the command after each kill: until it is killed at the next point, or has ended."""
        seconds = []
        for number, point in enumerate(points):
            began = time.monotonic()
            self._kill(point, *arguments)
            if number:
                seconds.append(time.monotonic() - began)
        return [*seconds, self.run(*arguments)]

    def _kill(self, point: Point, *arguments: str) -> None:
        from amplify_delivery_rehearsal.conformance.killing import killed  # noqa: PLC0415

        self.proxy.arm(point)
        process = subprocess.Popen(
            self.command(*arguments),
            cwd=self.project,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        killed(self.proxy, process, point)
        time.sleep(0.5)  # plugins look four times a second whether the engine is there
        self.proxy.arm(None)
