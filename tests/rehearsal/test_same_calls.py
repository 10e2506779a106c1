"""The stand-in for the classic provider makes the real one's calls: type by type, operation by operation.

What the real one calls stands in components/documents/provider_calls.json. Each type is made, read, changed in all that
our programs may change, and deleted in the local AWS, and what was asked of AWS is compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from components.documents import provider_calls
from rehearsal.providers.classic.provider import ClassicProvider
from tests.local_account import LocalAccount
from tests.rehearsal.live_calls import AccountSession, Life
from tests.rehearsal.provider_calls import Aborted, Calls
from tests.rehearsal.test_providers_codebuild import DECLARED
from tests.rehearsal.test_providers_delivery import FakeNotifications, document, notifications

Inputs = dict[str, Any]
ALIASES = {"DeleteBucketLifecycle": "DeleteBucketLifecycleConfiguration"}
"""botocore's name -> that of the SDK for Go, which the real provider uses."""
RULES = [
    {"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1}}
]
LIFECYCLE = json.dumps({"rules": [{**rule, "action": {"type": "expire"}} for rule in RULES]})


class Heard:
    """A client that notes what is called."""

    def __init__(self, client: Any, service: str, calls: set[str]) -> None:
        self._client, self._service, self._calls = client, service, calls

    def _note(self, method: str) -> None:
        meta = getattr(self._client, "meta", None)
        known = meta.method_to_api_mapping if meta else {}
        name = known.get(method) or re.sub(r"(?:^|_)([a-z])", lambda match: match[1].upper(), method)
        self._calls.add(f"{self._service}:{ALIASES.get(name, name)}")

    def get_paginator(self, method: str) -> Any:
        self._note(method)
        return self._client.get_paginator(method)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name in ("exceptions", "meta"):
            return found

        def call(**request: Any) -> Any:
            self._note(name)
            return found(**request)

        return call


@dataclass
class Listening(AccountSession):
    """An administrator's session whose clients note what is called."""

    calls: set[str] = field(default_factory=set)

    def client(self, service: str, region: str | None = None) -> Any:
        return Heard(super().client(service, region), service, self.calls)


@dataclass
class Case:
    """The life of a type: `updates` are further inputs, each over those of the creation."""

    create: Inputs
    updates: tuple[Inputs, ...] = ()
    suffix: str = ""
    """The variant of the operations, as `provider_calls.json` calls it."""


Made = Callable[..., Inputs]


def cases(make: Made, account: str) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Every type, with what it needs made first."""

    def bucket() -> str:
        return str(make("aws:s3/bucket:Bucket", bucket=f"same-{account}", forceDestroy=True)["bucket"])

    def setting(what: str, key: str, *values: Any) -> tuple[str, Callable[[], Case]]:
        return f"aws:s3/{what[0].lower()}{what[1:]}:{what}", lambda: Case(
            {"bucket": bucket(), key: values[0]}, tuple({key: value} for value in values[1:])
        )

    def days(number: int) -> list[Inputs]:
        return [{"id": "old", "status": "Enabled", "filter": {"prefix": ""}, "expiration": {"days": number}}]

    def encrypted(keys: bool) -> list[Inputs]:
        return [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}, "bucketKeyEnabled": keys}]

    tags, other = {"tags": {"a": "1", "b": "2"}}, {"tags": {"a": "2"}}
    none: Inputs = {"tags": {}}
    yield "aws:s3/bucket:Bucket", lambda: Case({"bucket": f"same-{account}", **tags}, (other, none))
    yield setting(
        "BucketVersioning",
        "versioningConfiguration",
        {"status": "Enabled"},
        {"status": "Suspended"},
        {"status": "Enabled"},
    )
    yield setting("BucketPublicAccessBlock", "blockPublicAcls", True, False)
    yield setting(
        "BucketOwnershipControls",
        "rule",
        {"objectOwnership": "BucketOwnerEnforced"},
        {"objectOwnership": "ObjectWriter"},
    )
    yield setting("BucketServerSideEncryptionConfiguration", "rules", encrypted(True), encrypted(False))
    yield setting("BucketLifecycleConfiguration", "rules", days(1), days(2))
    open_to = [
        document(action, resource=f"arn:aws:s3:::same-{account}/*", Principal={"AWS": f"arn:aws:iam::{account}:root"})
        for action in ("s3:GetObject", "s3:PutObject")
    ]
    yield setting("BucketPolicy", "policy", *open_to)
    yield (
        "aws:s3/bucketObjectv2:BucketObjectv2",
        lambda: Case({"bucket": bucket(), "key": "page.html", "content": "1"}, ({"content": "2"},)),
    )
    key_policies = [
        document("kms:*", Principal={"AWS": f"arn:aws:iam::{account}:root"}, Sid=sid) for sid in ("One", "Two")
    ]
    yield (
        "aws:kms/key:Key",
        lambda: Case(
            {"enableKeyRotation": True, "policy": key_policies[0], **tags},
            (other, {"policy": key_policies[1], **other}),
        ),
    )

    def alias() -> Case:
        keys = [make("aws:kms/key:Key", description=text)["keyId"] for text in ("one", "two")]
        return Case({"name": "alias/same", "targetKeyId": keys[0]}, ({"targetKeyId": keys[1]},))

    yield "aws:kms/alias:Alias", alias
    yield (
        "aws:iam/policy:Policy",
        lambda: Case(
            {"name": "same", "policy": document("s3:GetObject"), **tags},
            (other, *({"policy": document(f"s3:Action{number}"), **other} for number in range(6))),
        ),
    )
    yield "aws:codebuild/project:Project", lambda: Case(DECLARED, ({"buildTimeout": 31},))
    yield "aws:ecr/repository:Repository", lambda: Case({"name": "same", **tags}, (other,))

    def repository() -> Inputs:
        return {"repository": make("aws:ecr/repository:Repository", name="same")["name"]}

    pulls = [document(f"ecr:{verb}", Principal="*") for verb in ("BatchGetImage", "GetDownloadUrlForLayer")]
    yield (
        "aws:ecr/repositoryPolicy:RepositoryPolicy",
        lambda: Case({**repository(), "policy": pulls[0]}, ({"policy": pulls[1]},)),
    )
    yield "aws:ecr/lifecyclePolicy:LifecyclePolicy", lambda: Case({**repository(), "policy": LIFECYCLE})
    yield (
        "aws:ssm/parameter:Parameter",
        lambda: Case(
            {"name": "/same", "type": "String", "insecureValue": "1", **tags}, ({"insecureValue": "2", **tags}, other)
        ),
    )
    yield "aws:sns/topic:Topic", lambda: Case({"name": "same", **tags}, (other,))

    def topic() -> str:
        return str(make("aws:sns/topic:Topic", name="same")["arn"])

    said = [document(f"sns:{verb}", Principal={"Service": "events.amazonaws.com"}) for verb in ("Publish", "Subscribe")]
    yield "aws:sns/topicPolicy:TopicPolicy", lambda: Case({"arn": topic(), "policy": said[0]}, ({"policy": said[1]},))
    yield (
        "aws:sns/topicSubscription:TopicSubscription",
        lambda: Case({"topic": topic(), "protocol": "email", "endpoint": "a@example.com"}),
    )
    nightly = {"name": "same", "scheduleExpression": "rate(1 day)"}
    yield (
        "aws:cloudwatch/eventRule:EventRule",
        lambda: Case({**nightly, **tags}, ({"scheduleExpression": "rate(2 days)", **tags}, other)),
    )

    def target() -> Case:
        rule = make("aws:cloudwatch/eventRule:EventRule", **nightly)["name"]
        pipelines = [f"arn:aws:codepipeline:eu-central-1:{account}:{name}" for name in ("one", "two")]
        return Case(
            {"rule": rule, "arn": pipelines[0], "roleArn": f"arn:aws:iam::{account}:role/r"}, ({"arn": pipelines[1]},)
        )

    yield "aws:cloudwatch/eventTarget:EventTarget", target
    yield (
        "aws:codestarnotifications/notificationRule:NotificationRule",
        lambda: Case({**notifications(), **tags}, ({**notifications("other"), **tags}, other)),
    )
    topics = [
        json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": n}}}}) for n in "ab"
    ]
    yield (
        "aws:cloudformation/stack:Stack",
        lambda: Case({"name": "same", "templateBody": topics[0]}, ({"templateBody": topics[1]},)),
    )
    yield (
        "aws:secretsmanager/secret:Secret",
        lambda: Case(
            {"name": "same", "recoveryWindowInDays": 7, **tags}, ({"description": "of the app", **tags}, other)
        ),
    )

    def secret() -> Inputs:
        return {"secretId": make("aws:secretsmanager/secret:Secret", name="same", recoveryWindowInDays=0)["arn"]}

    yield "aws:secretsmanager/secretVersion:SecretVersion", lambda: Case({**secret(), "secretString": "1"})
    yield (
        "aws:secretsmanager/secretVersion:SecretVersion",
        lambda: Case({**secret(), "secretStringWo": "1", "secretStringWoVersion": 1}, suffix="WriteOnly"),
    )


NAMES = [token for token, _ in cases(lambda *_, **__: {}, "111122223333")]


def begun(session: Listening, account: str, number: int) -> tuple[str, Case, Life]:
    """A case's type, the case with what it needs made, and the life that it is to have."""

    def life(token: str) -> Life:
        provider = ClassicProvider("7.0.0")
        provider._session = session
        return Life(Calls(provider, token))

    def make(token: str, **inputs: Any) -> Inputs:
        return life(token).create(**inputs)

    token, case = list(cases(make, account))[number]
    return token, case(), life(token)


def test_every_type_is_compared() -> None:
    assert set(NAMES) == provider_calls.types()


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_the_stand_in_makes_the_real_providers_calls(developer: LocalAccount, number: int) -> None:
    session = Listening({"codestar-notifications": FakeNotifications()}, developer=developer)
    token, case, one = begun(session, developer.account, number)
    heard: dict[str, set[str]] = {}

    @contextmanager
    def listening(operation: str) -> Iterator[None]:
        session.calls.clear()
        yield
        heard.setdefault(operation, set()).update(session.calls)

    with listening("create"):
        one.create(**case.create)
    with listening("read"):
        assert one.refresh()
    for change in case.updates:
        with listening("update"):
            one.update(**{**case.create, **change})
    with listening("delete"):
        one.delete()
    # A second delete, and what was deleted behind the engine's back, are no errors: nothing else is asked.
    expected = {o: set(provider_calls.calls(token, o + case.suffix)) for o in provider_calls.OPERATIONS}
    assert {o: sorted(c) for o, c in heard.items()} == {o: sorted(c) for o, c in expected.items() if c}


LOCAL = [number for number, token in enumerate(NAMES) if "codestarnotifications" not in token]
"""Types whose service the local AWS has: notifications are the pipeline service's."""


@pytest.mark.parametrize("number", LOCAL, ids=[NAMES[number] for number in LOCAL])
def test_a_refresh_ends_without_the_right_for_any_of_its_calls(developer: LocalAccount, number: int) -> None:
    session = Listening({}, developer=developer)
    token, case, one = begun(session, developer.account, number)
    one.create(**case.create)

    iam = developer.client("iam")
    trusted = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": developer.account}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    reader = developer.aws.assume_role(developer.credentials, role)
    session.developer = LocalAccount(developer.aws, developer.account, reader, developer.region)
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}

    def allow_all_but(*actions: str) -> None:
        denied = [{"Effect": "Deny", "Action": action, "Resource": "*"} for action in actions]
        policy = {"Version": "2012-10-17", "Statement": [everything, *denied]}
        iam.put_role_policy(RoleName="reader", PolicyName="rights", PolicyDocument=json.dumps(policy))

    allow_all_but()
    assert one.refresh()
    needed = provider_calls.actions(provider_calls.calls(token, "read" + case.suffix))
    for action in sorted(needed):
        allow_all_but(action)
        with pytest.raises(Aborted, match=r"(?i)denied|not authorized|forbidden"):
            one.refresh()
            pytest.fail(f"{token} was read without {action}")
