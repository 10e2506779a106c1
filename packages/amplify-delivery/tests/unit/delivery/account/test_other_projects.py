"""Two projects in an account whose names go on where the other's end."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.delivery.account import other_projects
from amplify_delivery.errors import RefusedError

ACCOUNT = "111122223333"
ENVIRONMENT = EnvironmentNames("app", ACCOUNT, "eu-west-1", "update")
PIPELINE = PipelineNames("app-update", ACCOUNT, "eu-west-1", "deploy")


def account(*roles: tuple[str, str], refused: str = "") -> Any:
    """One with these roles, by name and path."""

    def paginate(**_: str) -> Any:
        if refused:
            raise ClientError({"Error": {"Code": refused, "Message": "no"}}, "ListRoles")
        return [{"Roles": [{"RoleName": name, "Path": path} for name, path in roles]}]

    iam = SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=paginate))
    return SimpleNamespace(client=lambda _: iam, asking=lambda _: nullcontext(), place=f"account {ACCOUNT}")


def test_names_of_two_projects_meet() -> None:
    """The premise: what the files of one of them cannot tell."""
    both = {name for kind, name in ENVIRONMENT.taken() & PIPELINE.taken() if kind == "role"}
    assert both, (sorted(ENVIRONMENT.taken()), sorted(PIPELINE.taken()))
    name = min(both)
    with pytest.raises(RefusedError, match=f"the role {name} is there already, and another's") as caught:
        other_projects.check(account((name, PIPELINE.path)), [ENVIRONMENT])
    assert PIPELINE.path in caught.value.message
    assert "nothing was changed" in caught.value.remedy


def test_ones_own_are_no_reason() -> None:
    own = [(name, ENVIRONMENT.project_path) for kind, name in ENVIRONMENT.taken() if kind == "role"]
    other_projects.check(account(*own, ("another", "/amplify-delivery/another/")), [ENVIRONMENT])
    other_projects.check(account(), [ENVIRONMENT, PIPELINE])


def test_who_may_not_list_goes_on() -> None:
    other_projects.check(account(refused="AccessDenied"), [ENVIRONMENT])
    with pytest.raises(ClientError):
        other_projects.check(account(refused="ServiceFailure"), [ENVIRONMENT])
