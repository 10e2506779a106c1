"""The peer: the CDK, from npm (about 230 MB), and a pipeline of CDK Pipelines with the stages of ours."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.measure import run_once
from benchmarks.pipelines import ENVIRONMENTS, FUNCTIONS, TARGETS

# The construct requires lodash and does not declare it.
PACKAGES = ("aws-cdk-lib@2.276.0", "constructs@10", "@aws-amplify/cdk-exported-backend@0.0.6", "lodash@4")
APP = Path(__file__).with_name("cdk_pipelines.js")


def install(work: Path) -> Path:
    """A folder with the CDK in it."""
    folder = work / "cdk"
    if not folder.exists():
        folder.mkdir()
        subprocess.run(["npm", "init", "-y"], cwd=folder, check=True, capture_output=True)
        command = ["npm", "install", "--no-audit", "--no-fund", *PACKAGES]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


def pipelines(work: Path) -> Iterator[tuple[str, str, str]]:
    """CDK Pipelines, synthesized: one asset per function, a pipeline of the same stages as ours."""
    folder = install(work)
    (folder / APP.name).write_text(APP.read_text())
    runs = [(TARGETS, functions, "") for functions in FUNCTIONS]
    runs += [(TARGETS, functions, "single") for functions in FUNCTIONS]
    runs += [(environments, 5, "") for environments in ENVIRONMENTS]
    for environments, functions, publisher in runs:
        what = f"CDK Pipelines, environments {environments}, functions {functions}"
        if publisher:
            what += ", single publisher"
        found, seconds, mebibytes = _synth(folder, environments, functions, publisher)
        counts = ", ".join(f"{value:,} {name}" for name, value in found.items())
        yield what, "", f"{counts}; {seconds:.1f} s, {mebibytes:.0f} MiB"


def _synth(folder: Path, environments: int, functions: int, publisher: str) -> tuple[Mapping[str, int], float, float]:
    out = folder / f"out-{environments}-{functions}-{publisher}"
    given = {"ENVIRONMENTS": str(environments), "FUNCTIONS": str(functions), "PUBLISHER": publisher, "OUT": str(out)}
    run = run_once(["node", APP.name], folder, {**os.environ, **given})
    template = json.loads((out / "pipeline.template.json").read_text())
    resources = template["Resources"].values()
    pipeline = next(r for r in resources if r["Type"] == "AWS::CodePipeline::Pipeline")
    return (
        {
            "actions": sum(len(stage["Actions"]) for stage in pipeline["Properties"]["Stages"]),
            "CodeBuild projects": sum(r["Type"] == "AWS::CodeBuild::Project" for r in resources),
            "resources": len(template["Resources"]),
            "bytes": len(json.dumps(template, separators=(",", ":"))),
        },
        run.seconds,
        run.mebibytes,
    )
