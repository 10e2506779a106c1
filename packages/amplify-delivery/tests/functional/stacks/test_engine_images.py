"""A personal stack with a container image: built here, pushed into a repository of its own, deployed by digest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amplify_delivery.export.images.layout import index_of
from amplify_delivery.stacks.output_names import NESTED_OUTPUTS
from aws_rehearsal_tests.conftest import project, pulumi_home  # noqa: F401 - fixtures
from aws_rehearsal_tests.pulumi_project import PulumiProject
from functional.stacks.test_engine import check_out
from unit.delivery.conftest import delivery
from unit.image_files import oci_layout
from unit.stacks.projects import APP, write

pytestmark = pytest.mark.engine


def with_image(folder: Path) -> None:
    """The stack exports the address; a parameter of the API's stack, which the export does not have, gets it too."""
    stage = folder / "components" / "stage.py"
    line = "        self.backend = AmplifyBackend("
    added = '        pulumi.export("ordersImage", environment.images["orders"])\n'
    stage.write_text(stage.read_text().replace(line, f"{added}{line}"))
    (template,) = folder.glob(f"amplify-export-{APP}/api/{APP}/cloudformation-template.json")
    body = json.loads(template.read_text())
    body["Parameters"]["Image"] = {"Type": "String"}
    body["Outputs"]["Image"] = {"Value": {"Ref": "Image"}}
    template.write_text(json.dumps(body))


def test_an_image_is_deployed_by_digest_and_goes_with_its_stack(project: PulumiProject) -> None:  # noqa: F811
    check_out(project)
    with_image(project.folder)
    images = {"orders": {"layout": "built", "parameters": [f"api{APP}.Image"]}}
    place = {"account": project.developer.account, "region": project.developer.region}
    write(project.folder, "dev", {**place, "suffix": "a8d77", "protect": "false", "containerImages": images})
    project.succeed("stack", "init", "dev")
    ecr = project.developer.client("ecr")

    refused = project.fail()
    assert "containerImages: not built here: orders" in refused
    assert "run `amplify-delivery images`" in refused
    assert ecr.describe_repositories()["repositories"] == []

    for text in ("first", "second"):
        oci_layout(project.folder / "built", text)
        ran = delivery("images", "dev", cwd=project.folder, env=project.environment)
        assert ran.code == 0, ran.err
        project.up()
        (image,) = index_of(project.folder / "container-images").values()
        registry = f"{project.developer.account}.dkr.ecr.{project.developer.region}.amazonaws.com"
        address = f"{registry}/{APP}/dev@{image.digest}"
        outputs = project.outputs()
        assert outputs["ordersImage"] == address
        assert outputs[NESTED_OUTPUTS][f"api{APP}"]["Image"] == address
        there = ecr.describe_images(repositoryName=f"{APP}/dev")["imageDetails"]
        assert {i["imageDigest"]: i["imageTags"] for i in there}[image.digest] == [image.tag]
    assert len(there) == 2, "the first one stays, to go back to"

    project.succeed("destroy", "--yes", "--skip-preview")
    assert ecr.describe_repositories()["repositories"] == []
