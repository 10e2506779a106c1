"""What is read of a backend that runs, what is refused, and what is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.client_config import Declared, of_assembly, of_export
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.environment.front_end.running_backend import of_an_assembly, of_stack
from amplify_delivery.errors import ConfigError, RefusedError
from amplify_delivery.export import Assembly, assemble, read_export, write_assembly
from unit.client_config.backends import AUTH, graphql, resource
from unit.command_line import export

ROOT = "amplify-app-prod-a1b2c"


@dataclass
class Cloudformation:
    """The two calls, answered from stacks by name or id; a nested stack is called by its logical id."""

    root: Mapping[str, Any] | None
    nested: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - botocore's
        found = self.root if StackName == ROOT else self.nested[StackName]
        if found is None:
            raise ClientError(
                {"Error": {"Code": "ValidationError", "Message": f"Stack {StackName} does not exist"}}, "DescribeStacks"
            )
        return {"Stacks": [found]}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_stack_resources"
        return self

    def paginate(self, **_: str) -> Iterator[dict[str, Any]]:
        for name in self.nested:
            stack = {"ResourceType": "AWS::CloudFormation::Stack", "ResourceStatus": "UPDATE_COMPLETE"}
            yield {"StackResourceSummaries": [{**stack, "LogicalResourceId": name, "PhysicalResourceId": name}]}


@dataclass
class Asked:
    """An account whose CloudFormation it is."""

    cloudformation: Cloudformation
    region: str = "eu-west-1"
    place: str = "account 444444444444 (eu-west-1)"

    def client(self, _: str) -> Cloudformation:
        return self.cloudformation

    def asking(self, *_: Any) -> Any:
        return nullcontext()


def account(status: str | None, **nested: Mapping[str, Any]) -> Account:
    root = {"StackStatus": status, "StackId": "arn:root"} if status else None
    return cast("Account", Asked(Cloudformation(root, nested)))


def stack(outputs: Mapping[str, str], parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {
        "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in outputs.items()],
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in (parameters or {}).items()],
    }


def auth(**parameters: str) -> Declared:
    return resource("auth/app", "Cognito", {}, parameters)[0]


def test_outputs_and_parameters_come_from_the_stacks() -> None:
    there = account("UPDATE_ROLLBACK_COMPLETE", authapp=stack(AUTH, {"mfaConfiguration": "ON", "mfaTypes": "****"}))
    found = of_stack(there, ROOT, [auth(mfaConfiguration="OFF", mfaTypes="TOTP")])
    assert (found.stack, found.notes, found.backend.region) == (ROOT, (), "eu-west-1")
    assert found.backend.auth is not None
    assert found.backend.auth.web_client_id == "web"
    assert found.backend.auth.settings.mfa == "ON"
    assert found.backend.auth.settings.mfa_types == ("TOTP",)  # masked: it tells nothing


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (None, "it was not deployed yet"),
        ("ROLLBACK_COMPLETE", "it was not deployed yet"),
        ("UPDATE_IN_PROGRESS", "its state is UPDATE_IN_PROGRESS"),
    ],
)
def test_what_cannot_be_read_is_refused(status: str | None, message: str) -> None:
    with pytest.raises(RefusedError, match=message) as refused:
        of_stack(account(status), ROOT, [auth()])
    assert ROOT in refused.value.where


def test_what_a_client_will_not_find_is_told() -> None:
    api, _ = graphql("AMAZON_COGNITO_USER_POOLS")
    files, _ = resource("storage/files", "S3", {})
    found = of_stack(account("CREATE_COMPLETE", apiapp=stack({})), ROOT, [api, files])
    missing, imported = found.notes
    assert missing == "not deployed, so left out: storage/files"
    assert "users of api/app sign in with a user pool that the export does not hold" in imported
    assert of_stack(account("CREATE_COMPLETE", apiapp=stack({}), authapp=stack(AUTH)), ROOT, [api, auth()]).notes == ()


def test_an_assembly_knows_what_the_export_calls_its_resources(tmp_path: Path) -> None:
    exported = read_export(export("todo-series/v4"))
    assembly = assemble(exported)
    write_assembly(assembly, tmp_path / "assembly")
    expected = [d.resource for d in of_export(exported)]
    assert [d.resource for d in of_an_assembly(tmp_path / "assembly")] == expected
    assert {r.service for r in expected} == {"AppSync", "Cognito"}


def test_an_assembly_of_before_is_read_and_keeps_its_digest(tmp_path: Path) -> None:
    made = assemble(read_export(export("todo")))
    before = {key: value for key, value in made.to_json().items() if key != "resources"}
    old = Assembly.from_json(before, made.reader)
    assert (of_assembly(old), old.to_json()) == ((), before)
    write_assembly(old, tmp_path / "assembly")
    with pytest.raises(ConfigError, match="an earlier version has made it") as refused:
        of_an_assembly(tmp_path / "assembly")
    assert "assemble the export again" in refused.value.remedy
