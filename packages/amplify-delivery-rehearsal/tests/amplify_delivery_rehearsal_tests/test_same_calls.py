"""The stand-in for the classic provider makes the real one's calls: type by type, operation by operation.

What the real one calls stands in
packages/amplify-delivery/src/amplify_delivery/components/documents/rights/provider_calls.json. Each type is made, read,
changed in all that our programs may change, and deleted in the local AWS, and what was asked of AWS is compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.components.documents.rights import provider_calls
from amplify_delivery.components.documents.rights.handler_table import table
from amplify_delivery_rehearsal.conformance.cases import Case, Inputs, cases
from aws_rehearsal.providers.classic.provider import ClassicProvider
from aws_rehearsal.providers.native import schemas
from aws_rehearsal.providers.native.codepipeline import Pipelines
from aws_rehearsal_tests.live_calls import AccountSession, Life
from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.provider_calls import Aborted, Calls
from aws_rehearsal_tests.providers.test_delivery import FakeNotifications

ALIASES = {"DeleteBucketLifecycle": "DeleteBucketLifecycleConfiguration"}
"""botocore's name -> that of the SDK for Go, which the real provider uses."""


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
    for change in case.changes:
        with listening("update"):
            one.update(**change)
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


class Pipeline:
    """CodePipeline with one pipeline."""

    class exceptions:  # noqa: N801 - botocore's name
        ClientError = ClientError

    def __init__(self) -> None:
        self.pipeline: Inputs = {}

    def create_pipeline(self, *, pipeline: Inputs, tags: Any = ()) -> Inputs:
        del tags
        self.pipeline = {**pipeline, "version": 1}
        return {"pipeline": self.pipeline}

    def update_pipeline(self, *, pipeline: Inputs) -> Inputs:
        self.pipeline = {**pipeline, "version": 2}
        return {"pipeline": self.pipeline}

    def get_pipeline(self, *, name: str) -> Inputs:
        arn = f"arn:aws:codepipeline:eu-central-1:111122223333:{name}"
        return {"pipeline": self.pipeline, "metadata": {"pipelineArn": arn}}

    def get_pipeline_state(self, **_: Any) -> Inputs:
        return {"stageStates": [{"stageName": "B", "inboundTransitionState": {"enabled": True}}]}

    def list_tags_for_resource(self, **_: Any) -> Inputs:
        return {"tags": [{"key": "old", "value": "1"}]}

    def _nothing(self, **_: Any) -> Inputs:
        return {}

    delete_pipeline = disable_stage_transition = enable_stage_transition = _nothing
    start_pipeline_execution = tag_resource = untag_resource = _nothing


def test_a_pipelines_calls_are_its_handlers() -> None:
    """What `aws-native` has Cloud Control do for a pipeline, against what the type's schema declares."""
    made: dict[str, set[str]] = {}
    client, calls = Pipeline(), set[str]()
    maker = Pipelines(Heard(client, "codepipeline", calls))
    properties = {"Name": "app", "RoleArn": "r", "Stages": [{"Name": "A", "Actions": []}, {"Name": "B", "Actions": []}]}
    closed = [{"StageName": "B", "Reason": "until tomorrow"}]
    changed = {**properties, "DisableInboundStageTransitions": closed, "RestartExecutionOnUpdate": True}
    changed["Tags"] = [{"Key": "new", "Value": "1"}]
    kind = schemas.find("aws-native:codepipeline:Pipeline", "eu-central-1")
    for operation, act in (
        ("create", lambda: maker.create(kind, "app", {**properties, "DisableInboundStageTransitions": closed}, 0)),
        ("read", lambda: maker.read("app", properties)),
        ("update", lambda: maker.update(kind, "app", properties, changed, 0)),
        ("delete", lambda: maker.delete("app", 0)),
    ):
        calls.clear()
        act()
        made[operation] = set(calls)
    declared = table()["AWS::CodePipeline::Pipeline"]
    assert made["read"] == set(declared["read"])
    assert set().union(*made.values()) <= set(declared["change"]) | set(declared["read"])
    assert {f"codepipeline:{o}Pipeline" for o in ("Create", "Update", "Delete")} <= set().union(*made.values())
    assert {"codepipeline:TagResource", "codepipeline:UntagResource", "codepipeline:StartPipelineExecution"} <= made[
        "update"
    ]
