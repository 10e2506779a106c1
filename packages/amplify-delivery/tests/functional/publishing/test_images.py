"""Container images published into the ECR of the local AWS, with the very rights of the account's projects."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.components.documents.account.projects import project_policies
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import DEPLOY, PLAN, PUBLISH, EnvironmentNames, PipelineNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.environment import image_findings
from amplify_delivery.errors import AssemblyError, PublishError, RefusedError
from amplify_delivery.export import Assembly
from amplify_delivery.export.images.importing import keep_image
from amplify_delivery.export.images.layout import blob_path, write_index
from amplify_delivery.export.images.model import UNBUILT, AssemblyImage
from amplify_delivery.publishing import PublishReport, PublishTarget, images, publish
from amplify_delivery.stacks.config.images import ImageFindings
from aws_rehearsal.local_aws import LocalAws, random_account
from aws_rehearsal.local_aws.credentials import Credentials
from unit import image_files as files
from unit.publishing.conftest import rendered

REGION = "eu-central-1"
NAMES = EnvironmentNames("todoapp", "333333333333", REGION, "prod")


def with_images(assembly: Assembly, folder: Path, *texts: str) -> Assembly:
    """`assembly` with an image for each text."""
    layout, made = folder / "kept", []
    for number, text in enumerate(texts):
        files.oci_layout(folder / f"layout{number}", text)
        made.append(keep_image(f"image{number}", folder / f"layout{number}", "linux/amd64", layout))
    write_index(layout, made)
    return replace(assembly, images=tuple(made), layout=layout)


class Place:
    """An account with the staging bucket and the repository of an environment, and this process logged in to it as one
    of its projects."""

    def __init__(self, aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
        self.aws, self._monkeypatch = aws, monkeypatch
        self.names = replace(NAMES, account=random_account())
        self.admin = aws.make_admin(self.names.account)
        s3 = aws.client("s3", self.admin, REGION)
        s3.create_bucket(
            Bucket=self.names.staging_bucket,
            BucketNamespace="account-regional",
            CreateBucketConfiguration={"LocationConstraint": REGION},
        )
        self.ecr = aws.client("ecr", self.admin, REGION)
        for name in (self.names.repository, "todoapp/canary"):
            self.ecr.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")
        names = self.names
        self.target = PublishTarget(names.staging_bucket, names.account, REGION, repository=names.repository)

    def log_in_as(self, project: str) -> None:
        """With the rights that the account's stack declares for that project."""
        pipeline = PipelineNames("todoapp", self.names.account, REGION, "pipeline")
        access = EnvironmentAccess(self.names, pipeline, "amplify-todoapp-prod-12345", frozenset(), images=True)
        iam, sts = (self.aws.client(service, self.admin, REGION) for service in ("iam", "sts"))
        trust = {"Effect": "Allow", "Principal": {"AWS": self.names.account}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName=project, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        for name, policy in project_policies(access, project).items():
            iam.put_role_policy(RoleName=project, PolicyName=name, PolicyDocument=json.dumps(policy))
        found = sts.assume_role(RoleArn=role, RoleSessionName=project)["Credentials"]
        self.log_in(
            Credentials(self.names.account, found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
        )

    def log_in(self, credentials: Any) -> None:
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            self._monkeypatch.delenv(name)
        for name, value in self.aws.environment(credentials, REGION).items():
            self._monkeypatch.setenv(name, value)

    def publish(self, assembly: Assembly, target: PublishTarget | None = None) -> PublishReport:
        target = target or self.target
        return publish(assembly, [rendered(assembly)], target)

    def images(self, repository: str = NAMES.repository) -> dict[str, str]:
        """The images that are there: digests by tag."""
        found = self.ecr.describe_images(repositoryName=repository)["imageDetails"]
        return {tag: image["imageDigest"] for image in found for tag in image["imageTags"]}

    def keys(self) -> set[str]:
        s3 = self.aws.client("s3", self.admin, REGION)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self.names.staging_bucket)
        return {o["Key"] for page in pages for o in page.get("Contents", ())}


@pytest.fixture
def place(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch, own_cache: Path, examined: Path) -> Iterator[Place]:
    monkeypatch.setenv("AMPLIFY_DELIVERY_CACHE", str(examined))
    yield Place(local_aws, monkeypatch)


def test_publish_pushes_once_and_deploy_finds_it(place: Place, todo: Assembly, tmp_path: Path) -> None:
    assembly = with_images(todo, tmp_path, "one", "two")
    place.log_in_as(PUBLISH)
    first = place.publish(assembly)
    assert place.images() == {image.tag: image.digest for image in assembly.images}
    assert (first.images.pushed, first.images.present) == (2, 0)
    again = place.publish(assembly)
    assert vars(again.images) == {"pushed": 0, "present": 2, "bytes": 0}
    assert not {"GetAuthorizationToken", "PutImage"} & again.requests.keys(), "no login for what is there"
    place.log_in_as(DEPLOY)
    # A release that was published before: nobody has its bytes any more.
    assert place.publish(replace(assembly, layout=None)).images.present == 2


@pytest.mark.parametrize(("kind", "says"), [("SCANS", ""), ("NEVER", "was never scanned"), ("ENHANCED", "")])
def test_who_plans_and_deploys_is_told_what_a_scan_has_found(
    place: Place, todo: Assembly, tmp_path: Path, kind: str, says: str
) -> None:
    # Amazon Inspector's findings are asked for with the caller's own rights.
    place.ecr.put_registry_scanning_configuration(scanType="ENHANCED" if kind == "ENHANCED" else "BASIC", rules=[])
    place.ecr.put_image_scanning_configuration(
        repositoryName=place.names.repository, imageScanningConfiguration={"scanOnPush": kind == "SCANS"}
    )
    assembly = with_images(todo, tmp_path, "one")
    place.log_in_as(PUBLISH)
    place.publish(assembly)
    config = SimpleNamespace(
        image_findings=ImageFindings(refuse="low"), account=place.names.account, environment="prod"
    )
    for project in (PLAN, DEPLOY):
        place.log_in_as(project)
        account = Account(place.names.account, REGION)
        target: Any = SimpleNamespace(account=account, config=config, names=place.names, assembly=assembly)
        if says:
            with pytest.raises(RefusedError, match=says):
                image_findings.check(target, ())
        else:
            assert image_findings.check(target, ()) == ()
    unpublished = replace(assembly, images=(replace(assembly.images[0], digest=f"sha256:{64 * '1'}"),))
    target.assembly = unpublished
    (note,) = image_findings.check(target, ())
    assert "not published yet" in note


def test_deploy_may_look_and_not_push(place: Place, todo: Assembly, tmp_path: Path) -> None:
    place.log_in(place.admin)
    place.publish(todo)
    place.log_in_as(DEPLOY)
    with pytest.raises(PublishError, match=r"logging in to the registry.*GetAuthorizationToken"):
        place.publish(with_images(todo, tmp_path, "one"))
    assert place.images() == {}


def test_publish_reaches_no_other_repository(place: Place, todo: Assembly, tmp_path: Path) -> None:
    place.log_in_as(PUBLISH)
    with pytest.raises(PublishError, match=r"(?s)BatchGetImage.*bootstrap ENV"):
        place.publish(with_images(todo, tmp_path, "one"), replace(place.target, repository="todoapp/canary"))
    assert place.images("todoapp/canary") == {}


def test_nothing_is_published_that_names_an_image_which_could_not_be_pushed(
    place: Place, todo: Assembly, tmp_path: Path
) -> None:
    """Altered on its way, not built, not there any more: whatever is wrong with an image, no template is published."""
    place.log_in_as(PUBLISH)
    assembly = with_images(todo, tmp_path, "one")
    assert assembly.layout is not None
    unbuilt = replace(assembly, images=(AssemblyImage("image0", UNBUILT, 0, "linux/amd64"),))
    with pytest.raises(AssemblyError, match="declared, but not built here"):
        place.publish(unbuilt)
    with pytest.raises(AssemblyError, match="its image is not in the repository"):
        place.publish(replace(assembly, layout=None))
    layer = max((assembly.layout / "blobs/sha256").iterdir(), key=lambda path: path.read_bytes()[:2] == b"\x1f\x8b")
    layer.write_bytes(bytes(reversed(layer.read_bytes())))
    with pytest.raises(PublishError, match="DIGEST_INVALID"):
        place.publish(assembly)
    path = blob_path(assembly.layout, assembly.images[0].digest)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(AssemblyError, match="it was altered"):
        place.publish(assembly)
    assert place.images() == {}
    assert place.keys() == set()


def test_a_tag_that_means_another_image_is_refused(place: Place, todo: Assembly, tmp_path: Path) -> None:
    assembly = with_images(todo, tmp_path, "ours", "theirs")
    ours, theirs = assembly.images
    place.log_in_as(PUBLISH)
    place.publish(replace(assembly, images=(theirs,)))
    found = place.ecr.batch_get_image(repositoryName=place.names.repository, imageIds=[{"imageTag": theirs.tag}])[
        "images"
    ][0]
    put = {"imageManifest": found["imageManifest"], "imageManifestMediaType": found["imageManifestMediaType"]}
    place.ecr.put_image(repositoryName=place.names.repository, imageTag=ours.tag, **put)
    with pytest.raises(PublishError, match=r"(?s)another image.*batch-delete-image --region eu-central-1"):
        place.publish(replace(assembly, images=(ours,)))


def test_a_repository_that_is_not_there_is_said(place: Place, todo: Assembly, tmp_path: Path) -> None:
    place.log_in(place.admin)
    with pytest.raises(PublishError, match=r"(?s)RepositoryNotFound.*bootstrap ENV"):
        place.publish(with_images(todo, tmp_path, "one"), replace(place.target, repository="todoapp/none"))
    with pytest.raises(PublishError, match="there is no repository for them"):
        place.publish(with_images(todo, tmp_path / "two", "one"), replace(place.target, repository=None))


def test_who_was_slower_finds_what_is_there(
    place: Place, todo: Assembly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Amazon ECR takes no tag twice, also not for the same image (aws/containers-roadmap 2179)."""
    assembly = with_images(todo, tmp_path, "one")
    place.log_in_as(PUBLISH)
    place.publish(assembly)
    asked: list[Any] = []
    real = images._present

    def first_nothing(*arguments: Any) -> set[str]:
        asked.append(arguments)
        return set() if len(asked) == 1 else real(*arguments)

    monkeypatch.setattr(images, "_present", first_nothing)
    assert place.publish(assembly).images.bytes == 0
    assert len(asked) == 2
    # What lies under the tag is no image of one platform: BatchGetImage, asked for such, does not tell of it.
    monkeypatch.setattr(images, "_present", lambda *_: set())
    command = rf"aws ecr batch-delete-image --region {REGION} --profile ops --repository-name {place.names.repository} "
    with pytest.raises(PublishError, match=f"(?s)immutable.*{command}--image-ids imageTag={assembly.images[0].tag}"):
        images.push_images(assembly, replace(place.target, profile="ops"), lambda: place.ecr, lambda _: None)
