"""A pipeline of GitLab's, run here: which jobs a push starts, and what they are given."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.ci_service import Issuer, Job, NotPlayedError, Push, Ran, Runner, gitlab
from aws_rehearsal_tests.ci_service.test_github import pushed, shell

__all__ = ["pushed"]

INCLUDED = """
.all:
  before_script:
    - before() { echo "$1 of $CI_COMMIT_BRANCH"; }
  variables: {WHO: {value: everybody, description: whom}}
.signed:
  extends: .all
  id_tokens:
    TOKEN: {aud: $CI_SERVER_URL}
merge-request:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  script: [exit 1]
build:
  extends: .all
  rules:
    - if: $CI_COMMIT_BRANCH == "main" && $CI_PIPELINE_SOURCE != "schedule"
  script:
    - test -z "${TOKEN:-}"
    - before "$WHO" > made.txt
  artifacts: {paths: [made.txt]}
deploy:
  extends: .signed
  rules:
    - if: ($CI_COMMIT_BRANCH == "next" || $CI_COMMIT_BRANCH == "main") && $NOBODY == null
      when: manual
      allow_failure: false
  needs: [build]
  environment: {name: prod, deployment_tier: production}
  script:
    - test "$(cat made.txt)" = "everybody of main"
    - echo "$TOKEN"
"""


def written(folder: Path, text: str = INCLUDED) -> gitlab.Pipeline:
    (folder / ".gitlab").mkdir(parents=True)
    (folder / ".gitlab" / "backend.yml").write_text(text)
    (folder / gitlab.ROOT).write_text("stages: [a]\ninclude:\n  - local: .gitlab/backend.yml\n")
    return gitlab.read(folder)


PUSH = Push(Path("host"), "c0ffee", "main", "octo/web/shop")


def test_a_push_starts_those_whose_rule_holds(tmp_path: Path) -> None:
    found = written(tmp_path).jobs(PUSH)
    assert [(job.name, job.needs, job.environment, job.tier, job.signs) for job in found] == [
        ("build", (), "", "", False),
        ("deploy", ("build",), "prod", "production", True),
    ]
    assert found[1].document["variables"] == {"WHO": {"value": "everybody", "description": "whom"}}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{script: [a], parallel: 2}", "`parallel`"),
        ("{script: [a], rules: [{exists: [a]}]}", "the rule 'exists'"),
        ("{script: [a], rules: [{if: $A =~ /x/}]}", r"the rule '\$A =~ /x/'"),
        ("{script: [a], extends: .nowhere}", "extends .nowhere"),
    ],
)
def test_what_is_not_played_is_refused_before_anything_runs(tmp_path: Path, document: str, said: str) -> None:
    with pytest.raises(NotPlayedError, match=f"does not play {said}"):
        written(tmp_path, f"one: {document[:-1]}, id_tokens: {{TOKEN: {{aud: a}}}}}}\n").jobs(PUSH)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("before_script: [a]", "`before_script` for all jobs"),
        ("workflow: {rules: []}", "`workflow` for all jobs"),
        ("default: {before_script: [a]}", "`default: before_script`"),
    ],
)
def test_what_would_change_every_job_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(NotPlayedError, match=f"does not play {said}"):
        written(tmp_path, f"{text}\n{INCLUDED}")


def test_jobs_without_a_token_are_the_projects_own_affair(tmp_path: Path) -> None:
    own = "web: {image: node, parallel: 2, script: [npm test]}\nvariables: {WHO: all, WHERE: here}\n"
    build, deploy = written(tmp_path, f"{own}{INCLUDED}").jobs(PUSH)
    assert (build.name, deploy.name) == ("build", "deploy")
    assert build.document["variables"] == {"WHO": {"value": "everybody", "description": "whom"}, "WHERE": "here"}


def test_a_project_without_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotPlayedError, match=r"\.gitlab-ci\.yml: is not there"):
        gitlab.read(tmp_path)


@pytest.mark.processes
def test_jobs_hand_on_artifacts_and_get_tokens(pushed: Push, tmp_path: Path) -> None:
    told: list[Ran] = []

    def says(job: Job) -> Mapping[str, object]:
        return gitlab.claims(pushed, "gitlab.com", "4711", f"{job.name} {job.tier}".strip())

    runner = Runner(tmp_path / "run", {"PATH": os.environ["PATH"]}, shell, Issuer(), says, told.append)
    run = gitlab.Run(pushed, runner, "gitlab.com", "4711")
    for job in written(tmp_path / "files").jobs(pushed):
        run.play(job)
    assert [(ran.job, ran.step, ran.code) for ran in told] == [("build", "script", 0), ("deploy", "script", 0)]
    part = told[-1].output.split(".")[1]
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert (said["iss"], said["aud"]) == ("https://gitlab.com", "https://gitlab.com")
    assert (said["sub"], said["project_id"]) == ("deploy production", "4711")
