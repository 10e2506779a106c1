"""Amplify's container API: its pipeline, project, functions and state machine, by the declared role and boundary.

Nothing is built: `docker` is played, as in docs/rehearsal.md. The export is a large one: AMPLIFY_DELIVERY_EXPORTS.
"""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.export import Assembly, assemble, read_export
from amplify_delivery.export.images.importing import keep_image
from amplify_delivery.export.images.model import GivenImage, Images
from aws_rehearsal.pipeline_service import PipelineService, local_aws_with_room
from functional.enforcement.bootstrapped import Bootstrapped
from functional.enforcement.test_execution_exports import SOCIAL, changed, done, replaced, updated
from unit.export.mutations import replace_file
from unit.image_files import oci_layout

SECRETS = {("authkitchenappauth", "hostedUIProviderCreds"): SOCIAL}
REGION = "us-east-1"
"""The export names its zones."""

pytestmark = pytest.mark.large


@pytest.fixture(scope="module")
def service() -> Iterator[PipelineService]:
    """A service whose minutes are minutes: what a build or a function takes depends on the machine. What looks each ten
    seconds whether the pipeline is done looks each two."""
    aws, room = local_aws_with_room(machine_pace=0.2)
    try:
        with aws, PipelineService(aws, room, build_variables={"PATH": os.environ["PATH"]}) as running:
            yield running
    finally:
        room.close()


@pytest.fixture
def export(large_export: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of the export, with an index whose name DynamoDB takes: `n` is too short."""
    folder = shutil.copytree(large_export("kitchen"), tmp_path / "amplify-export-kitchenapp")
    (table,) = folder.glob("storage/*/*template.json")
    replace_file(table, table.read_bytes().replace(b'"IndexName": "n"', b'"IndexName": "byName"'))
    return folder


def assembly_of(export: Path) -> Assembly:
    return assemble(read_export(export), SECRETS)


def change_its_source(export: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """Have `change` change the files of the container by their names."""
    (archive,) = export.glob("api/*/amplify-builds/*.zip")
    with zipfile.ZipFile(archive) as old:
        files = {name: old.read(name) for name in old.namelist()}
    change(files)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as new:
        for name, body in files.items():
            new.writestr(name, body)
    replace_file(archive, content.getvalue())


def running(bootstrapped: Bootstrapped) -> dict[str, Any]:
    """The one ECS service, with the container that its task definition has."""
    ecs = bootstrapped.local.client("ecs")
    (cluster,) = ecs.list_clusters()["clusterArns"]
    (arn,) = ecs.list_services(cluster=cluster)["serviceArns"]
    (found,) = ecs.describe_services(cluster=cluster, services=[arn])["services"]
    task = ecs.describe_task_definition(taskDefinition=found["taskDefinition"])["taskDefinition"]
    return {**found, "container": task["containerDefinitions"][0]}


def test_it_is_delivered_changed_and_deleted(service: PipelineService, export: Path) -> None:
    first = assembly_of(export)
    bootstrapped = Bootstrapped.make(service.aws, [first], SECRETS, REGION)
    root = bootstrapped.root(first)
    done(bootstrapped, root, bootstrapped.create(root)["StackStatus"], "CREATE_COMPLETE")

    (pipeline,) = (p["name"] for p in bootstrapped.local.client("codepipeline").list_pipelines()["pipelines"])
    (execution,) = service.executions(pipeline, bootstrapped.local.account)
    assert [run.action.name for run in execution.history] == ["Source", "Build", "Predeploy", "Deploy"]
    assert execution.status == "Succeeded"
    found, repository = running(bootstrapped), f"{root.stack_name}-api-containerapi-api"
    assert (found["desiredCount"], found["runningCount"]) == (1, 1)
    assert found["container"]["image"].endswith(f".amazonaws.com/{repository}")
    (image,) = bootstrapped.local.client("ecr").describe_images(repositoryName=repository)["imageDetails"]
    assert "latest" in image["imageTags"]

    change_its_source(export, lambda files: files.update({"index.js": files["index.js"] + b"// changed"}))
    root = bootstrapped.root(assembly_of(export))
    done(bootstrapped, root, bootstrapped.update(root)["StackStatus"], "UPDATE_COMPLETE")
    second = service.executions(pipeline, bootstrapped.local.account)[-1]
    assert second.id != execution.id
    assert service.wait(second.id).status == "Succeeded"
    assert running(bootstrapped)["taskDefinition"] != found["taskDefinition"]

    assert bootstrapped.clear(root) == "DELETE_COMPLETE"
    assert bootstrapped.local.client("codepipeline").list_pipelines()["pipelines"] == []
    assert bootstrapped.local.client("codebuild").list_projects()["projects"] == []


def test_built_once_it_runs_by_digest_without_a_pipeline(
    service: PipelineService, export: Path, tmp_path: Path
) -> None:
    """With fewer rights: those that only its pipeline needed are gone with it."""

    def by_digest(text: str) -> Assembly:
        oci_layout(tmp_path / text / "layout", text)
        image = keep_image("orders", tmp_path / text / "layout", "linux/amd64", tmp_path / text / "kept")
        given = GivenImage(image, (), ("apicontainerapi", "api"))
        return assemble(read_export(export), SECRETS, Images((given,), tmp_path / text / "kept"))

    first = by_digest("one")
    bootstrapped = Bootstrapped.make(service.aws, [first], SECRETS, REGION)
    root = bootstrapped.root(first)
    done(bootstrapped, root, bootstrapped.create(root)["StackStatus"], "CREATE_COMPLETE")
    assert bootstrapped.local.client("codepipeline").list_pipelines()["pipelines"] == []
    found = running(bootstrapped)
    assert found["desiredCount"] == 1
    registry = f"{bootstrapped.local.account}.dkr.ecr.{REGION}.amazonaws.com"
    environment = root.stack_name.split("-")[2]
    assert found["container"]["image"] == f"{registry}/kitchenapp/{environment}@{first.images[0].digest}"

    second = by_digest("two")
    root = bootstrapped.root(second)
    done(bootstrapped, root, bootstrapped.update(root)["StackStatus"], "UPDATE_COMPLETE")
    assert running(bootstrapped)["container"]["image"].endswith(f"@{second.images[0].digest}")

    for change in (updated, replaced):
        assert changed(export, change) > 0
        root = bootstrapped.root(by_digest("two"))
        done(bootstrapped, root, bootstrapped.update(root)["StackStatus"], "UPDATE_COMPLETE")
    assert bootstrapped.clear(root) == "DELETE_COMPLETE"


def test_a_build_that_fails_fails_the_stack(service: PipelineService, export: Path) -> None:
    """The stack waits for its pipeline's first run."""
    change_its_source(export, lambda files: files.pop("Dockerfile"))
    assembly = assembly_of(export)
    bootstrapped = Bootstrapped.make(service.aws, [assembly], SECRETS, REGION)
    root = bootstrapped.root(assembly)
    assert bootstrapped.create(root)["StackStatus"] == "ROLLBACK_COMPLETE"
    reasons = [bootstrapped.local.reasons(child["StackId"]) for child in bootstrapped.local.children()]
    assert any("The execution didn't succeed" in found.get("DeploymentAwaiter", "") for found in reasons), reasons
