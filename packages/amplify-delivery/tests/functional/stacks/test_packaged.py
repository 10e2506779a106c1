"""The components as a Pulumi package, from programs in YAML and JavaScript: the real engine, against the local AWS."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.environment import ACCOUNT_VERSION
from amplify_delivery.stacks.packaged import host
from aws_rehearsal.local_aws import random_account
from aws_rehearsal.setup.language_hosts import ensure_yaml_host
from aws_rehearsal.setup.node import ensure_locked, ensure_node
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal_tests import pulumi_homes
from aws_rehearsal_tests.absent import fetched
from aws_rehearsal_tests.conftest import project, pulumi_home  # noqa: F401 - fixtures
from aws_rehearsal_tests.pulumi_project import PulumiProject
from unit.components.backends import folder
from unit.places import EXPORTS

pytestmark = pytest.mark.engine

PACKAGE = Path(sys.executable).with_name("pulumi-resource-amplify-delivery")
"""As it is installed: asked for its schema. Programs have a warm one, which the engine starts twenty times."""
APP = "mytodoapp"
SERIES = EXPORTS / "todo-series"
NODE_SDK = Path(__file__).with_name("node_sdk")
"""Pulumi's SDK for Node.js, as it is locked, and a program that uses it."""
GIVEN = ("stackName", "graphqlEndpoint", "nestedOutputs", "stagingBucket")


@pytest.fixture
def in_yaml(project: PulumiProject) -> PulumiProject:  # noqa: F811
    """A project with an export beside it, and the language host where the engine finds plugins."""
    plugin = Path(project.home["PULUMI_HOME"]) / "plugins" / "language-yaml-v1.25.0" / "pulumi-language-yaml"
    plugin.parent.mkdir(parents=True, exist_ok=True)
    with fetched("language host of Pulumi for YAML"):
        built = ensure_yaml_host(Progress())
    if not plugin.exists():
        plugin.symlink_to(built)
    (project.folder / "__main__.py").unlink()
    shutil.copytree(folder(APP), project.folder / f"amplify-export-{APP}")
    return project


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pulumi_homes.package(tmp_path_factory.mktemp("package"))


def declare(project: PulumiProject, package: Path, **more: Any) -> None:  # noqa: F811
    """A program that declares the backend, as docs/other-languages.md has it."""
    # Bucket names are global: another backend than the other tests'.
    properties = {**place(project), "suffix": "a8d77", **more}
    write(project, package, {"backend": {"type": "amplify-delivery:AmplifyBackend", "properties": properties}}, GIVEN)


def place(project: PulumiProject) -> dict[str, Any]:  # noqa: F811
    return {"account": project.developer.account, "region": project.developer.region, "environment": "dev"}


def write(
    project: PulumiProject,  # noqa: F811
    package: Path,
    resources: dict[str, Any],
    outputs: Iterable[str],
) -> None:
    """A program in YAML, which JSON is too; the outputs are those of its last resource."""
    *_, name = resources
    program = {
        "name": "small",
        "runtime": "yaml",
        "plugins": {"providers": [{"name": "amplify-delivery", "path": str(package.parent)}]},
        "resources": resources,
        "outputs": {output: f"${{{name}.{output}}}" for output in outputs},
    }
    (project.folder / "Pulumi.yaml").write_text(json.dumps(program, indent=1))


def test_a_program_in_javascript_deploys_a_backend_and_updates_it(project: PulumiProject, package: Path) -> None:  # noqa: F811
    """With the SDK that npm has; its language host is not needed inside the program's own process. The next release has
    one model more; back to the first one, its table would be gone."""
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "__main__.py"):
        (project.folder / name).unlink()
    first, second = (str(SERIES / version / "amplify-export-seriesapp") for version in ("v2", "v3"))
    arguments = {**place(project), "suffix": "a8d78", "protect": False, "export": first}
    account = {**place(project), "environment": "prod", "protect": False, "export": first}
    account["pipeline"] = {"name": "pipeline", "account": random_account(), "region": "eu-west-1"}
    variables = {"ACCOUNT": json.dumps(account), "ARGS": json.dumps(arguments), "PLUGIN": str(package.parent)}
    variables["NEXT"] = json.dumps({**arguments, "export": second})
    with fetched("SDK of Pulumi for Node.js"):
        node = ensure_node(Progress())
        modules = ensure_locked(node, NODE_SDK, Progress())
    ran = subprocess.run(
        [node.binary, NODE_SDK / "packaged.js"],
        cwd=project.folder,
        env={**project.environment, **variables, "NODE_PATH": str(modules)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["outputs"]["stackName"] == "amplify-seriesapp-dev-a8d78"
    assert told["outputs"]["graphqlEndpoint"].endswith("/graphql")
    assert told["outputs"]["version"] == str(ACCOUNT_VERSION)
    again, updated = told["changes"]
    assert set(again) == {"same"}
    assert updated == {"same": again["same"] - 1, "update": 1}
    assert "TodoListTable" in told["refused"]
    assert "would delete data" in " ".join(told["refused"].split())


def test_a_program_in_yaml_deploys_a_backend(in_yaml: PulumiProject, package: Path) -> None:
    bound = json.loads(in_yaml.succeed("package", "get-schema", str(PACKAGE)))
    assert bound["resources"].keys() == json.loads(host.schema())["resources"].keys()

    declare(in_yaml, package, account="1234")
    in_yaml.init_with_key("dev")
    assert "'1234' is not an AWS account, which has 12 digits" in " ".join(in_yaml.fail().split())

    declare(in_yaml, package, protect=False)
    in_yaml.up()
    outputs = in_yaml.outputs()
    assert outputs["stackName"] == f"amplify-{APP}-dev-a8d77"
    assert outputs["graphqlEndpoint"].endswith("/graphql")
    assert outputs["nestedOutputs"][f"api{APP}"]["GraphQLAPIEndpointOutput"] == outputs["graphqlEndpoint"]
    stacks = in_yaml.developer.client("cloudformation").describe_stacks(StackName=outputs["stackName"])
    assert stacks["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    keys = in_yaml.developer.client("s3").list_objects_v2(Bucket=outputs["stagingBucket"])["Contents"]
    assert any(found["Key"].startswith("templates/") for found in keys)

    steps = json.loads(in_yaml.succeed("preview", "--json"))["changeSummary"]
    assert set(steps) == {"same"}

    declare(in_yaml, package, protect=False, environment="prod")
    assert "environment is 'prod' now, but this stack was deployed with 'dev'" in in_yaml.fail()

    declare(in_yaml, package, protect=False)
    in_yaml.succeed("destroy", "--yes", "--skip-preview")
    # What this language host does not do is said after it: it links nothing.
    added = in_yaml.pulumi("package", "add", str(PACKAGE)).stdout
    assert "Successfully generated an SDK for the amplify-delivery package" in added
    left = in_yaml.developer.client("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE"])
    assert left["StackSummaries"] == []
