"""Names that two stacks of one project would both make, and pipelines that an account does not let in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks import collisions
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.model import pipeline_model
from unit.components.documents import world
from unit.stacks.config.test_files import SMALLEST, project
from unit.stacks.projects import make

TOOLING, TARGET = "111111111111", "222222222222"
REGION = "us-east-1"


def environment(account: str = TARGET, **more: str) -> dict[str, str]:
    return {"account": account, "region": REGION, "bootstrapped": "true", **more}


def model(files: Project, name: str) -> object:
    return pipeline_model(files, files.app, name, files.pipeline(name))


def test_what_is_told_apart(tmp_path: Path) -> None:
    second = SMALLEST.replace("PreProd", "Canary").replace("Prod", "Europe")
    environments = dict.fromkeys(("preprod", "prod", "canary", "europe"), environment())
    files = project(tmp_path, pipeline=SMALLEST, second=second, **environments)
    model(files, "pipeline")
    model(files, "second")
    collisions.check(files, files.app, {n: EnvironmentNames(files.app, TARGET, REGION, n) for n in environments})


@pytest.mark.parametrize(
    ("name", "other", "says"),
    [
        ("releases", "releases-build", "the role called app-releases-build"),
        ("releases-update", "releases", "the role called app-releases-update"),
    ],
)
def test_two_pipelines_of_one_role(tmp_path: Path, name: str, other: str, says: str) -> None:
    environments = dict.fromkeys(("preprod", "prod"), environment())
    files = project(tmp_path, **{name.replace("-", "_"): SMALLEST, other.replace("-", "_"): SMALLEST}, **environments)
    with pytest.raises(ConfigError, match=says) as error:
        model(files, name)
    assert error.value.where.endswith(f"Pulumi.{name}.yaml")
    assert error.value.remedy


def test_an_environment_called_tooling_in_the_tooling_account(tmp_path: Path) -> None:
    """The pipelines' own state would lie in its state bucket."""
    text = SMALLEST.replace("PreProd", "Tooling")
    files = project(tmp_path, pipeline=text, tooling=environment(TOOLING), prod=environment())
    with pytest.raises(ConfigError, match="alias of a key in us-east-1 called alias/app-tooling-state"):
        model(files, "pipeline")
    with pytest.raises(ConfigError, match="the stacks tooling and pipeline would both make"):
        collisions.check(files, files.app, {"tooling": EnvironmentNames(files.app, TOOLING, REGION, "tooling")})
    elsewhere = project(tmp_path, tooling=environment())
    model(elsewhere, "pipeline")


def test_every_stack_file_is_read_a_bounded_number_of_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many environments there are: a file for each, looked at for each, would be looked at n * n times."""
    reads = Counter[str]()
    read = Path.read_text

    def counted(path: Path, *arguments: Any, **named: Any) -> str:
        reads[path.name] += 1
        return read(path, *arguments, **named)

    monkeypatch.setattr(Path, "read_text", counted)
    most = []
    for number in (4, 12):
        folder = tmp_path / str(number)
        folder.mkdir()
        files = Project(make(folder, number))
        reads.clear()
        model(files, "pipeline")
        most.append(max(times for name, times in reads.items() if name != "Pulumi.yaml"))
    assert most[0] == most[1]


def test_a_pipeline_that_the_account_does_not_let_in(tmp_path: Path) -> None:
    account = {"program": "account", "pipeline": "hotfix"}
    environments = dict.fromkeys(("preprod", "prod"), environment())
    files = project(tmp_path, pipeline=SMALLEST, hotfix=SMALLEST, prod_account=account, **environments)
    with pytest.raises(ConfigError, match="the account of prod lets in the pipeline hotfix, and not pipeline") as error:
        model(files, "pipeline")
    assert "`amplify-delivery bootstrap prod`" in error.value.remedy
    model(files, "hotfix")


@pytest.mark.parametrize("stack", ["pipeline", "prod"])
def test_a_region_without_codepipeline(tmp_path: Path, stack: str) -> None:
    text = SMALLEST.replace(REGION, "us-isob-east-1") if stack == "pipeline" else SMALLEST
    prod = environment(region="us-isob-east-1") if stack == "prod" else environment()
    files = project(tmp_path, pipeline=text, preprod=environment(), prod=prod)
    with pytest.raises(ConfigError, match="AWS has no CodePipeline in us-isob-east-1") as error:
        model(files, "pipeline")
    assert error.value.where.endswith(f"Pulumi.{stack}.yaml")


def test_the_names_are_those_that_are_declared() -> None:
    """What `taken` says is what the documents make."""
    places = [(world.pipeline.taken(), world.pipeline.region, world.tooling().roles, world.tooling().projects)]
    for names in world.ENVIRONMENTS:
        documents = world.accounts()[names.environment]
        places.append((names.taken(), names.region, documents.roles, documents.projects))
    for taken, region, roles, projects in places:
        assert {("role", role.name) for role in roles} <= taken
        assert {(f"CodeBuild project in {region}", project.name) for project in projects} <= taken
