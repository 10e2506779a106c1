"""What may start next: decisions over made-up states, without a server."""

from __future__ import annotations

from aws_rehearsal.pipeline_service.definitions import Action, Condition, Pipeline, Stage, Store
from aws_rehearsal.pipeline_service.pipelines.decisions import (
    Check,
    EndExecution,
    EndStage,
    Enter,
    Retry,
    RollBack,
    Start,
    next_steps,
    rollback_target,
)
from aws_rehearsal.pipeline_service.state import (
    ActionRun,
    ConditionRun,
    Execution,
    PipelineState,
    StageRun,
    Transition,
)

BUILD = Action("Build", "Build", "AWS", "CodeBuild")
SOURCE = Stage("Source", (Action("App", "Source", "AWS", "CodeCommit"),))


def _pipeline(*stages: Stage, mode: str = "QUEUED", version: int = 1) -> Pipeline:
    stores = {"eu-central-1": Store("bucket")}
    return Pipeline("p", "1" * 12, "eu-central-1", "role", version, (SOURCE, *stages), stores, mode)


def _state(pipeline: Pipeline, *executions: Execution) -> PipelineState:
    return PipelineState(pipeline, executions=list(executions))


def _inside(pipeline: Pipeline, **actions: str) -> Execution:
    """An execution inside the second stage with actions of these statuses."""
    execution = Execution(pipeline, ("StartPipelineExecution", "me"), position=1, inside=True)
    stage = pipeline.stages[1]
    run = StageRun(stage.name)
    for name, status in actions.items():
        action = stage.action(name)
        assert action is not None
        run.actions[name] = ActionRun(action, stage.name, status=status)
    execution.stages[stage.name] = run
    return execution


def _waiting(pipeline: Pipeline, position: int = 1) -> Execution:
    return Execution(pipeline, ("StartPipelineExecution", "me"), position=position)


def test_the_lowest_run_order_starts_first_all_of_it_at_once() -> None:
    second = Action("Second", "Build", "AWS", "CodeBuild", run_order=2)
    pipeline = _pipeline(Stage("Build", (second, BUILD, Action("Lint", "Test", "AWS", "CodeBuild"))))
    execution = _inside(pipeline)

    steps = next_steps(_state(pipeline, execution))

    assert [action.name for step in steps if isinstance(step, Start) for action in step.actions] == ["Build", "Lint"]


def test_the_next_run_order_waits_for_all_of_the_one_before() -> None:
    actions = BUILD, Action("Lint", "Test", "AWS", "CodeBuild"), Action("Last", "Build", "AWS", "CodeBuild", 2)
    pipeline = _pipeline(Stage("Build", actions))

    assert next_steps(_state(pipeline, _inside(pipeline, Build="Succeeded", Lint="InProgress"))) == []
    done = _inside(pipeline, Build="Succeeded", Lint="Succeeded")
    assert next_steps(_state(pipeline, done)) == [Start(done.id, (actions[2],))]


def test_a_failed_action_waits_for_its_siblings_before_the_stage_fails() -> None:
    pipeline = _pipeline(Stage("Build", (BUILD, Action("Lint", "Test", "AWS", "CodeBuild"))))

    assert next_steps(_state(pipeline, _inside(pipeline, Build="Failed", Lint="InProgress"))) == []
    failed = _inside(pipeline, Build="Failed", Lint="Succeeded")
    assert next_steps(_state(pipeline, failed)) == [EndStage(failed.id, "Failed")]


def test_a_locked_stage_lets_nobody_in() -> None:
    pipeline = _pipeline(Stage("Build", (BUILD,)))
    inside, waiting = _inside(pipeline, Build="InProgress"), _waiting(pipeline)

    assert next_steps(_state(pipeline, inside, waiting)) == []


def test_the_execution_queued_first_enters_first() -> None:
    pipeline = _pipeline(Stage("Build", (BUILD,)))
    first, second = _waiting(pipeline), _waiting(pipeline)

    assert next_steps(_state(pipeline, first, second)) == [Enter(first.id)]


def test_a_newer_waiting_execution_supersedes_an_older_one() -> None:
    pipeline = _pipeline(Stage("Build", (BUILD,)), mode="SUPERSEDED")
    inside, old, new = _inside(pipeline, Build="InProgress"), _waiting(pipeline), _waiting(pipeline)
    new.started = old.started + 1

    assert next_steps(_state(pipeline, inside, old, new)) == [
        EndExecution(old.id, "Superseded", f"superseded by execution {new.id}")
    ]


def test_a_disabled_transition_lets_nobody_in() -> None:
    pipeline = _pipeline(Stage("Build", (BUILD,)))
    state = _state(pipeline, _waiting(pipeline))
    state.transitions["Build"] = Transition(enabled=False)

    assert next_steps(state) == []


def test_an_entry_condition_is_checked_before_any_action() -> None:
    pipeline = _pipeline(Stage("Build", (BUILD,), before_entry=Condition("SKIP")))
    execution = _inside(pipeline)
    state = _state(pipeline, execution)
    assert next_steps(state) == [Check(execution.id, "before_entry")]

    execution.stages["Build"].before_entry = ConditionRun("InProgress")
    assert next_steps(state) == []
    execution.stages["Build"].before_entry = ConditionRun("Failed")
    assert next_steps(state) == [EndStage(execution.id, "Skipped")]
    execution.stages["Build"].before_entry = ConditionRun("Overridden")
    assert next_steps(state) == [Start(execution.id, (BUILD,))]


def test_a_failed_stage_retries_itself_once_then_fails() -> None:
    pipeline = _pipeline(Stage("Build", (BUILD,), on_failure_result="RETRY", retry_mode="ALL_ACTIONS"))
    execution = _inside(pipeline, Build="Failed")
    state = _state(pipeline, execution)
    assert next_steps(state) == [Retry(execution.id, "ALL_ACTIONS")]

    execution.stages["Build"].automatic_retries = 1
    assert next_steps(state) == [EndStage(execution.id, "Failed")]


def test_a_failed_stage_rolls_back_but_a_failed_rollback_does_not() -> None:
    pipeline = _pipeline(Stage("Build", (BUILD,), on_failure_result="ROLLBACK"))
    execution = _inside(pipeline, Build="Failed")
    state = _state(pipeline, execution)
    assert next_steps(state) == [EndStage(execution.id, "Failed"), RollBack(execution.id, "Build")]

    execution.only = True
    assert next_steps(state) == [EndStage(execution.id, "Failed")]


def test_a_success_condition_that_fails_can_roll_back() -> None:
    pipeline = _pipeline(Stage("Build", (BUILD,), on_success=Condition("ROLLBACK")))
    execution = _inside(pipeline, Build="Succeeded")
    execution.stages["Build"].on_success = ConditionRun("Failed")

    assert next_steps(_state(pipeline, execution)) == [
        EndStage(execution.id, "Failed"),
        RollBack(execution.id, "Build"),
    ]


def test_a_stopping_execution_starts_nothing_and_ends_when_its_actions_have() -> None:
    pipeline = _pipeline(Stage("Build", (BUILD, Action("Last", "Build", "AWS", "CodeBuild", 2))))
    execution = _inside(pipeline, Build="InProgress")
    execution.status = "Stopping"
    state = _state(pipeline, execution)
    assert next_steps(state) == []

    execution.stages["Build"].actions["Build"].status = "Succeeded"
    assert next_steps(state) == [EndStage(execution.id, "Stopped")]


def test_a_stage_rolls_back_to_the_latest_good_standard_execution_of_this_structure_version() -> None:
    pipeline = _pipeline(Stage("Build", (BUILD,)), version=2)
    executions = [_inside(pipeline, Build="Succeeded") for _ in range(4)]
    for number, execution in enumerate(executions):
        execution.status, execution.inside = "Succeeded", False
        execution.stages["Build"].status = "Succeeded"
        execution.stages["Build"].entered = float(number)
    executions[1].pipeline = _pipeline(Stage("Build", (BUILD,)), version=1)
    executions[2].rollback_of = executions[0].id
    executions[3].stages["Build"].status = "Failed"

    assert rollback_target(_state(pipeline, *executions), "Build") is executions[0]
