"""Whether a plan may be carried out, and the record of it; without engine or AWS."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.changes.guard import AllowedLoss, Guard
from amplify_delivery.changes.impossible import Impossible
from amplify_delivery.changes.steps import RecoverStack
from amplify_delivery.delivery.account.audit_log import carried_out
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment.approval import check, read_approved
from amplify_delivery.delivery.deployment.audit import Audit
from amplify_delivery.delivery.engine import secrets_provider
from amplify_delivery.delivery.planning import Plan, Start, Target, plan_backend
from amplify_delivery.errors import ConfigError, DeployError, FailedError, RefusedError, StateError
from unit.delivery.planning.stacks_of import stacks_of

START = Start("amplify-app-dev-12345", "UPDATE_COMPLETE", "1", "2", "3", "4")
TARGET = Target("dev", "444444444444", "eu-central-1", "a", "r", "p", "c")
PLAN = Plan(START, TARGET, plan_backend(stacks_of("todo-series/v2"), stacks_of("todo-series/v3")))
LOSS = Plan(START, TARGET, plan_backend(stacks_of("todo-series/v3"), stacks_of("todo-series/v2")))
TODAY = date(2027, 5, 1)
GUARD = Guard("dev", (), TODAY)
LATER = replace(PLAN, start=replace(START, status="UPDATE_ROLLBACK_COMPLETE"))


def test_the_approved_plan_may_be_carried_out() -> None:
    check(PLAN, PLAN.digest, None, GUARD)


def test_nothing_to_change_is_never_refused() -> None:
    check(Plan(START, TARGET, ()), PLAN.digest, None, GUARD)


def test_another_state_needs_the_approved_document() -> None:
    with pytest.raises(DeployError, match="not what was approved"):
        check(LATER, PLAN.digest, None, GUARD)
    check(LATER, PLAN.digest, PLAN.to_json(), GUARD)
    check(replace(LATER, steps=PLAN.steps[5:]), PLAN.digest, PLAN.to_json(), GUARD)


def test_a_step_that_was_not_approved_is_named() -> None:
    approved = replace(PLAN, steps=PLAN.steps[1:])
    with pytest.raises(DeployError, match="was not in the approved plan") as caught:
        check(LATER, approved.digest, approved.to_json(), GUARD)
    assert PLAN.steps[0].place in caught.value.message
    assert PLAN.steps[1].place not in caught.value.message


def test_what_aws_cannot_do_is_refused_though_it_was_approved() -> None:
    """By a plan of before, or by whoever has not read it."""
    never = replace(PLAN, impossible=(Impossible("AD741", PLAN.steps[0].place, "cannot be changed", "put it back"),))
    with pytest.raises(RefusedError, match="AD741"):
        check(never, never.digest, None, GUARD)


@pytest.mark.parametrize(
    ("recovery", "covered"),
    [
        (RecoverStack("root", "UPDATE_FAILED", "rollback-stack"), True),
        (RecoverStack("root", "UPDATE_ROLLBACK_FAILED", "continue-update-rollback"), True),
        (RecoverStack("root", "ROLLBACK_COMPLETE", "delete-stack"), True),
        (RecoverStack("root", "UPDATE_ROLLBACK_FAILED", "continue-update-rollback", ("api/Table",)), False),
        (RecoverStack("root", "CREATE_FAILED", "delete-stack"), False),
        (RecoverStack("root", "DELETE_FAILED", "delete-stack"), False),
    ],
    ids=lambda value: value.what if isinstance(value, RecoverStack) else "",
)
def test_a_retry_takes_back_what_stands_in_the_way_of_what_was_approved(recovery: RecoverStack, covered: bool) -> None:
    """An update of the approved plan may have ended so. What nobody has approved is neither left out nor deleted."""
    stuck = replace(LATER, start=replace(START, status=recovery.status), steps=(recovery, *PLAN.steps))
    if covered:
        check(stuck, PLAN.digest, PLAN.to_json(), GUARD)
        return
    with pytest.raises(DeployError, match="was not in the approved plan"):
        check(stuck, PLAN.digest, PLAN.to_json(), GUARD)


def test_another_target_is_refused_whatever_the_steps() -> None:
    other = replace(LATER, target=replace(TARGET, assembly="other"))
    with pytest.raises(DeployError, match="another export"):
        check(other, PLAN.digest, PLAN.to_json(), GUARD)


@pytest.mark.parametrize("plan", [LOSS, replace(LOSS, start=replace(START, status="UPDATE_ROLLBACK_COMPLETE"))])
def test_data_loss_is_asked_for_even_in_a_retry(plan: Plan) -> None:
    with pytest.raises(DeployError, match="TodoListTable"):
        check(plan, LOSS.digest, LOSS.to_json(), GUARD)
    allowed = tuple(AllowedLoss(step.place, "never used", plan=LOSS.digest) for step in LOSS.losses)
    check(plan, LOSS.digest, LOSS.to_json(), Guard("dev", allowed, TODAY, LOSS.digest))
    with pytest.raises(DeployError, match="TodoListTable"):
        check(plan, LOSS.digest, LOSS.to_json(), Guard("dev", allowed, TODAY, PLAN.digest))


def test_a_long_refusal_is_cut() -> None:
    with pytest.raises(DeployError, match=r"and 12 more"):
        check(LATER, PLAN.digest, None, GUARD)


def test_the_approved_document_must_be_what_its_digest_says(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    document = PLAN.to_json()
    file.write_text(json.dumps(document))
    assert read_approved(file, PLAN.digest) == document
    document["steps"].append({"step": "remove-resource", "path": "x"})
    file.write_text(json.dumps(document))
    with pytest.raises(ConfigError, match="another plan"):
        read_approved(file, PLAN.digest)
    for text in ("{", "[]", "{}", "1"):
        file.write_text(text)
        with pytest.raises(ConfigError, match="is not a plan"):
            read_approved(file, PLAN.digest)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_approved(tmp_path / "nothing", PLAN.digest)


# --- the audit ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "begun", "result"),
    [
        (None, True, "deployed"),
        (DeployError("no"), False, "refused"),
        (FailedError("no"), True, "failed"),
        (RefusedError("no"), True, "refused"),
        (KeyboardInterrupt(), True, "interrupted"),
    ],
)
def test_every_end_is_recorded(tmp_path: Path, error: BaseException | None, begun: bool, result: str) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_text('{"result": "earlier"}\n')

    def work() -> None:
        with Audit("deploy", "dev", os.environ, file=file, approved="approved") as audit:
            audit.planned(PLAN)
            if begun:
                audit.begin()
            if error:
                raise error
            audit.end("deployed")

    if error:
        with pytest.raises(type(error)):
            work()
    else:
        work()
    earlier, record = map(json.loads, file.read_text().splitlines())
    assert earlier == {"result": "earlier"}
    assert record["result"] == result
    assert record["time"].endswith("+00:00")
    assert (record["environment"], record["approved"], record["plan"]) == ("dev", "approved", PLAN.digest)
    assert ("error" in record) == (error is not None)


def test_an_audit_that_cannot_be_written_stops_it_at_once(tmp_path: Path) -> None:
    audit = Audit("deploy", "dev", os.environ, file=tmp_path / "no" / "audit", approved="approved")
    with pytest.raises(ConfigError, match="cannot be written"), audit:
        raise AssertionError("nothing may be done")


class Log:
    """An audit log in memory; `broken` as one that may not be written."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken, self.events = broken, list[Mapping[str, Any]]()

    def open(self) -> str:
        return "arn:aws:sts::444444444444:assumed-role/deploy/build"

    def append(self, event: Mapping[str, Any]) -> None:
        if self.broken:
            raise DeployError("no right to write")
        self.events.append(event)


def test_the_log_gets_what_the_file_gets_and_who_did_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {"COMMIT_ID": "c0ffee", "EXECUTION_ID": "e-1", "CODEBUILD_BUILD_ID": "app-deploy:1"}.items():
        monkeypatch.setenv(name, value)
    log, file = Log(), tmp_path / "audit"
    with Audit("deploy", "dev", os.environ, file=file, approved=PLAN.digest) as audit:
        audit.log_to(log)  # type: ignore[arg-type]
        audit.planned(PLAN)
        audit.begin()
        audit.end("deployed")
    (event,) = log.events
    assert json.loads(file.read_text()) == event
    assert event["who"].endswith("assumed-role/deploy/build")
    assert (event["commit"], event["execution"], event["build"]) == ("c0ffee", "e-1", "app-deploy:1")
    assert carried_out(event, PLAN.digest, TARGET.digest)


def test_a_log_that_cannot_be_written_is_told_but_does_not_hide_the_failure(capsys: pytest.CaptureFixture[str]) -> None:
    def work(problem: DeployError | None) -> None:
        with Audit("deploy", "dev", os.environ) as audit:
            audit.log_to(Log(broken=True))  # type: ignore[arg-type]
            if problem:
                raise problem

    with pytest.raises(DeployError, match="the cause"):
        work(DeployError("the cause"))
    assert "no right to write" in capsys.readouterr().err
    with pytest.raises(DeployError, match="no right to write"):
        work(None)


DEPLOYED = {"approved": "a", "plan": "a", "target": "t", "result": "deployed"}


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"plan": "what remained of it"}, True),
        ({"result": "nothing to change"}, True),
        # Something else was there already when this was approved.
        ({"result": "nothing to change", "plan": "other"}, False),
        ({"result": "failed"}, False),
        ({"result": "planned"}, False),
        ({"target": "other"}, False),
        ({"approved": "other"}, False),
    ],
)
def test_what_counts_as_deployed_before(changes: dict[str, str], counts: bool) -> None:
    assert carried_out({**DEPLOYED, **changes}, "a", "t") is counts


def test_what_was_deployed_before_may_be_deployed_again_but_for_its_data() -> None:
    check(LATER, "an approval of long ago", None, GUARD, before=True)
    with pytest.raises(DeployError, match="TodoListTable"):
        check(LOSS, "an approval of long ago", None, GUARD, before=True)


# --- how the state is encrypted -----------------------------------------------------------------------------------

WORD = "a passphrase"
KEY = "secretsprovider: awskms://alias/app\n"
BOTH = f"{KEY}encryptedkey: abc\n"
CLOUD = {"secrets_providers": {"type": "cloud", "state": {"url": "awskms://alias/app"}}}
PASSPHRASE = {"secrets_providers": {"type": "passphrase"}}


@pytest.mark.parametrize(("backend", "refused"), [("s3://state?region=eu-west-1", True), ("file:///state", False)])
def test_in_a_pipeline_the_key_is_named_before_there_is_anything_to_encrypt(
    in_project: pytest.MonkeyPatch, backend: str, refused: bool
) -> None:
    in_project.setenv("PULUMI_BACKEND_URL", backend)
    in_project.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    file = Path("Pulumi.dev.yaml")
    without = file.read_text()
    for lines in ("", KEY, "encryptionsalt: v1\n"):
        file.write_text(without + lines)
        secrets_provider.check("dev", {}, Context(Path(), os.environ))
        if refused:
            with pytest.raises(StateError, match="its state lies in S3") as caught:
                secrets_provider.check("dev", {}, Context(Path(), os.environ), pipeline=True)
            assert "from git" in caught.value.remedy
        else:
            secrets_provider.check("dev", {}, Context(Path(), os.environ), pipeline=True)
    file.write_text(without + BOTH)
    secrets_provider.check("dev", {}, Context(Path(), os.environ), pipeline=True)


@pytest.fixture
def in_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The project's folder is the current one, and there is no passphrase."""
    monkeypatch.chdir(project)
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE_FILE", raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("lines", "word", "state", "refused"),
    [
        (BOTH, WORD, CLOUD, ""),
        (BOTH, "", CLOUD, ""),
        (KEY, "", CLOUD, ""),
        (KEY, WORD, CLOUD, "no `encryptedkey`"),
        (KEY, WORD, {}, "no `encryptedkey`"),
        ("", WORD, CLOUD, "awskms://alias/app, and this file does not say so"),
        ("encryptionsalt: v1\n", WORD, CLOUD, "does not say so"),
        ("encryptionsalt: v1\n", WORD, PASSPHRASE, ""),
        ("", WORD, {}, ""),
    ],
)
def test_the_engine_never_encrypts_a_state_otherwise(
    in_project: pytest.MonkeyPatch, lines: str, word: str, state: dict[str, object], refused: str
) -> None:
    in_project.setenv("PULUMI_CONFIG_PASSPHRASE", word)
    with Path("Pulumi.dev.yaml").open("a") as file:
        file.write(lines)
    if not refused:
        secrets_provider.check("dev", state, Context(Path(), os.environ))
        return
    with pytest.raises(StateError, match=refused) as caught:
        secrets_provider.check("dev", state, Context(Path(), os.environ))
    assert "from git" in caught.value.remedy
