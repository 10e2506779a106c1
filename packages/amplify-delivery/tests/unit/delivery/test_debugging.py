"""What `--debug` tells, and what it never does."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery import cli
from amplify_delivery.commands import outputs
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.debugging import KEPT, VARIABLE, Debugging
from amplify_delivery.delivery.engine.pulumi_command import Command
from amplify_delivery.errors import DeliveryError, RefusedError

SECRET = "correct-horse-battery-staple"
ACCOUNT = "111111111111"


class Aws(BaseHTTPRequestHandler):
    """STS and SSM on loopback. Every answer holds a secret, as every request does."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        target = self.headers.get("X-Amz-Target", "")
        if not target:
            self._answer(200, _caller().encode(), "text/xml")
        elif target.endswith("PutParameter"):
            body = {"__type": "ParameterAlreadyExists", "message": f"{SECRET} is there"}
            self._answer(400, json.dumps(body).encode(), "application/x-amz-json-1.1")
        else:
            body = {"Parameter": {"Value": SECRET}}  # type: ignore[dict-item]
            self._answer(200, json.dumps(body).encode(), "application/x-amz-json-1.1")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("x-amzn-RequestId", "request-1")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def _caller() -> str:
    return (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        f"<Arn>arn:aws:iam::{ACCOUNT}:user/{SECRET}</Arn><UserId>x</UserId><Account>{ACCOUNT}</Account>"
        "</GetCallerIdentityResult><ResponseMetadata><RequestId>request-1</RequestId></ResponseMetadata>"
        "</GetCallerIdentityResponse>"
    )


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = HTTPServer(("127.0.0.1", 0), Aws)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SECRET)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    yield
    server.shutdown()
    server.server_close()
    thread.join()


def debugging(**variables: str) -> Debugging:
    return Debugging(asked=not variables, variables=variables)


def test_calls_of_aws_are_told_without_what_they_carry(aws: None, capsys: pytest.CaptureFixture[str]) -> None:
    with debugging():
        ssm = Account(ACCOUNT, "eu-west-1").client("ssm")
        ssm.get_parameter(Name="x", WithDecryption=True)
        with pytest.raises(ssm.exceptions.ParameterAlreadyExists):
            ssm.put_parameter(Name="x", Value=SECRET, Type="SecureString")
    said = capsys.readouterr().err
    assert "sts GetCallerIdentity eu-west-1: 200 in " in said
    assert "ssm GetParameter eu-west-1: 200 in " in said
    assert "ssm PutParameter eu-west-1: 400 ParameterAlreadyExists in " in said
    assert said.count("request request-1") == 3
    assert SECRET not in said
    assert "AKIA" not in said


def test_without_it_nothing_is_told(aws: None, capsys: pytest.CaptureFixture[str]) -> None:
    with Debugging(asked=False, variables={VARIABLE: "0"}):
        Account(ACCOUNT, "eu-west-1")
    assert capsys.readouterr().err == ""


def test_the_way_to_aws_is_told_when_it_fails(
    aws: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = Account(ACCOUNT, "eu-west-1")
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", _refuse)
    with debugging(), pytest.raises(RefusedError), account.asking("reading"):
        account.client(
            "ssm",
        ).get_parameter(Name="x")
    assert "ssm.GetParameter eu-west-1: ProxyConnectionError after " in capsys.readouterr().err


def _refuse(*_: Any, **__: Any) -> None:
    from botocore.exceptions import ProxyConnectionError

    raise ProxyConnectionError(proxy_url=f"http://user:{SECRET}@proxy")


# --- the engine -------------------------------------------------------------------------------------------------------


@pytest.mark.processes
def test_the_engines_command_lines_are_told_without_their_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = tmp_path / "pulumi"
    engine.write_text('#!/bin/sh\n[ "$1" = version ] && echo v3.220.0 && exit\necho "$PULUMI_CONFIG_PASSPHRASE"\n')
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with debugging():
        command, given = Command(), {"PULUMI_CONFIG_PASSPHRASE": SECRET}
        done = command.run(["stack", "export", "--stack", "dev"], str(tmp_path), given)
        assert done.stdout == SECRET
        command.run(["config", "set", "--secret", "token", SECRET], str(tmp_path), given)
        command.run(["up", "--config", f"app:token={SECRET}", f"--config=app:token={SECRET}"], str(tmp_path), given)
    said = capsys.readouterr().err
    assert "pulumi stack export --stack dev begins" in said
    assert "pulumi stack export --stack dev has ended with 0 after " in said
    assert "pulumi config set begins" in said
    assert "pulumi up --config '***' '***' begins" in said
    assert SECRET not in said


# --- a failure --------------------------------------------------------------------------------------------------------


def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any) -> int:
        for number in range(KEPT + 5):
            logging.getLogger("amplify_delivery.x").debug("line %d", number)
        raise RefusedError("no")

    monkeypatch.setattr(outputs, "run", run)


@pytest.mark.parametrize("variable", ["CI", "CODEBUILD_BUILD_ID"])
def test_a_failure_in_a_ci_leaves_the_last_lines(
    variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch)
    monkeypatch.setenv(variable, "true")
    assert cli.main(["outputs", "dev"]) == 3
    assert capsys.readouterr().err.endswith("\nerror: no\n")  # what a build's log ends with is the error
    assert cli.main(["outputs", "dev", "--json"]) == 3
    printed = capsys.readouterr()
    assert json.loads(printed.out)["error"]["message"] == "no"
    assert f"the last {KEPT} debug lines:" in printed.err
    assert f"line {KEPT + 4}" in printed.err
    assert "line 5\n" not in printed.err
    assert "raised in " in printed.err
    assert "test_debugging.py:" in printed.err
    assert "Traceback" not in printed.err  # for who asks for it: a user's mistake is none of ours


def test_a_refused_argument_in_a_ci_is_told_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*_: Any) -> int:
        raise RefusedError("no")

    monkeypatch.setattr(outputs, "run", run)
    monkeypatch.setenv("CI", "true")
    assert cli.main(["outputs", "dev"]) == 3
    assert capsys.readouterr().err == "error: no\n"


def test_by_hand_only_the_error_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    failing(monkeypatch)
    assert cli.main(["outputs", "dev"]) == 3
    assert capsys.readouterr().err == "error: no\n"


@pytest.mark.parametrize(("arguments", "value"), [(["--debug"], ""), ([], "1")])
def test_it_is_asked_for_by_an_option_or_a_variable(
    arguments: list[str], value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch)
    monkeypatch.setenv(VARIABLE, value)
    assert cli.main(["outputs", "dev", *arguments]) == 3
    said = capsys.readouterr().err
    assert "line 0\n" in said
    assert "test_debugging.py" in said  # where it was raised
    assert "the last" not in said


def test_a_defect_in_a_ci_leaves_them_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*_: Any) -> int:
        logging.getLogger("amplify_delivery.x").debug("before it")
        raise KeyError("x")

    monkeypatch.setattr(outputs, "run", run)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(KeyError):
        cli.main(["outputs", "dev"])
    assert "before it" in capsys.readouterr().err


def test_what_was_set_up_is_taken_back() -> None:
    logger = logging.getLogger("amplify_delivery")
    before = (logger.level, logger.propagate, list(logger.handlers))
    with pytest.raises(DeliveryError), debugging():
        raise DeliveryError("x")
    assert (logger.level, logger.propagate, list(logger.handlers)) == before
