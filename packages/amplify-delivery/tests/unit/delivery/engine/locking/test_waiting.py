"""Waiting for what another run changes, and beginning again."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery import cli
from amplify_delivery.changes.deployed import LONGEST_UPDATE
from amplify_delivery.commands import deploy
from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.components.documents.pipeline.model import EnvironmentRef, PipelineModel
from amplify_delivery.components.documents.pipeline.source_models import CodeCommitSource
from amplify_delivery.components.documents.pipeline.stage_models import Stage
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import begun, deploying
from amplify_delivery.delivery.deployment.audit import Audit
from amplify_delivery.delivery.engine.locking import waiting
from amplify_delivery.delivery.engine.locking.holder import Holder
from amplify_delivery.delivery.engine.locking.session import Held
from amplify_delivery.delivery.engine.watch import Watch
from amplify_delivery.delivery.environment import wanted
from amplify_delivery.delivery.pipeline import self_update
from amplify_delivery.errors import ConfigError, DeployError, FailedError, LockedError, RefusedError
from aws_rehearsal_tests.clock import Clock

LOCKED = LockedError("another update of this stack is running: created by root@build (pid 7)", where="prod")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was slept; the clock goes on by that, and by nothing else."""
    return Clock(monkeypatch, waiting, self_update).slept


def test_without_minutes_nothing_is_waited_for(slept: list[float]) -> None:
    assert not waiting.Patience(0).wait(LOCKED)
    assert slept == []


def test_the_variable_counts_where_nothing_is_said() -> None:
    given = {waiting.WAIT_VARIABLE: "7"}
    assert waiting.Patience(None, given).minutes == 7
    assert waiting.Patience(3, given).minutes == 3
    assert waiting.Patience(None, {}).minutes == 0
    with pytest.raises(ConfigError, match="'soon' is not a number of minutes") as caught:
        waiting.Patience(None, {waiting.WAIT_VARIABLE: "soon"})
    assert caught.value.where == "$AMPLIFY_DELIVERY_WAIT"


def test_it_is_tried_again_until_the_minutes_are_over(slept: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    patience = waiting.Patience(1)
    while patience.wait(LOCKED):
        pass
    assert slept == [2, 4, 8, 15, 15, 15, 1]
    said = capsys.readouterr().err.splitlines()
    assert said == [f"{LOCKED.message}: waiting until that has ended, 1 minutes at most"]


# --- a role that CodePipeline cannot assume ---------------------------------------------------------------------------


class Engine:
    """Updates that end with these errors, one after the other, and then well."""

    def __init__(self, *errors: str) -> None:
        self.errors, self.updates = list(errors), 0

    def up(self) -> Watch:
        self.updates += 1
        if self.errors:
            raise DeployError(self.errors.pop(0), where="pipeline", remedy="correct the cause and repeat")
        return Watch(changes={"update": 1})


def model() -> PipelineModel:
    stages = (Stage(name="Prod", environments=("prod",)),)
    places = (EnvironmentRef("prod", "333333333333", "eu-west-1"),)
    names = PipelineNames("app", "111111111111", "us-east-1", "main")
    return PipelineModel(names, CodeCommitSource(type="codecommit", repository="app"), stages, places)


ACTION_ROLE = "arn:aws:iam::333333333333:role/amplify-delivery/app/env/prod/app-prod-action"
REFUSED = (
    'aws-native:codepipeline:Pipeline main: Resource handler returned message: "arn:aws:iam::111111111111:role/'
    "amplify-delivery/app/pipeline/main/app-main is not authorized to perform AssumeRole on role {} (Service: "
    'CodePipeline, Status Code: 400)" (HandlerErrorCode: InvalidRequest)'
)


def bring(engine: Any) -> Any:
    return self_update.bring(engine, model())


def test_a_right_that_is_not_seen_everywhere_yet_is_waited_for(slept: list[float]) -> None:
    engine = Engine(REFUSED.format(ACTION_ROLE), REFUSED.format(ACTION_ROLE))
    assert bring(engine) == {"update": 1}
    assert slept == [15, 15]


def test_an_account_that_lets_nobody_in_is_named_with_the_command(slept: list[float]) -> None:
    assert model().environments[0].action_role_arn == ACTION_ROLE
    engine = Engine(*[REFUSED.format(ACTION_ROLE)] * 9)
    with pytest.raises(DeployError, match="the account of prod does not let the pipeline in") as caught:
        bring(engine)
    assert "an administrator of account 333333333333 runs `amplify-delivery bootstrap prod`" in caught.value.remedy
    assert ACTION_ROLE in caught.value.message
    assert (engine.updates, sum(slept)) == (5, 60)


@pytest.mark.parametrize(
    "role", [ACTION_ROLE.replace("prod", "qa"), "arn:aws:iam::111111111111:role/app-main-build-action"]
)
def test_another_role_is_told_in_aws_words(role: str, slept: list[float]) -> None:
    with pytest.raises(DeployError, match="is not authorized to perform AssumeRole") as caught:
        bring(Engine(*[REFUSED.format(role)] * 9))
    assert caught.value.remedy == "correct the cause and repeat"
    assert sum(slept) == 60


def test_what_else_fails_is_not_tried_again(slept: list[float]) -> None:
    engine = Engine("AccessDenied")
    with pytest.raises(DeployError, match="AccessDenied"):
        bring(engine)
    assert (engine.updates, slept) == (1, [])


# --- a deployment -----------------------------------------------------------------------------------------------------


class Scene:
    """`deploy prod --plan DIGEST`, where attempts end with these errors, one after the other, and then well."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> None:
        self.errors, self.looked, self.settled = list(errors), 0, list[float]()
        self.held = Held()
        monkeypatch.setattr(wanted, "wanted", self.wanted)
        monkeypatch.setattr(wanted, "settle", lambda _, seconds: self.settled.append(seconds))
        monkeypatch.setattr(deploying, "_attempt", self.attempt)
        monkeypatch.setattr(begun, "forget", lambda _: None)
        monkeypatch.setattr(deploying, "holding", lambda *_: nullcontext(self.held))
        monkeypatch.setattr(deploying, "Engine", lambda *_: SimpleNamespace(outputs=dict, stack="prod"))

    def wanted(self, _: str, __: Context) -> Any:
        self.looked += 1
        return SimpleNamespace(config=SimpleNamespace(bootstrapped=False))

    def attempt(self, _target: Any, _engine: Any, approved: deploying.Approved, audit: Audit, _log: Any) -> Any:
        audit.begin()
        if self.errors:
            raise self.errors.pop(0)
        return SimpleNamespace(steps=(1,), digest=approved.digest), {"update": 1}

    def run(self, file: Path, *arguments: str) -> int:
        given = ["deploy", "prod", "--plan", "d" * 64, "--audit", str(file), *arguments]
        return deploy.run(cli.parser("deploy").parse_args(given), Context(file.parent, {}))


def result(file: Path) -> str:
    return str(json.loads(file.read_text())["result"])


def test_a_deployment_waits_for_the_lock_and_looks_anew(
    monkeypatch: pytest.MonkeyPatch, slept: list[float], tmp_path: Path
) -> None:
    scene = Scene(monkeypatch, LOCKED, LOCKED)
    assert scene.run(tmp_path / "audit", "--wait", "5") == 0
    assert (scene.looked, slept) == (3, [2, 4])
    assert scene.settled == [300, 298, 294]  # of the same time: also CloudFormation is waited for
    assert result(tmp_path / "audit") == "deployed"


def test_what_was_looked_at_while_somebody_else_had_it_is_looked_at_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scene = Scene(monkeypatch)
    scene.held = Held(waited=True)
    assert scene.run(tmp_path / "audit") == 0
    assert scene.looked == 2


def test_what_a_killed_run_has_begun_is_waited_for_as_that_run_would_have(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """CloudFormation goes on without it, and nobody has said `--wait`."""
    scene = Scene(monkeypatch)
    scene.held = Held(over=Holder.here("deploy", {}))
    assert scene.run(tmp_path / "audit") == 0
    assert scene.settled == [LONGEST_UPDATE]


@pytest.mark.parametrize(
    ("errors", "said"), [((LOCKED,), "refused"), ((FailedError("no"),), "failed"), ((RefusedError("no"),), "refused")]
)
def test_a_lock_that_stays_has_changed_nothing(
    monkeypatch: pytest.MonkeyPatch, slept: list[float], tmp_path: Path, errors: tuple[Exception, ...], said: str
) -> None:
    scene = Scene(monkeypatch, *errors)
    with pytest.raises(type(errors[0])):
        scene.run(tmp_path / "audit")
    assert (scene.looked, slept) == (1, [])
    assert result(tmp_path / "audit") == said
