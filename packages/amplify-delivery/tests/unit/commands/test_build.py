"""`amplify-delivery build`: what the pipeline's stage Build does, as a person or another CI runs it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.pipeline.artifact import KEPT
from amplify_delivery.components.documents.pipeline.buildspecs import ASSEMBLY, EXAMINED
from amplify_delivery.export import load_assembly
from amplify_delivery.publishing.examination.cache import RESULTS_VARIABLE
from unit.command_line import ROOT, Ran, delivery, export
from unit.delivery.project.test_shell import gone
from unit.places import REPOSITORY
from unit.stacks.projects import APP, account_of, make, region_of, write

# One process runs them all: what they share is made once.
pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("build")]


@pytest.fixture(scope="module", autouse=True)
def cache(examined: Path) -> Iterator[None]:
    """What all builds have in common is linted once."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AMPLIFY_DELIVERY_CACHE", str(examined))
        patched.delenv(RESULTS_VARIABLE, raising=False)
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with one environment, `preprod`, and a pipeline that delivers it."""
    return make(tmp_path, 1)


def building(folder: Path, *commands: str, env: dict[str, str] | None = None) -> Path:
    """The project whose Build runs `commands`."""
    build: dict[str, Any] = {"commands": list(commands), "env": env or {}}
    return make(folder, 1, build=build)


def environment() -> dict[str, str]:
    """No account's, and no pipeline's, where this suite is itself a command of Build."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_")) and k != "STACK"}
    return {**clean, "PYTHONPATH": str(ROOT)}


def build(folder: Path, *arguments: str, **variables: str) -> Ran:
    return delivery("build", *arguments, cwd=folder, env={**environment(), **variables})


def test_it_runs_the_commands_then_checks_and_assembles(folder: Path) -> None:
    ran = build(building(folder, 'word="$GREETING"', 'echo "$word, world" | tee seen', env={"GREETING": "hello"}))
    assert ran.code == 0, ran.err
    # Both commands in one shell, with the variables of the file; then what `check` prints, and `assemble` beside that.
    assert (folder / "seen").read_text() == "hello, world\n"
    lines = ran.out.splitlines()
    assert lines[0] == "hello, world"
    assert lines[1].startswith("build of pipeline: 2 commands done in ")
    checked = delivery("check", cwd=folder, env=environment())
    assembled = delivery("assemble", "--out", "other", cwd=folder, env=environment())
    assert lines.pop() == f"{ASSEMBLY}: examined for preprod: nothing that CloudFormation would refuse"
    rest = "".join(f"{line}\n" for line in lines[2:])
    written = assembled.out.splitlines()[-1].replace("other: ", f"{ASSEMBLY}: ")
    assert rest == f"{checked.out}{written}\n"
    assert load_assembly(folder / ASSEMBLY) == load_assembly(folder / "other")


def test_without_commands_it_checks_and_assembles(folder: Path) -> None:
    ran = build(folder)
    assert ran.code == 0, ran.err
    assert load_assembly(folder / ASSEMBLY).project == APP


def test_a_failing_command_ends_it_with_its_last_lines_and_nothing_is_assembled(folder: Path) -> None:
    ran = build(building(folder, "echo one test fails", "sh -c 'exit 7'", "touch reached"))
    assert ran.code == 3
    assert ran.out == "one test fails\n"
    assert ran.err.startswith(
        "error: build of pipeline: failed: exit code 7\n  one test fails\n  -> nothing was assembled"
    )
    assert not (folder / "reached").exists()
    assert not (folder / ASSEMBLY).exists()


def test_a_python_without_what_the_project_pins(folder: Path) -> None:
    ran = build(building(folder, "python -m no_such_module"))
    assert ran.code == 3
    assert "pip install --no-compile --no-deps --require-hashes -r requirements.lock`), and build again" in ran.err


def test_a_variable_that_nobody_set_is_a_failure(folder: Path) -> None:
    ran = build(building(folder, 'rm -rf "$NOT_SET/x"'))
    assert ran.code == 3
    assert "NOT_SET" in ran.err


def test_what_failed_is_fixed_by_a_change_of_the_file_alone(folder: Path) -> None:
    """The commands are read from the checkout that is built: a bad one locks nothing."""
    assert build(building(folder, "false")).code == 3
    assert build(building(folder, "true")).code == 0


def test_what_the_commands_write_is_what_is_assembled(folder: Path) -> None:
    """As a command would that calls `amplify export`."""
    exported, elsewhere = folder / f"amplify-export-{APP}", folder / "elsewhere"
    exported.rename(elsewhere)
    ran = build(building(folder, f"mv elsewhere amplify-export-{APP}"))
    assert ran.code == 0, ran.err
    assert (folder / ASSEMBLY / "assembly.json").is_file()


def test_a_refused_export_ends_it_as_check_does(folder: Path) -> None:
    building(folder, "echo tested")
    shutil.rmtree(folder / f"amplify-export-{APP}")
    bad = shutil.copytree(export("triggers"), folder / export("triggers").name)
    ran = build(folder)
    assert ran.code == 3
    assert ran.out.splitlines()[0] == "tested"
    assert "refused   AD206 auth/trigappauth/" in ran.out
    assert ran.out.splitlines()[-1].startswith(f"{bad.name}: ")
    assert not (folder / ASSEMBLY).exists()
    machine = build(folder, "--json")
    assert machine.code == 3
    assert "AD206" in {f["id"] for f in machine.document["error"]["findings"]}


def test_for_machines_the_commands_output_goes_to_stderr(folder: Path) -> None:
    ran = build(building(folder, "echo noise"), "--json")
    assert ran.code == 0
    assert ran.err.splitlines()[0] == "noise"
    document = ran.document
    assert document["examined"] == ["preprod"]
    assert document["stack"] == "pipeline"
    assert document["assembly"] == ASSEMBLY
    assert document["digest"] == load_assembly(folder / ASSEMBLY).digest()
    assert document["seconds"] >= 0


def test_a_failure_for_machines(folder: Path) -> None:
    error = build(building(folder, "echo why", "false"), "--json").document["error"]
    assert (error["where"], error["message"]) == ("build of pipeline", "failed: exit code 1\n  why")


def test_the_project_tells_which_pipeline_it_is(folder: Path) -> None:
    """Each pipeline has its own commands, and assembles the export of its own environments."""
    building(folder, "echo ours")
    (folder / "Pulumi.pipeline.yaml").rename(folder / "Pulumi.releases.yaml")
    make(folder, 1, build={"commands": ["echo theirs"]}, stages=[{"name": "Canary"}])
    write(folder, "canary", {"account": "555555555555", "region": "eu-west-1", "export": "not-ours"})

    unnamed = build(folder)
    assert unnamed.code == 3
    assert "there are several pipelines: pipeline, releases" in unnamed.err
    for ran in (build(folder, STACK="releases"), build(folder, "--stack", "releases", STACK="pipeline")):
        assert ran.code == 0, ran.err
        assert ran.out.startswith("ours\n")


def test_without_a_pipeline_there_is_nothing_to_build(project: Path) -> None:
    ran = build(project)
    assert ran.code == 3
    assert "there is no pipeline" in ran.err


def test_interrupted_it_ends_its_commands_and_assembles_nothing(folder: Path) -> None:
    building(folder, "sleep 600 & echo $! > child.part", "mv child.part child", "wait")
    process = subprocess.Popen([sys.executable, "-m", "amplify_delivery", "build"], cwd=folder, env=environment())
    while not (folder / "child").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 130
    assert gone(int((folder / "child").read_text()))
    assert not (folder / ASSEMBLY).exists()


def test_lines_are_printed_when_they_come(folder: Path) -> None:
    """A build that is killed at its project's timeout has told what it was doing."""
    building(folder, "echo first", "while [ ! -e go ]; do sleep 0.05; done")
    command = [sys.executable, "-m", "amplify_delivery", "build"]
    with subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "first\n"
        (folder / "go").touch()
        process.communicate()
    assert process.returncode == 0


def misspelled(folder: Path) -> None:
    """The project's export, with a property in a nested stack that CloudFormation does not know."""
    file = folder / f"amplify-export-{APP}" / "api" / APP / "amplify-appsync-files" / "stacks" / "Todo.json"
    template = json.loads(file.read_text())
    template["Resources"]["TodoTable"]["Properties"]["BillingMod"] = "x"
    file.write_text(json.dumps(template))


def test_what_cloudformation_would_refuse_fails_build_and_names_the_environments(folder: Path) -> None:
    """Found here, once, not in the account of the first environment, and again in each."""
    make(folder, 2)
    misspelled(folder)
    ran = build(folder)
    assert ran.code == 3
    errors = [line for line in ran.err.splitlines() if "AD7" in line]
    assert len(errors) == 1, ran.err
    assert errors[0].startswith("error: AD700 preprod, prod1: apifullapp/Todo (templates/")
    assert "BillingMod" in errors[0]
    # What the finding names can be looked up.
    assert (folder / ASSEMBLY / "objects" / errors[0].split("(")[1].split(")")[0]).is_file()
    (finding,) = build(folder, "--json").document["error"]["findings"]
    assert (finding["id"], finding["file"].split(":")[0]) == ("AD700", "preprod, prod1")


def environment_file(folder: Path, **more: Any) -> None:
    """Another `prod1` for the project."""
    values = {"account": account_of(1), "region": region_of(1), "bootstrapped": "true", "suffix": "a8d04"}
    write(folder, "prod1", {**values, **more})


def test_what_only_one_environment_would_be_refused_for(folder: Path) -> None:
    make(folder, 2)
    environment_file(folder, parameters={"apifullapp": {"DynamoDBModelTableReadIOPS": "many"}})
    ran = build(folder)
    assert ran.code == 3
    assert "error: AD702 prod1: root stack (templates/" in ran.err
    assert "apifullapp's parameter DynamoDBModelTableReadIOPS is 'many', which is not a number" in ran.err


def test_a_value_that_does_not_fit_is_said_of_its_file(folder: Path) -> None:
    make(folder, 2)
    environment_file(folder, parameters={"apifullapp": {"DynamoDBModelTableRead": "5"}})
    ran = build(folder)
    assert ran.code == 3
    assert "error: Pulumi.prod1.yaml: parameters: apifullapp has no parameter 'DynamoDBModelTableRead'" in ran.err


def test_what_was_found_is_kept_where_the_project_says(folder: Path) -> None:
    """By hand in the user's cache, in the pipeline in the artifact. The commands keep their own results elsewhere."""
    named = f'echo "${{{RESULTS_VARIABLE}:-nothing}} named"'
    building(folder, named)
    by_hand = build(folder)
    assert by_hand.code == 0, by_hand.err
    assert not (folder / EXAMINED).exists()

    in_the_pipeline = build(folder, **{RESULTS_VARIABLE: EXAMINED})
    assert in_the_pipeline.code == 0, in_the_pipeline.err
    assert in_the_pipeline.out.splitlines()[0] == "nothing named"
    templates = [o for o in load_assembly(folder / ASSEMBLY).objects if o.kind == "template"]
    kept = sorted(p.parent.parent.name for p in (folder / EXAMINED).rglob("*") if p.is_file())
    assert kept == ["graphql", *["lint"] * (len(templates) + 1)]


def test_what_commands_write_is_no_part_of_a_commit(tmp_path: Path) -> None:
    """`git add --all` after a build: the assembly is made from the export, which is committed."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    for name in (ASSEMBLY, EXAMINED):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    (tmp_path / "docs" / ASSEMBLY).mkdir(parents=True)
    (tmp_path / "docs" / ASSEMBLY / "kept.md").touch()
    said = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert said.stdout.split()[1::2] == [".gitignore", f"docs/{ASSEMBLY}/kept.md"]


def asking(folder: Path, environments: int = 1, **wanted: str) -> Path:
    """The project whose first environment has a step that wants these outputs."""
    step = {"name": "test", "commands": ["true"], "envFromOutputs": wanted}
    stages: list[dict[str, Any]] = [{"name": "PreProd", "post": [step]}]
    return make(folder, environments, stages=stages)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("graphqlEndpont", "did you mean 'graphqlEndpoint'?"),
        ("helloUrl", "found by its name in a Python file"),
        ("account.id", "cannot be there"),
        ("serviceUrl", "found by its name in a Python file"),
        ("outputs.apifullapp.GraphQLAPIIdOutputs", "did you mean 'outputs.apifullapp.GraphQLAPIIdOutput'?"),
        ("rootOutputs.Nothing", "cannot be there"),
    ],
)
def test_an_output_that_cannot_be_there_fails_build(folder: Path, name: str, says: str) -> None:
    """Found here, not after the environment was deployed."""
    ran = build(asking(folder, ENDPOINT=name))
    assert ran.code == 3
    said = f"error: Pulumi.pipeline.yaml: step test of preprod wants ENDPOINT from the output {name!r}, which cannot be"
    assert said in ran.err
    assert says in ran.err


def test_outputs_that_may_be_there_pass_build(folder: Path) -> None:
    asking(
        folder,
        A="stackName",
        B="graphqlEndpoint",
        C="outputs.apifullapp.GraphQLAPIIdOutput",
        D="rootOutputs.StackName",
        E="StackName",
        F="outputs.apifullapp",
        G="helloUrl",
        H="serviceUrl",
    )
    shutil.copytree(REPOSITORY / "components", folder / "components")
    (folder / "mine").mkdir()
    (folder / "mine" / "service.py").write_text('pulumi.export("serviceUrl", url)\n')
    ran = build(folder)
    assert ran.code == 0, ran.err


def test_hidden_files_that_stay_are_written_down_and_must_be_there(folder: Path) -> None:
    chosen = make(folder, 1, build={"commands": ["touch .npmrc"], "keep": [".npmrc"]})
    assert build(chosen).code == 0
    assert (folder / KEPT).read_text() == "./.npmrc\n"
    ran = build(make(folder, 1, build={"keep": [".babelrc"]}))
    assert ran.code == 3
    assert "build.keep names .babelrc, which the checkout does not have" in ran.err
    assert build(make(folder, 1)).code == 0
    assert not (folder / KEPT).exists()


def test_a_script_that_a_step_runs_by_its_execution_bit_is_said(tmp_path: Path) -> None:
    step = {"name": "smoke", "commands": ["./smoke.sh"]}
    make(tmp_path, 1, stages=[{"name": "PreProd", "post": [step]}])
    script = tmp_path / "smoke.sh"
    script.write_text("true\n")
    script.chmod(0o755)
    ran = build(tmp_path)
    assert ran.code == 0, ran.err
    assert "step smoke runs ./smoke.sh by its execution bit, which the artifact may lose" in ran.err
    script.chmod(0o644)
    assert "execution bit" not in build(tmp_path).err


def test_what_is_built_is_examined_for_the_environments_of_pipelines_that_follow(tmp_path: Path) -> None:
    make(tmp_path, 2, stages=[{"name": "PreProd"}])
    follows = {"program": "pipeline", "account": "111111111111", "region": "us-east-1"}
    source = {"type": "pipeline", "pipeline": "pipeline"}
    stages = [{"name": "Wave", "environments": ["prod1"], "post": [{"name": "s", "commands": ["sh missing.sh"]}]}]
    write(tmp_path, "second", {**follows, "source": source, "stages": stages})
    write(tmp_path, "prod1-account", {"program": "account", "pipeline": "second"})
    ran = build(tmp_path, "--stack", "pipeline", "--json")
    assert ran.code == 0, ran.err
    assert ran.document["examined"] == ["preprod", "prod1"]
