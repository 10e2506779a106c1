"""`amplify-delivery rights`: what resource types need, and what a role's documents lack of it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.account.account_documents import account_documents
from amplify_delivery.delivery.account.granted import Granted
from amplify_delivery.delivery.account.role_rights import lacking, needs
from aws_rehearsal_tests.local_account import LocalAccount
from unit.command_line import ROOT, Ran, delivery, export
from unit.components.documents.world import EXPORT_TYPES, PROGRAM_TYPES, access, prod
from unit.export.mutations import set_value

ANY = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    return {**allow(*actions), "Effect": "Deny", **more}


@pytest.mark.parametrize(
    ("statements", "action", "granted"),
    [
        ([], "s3:GetObject", False),
        ([allow("s3:GetObject")], "s3:GetObject", True),
        ([allow("S3:getobject")], "s3:GetObject", True),
        ([allow("s3:Get*")], "s3:GetObject", True),
        ([allow("s3:Get?bject")], "s3:GetObject", True),
        ([allow("s3:Get*")], "s3:PutObject", False),
        ([allow("s3:Get*")], "s3:*", False),
        ([allow("s3:*")], "s3:Get*", True),
        ([{**ANY, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}], "s3:GetObject", True),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], "s3:GetObject", True),
        ([{"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}], "iam:PassRole", False),
        ([ANY, deny("s3:GetObject")], "s3:GetObject", False),
        ([ANY, deny("s3:GetObject", Resource="arn:aws:s3:::b/*")], "s3:GetObject", True),
        ([ANY, deny("s3:GetObject", Condition={"Bool": {"aws:SecureTransport": "false"}})], "s3:GetObject", True),
    ],
)
def test_what_documents_grant(statements: list[dict[str, Any]], action: str, granted: bool) -> None:
    assert Granted([policy(*statements)]).allows(action) is granted


def test_a_single_statement_needs_no_list() -> None:
    assert Granted([{"Version": "2012-10-17", "Statement": ANY}]).allows("s3:GetObject")


def test_a_boundary_takes_away() -> None:
    granted = Granted([policy(ANY)], policy(allow("s3:*")))
    assert granted.allows("s3:GetObject")
    assert not granted.allows("sns:Publish")


def test_each_action_is_listed_with_the_types_that_need_it() -> None:
    found = needs(["AWS::SNS::Topic", "AWS::IAM::Policy", "AWS::IAM::Role"], {"AWS::IAM::Role": ["iam:PassRole"]})
    assert found["sns:CreateTopic"] == ["AWS::SNS::Topic"]
    assert found["iam:PutRolePolicy"] == ["AWS::IAM::Policy", "AWS::IAM::Role"]
    assert found["iam:PassRole"] == ["AWS::IAM::Role"]
    assert list(found) == sorted(found)


def test_the_use_of_keys_counts_only_with_a_key() -> None:
    alone = needs(["AWS::SQS::Queue", "AWS::SNS::Topic"], {})
    assert not any(action.startswith("kms:") for action in alone)
    assert "kms:CreateKey" in needs(["AWS::KMS::Key", "AWS::SNS::Topic"], {})


def test_our_own_documents_lack_nothing_for_the_declared_types() -> None:
    """And of another type what it needs."""
    documents = account_documents(access(prod))
    managed = {p.arn: p.document for p in documents.policies}
    for role, types in ((documents.execution, EXPORT_TYPES), (documents.project_roles[2], PROGRAM_TYPES)):
        granted = Granted([*role.policies.values(), *(managed[arn] for arn in role.managed_policies)])
        assert set(lacking(needs(types, {}), granted)) == set()
        assert set(lacking(needs([*types, "AWS::Kinesis::Stream"], {}), granted)) >= {"kinesis:CreateStream"}


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with the personal environment `dev`."""
    shutil.copytree(export("todo"), tmp_path / "amplify-export-mytodoapp")
    (tmp_path / "Pulumi.yaml").write_text("name: mytodoapp\nruntime: python\n")
    write(tmp_path, "444444444444")
    return tmp_path


def write(folder: Path, account: str, more: str = "") -> None:
    (folder / "Pulumi.dev.yaml").write_text(
        f'config:\n  mytodoapp:account: "{account}"\n  mytodoapp:region: eu-central-1\n{more}'
    )


def rights(folder: Path, *arguments: str, account: LocalAccount | None = None) -> Ran:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    variables = {**clean, "PYTHONPATH": str(ROOT), **(account.environment if account else {})}
    return delivery("rights", "dev", *arguments, cwd=folder, env=variables)


@pytest.mark.processes
def test_the_list_needs_no_aws(folder: Path) -> None:
    ran = rights(folder, "--json")
    assert ran.code == 0, ran.out
    [(role, found)] = ran.document["roles"].items()
    assert role == "mytodoapp-dev-cloudformation"
    assert found["appsync:CreateGraphqlApi"] == ["AWS::AppSync::GraphQLApi"]
    assert found["s3:GetObject"] == ["AWS::CloudFormation::Stack"]


@pytest.mark.processes
def test_rights_do_not_hang_on_secrets(folder: Path) -> None:
    """An account is prepared before its environment has any: the key that encrypts them is the account's."""
    before = rights(folder, "--json").document["roles"]
    (exported,) = folder.glob("amplify-export-*")
    set_value(
        exported, "api/mytodoapp/cloudformation-template.json", "/Parameters/key", {"Type": "String", "NoEcho": True}
    )
    ran = rights(folder, "--json")
    assert ran.code == 0, ran.out
    assert ran.document["roles"] == before


@pytest.mark.processes
def test_policies_in_files(folder: Path) -> None:
    (folder / "all.json").write_text(json.dumps(policy(ANY)))
    (folder / "no-tables.json").write_text(json.dumps(policy(ANY, deny("dynamodb:*Table"))))
    ran = rights(folder, "--missing", "--policy", "all.json")
    assert (ran.code, ran.out) == (0, "dev: nothing is missing\n")
    ran = rights(folder, "--missing", "--policy", "all.json", "--policy", "no-tables.json")
    assert ran.code == 1
    assert "dynamodb:CreateTable    AWS::DynamoDB::Table\n" in ran.out
    assert "appsync" not in ran.out


@pytest.mark.processes
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--missing",), "has no roles of its own"),
        (("--missing", "--policy", "nowhere.json"), "cannot be read"),
        (("--missing", "--policy", "Pulumi.yaml"), "is not a policy document"),
    ],
)
def test_what_is_refused(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    ran = rights(folder, *arguments, "--json")
    assert ran.code == 3
    assert message in ran.document["error"]["message"]


def test_the_roles_of_a_bootstrapped_environment(folder: Path, developer: LocalAccount) -> None:
    """Own and attached policies count, and the boundary."""
    write(folder, developer.account, "  mytodoapp:bootstrapped: true\n")
    ran = rights(folder, "--missing", account=developer)
    assert ran.code == 3
    assert "there is no role mytodoapp-dev-cloudformation" in ran.err
    assert "pulumi up -s dev-account" in ran.err

    iam, role = developer.client("iam"), "mytodoapp-dev-cloudformation"
    trust = policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(policy(ANY, deny("sqs:*"))))
    iam.create_role(
        RoleName=role,
        AssumeRolePolicyDocument=json.dumps(trust),
        PermissionsBoundary=boundary["Policy"]["Arn"],
    )
    no_tables = policy({"Effect": "Allow", "NotAction": "dynamodb:*", "Resource": "*"})
    iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=json.dumps(no_tables))
    ran = rights(folder, "--missing", "--json", account=developer)
    assert ran.code == 1
    assert all(action.startswith("dynamodb:") for action in ran.document["roles"][role])

    tables = iam.create_policy(PolicyName="tables", PolicyDocument=json.dumps(policy(allow("dynamodb:*"))))
    iam.attach_role_policy(RoleName=role, PolicyArn=tables["Policy"]["Arn"])
    ran = rights(folder, "--missing", account=developer)
    assert (ran.code, ran.out) == (0, "dev: nothing is missing\n"), ran.out
