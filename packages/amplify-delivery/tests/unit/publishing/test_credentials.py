"""The credentials of an assumed role are renewed: a deployment may take longer than they last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.session import Session
from botocore.utils import parse_timestamp

from amplify_delivery.publishing import credentials

ROLE = "arn:aws:iam::333333333333:role/deployer"


class Sts:
    """Hands out credentials that last for `minutes`."""

    def __init__(self, minutes: float) -> None:
        self.minutes, self.asked = minutes, list[dict[str, str]]()

    def assume_role(self, **asked: str) -> dict[str, Any]:
        self.asked.append(asked)
        number = len(self.asked)
        found = {"AccessKeyId": f"ASIA{number}", "SecretAccessKey": "s", "SessionToken": f"t{number}"}
        return {"Credentials": {**found, "Expiration": datetime.now(UTC) + timedelta(minutes=self.minutes)}}


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Sts:
    made = Sts(60)
    monkeypatch.setattr(boto3.session.Session, "client", lambda *_, **__: made)
    return made


def keys(session: boto3.session.Session) -> tuple[str, str | None]:
    found = session.get_credentials()
    assert found
    frozen = found.get_frozen_credentials()
    return frozen.access_key, frozen.token


def test_a_role_is_assumed_once_as_long_as_it_lasts(sts: Sts) -> None:
    session = credentials.provider_session("eu-west-1", role_arn=ROLE)
    assert keys(session) == keys(session) == ("ASIA1", "t1")
    assert session.region_name == "eu-west-1"
    assert sts.asked == [{"RoleArn": ROLE, "RoleSessionName": "amplify-delivery"}]


def test_credentials_that_end_in_a_long_step_are_renewed(sts: Sts) -> None:
    sts.minutes = 0.5
    session = credentials.provider_session("eu-west-1", role_arn=ROLE)
    sts.minutes = 60
    assert keys(session) == ("ASIA2", "t2")
    assert keys(session) == ("ASIA2", "t2")


def test_the_credentials_of_variables_are_those_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    given = {"AWS_ACCESS_KEY_ID": "ASIA7", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t7", "AWS_REGION": "x"}
    assert keys(credentials.session_of(given)) == ("ASIA7", "t7")
    assert keys(credentials.session_of({}))[0] == "AKIAOTHER"
    assert credentials.session_of(given, "eu-west-1").region_name == "eu-west-1"


def test_variables_that_name_a_profile_lead_to_it_and_past_the_keys_of_the_shell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In a process that gets them, too: the engine is one."""
    file = tmp_path / "config"
    file.write_text("[profile theirs]\naws_access_key_id = AKIATHEIRS\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    given = credentials.of_profile("theirs")
    assert keys(credentials.session_of(given)) == ("AKIATHEIRS", None)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert keys(boto3.session.Session()) == ("AKIATHEIRS", None)


def test_what_is_read_of_aws_s_services_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each session of botocore would begin with reading it, and a session only to ask for it takes 10 ms."""
    made: list[Session] = []

    def get_session() -> Session:
        made.append(Session())
        return made[-1]

    monkeypatch.setattr("botocore.session.get_session", get_session)
    monkeypatch.setattr(credentials, "_shared", [])  # as a command begins
    variables = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}
    for region in ("eu-west-1", "us-east-1"):
        credentials.session_of(variables, region).client("sts")
    assert len(made) == 2
    first, second = (session.get_component("data_loader") for session in made)
    assert first is second


@pytest.mark.parametrize(
    "written",
    [
        *(f"2026-11-30T23:59:59{fraction}Z" for fraction in ("", ".1", ".123", ".123456")),
        *("2026-11-30T23:59:59.1234567Z", "2026-11-30T23:59:59+01:00", "2026-11-30", "20261130T235959Z"),
        *("Mon, 30 Nov 2026 23:59:59 GMT", "1796083199", 1796083199, 1796083199.5),
    ],
)
def test_timestamps_are_those_of_botocore(written: str | float) -> None:
    assert credentials.timestamp(written) == parse_timestamp(written)
    assert credentials.timestamp(written).isoformat() == parse_timestamp(written).isoformat()


@pytest.mark.parametrize("written", ["", "soon", "2026-13-30T23:59:59Z", "2026-11-30T25:59:59.123Z"])
def test_what_is_no_timestamp_is_none_of_botocores_either(written: str) -> None:
    for parse in (credentials.timestamp, parse_timestamp):
        with pytest.raises(ValueError, match=r"timestamp|month|hour"):
            parse(written)


def test_timestamps_of_answers_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As hundreds are, of a stack's resources."""
    session = credentials.session_of({"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}, "eu-west-1")
    client = session.client("cloudformation")
    time = "2026-11-30T23:59:59.123Z"
    summary = f"<StackName>a</StackName><StackStatus>CREATE_COMPLETE</StackStatus><CreationTime>{time}</CreationTime>"
    body = f"<R><ListStacksResult><StackSummaries><member>{summary}</member></StackSummaries></ListStacksResult></R>"
    answer = AWSResponse("https://aws", 200, {}, None)
    vars(answer)["_content"] = body.encode()
    client.meta.events.register("before-send", lambda **_: answer)
    monkeypatch.setattr("dateutil.parser.parse", lambda *_, **__: pytest.fail("it was asked what form it has"))
    (stack,) = client.list_stacks()["StackSummaries"]
    assert stack["CreationTime"] == datetime(2026, 11, 30, 23, 59, 59, 123000, UTC)
