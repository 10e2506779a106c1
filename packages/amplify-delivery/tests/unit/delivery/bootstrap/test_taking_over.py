"""`bootstrap ENV --take-over`: what it refuses before anything is written, and what is told where it has no way."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.delivery.bootstrap import bootstrapping, taking_over
from amplify_delivery.delivery.bootstrap.taking_over import TakingOver
from amplify_delivery.delivery.context import Context
from amplify_delivery.errors import RefusedError
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from unit.stacks.projects import account_of, make, name_of, write

BEGIN_AGAIN = (
    "`amplify-delivery destroy preprod` where `up` was used, put it back, and `amplify-delivery bootstrap preprod`",
    "delete it by hand",
)
STASH = "pulumi:index:Stash"
OWNER = {"staging area (`bootstrapped`)": "its own"}


class Aws:
    """An account in which every bucket is there, and root stacks of ours if they `run`."""

    account = account_of(0)
    bootstrapped_by = ""

    def __init__(self, *, run: bool) -> None:
        self.run = run

    def client(self, _: str) -> Aws:
        return self

    def asking(self, _: str) -> Any:
        return nullcontext()

    def head_bucket(self, **_: str) -> None:
        pass

    def get_parameter(self, **_: str) -> dict[str, Any]:
        """The bootstrap version."""
        if not self.bootstrapped_by:
            raise ClientError({"Error": {"Code": "ParameterNotFound", "Message": "not found"}}, "GetParameter")
        return {"Parameter": {"Value": "3"}}

    def describe_stack_resources(self, PhysicalResourceId: str) -> dict[str, Any]:  # noqa: N803 - as boto3 calls it
        if self.bootstrapped_by == "the account's stack of Pulumi":
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "no stack"}}, "DescribeStackResources")
        found = {"ResourceType": "AWS::SSM::Parameter", "PhysicalResourceId": PhysicalResourceId}
        return {"StackResources": [found | {"StackName": self.bootstrapped_by, "ResourceStatus": "CREATE_COMPLETE"}]}

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        if not self.run:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStacks")
        key = {"ParameterKey": TEMPLATE_KEY, "ParameterValue": "templates/1.json"}
        return {"Stacks": [{"StackStatus": "UPDATE_COMPLETE", "Parameters": [key]}]}


class Engine:
    """With a state; it is not written, and the stack file's secrets cannot be read."""

    variables: Mapping[str, str] = {}

    def __init__(self, stack: str, *_: object) -> None:
        self.stack, self.read = stack, list[str]()

    def exists(self) -> bool:
        return self.stack != "preprod-account"

    def state(self) -> dict[str, Any]:
        return {"resources": []}

    def in_clear(self) -> dict[str, Any]:
        self.read.append("state")
        return {}

    def configuration(self) -> dict[str, Any]:
        raise RefusedError("not allowed: kms:Decrypt")


def moving(folder: Path, monkeypatch: pytest.MonkeyPatch, *, run: bool = True, beside: str = "") -> TakingOver:
    """Of preprod, whose account is to serve another environment `beside` it."""
    make(folder, 2)
    for number in range(2):
        same = {"account": account_of(0), "region": "us-east-1", "bootstrapped": "true"}
        write(folder, name_of(number), same)
    write(folder, "preprod-account", {"program": "account", "environments": ["preprod", *filter(None, [beside])]})
    (folder / "Pulumi.prod1-account.yaml").unlink()
    aws = Aws(run=run)
    for module in (bootstrapping, taking_over):
        monkeypatch.setattr(module, "Account", lambda *_: aws)
    monkeypatch.setattr(taking_over, "Engine", Engine)
    monkeypatch.setattr(taking_over, "backend_url", lambda *_: "file:///former")
    monkeypatch.setattr(TakingOver, "_there", lambda _: None)
    return TakingOver("preprod", Context(folder, {}), None, print)


def named(names: Any, *without: str) -> dict[str, Any]:
    """A state of `up`, without these."""
    urn = "urn:pulumi:preprod::app::"
    facts = {"account": account_of(0), "region": "us-east-1", "environment": "preprod"}
    backend = "amplify-delivery:index:AmplifyBackend$aws:cloudformation/stack:Stack"
    resources = [
        {"urn": f"{urn}{STASH}::place", "type": STASH, "outputs": {"output": facts}},
        {"urn": f"{urn}{STASH}::staging-owner", "type": STASH, "outputs": {"output": OWNER}},
        {
            "urn": f"{urn}amplify-delivery:index:StagingArea$aws:s3/bucket:Bucket::staging",
            "type": "aws:s3/bucket:Bucket",
            "id": names.staging_bucket,
        },
        {"urn": f"{urn}{backend}::backend", "type": "aws:cloudformation/stack:Stack", "id": "arn:root"},
    ]
    return {"resources": [r for r in resources if str(r["urn"]).rpartition("::")[2] not in without]}


def test_two_places_of_their_own_in_one_account_are_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = moving(tmp_path, monkeypatch, beside="prod1")
    monkeypatch.setattr(TakingOver, "_check", lambda *_: None)
    with pytest.raises(RefusedError) as caught:
        it.look()
    said = str(caught.value)
    assert "prod1 has been delivered by `up` with a place of its own" in said
    assert "nothing was changed. Name only preprod in `environments`" in said
    assert "`amplify-delivery bootstrap prod1 --take-over`" in said


def test_a_state_that_does_not_say_whose_its_area_is_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = moving(tmp_path, monkeypatch)
    it._check(named(it._names), "file:///former")
    with pytest.raises(RefusedError, match="whose its staging area is") as caught:
        it._check(named(it._names, "staging-owner"), "file:///former")
    assert "`amplify-delivery up preprod` writes it down" in str(caught.value)


def test_what_a_program_in_another_language_has_made_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its component has names below its own (`stacks.packaged.backend`)."""
    it = moving(tmp_path, monkeypatch)
    area = {"urn": "urn:pulumi:preprod::app::amplify-delivery:index:AmplifyBackend$AREA::shop-staging", "type": AREA}
    area["urn"] = area["urn"].replace("AREA", AREA)
    root = [r for r in named(it._names)["resources"] if r["type"] == "aws:cloudformation/stack:Stack"]
    with pytest.raises(RefusedError, match="a program in another language has made this environment") as caught:
        it._check({"resources": [area, *root]}, "file:///former")
    assert "by its component shop:" in str(caught.value)
    assert "`pulumi up` of it" in str(caught.value)


AREA = "amplify-delivery:index:StagingArea"


@pytest.mark.parametrize("by", ["StackSet-pipeline-access-1", "the account's stack of Pulumi", ""])
def test_an_account_that_a_stack_set_has_bootstrapped_is_left_to_it(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = moving(tmp_path, monkeypatch)
    it._account.bootstrapped_by = by  # type: ignore[attr-defined]
    refused = by.startswith("StackSet")
    with pytest.raises(RefusedError, match=f"the CloudFormation stack {by} has made it") if refused else nullcontext():
        it._check(named(it._names), "file:///former")


@pytest.mark.parametrize(
    "without", [("backend",), ("backend", "staging"), ("backend", "staging", "place", "staging-owner")]
)
def test_where_a_first_up_was_ended_the_way_out_is_told(
    without: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By both commands: each named the other, and neither went on."""
    it = moving(tmp_path, monkeypatch, run=False)
    with pytest.raises(RefusedError) as caught:
        it._check(named(it._names, *without), "file:///former")
    assert all(part in str(caught.value) for part in BEGIN_AGAIN), caught.value


@pytest.mark.parametrize("run", [True, False])
def test_bootstrap_tells_the_same_where_no_root_stack_runs(
    run: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = moving(tmp_path, monkeypatch, run=run)
    one = bootstrapping.StackUpdater(it._context, None, refresh=False, alone=True)  # type: ignore[arg-type]
    with pytest.raises(RefusedError) as caught:
        bootstrapping.check_own_areas(
            it._context.project,
            it._stack,
            [],
            accounts=bootstrapping.accounts_of(it._stack),
            moving=frozenset(),
            assemblies=one._assemblies,
            line=print,
        )
    said = str(caught.value)
    assert all(part in said for part in BEGIN_AGAIN) != run
    assert ("--take-over" in said) == run
    assert "Name only" not in said


@pytest.mark.parametrize("keyed", [True, False])
def test_a_repeat_reads_no_secret_that_is_the_accounts_already(
    keyed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = moving(tmp_path, monkeypatch)
    monkeypatch.setattr(TakingOver, "_check", lambda *_: None)
    monkeypatch.setattr(TakingOver, "_check_same_root", lambda *_: None)
    file = tmp_path / "Pulumi.preprod.yaml"
    key = "encryptedkey: a\nsecretsprovider: awskms://key\n" if keyed else "encryptionsalt: v1\n"
    file.write_text(f"{key}{file.read_text()}  dns:token:\n    secure: abc\n")
    told = {"url": "awskms://key", "encryptedkey": "a"}
    held = {"resources": [], "secrets_providers": {"type": "cloud", "state": told}}
    monkeypatch.setattr(TakingOver, "_there", lambda _: held)
    with nullcontext() if keyed else pytest.raises(RefusedError, match="kms:Decrypt"):
        assert it.look().secrets == ("dns:token",)
    assert it._engine.read == ["state"]  # type: ignore[attr-defined]


def test_what_comes_next_is_no_failure_where_it_cannot_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is done by then: the caller is to get the lines that go on."""
    it = moving(tmp_path, monkeypatch)

    def described(*_: object) -> None:
        raise RefusedError("AD101: the export is refused", where="amplify-export-app")

    monkeypatch.setattr("amplify_delivery.delivery.environment.wanted.described", described)
    (note,) = it._next()
    assert "AD101: the export is refused" in note
    assert "`pulumi config set boundary false -s preprod` first" in note
