"""Over a limit of AWS's: refused before anything is declared, with a way out. At 90 environments still within."""

from dataclasses import replace
from typing import Any

import pytest

from amplify_delivery.components.documents import limits
from amplify_delivery.components.documents.pipeline.artifacts import bucket_policy, key_policy
from amplify_delivery.components.documents.pipeline.definition import pipeline_properties
from amplify_delivery.components.documents.pipeline.everything import pipeline_documents
from amplify_delivery.components.documents.pipeline.model import (
    Approval,
    EnvironmentRef,
    PipelineModel,
    S3Source,
    Stage,
    Step,
    Trigger,
)
from amplify_delivery.components.documents.statements import RoleDocument, allow, document
from amplify_delivery.errors import ConfigError
from unit.components.documents import world as w

REFERENCE = EnvironmentRef("prod", w.PROD, w.AWAY)


def many(number: int, per_wave: int) -> PipelineModel:
    references = [EnvironmentRef(f"env{n:03d}", f"{300000000000 + n}", w.HOME) for n in range(number)]
    waves = [tuple(references[at : at + per_wave]) for at in range(0, number, per_wave)]
    stages = tuple(
        Stage(f"Wave{n:02d}", wave, post=(Step("smoke"),), approval=Approval("Go?"), bake_minutes=30)
        for n, wave in enumerate(waves)
    )
    return w.pipeline_model(stages=stages, stores=w.pipeline_model().stores[:1])


@pytest.mark.parametrize(("number", "per_wave"), [(1, 1), (10, 5), (50, 5), (90, 9)])
def test_every_size_is_within_the_limits(number: int, per_wave: int) -> None:
    model = many(number, per_wave)
    limits.check_model(model)
    limits.check_definition(pipeline_properties(model))
    documents = pipeline_documents(model)
    limits.check_roles(documents.roles, documents.boundaries)
    bucket = bucket_policy(w.pipeline, w.HOME, model.environments)
    key = key_policy(w.pipeline, w.HOME, model.environments)
    limits.check_resource_policies(bucket, key, w.HOME)


def test_one_stage_per_environment_is_too_many_stages() -> None:
    with pytest.raises(ConfigError, match=r"94 stages, but CodePipeline takes 50: put environments into waves"):
        limits.check_definition(pipeline_properties(many(30, 1)))


def test_a_wave_too_wide_is_told_to_be_split() -> None:
    with pytest.raises(ConfigError, match=r"Wave00 has 90 actions, but CodePipeline takes 50: split its wave"):
        limits.check_definition(pipeline_properties(many(30, 30)))


def test_a_wave_too_wide_for_one_approval_is_told_to_be_split() -> None:
    references = tuple(EnvironmentRef(f"env{n:03d}", f"{300000000000 + n}", w.HOME) for n in range(20))
    stages = (Stage("Wave", references, approval=Approval()),)
    with pytest.raises(ConfigError, match=r"Wave-Approve, Approve, CustomData: .* takes 1000: split its wave"):
        limits.check_definition(pipeline_properties(w.pipeline_model(stages=stages)))


def test_too_many_actions_need_another_pipeline() -> None:
    with pytest.raises(ConfigError, match=r"actions, but CodePipeline takes 500: move some waves"):
        limits.check_definition(pipeline_properties(many(130, 13)))


def test_too_many_doors_need_another_pipeline() -> None:
    with pytest.raises(ConfigError, match=r"role seriesapp-pipeline have .* but IAM takes 10240: move some waves"):
        limits.check_roles(pipeline_documents(many(120, 12)).roles)


def test_artifact_policies_have_a_limit() -> None:
    environments = many(400, 10).environments
    key = key_policy(w.pipeline, w.HOME, environments)
    with pytest.raises(
        ConfigError, match=r"bucket's policy is .* over 20480.*; the artifact key's policy is .* over 32768"
    ):
        limits.check_resource_policies(bucket_policy(w.pipeline, w.HOME, environments), key, w.HOME)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": ()}, "needs a stage"),
        ({"stages": (Stage("Prod", ()),)}, "has no environment"),
        ({"stages": (Stage("A", (REFERENCE,)), Stage("B", (REFERENCE,)))}, "prod stands in 2 places"),
        ({"stages": (Stage("Build", (REFERENCE,)),)}, "name of a stage that every pipeline has"),
        ({"stages": (Stage("Prod", (REFERENCE,), post=(Step("Deploy"),)),)}, "name of another action"),
        ({"stages": (Stage("Prod", (REFERENCE,), post=(Step("a"), Step("a"))),)}, "name of another action"),
        ({"stages": (Stage("Prod", (REFERENCE,), approval=Approval(timeout_minutes=4)),)}, "5 minutes to 60 days"),
        ({"stages": (Stage("Prod", (REFERENCE,), bake_minutes=600),)}, "at most 420 minutes"),
        ({"stores": ()}, "artifact stores"),
        ({"source": S3Source("b", "k"), "triggers": (Trigger(tags=("v*",)),)}, "exist for connections only"),
        ({"triggers": (Trigger(),)}, "without a filter"),
        ({"triggers": (Trigger(tags=("v*",), branches=("main",)),)}, "tags and branches or paths"),
        ({"triggers": (Trigger(branches=tuple("abcdefghi")),)}, "9 patterns"),
        ({"triggers": (Trigger(branches=("x" * 256,)),)}, "over 255 characters"),
        ({"triggers": tuple(Trigger(branches=(b,)) for b in "abcd")}, "4 triggers"),
    ],
)
def test_a_model_that_makes_no_pipeline(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        limits.check_model(w.pipeline_model(**change))


def test_every_problem_is_told_at_once() -> None:
    stages = (Stage("Build", (REFERENCE,)), Stage("Prod", (REFERENCE,)))
    with pytest.raises(ConfigError, match=r"2 places.*every pipeline has"):
        limits.check_model(w.pipeline_model(stages=stages))


def test_a_long_comment_is_refused() -> None:
    stages = (Stage("Prod", (REFERENCE,), approval=Approval("x" * 1_000)),)
    with pytest.raises(ConfigError, match=r"CustomData: .* CodePipeline takes 1000"):
        limits.check_definition(pipeline_properties(w.pipeline_model(stages=stages)))


def test_a_name_that_codepipeline_does_not_take() -> None:
    with pytest.raises(ConfigError, match=r"is no name for CodePipeline"):
        limits.check_definition(pipeline_properties(w.pipeline_model(stages=(Stage("Über", (REFERENCE,)),))))


def test_a_role_of_too_many_policies() -> None:
    role: RoleDocument = w.accounts()["prod"].execution
    with pytest.raises(ConfigError, match="needs 11 managed policies, but IAM takes 10"):
        limits.check_roles([replace(role, managed_policies=tuple("abcdefghijk"))])


def test_a_buildspec_that_is_too_long() -> None:
    project = w.accounts()["prod"].projects[0]
    with pytest.raises(ConfigError, match="put the commands into a script"):
        limits.check_projects([replace(project, buildspec='"' + "x" * 25_600 + '"')])


def test_a_policy_that_is_too_long() -> None:
    policy = w.accounts()["prod"].boundary
    large = document([allow("A", [f"s3:Get{n:0100d}" for n in range(100)], "*")])
    with pytest.raises(ConfigError, match="but IAM takes 6144"):
        limits.check_roles([], [replace(policy, document=large)])
