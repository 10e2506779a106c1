"""A provider's configuration and lookups, as the engine sends and asks them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.errorfactory import ClientExceptionsFactory
from pulumi.runtime.proto import provider_pb2

from aws_rehearsal.providers.classic.provider import ClassicProvider
from aws_rehearsal.providers.config import ProviderConfig
from aws_rehearsal.providers.errors import ProviderError
from aws_rehearsal.providers.native.names import sdk_name
from aws_rehearsal.providers.native.provider import NativeProvider
from aws_rehearsal.providers.session import AwsSession, _seconds
from aws_rehearsal.providers.wire import Secret, decode, encode
from aws_rehearsal_tests.provider_calls import ACCOUNT, Context, FakeSession


def test_what_is_no_string_comes_as_json() -> None:
    config = ProviderConfig.read(
        {
            "region": "eu-west-1",
            "secretKey": Secret("hush"),
            "allowedAccountIds": '["012345678901"]',
            "assumeRoles": json.dumps([{"roleArn": "arn:aws:iam::1:role/a"}, {"roleArn": "arn:aws:iam::2:role/b"}]),
            "defaultTags": '{"tags": {"app": "x"}}',
            "endpoints": '[{"s3": "http://127.0.0.1:1"}]',
            "skipCredentialsValidation": "true",
            "version": "7.51.1",
        }
    )
    assert config.text("secretKey") == "hush"
    assert config.names("allowedAccountIds") == ["012345678901"]
    assert [role["roleArn"][-1] for role in config.roles] == ["a", "b"]
    assert config.default_tags == {"app": "x"}
    assert config.endpoint("s3") == "http://127.0.0.1:1"
    assert config.endpoint("sts") is None
    assert config.flag("skipCredentialsValidation")
    assert not config.flag("skipRequestingAccountId")


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"regoin": "x"}, "unknown key 'regoin'"),
        ({"allowedAccountIds": "[1"}, "could not unmarshal provider configuration 'allowedAccountIds'"),
    ],
)
def test_a_wrong_configuration_is_refused(properties: Any, words: str) -> None:
    with pytest.raises(ProviderError, match=words.replace("[", r"\[")):
        ProviderConfig.read(properties)
    answer = ClassicProvider("7").CheckConfig(provider_pb2.CheckRequest(news=encode(properties)), Context())
    assert words in answer.failures[0].reason


def test_a_role_under_the_wrong_key_is_refused() -> None:
    with pytest.raises(ProviderError, match="role_arn"):
        _ = ProviderConfig.read({"assumeRoles": '[{"role_arn": "x"}]'}).roles


def test_a_profile_that_this_machine_does_not_have_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("[profile here]\naws_access_key_id = a\naws_secret_access_key = b\n")
    there = {"region": "eu-west-1", "sharedConfigFiles": [str(file)]}
    assert AwsSession(ProviderConfig({**there, "profile": "here"})).region == "eu-west-1"
    with pytest.raises(ProviderError, match="failed to get shared config profile, gone"):
        AwsSession(ProviderConfig({**there, "profile": "gone"}))


def test_threads_that_meet_their_first_error_at_once_know_it_by_the_same_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a role whose inline policy was already gone counted as gone itself: it stayed, and its boundary with it."""
    proper, together = ClientExceptionsFactory._create_client_exceptions, threading.Barrier(2)

    def both_at_once(factory: ClientExceptionsFactory, service_model: Any) -> Any:
        with suppress(threading.BrokenBarrierError):
            together.wait(0.2)
        return proper(factory, service_model)

    monkeypatch.setattr(ClientExceptionsFactory, "_create_client_exceptions", both_at_once)
    client = AwsSession(ProviderConfig({"region": "eu-west-1", "accessKey": "a", "secretKey": "b"})).client("iam")
    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(lambda _: client.exceptions.NoSuchEntityException, range(2))
    assert one is other


@pytest.mark.parametrize(("text", "seconds"), [("1h", 3600), ("1h30m", 5400), ("900s", 900)])
def test_a_durations_text_is_read_as_go_reads_it(text: str, seconds: int) -> None:
    assert _seconds(text) == seconds


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({}, ""),
        ({"allowedAccountIds": [ACCOUNT]}, ""),
        ({"allowedAccountIds": ["999988887777"]}, f"AWS account ID not allowed: {ACCOUNT}"),
        ({"forbiddenAccountIds": [ACCOUNT]}, f"AWS account ID not allowed: {ACCOUNT}"),
        # Without an account id nothing can be allowed.
        ({"allowedAccountIds": [ACCOUNT], "skipRequestingAccountId": True}, "AWS account ID not allowed: "),
    ],
)
def test_whose_account_the_classic_provider_accepts(
    values: dict[str, Any], refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "aws_rehearsal.providers.classic.provider.AwsSession", lambda config: FakeSession(values=dict(config.values))
    )
    provider = ClassicProvider("7")
    if refused:
        with pytest.raises(ProviderError, match=refused):
            provider.connect(ProviderConfig(values))
    else:
        assert provider.connect(ProviderConfig(values)).account == ACCOUNT


def test_a_changed_provider_is_updated_not_replaced() -> None:
    request = provider_pb2.DiffRequest(old_inputs=encode({"region": "a", "profile": "p"}), news=encode({"region": "b"}))
    answer = ClassicProvider("7").DiffConfig(request, Context())
    assert list(answer.diffs) == ["profile", "region"]
    assert not answer.replaces


def invoke(provider: Any, token: str, **arguments: Any) -> dict[str, Any]:
    provider._session = provider._session or FakeSession()
    answer = provider.Invoke(provider_pb2.InvokeRequest(tok=token, args=encode(arguments)), Context())
    return decode(getattr(answer, "return"))


def test_functions_look_up_account_region_and_partition() -> None:
    provider = ClassicProvider("7")
    identity = invoke(provider, "aws:index/getCallerIdentity:getCallerIdentity")
    assert identity["accountId"] == identity["id"] == ACCOUNT
    assert invoke(provider, "aws:index/getRegion:getRegion")["region"] == "eu-central-1"
    assert invoke(provider, "aws:index/getRegion:getRegion", region="us-east-1")["region"] == "us-east-1"
    assert invoke(provider, "aws:index/getPartition:getPartition")["dnsSuffix"] == "amazonaws.com"
    assert invoke(NativeProvider("1"), "aws-native:index:getAccountId") == {"accountId": ACCOUNT}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BucketName", "bucketName"),
        ("KMSKeyId", "kmsKeyId"),
        ("RoleARN", "roleArn"),
        ("CallbackURLs", "callbackUrls"),
        ("SSESpecification", "sseSpecification"),
        ("DkimDNSTokenName1", "dkimDnsTokenName1"),
        ("Id", "awsId"),
    ],
)
def test_names_of_native_properties(name: str, expected: str) -> None:
    assert sdk_name(name) == expected


@pytest.mark.processes
def test_a_plugin_loads_neither_the_sdk_nor_botocore_before_it_is_asked() -> None:
    """Else each start takes twice as long; the engine starts each plugin several times in one `pulumi up`."""
    code = (
        "import sys; from aws_rehearsal.providers.messages import load_without_sdk; load_without_sdk();"
        "import aws_rehearsal.providers.classic.provider, aws_rehearsal.providers.native.provider;"
        "print(sorted({'botocore', 'boto3', 'cfnlint', 'pulumi.output', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
