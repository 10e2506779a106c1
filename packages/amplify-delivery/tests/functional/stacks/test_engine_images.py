"""A personal stack with a container image: built here, pushed into a repository of its own, deployed by digest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.export.images.layout import index_of
from amplify_delivery.stacks.output_names import NESTED_OUTPUTS
from aws_rehearsal_tests.conftest import project, pulumi_home  # noqa: F401 - fixtures
from aws_rehearsal_tests.pulumi_project import PulumiProject
from functional.stacks.test_engine import check_out
from unit.command_line import delivery
from unit.image_files import oci_layout
from unit.stacks.projects import APP, write

pytestmark = pytest.mark.engine


STAGE = """\
        pulumi.export("ordersImage", environment.images["orders"])
        name, value = f"/{environment.names.prefix}/image", environment.images["orders"]
        opts = pulumi.ResourceOptions(provider=environment.aws)
        aws.ssm.Parameter("image", name=name, type="String", insecure_value=value, opts=opts)
"""


def with_image(folder: Path) -> dict[str, str]:
    """A stage with a resource that takes the address. The two forms of a nested stack's template: with a parameter that
    takes it as well, and as exported."""
    stage = folder / "components" / "stage.py"
    line = "        self.backend = AmplifyBackend("
    text = stage.read_text().replace(line, f"{STAGE}{line}").replace("import pulumi\n", HEAD, 1)
    stage.write_text(text)
    template = folder / f"amplify-export-{APP}/api/{APP}/cloudformation-template.json"
    body = json.loads(template.read_text())
    exported = json.dumps(body)
    body["Parameters"]["Image"] = {"Type": "String"}
    body["Outputs"]["Image"] = {"Value": {"Ref": "Image"}}
    return {"parameter": json.dumps(body), "exported": exported}


def where_none_is_built_it_can_be_looked_at(project: PulumiProject, releases: int) -> None:  # noqa: F811
    """In another clone: what runs is known from what was published. What would be deployed is not."""
    shutil.rmtree(project.folder / "container-images")

    def run(*arguments: str) -> Any:
        return delivery(*arguments, cwd=project.folder, env=project.environment)

    def document(*arguments: str) -> Any:
        ran = run(*arguments, "--json")
        assert ran.code == 0, ran.err
        return json.loads(ran.out)

    report = document("report", "dev")
    assert report["plan"]["changes"] == 0, [line for line in report["lines"] if line["mark"]]
    assert [line for line in report["lines"] if line["mark"]] == []
    (unread,) = [line for line in report["unread"] if line["what"] == "Container images"]
    assert "not built here: orders" in unread["why"]
    # The third left the backend as it was, so no release of it was published.
    assert len(document("rollback", "dev", "--list")["releases"]) == releases
    assert document("gc", "dev", "--keep", "0", "--days", "0")["images"] == [], "what is young is needed"
    for command in ("plan", "up"):
        refused = run(command, "dev")
        assert (refused.code, "not built here: orders" in refused.err) == (3, True), refused.err


HEAD = "import pulumi\nimport pulumi_aws as aws\n"


def test_an_image_is_deployed_by_digest_and_goes_with_its_stack(project: PulumiProject) -> None:  # noqa: F811
    """Also where the backend's template does not change by it: whatever takes the address waits for the image."""
    check_out(project)
    forms = with_image(project.folder)
    template = project.folder / f"amplify-export-{APP}/api/{APP}/cloudformation-template.json"
    project.init_with_key("dev")
    ecr, ssm = project.developer.client("ecr"), project.developer.client("ssm")
    registry = f"{project.developer.account}.dkr.ecr.{project.developer.region}.amazonaws.com"

    def declare(form: str) -> None:
        parameters = [f"api{APP}.Image"] if form == "parameter" else []
        images = {"orders": {"layout": "built", "parameters": parameters}}
        place = {"account": project.developer.account, "region": project.developer.region}
        write(project.folder, "dev", {**place, "suffix": "a8d77", "protect": "false", "containerImages": images})
        template.write_text(forms[form])

    declare("parameter")
    refused = project.fail()
    assert "containerImages: not built here: orders" in refused
    assert "run `amplify-delivery images`" in refused
    assert ecr.describe_repositories()["repositories"] == []

    pushed = []
    for text, form in (("first", "parameter"), ("second", "exported"), ("third", "exported")):
        declare(form)
        oci_layout(project.folder / "built", text)
        ran = delivery("images", "dev", cwd=project.folder, env=project.environment)
        assert ran.code == 0, ran.err
        project.up()
        (image,) = index_of(project.folder / "container-images").values()
        pushed.append(image.digest)
        address = f"{registry}/{APP}/dev@{image.digest}"
        outputs = project.outputs()
        assert outputs["ordersImage"] == address
        assert ssm.get_parameter(Name=f"/{APP}-dev/image")["Parameter"]["Value"] == address
        if form == "parameter":
            assert outputs[NESTED_OUTPUTS][f"api{APP}"]["Image"] == address
        there = ecr.describe_images(repositoryName=f"{APP}/dev")["imageDetails"]
        assert {i["imageDigest"]: i["imageTags"] for i in there}[image.digest] == [image.tag]
    assert {i["imageDigest"] for i in there} == set(pushed), "the former ones stay, to go back to"

    where_none_is_built_it_can_be_looked_at(project, releases=2)
    project.succeed("destroy", "--yes", "--skip-preview")
    assert ecr.describe_repositories()["repositories"] == []
