"""Whether a plan may be carried out, and the record of it; without engine or AWS."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from amplify_export.errors import ConfigError, DeployError, StateError
from delivery import secrets_provider
from delivery.audit import Audit
from delivery.deploy import check, read_approved
from delivery.planning import Plan, Start, Target, plan_backend
from tests.delivery.planning.stacks_of import stacks_of

START = Start("amplify-app-dev-12345", "UPDATE_COMPLETE", "1", "2", "3", "4")
TARGET = Target("dev", "444444444444", "eu-central-1", "a", "r", "p", "c")
PLAN = Plan(START, TARGET, plan_backend(stacks_of("todo-series/v2"), stacks_of("todo-series/v3")))
LOSS = Plan(START, TARGET, plan_backend(stacks_of("todo-series/v3"), stacks_of("todo-series/v2")))
LATER = replace(PLAN, start=replace(START, status="UPDATE_ROLLBACK_COMPLETE"))


def test_the_approved_plan_may_be_carried_out() -> None:
    check(PLAN, PLAN.digest, None, allow_data_loss=False)


def test_nothing_to_change_is_never_refused() -> None:
    check(Plan(START, TARGET, ()), PLAN.digest, None, allow_data_loss=False)


def test_another_state_needs_the_approved_document() -> None:
    with pytest.raises(DeployError, match="not what was approved"):
        check(LATER, PLAN.digest, None, allow_data_loss=False)
    check(LATER, PLAN.digest, PLAN.to_json(), allow_data_loss=False)
    check(replace(LATER, steps=PLAN.steps[5:]), PLAN.digest, PLAN.to_json(), allow_data_loss=False)


def test_a_step_that_was_not_approved_is_named() -> None:
    approved = replace(PLAN, steps=PLAN.steps[1:])
    with pytest.raises(DeployError, match="was not in the approved plan") as caught:
        check(LATER, approved.digest, approved.to_json(), allow_data_loss=False)
    assert PLAN.steps[0].place in caught.value.message
    assert PLAN.steps[1].place not in caught.value.message


def test_another_target_is_refused_whatever_the_steps() -> None:
    other = replace(LATER, target=replace(TARGET, assembly="other"))
    with pytest.raises(DeployError, match="another export"):
        check(other, PLAN.digest, PLAN.to_json(), allow_data_loss=False)


@pytest.mark.parametrize("plan", [LOSS, replace(LOSS, start=replace(START, status="UPDATE_ROLLBACK_COMPLETE"))])
def test_data_loss_is_asked_for_even_in_a_retry(plan: Plan) -> None:
    with pytest.raises(DeployError, match="TodoListTable"):
        check(plan, LOSS.digest, LOSS.to_json(), allow_data_loss=False)
    check(plan, LOSS.digest, LOSS.to_json(), allow_data_loss=True)


def test_a_long_refusal_is_cut() -> None:
    with pytest.raises(DeployError, match=r"and 12 more"):
        check(LATER, PLAN.digest, None, allow_data_loss=False)


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
        with pytest.raises(ConfigError, match="is no plan"):
            read_approved(file, PLAN.digest)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_approved(tmp_path / "nothing", PLAN.digest)


# --- the audit ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "begun", "result"),
    [
        (None, True, "deployed"),
        (DeployError("no"), False, "refused"),
        (DeployError("no"), True, "failed"),
        (KeyboardInterrupt(), True, "interrupted"),
    ],
)
def test_every_end_is_recorded(tmp_path: Path, error: BaseException | None, begun: bool, result: str) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_text('{"result": "earlier"}\n')

    def work() -> None:
        with Audit(file, "dev", "approved") as audit:
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
    with pytest.raises(ConfigError, match="cannot be written"), Audit(tmp_path / "no" / "audit", "dev", "approved"):
        raise AssertionError("nothing may be done")


# --- how the state is encrypted -----------------------------------------------------------------------------------

WORD = "a passphrase"
KEY = "secretsprovider: awskms://alias/app\n"
BOTH = f"{KEY}encryptedkey: abc\n"
CLOUD = {"secrets_providers": {"type": "cloud", "state": {"url": "awskms://alias/app"}}}
PASSPHRASE = {"secrets_providers": {"type": "passphrase"}}


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
        secrets_provider.check("dev", state)
        return
    with pytest.raises(StateError, match=refused) as caught:
        secrets_provider.check("dev", state)
    assert "from git" in caught.value.remedy
