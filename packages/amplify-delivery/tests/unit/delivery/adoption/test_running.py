"""Which root stack is meant, and what is read of it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, cast

import pytest

from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.adoption import running
from amplify_delivery.errors import ConfigError


class There:
    """An account with these root stacks; nested ones have a parent."""

    place = "account 012345678901 (eu-west-1)"

    def __init__(self, *names: str) -> None:
        self.stacks = [{"StackName": name, "StackStatus": "UPDATE_COMPLETE"} for name in names]
        self.stacks += [
            {"StackName": "amplify-app-prod-gone1", "StackStatus": "DELETE_COMPLETE"},
            {"StackName": "amplify-app-prod-12345", "StackStatus": "UPDATE_COMPLETE", "ParentId": "a"},
        ]

    def client(self, _: str) -> Any:
        return self

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self) -> list[Any]:
        return [{"Stacks": self.stacks}]

    def asking(self, _: str) -> Any:
        return nullcontext()


def find(there: There, stack: str | None = None, expected: str | None = "amplify-app-prod-eeeee") -> str:
    return str(running.find(cast("Account", there), "app", stack, expected, "prod"))


def test_the_one_that_the_stack_file_describes_is_taken_else_the_only_one() -> None:
    several = There("amplify-app-prod-aaaaa", "amplify-app-prod-eeeee", "amplify-app-dev-aaaaa", "amplify-other-prod-a")
    assert find(several) == "amplify-app-prod-eeeee"
    assert find(several, "amplify-app-prod-aaaaa") == "amplify-app-prod-aaaaa"
    assert find(There("amplify-app-prod-aaaaa", "amplify-app-dev-aaaaa", "CDKToolkit")) == "amplify-app-prod-aaaaa"


def test_several_or_none_are_a_persons_to_tell() -> None:
    with pytest.raises(ConfigError, match="several root stacks are called so: amplify-app-prod-a, amplify-app-prod-b"):
        find(There("amplify-app-prod-a", "amplify-app-prod-b"))
    with pytest.raises(ConfigError, match=r"no root stack amplify-app-prod-\.\.\. runs here") as caught:
        find(There("amplify-app-dev-a"))
    assert "--stack NAME" in caught.value.remedy


def test_a_stack_that_is_not_this_apps_is_refused() -> None:
    with pytest.raises(ConfigError, match="is not named as Amplify names root stacks"):
        find(There(), "backend")
    with pytest.raises(ConfigError, match="it is a stack of the app 'other', this project delivers 'app'"):
        find(There(), "amplify-other-prod-a")
