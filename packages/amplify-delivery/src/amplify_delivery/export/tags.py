"""What stands in tags for an environment's and a project's name, and what AWS takes in a tag."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

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
