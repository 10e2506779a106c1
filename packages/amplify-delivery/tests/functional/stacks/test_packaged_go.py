"""The components as a Pulumi package, from a program in Go as docs/other-languages.md has it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from amplify_delivery.stacks.packaged import host
from aws_rehearsal.setup.cache import PACKAGE
from aws_rehearsal.setup.engine import go_for
from aws_rehearsal.setup.language_hosts import ensure_go_host, ensure_go_sdk_generator
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal_tests import pulumi_homes
from aws_rehearsal_tests.absent import fetched
from aws_rehearsal_tests.conftest import project, pulumi_home  # noqa: F401 - fixtures
from aws_rehearsal_tests.pulumi_project import PulumiProject
from functional.stacks.typescript import OPT_IN, block
from unit.components.backends import folder

pytestmark = [pytest.mark.engine, OPT_IN]

APP = "mytodoapp"
MODULE = "example.com/pulumi-amplify-delivery/sdk/go/amplify-delivery"
SDK = "github.com/pulumi/pulumi/sdk/v3"


def go_mod(go: Path, place: Path, name: str, version: str, *more: str) -> None:
    """The go.mod of a folder, and its go.sum."""
    place.joinpath("go.mod").write_text("\n".join([f"module {name}", "go 1.25", f"require {SDK} {version}", *more, ""]))
    subprocess.run([go, "mod", "tidy"], cwd=place, env={**os.environ, "GOWORK": "off"}, check=True)


@pytest.fixture
def in_go(
    project: PulumiProject,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> PulumiProject:
    """The page's program with the SDK that the engine's generator makes, and an export beside it."""
    with fetched("language host of Pulumi for Go"):
        built, generator = ensure_go_host(Progress()), ensure_go_sdk_generator(Progress())
    go = go_for(PACKAGE / "go-sdk", Progress())
    plugin = Path(project.home["PULUMI_HOME"]) / "plugins" / "language-go-v3.62.0" / built.name
    plugin.parent.mkdir(parents=True, exist_ok=True)
    if not plugin.exists():
        plugin.symlink_to(built)
    (project.folder / "__main__.py").unlink()
    shutil.copytree(folder(APP), project.folder / f"amplify-export-{APP}")
    package = pulumi_homes.package(tmp_path_factory.mktemp("package"))
    providers = [{"name": "amplify-delivery", "path": str(package.parent)}]
    settings = {"name": "small", "runtime": "go", "plugins": {"providers": providers}}
    (project.folder / "Pulumi.yaml").write_text(json.dumps(settings))
    schema, made = tmp_path_factory.mktemp("schema") / "schema.json", tmp_path_factory.mktemp("sdk")
    schema.write_text(host.schema())
    subprocess.run([generator, schema, made], check=True)
    shutil.copytree(made / "amplifydelivery", project.folder / "sdks/amplify-delivery")
    place = {"123456789012": project.developer.account, "eu-west-1": project.developer.region}
    program = re.sub("|".join(place), lambda found: place[found[0]], block("go", "NewAmplifyBackend"))
    more = 'Suffix: pulumi.StringRef("a8d79"),\n\t\t\tProtect: pulumi.BoolRef(false),\n\t\t})'
    (project.folder / "main.go").write_text(program.replace("})\n\t\tif err", f"{more}\n\t\tif err"))
    version = re.findall(rf"(?m)^\s+{SDK} (v\S+)", (PACKAGE / "go-sdk/go.mod").read_text())[0]
    go_mod(go, project.folder / "sdks/amplify-delivery", MODULE, version)
    replaced = (f"require {MODULE} v0.0.0", f"replace {MODULE} => ./sdks/amplify-delivery")
    go_mod(go, project.folder, "small", version, *replaced)
    monkeypatch.setenv("PATH", f"{go.parent}{os.pathsep}{os.environ['PATH']}")
    return project


def test_a_program_in_go_deploys_a_backend(in_go: PulumiProject) -> None:
    in_go.init_with_key("dev")
    in_go.up()
    outputs = in_go.outputs()
    assert outputs["graphqlEndpoint"].endswith("/graphql")
    assert outputs["outputs"][f"api{APP}"]["GraphQLAPIEndpointOutput"] == outputs["graphqlEndpoint"]
    assert set(json.loads(in_go.succeed("preview", "--json"))["changeSummary"]) == {"same"}
    in_go.succeed("destroy", "--yes", "--skip-preview")
    left = in_go.developer.client("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE"])
    assert left["StackSummaries"] == []
