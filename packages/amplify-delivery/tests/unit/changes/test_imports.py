"""What a backend imports has to be exported by some stack."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.changes.imports import listed, not_exported
from aws_rehearsal_tests.local_account import LocalAccount
from unit.delivery.planning.stacks_of import changed, stacks_of

OLD = stacks_of("todo-series/v1")
API = "apiseriesapp"


def importing(name: Any, **outputs: Any) -> Any:
    def add(template: dict[str, Any]) -> None:
        template["Resources"]["Imported"] = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}
        template["Outputs"].update(outputs)

    return changed(OLD, API, add)


def nobody() -> list[str] | None:
    raise AssertionError("nothing is imported, so nobody has to be asked")


def test_nothing_is_asked_without_an_import() -> None:
    assert not_exported(OLD, nobody) == ()


@pytest.mark.parametrize(
    "name", [{"Fn::ImportValue": "vpc-dev"}, {"Fn::Join": ["", ["a", {"Fn::ImportValue": {"Fn::Sub": "vpc-${env}"}}]]}]
)
def test_an_import_that_nobody_exports(name: Any) -> None:
    wanted = importing(name)
    (found,) = not_exported(wanted, lambda: ["another"])
    assert (found.id, found.place) == ("AD747", f"{API}/Imported")
    assert "vpc-dev" in found.message
    assert not_exported(wanted, lambda: ["vpc-dev"]) == ()
    assert not_exported(wanted, lambda: None) == (), "whoever may not list exports leaves it to CloudFormation"
    assert not_exported(wanted, nobody, ["AD747"]) == ()


def test_an_output_imports_as_a_resource_does() -> None:
    wanted = changed(OLD, API, lambda t: t["Outputs"].update(Vpc={"Value": {"Fn::ImportValue": "vpc-dev"}}))
    (found,) = not_exported(wanted, list)
    assert (found.id, found.place) == ("AD747", f"{API}/Outputs.Vpc")
    assert not_exported(wanted, lambda: ["vpc-dev"]) == ()


@pytest.mark.parametrize("export", ["vpc-dev", {"Fn::Sub": "vpc-${env}"}])
def test_what_the_backend_exports_itself(export: Any) -> None:
    wanted = importing({"Fn::ImportValue": "vpc-dev"}, Vpc={"Value": "v", "Export": {"Name": export}})
    assert not_exported(wanted, list) == ()


def test_a_name_that_only_the_deployment_knows() -> None:
    assert not_exported(importing({"Fn::ImportValue": {"Fn::Sub": "vpc-${AWS::AccountId}"}}), nobody) == ()


def test_the_exports_of_an_account(developer: LocalAccount) -> None:
    output = {"Vpc": {"Value": "v", "Export": {"Name": "vpc-dev"}}}
    developer.create({"Resources": {"H": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}, "Outputs": output})
    assert listed(developer.client("cloudformation"), nobody_is_told)() == {"vpc-dev"}


def nobody_is_told(text: str) -> None:
    raise AssertionError(text)


def test_who_may_not_list_exports_is_told_that_nobody_has_looked() -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, "ListExports")
    cloudformation, told = Mock(), list[str]()
    cloudformation.get_paginator.return_value.paginate.side_effect = denied
    exports = listed(cloudformation, told.append)
    assert not_exported(OLD, exports) == ()
    assert told == [], "nothing is imported"
    assert not_exported(importing({"Fn::ImportValue": "vpc-dev"}), exports) == ()
    (text,) = told
    assert "these credentials lack cloudformation:ListExports" in text
