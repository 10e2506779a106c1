"""Amplify's container API with images that are built once: what is left of its template, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.errors import ConfigError
from amplify_delivery.export import Assembly, EnvironmentValues, assemble, read_export, render_root
from amplify_delivery.export.documents import parse_json
from amplify_delivery.export.images import container_api
from amplify_delivery.export.images.container_api import container_apis, source_of, sources
from amplify_delivery.export.images.model import UNBUILT, AssemblyImage, GivenImage, Images
from unit.export.mutations import replace_file

pytestmark = pytest.mark.large
API = "apicontainerapi"
SECRETS = {("authkitchenappauth", "hostedUIProviderCreds")}


@pytest.fixture
def folder(large_export: Callable[[str], Path]) -> Path:
    return large_export("kitchen")


def images(*containers: str, digest: str = UNBUILT) -> Images:
    given = (
        GivenImage(AssemblyImage(f"image{n}", digest, 0, "linux/amd64"), (), (API, name))
        for n, name in enumerate(containers)
    )
    return Images(tuple(given))


def template_of(assembly: Assembly) -> dict[str, Any]:
    return dict(parse_json(assembly.read(assembly.root.nested[API].template)))


def types(template: dict[str, Any]) -> set[str]:
    return {item["Type"] for item in template["Resources"].values()}


def test_nothing_of_its_pipeline_is_left(folder: Path) -> None:
    export = read_export(folder)
    before, after = (template_of(assemble(export, SECRETS, given)) for given in (Images(), images("api")))
    gone = {
        "AWS::CodeBuild::Project",
        "AWS::CodePipeline::Pipeline",
        "AWS::CloudFormation::CustomResource",
        "AWS::ECR::Repository",
        "AWS::Lambda::Function",
        "AWS::StepFunctions::StateMachine",
    }
    assert types(before) - types(after) == gone
    left = set(after["Resources"])
    assert {"Service", "TaskDefinition", "CloudmapService", "Api", "Stage", "DefaultRoute"} <= left
    assert left == {
        n for n in before["Resources"] if not n.startswith(("ApiPipeline", "Ecs", "PreDeploy", "Awaiter"))
    } - {
        "apiRepository",
        "DeploymentAwaiter",
    }
    assert set(before["Outputs"]) - set(after["Outputs"]) == {"PipelineName"}
    # Nothing refers to what is gone.
    defined = {*left, *after["Parameters"], *after.get("Conditions", {})}
    named = set(re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"(?!AWS::)([A-Za-z0-9]+)', json.dumps(after)))
    assert named - defined == set()
    assert not {"ParamZipPath", "awaiterS3Key", "deploymentBucketName"} & set(after["Parameters"])


def test_containers_run_by_digest_with_the_tasks_that_the_pipeline_gave(folder: Path) -> None:
    digest = "sha256:" + "a" * 64
    assembly = assemble(read_export(folder), SECRETS, images("api", digest=digest))
    resources = template_of(assembly)["Resources"]
    (container,) = resources["TaskDefinition"]["Properties"]["ContainerDefinitions"]
    assert container["Image"] == {"Ref": "apiImage"}
    service = resources["Service"]
    assert service["Properties"]["DesiredCount"] == 1
    assert service["Properties"]["DeploymentConfiguration"]["DeploymentCircuitBreaker"] == {
        "Enable": True,
        "Rollback": True,
    }
    (policy,) = service["DependsOn"]
    pulls, login = resources[policy]["Properties"]["PolicyDocument"]["Statement"][:2]
    repository = "arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/kitchenapp/${env}"
    assert pulls["Resource"] == {"Fn::Sub": repository}
    assert (login["Action"], login["Resource"]) == ("ecr:GetAuthorizationToken", "*")
    values = EnvironmentValues(
        "prod", 0, kept_literals=frozenset(b.literal for b in assembly.bound), secrets=frozenset(SECRETS)
    )
    passed = render_root(assembly, values, "bucket").template["Resources"][API]["Properties"]["Parameters"]
    assert passed["apiImage"]["Fn::Sub"].endswith(f"/kitchenapp/prod@{digest}")
    assert not {"ParamZipPath", "deploymentBucketName"} & set(passed)


def test_its_sources_are_published_no_more(folder: Path) -> None:
    """They are in the image; and the awaiter's code is in no template."""
    export = read_export(folder)
    before, after = (assemble(export, SECRETS, given) for given in (Images(), images("api")))
    gone = [o for o in before.objects if o.key not in {n.key for n in after.objects}]
    assert sorted(o.kind for o in gone) == ["template", "zip", "zip"]
    assert not [f for f in after.findings if f.severity == "refused"]


def test_an_export_of_an_api_that_was_pushed_before(folder: Path, tmp_path: Path) -> None:
    """Its template takes a repository by its name (containers-artifacts.ts, existingEcrRepositories), one that no other
    environment has."""
    copied = _copy(folder, tmp_path)
    file = copied / "api/containerapi/containerapi-cloudformation-template.json"
    template = json.loads(file.read_text())
    del template["Resources"]["apiRepository"]
    text = json.dumps(template).replace(
        '{"Fn::GetAtt": ["apiRepository", "Arn"]}', '"arn:aws:ecr:us-east-1:111111111111:repository/x"'
    )
    replace_file(file, text.replace('{"Ref": "apiRepository"}', '"x"').encode())
    resources = template_of(assemble(read_export(copied), SECRETS, images("api")))["Resources"]
    assert "111111111111" not in json.dumps(resources)


@pytest.mark.parametrize("write", [lambda document: document, json.dumps], ids=["object", "text"])
def test_policies_of_ones_own_stand_beside_it(folder: Path, tmp_path: Path, write: Callable[[Any], Any]) -> None:
    """One statement may stand without a list, and a whole policy as JSON in a text."""
    copied = _copy(folder, tmp_path)
    file = copied / "api/containerapi/containerapi-cloudformation-template.json"
    template = json.loads(file.read_text())
    statement = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}
    given = {"PolicyName": "own", "Roles": ["r"], "PolicyDocument": write({"Statement": statement})}
    own = {"Type": "AWS::IAM::Policy", "Properties": given}
    template["Resources"]["Own"] = own
    replace_file(file, json.dumps(template).encode())
    assert template_of(assemble(read_export(copied), SECRETS, images("api")))["Resources"]["Own"] == own


def test_what_it_builds_is_what_its_buildspec_says(folder: Path) -> None:
    export = read_export(folder)
    assert container_apis(export) == [API]
    assert sources(export, API).keys() == {"api"}
    source = source_of(export, API, "api")
    assert (source.folder, source.archive.rpartition("/")[0]) == ("./.", "api/containerapi/amplify-builds")


@pytest.mark.parametrize(
    ("stack", "containers", "message"),
    [
        (API, ("apy",), "builds no container 'apy'"),
        (API, ("api", "api"), "two images are meant for api"),
        ("authkitchenappauth", ("api",), "is not a container API with sources of its own"),
        ("apicontainer", ("api",), "apicontainer is not a container API with sources of its own"),
    ],
)
def test_what_does_not_fit_is_refused(folder: Path, stack: str, containers: tuple[str, ...], message: str) -> None:
    given = Images(
        tuple(GivenImage(g.image, (), (stack, g.container[1])) for g in images(*containers).given if g.container)
    )
    with pytest.raises(ConfigError, match=message):
        assemble(read_export(folder), SECRETS, given)


def test_every_container_that_is_built_needs_its_image(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipeline goes as a whole."""
    real = container_api.sources
    monkeypatch.setattr(
        container_api, "sources", lambda export, stack: {**real(export, stack), "worker": real(export, stack)["api"]}
    )
    with pytest.raises(ConfigError, match=r"(?s)no image is named for worker.*container: apicontainerapi.worker"):
        assemble(read_export(folder), SECRETS, images("api"))


def _copy(folder: Path, target: Path) -> Path:
    return Path(shutil.copytree(folder, target / "amplify-export-kitchenapp"))
