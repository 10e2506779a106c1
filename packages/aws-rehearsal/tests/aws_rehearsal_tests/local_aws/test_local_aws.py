"""Starting, stopping and outliving: the local AWS as a process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_rehearsal.errors import SetupError
from aws_rehearsal.local_aws import LocalAws, random_account, selftest
from aws_rehearsal.local_aws.local_aws import SERVER
from aws_rehearsal.local_aws.process_groups import group_lives, group_members
from aws_rehearsal.local_aws.selftest import ensure_patched
from aws_rehearsal.setup import Tools, tools
from aws_rehearsal_tests.clock import replace_for
from aws_rehearsal_tests.local_account import LocalAccount

ROOT = Path(__file__).resolve().parents[5]
REGION = "eu-central-1"

# What a rehearsal is to the local AWS: a parent that starts it, says where it is, and waits.
PARENT = """
import sys, time
from pathlib import Path
from aws_rehearsal.local_aws import LocalAws
python, node, node_modules, keep = sys.argv[1:]
aws = LocalAws(python=Path(python), node=Path(node), node_modules=Path(node_modules))
aws.start(keep=Path(keep) if keep else None, make_admins=["111111111111"])
print(aws.pid, aws.port, flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    aws.stop()
"""


@pytest.fixture(scope="module")
def found() -> Tools:
    return tools()


@pytest.fixture
def parent(found: Tools) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    """A process that has started a local AWS: itself, the server's process id and port."""
    yield from _parent(found)


def _parent(found: Tools, keep: str = "") -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    command: list[str | Path] = [
        sys.executable,
        "-c",
        PARENT,
        found.local_aws_python,
        found.node,
        found.node_modules,
        keep,
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        pid, port = map(int, process.stdout.readline().split())
        yield process, pid, port
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def gone(pid: int, patience: float = 300) -> bool:
    """Whether the process, and all of its group, end within `patience` seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not group_lives(pid):
            return True
        time.sleep(0.02)
    return False


def listens(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def closes(port: int) -> bool:
    """Whether nobody listens there any more, soon: the kernel takes a killed process apart bit by bit."""
    deadline = time.monotonic() + 300
    while listens(port) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not listens(port)


@pytest.mark.processes
def test_every_patch_is_needed_and_works(found: Tools) -> None:
    environment = {**LocalAws()._server_environment(Path("/nonexistent"))}
    test = ensure_patched(found.local_aws_python, environment)
    assert test is not None
    assert test.needless == ()
    assert test.broken == ()


METADATA = """
import sys
sys.path.insert(0, sys.argv[1])
from ministack.core import responses
from patches import _metadata
whole = responses._service_model
_metadata.apply()
short = {name: responses._service_model(name) for name in sys.argv[2:]}
read = {name: model.metadata for name, model in short.items()}
assert "botocore.session" not in sys.modules
for name, model in short.items():
    assert read[name] == whole(name).metadata, name
    assert model.operation_names == whole(name).operation_names, name
assert responses._service_model("nowhere") is None
"""


@pytest.mark.processes
def test_metadata_are_botocores(found: Tools) -> None:
    """MiniStack makes the form of its answers from them; read from the beginning of each description only."""
    names = ("apigateway", "appsync", "cloudformation", "cognito-idp", "dynamodb", "lambda", "monitoring", "s3", "sns")
    patches = SERVER.parent
    variables = {**LocalAws()._server_environment(Path("/nonexistent")), "GATEWAY_PORT": "1"}
    script = [str(found.local_aws_python), "-I", "-c", METADATA, str(patches), *names]
    done = subprocess.run(script, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


REFUSALS = """
import sys
sys.path.insert(0, sys.argv[1])
from ministack.services import lambda_svc
from patches import refused_forms, refused_pairs, refused_settings

def refused(look, *given):
    try:
        look(*given)
    except ValueError:
        return True
    return False

def key(bypass=None, **statement):
    policy = {"Statement": {"Effect": "Allow", "Principal": "*", "Resource": "*", **statement}}
    return refused(refused_forms._key, {"KeyPolicy": policy, "BypassPolicyLockoutSafetyCheck": bypass}, None)

kept = [{"Action": "kms:PutKey*"}, {"Action": ["kms:Get*", "kms:*Policy"]}, {"Action": "KMS:PutKeyPolic?"}]
kept += [{"Action": "*"}, {"NotAction": "kms:Get*"}, {"Action": "kms:Decrypt", "bypass": True}]
lost = [{"Action": "kms:Decrypt"}, {"NotAction": ["s3:*", "kms:Put*"]}, {"Action": "kms:*", "Effect": "Deny"}]
lost += [{"Action": "kms:Decrypt", "bypass": "false"}]
assert [key(**one) for one in kept] == [False] * len(kept)
assert [key(**one) for one in lost] == [True] * len(lost)

def lines(principal):
    lambda_svc._functions["x"] = {"policy": {"Statement": [{"Principal": principal}]}}
    return refused(refused_forms._lines, {"DestinationArn": "arn:aws:lambda:us-east-1:1:function:x"}, None)

called = ("*", {"AWS": "*"}, {"Service": "logs.amazonaws.com"}, {"Service": ["a", "logs.x"]})
assert [lines(one) for one in called] == [False] * 4
assert [lines(one) for one in ("1", {"Service": "s3.amazonaws.com"}, {"AWS": "1"})] == [True, True, True]

def bucket(actions, *resources):
    arns = ["*" if one == "*" else f"arn:aws:s3:::{one}" for one in resources]
    return refused(refused_settings._of_its_bucket, "b", [{"Action": actions, "Resource": arns}])

right = [("s3:GetObject", "b/*"), ("s3:GetObject", "b", "b/*"), ("s3:*", "b"), ("s3:GetObject", "*")]
right += [("s3:ListBucket", "b"), ("s3:GetBucketAcl", "*", "b/*"), ("s3:GetObject", "b*")]
wrong = [("s3:RestoreObject", "b"), (["s3:GetObjectTorrent", "s3:*"], "b"), ("s3:ListBucketVersions", "b/*")]
wrong += [("s3:GetBucketLocation", "b/a", "b/c"), ("s3:*", "other")]
assert [bucket(*one) for one in right] == [False] * len(right)
assert [bucket(*one) for one in wrong] == [True] * len(wrong)

def schedule(expression):
    return refused(refused_settings._of_time, expression)

taken = ["cron(0 12 * * ? *)", "cron( 0  12 ? *  MON-FRI * )", "cron(0 12 ? * ? *)", "rate(5 minutes)"]
refuses = ["cron(0 12 * * *)", "cron(15 10 * * ?)", "cron(0 12 * * MON-FRI)", "cron(0 12 1 * MON *)", "daily"]
assert [schedule(one) for one in taken] == [False] * len(taken)
assert [schedule(one) for one in refuses] == [True] * len(refuses)

def pair(look, **given):
    return refused(getattr(refused_pairs, look), given, None)

text, rule, shards, arm = {"SecretString": "x"}, {"GenerateSecretString": {}}, {"ShardCount": 1}, ["arm64"]
demand, ordered, names = {"StreamMode": "ON_DEMAND"}, "arn:aws:sns:us-east-1:1:t.fifo", {"Aliases": ["a.example.com"]}
wrong = [pair("_secret", **text, **rule), pair("_stream", StreamModeDetails=demand, **shards)]
wrong += [pair("_function", Runtime="python3.7", Architectures=arm), pair("_distribution", DistributionConfig=names)]
wrong += [pair("_topic", FifoTopic=True, Subscription=[{"Protocol": "email"}])]
wrong += [pair("_subscription", TopicArn=ordered, Protocol="lambda"), pair("_firewall", Scope="CLOUDFRONT")]
wrong += [pair("_subscription", Protocol="email", RawMessageDelivery=False), pair("_parameter", Name="/SSM/x")]
wrong += [pair("_parameter", Name="aws-x"), pair("_alarm", Period="60", EvaluationPeriods="1441")]
wrong += [pair("_rule", Targets=[{"Arn": "arn:aws:sqs:us-east-1:1:q.fifo", "Id": "q"}])]
right = [pair("_subscription", Protocol="sqs", RawMessageDelivery=True), pair("_parameter", Name="/awsome")]
right += [pair("_alarm", Period="86400", EvaluationPeriods="7"), pair("_parameter")]
right += [pair("_rule", Targets=[{"Arn": "arn:aws:sqs:us-east-1:1:q.fifo", "Id": "q", "SqsParameters": {"x": 1}}])]
right += [pair("_secret", **text), pair("_secret", **rule), pair("_stream", StreamModeDetails=demand)]
right += [pair("_stream", **shards), pair("_function", Runtime="python3.8", Architectures=arm)]
right += [pair("_topic", Subscription=[{"Protocol": "email"}]), pair("_firewall", Scope="REGIONAL")]
right += [pair("_subscription", TopicArn=ordered, Protocol="sqs"), pair("_subscription", TopicArn="t", Protocol="sms")]
right += [pair("_distribution", DistributionConfig={**names, "ViewerCertificate": {"AcmCertificateArn": "a"}})]
assert (wrong, right) == ([True] * len(wrong), [False] * len(right))
lambda_svc._esms["u"] = {"EventSourceArn": "s", "FunctionArn": "arn:aws:lambda:us-east-1:1:function:y", "UUID": "u"}
mapped = [pair("_mapping", EventSourceArn=source, FunctionName=name) for source in "st" for name in "yz"]
assert mapped == [True, False, False, False]
lambda_svc._functions["y"] = {"versions": {"1": {}}}
assert [pair("_alias", FunctionName="y", FunctionVersion=n) for n in ("1", "$LATEST", "2")] == [False, False, True]
"""


@pytest.mark.processes
def test_what_is_refused_and_what_is_like_it(found: Tools) -> None:
    """The rows of the examination's own tests, of keys, lines, buckets' policies, schedules and pairs of settings."""
    variables = {**LocalAws()._server_environment(Path("/nonexistent")), "GATEWAY_PORT": "1"}
    variables["MINISTACK_REGION"] = "eu-west-1"
    script = [str(found.local_aws_python), "-I", "-c", REFUSALS, str(SERVER.parent)]
    done = subprocess.run(script, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _runs(monkeypatch: pytest.MonkeyPatch, run: Callable[..., Any]) -> None:
    """Let the self-test start its process by `run`: by its own name of the module, for other threads of this process,
    such as services of other tests, start theirs meanwhile."""
    replace_for(monkeypatch, selftest, subprocess, run=run)


@pytest.mark.processes
def test_self_test_is_remembered(found: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    LocalAws().self_test()
    _runs(monkeypatch, lambda *_, **__: pytest.fail("the self-test ran again"))
    assert LocalAws().self_test() is not None


@pytest.mark.processes
def test_servers_that_start_at_once_wait_for_one_self_test(
    found: Tools, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    servers = [LocalAws() for _ in range(3)]
    monkeypatch.setenv("AMPLIFY_DELIVERY_CACHE", str(tmp_path))
    said = json.dumps({"principal_arn": {"needed": True, "works": True}})
    runs: list[None] = []

    def run(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        runs.append(None)
        time.sleep(0.2)
        return subprocess.CompletedProcess([], 0, said, "")

    _runs(monkeypatch, run)
    with ThreadPoolExecutor(3) as pool:
        tests = [pool.submit(server.self_test) for server in servers]
        assert all(test.result() is not None for test in tests)
    assert len(runs) == 1


@pytest.mark.processes
def test_a_patch_that_does_not_work_stops_the_start(
    found: Tools, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    aws = LocalAws()
    monkeypatch.setenv("AMPLIFY_DELIVERY_CACHE", str(tmp_path))
    said = json.dumps({"principal_arn": {"needed": True, "works": False}})
    _runs(monkeypatch, lambda *_, **__: subprocess.CompletedProcess([], 0, said, ""))
    with pytest.raises(SetupError, match="does not behave as AWS with these patches: principal_arn"):
        aws.self_test()


@pytest.mark.processes
def test_left_out_patch_leaves_the_divergence(found: Tools) -> None:
    with LocalAws(without_patches=["bucket_deletion"]) as aws:
        account = random_account()
        developer = LocalAccount(aws, account, aws.make_admin(account))
        bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"content-{account}"}}
        developer.create({"Resources": {"Bucket": bucket}})
        developer.client("s3").put_object(Bucket=f"content-{account}", Key="object", Body=b"")
        assert developer.delete()["StackStatus"] == "DELETE_COMPLETE"


def test_listens_on_the_loopback_interface_only(local_aws: LocalAws) -> None:
    assert local_aws.port is not None
    assert listens(local_aws.port)
    listeners = Path("/proc/net/tcp")
    if listeners.exists():
        own = [line.split()[1] for line in listeners.read_text().splitlines()[1:] if line.split()[3] == "0A"]
        assert [a for a in own if a.endswith(f":{local_aws.port:04X}")] == [f"0100007F:{local_aws.port:04X}"]


def test_two_at_once_do_not_meet(local_aws: LocalAws, developer: LocalAccount) -> None:
    with LocalAws() as other:
        assert other.port != local_aws.port
        with pytest.raises(ClientError, match=r"InvalidClientTokenId|InvalidAccessKeyId"):
            other.client("sts", developer.credentials, REGION).get_caller_identity()


@pytest.mark.processes
def test_stop_leaves_nothing(tmp_path: Path) -> None:
    aws = LocalAws()
    aws.start(tmp_path / "log")
    pid, port = aws.pid, aws.port
    assert pid is not None
    assert port is not None
    aws.stop()
    assert gone(pid)
    assert closes(port)
    aws.stop()  # again is nothing


@pytest.mark.processes
def test_stop_does_not_wait_for_a_custom_resource(tmp_path: Path) -> None:
    aws = LocalAws()
    aws.start(tmp_path / "log")
    account = random_account()
    developer = LocalAccount(aws, account, aws.make_admin(account))
    function = {
        "Code": {"ZipFile": "exports.handler = () => new Promise(() => setTimeout(() => {}, 60000));"},
        "Handler": "index.handler",
        "Role": f"arn:aws:iam::{account}:role/function",
        "Runtime": "nodejs20.x",
        "Timeout": 60,
    }
    custom = {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}
    template = {
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Custom": {"Type": "Custom::Silent", "Properties": custom},
    }
    body = json.dumps({"Resources": template})
    developer.client("cloudformation").create_stack(StackName="stack", TemplateBody=body)
    pid = aws.pid
    assert pid is not None
    _until_a_worker_runs(pid)

    aws.stop()
    assert gone(pid)


def _until_a_worker_runs(group: int) -> None:
    for _ in range(15_000):
        if any(command == "node" for command, _ in group_members(group) or []):
            return
        time.sleep(0.02)
    pytest.fail("the function never started")


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_ends_with_its_parent(parent: tuple[subprocess.Popen[str], int, int], number: signal.Signals) -> None:
    process, pid, port = parent
    assert listens(port)
    process.send_signal(number)
    process.wait()
    assert gone(pid)


@pytest.mark.processes
def test_interrupt_leaves_nothing_running(parent: tuple[subprocess.Popen[str], int, int]) -> None:
    process, pid, _ = parent
    assert os.getpgid(pid) != os.getpgid(process.pid), "a terminal's Ctrl-C must not reach the server first"
    process.send_signal(signal.SIGINT)
    process.wait()
    assert gone(pid)


@pytest.mark.processes
def test_kept_server_outlives_its_parent_and_is_found_again(found: Tools, tmp_path: Path) -> None:
    state = tmp_path / "local-aws.json"
    for process, _, _ in _parent(found, str(state)):
        process.kill()
        process.wait()
    again = LocalAws.attach(state)
    assert again is not None
    try:
        admin = again.make_admin("111111111111")
        identity = again.client("sts", admin, REGION).get_caller_identity()
        assert identity["Arn"] == "arn:aws:iam::111111111111:user/admin"
    finally:
        again.stop()
    assert LocalAws.attach(state) is None


def test_server_that_was_kept_and_ended_is_not_found(tmp_path: Path) -> None:
    assert LocalAws.attach(tmp_path / "no-such-file") is None


@pytest.mark.processes
def test_interpreter_that_is_not_there_is_a_set_up_error(found: Tools, tmp_path: Path) -> None:
    aws = LocalAws(python=tmp_path / "python", node=found.node, node_modules=found.node_modules)
    with pytest.raises(SetupError, match="make setup"):
        aws.start(tmp_path / "log")
    assert aws.pid is None


@pytest.mark.processes
def test_interpreter_without_ministack_is_a_set_up_error(found: Tools, tmp_path: Path) -> None:
    aws = LocalAws(python=Path(sys.executable), node=found.node, node_modules=found.node_modules)
    with pytest.raises(SetupError, match="did not start"):
        aws.start(tmp_path / "log")


def test_environment_reaches_nothing_but_the_local_aws(developer: LocalAccount, tmp_path: Path) -> None:
    """A process with the developer's variables sees neither a profile of the user's nor an instance's role."""
    home = tmp_path / ".aws"
    home.mkdir()
    (home / "config").write_text("[default]\nregion = us-west-2\n[profile real]\nregion = us-west-2\n")
    (home / "credentials").write_text("[default]\naws_access_key_id = REAL\naws_secret_access_key = REAL\n")
    code = (
        "import boto3; s = boto3.Session(); sts = s.client('sts');"
        "print(s.region_name, s.available_profiles, sts.meta.endpoint_url, sts.get_caller_identity()['Account'])"
    )
    variables = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], **developer.environment}
    seen = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True
    ).stdout
    assert seen.split() == [REGION, "[]", developer.aws.endpoint, developer.account]


@pytest.mark.processes
def test_server_and_its_functions_see_no_variable_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    variables = LocalAws()._server_environment(tmp_path)
    assert not {"AWS_PROFILE", "GITHUB_TOKEN"} & set(variables)
    assert variables["HOME"] == str(tmp_path)


@pytest.mark.processes
def test_administrator_is_the_same_when_asked_again_and_gone_after_a_reset() -> None:
    with LocalAws() as aws:
        account = random_account()
        first = aws.make_admin(account)
        assert aws.make_admin(account) is first
        aws.reset()
        assert aws.make_admin(account) != first
