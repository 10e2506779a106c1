"""What the next `amplify push` would take, told to whoever goes back to Amplify's tools: tables that have other names
than Amplify gives them, and the auth roles' trust. And what these tools would be refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from amplify_delivery.delivery.adoption.handover.amplify_files import Running
from amplify_delivery.delivery.adoption.handover.handing import protected, renamed, strange, trusted
from amplify_delivery.export.assembling.auth_roles import IDENTITY_POOL
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


def test_a_push_would_take_the_trust_that_stands_in_the_template() -> None:
    running = Running("amplify-myapp-prod-12345", "arn", "eu-central-1", "prod", {}, {}, {IDENTITY_POOL: "pool"})
    (note,) = trusted("prod", running)
    assert "no user of the app, and no guest, would get credentials" in note
    assert f"`pulumi config rm -s prod --path parameters.root.{IDENTITY_POOL}`" in note
    assert trusted("prod", replace(running, parameters={IDENTITY_POOL: ""})) == ()
    assert trusted("prod", replace(running, parameters={})) == ()


def test_amplifys_tools_delete_no_stack_that_is_protected() -> None:
    running = Running("amplify-myapp-prod-12345", "arn", "eu-central-1", "prod", {}, {})
    (note,) = protected(replace(running, protected=True), "--region eu-central-1 --profile prod")
    for command in ("amplify delete", "amplify env remove", "amplify gen2-migration decommission"):
        assert f"`{command}`" in note
    off = (
        "--no-enable-termination-protection --stack-name amplify-myapp-prod-12345 --region eu-central-1 --profile prod"
    )
    assert f"`aws cloudformation update-termination-protection {off}`" in note
    assert protected(running, "--region eu-central-1") == ()


def test_the_amplify_cli_makes_no_environment_of_this_name() -> None:
    """It finds one that is there, and refuses the name wherever it would make or set up one (`isEnvNameValid`)."""
    (note,) = strange("eu1")
    assert "`amplify init`" in note
    assert "`amplify env checkout eu1`" in note
    assert [strange(name) for name in ("prod", "abcdefghij")] == [(), ()]
