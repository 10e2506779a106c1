"""What makes no pipeline is refused where it is written down, in Python as in a stack file, at exactly AWS's numbers.

"Quotas in AWS CodePipeline", "Manage approval actions in CodePipeline", "Quotas for AWS CodeBuild".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from amplify_delivery.components.documents.fields import WRITTEN, BadValueError
from amplify_delivery.components.documents.pipeline.model import EnvironmentRef
from amplify_delivery.components.documents.pipeline.source_models import S3Source, Trigger
from amplify_delivery.components.documents.pipeline.stage_models import Approval, Bake, Stage, Step
from amplify_delivery.stacks.config import PipelineConfig
from unit.components.documents import world as w

S3 = S3Source(type="s3", bucket="bucket", key="a.zip")
PIPELINE = {
    "program": "pipeline",
    "account": w.TOOLING,
    "region": w.HOME,
    "source": {"connection": f"arn:aws:codeconnections:{w.HOME}:{w.TOOLING}:connection/c", "repository": "a/b"},
    "stages": [{"name": "Prod"}],
}


def prod(**changes: Any) -> Stage:
    return Stage(**{"name": "Prod", "environments": ("prod",), **changes})


def after(name: str, *others: str) -> Step:
    return Step(name=name, commands=("make",), after=others)


def triggers(number: int) -> PipelineConfig:
    found = [{"branches": [f"b{n}"]} for n in range(number)]
    return PipelineConfig.model_validate({**PIPELINE, "triggers": found}, context=WRITTEN)


@pytest.mark.parametrize(
    ("make", "least", "most"),
    [
        (lambda n: Approval(timeout=n), 5, 86_400),
        (lambda n: Bake(time=n), 1, 420),
        (lambda n: Step(name="smoke", commands=("make",), timeout=n), 1, 2_145),
        (lambda n: Approval(comment="x" * n), 1, 400),
        (lambda n: Trigger(branches=("x" * n,)), 1, 255),
        (lambda n: Trigger(branches=tuple(f"b{i}" for i in range(n))), 1, 8),
        (triggers, 0, 3),
    ],
    ids=["approval", "bake", "step", "comment", "pattern", "patterns", "triggers"],
)
def test_at_a_limit_it_is_made_and_one_beyond_refused(make: Callable[[int], object], least: int, most: int) -> None:
    assert make(least)
    assert make(most)
    for beyond in {least - 1, most + 1} - {-1}:
        with pytest.raises(ValidationError):
            make(beyond)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: prod(name="Build"), "every pipeline has a stage Build"),
        (lambda: prod(name="publishassets"), "every pipeline has a stage"),
        (lambda: prod(name="\u00dcber"), "is not a name"),
        (lambda: prod(environments=()), "at least 1 item"),
        (lambda: prod(post=(w.step("Deploy"),)), "cannot be called Deploy"),
        (lambda: prod(pre=(w.step("a"),), post=(w.step("A"),)), "two steps are called a"),
        (
            lambda: prod(pre=(w.step("b"),), post=(after("a", "b"),)),
            "step a is after b, which is not a step of the same",
        ),
        (lambda: prod(post=(after("a", "b"), after("b", "a"))), "steps that wait for one another: a, b"),
        (lambda: prod(post=(after("a", "a"),)), "steps that wait for one another: a"),
        (Trigger, "a trigger without a filter"),
        (lambda: Trigger(tags=("v*",), branches=("main",)), "a trigger with tags and with branches"),
        (lambda: Trigger(paths=("amplify-export-*/**",)), "paths and no branches, which CodePipeline refuses"),
        (lambda: Trigger(exclude_paths=("docs/**",)), "paths and no branches, which CodePipeline refuses"),
    ],
)
def test_a_part_that_makes_no_pipeline(make: Callable[[], object], says: str) -> None:
    with pytest.raises((ValidationError, BadValueError), match=says):
        make()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"stages": (prod(), prod(name="Again"))}, "environment prod is in two places"),
        ({"stages": (prod(), prod(environments=("canary",)))}, "two stages are called"),
        ({"source": S3, "triggers": (Trigger(tags=("v*",)),)}, "triggers exist for connections only"),
        (
            {"places": (EnvironmentRef("preprod", w.PREPROD, w.HOME),)},
            "no account and region are known for environment prod",
        ),
    ],
)
def test_parts_that_do_not_fit(change: dict[str, Any], says: str) -> None:
    with pytest.raises(BadValueError, match=says):
        w.pipeline_model(**change)


def test_a_file_has_camel_case_only_and_python_has_both() -> None:
    """One spelling in files, as documented; in Python the attributes' names."""
    assert Approval(skip_unchanged=True) == Approval.model_validate({"skipUnchanged": "true"}, context=WRITTEN)
    with pytest.raises(ValidationError, match="unknown key 'skip_unchanged', did you mean 'skipUnchanged'"):
        Approval.model_validate({"skip_unchanged": "true"}, context=WRITTEN)
    with pytest.raises(ValidationError, match="unknown key 'skip'"):
        Approval.model_validate({"skip": True})
