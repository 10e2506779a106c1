"""Structures of pipelines that AWS refuses, each once."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from aws_rehearsal.pipeline_service import shapes
from aws_rehearsal.pipeline_service.errors import ServiceError
from aws_rehearsal.pipeline_service.pipelines import structure
from aws_rehearsal_tests.pipeline_service.world import approval, build, stage, variable_check

REGION = "eu-central-1"


def _declared() -> dict[str, Any]:
    source = {
        "name": "App",
        "namespace": "Source",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "CodeStarSourceConnection", "version": "1"},
        "configuration": {"ConnectionArn": "arn:x", "FullRepositoryId": "o/r", "BranchName": "main"},
        "outputArtifacts": [{"name": "Sources"}],
    }
    return {
        "name": "app",
        "roleArn": "arn:aws:iam::111111111111:role/pipeline",
        "artifactStore": {"type": "S3", "location": "bucket"},
        "pipelineType": "V2",
        "executionMode": "QUEUED",
        "variables": [{"name": "colour", "defaultValue": "red"}],
        "stages": [
            stage("Source", source),
            stage("Build", build("Make", namespace="Made", outputArtifacts=[{"name": "Built"}])),
            stage("Prod", approval(), build("Deploy", inputArtifacts=[{"name": "Built"}])),
        ],
    }


def test_a_good_structure_is_accepted() -> None:
    structure.check(_declared(), REGION)


def _action(declared: dict[str, Any], stage_index: int, action_index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = declared["stages"][stage_index]["actions"][action_index]
    return found


def _condition(declared: dict[str, Any], moment: str, result: str, stage_index: int = 1) -> dict[str, Any]:
    rules = variable_check("#{variables.colour}", "EQ", "red")
    declared["stages"][stage_index][moment] = {"conditions": [{"result": result, "rules": rules}]}
    return declared


def _case(name: str, code: str, change: Any) -> Any:
    return pytest.param(code, change, id=name)


def _set(path: tuple[Any, ...], value: Any) -> Any:
    def change(declared: dict[str, Any]) -> None:
        target: Any = declared
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return change


STRUCTURE, ACTION = "InvalidStructureException", "InvalidActionDeclarationException"
CONFIGURATION = ("stages", 1, "actions", 0, "configuration")
CASES = [
    _case("one stage", STRUCTURE, lambda d: d.update(stages=d["stages"][:1])),
    _case(
        "too many stages",
        "LimitExceededException",
        lambda d: d["stages"].extend(stage(f"S{n}", approval(f"A{n}")) for n in range(48)),
    ),
    _case(
        "too many actions in a stage",
        "LimitExceededException",
        lambda d: d["stages"][2]["actions"].extend(approval(f"A{n}") for n in range(49)),
    ),
    _case(
        "too many actions",
        "LimitExceededException",
        lambda d: d["stages"].extend(stage(f"S{n}", *(approval(f"A{m}") for m in range(50))) for n in range(10)),
    ),
    _case("stage name twice", "InvalidStageDeclarationException", _set(("stages", 2, "name"), "Build")),
    _case("stage without actions", "InvalidStageDeclarationException", _set(("stages", 2, "actions"), [])),
    _case("action name twice in a stage", ACTION, _set(("stages", 2, "actions", 1, "name"), "Approve")),
    _case("first stage with another action", STRUCTURE, lambda d: d["stages"][0]["actions"].append(approval())),
    _case(
        "source later",
        STRUCTURE,
        lambda d: d["stages"][1]["actions"].append(
            {**copy.deepcopy(_action(d, 0)), "name": "B", "namespace": "B", "outputArtifacts": [{"name": "B"}]}
        ),
    ),
    _case("unknown provider", ACTION, _set(("stages", 1, "actions", 0, "actionTypeId", "provider"), "Jenkins")),
    _case("missing configuration", ACTION, _set(CONFIGURATION, {})),
    _case("unknown configuration", ACTION, _set((*CONFIGURATION, "Project"), "x")),
    _case("no input artifact", ACTION, _set(("stages", 1, "actions", 0, "inputArtifacts"), [])),
    _case("approval with an input", ACTION, _set(("stages", 2, "actions", 0, "inputArtifacts"), [{"name": "Built"}])),
    _case(
        "inputs without a primary one",
        ACTION,
        _set(("stages", 2, "actions", 1, "inputArtifacts"), [{"name": "Built"}, {"name": "Sources"}]),
    ),
    _case("artifact nobody makes", ACTION, _set(("stages", 1, "actions", 0, "inputArtifacts"), [{"name": "Nope"}])),
    _case("artifact made later", ACTION, lambda d: d["stages"].insert(1, d["stages"].pop())),
    _case(
        "artifact made in the same run order",
        ACTION,
        lambda d: d["stages"][1]["actions"].append(build("Use", inputArtifacts=[{"name": "Built"}])),
    ),
    _case(
        "artifact made twice",
        STRUCTURE,
        lambda d: d["stages"][2]["actions"][1].update(outputArtifacts=[{"name": "Built"}]),
    ),
    _case("namespace twice", ACTION, _set(("stages", 2, "actions", 1, "namespace"), "Made")),
    _case("reserved namespace", ACTION, _set(("stages", 2, "actions", 1, "namespace"), "variables")),
    _case(
        "unknown namespace",
        "ValidationException",
        _set(("stages", 2, "actions", 0, "configuration"), {"CustomData": "#{Nope.x}"}),
    ),
    _case("namespace of a later action", "ValidationException", _set((*CONFIGURATION, "ProjectName"), "#{Made.x}")),
    _case(
        "undeclared pipeline variable", "ValidationException", _set((*CONFIGURATION, "ProjectName"), "#{variables.x}")
    ),
    _case(
        "unknown execution variable",
        "ValidationException",
        _set((*CONFIGURATION, "ProjectName"), "#{codepipeline.Name}"),
    ),
    _case(
        "topic of another region",
        ACTION,
        _set(("stages", 2, "actions", 0, "configuration"), {"NotificationArn": "arn:aws:sns:eu-west-1:111111111111:t"}),
    ),
    _case("timeout of a build", ACTION, _set(("stages", 1, "actions", 0, "timeoutInMinutes"), 10)),
    _case(
        "output of a cross-account build",
        ACTION,
        _set(("stages", 1, "actions", 0, "roleArn"), "arn:aws:iam::222222222222:role/action"),
    ),
    _case("V1 with variables", STRUCTURE, lambda d: d.update(pipelineType="V1", executionMode="SUPERSEDED")),
    _case("V1 queued", STRUCTURE, lambda d: (d.update(pipelineType="V1"), d.pop("variables"))),
    _case(
        "V1 with conditions",
        STRUCTURE,
        lambda d: (
            d.update(pipelineType="V1", executionMode="SUPERSEDED"),
            d.pop("variables"),
            _condition(d, "onSuccess", "FAIL"),
        ),
    ),
    _case("no store", STRUCTURE, lambda d: d.pop("artifactStore")),
    _case("both kinds of store", STRUCTURE, lambda d: d.update(artifactStores={REGION: d["artifactStore"]})),
    _case("no store in an action's region", STRUCTURE, _set(("stages", 1, "actions", 0, "region"), "us-east-1")),
    _case(
        "a store in a region without actions",
        STRUCTURE,
        lambda d: d.update(artifactStores={REGION: d["artifactStore"], "us-east-1": d.pop("artifactStore")}),
    ),
    _case(
        "source in another region",
        ACTION,
        lambda d: (
            d.update(artifactStores={REGION: d["artifactStore"], "us-east-1": d.pop("artifactStore")}),
            _action(d, 0).update(region="us-east-1"),
        ),
    ),
    _case("entry condition of the source stage", STRUCTURE, lambda d: _condition(d, "beforeEntry", "FAIL", 0)),
    _case("entry condition that rolls back", STRUCTURE, lambda d: _condition(d, "beforeEntry", "ROLLBACK")),
    _case("success condition that skips", STRUCTURE, lambda d: _condition(d, "onSuccess", "SKIP")),
    _case(
        "rollback in PARALLEL mode",
        STRUCTURE,
        lambda d: (d.update(executionMode="PARALLEL"), d["stages"][1].update(onFailure={"result": "ROLLBACK"})),
    ),
    _case("rollback of the source stage", STRUCTURE, _set(("stages", 0, "onFailure"), {"result": "ROLLBACK"})),
    _case(
        "retry mode without retry",
        STRUCTURE,
        _set(("stages", 1, "onFailure"), {"result": "ROLLBACK", "retryConfiguration": {"retryMode": "ALL_ACTIONS"}}),
    ),
    _case(
        "rule without its operator",
        STRUCTURE,
        lambda d: (
            _condition(d, "onSuccess", "FAIL"),
            d["stages"][1]["onSuccess"]["conditions"][0]["rules"][0]["configuration"].pop("Operator"),
        ),
    ),
    _case(
        "trigger for no source",
        STRUCTURE,
        lambda d: d.update(
            triggers=[{"providerType": "CodeStarSourceConnection", "gitConfiguration": {"sourceActionName": "Nope"}}]
        ),
    ),
    _case(
        "trigger with tags and branches",
        STRUCTURE,
        lambda d: d.update(
            triggers=[
                {
                    "providerType": "CodeStarSourceConnection",
                    "gitConfiguration": {
                        "sourceActionName": "App",
                        "push": [{"tags": {"includes": ["v*"]}, "branches": {"includes": ["main"]}}],
                    },
                }
            ]
        ),
    ),
]


@pytest.mark.parametrize(("code", "change"), CASES)
def test_a_bad_structure_is_refused(code: str, change: Any) -> None:
    declared = _declared()
    change(declared)

    with pytest.raises(ServiceError) as refused:
        structure.check(declared, REGION)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        (_set(("name",), "x" * 101), "Member must have length less than or equal to 100"),
        (_set(("stages", 1, "name"), "a b"), "Member must satisfy regular expression pattern"),
        (_set(("executionMode",), "FASTEST"), "Member must satisfy enum value set: [QUEUED, SUPERSEDED, PARALLEL]"),
        (_set(("stages", 1, "actions", 0, "runOrder"), 0), "Member must have value greater than or equal to 1"),
        (_set(("stages", 1, "actions", 0, "timeoutInMinutes"), 4), "Member must have value greater than or equal to 5"),
        (_set((*CONFIGURATION, "ProjectName"), "x" * 50_001), "Member must have length less than or equal to 50000"),
        (lambda d: d.pop("roleArn"), "Value null at 'pipeline.roleArn' failed to satisfy constraint"),
    ],
)
def test_sizes_and_patterns_are_those_of_the_model(change: Any, constraint: str) -> None:
    declared = _declared()
    change(declared)
    _, model = shapes.operation("CodePipeline_20150709.CreatePipeline")

    with pytest.raises(ServiceError) as refused:
        shapes.check_input(model, {"pipeline": declared})

    assert refused.value.code == "ValidationException"
    assert constraint in refused.value.message


def test_an_unknown_operation_is_told() -> None:
    with pytest.raises(ServiceError, match="not known"):
        shapes.operation("CodePipeline_20150709.MakeCoffee")


@pytest.mark.parametrize("text", ["#{variables.colour},#{variables.colour}", "#{variables.colour} ", "red", ""])
def test_a_rule_checks_one_variable(text: str) -> None:
    declared = _declared()
    rules = variable_check(text, "MATCHES", ".*")
    declared["stages"][1]["beforeEntry"] = {"conditions": [{"result": "SKIP", "rules": rules}]}
    with pytest.raises(ServiceError, match=r"checks one variable, as #\{namespace.key\}"):
        structure.check(declared, REGION)
