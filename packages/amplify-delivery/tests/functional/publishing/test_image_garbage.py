"""Container images that nothing needs any more: found in a repository, deleted, put back when somebody needs one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.deployment.releases import image_garbage
from amplify_delivery.delivery.deployment.releases.collecting import Garbage, Kept, look
from amplify_delivery.delivery.deployment.releases.running_images import with_running_images
from amplify_delivery.delivery.deployment.releases.staged import Staging, chosen
from amplify_delivery.errors import FailedError, RefusedError
from amplify_delivery.export import Assembly, EnvironmentValues, RootStack, render_root
from amplify_delivery.export.images.model import UNBUILT
from amplify_delivery.publishing import PublishTarget, images, publish
from amplify_delivery.stacks.images import PUSHED_IMAGES
from functional.publishing.test_earlier_releases import EXPIRES, LATER, Place, place  # noqa: F401 - a fixture
from functional.publishing.test_images import with_images
from unit.publishing.conftest import assembly_of

NOTHING: Mapping[str, Any] = {"resources": []}


class Repository:
    """The environment's repository beside its staging bucket."""

    def __init__(self, place: Place) -> None:  # noqa: F811
        self.place, developer = place, place.developer
        self.names = EnvironmentNames("seriesapp", developer.account, developer.region, "dev")
        self.ecr = developer.client("ecr")
        self.ecr.create_repository(repositoryName=self.names.repository, imageTagMutability="IMMUTABLE")

    def release(self, assembly: Assembly) -> RootStack:
        place = self.place  # noqa: F811
        root = render_root(assembly, EnvironmentValues("dev", EXPIRES, place.suffix), place.bucket)
        developer, repository = place.developer, self.names.repository
        target = PublishTarget(place.bucket, developer.account, developer.region, repository=repository)
        publish(assembly, [(root.object, root.body)], target)
        return root

    def target(self, root: RootStack, assembly: Assembly) -> Any:
        return SimpleNamespace(**vars(self.place.target(root)), names=self.names, assembly=assembly)

    def digests(self) -> set[str]:
        found = self.ecr.describe_images(repositoryName=self.names.repository)["imageDetails"]
        return {image["imageDigest"] for image in found}

    def tag(self, digest: str, tag: str) -> None:
        own: dict[str, Any] = {"repositoryName": self.names.repository}
        (image,) = self.ecr.batch_get_image(**own, imageIds=[{"imageDigest": digest}])["images"]
        kept = {name: image[name] for name in ("imageManifest", "imageManifestMediaType")}
        self.ecr.put_image(**own, **kept, imageTag=tag)


@pytest.fixture
def repository(place: Place) -> Repository:  # noqa: F811
    return Repository(place)


def with_image(folder: Path, version: str, text: str) -> Assembly:
    return with_images(assembly_of(f"todo-series/{version}"), folder / text, text)


def digest(assembly: Assembly) -> str:
    return assembly.images[0].digest


def test_images_that_nothing_needs_are_found_and_deleted(repository: Repository, tmp_path: Path) -> None:
    running, older, other = (
        with_image(tmp_path, version, text) for version, text in (("v1", "one"), ("v2", "two"), ("v3", "three"))
    )
    root = repository.release(running)
    repository.place.deploy(root)
    for assembly in (older, other):
        repository.release(assembly)
    target, now = repository.target(root, running), datetime.now(UTC)
    everything = {digest(a) for a in (running, older, other)}
    assert repository.digests() == everything

    def found(later: datetime, kept: Kept, state: Mapping[str, Any] = NOTHING) -> tuple[Garbage, set[str]]:
        objects = look(target, kept, later)
        return objects, {i.digest for i in image_garbage.look(target, objects, lambda: state, later).images}

    assert found(now, Kept(0, 0))[1] == set(), "what is young is kept"
    assert found(now + LATER, Kept(3, 0))[1] == set()
    objects, garbage = found(now + LATER, Kept(0, 0))
    assert garbage == {digest(older), digest(other)}
    # The program may have given the address to a resource of its own, which no template names.
    address = f"1.dkr.ecr.eu-central-1.amazonaws.com/seriesapp/dev@{digest(other)}"
    assert found(now + LATER, Kept(0, 0), {"resources": [{"inputs": {"imageUri": address}}]})[1] == {digest(older)}
    repository.tag(digest(older), "of-somebody-else")
    objects, garbage = found(now + LATER, Kept(0, 0))
    assert garbage == {digest(other)}, "somebody else has given it a name"

    images = image_garbage.look(target, objects, lambda: NOTHING, now + LATER)
    assert (images.others, images.size > 0) == (2, True)
    assert image_garbage.collect(target, objects, images) == 1
    assert repository.digests() == {digest(running), digest(older)}
    assert repository.release(running), "what runs is published again without its bytes"
    # As when the collection was killed before the objects: the release's manifest and objects are there.
    with pytest.raises(RefusedError, match=f"1 image of {other.digest()[:12]} are not in .*: image0") as caught:
        chosen(target, Staging(target), other.digest())
    assert "nothing was changed" in caught.value.remedy
    assert chosen(target, Staging(target), older.digest()).digest == older.digest()
    repository.ecr.delete_repository(repositoryName=repository.names.repository, force=True)
    with pytest.raises(RefusedError, match="1 image of"):
        chosen(target, Staging(target), older.digest())


def test_whoever_has_built_no_image_is_told_which_run(repository: Repository, tmp_path: Path) -> None:
    """In a clone, for `report`: of the release that runs, though another one was published since."""
    running, other = with_image(tmp_path, "v1", "one"), with_image(tmp_path, "v2", "two")
    root = repository.release(running)
    image = running.images[0]
    clone = replace(running, images=(replace(image, digest=UNBUILT, size=0),), layout=None)
    target = repository.target(root, clone)
    with pytest.raises(RefusedError, match=f"not built here, and none of that name runs: {image.name}"):
        with_running_images(target, dict)
    repository.place.deploy(root)
    repository.release(other)
    assert with_running_images(target, dict) == replace(running, layout=None)
    assert with_running_images(target, dict).digest() == running.digest()
    # A personal stack's state knows better: it pushes also where no release is published.
    urn, address = f"urn:pulumi:dev::app::pulumi:index:Stash::{PUSHED_IMAGES}", f"1.dkr.ecr/a/dev@{digest(other)}"
    state = {"resources": [{"urn": urn, "inputs": {"input": {image.name: address}}}]}
    assert with_running_images(target, lambda: state).images[0].digest == digest(other)


def test_what_is_published_meanwhile_stays_or_comes_back(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, wanted = (with_image(tmp_path, version, version) for version in ("v1", "v2"))
    root = repository.release(running)
    repository.place.deploy(root)
    repository.release(wanted)
    target, later = repository.target(root, running), datetime.now(UTC) + LATER
    objects = look(target, Kept(0, 0), later)
    garbage = image_garbage.look(target, objects, lambda: NOTHING, later)
    assert [i.digest for i in garbage.images] == [digest(wanted)]
    before = replace(objects, naming=frozenset())
    # Its manifest came between the look and the deletion.
    assert image_garbage.collect(target, before, garbage) == 0
    # It came while the image was deleted.
    answers = [frozenset[str](), frozenset({digest(wanted)})]
    monkeypatch.setattr(image_garbage, "_named_meanwhile", lambda *_: answers.pop(0))
    assert image_garbage.collect(target, objects, garbage) == 0
    assert digest(wanted) in repository.digests()
    # Whoever publishes has pushed it again by then: Amazon ECR takes no tag twice, also not for the same image.
    twice = image_garbage._Repository(target)
    (image,) = garbage.images
    twice.delete([image])
    assert twice.gone == [image]
    twice.put_back([image])
    twice.put_back([image])
    assert digest(wanted) in repository.digests()
    # And its layers are gone by then.
    answers += [frozenset(), frozenset({digest(wanted)})]
    put = image_garbage._Repository._put
    monkeypatch.setattr(image_garbage._Repository, "_put", lambda self, image: put(without_layers(self, image), image))
    with pytest.raises(FailedError, match=r"(?s)deleted while a release.*Layers.*publish that release again"):
        image_garbage.collect(target, objects, garbage)


def without_layers(repository: Any, image: Any) -> Any:
    kept = dict(repository._manifests[image.tag])
    manifest = json.loads(kept["imageManifest"])
    manifest["layers"][0]["digest"] = f"sha256:{64 * '1'}"
    repository._manifests[image.tag] = {**kept, "imageManifest": json.dumps(manifest)}
    return repository


def test_an_image_that_went_before_its_manifest_came_is_pushed_again(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`gc` knows of a release by its manifest: until that is there, it may take an image that was found to be there."""
    first = with_image(tmp_path, "v1", "one")
    repository.release(first)
    second = replace(assembly_of("todo-series/v2"), images=first.images, layout=first.layout)
    real, asked = images._present, list[int]()

    def present(*arguments: Any) -> set[str]:
        found = real(*arguments)
        if not asked:
            own: dict[str, Any] = {"repositoryName": repository.names.repository}
            repository.ecr.batch_delete_image(**own, imageIds=[{"imageTag": first.images[0].tag}])
        asked.append(1)
        return found

    monkeypatch.setattr(images, "_present", present)
    repository.release(second)
    assert repository.digests() == {digest(first)}
    asked.append(1)
    number = len(asked)
    repository.release(second)
    assert len(asked) == number + 1, "nothing new: they are looked for once"


def test_amazon_ecr_is_asked_only_where_a_release_has_images(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    assembly = assembly_of("todo-series/v1")
    root = render_root(assembly, EnvironmentValues("dev", EXPIRES, "x"), "bucket")
    target, now = repository.target(root, assembly), datetime.now(UTC)
    nothing = Garbage((), 0, (), frozenset())
    state = partial(pytest.fail, "asked for the state")
    target.names = replace(repository.names, environment="none")
    assert image_garbage.look(target, replace(nothing, digests=frozenset({"sha256:1"})), state, now).images == ()
    monkeypatch.setattr(target.account, "client", partial(pytest.fail, "asked"))
    assert image_garbage.look(target, nothing, state, now).images == ()


def test_of_a_batch_that_is_refused_in_part_what_is_needed_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody publishes meanwhile what was deleted, and one image beside it cannot be."""
    when = datetime.now(UTC)
    gone, kept, lost = (image_garbage.StoredImage(f"app-{n * 64}", f"sha256:{n * 64}", 1, when) for n in "abc")
    named = iter([frozenset(), frozenset({gone.digest, lost.digest})])
    monkeypatch.setattr(image_garbage, "_named_meanwhile", lambda *_: next(named))
    put: list[str] = []

    def get(**_: Any) -> Any:
        manifests = {"imageManifest": "{}", "imageManifestMediaType": "application/vnd.oci.image.manifest.v1+json"}
        return {"images": [{"imageId": {"imageTag": image.tag}, **manifests} for image in (gone, kept, lost)]}

    def delete(**_: Any) -> Any:
        # Of the last one the answer was lost, and the SDK has asked again.
        left = [(kept.tag, "KmsError"), (lost.tag, "ImageNotFound")]
        return {"failures": [{"imageId": {"imageTag": tag}, "failureCode": why} for tag, why in left]}

    ecr = SimpleNamespace(
        batch_get_image=get, batch_delete_image=delete, put_image=lambda **given: put.append(given["imageTag"])
    )
    account = SimpleNamespace(client=lambda _: ecr, changing=lambda *_, **__: nullcontext())
    config = SimpleNamespace(account="1", environment="dev")
    target: Any = SimpleNamespace(account=account, config=config, names=SimpleNamespace(repository="app/dev"))
    nothing: Any = None
    with pytest.raises(FailedError, match=kept.tag):
        image_garbage.collect(target, nothing, image_garbage.ImageGarbage((gone, kept, lost)))
    assert put == [gone.tag, lost.tag]
