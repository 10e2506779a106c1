"""The comparison with a real provider: over the stand-in's own plugin both must agree, and what differs must show."""

from __future__ import annotations

import json
import subprocess
import sys
from email.message import Message
from pathlib import Path

import pytest

from amplify_delivery.components.documents.rights import provider_calls
from amplify_delivery_rehearsal.conformance import __main__ as command
from amplify_delivery_rehearsal.conformance import importing
from amplify_delivery_rehearsal.conformance.proxy import operation
from aws_rehearsal.providers.classic.provider import ClassicProvider
from aws_rehearsal.pulumi_home import prepare
from aws_rehearsal.setup import tools

TOPIC = "aws:sns/topic:Topic"


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in as an installed plugin."""
    found = tools()
    home = tmp_path_factory.mktemp("home")
    prepare(home, found.python, found.engine_root)
    (binary,) = home.glob("plugins/resource-aws-v*/pulumi-resource-aws")
    return binary


@pytest.mark.processes
def test_a_plugin_that_does_the_same(plugin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = tmp_path / "calls.json"
    types = [TOPIC, "aws:s3/bucketVersioning:BucketVersioning", "aws:secretsmanager/secretVersion:SecretVersion"]
    only = [argument for token in types for argument in ("--only", token)]
    assert command.main([str(plugin), *only, "--write", str(written)]) == 0, capsys.readouterr().out
    assert "4 types, 0 differ" in capsys.readouterr().out  # a version has two variants
    found = json.loads(written.read_text())
    assert set(found[TOPIC]["read"]) == provider_calls.calls(TOPIC, "read")


@pytest.mark.processes
def test_an_adoption_has_the_state_that_the_plugin_itself_writes(
    plugin: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And without what `adopt` completes it has not."""
    stack = [str(plugin), "--only", "aws:cloudformation/stack:Stack"]
    assert command.main(stack) == 0, capsys.readouterr().out
    capsys.readouterr()
    monkeypatch.setattr(importing, "completed", lambda state, _: state)
    assert command.main(stack) == 1
    said = capsys.readouterr().out
    assert "import: parameters is None in the state, the plugin has written {" in said
    assert "import: parameters differs from what runs" in said


@pytest.mark.processes
def test_what_differs_is_said(
    plugin: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Against facts and a stand-in that say something else."""
    real = provider_calls.calls
    monkeypatch.setattr(provider_calls, "calls", lambda token, operation: real(token, operation) ^ {"sns:DeleteTopic"})
    monkeypatch.setitem(ClassicProvider._changes.__globals__, "changes", lambda *_: [])
    assert command.main([str(plugin), "--only", TOPIC]) == 1
    said = capsys.readouterr().out
    assert "1 types, 1 differ" in said
    assert "read: sns:DeleteTopic is written down, and not called" in said
    assert "delete: sns:DeleteTopic is called, and not written down" in said
    assert "Diff: name replaces: the plugin says so, the stand-in does not" in said


@pytest.mark.processes
def test_what_is_no_plugin(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "amplify_delivery_rehearsal.conformance", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "pulumi plugin install resource aws VERSION" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("method", "path", "body", "service", "called"),
    [
        ("GET", "/bucket?accelerate", b"", "s3", "s3:GetBucketAccelerateConfiguration"),
        ("GET", "/bucket?publicAccessBlock=", b"", "s3", "s3:GetPublicAccessBlock"),
        ("DELETE", "/bucket?lifecycle", b"", "s3", "s3:DeleteBucketLifecycleConfiguration"),
        ("HEAD", "/bucket", b"", "s3", "s3:HeadBucket"),
        ("GET", "/bucket?versions&prefix=a", b"", "s3", "s3:ListObjectVersions"),
        ("GET", "/bucket/a/b?tagging", b"", "s3", "s3:GetObjectTagging"),
        ("HEAD", "/bucket/a/b", b"", "s3", "s3:HeadObject"),
        ("GET", "/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Ab", b"", "s3", "s3:ControlListTagsForResource"),
        ("POST", "/", b"Action=GetTopicAttributes&Version=1", "sns", "sns:GetTopicAttributes"),
        ("POST", "/service/Events/operation/PutRule", b"", "events", "events:PutRule"),
        ("POST", "/describeNotificationRule", b"{}", "codestar-notifications",
         "codestar-notifications:DescribeNotificationRule"),
    ],
)  # fmt: skip
def test_which_operation_a_request_is(method: str, path: str, body: bytes, service: str, called: str) -> None:
    headers = Message()
    headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential=AKIA/20260601/eu-central-1/{service}/aws4_request, Signed"
    assert operation(method, path, headers, body) == called
    assert operation(method, path, Message(), body) == ""


def test_which_operation_a_target_names() -> None:
    headers = Message()
    headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=AKIA/20260601/eu-central-1/kms/aws4_request, Signed"
    headers["X-Amz-Target"] = "TrentService.DescribeKey"
    assert operation("POST", "/", headers, b"{}") == "kms:DescribeKey"
