"""What stands in tags for an environment's and a project's name."""

from __future__ import annotations

import re

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
