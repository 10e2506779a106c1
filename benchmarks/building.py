"""Measure `build`, what the pipeline's stage Build runs: assemble, and examine for the pipeline's environments."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.assembling import ABSENT
from benchmarks.exports import PROJECT, large
from benchmarks.measure import Run, run_once
from benchmarks.projects import make

CHANGED = 2
"""Models that differ in the second export; with them the API's template and the root's."""


def build(work: Path) -> Iterator[tuple[str, str, str]]:
    """`build` of `large` for two environments: nothing known, two models changed, nothing changed."""
    unpacked = large("large", work)
    if unpacked is None:
        yield "build of `large` for two environments", "15 s; re-exported 3 s", ABSENT
        return
    app = json.loads((unpacked / "amplify-export-manifest.json").read_text())["stackName"].split("-")[1]
    project = make(work / "build", app, 2)
    export = project / unpacked.name
    shutil.copytree(unpacked, export)
    # What the steps want of the program's outputs is looked for in it.
    shutil.copytree(PROJECT / "components", project / "components", ignore=shutil.ignore_patterns("__pycache__"))
    env = {
        **os.environ,
        "PYTHONPATH": str(PROJECT),
        "AMPLIFY_DELIVERY_EXAMINED": str(work / "examined"),
    }
    command = [sys.executable, "-m", "amplify_delivery", "build"]
    yield "build of `large` for two environments, nothing kept", "15 s", _seen(run_once(command, project, env))
    for file in sorted(export.glob("api/*/amplify-appsync-files/stacks/Entity*.json"))[:CHANGED]:
        template = json.loads(file.read_text())
        template["Description"] = "changed"
        file.write_text(json.dumps(template))
    yield f"the same, re-exported with {CHANGED} models changed", "3 s", _seen(run_once(command, project, env))
    yield "the same, nothing changed", "", _seen(run_once(command, project, env))


def _seen(run: Run) -> str:
    return f"{run.seconds:.1f} s"
