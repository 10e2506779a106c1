"""Measure `plan --against`: two assemblies of one export out of git, compared for one environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.assembling import ABSENT
from benchmarks.exports import PROJECT, large
from benchmarks.measure import series
from benchmarks.projects import make

CHANGED = 2
"""Models that differ; with them the API's template and the root's."""
BOUND = "at most 2 s, 200 MiB"


def against(work: Path) -> Iterator[tuple[str, str, str]]:
    """Of `large`: two models changed, for one environment and for three; a change of a stack file only."""
    unpacked = large("large", work)
    if unpacked is None:
        yield "`plan --against` of `large`", BOUND, ABSENT
        return
    app = json.loads((unpacked / "amplify-export-manifest.json").read_text())["stackName"].split("-")[1]
    project = make(work / "against", app, 3)
    export = project / unpacked.name
    shutil.copytree(unpacked, export)
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "deployed")):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments], cwd=project, check=True
        )
    environments = sorted(file.name.split(".")[1] for file in project.glob("Pulumi.*.yaml"))
    names = [name for name in environments if "account" not in name and name != "pipeline"]
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "amplify_delivery", "plan", "--against", "HEAD"]
    yield "`plan ENV --against` of `large`, nothing changed", "", str(series([*command, names[0]], project, env))
    for file in sorted(export.glob("api/*/amplify-appsync-files/stacks/Entity*.json"))[:CHANGED]:
        template = json.loads(file.read_text())
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::IAM::Policy":
                statement = {"Effect": "Allow", "Action": "dynamodb:DeleteTable", "Resource": "*"}
                resource["Properties"]["PolicyDocument"]["Statement"].append(statement)
        file.write_text(json.dumps(template))
    yield f"the same, {CHANGED} models changed", BOUND, str(series([*command, names[0]], project, env))
    yield f"the same, for {len(names)} environments", "", str(series([*command, *names], project, env))
