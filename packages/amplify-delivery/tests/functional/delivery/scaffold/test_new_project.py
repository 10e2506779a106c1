"""A project that `init` has made, used as its team would: its own tests, its commands, what its lock installs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from amplify_delivery.components.documents.pipeline import buildspecs
from aws_rehearsal.errors import SetupError
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.setup.uv import find_uv
from aws_rehearsal_tests import pulumi_homes
from functional.delivery.scaffold.built_wheels import SOURCES, build, released, run, virtualenv
from unit.delivery.scaffold.test_init import PERSONAL, PIPELINE, TODO, TWO
from unit.places import REPOSITORY

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("wheels")]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project made by an engine that is installed from its wheel, and nothing else of this repository."""
    folder = tmp_path_factory.mktemp("new")
    commands = virtualenv(folder / "venv", [released(tmp_path_factory)["amplify_delivery"]])
    run(commands / "amplify-delivery", "init", "app", "--from", TODO, *TWO, *PERSONAL, *PIPELINE, cwd=folder)
    return folder / "app"


@pytest.fixture(scope="module")
def python(made: Path) -> Path:
    return made.parent / "venv" / "bin" / "python"


def test_its_wheel_is_the_released_one(made: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (wheel,) = (made / "wheels").iterdir()
    there = released(tmp_path_factory)["amplify_delivery"]
    assert (wheel.name, wheel.read_bytes()) == (there.name, there.read_bytes())


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """For what loads the engine's packages, and those of the project's tests: a second each time."""
    return pulumi_homes.as_typed(tmp_path_factory.mktemp("warm"))


def test_its_tests_pass_and_its_export_is_checked_and_built(made: Path, python: Path, warm: dict[str, str]) -> None:
    """`build` is what its pipeline's Build does: its own tests, the assembly, the examination for each environment."""
    assert "amplify-export-mytodoapp: " in run(python, "-m", "amplify_delivery", "check", cwd=made)
    command = [str(python), "-m", "amplify_delivery", "build", "--json"]
    variables = {**os.environ, **warm, "PATH": f"{python.parent}:{os.environ['PATH']}"}
    ran = subprocess.run(command, cwd=made, env=variables, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["examined"] == ["preprod", "prod"]
    # What its commands say, of which there is one: its tests.
    assert "\n      - python -m pytest -q tests\n" in (made / "Pulumi.pipeline.yaml").read_text()
    assert re.search(r"(?m)^(=+ )?\d+ passed", ran.stderr), ran.stderr
    assert "skipped" not in ran.stderr


def test_its_tests_run_before_it_has_an_environment(
    made: Path, python: Path, warm: dict[str, str], tmp_path: Path
) -> None:
    """`init` that is told of none prints the command too, as the next one."""
    alone = tmp_path / "app"
    shutil.copytree(made, alone)
    for file in alone.glob("Pulumi.*.yaml"):
        file.unlink()
    command = [str(python), "-m", "pytest", "-q", "tests"]
    ran = subprocess.run(command, cwd=alone, env={**os.environ, **warm}, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"(?m)^(=+ )?\d+ skipped", ran.stdout), ran.stdout


def test_build_makes_no_wheel_of_it(made: Path, tmp_path: Path) -> None:
    """What the buildspec does for `./FOLDER` in requirements.txt is nothing for a wheel: the lock installs that."""
    (tmp_path / "python").write_text("#!/bin/sh\necho called; exit 1\n")
    (tmp_path / "python").chmod(0o755)
    install = json.loads(buildspecs.build())["phases"]["install"]["commands"]
    making = next(command for command in install if "pip wheel" in command)
    path = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ran = subprocess.run(["bash", "-c", making], cwd=made, env=path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert not (made / buildspecs.WHEELS).exists()


def test_builds_install_phase_installs_the_wheel_of_the_lock(made: Path, tmp_path: Path) -> None:
    """The buildspec's own commands, in a checkout, without any index: of the lock the engine's entry, since all others
    come from one."""
    checkout = tmp_path / "checkout"
    shutil.copytree(made, checkout)
    entry = "".join((made / "requirements.lock").read_text().splitlines(keepends=True)[:2])
    (checkout / "requirements.lock").write_text(entry)
    commands = json.loads(buildspecs.build())["phases"]["install"]["commands"]
    environment = {**os.environ, "PATH": f"{sys.base_prefix}/bin:{os.environ['PATH']}", "PIP_NO_INDEX": "1"}
    ran = subprocess.run(
        ["bash", "-e", "-c", "\n".join(commands)],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    info = next(checkout.glob(".venv/lib/python3*/site-packages/amplify_delivery-*.dist-info"))
    archive = json.loads((info / "direct_url.json").read_text())["archive_info"]
    assert archive["hashes"]["sha256"] in entry
    assert (info.parent / "amplify_delivery" / "cli.py").is_file()
    assert list(info.parent.rglob("*.pyc")) == [], "pip has compiled what most builds never import"


def test_its_lock_installs_with_hashes_and_nothing_else(made: Path, tmp_path: Path) -> None:
    """From what is in uv's cache, which the repository's own set-up has filled; a cache without it skips."""
    uv = find_uv(Progress())
    run(uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    install = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--require-hashes",
        "--python",
        tmp_path / "venv/bin/python",
    ]
    ran = subprocess.run(
        [*map(str, install), "-r", "requirements.lock"], cwd=made, capture_output=True, text=True, check=False
    )
    if ran.returncode and "network was disabled" in ran.stderr:
        pytest.skip("uv's cache does not hold what the lock names")
    assert ran.returncode == 0, ran.stderr
    assert "usage: amplify-delivery" in run(tmp_path / "venv/bin/amplify-delivery", "--help", cwd=tmp_path)
    run(uv, "pip", "check", "--python", tmp_path / "venv/bin/python")


def test_pip_takes_the_wheel_by_its_hash_only(made: Path, tmp_path: Path) -> None:
    """As the pipeline's buildspec calls it, in the project's folder."""
    entry = "".join((made / "requirements.lock").read_text().splitlines(keepends=True)[:2])
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(tmp_path / "venv/bin/python"),
        "install",
        "--quiet",
        "--no-index",
        "--no-compile",
    ]

    def install(lock: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "lock").write_text(lock)
        command = [*pip, "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r", str(tmp_path / "lock")]
        return subprocess.run(command, cwd=made, capture_output=True, text=True, check=False)

    digest = entry.rpartition("sha256:")[2].strip()
    refused = install(entry.replace(digest, "0" * 64))
    assert (refused.returncode, "DO NOT MATCH THE HASHES" in refused.stderr) == (1, True)
    assert install(entry).returncode == 0


def test_upgrading_brings_the_engine_that_runs(made: Path, python: Path) -> None:
    assert "the project has this version" in run(python, "-m", "amplify_delivery", "upgrade", cwd=made)


def test_a_newer_engine_is_brought_to_it(made: Path, python: Path, tmp_path: Path) -> None:
    project, source = tmp_path / "app", tmp_path / "checkout" / "packages" / "amplify-delivery"
    shutil.copytree(made, project)
    shutil.copytree(REPOSITORY / "docs", tmp_path / "checkout" / "docs")
    engine = next(folder for folder in SOURCES if folder.name == "amplify-delivery")
    shutil.copytree(engine, source, ignore=lambda folder, _: ["tests"] if Path(folder) == engine else [])
    about = source / "pyproject.toml"
    about.write_text(re.sub(r'(?m)^version = ".*"$', 'version = "99.1"', about.read_text()))
    (project / "components/stage.py").open("a").write("# mine\n")
    newer = build(tmp_path / "wheels", [source])["amplify_delivery"]
    said = run(python, "-m", "amplify_delivery", "upgrade", "--wheel", newer, cwd=project)
    assert "accounts: nothing to do" in said
    assert "changed: wheels/amplify_delivery-99.1-py3-none-any.whl, requirements.lock, requirements.txt" in said
    assert (project / "components/stage.py").read_text().endswith("# mine\n")
    target = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", target)
    install = (
        sys.executable,
        "-m",
        "pip",
        "--python",
        target / "bin/python",
        "install",
        "--no-index",
        "--no-deps",
        "--no-compile",
    )
    (tmp_path / "lock").write_text("".join((project / "requirements.lock").read_text().splitlines(keepends=True)[:2]))
    run(*install, "--require-hashes", "--disable-pip-version-check", "-r", tmp_path / "lock", cwd=project)
    assert list(target.glob("lib/python3*/site-packages/amplify_delivery-99.1.dist-info"))


def test_uv_can_lock_it_again(made: Path, tmp_path: Path) -> None:
    """The command that the project's README prints; offline, with the versions that are locked already."""
    try:
        uv = find_uv(Progress())
    except SetupError:
        pytest.skip("there is no uv")
    command = next(line for line in (made / "README.md").read_text().split("`") if line.startswith("uv pip compile"))
    before = (made / "requirements.lock").read_text()
    ran = subprocess.run([uv, *command.split()[1:], "--offline"], cwd=made, capture_output=True, text=True, check=False)
    if ran.returncode and "network was disabled" in ran.stderr:
        pytest.skip("uv's cache does not hold what is required")
    assert ran.returncode == 0, ran.stderr
    locked = {line for line in (made / "requirements.lock").read_text().splitlines() if "==" in line}
    assert locked == {line for line in before.splitlines() if "==" in line}
