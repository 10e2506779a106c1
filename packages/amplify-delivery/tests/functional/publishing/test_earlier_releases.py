"""What the staging bucket holds of earlier releases: found, fetched, and collected when nothing needs it any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.changes.stateful import CLOUDFORMATION_TYPES
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.deployment.releases import staged
from amplify_delivery.delivery.deployment.releases.collecting import Garbage, Kept, collect, look
from amplify_delivery.delivery.deployment.releases.staged import Staging, chosen, fetch, releases_of, running
from amplify_delivery.errors import RefusedError
from amplify_delivery.export import Assembly, EnvironmentValues, RootStack, in_production, load_assembly, render_root
from amplify_delivery.export.manifests import ANNOUNCED, key_of
from amplify_delivery.publishing import PublishTarget, announcing, publish, upload
from aws_rehearsal_tests.local_account import LocalAccount
from unit.publishing.conftest import assembly_of

EXPIRES = int(datetime.now(UTC).timestamp()) + 200 * 24 * 3600
LATER = timedelta(days=2)


@dataclass
class Place:
    """An account with a staging bucket, and this process logged in to it."""

    developer: LocalAccount
    bucket: str
    suffix: str
    """Of the deployment bucket's name, which is global."""
    production: bool | None = None

    def release(self, assembly: Assembly) -> RootStack:
        root = render_root(assembly, EnvironmentValues("dev", EXPIRES, self.suffix), self.bucket)
        target = PublishTarget(self.bucket, self.developer.account, self.developer.region)
        publish(assembly, [(root.object, root.body)], target)
        return root

    def deploy(self, root: RootStack, operation: str = "create") -> None:
        url = f"https://s3.{self.developer.region}.amazonaws.com/{self.bucket}/{root.object.key}"
        parameters = [{"ParameterKey": k, "ParameterValue": v} for k, v in root.parameters.items()]
        done = getattr(self.developer, operation)(url, root.stack_name, Parameters=parameters)
        assert done["StackStatus"] == f"{operation.upper()}_COMPLETE", self.developer.reasons(root.stack_name)

    def target(self, root: RootStack) -> Any:
        developer = self.developer
        config = SimpleNamespace(
            account=developer.account,
            region=developer.region,
            bootstrapped=False,
            environment="dev",
            profile=None,
            production=self.production,
            successors=(),
        )
        account = Account(developer.account, developer.region)
        return SimpleNamespace(account=account, bucket=self.bucket, config=config, root=root)


@pytest.fixture
def place(developer: LocalAccount, monkeypatch: pytest.MonkeyPatch, own_cache: Path, examined: Path) -> Place:
    monkeypatch.setenv("AMPLIFY_DELIVERY_CACHE", str(examined))
    for name, value in developer.environment.items():
        monkeypatch.setenv(name, value)
    bucket = developer.bucket("staging")
    versions = {"Status": "Enabled"}
    developer.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versions)
    return Place(developer, bucket, developer.account[-5:])


def test_from_one_release_to_the_next_and_back(place: Place, tmp_path: Path) -> None:
    first, second = assembly_of("todo-series/v1"), assembly_of("todo-series/v2")
    old = place.release(first)
    nowhere = place.target(old)
    nowhere.bucket += "-none"
    with pytest.raises(RefusedError, match="no earlier assembly is staged"):
        chosen(nowhere, Staging(nowhere), None)
    place.deploy(old)
    target = place.target(old)
    staging = Staging(target)
    with pytest.raises(RefusedError, match="no earlier assembly is staged"):
        chosen(target, staging, None)

    new = place.release(second)
    place.deploy(new, "update")
    target = place.target(new)
    staging = Staging(target)
    found = releases_of(target, staging.objects())
    assert {r.digest for r in found} == {first.digest(), second.digest()}
    now = running(target, staging, found)
    assert now is not None
    assert now.digest == second.digest()

    before = chosen(target, staging, None)
    assert before.digest == chosen(target, staging, first.digest()[:10]).digest == first.digest()
    fetch(staging, before, tmp_path / "assembly")
    assert load_assembly(tmp_path / "assembly") == first
    with pytest.raises(RefusedError, match=f"no assembly f00d is staged(.*\n)*.*{first.digest()[:12]}"):
        chosen(target, staging, "f00d")

    lost = next(o.key for o in first.objects if o.key not in {x.key for x in second.objects})
    place.developer.client("s3").delete_object(Bucket=place.bucket, Key=lost)
    with pytest.raises(RefusedError, match="1 object of"):
        chosen(target, Staging(target), None)


def test_what_runs_is_never_collected_nor_what_is_kept_nor_what_is_young(place: Place) -> None:
    first, second = assembly_of("todo-series/v1"), assembly_of("todo-series/v2")
    old = place.release(first)
    place.deploy(old)
    place.release(second)
    s3 = place.developer.client("s3")
    s3.put_object(Bucket=place.bucket, Key="theirs/file", Body=b"1")
    target, now = place.target(old), datetime.now(UTC)
    there = set(Staging(target).objects())
    assert "theirs/file" not in there
    assert look(target, Kept(0, 0), now).keys == ()
    assert look(target, Kept(1, 0), now + LATER).keys == look(target, Kept(0, 9), now + LATER).keys

    found = look(target, Kept(0, 0), now + LATER)
    needed = {o.key for o in first.objects} | {old.object.key, key_of(first.digest())}
    only_new = {o.key for o in second.objects} - needed
    assert only_new <= set(found.keys)
    assert not needed & set(found.keys)

    # Somebody publishes a release meanwhile: its manifest was not there before, and what it names comes back.
    bodies = tuple(key for key in found.keys if key != key_of(second.digest()))
    assert collect(target, Garbage(bodies, 0, (), frozenset({key_of(first.digest())}))) == len(bodies) - len(only_new)
    assert only_new <= set(Staging(target).objects())

    found = look(target, Kept(0, 0), now + LATER)
    assert collect(target, found) == len(found.keys)
    assert set(Staging(target).objects()) >= needed
    assert not only_new & set(Staging(target).objects())
    assert look(target, Kept(0, 0), now + LATER).keys == ()
    assert s3.head_object(Bucket=place.bucket, Key="theirs/file")
    release = place.release(second)
    place.deploy(release, "update")

    # Whatever runs, also what no manifest tells of: an earlier version has published it, or somebody has deleted that.
    s3.delete_object(Bucket=place.bucket, Key=key_of(second.digest()))
    running_now = {release.object.key, *(o.key for o in second.objects)}
    assert not running_now & set(look(place.target(release), Kept(0, 0), now + LATER).keys)


def test_a_release_that_was_published_a_moment_ago_is_kept_with_its_old_objects(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were another release's, which nobody keeps. Whoever has published it will deploy it."""
    old, new = assembly_of("todo-series/v1"), assembly_of("todo-series/v2")
    root = place.release(old)
    place.deploy(root)
    place.release(new)
    later, objects = datetime.now(UTC) + LATER, Staging.objects
    moment = {key_of(new.digest()): later}
    monkeypatch.setattr(Staging, "objects", lambda staging: objects(staging) | moment)
    kept = {o.key for o in new.objects}
    assert not kept & {*look(place.target(root), Kept(0, 0), later).keys}
    moment.clear()
    assert kept & {*look(place.target(root), Kept(0, 0), later).keys}


@pytest.mark.parametrize("manifest_there", [True, False], ids=["published before", "of old objects alone"])
@pytest.mark.parametrize("when", [1, 2, 3], ids=["before it announces", "after it has looked", "at its end"])
def test_who_publishes_what_is_there_loses_nothing_to_a_collection(
    place: Place, monkeypatch: pytest.MonkeyPatch, when: int, *, manifest_there: bool
) -> None:
    """Its manifest and its objects are there, or the objects alone, which another release had: they are left out, and
    collected meanwhile, wherever the two meet."""
    monkeypatch.setattr(announcing, "OLD", timedelta(0))
    first, second = assembly_of("todo-series/v1"), assembly_of("todo-series/v2")
    old = place.release(first)
    new = place.release(second)
    place.deploy(new)
    if not manifest_there:
        for key in (old.object.key, key_of(first.digest())):
            place.developer.client("s3").delete_object(Bucket=place.bucket, Key=key)
    target, now = place.target(new), datetime.now(UTC)
    found = look(target, Kept(0, 0), now + LATER)
    own = {old.object.key, key_of(first.digest()), *(o.key for o in first.objects)}
    assert own & set(found.keys)
    listed, looks = upload._Connection._listed, iter(range(1, 9))

    def interleaved(self: Any, wanted: Any) -> Any:
        there = listed(self, wanted)
        if next(looks) == when:
            collect(target, found)
        return there

    monkeypatch.setattr(upload._Connection, "_listed", interleaved)
    place.release(first)
    if when == 3:
        collect(target, found)
    assert own <= set(Staging(target).objects())
    # However old what it counts on is, until somebody had time to deploy it; afterwards the announcement goes as well.
    objects = Staging.objects
    with monkeypatch.context() as patched:
        patched.setattr(Staging, "objects", lambda staging: dict.fromkeys(objects(staging), now - LATER * 50))
        assert not own & set(look(target, Kept(0, 9), now + LATER).keys)
    over = look(target, Kept(0, 0), now + LATER)
    assert any(key.startswith(f"{ANNOUNCED}/") for key in over.keys)
    assert collect(target, over) == len(over.keys)
    assert not Staging(target).naming().keys() & set(over.keys)


def test_nothing_is_collected_while_cloudformation_may_go_back(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    root = place.release(assembly_of("todo-series/v1"))
    target, states = place.target(root), ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED"]
    for state in states:
        found = {"StackStatus": state, "StackId": "id", "StackName": root.stack_name}
        monkeypatch.setattr("amplify_delivery.delivery.deployment.releases.collecting.described", lambda *_, f=found: f)
        with pytest.raises(RefusedError, match=state):
            look(target, Kept(0, 0), datetime.now(UTC))
    assert staged.Staging(target).objects()


def test_in_production_the_same_release_is_found_again(place: Place, tmp_path: Path) -> None:
    """It was published in the form that production has, and never before."""
    first, second = (assembly_of(name) for name in ("todo-series/v1", "todo-series/v2"))
    old = place.release(first)
    place.deploy(old)
    place.production = True
    new = place.release(in_production(second, True, CLOUDFORMATION_TYPES))
    place.deploy(new, "update")
    target = place.target(new)
    staging = Staging(target)
    there = releases_of(target, staging.objects())
    now = running(target, staging, there)
    assert now
    assert now.digest == second.digest()
    back = chosen(target, staging, None)
    assert back.digest == first.digest()
    again = chosen(target, staging, second.digest())
    fetch(staging, again, tmp_path / "again")
    assert load_assembly(tmp_path / "again") == second
    kept = look(target, Kept(1, 0), datetime.now(UTC) + LATER)
    assert not {o.key for o in second.objects} & {*kept.keys}
    # Once something else runs, its root and its form in production stay as long as it is kept: a pipeline goes back to
    # it with a role that publishes nothing.
    third = place.release(in_production(assembly_of("todo-series/v3"), True, CLOUDFORMATION_TYPES))
    place.deploy(third, "update")
    own = {new.object.key, *(o.key for o in in_production(second, True, CLOUDFORMATION_TYPES).objects)}
    later = datetime.now(UTC) + LATER
    assert not own & {*look(place.target(third), Kept(9, 0), later).keys}
    assert new.object.key in look(place.target(third), Kept(0, 0), later).keys
