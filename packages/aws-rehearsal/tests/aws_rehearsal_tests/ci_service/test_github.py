"""A workflow of GitHub's, run here: what its jobs are given, hand on and are let in as."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.ci_service import Issuer, Job, JobFailedError, NotPlayedError, Push, Ran, Runner, github
from aws_rehearsal.ci_service.jobs import in_order

PATH = ".github/workflows/deploy.yml"
TEXT = """
on:
  push:
    branches: [main]
env:
  WHO: everybody
defaults:
  run:
    working-directory: app
jobs:
  deploy:
    runs-on: ubuntu-24.04
    needs: [build]
    environment: prod
    permissions: {contents: read, id-token: write}
    env:
      MADE: ${{ needs.build.outputs.made }}
    steps:
      - uses: actions/checkout@v5
      - uses: actions/download-artifact@v6
        with: {name: made, path: "${{ runner.temp }}"}
      - name: Take
        run: |
          test "$(cat "$RUNNER_TEMP/made.txt")" = "$MADE"
          echo "$WHO took $MADE of $GITHUB_REF_NAME" >> "$GITHUB_STEP_SUMMARY"
          test -n "$ACTIONS_ID_TOKEN_REQUEST_TOKEN"
  build:
    runs-on: ubuntu-24.04
    permissions: {contents: read}
    outputs:
      made: ${{ steps.make.outputs.MADE }}
    steps:
      - uses: actions/checkout@v5
      - name: Tools
        run: |
          mkdir "$RUNNER_TEMP/tools"
          printf '#!/bin/sh\\necho a "$1"\\n' > "$RUNNER_TEMP/tools/made"
          chmod +x "$RUNNER_TEMP/tools/made"
          echo "$RUNNER_TEMP/tools" >> "$GITHUB_PATH"
          echo KIND=thing >> "$GITHUB_ENV"
      - id: make
        run: |
          test -z "${ACTIONS_ID_TOKEN_REQUEST_TOKEN:-}"
          made "$KIND" > "$RUNNER_TEMP/made.txt"
          echo "MADE=$(cat "$RUNNER_TEMP/made.txt")" >> "$GITHUB_OUTPUT"
          test -f here.txt
      - uses: actions/upload-artifact@v5
        with: {name: made, path: "${{ runner.temp }}/made.txt"}
"""


def workflow(text: str = TEXT) -> github.Workflow:
    return github.read(PATH, text)


def test_jobs_come_behind_those_that_they_need() -> None:
    found = workflow().jobs
    assert [(job.name, job.needs, job.environment, job.signs) for job in found] == [
        ("build", (), "", False),
        ("deploy", ("build",), "prod", True),
    ]
    with pytest.raises(NotPlayedError, match="a, b wait for jobs that do not run"):
        in_order([Job(name, (other,), "", False, {}) for name, other in (("a", "b"), ("b", "a"))])


@pytest.mark.parametrize(
    ("on", "started"),
    [
        ("{push: {branches: [main]}}", True),
        ("{push: {branches: [next]}}", False),
        ("push", True),
        ("[push, pull_request]", True),
        ("{push: null, pull_request: null}", True),
        ("pull_request", False),
        ("{pull_request: null}", False),
        ("{push: {branches: mainly}}", False),
        ("{push: {branches: }}", True),
        ("{push: {branches: ['ma*', '!main']}}", False),
        ("{push: {branches: ['**', '!next']}}", True),
        ("{push: {branches-ignore: [main]}}", False),
        ("{push: {tags: [v1]}}", False),
        ("{push: {paths: [app/**]}}", True),
        ("{push: {paths: ['**/*.txt', '!app/**']}}", False),
        ("{push: {paths-ignore: ['**/*.md']}}", True),
        ("{push: {paths-ignore: ['app/*.txt']}}", False),
    ],
)
def test_which_push_starts_it(on: str, started: bool) -> None:
    assert workflow(f"on: {on}\njobs: {{}}\n").started_by_push("main", ("app/here.txt",)) is started
    assert "paths" in on or workflow(f"on: {on}\njobs: {{}}\n").started_by_push("main") is started


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ("{strategy: {matrix: {a: [1]}}}", "`strategy`"),
        ("{steps: [{run: 'echo ${{ hashFiles(1) }}'}]}", "the expression 'hashFiles"),
        ("{env: {A: '${{ matrix.a }}'}}", "the expression 'matrix.a'"),
        ("{container: x}", "`container`"),
        ("{if: always()}", "`if`"),
        ("{steps: [{run: a, if: always()}]}", "`if` of a step"),
        ("{steps: [{uses: aws-actions/configure-aws-credentials@v4}]}", "the action aws-actions/"),
        ("{steps: [{uses: actions/checkout@v5, with: {ref: next}}]}", "`ref` of actions/checkout"),
        ("{steps: [{uses: actions/upload-artifact@v5, with: {path: '*.zip'}}]}", "several paths, or a pattern"),
        ("{steps: [{uses: actions/download-artifact@v6}]}", "the download of every artifact"),
        ("{defaults: {run: {shell: pwsh}}, steps: [{run: a}]}", "the shell pwsh"),
        ("{environment: '${{ github.ref_name }}', steps: [{run: a}]}", "an expression in `environment`"),
        ("{steps: [{run: 'echo ${{ secrets.GITHUB_TOKEN }}'}]}", "the expression 'secrets.GITHUB_TOKEN'"),
        ('{steps: [{run: "echo ${{\\n matrix.a }}"}]}', "the expression 'matrix.a'"),
        ("{steps: [{run: 'a ${{ needs.b.outputs.c }}'}]}", "the expression 'needs.b.outputs.c', of a job that"),
        ("{snapshot: a}", "`snapshot`"),
    ],
)
def test_what_is_not_played_is_refused_before_anything_runs(job: str, said: str) -> None:
    with pytest.raises(NotPlayedError, match="does not play " + said.replace("(", r"\(")) as caught:
        _ = workflow(one(job)).jobs
    assert caught.value.where == f"{PATH}, job one"


def one(job: str) -> str:
    """A workflow with one job, which has a runner."""
    return f"on: push\njobs: {{one: {{runs-on: ubuntu-24.04, {job[1:]}}}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (one("{env: {A: '${{ runner.temp }}'}, steps: [{run: a}]}"), r"GitHub takes .* 'runner\.temp'"),
        (one("{env: {A: '${{ env.B }}'}, steps: [{run: a}]}"), r"GitHub takes .* 'env\.B'"),
        (one("{steps: [{name: a}]}"), "GitHub takes .*without one of `run` and `uses`"),
        (one("{steps: [{run: 'a ${{ env.A'}]}"), "GitHub takes .*an expression without its end"),
        (one("{steps: [{run: ''}]}"), "GitHub takes .*without one of `run` and `uses`"),
        (one("{steps: []}"), "GitHub takes .*a job without `steps`"),
        (one("{env: text, steps: [{run: a}]}"), "`env` is no map"),
        (one("{steps: [text]}"), "a step is no map"),
        ("on: push\njobs: {one: {steps: [{run: a}]}}", "GitHub takes .*a job without `runs-on`"),
        ("on: push\njobs: {one: }", "GitHub takes"),
        ("on: {push: {branches: [a], branches-ignore: [b]}}\njobs: {}", "`branches` together with"),
        (one("{permissions: {id-token: write}, steps: [{uses: actions/checkout@v5}]}"), "add `contents: read`"),
    ],
)
def test_what_github_takes_for_no_workflow_is_none_here(text: str, said: str) -> None:
    found = workflow(text)
    with pytest.raises(NotPlayedError, match=said):
        assert found.started_by_push("main") and found.jobs


@pytest.mark.parametrize(
    "text", ["jobs: [", "a: &a {b: 1}\njobs: {one: {<<: *a}}", "jobs: {one: {env: {A: 1, A: 2}}}", "jobs: {a: !b c}"]
)
def test_a_workflow_that_github_cannot_read_is_told_by_its_line(text: str) -> None:
    with pytest.raises(NotPlayedError, match=rf"^{PATH}:\d: cannot be read: "):
        workflow(text)


def test_values_are_the_texts_that_github_makes_of_them() -> None:
    values = "{a: yes, b: true, c: 12:30, d: 007, e: 1.10, f: 0o14, g: 2024-01-01, h: '0x1', i: , j: on, k: 1_0}"
    assert workflow(f"on: push\nenv: {values}\njobs: {{}}").document["env"] == {
        "a": "yes", "b": "true", "c": "12:30", "d": "7", "e": "1.1", "f": "12", "g": "2024-01-01", "h": "0x1",
        "i": None, "j": "on", "k": "1_0",
    }  # fmt: skip


def test_a_token_says_where_its_job_comes_from() -> None:
    push = Push(Path("host"), "c0ffee", "main", "octo/shop")
    plain, approved = (github.claims(push, ("11", "22"), PATH, name) for name in ("", "prod"))
    assert plain["sub"] == "repo:octo/shop:ref:refs/heads/main"
    assert "environment" not in plain
    assert (approved["sub"], approved["environment"]) == ("repo:octo/shop:environment:prod", "prod")
    for said in (plain, approved):
        assert (said["repository_id"], said["ref"]) == ("22", "refs/heads/main")
        assert said["job_workflow_ref"] == f"octo/shop/{PATH}@refs/heads/main"


@pytest.fixture
def pushed(tmp_path: Path) -> Push:
    """A repository with one commit."""
    work = tmp_path / "made"
    (work / "app").mkdir(parents=True)
    (work / "app" / "here.txt").write_text("")
    me = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for command in (("init", "-q", "-b", "main"), ("add", "--all"), (*me, "commit", "-q", "-m", "one")):
        subprocess.run(["git", *command], cwd=work, check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=work, check=True, capture_output=True, text=True).stdout
    return Push(work, head.strip(), "main", "octo/shop")


def shell(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> tuple[int, str]:
    ran = subprocess.run(command, cwd=folder, env=dict(variables), capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as made:
        yield made


def run_of(text: str, push: Push, issuer: Issuer, folder: Path, told: list[Ran]) -> github.Run:
    def says(job: Job) -> Mapping[str, object]:
        return github.claims(push, ("11", "22"), PATH, job.environment)

    runner = Runner(folder, {"PATH": os.environ["PATH"]}, shell, issuer, says, told.append)
    return github.Run(workflow(text), push, runner)


@pytest.mark.processes
def test_jobs_hand_on_what_a_workflow_says(pushed: Push, issuer: Issuer, tmp_path: Path) -> None:
    told: list[Ran] = []
    run = run_of(TEXT, pushed, issuer, tmp_path / "run", told)
    for job in run.workflow.jobs:
        run.play(job)
    assert run.outputs == {"build": {"made": "a thing"}, "deploy": {}}
    assert run.summary == "everybody took a thing of main\n"
    assert [(ran.job, ran.step, ran.code) for ran in told] == [
        ("build", "Tools", 0),
        ("build", 'test -z "${ACTIONS_ID_TOKEN_REQUEST_TOKEN:-}"', 0),
        ("deploy", "Take", 0),
    ]


@pytest.mark.processes
def test_a_command_that_fails_ends_the_job(pushed: Push, issuer: Issuer, tmp_path: Path) -> None:
    text = "on: push\njobs: {one: {runs-on: a, steps: [{name: Wrong, run: 'echo no; false; echo on'}]}}\n"
    told: list[Ran] = []
    run = run_of(text, pushed, issuer, tmp_path / "run", told)
    with pytest.raises(JobFailedError, match="job one, step 'Wrong': exit code 1\nno"):
        run.play(run.workflow.jobs[0])
    assert (told[0].code, told[0].output) == (1, "no\n")
    with pytest.raises(NotPlayedError, match="does not play the expression"):
        _ = workflow(text.replace("echo no", "echo ${{ github.nothing }}")).jobs


@pytest.mark.processes
@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            "{uses: actions/upload-artifact@v5, with: {name: a, path: nowhere}}",
            "nowhere is not there, for the artifact a",
        ),
        ("{uses: actions/download-artifact@v6, with: {name: a}}", "there is no artifact a"),
    ],
)
def test_an_artifact_that_is_not_there_ends_the_job(
    pushed: Push, issuer: Issuer, tmp_path: Path, step: str, said: str
) -> None:
    text = f"on: push\njobs: {{one: {{runs-on: a, steps: [{{uses: actions/checkout@v5}}, {step}]}}}}\n"
    run = run_of(text, pushed, issuer, tmp_path / "run", [])
    with pytest.raises(JobFailedError, match=said):
        run.play(run.workflow.jobs[0])


HANDED_ON = """
on: push
defaults: {run: {shell: bash}}
env: {NONE: }
jobs:
  one:
    runs-on: ubuntu-24.04
    outputs: {lines: "${{ steps.two.outputs.LINES }}"}
    steps:
      - run: test -z "$(ls)$NONE${{ env.HOME }}${{ env.PATH }}"
      - run: |
          test "${{ env.OWN }}$OWN" = aa
          echo OWN=b >> "$GITHUB_ENV"
        env: {OWN: a}
      - run: test "${{ env.OWN }}$OWN" = bb
      - uses: actions/checkout@v5
      - id: two
        run: |
          printf 'LINES<<END\\na=1\\nb\\nEND\\n' >> "$GITHUB_OUTPUT"
          mkdir made
          printf '#!/bin/sh\\n' > made/tool
          chmod +x made/tool
          touch made/.hidden
      - uses: actions/upload-artifact@v5
        with: {name: made, path: made}
      - uses: actions/download-artifact@v6
        with: {name: made, path: got}
      - run: |
          test -f got/tool
          test ! -x got/tool
          test ! -e got/.hidden
      - name: Wrong
        run: WRONG
"""


@pytest.mark.processes
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("'false | cat'", "step 'Wrong': exit code 1"),  # a shell that is named stops there
        ("'echo no pair >> $GITHUB_ENV'", "Invalid format 'no pair'"),
        ("'echo A<<B >> $GITHUB_OUTPUT'", "no line 'B' ends the value of A"),
        ("a\n        working-directory: nowhere", "there is no folder nowhere to work in"),
    ],
)
def test_jobs_hand_on_what_githubs_runner_does(
    pushed: Push, issuer: Issuer, tmp_path: Path, wrong: str, said: str
) -> None:
    text = HANDED_ON.replace("WRONG", wrong).replace("A<<B", '"A<<B"')
    run = run_of(text, pushed, issuer, tmp_path / "run", [])
    with pytest.raises(JobFailedError, match=said):
        run.play(run.workflow.jobs[0])
    well = run_of(HANDED_ON.replace("WRONG", "true"), pushed, issuer, tmp_path / "well", [])
    well.play(well.workflow.jobs[0])
    assert well.outputs == {"one": {"lines": "a=1\nb"}}
    again = HANDED_ON.replace(
        "WRONG", "true\n      - uses: actions/upload-artifact@v5\n        with: {name: made, path: made}"
    )
    with pytest.raises(JobFailedError, match="there is an artifact made already"):
        (twice := run_of(again, pushed, issuer, tmp_path / "twice", [])).play(twice.workflow.jobs[0])


def asked(variables: Mapping[str, str], bearer: str = "") -> dict[str, Any]:
    """The token that a job gets, taken apart."""
    request = urllib.request.Request(f"{variables['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience=sts.amazonaws.com")
    request.add_header("Authorization", f"bearer {bearer or variables['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        part = json.load(answer)["value"].split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def test_whoever_has_the_jobs_variables_gets_its_token(issuer: Issuer) -> None:
    other = issuer.job("other", {"sub": "b"})
    variables = issuer.job("deploy-prod", {"sub": "a"})
    said = asked(variables)
    assert (said["iss"], said["aud"], said["sub"]) == (f"https://{github.GITHUB}", "sts.amazonaws.com", "a")
    assert said["exp"] - said["iat"] == 300
    assert issuer.asked == ["a"]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        asked(variables, "somebody")
    with pytest.raises(urllib.error.HTTPError, match="401"):  # that of another job, with other rights
        asked(variables, other["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
