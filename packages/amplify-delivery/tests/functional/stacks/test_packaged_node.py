"""The components as a Pulumi package, from a program in TypeScript as docs/other-languages.md has it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from aws_rehearsal.setup.node import ensure_node
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal_tests import pulumi_homes
from aws_rehearsal_tests.conftest import project, pulumi_home  # noqa: F401 - fixtures
from aws_rehearsal_tests.pulumi_project import PulumiProject
from functional.stacks.typescript import IMPORT, OPT_IN, block, blocks, has_host, with_packages
from unit.components.backends import folder

pytestmark = [pytest.mark.engine, OPT_IN]

APP = "mytodoapp"


@pytest.fixture
def in_typescript(project: PulumiProject, tmp_path_factory: pytest.TempPathFactory) -> PulumiProject:  # noqa: F811
    """The page's project, with the packages that the page's commands install, and an export beside it."""
    has_host(project)
    (project.folder / "__main__.py").unlink()
    shutil.copytree(folder(APP), project.folder / f"amplify-export-{APP}")
    settings = yaml.safe_load(block("yaml", "runtime: nodejs"))
    package = pulumi_homes.package(tmp_path_factory.mktemp("package"))
    settings["plugins"]["providers"][0]["path"] = str(package.parent)
    # The fixture's stack is one of a project of that name.
    (project.folder / "Pulumi.yaml").write_text(json.dumps({**settings, "name": "small"}))
    with_packages(project.folder)
    return project


def write(project: PulumiProject, **more: Any) -> None:  # noqa: F811
    """The page's program, in the account of the test, with further arguments."""
    here = {"account": project.developer.account, "region": project.developer.region, "environment": "dev"}
    # Bucket names are global: another backend than the other tests'.
    arguments = {**here, "suffix": "a8d79", "protect": False, **more}
    program, many = re.subn(
        r"(?s)(new amplify\.AmplifyBackend\(\"backend\", )\{.*?\}\)",
        lambda found: f"{found[1]}{json.dumps(arguments)})",
        block("ts", "AmplifyBackend"),
    )
    assert many == 1
    (project.folder / "index.ts").write_text(program)


def test_a_program_in_typescript_deploys_a_backend(in_typescript: PulumiProject) -> None:
    in_typescript.init_with_key("dev")
    write(in_typescript, enviroment="dev")
    assert "'\"enviroment\"' does not exist in type 'AmplifyBackendArgs'" in " ".join(in_typescript.fail().split())

    write(in_typescript)
    in_typescript.up()
    outputs = in_typescript.outputs()
    assert outputs["graphqlEndpoint"].endswith("/graphql")
    assert outputs["outputs"][f"api{APP}"]["GraphQLAPIEndpointOutput"] == outputs["graphqlEndpoint"]
    steps = json.loads(in_typescript.succeed("preview", "--json"))["changeSummary"]
    assert set(steps) == {"same"}

    write(in_typescript, environment="prod")
    assert "environment is 'prod' now, but this stack was deployed with 'dev'" in in_typescript.fail()

    write(in_typescript)
    in_typescript.succeed("destroy", "--yes", "--skip-preview")
    left = in_typescript.developer.client("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE"])
    assert left["StackSummaries"] == []

    # What the page declares in YAML is of the types that a program in TypeScript gets, and no more than that.
    declared = [r for b in blocks("yaml") for r in ((yaml.safe_load(b) or {}).get("resources") or {}).values()]
    assert {r["type"] for r in declared} > {"amplify-delivery:TargetAccount", "amplify-delivery:DeliveryPipeline"}
    lines = [IMPORT]
    for number, resource in enumerate(declared):
        kind = resource["type"].removeprefix("amplify-delivery:")
        lines.append(f'new amplify.{kind}("r{number}", {json.dumps(resource["properties"])});')
    assert compiled(in_typescript, lines) == ""
    wrong = [line.replace('"post":', '"posts":') for line in lines]
    assert "'\"posts\"' does not exist in type 'StageArgs'" in compiled(in_typescript, wrong)


def compiled(project: PulumiProject, lines: list[str]) -> str:  # noqa: F811
    """What the compiler says of a program."""
    (project.folder / "declared.ts").write_text("\n".join(lines))
    compiler = project.folder / "node_modules/typescript/bin/tsc"
    options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "commonjs", "--target", "es2020"]
    done = subprocess.run(
        [ensure_node(Progress()).binary, compiler, *options, "declared.ts"],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout
