"""The command line: usage, exit codes, errors for people and for machines."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from amplify_delivery import cli
from amplify_delivery.cli import COMMANDS
from unit.command_line import ROOT, delivery, export, process
from unit.places import PACKAGE

pytestmark = pytest.mark.processes

TODO = export("todo")


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"amplify-delivery {metadata.version('amplify-delivery')}\n"


def test_without_a_command_all_of_them_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "  client-config" in capsys.readouterr().err


def test_help_lists_every_command() -> None:
    ran = process("--help")
    assert ran.code == 0
    assert all(command in ran.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_json(command: str) -> None:
    ran = delivery(command, "--help")
    assert ran.code == 0
    assert "--json" in ran.out


def test_a_terminal_of_no_width_ends_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "1")
    for command in COMMANDS:
        assert "exit codes" in cli.parser_of(command).format_help()


@pytest.mark.parametrize(
    "arguments", [(), ("nothing",), ("assemble",), ("check", "a", "b"), ("check", "--nothing", "a")]
)
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    ran = delivery(*arguments)
    assert ran.code == 2
    assert ran.err.startswith("usage: amplify-delivery")


def test_what_was_meant_is_guessed() -> None:
    assert delivery("pln", "prod").err.endswith("error: there is no command 'pln' (did you mean plan?)\n")
    told = delivery("plan", "prod", "--drfit").err
    assert told.startswith("usage: amplify-delivery plan [-h] [--against REF]")
    assert told.endswith("error: unrecognized arguments: --drfit (did you mean --drift?)\n")


def test_no_command_of_a_project_works_elsewhere(tmp_path: Path) -> None:
    """And each says where the project is, not that a file of it is missing."""
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    (tmp_path / "components").mkdir()
    told = {
        command: delivery(*command.split(), cwd=tmp_path / "components").err
        for command in (
            *(f"{name} prod" for name in ("plan", "up", "bootstrap", "doctor", "adopt", "unlock", "destroy", "gc")),
            *("plan", "plan --against HEAD", "check", "build", "images", "upgrade", "update-pipeline", "outputs prod"),
            *("bootstrap --all", "doctor --pipeline", "pack --out ../x.zip", f"deploy prod --plan {'0' * 64}"),
            "setup --account 123456789012 --region eu-west-1",
        )
    }
    said = f"error: {tmp_path}/components: there is no Pulumi.yaml here\n  -> `cd ..`: the project is there"
    assert {command for command, error in told.items() if not error.startswith(said)} == set()


def test_a_plan_of_no_environment_names_them(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    for name in ("dev", "prod"):
        (tmp_path / f"Pulumi.{name}.yaml").write_text("config: {}\n")
    assert "-> `amplify-delivery plan dev` or `amplify-delivery plan prod`" in delivery("plan", cwd=tmp_path).err


@pytest.mark.parametrize("minutes", ["x", "-1", "2161"])
def test_minutes_that_are_none_wherever_they_come_from(minutes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = f"{minutes!r} is not a number of minutes up to 2160"
    for command in (("plan", "prod"), ("deploy", "prod"), ("update-pipeline",)):
        assert said in delivery(*command, f"--wait={minutes}").err
    monkeypatch.setenv("AMPLIFY_DELIVERY_WAIT", minutes)
    ran = delivery("plan", "prod")
    assert (ran.code, ran.err.startswith(f"error: $AMPLIFY_DELIVERY_WAIT: {said}")) == (3, True)


def test_an_error_for_people() -> None:
    ran = process("check", "/nothing/here")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == (
        "error: AD101 /nothing/here: there is no such folder\n"
        "  -> name the folder that `amplify export` wrote (amplify-export-PROJECT)\n"
    )


def test_an_error_for_machines() -> None:
    ran = delivery("root", "/nothing/here", "--environment", "dev", "--staging-bucket", "b", "--json")
    assert (ran.code, ran.err) == (3, "")
    error = ran.document["error"]
    assert error.keys() == {"type", "message", "where", "remedy", "changed", "findings"}
    assert error["type"] == "ExportRefused"
    assert error["findings"][0]["id"] == "AD101"


def test_an_environment_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    for arguments in (
        ("publish", "qa"),
        ("destroy", "qa"),
        ("check", TODO, "--environment", "qa"),
    ):
        ran = delivery(*arguments, "--json", cwd=tmp_path)
        assert ran.code == 3
        assert ran.document["error"]["type"] == "ConfigError"
        assert "there is no environment 'qa'" in ran.document["error"]["message"]
        assert "`git checkout HEAD -- Pulumi.qa.yaml`" in ran.document["error"]["remedy"]


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m amplify_delivery root {TODO} --environment dev --staging-bucket b | head -1"
    ran = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("stack amplify-mytodoapp-dev")
    assert ran.stderr == ""


WITHOUT_PACKAGES = [sys.executable, "-S", "-m", "amplify_delivery"]
"""A Python as the system has it."""


@pytest.mark.parametrize("command", [("plan", "dev"), ("step", "--help")])
def test_a_python_without_the_packages_is_told_apart_from_a_defect(command: tuple[str, ...], tmp_path: Path) -> None:
    """The virtualenv was forgotten. Whoever has made it gets the command that works."""

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        environment = {"PYTHONPATH": str(PACKAGE.parent)}
        arguments = [*WITHOUT_PACKAGES, *command, *more]
        return subprocess.run(arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    ran = run()
    assert ran.returncode == 3
    assert ran.stderr.startswith(f"error: {sys.executable}: this Python has no package '")
    assert ran.stderr.endswith(
        "\n  -> `pulumi install` (or `make setup`) puts what requirements.lock names into .venv; then "
        "`.venv/bin/amplify-delivery ...`\n"
    )
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "amplify-delivery").touch()
    assert run().stderr.endswith("\n  -> `.venv/bin/amplify-delivery ...`\n")
    assert json.loads(run("--json").stdout)["error"]["type"] == "SetupError"


def test_a_module_of_ours_that_is_missing_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_module", lambda _: importlib.import_module("amplify_delivery.no_such_module"))
    with pytest.raises(ModuleNotFoundError):
        cli.main(["check"])


@pytest.mark.parametrize("command", [("check", TODO), ("assemble", TODO, "--out", "assembly"), ("compare", TODO, TODO)])
def test_commands_over_files_load_nothing_heavy(command: tuple[str, ...], tmp_path: Path) -> None:
    heavy = ("pulumi", "boto3", "botocore", "rich", "pydantic", "yaml", "graphql", "cfnlint")
    code = (
        "import sys; from amplify_delivery.cli import main; code = main(sys.argv[1:]); "
        f"loaded = [m for m in {heavy!r} if m in sys.modules]; print(loaded, file=sys.stderr); sys.exit(code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *map(str, command)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stderr == "[]\n"


def test_importing_the_packages_does_not_import_pulumi() -> None:
    packages = "amplify_delivery.export, amplify_delivery.cli, amplify_delivery.publishing"
    code = f"import sys, {packages}; sys.exit('pulumi' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_former_name_of_a_command_is_understood_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["enrol", "prod", "--json"]) != 0
    told = capsys.readouterr()
    assert told.err == "`enrol` is now `bootstrap`; the next version does not know `enrol`\n"
    assert "there is no environment 'prod'" in json.loads(told.out)["error"]["message"]


def test_a_full_disk_is_told_in_our_words(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device", "/tmp/x")

    monkeypatch.setattr("amplify_delivery.commands.compare.run", full)
    assert cli.main(["compare", "a", "b"]) == 4
    said = capsys.readouterr().err
    assert said.startswith("error: /tmp/x: the disk is full\n  -> make room")
    assert cli.main(["compare", "a", "b", "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["error"]["changed"] == "maybe"


@pytest.mark.parametrize("command", ["check {TODO}", "--help", "check --help"])
def test_whoever_reads_only_the_beginning(command: str) -> None:
    """As `| head -0`: whoever should read has gone before anything is written."""
    script = f"(sleep 1; {sys.executable} -m amplify_delivery {command.format(TODO=TODO)}; echo $? >&3) | true"
    ran = subprocess.run(["bash", "-c", f"exec 3>&1; {script}"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert ran.stderr == ""
    assert ran.stdout.strip() == ("141" if "help" not in command else "0")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_what_cannot_be_written_is_said_without_a_traceback(more: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "amplify_delivery", "check", str(TODO), *more],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert ran.returncode == 4
    assert ran.stderr.startswith("error: this machine: the disk is full")
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr


def test_an_interrupt_while_a_command_is_imported_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_module", interrupted)
    assert cli.main(["plan", "prod"]) == 130


def test_an_interrupt_while_the_command_line_itself_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The script that is installed begins where that is caught."""
    scripts = tomllib.loads((PACKAGE.parents[1] / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["amplify-delivery"].partition(":")
    begins = getattr(importlib.import_module(module), function)

    def interrupted() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", interrupted)
    assert begins() == 130
