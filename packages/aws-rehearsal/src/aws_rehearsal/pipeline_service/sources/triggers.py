"""Which pushes start a pipeline: the filters of V2 triggers, and change detection without them. Pure.

"Filter triggers on code push or pull request events using a trigger configuration" of the CodePipeline User Guide:
excludes win over includes; all filter types of one push filter must match; one matching push filter is enough. Globs:
`*` matches within a path segment, `**` across segments, `?` one character, `{a,b}` either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_rehearsal.pipeline_service.definitions import Action, Pipeline


@dataclass(frozen=True)
class Push:
    """A push: a branch with the files its commits changed, or a tag."""

    branch: str | None = None
    tag: str | None = None
    files: tuple[str, ...] = ()


def starts(pipeline: Pipeline, source: Action, push: Push) -> bool:
    """Whether a push to the repository of a source action starts its pipeline."""
    filters = [
        push_filter
        for trigger in pipeline.triggers
        if trigger.source_action == source.name
        for push_filter in trigger.push
    ]
    if any(trigger.source_action == source.name for trigger in pipeline.triggers):
        return any(matches(push_filter, push) for push_filter in filters)
    return push.branch is not None and push.branch == watched_branch(source) and detects_changes(source)


def watched_branch(source: Action) -> str | None:
    """The branch a source action reads."""
    return source.configuration.get("BranchName") or source.configuration.get("Branch")


def detects_changes(source: Action) -> bool:
    """Whether a source action without triggers starts the pipeline by itself (the default)."""
    key = "DetectChanges" if source.provider == "CodeStarSourceConnection" else "PollForSourceChanges"
    return source.configuration.get(key, "true").lower() != "false"


def matches(push_filter: dict[str, Any], push: Push) -> bool:
    """Whether one declared push filter lets a push through."""
    if push.tag is not None:
        return "tags" in push_filter and _chosen(push_filter["tags"], [push.tag])
    if push.branch is None or "tags" in push_filter:
        return False
    if "branches" in push_filter and not _chosen(push_filter["branches"], [push.branch]):
        return False
    return "filePaths" not in push_filter or _chosen(push_filter["filePaths"], list(push.files))


def _chosen(criteria: dict[str, Any], names: list[str]) -> bool:
    """Whether one of `names` is included and not excluded; without includes everything is included."""
    includes, excludes = criteria.get("includes") or ["**"], criteria.get("excludes") or []
    return any(
        any(_glob(pattern).fullmatch(name) for pattern in includes)
        and not any(_glob(pattern).fullmatch(name) for pattern in excludes)
        for name in names
    )


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    out, depth, index = "", 0, 0
    while index < len(pattern):
        character = pattern[index]
        if pattern.startswith("**", index):
            out, index = out + ".*", index + 1
        elif character == "*":
            out += "[^/]*"
        elif character == "?":
            out += "[^/]"
        elif character == "{":
            out, depth = out + "(?:", depth + 1
        elif character == "}" and depth:
            out, depth = out + ")", depth - 1
        elif character == "," and depth:
            out += "|"
        else:
            out += re.escape(character)
        index += 1
    return re.compile(out + ")" * depth)
