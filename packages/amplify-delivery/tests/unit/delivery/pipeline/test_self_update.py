"""`amplify-delivery update-pipeline`: when it updates, when it leaves everything alone, and when it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.components.documents.pipeline.model import EnvironmentRef, PipelineModel
from amplify_delivery.components.documents.pipeline.source_models import (
    CodeCommitSource,
    ConnectionSource,
    GitHubTokenSource,
    PipelineSource,
    S3Source,
    Trigger,
)
from amplify_delivery.components.documents.pipeline.stage_models import Stage
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import secrets_provider
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.pipeline import own_rights, restart, self_update
from amplify_delivery.delivery.pipeline.late_rights import LateRights
from amplify_delivery.delivery.pipeline.self_update import DIGEST, PIPELINE, Decision, check_stores, decide
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.delivery.project.pipelines import only_pipeline
from amplify_delivery.errors import ConfigError, DeployError, FailedError, RefusedError

PROJECT = "aws:codebuild/project:Project"


def steps(**operations: str) -> list[ProgramStep]:
    types = {"pipeline": PIPELINE, "project": PROJECT}
    return [
        ProgramStep(
            f"urn:pulumi:pipeline::app::{types[what]}::{what}", types[what], operation, (), {}, custom=True, kept=False
        )
        for what, operation in operations.items()
    ]


@pytest.mark.parametrize(
    ("previewed", "declared", "applied", "decision"),
    [
        (steps(pipeline="same", project="same"), "a", "a", Decision(update=False, restarts=False)),
        (steps(pipeline="refresh", project="read"), "a", "a", Decision(update=False, restarts=False)),
        (steps(pipeline="update", project="same"), "b", "a", Decision(update=True, restarts=True)),
        (steps(pipeline="create", project="create"), "a", None, Decision(update=True, restarts=True)),
        (steps(pipeline="replace"), "b", "a", Decision(update=True, restarts=True)),
        (steps(pipeline="same", project="update"), "a", "a", Decision(update=True, restarts=False)),
        (steps(pipeline="same", project="delete"), "a", "a", Decision(update=True, restarts=False)),
        # An update that ended after the pipeline was changed and before the stack's outputs were kept.
        (steps(pipeline="same", project="same"), "b", "a", Decision(update=True, restarts=False)),
    ],
)
def test_a_definition_is_applied_left_alone_or_refused(
    previewed: list[ProgramStep], declared: str, applied: str | None, decision: Decision
) -> None:
    assert decide(previewed, declared, applied, "pipeline") == decision


@pytest.mark.parametrize("operation", ["update", "replace", "create"])
def test_one_definition_is_not_applied_twice_in_a_row(operation: str) -> None:
    with pytest.raises(DeployError, match="again and again") as caught:
        decide(steps(pipeline=operation), "a", "a", "pipeline")
    assert "pulumi up -s pipeline" in caught.value.remedy


# --- a region without environments ------------------------------------------------------------------------------------


def in_state(*regions: str) -> list[dict[str, str]]:
    kind = "aws:s3/bucket:Bucket"
    component = f"amplify-delivery:index:DeliveryPipeline${kind}"
    return [{"urn": f"urn:pulumi:main::app::{component}::main-{region}", "type": kind} for region in regions]


def model(*environments: str, kept: tuple[str, ...] = ()) -> PipelineModel:
    """A pipeline in us-east-1 over environments in these regions."""
    refs = tuple(EnvironmentRef(f"env{number}", "222222222222", region) for number, region in enumerate(environments))
    names = PipelineNames("app", "111111111111", "us-east-1", "main")
    source = CodeCommitSource(type="codecommit", repository="app")
    stage = Stage(name="Prod", environments=tuple(ref.name for ref in refs))
    return PipelineModel(names, source, (stage,), refs, kept_regions=kept)


def test_a_region_that_still_has_an_environment_or_is_kept() -> None:
    check_stores(in_state("us-east-1", "eu-west-1"), model("eu-west-1"), "main")
    check_stores(in_state("us-east-1", "eu-west-1"), model("us-east-1", kept=("eu-west-1",)), "main")
    check_stores(in_state("us-east-1"), model("eu-west-1"), "main")  # a region that is new
    check_stores((), model("eu-west-1"), "main")


def test_a_region_that_the_last_environment_has_left() -> None:
    with pytest.raises(DeployError, match="no environment lies in ap-south-1, eu-west-1 any more") as caught:
        check_stores(in_state("us-east-1", "eu-west-1", "ap-south-1"), model("us-east-1"), "main")
    assert caught.value.where == "Pulumi.main.yaml"
    assert "`artifactRegions: [ap-south-1, eu-west-1]`" in caught.value.remedy
    assert "`amplify-delivery destroy main --region eu-west-1`" in caught.value.remedy


# --- a pipeline whose newest commit may not be released ---------------------------------------------------------------


class Client:
    """CodePipeline with these executions: (id, status, commit), oldest first."""

    def __init__(self, *executions: tuple[str, str, str]) -> None:
        self.executions, self.started = executions, list[dict[str, Any]]()

    def list_pipeline_executions(self, **_: Any) -> dict[str, Any]:
        summaries = [
            {
                "pipelineExecutionId": execution,
                "status": status,
                "startTime": number,
                "sourceRevisions": [{"actionName": "Source", "revisionId": commit}] if commit else [],
            }
            for number, (execution, status, commit) in enumerate(self.executions)
        ]
        return {"pipelineExecutionSummaries": summaries[::-1]}

    def start_pipeline_execution(self, **given: Any) -> dict[str, str]:
        self.started.append(given)
        return {"pipelineExecutionId": f"new-{len(self.started)}"}


BEFORE = (("1", "Succeeded", "a"), ("2", "InProgress", "b"), ("3", "InProgress", "c"), ("4", "InProgress", "d"))


AFTER = tuple((i, "Cancelled" if status == "InProgress" else status, commit) for i, status, commit in BEFORE)
OWN = restart.Run("3", "InProgress", "c")
DEFINITION = "0123456789abcdef" * 4


def test_what_the_change_came_from_starts_again_and_then_what_waited_behind_it() -> None:
    ended = restart.settled(Client(*BEFORE), "app")
    client = Client(*AFTER, ("5", "Cancelled", "e"), ("6", "InProgress", "f"))
    assert restart.again(client, "app", OWN, ended, definition=DEFINITION) == ("c", "d", "e")
    first, second, _ = client.started
    assert first == {
        "name": "app",
        "clientRequestToken": "3-0123456789abcdef",
        "sourceRevisions": [{"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": "c"}],
    }
    assert second["clientRequestToken"] == "4-0123456789abcdef"


def test_what_goes_on_or_was_cancelled_before_is_not_started_again() -> None:
    ended = restart.settled(Client(*BEFORE, ("5", "Cancelled", "e")), "app")
    client = Client(*BEFORE, ("5", "Cancelled", "e"))
    assert restart.again(client, "app", OWN, ended, definition=DEFINITION) == ("c",)


def test_every_execution_has_told_its_commit_before_the_change() -> None:
    class Slow(Client):
        def list_pipeline_executions(self, **given: Any) -> dict[str, Any]:
            found = super().list_pipeline_executions(**given)
            self.executions = looks.pop(0)
            return found

    looks = [BEFORE, BEFORE[:2], ()]
    client = Slow(*BEFORE[:-1], ("4", "InProgress", ""))
    assert restart.settled(client, "app", pause=0) == {"1"}
    assert looks == [()]  # it has looked twice: the second time all had told theirs
    assert restart.settled(Client(("4", "InProgress", "")), "app", pause=0) == frozenset()


def test_a_change_by_hand_starts_what_it_has_cancelled() -> None:
    by_hand = restart.Run("", "InProgress", None)
    ended = restart.settled(Client(*BEFORE), "app")
    client = Client(*AFTER)
    assert restart.again(client, "app", by_hand, ended, definition=DEFINITION) == ("b", "c", "d")
    idle = Client(("1", "Succeeded", "a"), ("2", "Cancelled", "b"))
    assert restart.again(idle, "app", by_hand, restart.settled(idle, "app"), definition=DEFINITION) == ()
    assert idle.started == []


def test_what_another_pipeline_has_handed_on_comes_again_as_it_was() -> None:
    class Handed(Client):
        def get_pipeline_execution(self, pipelineExecutionId: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's
            found = {"ARTIFACT_DIGEST": "d", "COMMIT_ID": "c", "RELEASE": f"releases/{pipelineExecutionId}.zip"}
            variables = [{"name": name, "resolvedValue": value} for name, value in found.items()]
            return {"pipelineExecution": {"variables": variables}}

    ended = restart.settled(Handed(*BEFORE), "app")
    client = Handed(*AFTER)
    assert restart.again(client, "app", OWN, ended, definition=DEFINITION, handed_on=True) == ("c", "d")
    assert client.started[0] == {
        "name": "app",
        "clientRequestToken": "3-0123456789abcdef",
        "sourceRevisions": [
            {"actionName": "Source", "revisionType": "S3_OBJECT_KEY", "revisionValue": "releases/3.zip"}
        ],
        "variables": [
            {"name": "ARTIFACT_DIGEST", "value": "d"},
            {"name": "COMMIT_ID", "value": "c"},
            {"name": "RELEASE", "value": "releases/3.zip"},
        ],
    }
    assert "retry-stage-execution --pipeline-name app-main --stage-name StartNext" in restart.by_hand(
        "x", "c", "app-main"
    )


def test_what_a_person_is_told_to_type_starts_that_commit() -> None:
    told = restart.by_hand("app-main", "c0ffee")
    assert told == (
        "aws codepipeline start-pipeline-execution --name app-main "
        "--source-revisions actionName=Source,revisionType=COMMIT_ID,revisionValue=c0ffee"
    )


def test_the_only_pipeline_needs_no_name() -> None:
    assert only_pipeline(("releases",)) == "releases"
    with pytest.raises(ConfigError, match="several pipelines: a, b"):
        only_pipeline(("a", "b"))
    with pytest.raises(ConfigError, match="there is no pipeline"):
        only_pipeline(())


# --- what is for a person ---------------------------------------------------------------------------------------------


class Previewed:
    """An engine that has something to change, and would."""

    def __init__(self, *found: ProgramStep) -> None:
        self.found, self.updates = found, 0

    def state(self) -> dict[str, Any]:
        return {}

    def succeeded(self) -> bool:
        return True

    def preview(self) -> Any:
        return SimpleNamespace(steps=self.found, outputs={DIGEST: "b"})

    def up(self) -> Any:
        self.updates += 1
        return SimpleNamespace(changes={"update": 1})


@pytest.mark.parametrize("inside", [True, False])
def test_inside_the_pipeline_nothing_begins_that_a_person_has_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, inside: bool
) -> None:
    monkeypatch.setattr(secrets_provider, "check", lambda *_, **__: None)
    context = Context(tmp_path, {"EXECUTION_ID": "0a1b"} if inside else {})
    role = "aws:iam/role:Role"
    engine: Any = Previewed(ProgramStep(f"urn:pulumi:main::app::{role}::app-main-build", role, "update", ("path",)))

    def bring() -> self_update.Updated:
        update = self_update.Update("main", None, model("us-east-1"), "new", context)  # type: ignore[arg-type]
        return update.when_free(engine, Patience(0))

    if inside:
        with pytest.raises(DeployError, match=r"may not make these changes itself: aws:iam/role:Role app-main-build"):
            bring()
        assert engine.updates == 0
    else:
        assert bring().updated
        assert engine.updates == 1


def test_after_a_kill_the_update_is_made_though_the_history_knows_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was deployed last is this source; the run that was killed stands in no history."""
    monkeypatch.setattr(secrets_provider, "check", lambda *_, **__: None)
    settled: list[str] = []
    outputs = {"urn": "urn", "type": "pulumi:pulumi:Stack", "outputs": {self_update.SOURCE: "new", DIGEST: "b"}}

    def resolve(engine: Any, *_: Any) -> Any:
        settled.append("settled")
        return {**engine.state(), "pending_operations": []}

    monkeypatch.setattr(resolving, "resolve", resolve)
    engine: Any = Previewed()
    update = self_update.Update("main", None, model("us-east-1"), "new", Context(tmp_path, {}))  # type: ignore[arg-type]
    monkeypatch.setattr(engine, "state", lambda: {"resources": [outputs]})
    assert not update.when_free(engine, Patience(0)).updated
    assert engine.when_lost  # an update that loses a provider looks for what that was making, killed before or not
    killed = {"resources": [outputs], "pending_operations": [{"type": "updating", "resource": {}}]}
    monkeypatch.setattr(engine, "state", lambda: killed)
    assert update.when_free(engine, Patience(0)).updated
    assert (settled, engine.updates) == (["settled"], 1)


# --- what runs after a change of the pipeline, by what starts it ------------------------------------------------------

CONNECTION = ConnectionSource(
    connection="arn:aws:codeconnections:us-east-1:111111111111:connection/5e6f7a8b", repository="acme/todo"
)
EVERY_PUSH = {
    "a connection": {"source": CONNECTION},
    "a token": {"source": GitHubTokenSource(type="github-token", repository="acme/todo")},
    "codecommit": {"source": CodeCommitSource(type="codecommit", repository="todo")},
    "s3": {"source": S3Source(type="s3", bucket="bucket", key="source.zip")},
}
RELEASED = {
    "branches": {"source": CONNECTION, "triggers": (Trigger(branches=("release/*",)),)},
    "tags": {"source": CONNECTION, "triggers": (Trigger(tags=("v*",)),)},
    "paths": {"source": CONNECTION, "triggers": (Trigger(branches=("main",), paths=("amplify-export-*/**",)),)},
    "Release change or a schedule": {"source": CONNECTION.model_copy(update={"detect_changes": False})},
}


@pytest.mark.parametrize("starts", [*EVERY_PUSH, *RELEASED])
def test_after_a_change_what_was_released_runs(starts: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where each push is released, CodePipeline itself takes the newest commit; else that may be nobody's release."""
    client = Client(*BEFORE)
    engine: Any = Previewed(ProgramStep("urn", PIPELINE, "update", ("stages",)))

    def change() -> Any:
        client.executions = AFTER
        return SimpleNamespace(changes={"update": 1})

    engine.up = change
    account = SimpleNamespace(place="here", client=lambda _: client)
    monkeypatch.setattr(Account, "of", lambda _: account)
    monkeypatch.setattr(own_rights, "check", lambda *_: None)
    monkeypatch.setattr(secrets_provider, "check", lambda *_, **__: None)
    declared = replace(model("us-east-1"), **(EVERY_PUSH | RELEASED)[starts])  # type: ignore[arg-type]
    context = Context(tmp_path, {"EXECUTION_ID": "3", "COMMIT_ID": "c"})
    config: Any = SimpleNamespace(region="us-east-1")
    done = self_update.Update("main", config, declared, "new", context).when_free(engine, Patience(0))
    assert done.restarts
    assert (done.started, done.by_itself) == (((), True) if starts in EVERY_PUSH else (("c", "d"), False))
    assert [r["revisionValue"] for given in client.started for r in given["sourceRevisions"]] == [*done.started]


def test_after_a_change_of_one_that_follows_another_what_was_handed_on_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By its own source it has no release at all: whoever starts it has to say which."""
    variables = [{"name": name, "resolvedValue": "x"} for name in ("ARTIFACT_DIGEST", "COMMIT_ID", "RELEASE")]
    client = Client(*BEFORE)
    client.get_pipeline_execution = lambda **_: {"pipelineExecution": {"variables": variables}}  # type: ignore[attr-defined]
    account = SimpleNamespace(place="here", client=lambda _: client)
    monkeypatch.setattr(Account, "of", lambda _: account)
    following = replace(model("us-east-1"), source=PipelineSource(type="pipeline", pipeline="first"))
    config: Any = SimpleNamespace(region="us-east-1")
    again = self_update.Restart(config, following, {"EXECUTION_ID": "3", "COMMIT_ID": "c"})
    client.executions = AFTER
    assert again.start(DEFINITION) == ("c", "d")
    revisions = [r["revisionType"] for given in client.started for r in given["sourceRevisions"]]
    assert revisions == ["S3_OBJECT_KEY", "S3_OBJECT_KEY"]


def test_a_start_that_is_refused_after_the_change_has_changed_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipeline is another one then, and what it cancelled runs for nobody: the message has the command."""

    def refuse(*_: Any) -> Any:
        raise RefusedError("starting it again: AccessDenied", remedy="start it by hand")

    monkeypatch.setattr(self_update, "Restart", lambda *_: SimpleNamespace(start=refuse))
    declared = replace(model("us-east-1"), **RELEASED["branches"])  # type: ignore[arg-type]
    update = self_update.Update("main", None, declared, "new", Context(Path(), {}))  # type: ignore[arg-type]
    engine: Any = Previewed()
    with pytest.raises(FailedError, match="starting it again") as caught:
        update.carry_out(engine, Decision(update=True, restarts=True), "a")
    assert (caught.value.remedy, caught.value.exit_code, engine.updates) == ("start it by hand", 4, 1)


# --- rights on keys that come late ------------------------------------------------------------------------------------

KEY = "arn:aws:kms:eu-west-1:111111111111:key/00000000-0000-0000-0000-000000000000"
DENIED = (
    "aws:kms:Key pipeline-eu-west-1: enabling rotation: operation error KMS: EnableKeyRotation, https response error "
    "StatusCode: 400, api error AccessDeniedException: User: arn:aws:sts::111111111111:assumed-role/app-main-update/1 "
    f"is not authorized to perform: kms:EnableKeyRotation on resource: {KEY} because no identity-based policy allows "
    "the kms:EnableKeyRotation action"
)


class Clock:
    def __init__(self) -> None:
        self.now, self.pauses = 0.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr("amplify_delivery.delivery.pipeline.late_rights.time", found)
    return found


def test_a_right_on_a_key_that_comes_late_is_waited_for_and_told_once(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    late = LateRights()
    assert all(late.wait(DeployError(DENIED)) for _ in range(4))
    assert clock.pauses == [2, 4, 8, 15]  # what comes in seconds is not waited for as what takes minutes
    told = capsys.readouterr().err
    assert told.count("kms:EnableKeyRotation") == 1
    assert KEY in told
    assert "at least every 15 s, 6 minutes at most" in told


def test_what_is_denied_for_good_ends_after_six_minutes(clock: Clock) -> None:
    late, error = LateRights(), DeployError(DENIED, remedy="correct the cause")
    while late.wait(error):
        assert clock.now <= 360
    assert clock.now == 360
    assert KEY in error.remedy
    assert error.remedy.endswith("correct the cause")


def test_nothing_else_is_waited_for(clock: Clock) -> None:
    for message in ("User: x is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k", "no such key"):
        assert not LateRights().wait(DeployError(message))
    assert clock.pauses == []
