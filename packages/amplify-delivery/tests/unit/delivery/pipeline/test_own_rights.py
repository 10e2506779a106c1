"""What the pipeline may not do to itself is said before anything begins; what it may is not held back."""

from __future__ import annotations

import pytest

from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.components.documents.pipeline.model import EnvironmentRef, PipelineModel
from amplify_delivery.components.documents.pipeline.source_models import CodeCommitSource
from amplify_delivery.components.documents.pipeline.stage_models import Stage
from amplify_delivery.delivery.pipeline.own_rights import check, not_its_own
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.errors import DeployError

NAMES = PipelineNames("app", "111111111111", "us-east-1", "main")
MODEL = PipelineModel(
    NAMES,
    CodeCommitSource(type="codecommit", repository="app"),
    (Stage(name="Prod", environments=("prod",)),),
    (EnvironmentRef("prod", "2" * 12, "us-east-1"),),
)
ROLE, ROLE_POLICY, BOUNDARY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"
KEY, BUCKET, PROJECT = "aws:kms/key:Key", "aws:s3/bucket:Bucket", "aws:codebuild/project:Project"
PIPELINE = "aws-native:codepipeline:Pipeline"


def step(kind: str, operation: str, *properties: str, name: str = "x") -> ProgramStep:
    return ProgramStep(f"urn:pulumi:main::app::c${kind}::{name}", kind, operation, properties)


@pytest.mark.parametrize(
    "step",
    [
        step(PIPELINE, "update", "stages"),
        step(PROJECT, "update", "environment"),
        step(ROLE_POLICY, "update", "policy", name="app-main-pipeline"),
        *(step(kind, "update", "tags", "tagsAll") for kind in (ROLE, BOUNDARY, KEY, BUCKET)),
        step(KEY, "create"),
        step(KEY, "update", "policy"),
        step("aws:kms/alias:Alias", "create"),
        step("aws:sns/topicSubscription:TopicSubscription", "delete"),
        step("aws:sns/topic:Topic", "create"),
        step("aws:cloudwatch/eventRule:EventRule", "delete"),
        step(ROLE, "same"),
        step(ROLE, "refresh"),
        step("pulumi:providers:aws", "replace"),
    ],
    ids=lambda step: f"{step.operation} {step.type}",
)
def test_what_the_pipeline_may_do_to_itself_is_not_held_back(step: ProgramStep) -> None:
    check([step], MODEL, "main")


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (step(ROLE, "update", "assumeRolePolicy"), f"{ROLE} x (update assumeRolePolicy)"),
        (step(ROLE, "update", "tags", "permissionsBoundary"), f"{ROLE} x (update permissionsBoundary)"),
        (step(ROLE, "create"), f"{ROLE} x (create)"),
        (step(ROLE_POLICY, "update", "policy", name="app-main-update-update"), "app-main-update-update (update)"),
        (step(ROLE_POLICY, "delete", name="app-main-pipeline"), "app-main-pipeline (delete)"),
        (step(ROLE_POLICY, "replace", "name", name="app-main-pipeline"), "app-main-pipeline (replace)"),
        (step(BOUNDARY, "update", "policy"), f"{BOUNDARY} x (update policy)"),
        (step(KEY, "delete"), f"{KEY} x (delete)"),
        (step(BUCKET, "create-replacement"), f"{BUCKET} x (replace)"),
        (step(PROJECT, "create"), f"{PROJECT} x (create)"),
        (step(PIPELINE, "replace"), f"{PIPELINE} x (replace)"),
    ],
    ids=lambda value: f"{value.operation} {value.type}" if isinstance(value, ProgramStep) else "",
)
def test_what_is_for_a_person(step: ProgramStep, told: str) -> None:
    with pytest.raises(DeployError) as caught:
        check([step], MODEL, "main")
    assert told in caught.value.message
    assert "nothing was changed" in caught.value.remedy
    assert f"`PULUMI_BACKEND_URL='{NAMES.state_backend}' pulumi up -s main`" in caught.value.remedy


def test_all_of_it_is_said_at_once_and_each_once() -> None:
    both = [step(ROLE, "replace"), step(ROLE, "create-replacement"), step(KEY, "delete", name="k")]
    assert not_its_own(both, MODEL) == (f"{ROLE} x (replace)", f"{KEY} k (delete)")
