"""`delivery update-pipeline`: when it updates, when it leaves everything alone, and when it refuses."""

from __future__ import annotations

import pytest

from amplify_export.errors import ConfigError, DeployError
from delivery.planning import ProgramStep
from delivery.update_pipeline import PIPELINE, Decision, decide, only_pipeline

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
def test_what_is_done(previewed: list[ProgramStep], declared: str, applied: str | None, decision: Decision) -> None:
    assert decide(previewed, declared, applied, "pipeline") == decision


@pytest.mark.parametrize("operation", ["update", "replace", "create"])
def test_one_definition_is_not_applied_twice_in_a_row(operation: str) -> None:
    with pytest.raises(DeployError, match="again and again") as caught:
        decide(steps(pipeline=operation), "a", "a", "pipeline")
    assert "pulumi up -s pipeline" in caught.value.remedy


def test_the_only_pipeline_needs_no_name() -> None:
    assert only_pipeline(("releases",)) == "releases"
    with pytest.raises(ConfigError, match="several pipelines: a, b"):
        only_pipeline(("a", "b"))
    with pytest.raises(ConfigError, match="there is no pipeline"):
        only_pipeline(())
