"""What stands in tags for an environment's and a project's name, and what AWS takes in a tag."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from amplify_delivery.errors import ConfigError
from amplify_delivery.export.names import StackName
from amplify_delivery.export.quotas import MAX_TAG_VALUE, MAX_TAGS

_PLACES = re.compile(r"\{project-(env|name)\}")


def filled(value: str, project: str, environment: str) -> str:
    """A tag's value as the Amplify CLI gives it to a stack: with the names wherever they belong.

    Amplify's CDK construct fills in the first `{project-env}` alone; IAM refuses the braces that it leaves.
    """
    names = {"env": environment, "name": project}
    return _PLACES.sub(lambda place: names[place[1]], value)


def own(value: str) -> str:
    """What a tag's value has besides those names."""
    return _PLACES.sub("", value)


_MARKS = frozenset("_.:/=+-@")


def foreign(text: str) -> str:
    """The characters that IAM takes in no tag ("Tags for IAM resources"): a pattern of letters, blanks and numbers of
    any language, and a few marks."""
    return "".join(dict.fromkeys(c for c in text if c not in _MARKS and unicodedata.category(c)[0] not in "LZN"))


def in_capitals(keys: Iterable[str]) -> list[list[str]]:
    """Keys that are the same but for capitals."""
    by_name: dict[str, set[str]] = {}
    for key in keys:
        by_name.setdefault(key.lower(), set()).add(key)
    return [sorted(several) for several in by_name.values() if len(several) > 1]


def of_stack(exported: Iterable[tuple[str, str]], name: StackName, own: Mapping[str, str]) -> dict[str, str]:
    """The root stack's tags: the export's with the project's and the environment's name, and the environment's `own`.

    None of the export's is another in one environment: rights of a bootstrapped account compare them, and keep
    environments apart by them. Raises `ConfigError`.
    """
    tags = {key: filled(value, name.project, name.environment) for key, value in exported}
    for key, value in tags.items():
        if len(value) > MAX_TAG_VALUE:
            raise ConfigError(
                f"tag {key!r} has {len(value)} characters, AWS takes {MAX_TAG_VALUE}",
                remedy="shorten it in the export's export-tags.json, or the project's name",
            )
    taken = {key.lower(): key for key in tags}
    for key in own:
        if key.lower() in taken:
            raise ConfigError(
                f"tags: {taken[key.lower()]!r} is a tag of the export, the same in all environments",
                remedy=f"take another name than {key!r}; or take the export's out of amplify/backend/tags.json, and "
                "export again",
            )
    if len(tags) + len(own) > MAX_TAGS:
        raise ConfigError(
            f"tags: {len(own)} beside {len(tags)} of the export, where CloudFormation takes {MAX_TAGS}",
            remedy="write fewer",
        )
    return {**tags, **own}
