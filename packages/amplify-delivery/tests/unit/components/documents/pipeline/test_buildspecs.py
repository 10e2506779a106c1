"""Buildspecs: verify before anything else, then what is locked, then one command."""

import hashlib
import json
import os
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from amplify_delivery import cli
from amplify_delivery.components.documents.naming import PROJECTS
from amplify_delivery.components.documents.pipeline import artifact, buildspecs
from amplify_delivery.delivery.engine.locking.waiting import WAIT_VARIABLE
from amplify_delivery.publishing.examination.cache import RESULTS_VARIABLE
from amplify_delivery.stacks.inputs import ASSEMBLY_VARIABLE
from unit.places import REPOSITORY

ENGINE = buildspecs.EngineDownload("https://example.com/pulumi.tar.gz", "0" * 64)


def commands(spec: str) -> list[str]:
    phases: dict[str, Any] = json.loads(spec)["phases"]
    return [command for phase in phases.values() for command in phase["commands"]]


@pytest.mark.parametrize("what", PROJECTS)
def test_a_target_verifies_first(what: str) -> None:
    found = commands(buildspecs.project(what, 60))
    assert found[0] == artifact.verify()
    assert "--require-hashes" in found[1]
    assert f"python -m amplify_delivery {'step' if what == 'check' else what}" in found[-1]


def test_what_is_installed_is_where_the_engine_looks() -> None:
    """Else the language host refuses: "virtualenv" of Pulumi.yaml is no virtual environment."""
    project = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())
    assert project["runtime"]["options"]["virtualenv"] == buildspecs.VIRTUALENV


@pytest.mark.processes
def test_only_an_image_made_from_the_lock_installs_nothing(tmp_path: Path) -> None:
    """In a real shell, without an index: what is not there cannot be installed, and what is there need not be."""
    install = commands(buildspecs.project("plan", 60))[1]

    def runs(lock: str, image: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / buildspecs.LOCK).write_text(lock)
        packages = next(Path(sys.prefix).glob("lib/python3*/site-packages"))
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(packages), "PIP_NO_INDEX": "1"}
        return subprocess.run(
            ["bash", "-c", f"{install}\npython -c 'import sys; print(sys.prefix)'"],
            cwd=tmp_path,
            env={**environment, buildspecs.IMAGE_LOCK: image},
            capture_output=True,
            text=True,
            check=False,
        )

    missing = f"no-such-package==1.0 --hash=sha256:{'0' * 64}\n"
    there = f"pyyaml=={metadata.version('pyyaml')} --hash=sha256:{'0' * 64}\n"
    assert "no-such-package" in runs(missing, "").stderr
    assert "no-such-package" in runs(missing, hashlib.sha256(there.encode()).hexdigest()).stderr
    for lock, image in ((there, ""), (missing, hashlib.sha256(missing.encode()).hexdigest())):
        done = runs(lock, image)
        assert (done.stdout.strip(), done.stderr) == (str(tmp_path / buildspecs.VIRTUALENV), "")


def test_update_verifies_first() -> None:
    assert commands(buildspecs.update_pipeline())[0] == artifact.verify()


def variables(spec: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(spec)["env"].get("variables", {})
    return found


@pytest.mark.parametrize("what", PROJECTS)
def test_what_build_assembled_is_what_is_deployed(what: str) -> None:
    """`packages/amplify-delivery/tests/unit/commands/test_build.py` shows that Build puts it there."""
    assert variables(buildspecs.project(what, 60))[ASSEMBLY_VARIABLE] == buildspecs.ASSEMBLY


@pytest.mark.parametrize("what", PROJECTS)
def test_what_build_examined_is_known_after_it(what: str) -> None:
    """In a folder of the artifact, which is not hidden: hidden ones are taken out of it."""
    assert variables(buildspecs.build()) == {RESULTS_VARIABLE: buildspecs.EXAMINED}
    more = {WAIT_VARIABLE} if what in ("plan", "deploy") else set()
    assert variables(buildspecs.project(what, 60)).keys() == {ASSEMBLY_VARIABLE, RESULTS_VARIABLE} | more
    assert variables(buildspecs.project(what, 60))[RESULTS_VARIABLE] == buildspecs.EXAMINED
    assert not buildspecs.EXAMINED.startswith(".")


@pytest.mark.parametrize(("minutes", "waits"), [(60, "50"), (5, "1")])
def test_a_plan_waits_for_the_release_before_as_long_as_its_build_may(minutes: int, waits: str) -> None:
    assert variables(buildspecs.project("plan", minutes))[WAIT_VARIABLE] == waits


@pytest.mark.parametrize(("minutes", "waits"), [(240, "120"), (1, "1")])
def test_a_deployment_leaves_as_much_time_as_it_waits(minutes: int, waits: str) -> None:
    assert variables(buildspecs.project("deploy", minutes))[WAIT_VARIABLE] == waits
    assert variables(buildspecs.update_pipeline())[WAIT_VARIABLE] == "30"


def commands_of_delivery() -> list[list[str]]:
    specs = [buildspecs.build(), buildspecs.update_pipeline(), *(buildspecs.project(what, 60) for what in PROJECTS)]
    lines = [line for spec in specs for command in commands(spec) for line in command.splitlines()]
    words = [shlex.split(line.rstrip("&")) for line in lines if "-m amplify_delivery" in line]
    return [found[found.index("amplify_delivery") + 1 :] for found in words]


@pytest.mark.parametrize("arguments", commands_of_delivery(), ids=" ".join)
def test_every_command_of_delivery_is_one(arguments: list[str]) -> None:
    assert cli.parser(arguments[0]).parse_args(arguments).command == arguments[0]


def test_build_runs_one_command_of_ours_between_what_is_locked_and_the_seal() -> None:
    phases = json.loads(buildspecs.build())["phases"]
    assert list(phases) == ["install", "build", "post_build"]
    assert "--require-hashes" in phases["install"]["commands"][0]
    assert phases["build"]["commands"] == ["python -m amplify_delivery build"]


def test_build_seals_last_and_exports_the_digest() -> None:
    spec = json.loads(buildspecs.build())
    assert spec["version"] == 0.2
    assert spec["env"]["exported-variables"] == ["ARTIFACT_DIGEST"]
    assert commands(json.dumps(spec))[-1] == artifact.seal()


def test_plan_exports_what_the_approver_reads_and_what_binds_the_deployment() -> None:
    assert json.loads(buildspecs.project("plan", 60))["env"]["exported-variables"] == ["CHANGES", "PLAN_DIGEST"]


def test_deploy_ends_before_codebuild_ends_it() -> None:
    (last,) = commands(buildspecs.project("deploy", 240))[-1:]
    assert last.startswith("timeout --signal=TERM --kill-after=5m 230m ")


@pytest.mark.processes
@pytest.mark.parametrize(
    "spec", [buildspecs.project(what, 60, ENGINE) for what in PROJECTS] + [buildspecs.build(ENGINE)]
)
def test_every_command_is_shell(spec: str) -> None:
    for command in commands(spec):
        checked = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr


def test_the_engine_is_compared_with_its_digest_before_it_is_unpacked() -> None:
    (install,) = [c for c in commands(buildspecs.project("deploy", 60, ENGINE)) if "curl" in c]
    assert install.index("sha256sum --check") < install.index("tar --extract")


@pytest.mark.processes
def test_build_leaves_no_hidden_files_and_no_byte_code(tmp_path: Path) -> None:
    files = (".git/config", "pkg/__pycache__/a.pyc", "pkg/.cache/x", ".env", ".a\n./kept", "pkg/kept.py", "kept")
    left, said = cleaned(tmp_path, *files)
    assert left == ["kept", "pkg/kept.py"]
    assert "Left out of the artifact, because hidden: ./.env\n" in said
    assert "__pycache__" not in said


@pytest.mark.processes
def test_build_keeps_the_hidden_files_that_were_chosen(tmp_path: Path) -> None:
    (tmp_path / artifact.KEPT).write_text("./.npmrc\n./pkg/.config\n")
    left, said = cleaned(tmp_path, ".npmrc", ".npmrc.bak", "pkg/.config/a", "pkg/.cache/x", "web/.npmrc")
    assert left == [".npmrc", artifact.KEPT, "pkg/.config/a"]
    assert "Kept in the artifact: ./pkg/.config\n" in said


def cleaned(folder: Path, *names: str) -> tuple[list[str], str]:
    """The files that are left of `names`, and what was said."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    cleaning = commands(buildspecs.build())[-2]
    said = subprocess.run(["bash", "-c", cleaning], cwd=folder, check=True, capture_output=True, text=True).stdout
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()), said


def test_a_project_in_a_folder_is_built_there_and_is_all_of_the_artifact() -> None:
    spec, plain = json.loads(buildspecs.build(folder="backends/todo")), json.loads(buildspecs.build())
    place = "$CODEBUILD_SRC_DIR/backends/todo"
    assert spec["artifacts"] == {**plain["artifacts"], "base-directory": place}
    for name, phase in spec["phases"].items():
        assert phase["commands"] == [f'cd "{place}"', *plain["phases"][name]["commands"]]
