"""`DeliveryPipeline` of the Pulumi package: of plain arguments what the pipeline's program makes of stack files, with
the pipeline's file in what Build hands on, and an UpdatePipeline that runs the program which declares it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from amplify_delivery.components.documents.pipeline.model import OtherProgram, PipelineModel
from amplify_delivery.components.documents.pipeline.pipeline_documents import pipeline_documents
from amplify_delivery.stacks import model as stacks_model
from amplify_delivery.stacks.config import PipelineConfig, Project
from amplify_delivery.stacks.packaged import delivery, host
from amplify_delivery.stacks.packaged.declared import declared_by
from unit.components.recorder import Recording, record
from unit.places import REPOSITORY
from unit.stacks.packaged.test_account import made, plain
from unit.stacks.projects import APP, AWAY, CONNECTION, HOME, TOOLING, account_of, make, run, write

TYPE = "amplify-delivery:index:DeliveryPipeline"
PIPELINE, ROLE, BUILD = "aws-native:codepipeline:Pipeline", "aws:iam/role:Role", "aws:codebuild/project:Project"
PLACES = [
    {"environment": "preprod", "account": account_of(0), "region": HOME},
    {"environment": "prod1", "account": account_of(1), "region": AWAY},
]
STAGES: list[dict[str, Any]] = [
    {"name": "PreProd", "post": [{"name": "test", "commands": ["test \"it's\" = 'so'", "true"], "env": {"A": "$B"}}]},
    {"name": "Prod1", "approval": {}, "onFailure": "rollback", "bake": {"time": "30m"}},
]
ARGS: dict[str, Any] = {
    "app": APP,
    "account": TOOLING,
    "region": HOME,
    "environments": PLACES,
    "source": {"connection": CONNECTION, "repository": "example/app"},
    "stages": STAGES,
}
EVERYTHING: dict[str, Any] = {
    "triggers": [{"branches": ["main"], "paths": ["amplify-export-*/**"]}],
    "build": {
        "commands": ["make test"],
        "env": {"COLOUR": "no"},
        "secrets": {"NPM_TOKEN": "registries:npm"},
        "keep": [".npmrc"],
        "folder": "backends/todo",
        "privileged": "true",
        "computeType": "BUILD_GENERAL1_LARGE",
    },
    "engine": {"url": "https://example.com/pulumi.tar.gz", "sha256": "0" * 64},
    "schedule": "rate(1 day)",
    "notifications": {"emails": ["team@example.com"]},
    "tags": {"team": "app"},
    "artifactRegions": ["eu-north-1"],
    "organization": "o-a1b2c3d4e5",
    "protect": "false",
}
OF_A_MACHINE = {"profile": "tooling", "roleArn": f"arn:aws:iam::{TOOLING}:role/administrator"}
"""Keys that mean nothing where a build runs the program."""
S3 = {"type": "s3", "bucket": "sources", "key": "app.zip"}
TOKEN = {"type": "github-token", "repository": "example/app", "poll": False}
PROGRAM = OtherProgram("pipeline", "declaring", "main")
"""The program that declares it."""
SECRET = {"aws:secretsmanager/getSecretVersion:getSecretVersion": {"secretString": "ghp_hush"}}


def schema() -> Any:
    return json.loads(host.schema())


@pytest.fixture(autouse=True)
def in_its_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine starts the package's process in the program's folder."""
    folder = tmp_path_factory.mktemp("app") / "pipeline"
    folder.mkdir()
    monkeypatch.chdir(folder)


@pytest.fixture(scope="module")
def package() -> host.Package:
    return host.Package(host.version())


def construct(package: host.Package, **inputs: Any) -> Recording:
    def program() -> None:
        for name, value in package.construct("pipeline", TYPE, inputs).state.items():
            pulumi.export(name, value)

    return record(program, project=PROGRAM.project, name=PROGRAM.stack, answers=SECRET)


def declared_elsewhere(monkeypatch: pytest.MonkeyPatch, **inputs: Any) -> None:
    """Let the pipeline's program declare one whose file is put, and that another program updates, if any does."""
    model = delivery.described(inputs, "pipeline").model

    def of_files(*given: Any) -> PipelineModel:
        return replace(stacks_model.pipeline_model(*given), file=model.file, program=model.program and PROGRAM)

    monkeypatch.setattr("amplify_delivery.stacks.pipeline.pipeline_model", of_files)


def buildspec(recording: Recording, what: str) -> dict[str, Any]:
    (project,) = (p for p in recording.all(BUILD) if p.inputs["name"] == f"{APP}-pipeline-{what}")
    found: dict[str, Any] = json.loads(project.inputs["source"]["buildspec"])
    return found


def put(folder: Path, **inputs: Any) -> subprocess.CompletedProcess[str]:
    """Run the one command of Build's script that is not in a self-updating pipeline's, as CodeBuild does."""
    model = delivery.described({**ARGS, **inputs}, "pipeline").model
    build, *_ = pipeline_documents(model).projects
    script = json.loads(build.buildspec)["phases"]["build"]["commands"][-2]
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)


def test_it_takes_what_a_stack_file_says() -> None:
    resource = schema()["resources"][TYPE]
    own = {"app", "pipeline", "environments", "selfUpdate", "program", "install"}
    assert set(resource["inputProperties"]) == own | set(PipelineConfig.written_names()) - {"program"}
    assert set(resource["requiredInputs"]) == {"app", "account", "region", "environments", "source", "stages"}
    of_sources = {key for known in host.SOURCES for key in known.written_names()}
    assert set(schema()["types"]["amplify-delivery:index:Source"]["properties"]) == of_sources


@pytest.mark.parametrize(
    ("file", "given"),
    [
        ({}, {}),
        (EVERYTHING, {}),
        ({}, {"source": S3}),
        ({}, {"source": TOKEN}),
        ({**EVERYTHING, **OF_A_MACHINE}, {"selfUpdate": False}),
    ],
    ids=["plain", "everything", "s3", "github-token", "not updating itself"],
)
def test_it_makes_exactly_what_the_pipelines_program_makes(
    package: host.Package,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: dict[str, Any],
    given: Mapping[str, Any],
) -> None:
    inputs = {**ARGS, **plain(file), **given}
    make(tmp_path, stages=STAGES, **{**file, "source": inputs["source"]})
    declared_elsewhere(monkeypatch, **inputs)
    expected = run(tmp_path, "pipeline", answers=SECRET)
    found = construct(package, **inputs)
    assert len(made(expected)) > 30
    without_secret = [_webhook_aside(made(recording)) for recording in (found, expected)]
    assert without_secret[0] == without_secret[1]
    assert sorted(str(p.inputs) for p in found.all("pulumi:providers:aws")) == sorted(
        str(p.inputs) for p in expected.all("pulumi:providers:aws")
    )
    assert found.one("pulumi:providers:aws-native").inputs == expected.one("pulumi:providers:aws-native").inputs
    exports = set(schema()["resources"][TYPE]["properties"])
    assert set(found.exports) == exports
    assert found.exports["definitionDigest"] == expected.exports["definitionDigest"]
    # What a preview tells of it, to UpdatePipeline.
    told = [declared_by(TYPE, component.inputs) for component in found.all(TYPE)]
    (told_by,) = [declared for declared in told if declared]
    assert told_by.name == "pipeline"
    assert told_by.digest == found.exports["definitionDigest"]
    assert told_by.file == delivery.described(inputs, "pipeline").model.file


def _webhook_aside(resources: dict[Any, Any]) -> dict[Any, Any]:
    """Its secret is made anew each time."""
    return {key: value for key, value in resources.items() if "Webhook" not in key[0]}


def test_update_pipeline_runs_the_program_that_declares_it_as_the_commit_has_it(package: host.Package) -> None:
    """With a lease of that program's; and another file, which Build has put before it, is another definition."""
    found = construct(package, **ARGS)
    (command,) = buildspec(found, "update")["phases"]["build"]["commands"]
    assert command == "python -m amplify_delivery update-pipeline --program pipeline --program-stack main"
    policies = json.dumps([policy.inputs["policy"] for policy in found.all("aws:iam/policy:Policy")])
    assert "/leases/declaring/main.json" in policies
    assert f"/leases/{APP}/" not in policies
    commands = [{**STAGES[0], "post": [{"name": "test", "commands": ["true"]}]}, STAGES[1]]
    for other in ({"stages": commands}, {"build": {"commands": ["make test"]}}):
        changed = construct(package, **{**ARGS, **other})
        assert changed.exports["definitionDigest"] != found.exports["definitionDigest"]
    # Its packages are installed first, each command in the program's folder, whatever the one before did to its shell.
    found = construct(package, **ARGS, install=["npm ci", "cd sub && make 'a b'"])
    lines = buildspec(found, "update")["phases"]["build"]["commands"]
    assert lines == [
        "(cd pipeline && eval 'npm ci')",
        """(cd pipeline && eval 'cd sub && make '"'"'a b'"'"'')""",
        command,
    ]
    elsewhere = construct(package, **ARGS, selfUpdate=False)
    assert "STACK_FILE_DIGEST" not in json.dumps(elsewhere.one(PIPELINE).inputs, default=str)


def test_a_program_that_update_pipeline_would_not_find_is_refused(
    package: host.Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the commit it has to lie where it is run: a preview says so, the first release need not."""
    (tmp_path / "app/infra/delivery").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "app/infra/delivery")
    with pytest.raises(pulumi.InputPropertiesError) as raised:
        construct(package, **ARGS)
    assert "would run this program in the folder 'pipeline' of the project that is delivered" in raised.value.message
    assert "`program: FOLDER`" in raised.value.message
    for folder in ("infra/delivery", "delivery"):
        found = construct(package, **ARGS, program=folder)
        assert f"--program {folder} " in buildspec(found, "update")["phases"]["build"]["commands"][0]
    construct(package, **ARGS, selfUpdate=False)


def test_without_self_update_it_has_no_update_pipeline_and_nothing_else_is_missing(
    package: host.Package, tmp_path: Path
) -> None:
    """Beside the program's own pipeline: what belongs to the stage goes, and no other document says anything else."""
    itself = made(run(make(tmp_path, stages=STAGES), "pipeline"))
    found = made(construct(package, **ARGS, selfUpdate=False))
    gone = {name for _, name in itself.keys() - found.keys()}
    assert gone
    assert [name for name in gone if not re.match(rf"(aws/codebuild/)?{APP}-pipeline-update\b", name)] == []
    changed = {key for key in found if key not in itself or found[key][0] != itself[key][0]}
    assert {name for _, name in changed} == {"pipeline", f"{APP}-pipeline-pipeline", f"{APP}-pipeline-build"}
    stages = [
        {stage["name"]: stage for stage in recorded[PIPELINE, "pipeline"][0]["stages"]} for recorded in (itself, found)
    ]
    assert stages[0].pop("UpdatePipeline")
    assert stages[0] == stages[1]
    role = f"arn:aws:iam::{TOOLING}:role/amplify-delivery/{APP}/pipeline/pipeline/{APP}-pipeline-update-action"
    assert role not in json.dumps(list(found.values()), default=str)


@pytest.mark.processes
def test_build_puts_the_file_that_the_arguments_stand_for(tmp_path: Path) -> None:
    """And whoever reads it gets the very configuration: commands with quotes and dollars, flags, settings."""
    (tmp_path / "Pulumi.yaml").write_text(f"name: {APP}\nruntime: python\n")
    of_a_machine = {**OF_A_MACHINE, "selfUpdate": False}
    for inputs in (ARGS, {**ARGS, **plain(EVERYTHING)}, {**ARGS, **of_a_machine}):
        done = put(tmp_path, **inputs)
        assert done.returncode == 0, done.stderr
        read = Project(tmp_path).pipeline("pipeline")
        wanted = delivery.described(inputs, "pipeline").config
        assert read == wanted.model_copy(update={"profile": None, "role_arn": None})
        assert Project(tmp_path).step("preprod", "test").commands == ("test \"it's\" = 'so'", "true")
        (tmp_path / "Pulumi.pipeline.yaml").unlink()


def test_the_file_is_the_same_in_whatever_order_mappings_come() -> None:
    """The engine's have none: another text would be a change of Build in each update."""

    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return [turned(item) for item in value] if isinstance(value, list) else value

    inputs = {**ARGS, **plain(EVERYTHING)}
    assert delivery.described(turned(inputs), "pipeline").model == delivery.described(inputs, "pipeline").model


@pytest.mark.processes
def test_build_refuses_a_repository_that_has_such_a_file(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.pipeline.yaml").write_text("config: {}\n")
    done = put(tmp_path)
    assert done.returncode == 1
    assert "The repository has Pulumi.pipeline.yaml, but another program declares the pipeline" in done.stderr
    assert (tmp_path / "Pulumi.pipeline.yaml").read_text() == "config: {}\n"


def test_the_file_is_put_before_build_reads_it_and_in_the_projects_folder(package: host.Package) -> None:
    commands = buildspec(construct(package, **ARGS, build={"folder": "backends/todo"}), "build")["phases"]["build"]
    first, file, build = commands["commands"]
    assert first == 'cd "$CODEBUILD_SRC_DIR/backends/todo"'
    assert "> Pulumi.pipeline.yaml" in file
    assert build == "python -m amplify_delivery build"


@pytest.mark.processes
def test_with_another_name_it_is_another_pipeline(package: host.Package, tmp_path: Path) -> None:
    found = construct(package, **ARGS, pipeline="second")
    assert found.one(PIPELINE).inputs["name"] == f"{APP}-second"
    assert found.exports["pipelineRoleArn"].endswith(f":role/amplify-delivery/{APP}/pipeline/second/{APP}-second")
    put(tmp_path, pipeline="second")
    assert (tmp_path / "Pulumi.second.yaml").is_file()


def test_nothing_is_planned_before_the_place_is_known(package: host.Package) -> None:
    found = construct(package, **ARGS)
    stash = found.one("pulumi:index:Stash")
    providers = [*found.all("pulumi:providers:aws"), found.one("pulumi:providers:aws-native")]
    assert len(providers) == 3
    assert all(stash.urn in provider.depends_on for provider in providers)
    outer = next(r for r in found.all(TYPE) if f"{TYPE}${TYPE}" not in r.urn)
    assert [r.name for r in found.resources if r.request.parent == outer.request.parent] == ["pipeline"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"account": "1234"}, "account: '1234' is not an AWS account"),
        ({"app": ""}, "app: is empty"),
        ({"pipeline": "Second"}, "pipeline: 'Second' is not a pipeline"),
        ({"environments": PLACES[:1]}, "a stage deploys prod1, and nobody says where it lies"),
        ({"environments": [*PLACES, PLACES[0]]}, "`environments` has an environment twice"),
        ({"environments": [{**PLACES[0], "account": "1"}, PLACES[1]]}, "environments.0.account: '1'"),
        ({"environments": [PLACES[0], {**PLACES[1], "region": "eu-wset-1"}]}, "environments.1.region: 'eu-wset-1'"),
        (
            {"environments": [{**PLACES[0], "production": True}, PLACES[1]]},
            "the stage PreProd deploys preprod, which is production, and asks nobody",
        ),
        ({"source": "example/app"}, "source: 'example/app' is not a mapping"),
        ({"stages": {"name": "PreProd"}}, "stages: {'name': 'PreProd'} is not a list"),
        ({"stages": ["PreProd"]}, "stages.0: 'PreProd' is not a mapping"),
        ({"build": {"env": ["A=b"]}}, "build.env: ['A=b'] is not a mapping"),
        ({"source": {"repository": "example/app"}}, "source.connection is missing"),
        ({"source": {**S3, "branch": "main"}}, "source: unknown key 'branch'"),
        ({"source": {"type": "ftp"}}, "there is no source of type 'ftp'"),
        ({"profile": "tooling"}, "`profile` is for whoever runs this program, and UpdatePipeline runs it as well"),
        ({"roleArn": OF_A_MACHINE["roleArn"]}, "`roleArn` is for whoever runs this program"),
        ({"program": "../pipeline"}, "program: '../pipeline' is not a folder of the repository"),
        ({"source": {"type": "pipeline"}}, "a pipeline that follows another one is declared by stack files only"),
        ({"source": S3, "triggers": [{"branches": ["main"]}]}, "triggers exist for connections only"),
        ({"stages": []}, "stages is empty"),
        ({"stages": [{**STAGES[0], "bake": {"time": "9h"}}]}, "stages.0.bake: a bake time of 540 minutes"),
        ({"stages": [{**STAGES[0], "aproval": {}}]}, "stages.0: unknown key 'aproval', did you mean 'approval'?"),
        ({"schedule": "daily"}, "schedule: 'daily'"),
        ({"build": {"commands": ["x" * 26_000]}}, "buildspec"),
        ({"environments": [{**PLACES[0], "account": TOOLING}, PLACES[1]], "pipeline": "preprod-plan"}, "both make"),
    ],
)
def test_a_users_mistake_is_told_without_a_traceback(package: host.Package, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(pulumi.InputPropertiesError) as raised:
        construct(package, **{**ARGS, **wrong})
    assert says in raised.value.message
    assert "Traceback" not in raised.value.message
    assert "pulumi config set" not in raised.value.message


def test_the_pages_program_is_one_that_the_component_takes(package: host.Package) -> None:
    page = (REPOSITORY / "docs/other-languages.md").read_text()
    text = next(part for part in page.split("```yaml\n") if "type: amplify-delivery:DeliveryPipeline" in part)
    declared = yaml.safe_load(text.partition("```")[0])["resources"]["pipeline"]["properties"]
    assert construct(package, **declared).exports["pipelineName"] == "myapp-pipeline"


def test_a_program_with_files_updates_itself_as_before(tmp_path: Path) -> None:
    """The component of ours has both ways; what has files has not changed."""
    make(tmp_path, stages=STAGES)
    write(tmp_path, "preprod-account", {"program": "account"})
    found = run(tmp_path, "pipeline")
    assert "UpdatePipeline" in [stage["name"] for stage in found.one(PIPELINE).inputs["stages"]]
    assert "Pulumi.pipeline.yaml" not in json.dumps(buildspec(found, "build"))
