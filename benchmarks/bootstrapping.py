"""Measure `bootstrap` of accounts that are not as they should be: made, then changed, with the real engine."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from amplify_delivery.export import assemble, read_export
from benchmarks import projects
from benchmarks.exports import PROJECT, small

if TYPE_CHECKING:
    from aws_rehearsal.local_aws import LocalAws

ACCOUNTS = int(os.environ.get("AMPLIFY_DELIVERY_BENCHMARK_ACCOUNTS", "12"))
PARALLEL = 4
EVERY = 10
"""One of so many calls is throttled, or its connection reset: in turns."""
_COUNTED = re.compile(r"(\d+) accounts: (\d+) unchanged, (\d+) brought up to date, (\d+) failed")


def changed(work: Path) -> Iterator[tuple[str, str, str]]:
    """`bootstrap` of accounts in which there is nothing, and of the same after one more right in each of their files.
    All calls of the engines, their providers and ours go through a proxy that fails every tenth."""
    from amplify_delivery_rehearsal.conformance.failing import FailingProxy  # noqa: PLC0415
    from aws_rehearsal.local_aws import LocalAws  # noqa: PLC0415

    with LocalAws() as aws, FailingProxy(aws.port or 0, every=EVERY) as proxy:
        project, environment = _project(work / "changed", aws, proxy.endpoint)
        names = [projects.name_of(number) for number in range(ACCOUNTS)]
        for what in ("that are empty", "with another timeout each"):
            before = len(proxy.failed)
            seconds, processor, counted = _bootstrap(project, environment, names)
            failed = len(proxy.failed) - before
            yield (
                f"`bootstrap` of {ACCOUNTS} accounts {what}, every {EVERY}th call throttled or reset, "
                f"`--parallel {PARALLEL}`",
                "0 failures",
                f"{counted[3]} failures, {counted[2]} brought up to date, {failed} calls failed and tried again, "
                f"{seconds:.0f} s, {seconds / ACCOUNTS:.1f} s an account; {processor / ACCOUNTS:.1f} s of a processor "
                "each for the command and the engine",
            )
            _change(project, names)


def _project(folder: Path, aws: LocalAws, endpoint: str) -> tuple[Path, Mapping[str, str]]:
    """The project of a team with so many accounts, whose administrators have a profile each."""
    from amplify_delivery_rehearsal.workspace import Workspace  # noqa: PLC0415
    from aws_rehearsal.pulumi_home import prepare  # noqa: PLC0415
    from aws_rehearsal.setup import tools  # noqa: PLC0415

    folder.mkdir()
    export, found = small("todo"), tools()
    app = assemble(read_export(export)).project
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))},
        **prepare(folder / "home", found.python, found.engine_root),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_CONFIG_FILE": str(folder / "no-config"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "CI": "true",
    }
    workspace = Workspace.make(folder, PROJECT, environment)
    for file in workspace.project.glob("Pulumi.*.yaml"):
        file.unlink()
    workspace.put_export(export)
    settings = workspace.project / "Pulumi.yaml"
    settings.write_text(re.sub(r"(?m)^name:.*$", f"name: {app}", settings.read_text()))
    projects.make(workspace.project, app, ACCOUNTS)
    lines = []
    for number in range(ACCOUNTS):
        name, admin = projects.name_of(number), aws.make_admin(projects.account_of(number))
        lines += [
            f"[{name}]",
            f"aws_access_key_id = {admin.access_key_id}",
            f"aws_secret_access_key = {admin.secret_access_key}",
        ]
        account = workspace.project / f"Pulumi.{name}-account.yaml"
        account.write_text(f"{account.read_text()}  {app}:profile: {name}\n")
    Path(environment["AWS_SHARED_CREDENTIALS_FILE"]).write_text("\n".join(lines) + "\n")
    return workspace.project, environment


def _bootstrap(
    project: Path, environment: Mapping[str, str], names: Sequence[str]
) -> tuple[float, float, tuple[int, ...]]:
    """Seconds, those of a processor, and how many accounts: all, unchanged, brought up to date, failed."""
    began, used = time.monotonic(), _processor()
    done = subprocess.run(
        [sys.executable, "-m", "amplify_delivery", "bootstrap", *names, "--parallel", str(PARALLEL)],
        cwd=project,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    found = _COUNTED.search(done.stdout + done.stderr)
    if found is None:
        raise RuntimeError((done.stdout + done.stderr)[-4000:])
    if int(found[4]):
        print((done.stdout + done.stderr)[-4000:], file=sys.stderr)
    return time.monotonic() - began, _processor() - used, tuple(int(number) for number in found.groups())


def _processor() -> float:
    """Seconds of a processor that commands which have ended took, with all that they have waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _change(project: Path, names: Sequence[str]) -> None:
    """Another timeout in every account's file; the engine has written into it, and the rest of it stays."""
    for name in names:
        file = project / f"Pulumi.{name}-account.yaml"
        app = re.search(r"(?m)^  (\w+):program:", file.read_text())
        assert app  # noqa: S101 - it is an account's
        value = json.dumps({"deploy": "6h"})
        file.write_text(file.read_text().replace("config:\n", f"config:\n  {app[1]}:timeouts: {value}\n", 1))
