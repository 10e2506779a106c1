"""Who may do what across two accounts: each row is an answer that AWS gives."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_rehearsal.local_aws import Credentials, LocalAws, random_account

REGION = "eu-central-1"
PATH = "/amplify-delivery/"


@dataclass
class World:
    """A tooling account with an artifact bucket and key, a target account with an action role, and who stands
    around."""

    aws: LocalAws
    tooling: str
    target: str
    roles: dict[str, str]
    bucket: str
    key: str
    ciphertext: bytes

    def admin(self, account: str) -> Credentials:
        return self.aws.make_admin(account)

    def assumed(self, *names: str) -> Credentials:
        """The session at the end of a chain of roles, which begins with the tooling account's administrator."""
        credentials = self.admin(self.tooling)
        for name in names:
            credentials = self.aws.assume_role(credentials, self.roles[name])
        return credentials

    def read(self, *chain: str) -> bytes:
        body = self.client("s3", *chain).get_object(Bucket=self.bucket, Key="artifact.zip")["Body"]
        return bytes(body.read())

    def client(self, service: str, *chain: str) -> Any:
        return self.aws.client(service, self.assumed(*chain), REGION)


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _allow(action: Any, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def _trust(account: str, role: str | None = None) -> str:
    """The whole account, or one of its roles: as the account plus a condition, so that order of creation is free."""
    condition = {"Condition": {"ArnEquals": {"aws:PrincipalArn": role}}} if role else {}
    principal = {"AWS": f"arn:aws:iam::{account}:root"}
    return _document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **condition})


@pytest.fixture(scope="module")
def world(local_aws: LocalAws) -> World:
    tooling, target = random_account(), random_account()
    arn = {
        "pipeline": f"arn:aws:iam::{tooling}:role{PATH}pipeline",
        "other": f"arn:aws:iam::{tooling}:role{PATH}other",
        "action": f"arn:aws:iam::{target}:role{PATH}action",
        "other-action": f"arn:aws:iam::{target}:role{PATH}other-action",
    }
    for name, trust, permission in (
        ("pipeline", _trust(tooling), _allow("sts:AssumeRole", arn["action"])),
        ("other", _trust(tooling), _allow("sts:AssumeRole")),
        ("action", _trust(tooling, arn["pipeline"]), _allow(["s3:GetObject", "kms:Decrypt"])),
        ("other-action", _trust(tooling), _allow(["s3:GetObject", "kms:Decrypt"])),
    ):
        iam = local_aws.client("iam", local_aws.make_admin(arn[name].split(":")[4]), REGION)
        iam.create_role(RoleName=name, Path=PATH, AssumeRolePolicyDocument=trust)
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=_document(permission))

    action_role: dict[str, Any] = {
        "Principal": {"AWS": f"arn:aws:iam::{target}:root"},
        "Condition": {"ArnLike": {"aws:PrincipalArn": arn["action"]}},
    }
    bucket = f"artifacts-{tooling}"
    s3 = local_aws.client("s3", local_aws.make_admin(tooling), REGION)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=bucket, Key="artifact.zip", Body=b"artifact")
    policy = _document(_allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*", **action_role))
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)

    kms = local_aws.client("kms", local_aws.make_admin(tooling), REGION)
    own: dict[str, Any] = {"Principal": {"AWS": f"arn:aws:iam::{tooling}:root"}}
    policy = _document(_allow("kms:*", **own), _allow("kms:Decrypt", **action_role))
    key = kms.create_key(Policy=policy)["KeyMetadata"]["Arn"]
    text = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]

    without_rights = local_aws.client("iam", local_aws.make_admin(target), REGION)
    without_rights.create_user(UserName="nobody")
    return World(local_aws, tooling, target, arn, bucket, key, text)


def _stacks_as_admin(world: World) -> Any:
    return world.aws.client("cloudformation", world.admin(world.target), REGION).describe_stacks()["Stacks"]


def _stacks_as_nobody(world: World) -> Any:
    iam = world.aws.client("iam", world.admin(world.target), REGION)
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    nobody = Credentials(world.target, key["AccessKeyId"], key["SecretAccessKey"])
    return world.aws.client("cloudformation", nobody, REGION).describe_stacks()["Stacks"]


def _decrypt(*chain: str) -> Callable[[World], Any]:
    return lambda w: w.client("kms", *chain).decrypt(KeyId=w.key, CiphertextBlob=w.ciphertext)["Plaintext"]


ALLOWED: dict[str, tuple[Callable[[World], Any], Any]] = {
    "the pipeline's role may assume the action role": (
        lambda w: w.assumed("pipeline", "action").account == w.target,
        True,
    ),
    "the action role reads the artifact": (lambda w: w.read("pipeline", "action"), b"artifact"),
    "the action role decrypts": (_decrypt("pipeline", "action"), b"secret"),
    "an administrator sees his account's stacks": (_stacks_as_admin, []),
}
REFUSED: dict[str, Callable[[World], Any]] = {
    "another role of the tooling account may not assume the action role": lambda w: w.assumed("other", "action"),
    "the pipeline's role may not assume what its own policy does not name": lambda w: w.assumed(
        "pipeline", "other-action"
    ),
    "the action role does not write artifacts": lambda w: w.client("s3", "pipeline", "action").put_object(
        Bucket=w.bucket, Key="new", Body=b""
    ),
    "another role of the target account does not read the artifact": lambda w: w.read("other", "other-action"),
    "the action role does not encrypt": lambda w: w.client("kms", "pipeline", "action").encrypt(
        KeyId=w.key, Plaintext=b"x"
    ),
    "another role of the target account does not decrypt": _decrypt("other", "other-action"),
    "a user without rights does not see the stacks": _stacks_as_nobody,
}


@pytest.mark.parametrize("case", ALLOWED)
def test_allowed_across_accounts(world: World, case: str) -> None:
    act, expected = ALLOWED[case]
    assert act(world) == expected


@pytest.mark.parametrize("case", REFUSED)
def test_refused_across_accounts(world: World, case: str) -> None:
    with pytest.raises(ClientError, match=r"not authorized|Access Denied"):
        REFUSED[case](world)


def test_wrong_secret_is_refused(local_aws: LocalAws) -> None:
    admin = local_aws.make_admin(random_account())
    forged = Credentials(admin.account, admin.access_key_id, "not the secret")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        local_aws.client("sts", forged, REGION).get_caller_identity()


@pytest.mark.processes
def test_an_alias_counts_some_time_after_it_was_made() -> None:
    """AWS: up to five minutes. The key's ARN, and what S3 wants a key for, count at once."""
    with LocalAws(alias_delay=2) as aws:
        account = random_account()
        admin = aws.make_admin(account)
        kms, iam = (aws.client(service, admin, REGION) for service in ("kms", "iam"))
        key = kms.create_key()["KeyMetadata"]["Arn"]
        condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/mine"}}
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName="user", AssumeRolePolicyDocument=_text(trust))["Role"]["Arn"]
        by_alias = {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*", "Condition": condition}
        by_arn = {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": key}
        iam.put_role_policy(RoleName="user", PolicyName="use", PolicyDocument=_text(by_alias, by_arn))
        user = aws.client("kms", aws.assume_role(admin, role), REGION)
        kms.create_alias(AliasName="alias/mine", TargetKeyId=key)
        user.generate_data_key(KeyId=key, KeySpec="AES_256")
        with pytest.raises(ClientError, match="not authorized"):
            user.encrypt(KeyId=key, Plaintext=b"x")
        time.sleep(2.1)
        user.encrypt(KeyId=key, Plaintext=b"x")


@pytest.mark.processes
def test_a_tag_counts_some_time_after_it_was_given() -> None:
    """Those of a new key as well; where the request names them, they count at once."""
    with LocalAws(alias_delay=2) as aws:
        account = random_account()
        admin = aws.make_admin(account)
        iam = aws.client("iam", admin, REGION)
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName="maker", AssumeRolePolicyDocument=_text(trust))["Role"]["Arn"]
        made = {"StringEquals": {"aws:RequestTag/app": "mine"}}
        make = {"Effect": "Allow", "Action": ["kms:CreateKey", "kms:TagResource"], "Resource": "*", "Condition": made}
        had = {"StringEquals": {"aws:ResourceTag/app": "mine"}}
        use = {"Effect": "Allow", "Action": "kms:DescribeKey", "Resource": "*", "Condition": had}
        iam.put_role_policy(RoleName="maker", PolicyName="use", PolicyDocument=_text(make, use))
        maker = aws.client("kms", aws.assume_role(admin, role), REGION)
        bare = aws.client("kms", admin, REGION).create_key()["KeyMetadata"]["Arn"]
        tags = [{"TagKey": "app", "TagValue": "mine"}]
        made_with = maker.create_key(Tags=tags)["KeyMetadata"]["Arn"]
        maker.tag_resource(KeyId=bare, Tags=tags)
        for key in (made_with, bare):
            with pytest.raises(ClientError, match="not authorized to perform: kms:DescribeKey"):
                maker.describe_key(KeyId=key)
        time.sleep(2.1)
        for key in (made_with, bare):
            maker.describe_key(KeyId=key)


def _text(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
