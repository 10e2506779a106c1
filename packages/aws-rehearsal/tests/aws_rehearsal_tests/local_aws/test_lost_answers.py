"""What comes of a call whose answer was lost: the SDK sends it again, with its token, after AWS has carried it out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from aws_rehearsal_tests.live_calls import live
from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.provider_calls import Aborted

TEMPLATE = json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "lost"}}}})


def lose_first_answer(client: Any, operation: str) -> list[str]:
    """Have the answer to the client's first call of an operation lost; gives the bodies that were sent."""
    bodies: list[str] = []

    def send(request: Any, **_: Any) -> None:
        bodies.append(request.body.decode() if isinstance(request.body, bytes) else str(request.body))
        if len(bodies) == 1:
            assert URLLib3Session().send(request).status_code == 200
            raise ConnectionClosedError(endpoint_url=request.url)

    service = client.meta.service_model.service_name
    client.meta.events.register(f"before-send.{service}.{operation}", send)
    return bodies


def test_a_stack_is_made_once(developer: LocalAccount) -> None:
    client = developer.client("cloudformation")
    sent = lose_first_answer(client, "CreateStack")
    life = live("aws:cloudformation/stack:Stack", developer)
    life.create(name="lost", templateBody=TEMPLATE)
    assert len(sent) == 2
    assert sent[0] == sent[1]
    (stack,) = client.describe_stacks()["Stacks"]
    assert (life.resource_id, stack["StackStatus"]) == (stack["StackId"], "CREATE_COMPLETE")


def test_a_secrets_value_is_put_once(developer: LocalAccount) -> None:
    client = developer.client("secretsmanager")
    secret = live("aws:secretsmanager/secret:Secret", developer).create(name="lost")["arn"]
    sent = lose_first_answer(client, "PutSecretValue")
    version = live("aws:secretsmanager/secretVersion:SecretVersion", developer)
    version.create(secretId=secret, secretStringWo="text", secretStringWoVersion=1)
    assert len(sent) == 2
    current = [v for v in client.list_secret_version_ids(SecretId=secret)["Versions"] if v["VersionStages"]]
    assert [v["VersionId"] for v in current if "AWSCURRENT" in v["VersionStages"]] == [version.seen["versionId"]]


def test_a_secret_is_there_and_nobody_knows(developer: LocalAccount) -> None:
    """The provider makes it without a value, so there is no version that the token could name: it is refused, and the
    engine's state has none."""
    client = developer.client("secretsmanager")
    lose_first_answer(client, "CreateSecret")
    with pytest.raises(Aborted, match="ResourceExistsException") as raised:
        live("aws:secretsmanager/secret:Secret", developer).create(name="lost")
    assert not raised.value.context.trailing
    assert client.describe_secret(SecretId="lost")["Name"] == "lost"
