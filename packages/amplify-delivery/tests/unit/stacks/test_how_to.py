"""docs/how-to.md: each section's stack files fit together, and are the example's own; what needs neither AWS nor the
engine of what is typed is typed here, and does what the page says."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.inputs import root_stack_name
from unit.command_line import Ran, delivery, export
from unit.docs.accepted import each_command, environments_of
from unit.docs.documented import typed_in
from unit.places import REPOSITORY
from unit.this_wheel import wheel_of_this_version

CONNECTION = "arn:aws:codeconnections:us-east-1:111111111111:connection/11111111-2222-3333-4444-555555555555"
PAGE = (REPOSITORY / "docs" / "how-to.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```yaml\n# (Pulumi\.([\w-]+)\.yaml)\n(.*?)^```", re.M | re.S)


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


WITH_FILES = sorted(title for title, text in sections().items() if BLOCK.search(text))


def project(folder: Path, title: str) -> Project:
    """The example with a section's files in the place of its own."""
    for file in REPOSITORY.glob("Pulumi*.yaml"):
        shutil.copyfile(file, folder / file.name)
    shutil.copytree(REPOSITORY / "amplify-export-seriesapp", folder / "amplify-export-seriesapp")
    for name, _, text in BLOCK.findall(sections()[title]):
        (folder / name).write_text(text, encoding="utf-8")
    return Project(folder)


@pytest.mark.parametrize("title", WITH_FILES)
def test_its_stack_files_are_read(title: str, tmp_path: Path) -> None:
    found = project(tmp_path, title)
    pipeline = found.pipeline("pipeline")
    assert [found.environment(name).environment for name in pipeline.environments] == list(pipeline.environments)
    accounts = [file.stem.removeprefix("Pulumi.") for file in tmp_path.glob("Pulumi.*-account.yaml")]
    let_in = {name for account in accounts for name in found.account(account).environments}
    assert let_in == set(pipeline.environments)


def test_every_other_kind_of_block_is_a_command() -> None:
    assert len(WITH_FILES) == 6
    assert set(re.findall(r"^```(\w*)\n(?=[^\n])", PAGE, re.M)) == {"yaml", ""}


def commands(title: str) -> list[tuple[str, ...]]:
    """What a section has its reader type, in its order; what its stack files have Build and steps run is not."""
    return [command for text in typed_in(BLOCK.sub("", sections()[title])) for command in each_command(text)]


def run(command: tuple[str, ...], folder: Path) -> Ran:
    """A line of ours, in a project's folder."""
    assert command[0] == "amplify-delivery"
    return delivery(*command[1:], cwd=folder)


@pytest.mark.parametrize("title", WITH_FILES)
def test_its_commands_name_environments_that_its_files_have(title: str, tmp_path: Path) -> None:
    found = project(tmp_path, title)
    named = {name for command in commands(title) for name in environments_of(command)}
    assert {file.stem.removeprefix("Pulumi.") for file in found.directory.glob("Pulumi.*.yaml")} >= named


@pytest.mark.parametrize("title", ["Add a stage", "Deliver into a second region"])
def test_who_adds_an_environment_bootstraps_it_and_then_pushes(title: str, tmp_path: Path) -> None:
    """An account that does not trust the pipeline yet, or a pipeline that is changed before what it is to deliver is
    committed, ends in a stage that fails."""
    before = set(Project(REPOSITORY).pipeline("pipeline").environments)
    new = set(project(tmp_path, title).pipeline("pipeline").environments) - before
    typed = commands(title)
    assert new
    assert new <= {name for command in typed if command[1] == "bootstrap" for name in command[2:]}
    assert [command[:2] for command in typed[-3:]] == [("git", "add"), ("git", "commit"), ("git", "push")]
    assert not [command for command in typed if command[0] == "pulumi"]


def test_another_value_is_a_parameter_of_the_export(tmp_path: Path) -> None:
    title = "Give one environment another value"
    project(tmp_path, title)
    ran = run(commands(title)[0], tmp_path)
    assert ran.code == 0, ran.err
    template = json.loads(ran.out[ran.out.index("\n{\n") :])  # behind its parameters
    parameters = template["Resources"]["apiseriesapp"]["Properties"]["Parameters"]
    assert parameters["DynamoDBBillingMode"] == "PROVISIONED"


def test_a_monorepos_export_lies_where_its_files_say(tmp_path: Path) -> None:
    title = "Live in a monorepo"
    found = project(tmp_path, title)
    (tmp_path / "backend").mkdir()
    shutil.move(tmp_path / "amplify-export-seriesapp", tmp_path / "backend")
    for name in found.pipeline("pipeline").environments:
        assert root_stack_name(found.environment(name), tmp_path, "seriesapp").startswith(f"amplify-seriesapp-{name}-")
    exported, checked = [command for command in commands(title) if command[0] != "cd"]
    assert exported == ("amplify", "export", "--out", "../backend")
    assert run(checked, tmp_path).code == 0


def test_two_apps_of_a_repository_are_two_projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in a folder of its own, where Build works, and whose pushes alone start its pipeline."""
    monkeypatch.setattr("amplify_delivery.commands.init.installed_wheel", wheel_of_this_version)
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    for app, name in (("todo", "todo"), ("shop", "todo-series/v1")):
        shutil.copytree(export(name), tmp_path / app)
    for command in commands("Two apps in one repository"):
        ran = run(tuple(word.replace("ARN", CONNECTION) for word in command), repository)
        assert ran.code == 0, ran.err
        folder = command[2]
        made = Project(repository / folder).pipeline("pipeline")
        assert made.build.folder == folder
        assert [(trigger.branches, trigger.paths) for trigger in made.triggers] == [(("main",), (f"{folder}/**",))]


def test_a_runtime_is_raised_without_the_amplify_cli(tmp_path: Path) -> None:
    """In the committed export: it is read as before, and that function alone is another one."""
    title = "Live after the Amplify CLI's end"
    assert "change `Runtime` in the function's template in the committed export" in sections()[title]
    folders = [tmp_path / name / "amplify-export-fullapp" for name in ("before", "after")]
    for folder in folders:
        shutil.copytree(export("full"), folder)
    template = folders[1] / "function" / "helloFn" / "helloFn-cloudformation-template.json"
    text, count = re.subn(r'"nodejs\d+\.x"', '"nodejs24.x"', template.read_text())
    assert count == 1
    template.write_text(text)
    assert delivery("check", folders[1], cwd=tmp_path).code == 0
    ran = delivery("compare", *folders, "--json", cwd=tmp_path)
    assert ran.code == 0
    assert set(json.dumps(ran.document).split('"')) & {"functionhelloFn/LambdaFunction"}
