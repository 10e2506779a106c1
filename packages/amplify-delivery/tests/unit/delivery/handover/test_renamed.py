"""Tables that have other names than Amplify gives them, told to whoever goes back to its tools."""

from __future__ import annotations

from typing import Any

from amplify_delivery.delivery.handover.handing import renamed
from amplify_delivery.stacks.config import EnvironmentConfig
from amplify_delivery.stacks.config.resource_rules import ReplacedTable

PLACE: dict[str, Any] = {"account": "444444444444", "region": "eu-central-1", "environment": "prod"}


def test_a_push_would_replace_what_amplify_does_not_know() -> None:
    table = ReplacedTable(path="apimyapp/Todo/TodoTable", prefix="v2-", data="copy")
    assert renamed(EnvironmentConfig(**PLACE)) == ()
    (note,) = renamed(EnvironmentConfig(**PLACE, replaced_tables=(table,)))
    assert "`amplify push` would put empty tables in the place" in note
    assert "apimyapp/Todo/TodoTable (v2-)" in note
    assert "`amplify override api`" in note
