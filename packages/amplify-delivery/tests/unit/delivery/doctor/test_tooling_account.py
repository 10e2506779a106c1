"""The doctor in a tooling account of the local AWS: what a pipeline needs, before and after somebody has made it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.doctor import checkup
from amplify_delivery.delivery.doctor.lines import Line, Section
from aws_rehearsal_tests.local_account import LocalAccount
from unit.stacks.projects import APP, account_of, make, region_of

TRUST = {"Version": "2012-10-17", "Statement": []}


def test_before_and_after(developer: LocalAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in developer.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(checkup, "_machine", lambda *_: Section("this machine", ()))
    place: dict[str, Any] = {"account": developer.account, "region": developer.region}

    def lines(arn: str) -> dict[str, Line]:
        make(tmp_path, 1, **place, source={"connection": arn, "repository": "example/app"})
        _, section = checkup.examine(["pipeline"], Context(tmp_path, developer.environment))
        return {line.subject: line for line in section.lines}

    connections = developer.client("codeconnections")
    gone = f"arn:aws:codeconnections:{developer.region}:{developer.account}:connection/1"
    before = lines(gone)
    wrong = {subject: line.state for subject, line in before.items() if line.state != "ok"}
    assert wrong == {"state": "error", "state key": "error", "connection": "error", "trust": "not known"}
    assert "amplify-delivery setup --account" in before["state"].remedy

    names = PipelineNames(APP, developer.account, developer.region)
    environment = EnvironmentNames(APP, account_of(0), region_of(0), "preprod")
    s3, kms, iam = (developer.client(service) for service in ("s3", "kms", "iam"))
    location: Any = {"LocationConstraint": developer.region}
    s3.create_bucket(Bucket=names.state_bucket, CreateBucketConfiguration=location, BucketNamespace="account-regional")
    s3.put_object(Bucket=names.state_bucket, Key=f".pulumi/stacks/{APP}/pipeline.json", Body=b"{}")
    kms.create_alias(AliasName=names.state_key_alias, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    iam.create_role(RoleName=names.role(), Path=names.path, AssumeRolePolicyDocument=json.dumps(TRUST))
    arn = connections.create_connection(ConnectionName="app", ProviderType="GitHub")["ConnectionArn"]
    found = lines(arn)
    wrong = {subject: line.state for subject, line in found.items() if line.state != "ok"}
    # Nobody has finished the connection, and the role has no policy.
    assert wrong == {"state": "error", "connection": "error", "trust": "error"}
    assert "does not say how it is encrypted" in found["state"].said
    assert "waits to be finished by hand" in found["connection"].said
    assert f"is denied sts:AssumeRole on {environment.action_role_arn}: no policy of its own" in found["trust"].said

    assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": environment.action_role_arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [assume]})
    iam.put_role_policy(RoleName=names.role(), PolicyName="actions", PolicyDocument=policy)
    assert lines(arn)["trust"].state == "ok"
    deny = json.dumps({"Version": "2012-10-17", "Statement": [{**assume, "Action": "s3:*", "Resource": "*"}]})
    boundary = iam.create_policy(PolicyName="narrow", PolicyDocument=deny)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=names.role(), PermissionsBoundary=boundary)
    assert "permissions boundary does not allow it" in lines(arn)["trust"].said
