"""The border between the engine and a team's own program: what a stage is given, and what is wanted of it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from amplify_delivery import components, stacks, testing
from amplify_delivery.components import AmplifyBackend
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks import Environment, programs
from amplify_delivery.stacks.sources import source_digest
from unit.components.backends import folder
from unit.components.recorder import STACK, Recording, record
from unit.export.mutations import set_value
from unit.places import REPOSITORY
from unit.stacks.projects import OWN_KEYS

CONFIG = {"account": "012345678901", "region": "eu-west-1", "suffix": "abc"}
FORMER = """\
amplify-delivery:index:AmplifyBackend$aws:cloudformation/stack:Stack::backend
amplify-delivery:index:AmplifyBackend$pulumi:index:Stash::backend-identity
amplify-delivery:index:AmplifyBackend::backend
amplify-delivery:index:HelloService$aws-native:apigatewayv2:Api::hello
amplify-delivery:index:HelloService$aws-native:apigatewayv2:Integration::hello
amplify-delivery:index:HelloService$aws-native:apigatewayv2:Route::hello
amplify-delivery:index:HelloService$aws-native:apigatewayv2:Stage::hello
amplify-delivery:index:HelloService$aws-native:iam:Role::hello
amplify-delivery:index:HelloService$aws-native:lambda:Function::hello
amplify-delivery:index:HelloService$aws-native:lambda:Permission::hello
amplify-delivery:index:HelloService$aws-native:logs:LogGroup::hello
amplify-delivery:index:HelloService::hello
amplify-delivery:index:StagingArea$aws:s3/bucket:Bucket::staging
amplify-delivery:index:StagingArea$aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration::staging
amplify-delivery:index:StagingArea$aws:s3/bucketOwnershipControls:BucketOwnershipControls::staging
amplify-delivery:index:StagingArea$aws:s3/bucketPolicy:BucketPolicy::staging
amplify-delivery:index:StagingArea$aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock::staging
amplify-delivery:index:StagingArea$aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration::staging
amplify-delivery:index:StagingArea$aws:s3/bucketVersioning:BucketVersioning::staging
amplify-delivery:index:StagingArea::staging
pulumi:index:Stash::place
pulumi:providers:aws-native::native
pulumi:providers:aws::aws
"""
"""What the states of environments hold that were deployed before there was a stage, by the ends of their URNs."""
SINCE = ["pulumi:index:Stash::staging-owner"]
"""What their next update adds: in the state alone."""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    shutil.copytree(folder("fullapp"), tmp_path / "amplify-export-fullapp")
    (tmp_path / "Pulumi.yaml").write_text(f"name: fullapp\nruntime: python\n{OWN_KEYS}")
    return tmp_path


def run(directory: Path, stage: Callable[[Environment], Any], **more: str) -> Recording:
    return record(
        lambda: programs.run(stage=stage),
        project="fullapp",
        name="prod",
        directory=directory,
        config={**CONFIG, **more},
    )


class Smallest:
    """The least that a stage is."""

    def __init__(self, environment: Environment) -> None:
        self.backend = AmplifyBackend("backend", environment.backend_args, environment.backend_options)


def test_a_stage_need_be_no_more_than_its_backend(directory: Path) -> None:
    recording = run(directory, Smallest)
    assert recording.exports["stackName"] == "amplify-fullapp-prod-abc"
    assert recording.beside_backend == []


def test_nothing_that_was_deployed_before_gets_another_urn(directory: Path) -> None:
    """Pulumi makes what has a new URN, and deletes what has the old one: the root stack, with all data in it."""
    (directory / "Pulumi.prod.yaml").write_text(
        "".join(["config:\n", *(f'  fullapp:{key}: "{value}"\n' for key, value in CONFIG.items())])
    )
    shutil.copy(REPOSITORY / "__main__.py", directory)
    shutil.copytree(REPOSITORY / "components", directory / "components")
    made = testing.run("prod", {"helloService": "true"}, directory=directory)
    urns = [resource.urn.replace("pulumi:pulumi:Stack$", "") for resource in made.resources]
    names = sorted(urn.removeprefix("urn:pulumi:prod::fullapp::") for urn in urns)
    assert names == sorted([*FORMER.splitlines(), *SINCE])


def test_a_stage_without_a_backend_is_refused(directory: Path) -> None:
    """The engine deletes what a program no longer has when the program has ended well: this one does not."""
    with pytest.raises(pulumi.RunError, match="the stage has no backend: `backend` is None"):
        run(directory, lambda _: object())


def test_a_stage_takes_no_output_of_every_environment(directory: Path) -> None:
    class Taking(Smallest):
        def __init__(self, environment: Environment) -> None:
            super().__init__(environment)
            pulumi.export("region", "elsewhere")

    with pytest.raises(pulumi.RunError, match="the stage exports region, which every environment has anyway"):
        run(directory, Taking)


def test_a_mistake_of_the_teams_keeps_its_traceback(directory: Path) -> None:
    def stage(_: Environment) -> object:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(directory, stage)


@pytest.mark.parametrize("package", [components, stacks])
def test_public_names_are_there(package: Any) -> None:
    assert {name for name in package.__all__ if getattr(package, name, None) is None} == set()
    with pytest.raises(AttributeError, match="nothing"):
        _ = package.nothing


@pytest.mark.processes
def test_packages_load_no_pulumi_until_a_name_is_used() -> None:
    """Commands that read files only start in a tenth of a second; Pulumi alone takes several."""
    code = "import sys, amplify_delivery.components, amplify_delivery.stacks; print('pulumi' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# --- docs/own-resources.md -------------------------------------------------------------------------------------------


def blocks(language: str) -> list[str]:
    page = (REPOSITORY / "docs" / "own-resources.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_the_pages_example_is_a_project_that_passes_its_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main, stage, test = blocks("python")
    project = example(tmp_path, "zone")
    (project / "Pulumi.yaml").write_text("name: fullapp\nruntime: python\nconfig:\n  alarms:\n    type: boolean\n")
    file = project / "Pulumi.prod.yaml"
    file.write_text(file.read_text().partition("  fullapp:zone")[0])
    # In one file: this process has a package `components` already.
    importing = "from components.stage import Stage\n"
    assert importing in main
    (project / "__main__.py").write_text(f"{stage}\n\n{main.replace(importing, '')}")
    monkeypatch.chdir(project)
    names: dict[str, Any] = {}
    exec(test, names)
    names["test_jobs_are_watched_in_production"]()
    [types] = (list(entry.values()) for entry in [yaml.safe_load(blocks("yaml")[0])["config"]])
    assert set(types[1]) == testing.run("prod", {"alarms": "true"}).program_types


# --- amplify_delivery.testing ----------------------------------------------------------------------------------------


def example(tmp_path: Path, key: str) -> Path:
    """A project with a stage of its own, which exports `key`."""
    shutil.copytree(folder("fullapp"), tmp_path / "amplify-export-fullapp")
    (tmp_path / "Pulumi.yaml").write_text("name: fullapp\nruntime: python\nconfig:\n  zone:\n    type: string\n")
    (tmp_path / "Pulumi.prod.yaml").write_text(
        "".join(["config:\n", *(f'  fullapp:{name}: "{value}"\n' for name, value in CONFIG.items())])
        + "  fullapp:zone: {secure: AAABAA}\n"
    )
    (tmp_path / "__main__.py").write_text(f"""
import pulumi
import pulumi_aws as aws
from amplify_delivery.components import AmplifyBackend
from amplify_delivery.stacks import programs

class Stage:
    def __init__(self, environment):
        self.backend = AmplifyBackend("backend", environment.backend_args, environment.backend_options)
        opts = pulumi.ResourceOptions(provider=environment.aws)
        aws.sqs.Queue("jobs", name=f"{{environment.names.prefix}}-jobs", opts=opts)
        aws.route53.Zone("zone", name="example.com", opts=opts)
        pulumi.export("{key}", pulumi.Config().require_secret("zone"))

programs.run(stage=Stage)
""")
    return tmp_path


def test_a_teams_program_is_run_as_its_files_say(tmp_path: Path) -> None:
    made = testing.run("prod", directory=example(tmp_path, "zone"))
    assert made.one(STACK).inputs["name"] == "amplify-fullapp-prod-abc"
    assert made.one("aws:sqs/queue:Queue").inputs["name"] == "fullapp-prod-jobs"
    assert made.exports["zone"] == "secret"
    assert made.secret_exports == {"zone"}
    assert made.program_types == {"AWS::SQS::Queue", "aws:route53/zone:Zone"}


def test_secrets_of_the_backend_are_none_of_what_a_stage_adds(tmp_path: Path) -> None:
    """The value's resource is a part of the secret, which is the backend's: `deploy` may make it in every account."""
    project = example(tmp_path, "zone")
    (export,) = project.glob("amplify-export-*")
    template = "auth/fullappauth/fullappauth-cloudformation-template.json"
    set_value(export, template, "/Parameters/creds", {"Type": "String", "NoEcho": True})
    file = project / "Pulumi.prod.yaml"
    file.write_text(f"{file.read_text()}  fullapp:parameters: {{authfullappauth: {{creds: {{secure: v1:x}}}}}}\n")
    made = testing.run("prod", directory=project)
    assert made.one("aws:secretsmanager/secretVersion:SecretVersion")
    assert made.program_types == {"AWS::SQS::Queue", "aws:route53/zone:Zone"}


def test_the_backend_has_its_outputs(tmp_path: Path) -> None:
    made = testing.run("prod", directory=example(tmp_path, "zone"))
    endpoint = made.exports["graphqlEndpoint"]
    assert "GraphQLAPIEndpointOutput" in endpoint
    assert made.exports["outputs"]["apifullapp"]["GraphQLAPIEndpointOutput"] == endpoint
    assert made.exports["rootOutputs"]["StackName"] == "StackName"


def test_what_a_test_says_counts_more_than_the_file(tmp_path: Path) -> None:
    made = testing.run("prod", {"suffix": "def"}, directory=example(tmp_path, "zone"))
    assert made.exports["stackName"] == "amplify-fullapp-prod-def"


def test_one_of_many_is_not_the_only_one(tmp_path: Path) -> None:
    made = testing.run("prod", directory=example(tmp_path, "zone"))
    with pytest.raises(AssertionError, match="there are 0 of type 'aws:sns/topic:Topic'"):
        made.one("aws:sns/topic:Topic")


def test_no_project_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no Pulumi\.yaml here"):
        testing.run("prod", directory=tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: app\n")
    (tmp_path / "tests").mkdir()
    assert testing.project(tmp_path / "tests").directory == tmp_path.resolve()


# --- stacks.sources --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file", ["__main__.py", "components/stage.py", "components/further/queue.py", "Pulumi.prod.yaml"]
)
def test_whatever_the_program_is_made_from_counts(directory: Path, file: str) -> None:
    """`update-pipeline` asks no engine as long as this digest is the one that was applied."""
    before = source_digest(directory)
    (directory / file).parent.mkdir(parents=True, exist_ok=True)
    (directory / file).write_text("# another\n")
    assert source_digest(directory) != before


@pytest.mark.parametrize("file", ["tests/test_stage.py", "README.md", "components/__pycache__/stage.cpython-311.pyc"])
def test_nothing_else_does(directory: Path, file: str) -> None:
    before = source_digest(directory)
    (directory / file).parent.mkdir(parents=True, exist_ok=True)
    (directory / file).write_text("# another\n")
    assert source_digest(directory) == before


def test_a_team_reads_its_project_in_ten_minutes() -> None:
    files = [*REPOSITORY.glob("*.py"), *REPOSITORY.glob("components/**/*.py"), *REPOSITORY.glob("tests/**/*.py")]
    assert len(files) >= 5
    assert sum(len(file.read_text().splitlines()) for file in files) < 320


def test_of_secret_outputs_the_state_keeps_what_tells_that_they_have_changed(directory: Path) -> None:
    def kept(password: str) -> dict[str, Any]:
        class Exporting(Smallest):
            def __init__(self, environment: Environment) -> None:
                super().__init__(environment)
                secret = pulumi.Output.secret(password)
                pulumi.export("token", secret)
                pulumi.export("derived", secret.apply(lambda value: f"Bearer {value}"))
                pulumi.export("deep", {"plain": 1, "token": secret})
                pulumi.export("plain", pulumi.Output.from_input("1"))
                pulumi.export("text", "1")

        made = run(directory, Exporting)
        stashes = {r.name: r for r in made.all("pulumi:index:Stash") if r.name.startswith("output-")}
        assert stashes.keys() == {"output-token", "output-derived", "output-deep"}
        assert all(stash.secret == {"input"} for stash in stashes.values())
        values = {name: stash.inputs["input"] for name, stash in stashes.items()}
        assert not any(password in str(value) for value in values.values())
        return values

    first, again, other = kept("s3cret-1"), kept("s3cret-1"), kept("s3cret-2")
    assert first == again
    assert all(first[name] != other[name] for name in first)


def test_a_program_with_images_is_tested_before_they_are_built(tmp_path: Path) -> None:
    """In the pipeline a team's tests are commands of Build, and images are built after these."""
    directory = example(tmp_path, "zone")
    main = directory / "__main__.py"
    line = "        pulumi.export("
    main.write_text(main.read_text().replace(line, f'{line}"image", environment.images["orders"])\n{line}'))
    made = testing.run("prod", {"containerImages": {"orders": {"layout": "built"}}}, directory=directory)
    registry = "012345678901.dkr.ecr.eu-west-1.amazonaws.com"
    assert made.exports["image"] == f"{registry}/fullapp/prod@sha256:{'0' * 64}"
