"""Which releases can be gone back to, and what nothing needs: pure."""

from __future__ import annotations

import hashlib
import json
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.deployment.releases import collecting, staged
from amplify_delivery.delivery.deployment.releases.collecting import Garbage, Kept, collect, garbage, reachable
from amplify_delivery.delivery.deployment.releases.staged import Release, last_before
from amplify_delivery.errors import AssemblyError, ConfigError, FailedError, RefusedError
from amplify_delivery.export import Assembly, EnvironmentValues, assemble, read_export, render_root
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.export.assembly import canonical
from amplify_delivery.export.images.model import PREFIX, AssemblyImage, GivenImage, Images
from amplify_delivery.export.manifests import is_content_key, key_of, manifest, named_in, read_manifest, runs
from amplify_delivery.publishing.aws_errors import told_as
from unit.places import EXPORTS
from unit.publishing.conftest import BUCKET, assembly_of

KEPT = [(0, 0, ""), (2, 0, "ab"), (0, 35, "abc"), (1, 35, "abc"), (4, 0, "abcd")]
NOW = datetime(2027, 1, 31, tzinfo=UTC)
OLD = NOW - timedelta(days=40)


def key(name: str, folder: str = "vtl") -> str:
    end = "json" if folder in ("templates", "assemblies") else "vtl"
    return f"{folder}/{hashlib.sha256(name.encode()).hexdigest()}.{end}"


def test_a_manifest_is_the_assembly_again() -> None:
    assembly = assembly_of("full")
    item, body = manifest(assembly)
    assert item.key == key_of(assembly.digest())
    assert (item.sha256, item.size) == (hashlib.sha256(body).hexdigest(), len(body))
    found = read_manifest(body, assembly.digest(), assembly.reader)
    assert found == assembly
    assert found.read(found.objects[0].key) == assembly.read(assembly.objects[0].key)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tags": [{"key": "a", "value": "b"}]}, "was altered"),
        ({"format": 1}, "format 1"),
        ({"objects": 3}, "was altered"),
    ],
)
def test_an_altered_manifest_is_not_believed(change: dict[str, Any], says: str) -> None:
    assembly = assembly_of("todo")
    body = canonical({**assembly.to_json(), **change})
    with pytest.raises(AssemblyError, match=says):
        read_manifest(body, assembly.digest(), assembly.reader)
    with pytest.raises(AssemblyError, match="is not an assembly"):
        read_manifest(b"", assembly.digest(), assembly.reader)


def test_what_runs_is_told_by_the_nested_stacks_of_the_root() -> None:
    first, second = assembly_of("todo-series/v1"), assembly_of("todo-series/v2")
    root = render_root(second, EnvironmentValues("dev", 1_900_000_000), BUCKET)
    text = root.body.decode()
    assert runs(second, text)
    assert not runs(first, text)
    assert not runs(second, "")


def with_image(text: str) -> Assembly:
    """The same export with an image that a parameter takes, built of `text`, and one that only the program takes."""
    export = read_export(next((EXPORTS / "todo").glob("amplify-export-*")))
    stack, nested = next((name, nested) for name, nested in export.root.nested.items() if nested.declared)
    free = [name for name in nested.declared if name not in export.root.wired(stack)]
    image = AssemblyImage("orders", PREFIX + hashlib.sha256(text.encode()).hexdigest(), 9, "linux/amd64")
    other = AssemblyImage("program", PREFIX + hashlib.sha256(f"{text}2".encode()).hexdigest(), 9, "linux/amd64")
    return assemble(export, images=Images((GivenImage(image, ((stack, free[0]),)), GivenImage(other))))


def test_releases_that_differ_in_an_image_only_are_told_apart() -> None:
    """Their nested stacks are the same: `rollback` would go back to what runs, `gc` would keep the wrong one."""
    first, second = with_image("first"), with_image("second")
    assert {n.template for n in first.root.nested.values()} == {n.template for n in second.root.nested.values()}
    text = render_root(second, EnvironmentValues("dev", 1_900_000_000), BUCKET).body.decode()
    assert (runs(first, text), runs(second, text)) == (False, True)


def test_a_manifest_names_all_that_its_assembly_needs() -> None:
    """However a template names it: else `gc` would take what runs."""
    for name in ("todo", "full", "iam"):
        assembly = assembly_of(name)
        _, body = manifest(assembly)
        assert set(named_in(body.decode())) == {o.key for o in assembly.objects}
        root = render_root(assembly, EnvironmentValues("dev", 1_900_000_000), BUCKET)
        text = json.dumps([root.body.decode(), dict(root.parameters)])
        bodies = {o.key: assembly.read(o.key) for o in assembly.objects}
        found = reachable(named_in(text), bodies.get)
        files = {f.key for f in assembly.bucket_files}
        assert {o.key for o in assembly.objects} - files <= found, name


def test_templates_lead_to_what_they_name_and_nothing_else_does() -> None:
    bodies = {
        key("root", "templates"): f"{key('child', 'templates')} {key('a')}",
        key("child", "templates"): f"s3://bucket/{key('b')}",
        key("a"): key("c"),
    }
    asked: list[str] = []

    def read(name: str) -> bytes | None:
        asked.append(name)
        return bodies[name].encode() if name in bodies else None

    found = reachable([key("root", "templates"), key("lost", "templates")], read)
    assert found == {*(key(n, "templates") for n in ("root", "child", "lost")), key("a"), key("b")}
    assert key("a") not in asked, "a resolver names nothing"


def test_garbage_is_ours_old_and_needed_by_nothing() -> None:
    there = {key("needed"): OLD, key("old"): OLD, key("young"): NOW - timedelta(hours=20), "theirs/old.zip": OLD}
    there["vtl/short.vtl"] = OLD
    assert garbage(there, {key("needed")}, NOW) == (key("old"),)
    assert [k for k in there if not is_content_key(k)] == ["theirs/old.zip", "vtl/short.vtl"]


@pytest.mark.parametrize(
    ("last", "days", "kept"), [(0, 0, ""), (2, 0, "ab"), (0, 35, "abc"), (1, 35, "abc"), (4, 0, "abcd")]
)
def test_releases_are_kept_by_number_and_by_age(last: int, days: int, kept: str) -> None:
    releases = [Release(name, (NOW - timedelta(days=10 * (i + 1)),)) for i, name in enumerate("abcd")]
    assert "".join(r.digest for r in Kept(last, days).of(releases, NOW)) == kept


@pytest.mark.parametrize(
    ("deployed", "runs_now", "back_to"),
    [
        ("ab", "b", "a"),
        ("abab", "b", "a"),
        ("aba", "a", ""),
        ("abcb", "b", "a"),
        ("abac", "c", "a"),
        ("ab", "", "b"),
        ("a", "a", ""),
    ],
    ids=[
        "before",
        "again and again",
        "back to the first",
        "a second time",
        "reverted, then new",
        "another's",
        "only one",
    ],
)
def test_the_last_one_before_what_runs_came(deployed: str, runs_now: str, back_to: str) -> None:
    times: dict[str, tuple[datetime, ...]] = {}
    for day, name in enumerate(deployed):
        times[name] = (*times.get(name, ()), OLD + timedelta(days=day))
    releases = sorted((Release(name, t) for name, t in times.items()), key=lambda r: r.when, reverse=True)
    now = next((r for r in releases if r.digest == runs_now), None)
    assert "".join(r.digest for r in last_before(now, releases)) == back_to


@pytest.mark.parametrize(("recorded", "back_to"), [(True, "a"), (False, "b")], ids=["told", "not told"])
def test_what_nobody_has_deployed_is_none_to_go_back_to_where_that_is_known(
    recorded: bool, back_to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Published last but one, and rejected: without an audit log nobody knows."""
    last, rejected, now = (
        Release(name, (OLD + timedelta(days=day),), recorded and name != "b") for day, name in enumerate("abc")
    )
    monkeypatch.setattr(staged, "releases_of", lambda *_: [now, rejected, last])
    monkeypatch.setattr(staged, "running", lambda *_: now)
    monkeypatch.setattr(staged, "_check_whole", lambda *_: None)
    staging: Any = SimpleNamespace(objects=dict, assembly=lambda digest: digest)
    target: Any = SimpleNamespace()
    assert staged.chosen(target, staging, None).digest == back_to
    # Who names it gets it.
    assert staged.chosen(target, staging, "b") == rejected


def test_what_several_begin_with_names_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    releases = [Release(f"{start}{n:02}{'0' * 61}", (OLD,)) for start in "ab" for n in range(20)]
    monkeypatch.setattr(staged, "releases_of", lambda *_: releases)
    staging: Any = SimpleNamespace(objects=dict)
    target: Any = SimpleNamespace(bucket="staging", config=SimpleNamespace(environment="prod"))
    with pytest.raises(RefusedError, match="several assemblies begin with b1") as caught:
        staged.chosen(target, staging, "b1")
    # Those that she may mean, and no others.
    assert {line.split()[0][:2] for line in caught.value.message.splitlines()[1:]} == {"b1"}


class Bucket:
    """A staging bucket of which the second batch is refused; what was brought back."""

    def __init__(self) -> None:
        self.batches, self.back = 0, list[str]()

    @property
    def target(self) -> Any:
        account = SimpleNamespace(
            client=lambda _: self, changing=lambda what, **_: told_as(FailedError, what, "account", {})
        )
        return SimpleNamespace(account=account, bucket="staging", config=SimpleNamespace(account="111122223333"))

    def delete_objects(self, Delete: Any, **_: str) -> Any:  # noqa: N803 - as boto3 calls it
        self.batches += 1
        keys = [item["Key"] for item in Delete["Objects"]]
        if self.batches == 2:
            return {"Errors": [{"Key": keys[0], "Code": "AccessDenied", "Message": "Access Denied"}]}
        return {"Deleted": [{"Key": key, "DeleteMarkerVersionId": f"marker of {key}"} for key in keys]}

    def delete_object(self, Key: str, VersionId: str, **_: str) -> None:  # noqa: N803
        assert VersionId == f"marker of {Key}"
        self.back.append(Key)


def test_what_was_named_meanwhile_comes_back_whatever_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket()
    monkeypatch.setattr(collecting, "_BATCH", 2)
    named = iter([set(), {"vtl/other"}, {"vtl/b", "vtl/other"}])
    monkeypatch.setattr(collecting, "named_meanwhile", lambda *_: next(named, {"vtl/b"}))
    garbage = Garbage(("vtl/a", "vtl/b", "vtl/c", "vtl/d", "vtl/e"), 0, (), frozenset())
    with pytest.raises(FailedError, match="vtl/c could not be deleted: Access Denied") as caught:
        collect(bucket.target, garbage)
    assert (bucket.batches, bucket.back) == (2, ["vtl/b"])
    assert caught.value.remedy.startswith("1 object went before")


def test_the_roots_of_what_is_needed_are_needed_too() -> None:
    nested, other = key("nested", "templates"), key("other", "templates")
    texts = {
        key("root", "templates"): f"{TEMPLATE_KEY} {nested}",
        key("another root", "templates"): f"{TEMPLATE_KEY} {nested} {other}",
        key("no root", "templates"): nested,
        key("empty", "templates"): TEMPLATE_KEY,
        key("vtl"): f"{TEMPLATE_KEY} {nested}",
    }
    assert collecting.roots(texts, {nested}, lambda k: texts[k].encode()) == {key("root", "templates")}


@pytest.mark.parametrize("error", [AssemblyError("altered"), ConfigError("no such table"), RefusedError("throttled")])
def test_of_what_aws_does_not_tell_nothing_is_taken_for_garbage(error: Exception) -> None:
    """A release that nobody can deploy again needs nothing; of one that could not be read just now nobody knows."""

    def assembly(_: str) -> Assembly:
        raise error

    target, staging = SimpleNamespace(config=None), SimpleNamespace(assembly=assembly)
    with pytest.raises(RefusedError) if isinstance(error, RefusedError) else nullcontext():
        assert collecting._form(target, staging, Release("a", (NOW,))) == []  # type: ignore[arg-type]


def test_what_another_root_needs_is_no_garbage() -> None:
    """The suffix was changed, or another export lies here: by its name nothing runs, in the same bucket."""
    account = SimpleNamespace(account="111122223333", region="eu-west-1", place="account 111122223333 (eu-west-1)")
    target: Any = SimpleNamespace(account=account, root=SimpleNamespace(stack_name="amplify-app-dev-22222"))
    urn = "urn:pulumi:dev::app::amplify-delivery:index:AmplifyBackend$aws:cloudformation/stack:Stack::backend"

    def check(name: str, region: str = "eu-west-1") -> None:
        arn = f"arn:aws:cloudformation:{region}:111122223333:stack/{name}/1"
        collecting.check_root(target, "dev", [{"urn": urn, "type": ROOT_STACK, "id": arn}])

    check("amplify-app-dev-22222")
    for other in (("amplify-app-dev-11111",), ("amplify-app-dev-22222", "us-east-1")):
        with pytest.raises(RefusedError, match="would be taken for garbage"):
            check(*other)
    collecting.check_root(target, "dev", [{"urn": urn, "type": ROOT_STACK, "id": "amplify-app-dev-22222"}])
    collecting.check_root(target, "dev", [])


def test_of_a_stack_that_a_migration_to_gen_2_has_locked_nothing_is_collected() -> None:
    """What it ran before may be needed to take the migration back."""
    lock = {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}
    cloudformation = SimpleNamespace(
        meta=SimpleNamespace(region_name="eu-west-1"),
        describe_stacks=lambda **_: {"Stacks": [{"StackName": "root", "StackStatus": "UPDATE_COMPLETE"}]},
        get_stack_policy=lambda **_: {"StackPolicyBody": json.dumps({"Statement": [lock]})},
    )
    account = SimpleNamespace(asking=lambda _: nullcontext(), client=lambda _: cloudformation, options="")
    target: Any = SimpleNamespace(account=account, root=SimpleNamespace(stack_name="root"))
    with pytest.raises(RefusedError, match="migration to Gen 2 sets it"):
        collecting._running(target)
