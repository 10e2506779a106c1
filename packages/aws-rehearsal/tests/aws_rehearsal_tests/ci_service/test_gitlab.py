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
    (folder / gitlab.ROOT).write_text("stages: [test]\ninclude:\n  - local: .gitlab/backend.yml\n")
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
        ("{script: [a], when: on_failure}", "`when: on_failure`"),
        ("{script: [a], rules: [{if: $CI_COMMIT_REF_PROTECTED}]}", r"the variable \$CI_COMMIT_REF_PROTECTED"),
        ("{script: [a], dependencies: []}", "`dependencies`"),
        ("{script: [a], artifacts: {reports: {dotenv: a}}}", "`dotenv` reports"),
        ("{script: [a], needs: [{pipeline: a}]}", "`pipeline` of `needs`"),
        ("{script: [a], environment: {name: a, action: stop}}", "an environment that is not started"),
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


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{script: [a], extends: .nowhere}", "extends .nowhere"),
        ("{script: [a], extends: one}", "goes on for ever"),
        ("{script: [a], stage: nowhere}", "the stage nowhere"),
        ("{script: [a], variables: {A: true}}", "the variable A, which is no text"),
        ("{before_script: [a]}", "a job without `script`"),
    ],
)
def test_what_gitlab_takes_for_no_pipeline_is_none_here(tmp_path: Path, document: str, said: str) -> None:
    with pytest.raises(NotPlayedError, match=f"GitLab takes no pipeline with .*{said}"):
        written(tmp_path, f"one: {document[:-1]}, id_tokens: {{TOKEN: {{aud: a}}}}}}\n").jobs(PUSH)


@pytest.mark.parametrize("rule", ["$A &&", "($A", "", '"a" ==', "$A) || $A"])
def test_a_rule_that_is_no_expression_is_refused(tmp_path: Path, rule: str) -> None:
    text = f"one: {{script: [a], rules: [{{if: {json.dumps(rule)}}}], id_tokens: {{TOKEN: {{aud: a}}}}}}\n"
    with pytest.raises(NotPlayedError, match="does not play the rule"):
        written(tmp_path, text).jobs(PUSH)


@pytest.mark.parametrize("text", ["one: [", "one: !reference [a, b]", "- a"])
def test_a_file_that_cannot_be_read_is_told_by_its_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(NotPlayedError, match=r"^\.gitlab/backend\.yml(:\d)?: "):
        written(tmp_path, text)


def test_files_are_merged_and_includes_followed(tmp_path: Path) -> None:
    """A job that the project's own file adds to stays the job that it is."""
    written(tmp_path)
    inner = tmp_path / ".gitlab" / "inner.yml"
    inner.write_text("later: {extends: .signed, needs: [], script: a}\n")
    (tmp_path / ".gitlab" / "backend.yml").write_text(f"include: /.gitlab/inner.yml\n{INCLUDED}")
    (tmp_path / gitlab.ROOT).write_text("stages: [test]\ninclude: .gitlab/backend.yml\ndeploy: {tags: [big]}\n")
    found = {job.name: job.signs for job in gitlab.read(tmp_path).jobs(PUSH)}
    assert found == {"later": True, "build": False, "deploy": True}


@pytest.mark.parametrize(
    ("rule", "started"),
    [
        ("{changes: [app/**/*]}", True),
        ("{changes: {paths: ['*.md', 'app/{a,b}.txt']}}", True),
        ("{changes: ['*.txt']}", False),
        ("{if: $CI_COMMIT_BRANCH, changes: [web/*]}", False),
        ("{if: $OURS == 'yes'}", True),
        ("{if: $CI_PROJECT_ID == '4711'}", True),
        ("{if: $CI_COMMIT_TAG}", False),
        ("{if: $CI && $GITLAB_CI == 'true'}", True),
        ("{when: never}", False),
    ],
)
def test_a_rule_asks_for_files_and_for_variables_of_the_project(tmp_path: Path, rule: str, started: bool) -> None:
    text = f"variables: {{OURS: 'yes'}}\none: {{script: [a], rules: [{rule}], id_tokens: {{TOKEN: {{aud: a}}}}}}\n"
    pipeline = written(tmp_path, text)
    push = Push(Path("host"), "c0ffee", "main", "octo/shop", ("app/a.txt",))
    assert bool(pipeline.jobs(push, "4711")) is started
    assert pipeline.left_out(push, "4711") == ([] if started else ["one"])


def test_a_job_without_needs_waits_for_earlier_stages(tmp_path: Path) -> None:
    """And gets their artifacts: of what has none the order is the project's own affair."""
    text = """
last: {stage: deploy, script: [a], id_tokens: {TOKEN: {aud: a}}}
first: {stage: build, script: [a], artifacts: {paths: [a]}}
lint: {stage: build, script: [a], only: [main]}
alone: {stage: deploy, needs: [{job: first, artifacts: false}], script: [a], id_tokens: {TOKEN: {aud: a}}}
optional: {stage: deploy, needs: [{job: tagged, optional: true}], script: [a], id_tokens: {TOKEN: {aud: a}}}
tagged: {stage: build, script: [a], rules: [{if: $CI_COMMIT_TAG}]}
"""
    (tmp_path / gitlab.ROOT).write_text(text)
    found = {job.name: job.needs for job in gitlab.read(tmp_path).jobs(PUSH)}
    assert found == {"first": (), "last": ("first",), "alone": ("first",), "optional": ()}


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
