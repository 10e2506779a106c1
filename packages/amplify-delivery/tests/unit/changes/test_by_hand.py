"""Stacks that were updated by hand are told from those that were delivered: by the keys that their parents name."""

from __future__ import annotations

import hashlib
from typing import Any

from amplify_delivery.changes.by_hand import by_hand, named
from amplify_delivery.changes.deployed import Deployed
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import ChangeResource
from amplify_delivery.delivery.deployment.execution import restoring
from amplify_delivery.delivery.environment.planned import Backend
from amplify_delivery.delivery.planning import updated_by_hand
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.export.assembly import canonical

CHILD = {"Resources": {"Table": {"Type": "AWS::DynamoDB::Table"}}}


def key(template: Any) -> str:
    return f"templates/{hashlib.sha256(canonical(template)).hexdigest()}.json"


def root(address: Any) -> dict[str, Any]:
    return {"Resources": {"api": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": address}}}}


ADDRESS = {"Fn::Sub": f"https://s3.${{AWS::Region}}.${{AWS::URLSuffix}}/bucket/{key(CHILD)}"}
ROOT = root(ADDRESS)


def test_what_was_delivered_is_nobodys_hand() -> None:
    delivered = Stacks({(): ROOT, ("api",): CHILD}, {TEMPLATE_KEY: key(ROOT)})
    assert by_hand(delivered) == ()
    assert updated_by_hand(delivered) == updated_by_hand(None) == ()


def test_the_root_and_nested_stacks_each() -> None:
    other = {"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PROVISIONED"}}}}
    parameters = {TEMPLATE_KEY: key(ROOT)}
    assert by_hand(Stacks({(): ROOT, ("api",): other}, parameters)) == (("api",),)
    changed = {**ROOT, "Outputs": {"Mine": {"Value": "1"}}}
    stacks = Stacks({(): changed, ("api",): other}, parameters)
    assert by_hand(stacks) == ((), ("api",))
    (note,) = updated_by_hand(stacks)
    assert "(2: (root stack), api)" in note


def test_what_another_tool_delivered_names_no_keys() -> None:
    amplify = root("https://s3.amazonaws.com/amplify-app-dev-12345-deployment/amplify-cfn-templates/api/template.json")
    assert by_hand(Stacks({(): amplify, ("api",): CHILD}, {})) == ()


def test_a_message_names_a_few() -> None:
    assert named([("api", str(n)) for n in range(7)]) == "api/0, api/1, api/2, api/3, api/4, and 2 more"


def test_it_is_brought_back_only_where_the_engine_sees_no_difference() -> None:
    """After a rollback the root has another template: that is for the engine to deliver."""
    other = {"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PROVISIONED"}}}}
    wanted = Stacks({(): ROOT, ("api",): CHILD}, {TEMPLATE_KEY: key(ROOT)})
    step = ChangeResource(("api", "Table"), "AWS::DynamoDB::Table", ("BillingMode",), "digest")

    def needed(changed: Stacks | None, *steps: ChangeResource) -> bool:
        status = "UPDATE_COMPLETE" if changed else None
        return restoring.needed(Backend(Deployed(status, changed), steps, wanted))

    by_a_person = Stacks({(): ROOT, ("api",): other}, {TEMPLATE_KEY: key(ROOT)})
    assert needed(by_a_person, step)
    assert not needed(by_a_person)
    assert not needed(wanted, step)
    assert not needed(None, step)
    assert not needed(Stacks({(): ROOT, ("api",): other}, {TEMPLATE_KEY: key(other)}), step)
