"""When the API keys of what runs expire: as written, or as somebody has renewed them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.adoption import api_keys
from amplify_delivery.delivery.adoption.running import Running
from amplify_delivery.export.names import StackName

WRITTEN = 1_773_510_303
NAME = StackName("amplify", "app", "main", "abcde")


class Pages:
    def __init__(self, pages: Mapping[str, Any]) -> None:
        self.pages = pages

    def get_paginator(self, _: str) -> Pages:
        return self

    def paginate(self, **of: str) -> list[Any]:
        return [self.pages[next(iter(of.values()))]]


class There:
    """An account with the stacks `root` and `api`, and one API with a key that expires then."""

    def __init__(self, expires: int) -> None:
        key = "arn:aws:appsync:eu-west-1:012345678901:apis/abc/apikeys/da2-1"
        nested = {"ResourceType": "AWS::CloudFormation::Stack", "PhysicalResourceId": "api"}
        own = {"ResourceType": api_keys.API_KEY, "PhysicalResourceId": key}
        self.stacks = {"root": {"StackResourceSummaries": [nested]}, "api": {"StackResourceSummaries": [own]}}
        self.keys = [{"id": "da2-1", "expires": expires}, {"id": "da2-by-hand", "expires": expires + 7200}]

    def client(self, service: str) -> Any:
        return Pages(self.stacks if service == "cloudformation" else {"abc": {"apiKeys": self.keys}})


def running(*expires: Any) -> Running:
    resources = {f"Key{n}": {"Type": api_keys.API_KEY, "Properties": {"Expires": e}} for n, e in enumerate(expires)}
    return Running("root", NAME, Stacks({(): {"Resources": resources}}, {}), {})


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (WRITTEN // 3600 * 3600, WRITTEN),  # AppSync counts in hours: nothing has changed
        (1_800_000_000, 1_800_000_000),  # renewed in the console
    ],
)
def test_a_key_keeps_the_expiry_that_it_has(there: int, found: int) -> None:
    assert api_keys.expires(cast("Account", There(there)), running(WRITTEN)) == found


def test_without_a_key_there_is_none_and_of_several_the_last_counts() -> None:
    assert api_keys.expires(cast("Account", There(1)), running()) is None
    assert max(api_keys.written_expiries(running(1, WRITTEN, {"Ref": "P"}, "12").stacks)) == WRITTEN


def test_a_key_that_has_expired_is_told_with_what_helps() -> None:
    """AppSync keeps it for 60 days: then there is nothing to be renewed."""
    ended = datetime(2026, 3, 14, 17, tzinfo=UTC)
    expires = int(ended.timestamp())
    assert api_keys.expired("prod", expires, ended - timedelta(seconds=1)) == ()
    assert api_keys.expired("prod", None, ended) == ()
    (note,) = api_keys.expired("prod", expires, ended + timedelta(days=59))
    assert note.startswith("the API key has expired on 2026-03-14: nobody gets in with it. Until 2026-05-13 it can be")
    assert "`pulumi config rm -s prod --path parameters.root.ApiKeyExpires && " in note
    assert "pulumi config set -s prod apiKeyExpires 2027-05-11`" in note
    (note,) = api_keys.expired("prod", expires, ended + timedelta(days=60))
    assert "AppSync has deleted it since" in note
    assert "pulumi config" not in note
