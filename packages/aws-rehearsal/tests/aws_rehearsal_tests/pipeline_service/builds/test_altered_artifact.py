"""An artifact that was altered in its bucket is refused before any of its code runs: by all five projects.

The declared projects with their real buildspecs, run by the pipeline. What the commit calls `delivery`, and everything
that an altered artifact brings, leaves a word in a file outside of the build; so nothing of it runs unseen.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import stat
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.pipeline.artifact import LIST
from amplify_delivery.components.documents.pipeline.definition import pipeline_properties
from aws_rehearsal.pipeline_service import PipelineService, local_aws_with_room
from aws_rehearsal.pipeline_service.state import SUCCEEDED
from aws_rehearsal_tests.pipeline_service.world import REGION, World
from functional.enforcement.declared_world import DeclaredWorld, for_the_api

# One process runs them all: what they share is made once.
pytestmark = pytest.mark.xdist_group("altered-artifact")

Files = dict[str, bytes | Path]
"""An artifact's files; a path is a link's target."""

ACTIONS = ("UpdatePipeline", "Publish-preprod", "Plan-preprod", "Deploy-preprod", "smoke-preprod")
COMMANDS = {
    "update-pipeline",
    "publish preprod",
    "plan preprod",
    "deploy preprod --plan 0123",
    "step preprod smoke",
}
STAGE = "Everything"

MARK = """import sys
with open({seen!r}, "a") as file:
    file.write({word!r} + " " + " ".join(sys.argv[1:]) + "\\n")
"""
COMMAND = """
if sys.argv[1] == "build":
    import pathlib
    pathlib.Path("assembly").mkdir()
    pathlib.Path("assembly", "assembly.json").write_text("{}")
if sys.argv[1] == "plan":
    open(sys.argv[sys.argv.index("--variables") + 1], "w").write("CHANGES=1\\nPLAN_DIGEST=0123\\n")
"""


class Run:
    """A pipeline that stands before the stage with all five actions, with Build's artifact in the bucket."""

    def __init__(self, service: PipelineService, folder: Path) -> None:
        self.seen = folder / "seen"
        source = World(service.aws, service, folder)
        source.commit(
            "the app",
            {
                "amplify_delivery/__init__.py": "",
                "amplify_delivery/__main__.py": MARK.format(seen=str(self.seen), word="ran") + COMMAND,
                "requirements.lock": "# nothing beyond the image\n",
                "data.txt": "data\n",
            },
        )
        self.service, self.world = service, DeclaredWorld(service, source.full_id)
        self.name = self.world.pipeline.pipeline
        self.codepipeline = self.world.admin("codepipeline", self.world.tooling)
        self.codepipeline.create_pipeline(pipeline=_in_one_stage(for_the_api(pipeline_properties(self.world.model))))
        self.codepipeline.disable_stage_transition(
            pipelineName=self.name, stageName=STAGE, transitionType="Inbound", reason="the artifact is looked at"
        )
        self.execution = service.executions(self.name, self.world.tooling)[0].id
        build = service.wait_for_action(self.execution, "Build")
        service.wait_until(lambda: build.status != "InProgress")
        assert build.status == SUCCEEDED, service.log(str(build.external_id))
        place = self.actions()["Build"]["output"]["outputArtifacts"][0]["s3location"]
        self.place = {"Bucket": place["bucket"], "Key": place["key"]}
        self.s3 = self.world.admin("s3", self.world.tooling)
        self.built = self.s3.get_object(**self.place)["Body"].read()
        self.entered = False

    def actions(self) -> dict[str, Any]:
        """The last run of each action."""
        found = self.codepipeline.list_action_executions(
            pipelineName=self.name, filter={"pipelineExecutionId": self.execution}
        )["actionExecutionDetails"]
        return {action["actionName"]: action for action in reversed(found)}

    def with_artifact(self, content: bytes) -> dict[str, tuple[str, str]]:
        """Put an artifact into the bucket, have all five actions run; how each ended, and its log."""
        self.seen.unlink(missing_ok=True)
        self.s3.put_object(**self.place, Body=content)
        if self.entered:
            self.codepipeline.retry_stage_execution(
                pipelineName=self.name, stageName=STAGE, pipelineExecutionId=self.execution, retryMode="ALL_ACTIONS"
            )
        else:
            self.codepipeline.enable_stage_transition(pipelineName=self.name, stageName=STAGE, transitionType="Inbound")
            self.service.wait_for_action(self.execution, ACTIONS[0])
            self.entered = True
        self.service.wait(self.execution)
        found = self.actions()
        return {
            name: (
                found[name]["status"],
                self.service.log(found[name]["output"]["executionResult"]["externalExecutionId"]),
            )
            for name in ACTIONS
        }

    def ran(self) -> list[str]:
        """What has run, by its own word."""
        return self.seen.read_text().splitlines() if self.seen.exists() else []


def _in_one_stage(pipeline: dict[str, Any]) -> dict[str, Any]:
    """The declared actions side by side: each has to refuse by itself, whatever another one did before it."""
    actions = {action["name"]: action for stage in pipeline["stages"] for action in stage["actions"]}
    chosen = [{**actions[name], "runOrder": 1} for name in ACTIONS]
    text = json.dumps(chosen).replace("#{plan-preprod.PLAN_DIGEST}", "0123")
    stores = pipeline.pop("artifactStores")  # all of it is in one region
    stages = [*pipeline["stages"][:2], {"name": STAGE, "actions": json.loads(text)}]
    return {**pipeline, "artifactStore": stores[REGION], "stages": stages}


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """With an image whose Python has what is locked: the virtualenv of a build sees the packages of this one."""
    folder = Path(tempfile.mkdtemp(prefix="altered-artifact-"))
    python = Path(sys.executable)
    packages = next((python.parent.parent / "lib").glob("python3*/site-packages"))
    image = {"PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": str(packages)}
    aws, room = local_aws_with_room()
    try:
        with aws, PipelineService(aws, room, build_variables=image) as service:
            yield Run(service, folder)
    finally:
        room.close()
        shutil.rmtree(folder, ignore_errors=True)


# --- artifacts -------------------------------------------------------------------------------------------------------


def _files(content: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zip(files: Mapping[str, bytes | Path]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name)
            link = isinstance(content, Path)
            entry.external_attr = ((stat.S_IFLNK | 0o777) if link else (stat.S_IFREG | 0o644)) << 16
            archive.writestr(entry, str(content) if isinstance(content, Path) else content)
    return out.getvalue()


def _mark(run: Run, word: str) -> bytes:
    return MARK.format(seen=str(run.seen), word=word).encode()


def altered(run: Run, files: Files) -> None:
    files["amplify_delivery/__main__.py"] = _mark(run, "altered")


def altered_data(_: Run, files: Files) -> None:
    files["data.txt"] = b"other data\n"


def altered_lock(_: Run, files: Files) -> None:
    files["requirements.lock"] = b"evil==1.0\n"


def added(run: Run, files: Files) -> None:
    """Names that Python prefers to its own as soon as something runs in that folder."""
    for name in ("pip.py", "venv.py", "sitecustomize.py", "json.py"):
        files[name] = _mark(run, "added")


def added_below(run: Run, files: Files) -> None:
    files["delivery/argparse.py"] = _mark(run, "added")


def removed(_: Run, files: Files) -> None:
    del files["data.txt"]


def altered_list(_: Run, files: Files) -> None:
    listed = files[LIST]
    assert isinstance(listed, bytes)
    files[LIST] = listed + b"0" * 64 + b"  ./evil.py\n"


def sealed_again(run: Run, files: Files) -> None:
    """Altered, and the list made again as Build would make it: only the digest tells."""
    altered(run, files)
    listed, changed = files[LIST], files["amplify_delivery/__main__.py"]
    assert isinstance(listed, bytes)
    assert isinstance(changed, bytes)
    lines = [line for line in listed.decode().splitlines() if not line.endswith("./delivery/__main__.py")]
    lines.append(f"{hashlib.sha256(changed).hexdigest()}  ./delivery/__main__.py")
    files[LIST] = ("\n".join(sorted(lines, key=lambda line: line.split("  ")[1])) + "\n").encode()


def without_list(_: Run, files: Files) -> None:
    del files[LIST]


def linked(_: Run, files: Files) -> None:
    files["data.txt"] = Path("amplify_delivery/__main__.py")


def empty(_: Run, files: Files) -> None:
    files.clear()
    files["data.txt"] = b""


ALTERATIONS = [altered, altered_data, altered_lock, added, added_below, removed]
ALTERATIONS += [altered_list, sealed_again, without_list, linked, empty]


@pytest.mark.processes
@pytest.mark.parametrize("alter", ALTERATIONS, ids=lambda alter: alter.__name__)
def test_an_altered_artifact_is_refused_before_anything_of_it_runs(
    run: Run, alter: Callable[[Run, Files], None]
) -> None:
    files = _files(run.built)
    alter(run, files)

    ended = run.with_artifact(_zip(files))

    for name, (status, log) in ended.items():
        assert status == "Failed", name
        assert "refused" in log, f"{name}:\n{log}"
    assert run.ran() == []


@pytest.mark.processes
def test_what_build_made_runs_in_every_project(run: Run) -> None:
    """Else nothing would have run above either. Packed anew: the digest is of the files, not of the zip."""
    ended = run.with_artifact(_zip(_files(run.built)))

    assert {name: status for name, (status, _) in ended.items()} == dict.fromkeys(ACTIONS, "Succeeded"), ended
    assert {line.partition(" --variables")[0] for line in run.ran()} == {f"ran {command}" for command in COMMANDS}
    # The pipeline is done: what comes after needs another execution.
    assert run.service.execution(run.execution).status == SUCCEEDED
