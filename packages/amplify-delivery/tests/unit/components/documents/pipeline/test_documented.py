"""The declared documents against what AWS's user guides say is needed at least."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache

from amplify_delivery.components.documents.naming import PROJECTS
from aws_rehearsal.policy.evaluator import World
from unit.components.documents import world as w
from unit.components.documents.pipeline.documented import (
    BUILD,
    BUILD_WITHOUT_OUTPUT,
    REPORTS,
    SERVICE_ROLE,
    SOURCE_ACTION,
    Documented,
)
from unit.rows import each


@cache
def world() -> World:
    return w.build_world(w.declared())


def _needed(role: str, documented: Documented, region: str, group: str = "") -> Iterator[tuple[str, str, str]]:
    bucket = w.pipeline.bucket_arn(w.pipeline.artifact_bucket(region))
    for resource, actions in (
        (bucket, documented.bucket),
        (f"{bucket}/app/Build/x", documented.objects),
        (f"{group}:log-stream:x", documented.logs),
    ):
        for action in actions:
            yield role, action, group if action == "logs:CreateLogGroup" else resource


def _all() -> Iterator[tuple[str, str, str]]:
    for region in (w.HOME, w.AWAY):
        yield from _needed(w.pipeline.role_arn(), SERVICE_ROLE, region)
    yield from _needed(w.pipeline.role_arn("source"), SOURCE_ACTION, w.HOME)
    for what, documented in (("build", BUILD), ("update", BUILD_WITHOUT_OUTPUT)):
        group = w.pipeline.arn("logs", f"log-group:{w.pipeline.project_log_group(what)}")
        yield from _needed(w.pipeline.role_arn(what), documented, w.HOME, group)
    for names in w.ENVIRONMENTS:
        for what in PROJECTS:
            group = names.arn("logs", f"log-group:{names.project_log_group(what)}")
            yield from _needed(names.project_role_arn(what), BUILD_WITHOUT_OUTPUT, names.region, group)


@each(list(_all()))
def test_what_the_guides_say_is_allowed(role: str, action: str, resource: str) -> None:
    assert w.is_allowed(world(), role, action, resource, {})


def test_reports_are_neither_declared_nor_allowed() -> None:
    """A buildspec that declares some would need these rights."""
    projects = [*w.tooling().projects, *(p for found in w.accounts().values() for p in found.projects)]
    assert not [project.name for project in projects if "reports" in json.loads(project.buildspec)]
    for project in projects:
        group = project.role_arn.replace(":iam::", f":codebuild:{w.HOME}:").partition(":role/")[0] + ":report-group/x"
        assert not [a for a in REPORTS if w.is_allowed(world(), project.role_arn, a, group, {})]
