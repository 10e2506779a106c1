"""Previews: what is refused before anything is made, and whom their account lets in."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery import cli
from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.steps import RemoveResource
from amplify_delivery.components.documents.web_identity import GITHUB
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import begun, updating
from amplify_delivery.delivery.deployment.previews import pattern, previewing
from amplify_delivery.delivery.deployment.previews.previewing import _check_pattern
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.scaffold import project_files
from amplify_delivery.delivery.teardown import destruction, leftovers
from amplify_delivery.delivery.teardown.held import Held
from amplify_delivery.errors import ConfigError, DeliveryError, FailedError, RefusedError
from aws_rehearsal.policy import Principal, Request, Role, World, decide

PLACE = {"account": '"444444444444"', "region": "eu-central-1"}
PATTERN = {**PLACE, "disposable": "true"}


def stack_file(folder: Path, name: str, keys: dict[str, str], more: str = "encryptionsalt: v1:abc\n") -> None:
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    lines = "".join(f"  shop:{key}: {value}\n" for key, value in keys.items())
    (folder / f"Pulumi.{name}.yaml").write_text(f"{more}config:\n{lines}")


@pytest.mark.parametrize("number", [1, 12, 99_999_999])
def test_names_are_short_and_always_the_same(number: int) -> None:
    name = pattern.name_of(number)
    assert name == f"pr{number}"
    assert len(name) <= 10
    assert pattern.is_preview(name)


def test_a_previews_file_is_kept_out_of_git_and_no_others() -> None:
    """It is made again by each run: committed, it would be what the next one finds."""
    ignored = next(line for line in project_files._IGNORED.splitlines() if "Pulumi" in line).removeprefix("/")
    names = ("pr1", "pr12", "pr99999999", "preview", "preprod", "prod", "pr")
    assert [name for name in names if fnmatch(f"Pulumi.{name}.yaml", ignored)] == ["pr1", "pr12", "pr99999999"]


@pytest.mark.parametrize("number", [0, -1, 100_000_000])
def test_what_is_no_pull_request(number: int) -> None:
    with pytest.raises(ConfigError, match="is not the number of a pull request"):
        pattern.name_of(number)


@pytest.mark.parametrize("name", ["dev", "pr", "pr0", "pr01", "prod", "pr12x", "apr12", "pr123456789"])
def test_no_other_stack_is_a_preview(name: str) -> None:
    assert not pattern.is_preview(name)


@pytest.mark.parametrize(
    ("keys", "more", "says"),
    [
        (PLACE, "encryptionsalt: v1:abc\n", "does not say `disposable: true`"),
        (PATTERN, "", "does not say how the previews' states are encrypted"),
        (PATTERN, "secretsprovider: awskms://alias/x\n", "does not say how the previews' states are encrypted"),
        ({**PATTERN, "environment": "other"}, "encryptionsalt: x\n", "each preview has its own"),
        (
            {**PATTERN, "bootstrapped": "true"},
            "encryptionsalt: x\n",
            "does not go with an environment that is delivered",
        ),
        ({**PATTERN, "production": "true"}, "encryptionsalt: x\n", "does not go with an environment that is delivered"),
    ],
)
def test_what_is_no_pattern(tmp_path: Path, keys: dict[str, str], more: str, says: str) -> None:
    stack_file(tmp_path, "preview", keys, more)
    with pytest.raises(DeliveryError, match=says):
        _check_pattern("preview", Context(tmp_path, {}))


def encrypted(salt: str, resources: int = 1) -> Mapping[str, Any]:
    """A state as the engine exports it."""
    used = {"type": "passphrase", "state": {"salt": salt}}
    return {"secrets_providers": used, "resources": [{"urn": "urn:pulumi:pr1"}] * resources}


KEY = {"secretsprovider": "awskms://alias/x", "encryptedkey": "AQ=="}


@pytest.mark.parametrize(
    ("state", "lines", "made"),
    [
        (encrypted("v1:abc"), {"encryptionsalt": "v1:abc"}, True),
        (encrypted("v1:other"), {"encryptionsalt": "v1:abc"}, False),
        (encrypted("v1:other", resources=0), {"encryptionsalt": "v1:abc"}, False),
        (encrypted("v1:abc"), KEY, False),
        (
            {"secrets_providers": {"type": "cloud", "state": {"url": "awskms://alias/x", "encryptedkey": "AQ=="}}},
            KEY,
            True,
        ),
        # The key in KMS is that of all states of an account: it says nothing.
        (
            {"secrets_providers": {"type": "cloud", "state": {"url": "awskms://alias/x", "encryptedkey": "AR=="}}},
            KEY,
            False,
        ),
        ({"secrets_providers": {"type": "service", "state": {"owner": "me"}}}, KEY, False),
        ({"resources": [{"urn": "urn:pulumi:pr1"}]}, KEY, False),
        ({"pending_operations": [{}]}, KEY, False),
        ({}, KEY, True),
    ],
)
def test_a_state_shows_whether_it_is_a_previews(state: Mapping[str, Any], lines: Mapping[str, str], made: bool) -> None:
    assert pattern.is_encrypted_as(state, lines) is made


CHECK_ACCOUNT = previewing._check_account


class Backend:
    """An engine over stacks with the times of their last updates, each time somebody looks; and who holds them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *looks: Mapping[str, datetime | None]) -> None:
        self.looks, self.did, self.held = list(looks), list[str](), False
        self.salts: dict[str, str] = {}
        self.stack = ""
        monkeypatch.setattr(previewing, "_engine", lambda name, *_: self.of(name))
        monkeypatch.setattr(previewing, "_check_account", lambda *_: None)
        monkeypatch.setattr(previewing, "holding", self.holding)
        monkeypatch.setattr(resolving, "resolve", lambda *_: self.does("resolve"))
        monkeypatch.setattr(begun, "forget", lambda _: self.does("forget the plan of"))
        monkeypatch.setattr(Account, "of", lambda _: None)
        monkeypatch.setattr(destruction, "destroy", lambda *_, **__: self.destroy())
        monkeypatch.setattr(leftovers, "delete_kept", lambda _, kept, __: self.does(f"delete {kept[0].physical_id} of"))

    def of(self, name: str) -> Backend:
        self.stack = name
        return self

    @contextlib.contextmanager
    def holding(self, *_: object) -> Iterator[SimpleNamespace]:
        self.held = True
        yield SimpleNamespace(waited=False, over=False)
        self.held = False

    def stacks(self) -> list[tuple[str, datetime | None]]:
        return list((self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]).items())

    def exists(self) -> bool:
        return self.stack in dict(self.stacks())

    def state(self) -> Mapping[str, Any]:
        return encrypted(self.salts.get(self.stack, "v1:abc"))

    def create(self) -> bool:
        assert self.held, "somebody else may have it"
        return not self.exists()

    def remove(self) -> None:
        self.does("remove")

    def destroy(self) -> destruction.Destroyed:
        self.does("destroy")
        left = Held("DeploymentBucket", "AWS::S3::Bucket", "its-bucket", "objects", kept=True)
        return destruction.Destroyed({}, [], [left])

    def does(self, what: str) -> None:
        assert self.held, f"{what}: somebody else may have it"
        self.did.append(f"{what} {self.stack}")


OLD, NOW = datetime(2026, 1, 1, tzinfo=UTC), datetime.now(UTC)
GONE = ["resolve pr1", "destroy pr1", "delete its-bucket of pr1", "remove pr1", "forget the plan of pr1"]


@pytest.mark.parametrize(
    ("then", "did", "kept"),
    [
        ({"pr1": OLD, "pr2": NOW, "dev": OLD}, GONE, ("pr2",)),
        # Somebody pushed after the list was made, and before the collector got the lease.
        ({"pr1": NOW, "pr2": NOW, "dev": OLD}, [], ("pr1", "pr2")),
        ({"pr1": None, "pr2": NOW, "dev": OLD}, [], ("pr1", "pr2")),
        # Somebody closed it.
        ({"pr2": NOW, "dev": OLD}, [], ("pr2",)),
    ],
)
def test_what_was_renewed_meanwhile_is_not_collected(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    then: Mapping[str, datetime | None],
    did: list[str],
    kept: tuple[str, ...],
) -> None:
    stack_file(tmp_path, "preview", PATTERN)
    backend = Backend(monkeypatch, {"pr1": OLD, "pr2": NOW, "dev": OLD}, then)
    done = previewing.collect(timedelta(days=7), "preview", Context(tmp_path, {}), Patience(0, {}), print)
    assert (backend.did, tuple(sorted(done.kept)), done.failed) == (did, kept, {})
    assert done.down == (("pr1",) if did else ())
    assert not (tmp_path / "Pulumi.pr1.yaml").exists()


@pytest.mark.parametrize(
    ("command", "parameter"),
    [("up", "bootstrap-version"), ("down", "bootstrap-version"), ("collect", "bootstrap-version"), ("up", "version")],
)
def test_in_an_account_that_is_delivered_to_nothing_begins(
    command: str, parameter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of whatever app: the account itself says so."""
    stack_file(tmp_path, "preview", PATTERN)
    backend = Backend(monkeypatch, {"pr1": OLD})
    monkeypatch.setattr(updating, "update", lambda *_, **__: pytest.fail("it was begun"))

    def pages(**_: Any) -> list[Any]:
        return [{"Parameters": [{"Name": f"/amplify-delivery/other/prod/{parameter}"}]}]

    account = SimpleNamespace(
        place="here",
        asking=lambda _: contextlib.nullcontext(),
        client=lambda _: SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=pages)),
    )
    monkeypatch.setattr(previewing, "_check_account", CHECK_ACCOUNT)
    monkeypatch.setattr(Account, "of", lambda _: account)
    given: Any = ("preview", Context(tmp_path, {}), Patience(0, {}), print)
    with pytest.raises(RefusedError, match="the environment prod of other is delivered to this account"):
        if command == "collect":
            previewing.collect(timedelta(days=7), *given)
        else:
            getattr(previewing, command)(1, *given)
    # By its file a plain `pulumi up` would make one.
    assert (backend.did, (tmp_path / "Pulumi.pr1.yaml").exists()) == ([], False)


def test_a_stack_that_only_has_the_name_is_neither_taken_down_nor_updated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack_file(tmp_path, "preview", PATTERN)
    backend = Backend(monkeypatch, {"pr1": OLD, "pr2": OLD})
    backend.salts["pr2"] = "v1:of-somebody"
    context, patience = Context(tmp_path, {}), Patience(0, {})
    done = previewing.collect(timedelta(days=7), "preview", context, patience, print)
    assert (backend.did, done.down, list(done.failed)) == (GONE, ("pr1",), ["pr2"])
    refused = done.failed["pr2"]
    assert isinstance(refused, RefusedError)
    assert not refused.changed
    assert "its state is not encrypted with the key that Pulumi.preview.yaml names" in refused.message
    monkeypatch.setattr(updating, "Engine", lambda name, *_, **__: backend.of(name))
    monkeypatch.setattr(updating, "holding", backend.holding)
    monkeypatch.setattr(updating, "_wanted", lambda *_: object())
    monkeypatch.setattr(updating, "_environment", lambda *_: pytest.fail("updated"))
    for action in (previewing.up, previewing.down):
        with pytest.raises(RefusedError, match="called like a preview"):
            action(2, "preview", context, patience, print)
        # By this file a plain `pulumi up` would make a preview of it.
        assert not (tmp_path / "Pulumi.pr2.yaml").exists()
    assert backend.did == GONE


def test_what_an_update_leaves_goes_while_the_preview_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next push may make it again, and its name is taken."""
    stack_file(tmp_path, "preview", PATTERN)
    backend, said = Backend(monkeypatch, {"pr1": NOW}), list[str]()
    files = Held("storage/Files", "AWS::S3::Bucket", "its-files", "objects", kept=True)
    monkeypatch.setattr(updating, "Engine", lambda name, *_, **__: backend.of(name))
    monkeypatch.setattr(updating, "holding", backend.holding)
    monkeypatch.setattr(updating, "_wanted", lambda *_: SimpleNamespace())
    backend.outputs = dict  # type: ignore[attr-defined]
    monkeypatch.setattr(updating, "_environment", lambda engine, _, leaves: leaves(engine, ["a step"]) or {"update": 1})
    monkeypatch.setattr(destruction, "left_by_updates", lambda *_: [files])
    previewing.up(1, "preview", Context(tmp_path, {}), Patience(0, {}), said.append)
    assert backend.did == ["delete its-files of pr1", "forget the plan of pr1"]
    assert said == ["an update has left storage/Files (AWS::S3::Bucket): its-files; it goes, if it was pr1's own"]


def test_what_a_stack_file_lacks_is_set_in_the_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The preview's own file is made again each time, and a CI's goes with its job."""
    stack_file(tmp_path, "preview", PATTERN)
    backend = Backend(monkeypatch, {})

    def refused(*_: object) -> object:
        raise RefusedError("no secret", remedy="`pulumi config set --secret --path parameters.auth.creds -s ENV`")

    monkeypatch.setattr(updating, "Engine", lambda name, *_, **__: backend.of(name))
    monkeypatch.setattr(updating, "holding", backend.holding)
    monkeypatch.setattr(updating, "_wanted", refused)
    with pytest.raises(RefusedError) as error:
        previewing.up(1, "preview", Context(tmp_path, {}), Patience(0, {}), print)
    assert error.value.remedy.startswith("`pulumi config set --secret --path parameters.auth.creds -s preview`. ")
    assert "commit Pulumi.preview.yaml" in error.value.remedy


@pytest.mark.parametrize(
    ("down", "failed", "code"),
    [
        ((), {}, 0),
        (("pr1",), {}, 0),
        ((), {"pr2": RefusedError("no")}, 3),
        (("pr1",), {"pr2": RefusedError("no")}, 4),
        ((), {"pr2": FailedError("half")}, 4),
    ],
)
def test_a_collection_says_by_its_exit_code_whether_anything_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, down: tuple[str, ...], failed: dict[str, DeliveryError], code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    stack_file(tmp_path, "preview", PATTERN)
    monkeypatch.setattr(previewing, "collect", lambda *_: previewing.Collected(down, (), failed))
    assert cli.main(["preview", "collect", "--older-than", "7"]) == code


def test_an_account_with_an_environment_that_is_delivered_is_refused_by_the_files(tmp_path: Path) -> None:
    stack_file(tmp_path, "preview", PATTERN)
    _check_pattern("preview", Context(tmp_path, {}))
    stack_file(tmp_path, "prod", {**PLACE, "account": '"555555555555"', "bootstrapped": "true"})
    _check_pattern("preview", Context(tmp_path, {}))
    for keys in ({"bootstrapped": "true"}, {"production": "true"}):
        stack_file(tmp_path, "preprod", {**PLACE, **keys})
        with pytest.raises(RefusedError, match="the account 444444444444 is also that of preprod, which is delivered"):
            _check_pattern("preview", Context(tmp_path, {}))


def test_the_guard_is_silent_over_what_is_disposable_and_only_there() -> None:
    lost = RemoveResource(("api", "TodoTable"), "AWS::DynamoDB::Table", kept=False, loss="its data is deleted")
    today = datetime.now(UTC).date()
    Guard("pr12", (), today, disposable=True).check([lost])
    with pytest.raises(RefusedError, match="this would delete data"):
        Guard("dev", (), today).check([lost])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("up",), "`preview up` wants --pull-request"),
        (("collect",), "`preview collect` wants --older-than"),
        (("trust",), "`preview trust` wants --repository and --ids"),
        (("collect", "--older-than", "-1"), "is not a number of days"),
    ],
)
def test_what_is_missing_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    stack_file(tmp_path, "preview", PATTERN)
    assert cli.main(["preview", *arguments]) == 3
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("up", "--pull-request", "7"),
        ("collect", "--older-than", "7"),
        ("trust", "--repository", "octo/shop", "--ids", "1/2"),
    ],
)
def test_without_a_pattern_the_page_is_named_that_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    """Whoever begins has none yet, and `pulumi stack rm` has deleted nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    assert cli.main(["preview", *arguments]) == 3
    said = capsys.readouterr().err
    assert "write it as docs/previews.md has it" in said
    assert "stack rm" not in said


def trusting(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> Callable[[str, Mapping[str, str]], bool]:
    """Whether the trust policy that `preview trust` prints lets in who has such keys of a provider's token."""
    monkeypatch.chdir(folder)
    stack_file(folder, "preview", PATTERN)
    assert cli.main(["preview", "trust", *arguments]) == 0
    role = "arn:aws:iam::444444444444:role/previews"
    world = World({role: Role(role, json.loads(capsys.readouterr().out))})

    def lets_in(host: str, keys: Mapping[str, str]) -> bool:
        provider = Principal(f"arn:aws:iam::444444444444:oidc-provider/{host}")
        context = {f"{host}:{key}": value for key, value in keys.items()}
        return decide(world, Request(provider, "sts:AssumeRoleWithWebIdentity", role, context)).allowed

    return lets_in


def test_the_trust_lets_in_pull_requests_of_the_repository_and_its_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lets_in = trusting(tmp_path, monkeypatch, capsys, "--repository", "octo/shop", "--ids", "11/22")

    def let_in(subject: str, repository: str = "22", audience: str = "sts.amazonaws.com") -> bool:
        return lets_in(GITHUB, {"sub": subject, "aud": audience, "repository_id": repository})

    for name in ("octo/shop", "octo@11/shop@22"):
        assert let_in(f"repo:{name}:pull_request")
        assert let_in(f"repo:{name}:ref:refs/heads/main")
        assert not let_in(f"repo:{name}:ref:refs/heads/other")
        assert not let_in(f"repo:{name}:environment:prod")
        assert not let_in(f"repo:{name}:pull_request", repository="99")
        assert not let_in(f"repo:{name}:pull_request", audience="https://github.com/octo")
    assert not let_in("repo:mallory/shop:pull_request")


def test_the_trust_lets_in_merge_requests_of_the_projects_own_branches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = ("--ci", "gitlab", "--repository", "octo/web/shop", "--ids", "4711")
    lets_in = trusting(tmp_path, monkeypatch, capsys, *ours)

    def merge_request(subject: str) -> bool:
        return lets_in("gitlab.com", {"sub": subject, "aud": "https://gitlab.com"})

    ends = ("", ":environment_protected:false:deployment_tier:development")
    assert all(merge_request(f"project_id:4711:ref_type:branch:ref:feature/x{end}") for end in ends)
    # A fork's merge request has the fork's number, in whichever of the two projects it runs.
    for other in ("project_id:815:ref_type:branch:ref:feature/x", "project_id:47110:ref_type:branch:ref:x"):
        assert not merge_request(other)
    assert not merge_request("project_id:4711:ref_type:tag:ref:v1")
    assert not merge_request("project_path:octo/web/shop:ref_type:branch:ref:feature/x")


def test_a_repository_with_a_wildcard_is_not_let_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    stack_file(tmp_path, "preview", PATTERN)
    assert cli.main(["preview", "trust", "--repository", "octo/*", "--ids", "1/2"]) == 3
    assert "is not a repository of GitHub" in capsys.readouterr().err
