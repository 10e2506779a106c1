"""Publishing from a deployment's hook, with the rights of a bootstrapped environment's `deploy`: it verifies
what is there, and writes templates between two updates only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from amplify_delivery import publishing
from amplify_delivery.changes.guard import Guard
from amplify_delivery.components.documents.account.projects import project_policies
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.providers import Access
from amplify_delivery.components.publisher import BucketPublisher
from amplify_delivery.errors import PublishError
from amplify_delivery.export import EnvironmentValues, ExportRefused, Finding, RootStack, render_root
from amplify_delivery.export.assembly import AssemblyObject
from amplify_delivery.publishing import PublishTarget, publish, upload
from aws_rehearsal_tests.local_account import LocalAccount
from unit.components.backends import EXPIRES, assembly_of, folder

ASSEMBLY = assembly_of(folder("mytodoapp"))


def log_in(account: LocalAccount, monkeypatch: pytest.MonkeyPatch, role_arn: str = "") -> None:
    aws = account.aws
    credentials = aws.assume_role(account.credentials, role_arn) if role_arn else account.credentials
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    for name, value in aws.environment(credentials, account.region).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def names(developer: LocalAccount) -> EnvironmentNames:
    return EnvironmentNames("mytodoapp", developer.account, developer.region, "prod")


@pytest.fixture
def root(names: EnvironmentNames) -> RootStack:
    return render_root(ASSEMBLY, EnvironmentValues("prod", EXPIRES), names.staging_bucket)


@pytest.fixture
def role(names: EnvironmentNames, root: RootStack, developer: LocalAccount) -> str:
    """The role of the project `deploy`, as it is declared; who may assume it is not what is tested here."""
    tooling = PipelineNames("mytodoapp", "111111111111", developer.region)
    access = EnvironmentAccess(names, tooling, root.stack_name, resource_types=frozenset({"AWS::DynamoDB::Table"}))
    principal = {"Effect": "Allow", "Principal": {"AWS": names.root_arn}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [principal]})
    iam = developer.client("iam")
    made = iam.create_role(RoleName=names.project_role("deploy"), AssumeRolePolicyDocument=trust)
    for name, document in project_policies(access, "deploy").items():
        iam.put_role_policy(RoleName=made["Role"]["RoleName"], PolicyName=name, PolicyDocument=json.dumps(document))
    return str(made["Role"]["Arn"])


def test_the_deploying_role_verifies_and_writes_nothing(
    names: EnvironmentNames, root: RootStack, role: str, developer: LocalAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    developer.client("s3").create_bucket(
        Bucket=names.staging_bucket,
        BucketNamespace="account-regional",
        CreateBucketConfiguration={"LocationConstraint": names.region},
    )
    log_in(developer, monkeypatch)
    publish(ASSEMBLY, [(root.object, root.body)], PublishTarget(names.staging_bucket, names.account, names.region))
    examined: list[object] = []

    def examine(*given: object) -> dict[str, list[object]]:
        examined.append(given)
        return {names.staging_bucket: []}

    monkeypatch.setattr(upload, "examine", examine)
    log_in(developer, monkeypatch, role)
    publisher = BucketPublisher(
        names.staging_bucket, Access(names.account, names.region), Guard("prod", (), date(2027, 5, 1))
    )
    report = publisher(ASSEMBLY, root, lambda _: None)
    assert isinstance(report, upload.PublishReport)
    assert (report.uploaded, report.present) == (0, len(ASSEMBLY.objects) + 2)
    assert examined == []

    code = next(item.key for item in ASSEMBLY.objects if item.kind != "template")
    target = PublishTarget(names.staging_bucket, names.account, names.region)
    assert upload.lacking(ASSEMBLY, [(root.object, root.body)], target) == ()
    developer.client("s3").delete_object(Bucket=names.staging_bucket, Key=code)
    assert upload.lacking(ASSEMBLY, [(root.object, root.body)], target) == (code,)
    with pytest.raises(PublishError, match=f"uploading {code}.*AccessDenied") as refused:
        publisher(ASSEMBLY, root, lambda _: None)
    assert "amplify-delivery publish ENV" in refused.value.remedy
    assert len(examined) == 1
    it_publishes_templates_between_two_updates_and_nothing_else(names, developer)


def it_publishes_templates_between_two_updates_and_nothing_else(
    names: EnvironmentNames, developer: LocalAccount
) -> None:
    target = PublishTarget(names.staging_bucket, names.account, names.region)
    body = b'{"Resources": {}}'
    digest = hashlib.sha256(body).hexdigest()
    template = AssemblyObject(f"templates/{digest}.json", "template", len(body), digest, "application/json")
    assert upload.publish_templates([(template, body)], target).uploaded == 1
    assert upload.publish_templates([(template, body)], target).present == 1
    with pytest.raises(PublishError, match=r"AccessDenied|denied"):
        upload.publish_templates([(replace(template, key=f"vtl/{digest}.vtl"), body)], target)
    # Somebody else's bytes under the key are found before CloudFormation is called.
    other = replace(template, key=f"templates/{'0' * 64}.json")
    developer.client("s3").put_object(Bucket=names.staging_bucket, Key=other.key, Body=b"other")
    with pytest.raises(PublishError, match="not what their keys say"):
        upload.publish_templates([(other, body)], target)


def test_what_only_a_stack_that_is_there_may_have_is_refused_when_it_is_made(
    names: EnvironmentNames, root: RootStack, developer: LocalAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(developer, monkeypatch)
    publisher = BucketPublisher(
        names.staging_bucket, Access(names.account, names.region), Guard("prod", (), date(2027, 5, 1))
    )
    finding = Finding("AD212", "refused", "a.json", "holds an id of the stack that was exported", "take it out")
    bound = replace(root, against_creating=(finding,))
    with pytest.raises(ExportRefused, match=r"AD212 a\.json: holds an id"):
        publisher.check(ASSEMBLY, bound, creating=True)
    publisher.check(ASSEMBLY, bound, creating=False)
    publisher.check(ASSEMBLY, root, creating=True)


def test_names_are_looked_for_once_in_a_first_create(
    names: EnvironmentNames, root: RootStack, developer: LocalAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the very first resource, and not again before the root stack; there, if nobody has before."""
    log_in(developer, monkeypatch)
    asked: list[int] = []
    monkeypatch.setattr("amplify_delivery.publishing.check_names", lambda _, found: asked.append(len(found)))

    def publisher() -> BucketPublisher:
        access = Access(names.account, names.region)
        return BucketPublisher(names.staging_bucket, access, Guard("prod", (), date(2027, 5, 1)))

    first = publisher()
    first.check_first(ASSEMBLY, root, print, examine=False)
    first.check(ASSEMBLY, root, creating=True)
    assert len(asked) == 1
    publisher().check(ASSEMBLY, root, creating=True)
    assert len(asked) == 2
    publisher().check(ASSEMBLY, root, creating=False)
    assert len(asked) == 2


def test_what_is_to_be_made_first_is_examined_once(
    names: EnvironmentNames, root: RootStack, developer: LocalAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the very first resource, and not again when it is published; another root is then."""
    log_in(developer, monkeypatch)
    asked: list[str] = []

    def examined(when: str) -> Callable[..., dict[str, list[Finding]]]:
        return lambda *_: asked.append(when) or {names.staging_bucket: []}  # type: ignore[func-returns-value]

    monkeypatch.setattr(publishing, "examine", examined("first"))
    monkeypatch.setattr(upload, "examine", examined("published"))
    developer.client("s3").create_bucket(
        Bucket=names.staging_bucket,
        BucketNamespace="account-regional",
        CreateBucketConfiguration={"LocationConstraint": names.region},
    )
    access = Access(names.account, names.region)
    publisher = BucketPublisher(names.staging_bucket, access, Guard("prod", (), date(2027, 5, 1)))
    publisher.check_first(ASSEMBLY, root, print, examine=True)
    publisher(ASSEMBLY, root, print)
    assert asked == ["first"]
    publisher(ASSEMBLY, render_root(ASSEMBLY, EnvironmentValues("test", EXPIRES), names.staging_bucket), print)
    assert asked == ["first", "published"]
