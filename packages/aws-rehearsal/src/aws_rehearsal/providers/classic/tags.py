"""How an update of tags is told to AWS: what goes, and what comes or changes.

Plays `tftags.New(...).Removed` and `.Updated` of internal/tags in terraform-provider-aws.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Tags = dict[str, str]


def tag_changes(olds: Mapping[str, Any], wanted: Tags) -> tuple[list[str], Tags]:
    """Keys to take away and tags to set, for a state with `tagsAll` and all tags that are wanted."""
    before: Tags = olds.get("tagsAll") or {}
    return sorted(set(before) - set(wanted)), {key: text for key, text in wanted.items() if before.get(key) != text}


def tag_list(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as most APIs take them; `key` and `value` are the names that the API has for the two."""
    return [{key: name, value: text} for name, text in tags.items()]


def every_tag(tags: Iterable[Mapping[str, str]], key: str = "Key", value: str = "Value") -> Tags:
    """Tags as an API gives them, without those that AWS sets."""
    return {tag[key]: tag[value] for tag in tags if not tag[key].startswith("aws:")}
