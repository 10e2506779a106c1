"""Whose account a provider reaches, and which it refuses before anything is made."""

from __future__ import annotations

import json

import pytest

from aws_rehearsal.local_aws import random_account
from aws_rehearsal_tests.pulumi_project import PulumiProject

pytestmark = pytest.mark.engine

GUARDED = """
    allowed = [os.environ.get("ALLOWED", ACCOUNT)]
    first = aws.Provider("first", region="eu-central-1", allowed_account_ids=allowed)
    second = native.Provider(
        "second", region="eu-central-1", allowed_account_ids=allowed, skip_credentials_validation=False,
    )
    aws.s3.Bucket("one", bucket=f"one-{ACCOUNT}", opts=pulumi.ResourceOptions(provider=first))
    native.logs.LogGroup("two", log_group_name="/two", opts=pulumi.ResourceOptions(provider=second))
"""


def buckets(project: PulumiProject) -> list[str]:
    return [bucket["Name"] for bucket in project.developer.client("s3").list_buckets()["Buckets"]]


def test_another_account_is_refused_before_anything_is_made(project: PulumiProject) -> None:
    project.init().program(GUARDED)
    said = project.fail(ALLOWED="999988887777")
    account = project.developer.account
    assert f"AWS account ID not allowed: {account}" in said or f"account ID not allowed ({account})" in said
    assert buckets(project) == []
    project.up()
    assert buckets(project) == [f"one-{account}"]


def test_the_native_guard_is_off_unless_credentials_are_validated(project: PulumiProject) -> None:
    """As the real one: its SDK sends `skipCredentialsValidation` by default."""
    project.init().program("""
        provider = native.Provider("p", region="eu-central-1", allowed_account_ids=["999988887777"])
        native.logs.LogGroup("two", log_group_name="/two", opts=pulumi.ResourceOptions(provider=provider))
    """)
    project.up()


def test_wrong_credentials_are_refused_before_anything_is_made(project: PulumiProject) -> None:
    project.init(passphrase=True).program('aws.s3.Bucket("one", bucket=f"one-{ACCOUNT}")')
    said = project.fail(AWS_SECRET_ACCESS_KEY="wrong")
    assert "unable to validate AWS credentials" in said
    assert buckets(project) == []


def test_a_role_of_another_account_is_assumed_and_default_tags_are_set(project: PulumiProject) -> None:
    aws, there = project.developer.aws, random_account()
    iam = aws.client("iam", aws.make_admin(there), "us-east-1")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{project.developer.account}:root"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "agreed"}},
            }
        ],
    }
    role = iam.create_role(RoleName="action", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.attach_role_policy(RoleName="action", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    project.init().program(f"""
        role = dict(role_arn={role!r}, session_name="small", external_id=os.environ.get("EXTERNAL", "agreed"))
        first = aws.Provider(
            "first", region="eu-central-1", allowed_account_ids=[{there!r}],
            assume_roles=[aws.ProviderAssumeRoleArgs(**role)],
            default_tags=aws.ProviderDefaultTagsArgs(tags={{"app": "small"}}),
        )
        second = native.Provider(
            "second", region="eu-central-1", allowed_account_ids=[{there!r}], skip_credentials_validation=False,
            assume_role=native.ProviderAssumeRoleArgs(**role),
        )
        bucket = aws.s3.Bucket("one", bucket=f"there-{{ACCOUNT}}", opts=pulumi.ResourceOptions(provider=first))
        native.logs.LogGroup("two", log_group_name="/two", opts=pulumi.ResourceOptions(provider=second))
        pulumi.export("tags", bucket.tags_all)
    """)
    assert "Cannot assume IAM Role" in project.fail(EXTERNAL="guessed")
    project.up()
    assert project.outputs()["tags"] == {"app": "small"}
    names = aws.client("s3", aws.make_admin(there), "eu-central-1").list_buckets()["Buckets"]
    assert [bucket["Name"] for bucket in names] == [f"there-{project.developer.account}"]
    assert "unchanged" in project.up("--refresh")


def test_a_role_in_a_plain_dictionary_is_refused_as_the_real_provider_does(project: PulumiProject) -> None:
    project.init().program("""
        provider = aws.Provider("p", region="eu-central-1", assume_roles=[{"role_arn": "arn:aws:iam::1:role/r"}])
        aws.s3.Bucket("one", opts=pulumi.ResourceOptions(provider=provider))
    """)
    assert "role_arn" in project.fail()
