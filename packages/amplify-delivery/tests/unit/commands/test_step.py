"""`amplify-delivery step`: the pipeline's steps as a person or a build runs them, against the local AWS."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from amplify_delivery.delivery.engine.stack_outputs import Output, to_json
from amplify_delivery.delivery.engine.state_bucket import outputs_key
from amplify_delivery.delivery.pipeline.step_runs import failure
from amplify_delivery.delivery.project.shell import Ended
from amplify_delivery.stacks.config import Step
from aws_rehearsal_tests.local_account import LocalAccount
from unit.command_line import ROOT, Ran, delivery, export

pytestmark = pytest.mark.processes

APP = "mytodoapp"
OUTPUT = "apimytodoappOutputGraphQLAPIIdOutput"
STEPS = """
          - name: plain
            commands: ['echo "$GREETING"', 'echo no output needed']
            env: {GREETING: hello}
          - name: api
            commands: ['echo "API $API"']
            envFromOutputs: {API: outputs.apimytodoapp.GraphQLAPIIdOutput}
          - name: web
            commands: ['cat web/src/aws-exports.js']
            clientConfig: {platform: javascript, folder: web/src}
          - name: secret
            commands: ['echo "token=$TOKEN url=$URL"', 'test "$TOKEN" = t0ps3cret', 'exit 5']
            envFromOutputs: {TOKEN: token, URL: helloUrl}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a pipeline that delivers `dev`."""
    shutil.copytree(export("todo"), tmp_path / f"amplify-export-{APP}")
    (tmp_path / "Pulumi.yaml").write_text(f"name: {APP}\nruntime: python\n")
    environment_in(tmp_path, "444444444444")
    (tmp_path / "Pulumi.pipeline.yaml").write_text(
        f"""config:
  {APP}:program: pipeline
  {APP}:account: "111111111111"
  {APP}:region: us-east-1
  {APP}:source:
    connection: arn:aws:codeconnections:us-east-1:111111111111:connection/5e6f7a8b
    repository: example/myapp
  {APP}:stages:
    - name: Dev
      bake: {{time: 1m, alarm: errors}}
      post:{STEPS}"""
    )
    return tmp_path


def environment_in(folder: Path, account: str) -> None:
    values = {"account": f'"{account}"', "region": "eu-central-1", "suffix": '"a1b2c"'}
    lines = "".join(f"  {APP}:{name}: {value}\n" for name, value in values.items())
    (folder / "Pulumi.dev.yaml").write_text(f"config:\n{lines}")


def step(folder: Path, *arguments: str, account: LocalAccount | None = None) -> Ran:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    variables = {**clean, "PYTHONPATH": str(ROOT), **(account.environment if account else {})}
    return delivery("step", "dev", *arguments, cwd=folder, env=variables)


def test_a_step_without_outputs_needs_no_aws(folder: Path) -> None:
    ran = step(folder, "plain")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("hello\nno output needed\nstep plain of dev: done in ")


def test_for_machines_the_steps_output_goes_to_stderr(folder: Path) -> None:
    ran = step(folder, "plain", "--json")
    assert ran.document.keys() == {"environment", "step", "seconds"}
    assert ran.err == "hello\nno output needed\n"


def test_a_failing_step_with_a_secret(folder: Path) -> None:
    outputs = {"token": Output("t0ps3cret", secret=True), "helloUrl": Output("https://h.example", secret=False)}
    (folder / "outputs.json").write_text(to_json(outputs))
    ran = step(folder, "secret", "--outputs", "outputs.json")
    assert ran.code == 4
    assert ran.out == "token=*** url=https://h.example\n"
    assert "error: step secret of dev: failed: exit code 5\n  token=*** url=https://h.example\n" in ran.err
    assert "t0ps3cret" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing",), "dev has no step 'nothing'"),
        (("secret", "--outputs", "nowhere.json"), "cannot be read"),
        (("plain", "--minutes", "3"), "belong to the step `bake`"),
        (("bake", "--outputs", "nowhere.json"), "--outputs does not belong"),
    ],
)
def test_what_is_refused(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    ran = step(folder, *arguments, "--json")
    assert ran.code == 3
    assert message in ran.document["error"]["message"]


@pytest.mark.parametrize(
    ("code", "timed_out", "message"),
    [(0, False, None), (3, False, "exit code 3"), (-9, False, "ended by signal 9"), (0, True, "timeout of 5 minutes")],
)
def test_how_a_step_fails(code: int, timed_out: bool, message: str | None) -> None:
    ended = Ended(code, timed_out, ("almost", "there"), 1.5)
    error = failure(Step(name="slow", commands=("x",), timeout=5), ended, "here")
    if message is None:
        assert error is None
    else:
        assert error is not None
        assert message in error.message
        assert error.message.endswith("\n  almost\n  there")


@pytest.mark.parametrize("minutes", ["0", "421", "soon"])
def test_minutes_out_of_range_are_wrong_usage(folder: Path, minutes: str) -> None:
    assert step(folder, "bake", "--minutes", minutes).code == 2


def test_outputs_come_from_the_account(folder: Path, developer: LocalAccount) -> None:
    """Of an environment that is not deployed, of its root stack, and of what a deployment has left."""
    environment_in(folder, developer.account)
    for name in ("api", "web"):
        ran = step(folder, name, account=developer)
        assert ran.code == 3
        assert "it was not deployed yet" in ran.err

    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {OUTPUT: {"Value": "from-the-stack"}},
    }
    developer.create(template, f"amplify-{APP}-dev-a1b2c")
    ran = step(folder, "api", account=developer)
    assert ran.out.startswith("API from-the-stack\n"), ran.err
    (folder / "web" / "src").mkdir(parents=True)
    (folder / "web" / "src" / "aws-exports.js").write_text("what the checkout has")
    ran = step(folder, "web", account=developer)
    assert '"aws_project_region": "eu-central-1"' in ran.out, ran.err
    assert ran.out.startswith("note: not deployed, so left out: api/mytodoapp\n")
    assert "what the checkout has" not in ran.out

    bucket = f"{APP}-dev-state-{developer.account}-eu-central-1-an"
    s3 = developer.client("s3")
    s3.create_bucket(
        Bucket=bucket,
        BucketNamespace="account-regional",
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
    )
    document = to_json({"outputs": Output({"apimytodoapp": {"GraphQLAPIIdOutput": "from-the-file"}}, secret=False)})
    s3.put_object(Bucket=bucket, Key=outputs_key("dev"), Body=document)
    ran = step(folder, "api", account=developer)
    assert ran.out.startswith("API from-the-file\n"), ran.err


def test_an_alarm_that_rings_fails_the_bake_time(folder: Path, developer: LocalAccount) -> None:
    environment_in(folder, developer.account)
    ran = step(folder, "bake", "--json", account=developer)
    assert ran.document["error"]["message"] == "there is no such alarm"

    cloudwatch = developer.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="errors", Namespace="app", MetricName="errors", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    reason = "Threshold crossed"
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason=reason)
    for arguments in (("bake",), ("bake", "--minutes", "400", "--alarm", "errors")):
        ran = step(folder, *arguments, "--json", account=developer)
        assert ran.code == 4
        error = json.loads(ran.out)["error"]
        assert (error["message"], error["where"]) == (f"the alarm went off: {reason}", "dev, alarm errors")
