"""Measure assembling: determinism, what a re-export touches, times, imports, the CDK construct beside it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from amplify_delivery.export import assemble, compare, read_export
from benchmarks.cdk import install
from benchmarks.exports import ARCHIVES, PROJECT, large, small
from benchmarks.measure import series

STEPS = (("v1", "v1b", 0, 0), ("v1b", "v2", 1, 1), ("v2", "v3", 32, None), ("v3", "v4", 9, None))
"""Exports of one project over time: from, to, leaf resources that must be touched, nested stacks."""

ABSENT = f"not measured: no archive in ${ARCHIVES}"


def _tree_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def determinism(work: Path) -> Iterator[tuple[str, str, str]]:
    """Two assemblies of one export: other folders, processes, hash seeds."""
    for name, export in (("full", small("full")), ("large", large("large", work))):
        what = f"two assemblies of `{name}`, different folders, processes and PYTHONHASHSEED"
        if export is None:
            yield what, "byte-identical", ABSENT
            continue
        digests = set()
        for seed in ("1", "2"):
            copy = work / f"copy-{seed}" / export.name
            shutil.copytree(export, copy, dirs_exist_ok=True)
            out = work / f"assembly-{name}-{seed}"
            env = {**os.environ, "PYTHONHASHSEED": seed}
            command = [sys.executable, "-m", "amplify_delivery", "assemble", str(copy), "--out", str(out)]
            subprocess.run(command, cwd=PROJECT, env=env, check=True, capture_output=True)
            digests.add(_tree_digest(out))
        yield what, "byte-identical", "byte-identical" if len(digests) == 1 else "DIFFERENT"


def touched(work: Path) -> Iterator[tuple[str, str, str]]:  # noqa: ARG001 - every benchmark gets a folder
    """Leaf resources and nested stacks that a re-export touches."""
    for old, new, resources, stacks in STEPS:
        found = compare(*(assemble(read_export(small(f"todo-series/{v}"))) for v in (old, new)))
        yield f"todo-series {old}-{new}: leaf resources touched", str(resources), str(len(found.resources))
        if stacks is not None:
            yield f"todo-series {old}-{new}: nested stacks updated", str(stacks), str(len(found.stacks))


def times(work: Path) -> Iterator[tuple[str, str, str]]:
    """Whole processes of `amplify-delivery assemble`."""
    targets = (
        ("large", large("large", work), "at most 0.8 s, 125 MiB"),
        ("todo", small("todo"), "at most 0.35 s"),
    )
    for name, export, target in targets:
        if export is None:
            yield f"assemble `{name}`, whole process", target, ABSENT
            continue
        out = work / f"times-{name}"
        command = [sys.executable, "-m", "amplify_delivery", "assemble", str(export), "--out", str(out)]
        yield f"assemble `{name}`, whole process", target, str(series(command, PROJECT))
        if name == "large":
            objects = json.loads((out / "assembly.json").read_text())["objects"]
            files = sum(1 for p in export.rglob("*") if p.is_file())
            yield f"objects published for `large` ({files:,} files)", "at most 800", str(len(objects))


def imports(work: Path) -> Iterator[tuple[str, str, str]]:  # noqa: ARG001
    """What the packages import before a command needs it."""
    for package in ("amplify_delivery.export", "amplify_delivery.delivery", "amplify_delivery.cli"):
        code = (
            f"import sys, {package}; print(*sorted(m for m in ('pulumi', 'boto3', 'yaml', 'rich') if m in sys.modules))"
        )
        out = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, capture_output=True, text=True)
        yield (
            f"import of `{package}`",
            "no pulumi",
            f"imports {out.stdout.strip() or 'none of pulumi, boto3, yaml, rich'}",
        )


CDK_APP = """
const cdk = require('aws-cdk-lib');
const { AmplifyExportedBackend } = require('@aws-amplify/cdk-exported-backend');
const app = new cdk.App();
new AmplifyExportedBackend(app, 'backend', { path: process.env.EXPORT, amplifyEnvironment: 'dev' });
app.synth();
"""


def beside_cdk(work: Path) -> Iterator[tuple[str, str, str]]:
    """The CDK construct's synth of the same export beside ours, in one run. Installs from npm (about 230 MB)."""
    export = large("large", work)
    if export is None:
        yield "CDK synth of `large`", "", ABSENT
        return
    app = install(work)
    (app / "app.js").write_text(CDK_APP)
    env = {**os.environ, "EXPORT": str(export), "CDK_OUTDIR": str(app / "cdk.out")}
    synth = series(["node", "app.js"], app, env, runs=3)
    ours = series(
        [sys.executable, "-m", "amplify_delivery", "assemble", str(export), "--out", str(work / "beside")],
        PROJECT,
        runs=3,
    )
    yield "CDK construct 0.0.6, synth of `large` (node app only)", "", str(synth)
    yield "assemble `large`, same run", "", f"{ours}; {synth.seconds / ours.seconds:.0f} times faster"
