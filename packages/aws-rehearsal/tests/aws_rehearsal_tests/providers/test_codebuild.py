"""`codebuild.Project`: against the local AWS's records, and what AWS answers that the local AWS does not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_rehearsal.providers.classic import propagation
from aws_rehearsal_tests.live_calls import Life, live
from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.provider_calls import Aborted

PROJECT = "aws:codebuild/project:Project"
ARN = "arn:aws:codebuild:eu-central-1:111122223333:project/build"
ROLE = "arn:aws:iam::111122223333:role/build"
DECLARED: dict[str, Any] = {
    "name": "build",
    "description": "What declared.project gives",
    "serviceRole": ROLE,
    "artifacts": {"type": "CODEPIPELINE"},
    "source": {"type": "CODEPIPELINE", "buildspec": "version: 0.2\nphases: {}\n"},
    "environment": {
        "type": "LINUX_CONTAINER",
        "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
        "computeType": "BUILD_GENERAL1_SMALL",
        "privilegedMode": False,
        "environmentVariables": [{"name": "A", "value": "1", "type": "PLAINTEXT"}],
    },
    "buildTimeout": 30,
    "queuedTimeout": 60,
    "concurrentBuildLimit": 1,
    "logsConfig": {"cloudwatchLogs": {"status": "ENABLED", "groupName": "/build"}},
    "encryptionKey": "arn:aws:kms:eu-central-1:111122223333:key/1",
    "tags": {"team": "app"},
}


class FakeCodeBuild:
    """One project, as AWS keeps it: with the artifact's name and packaging filled in."""

    class exceptions:  # noqa: N801 - botocore's name
        ClientError = ClientError

    def __init__(self, *refusals: tuple[str, str]) -> None:
        self.refusals = list(refusals)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.project: dict[str, Any] = {}

    def _answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((operation, request))
        if self.refusals:
            code, message = self.refusals.pop(0)
            raise ClientError({"Error": {"Code": code, "Message": message}}, operation)
        self.project |= {"arn": ARN, **request}
        if self.project["artifacts"]["type"] == "CODEPIPELINE":
            self.project["artifacts"] = {"name": "build", "packaging": "NONE", **self.project["artifacts"]}
        return {"project": self.project}

    def create_project(self, **request: Any) -> dict[str, Any]:
        return self._answer("CreateProject", request)

    def update_project(self, **request: Any) -> dict[str, Any]:
        return self._answer("UpdateProject", request)

    def batch_get_projects(self, names: list[str]) -> dict[str, Any]:
        return {"projects": [self.project] if names == [ARN] else []}


def fake(*refusals: tuple[str, str]) -> tuple[Life, FakeCodeBuild]:
    client = FakeCodeBuild(*refusals)
    return live(PROJECT, codebuild=client), client


def test_life_of_a_project(developer: LocalAccount) -> None:
    life = live(PROJECT, developer)
    made = life.create(**DECLARED)
    assert life.resource_id == made["arn"]
    assert made["source"]["buildspec"] == DECLARED["source"]["buildspec"]
    found = life.refresh()
    assert found is not None
    assert (found["queuedTimeout"], found["concurrentBuildLimit"]) == (60, 1)
    assert found["logsConfig"]["cloudwatchLogs"]["groupName"] == "/build"
    assert life.differences(**DECLARED) == {}

    news = {**DECLARED, "buildTimeout": 40, "tags": {"team": "other"}}
    del news["concurrentBuildLimit"]
    assert life.differences(**news) == {
        "buildTimeout": False,
        "concurrentBuildLimit": False,
        "tags": False,
        "tagsAll": False,
    }
    life.update(**news)
    found = life.refresh()
    assert found is not None
    assert found["buildTimeout"] == 40
    assert found["tags"] == {"team": "other"}
    assert "concurrentBuildLimit" not in found
    assert found["queuedTimeout"] == 60
    assert life.differences(**news) == {}

    resource_id, inputs = life.imported("build")
    assert resource_id == "build"
    assert inputs["environment"]["environmentVariables"] == DECLARED["environment"]["environmentVariables"]
    life.delete()
    assert life.refresh() is None
    life.delete()


def test_another_name_is_another_project_and_the_same_name_waits_for_the_old_one() -> None:
    life, _ = fake()
    life.create(**DECLARED)
    assert life.differences(**{**DECLARED, "name": "other"}) == {"name": True}
    assert not life.calls.diff(life.state, life.check({**DECLARED, "name": "other"})).deleteBeforeReplace
    elsewhere = life.calls.diff(life.state, life.check({**DECLARED, "region": "us-east-1"}))
    assert list(elsewhere.replaces) == ["region"]
    assert elsewhere.deleteBeforeReplace


def test_a_buildspec_is_compared_as_text() -> None:
    life, _ = fake()
    life.create(**DECLARED)
    source = {**DECLARED["source"], "buildspec": "version:  0.2\nphases: {}\n"}
    assert life.differences(**{**DECLARED, "source": source}) == {"source": False}


def test_what_aws_fills_in_is_no_difference() -> None:
    life, _ = fake()
    life.create(**DECLARED)
    assert life.refresh()
    assert life.seen["artifacts"]["packaging"] == "NONE"
    assert life.seen["logsConfig"]["s3Logs"]["status"] == "DISABLED"
    assert life.differences(**DECLARED) == {}
    bare = {key: value for key, value in DECLARED.items() if key not in ("logsConfig", "encryptionKey", "description")}
    assert life.differences(**bare) == {}
    assert life.differences(**{**DECLARED, "logsConfig": {"cloudwatchLogs": {"status": "DISABLED"}}}) == {
        "logsConfig": False
    }
    assert life.differences(**{**DECLARED, "artifacts": {"type": "NO_ARTIFACTS"}}) == {"artifacts": False}


def test_timeouts_of_lambda_environments_do_not_matter() -> None:
    life, _ = fake()
    environment = {**DECLARED["environment"], "type": "LINUX_LAMBDA_CONTAINER", "computeType": "BUILD_LAMBDA_1GB"}
    life.create(**{**DECLARED, "environment": environment})
    assert life.differences(**{**DECLARED, "environment": environment, "buildTimeout": 50}) == {}


def test_an_update_sends_what_changed_and_all_tags() -> None:
    life, client = fake()
    life.create(**DECLARED)
    news = {key: value for key, value in DECLARED.items() if key != "concurrentBuildLimit"}
    life.update(**{**news, "queuedTimeout": 70})
    assert client.asked[-1] == (
        "UpdateProject",
        {
            "name": "build",
            "queuedTimeoutInMinutes": 70,
            "concurrentBuildLimit": -1,
            "tags": [{"key": "team", "value": "app"}],
        },
    )


def test_what_is_sent_is_what_its_kind_of_source_takes() -> None:
    life, client = fake()
    source = {"type": "NO_SOURCE", "buildspec": "version: 0.2", "reportBuildStatus": True}
    life.create(**{**DECLARED, "source": source, "artifacts": {"type": "NO_ARTIFACTS"}})
    request = client.asked[0][1]
    assert request["source"] == {
        "type": "NO_SOURCE",
        "buildspec": "version: 0.2",
        "gitCloneDepth": 0,
        "insecureSsl": False,
    }
    assert request["artifacts"] == {"type": "NO_ARTIFACTS", "overrideArtifactName": False}
    assert request["logsConfig"]["s3Logs"] == {"status": "DISABLED"}


def test_a_role_that_is_not_known_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(propagation, "POLL_SECONDS", 0)
    early = ("InvalidInputException", "CodeBuild is not authorized to perform: sts:AssumeRole on " + ROLE)
    life, client = fake(early, early)
    life.create(**DECLARED)
    assert len(client.asked) == 3

    monkeypatch.setattr(propagation, "PROPAGATION_SECONDS", 0)
    life, client = fake(early, early)
    with pytest.raises(Aborted, match=r"creating CodeBuild Project \(build\):.*not authorized to perform"):
        life.create(**DECLARED)
    assert len(client.asked) == 1


def test_any_other_refusal_is_told_at_once() -> None:
    life, client = fake(("InvalidInputException", "Invalid environment"))
    with pytest.raises(Aborted, match="Invalid environment"):
        life.create(**DECLARED)
    assert len(client.asked) == 1


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("name", "-build", "first character"),
        ("name", "bu ild", "only alphanumeric characters, hyphens and underscores"),
        ("buildTimeout", 4, r"range \(5 - 2160\)"),
        ("queuedTimeout", 481, r"range \(5 - 480\)"),
        ("concurrentBuildLimit", -1, r"at least \(1\)"),
        ("description", "x" * 256, r"range \(0 - 255\)"),
        ("serviceRole", "build", "invalid ARN"),
        ("cache", {"type": "S3"}, 'cache location is required when cache type is "S3"'),
        ("artifacts", {"type": "ZIP"}, "expected type to be one of"),
        ("environment", {"type": "LINUX_CONTAINER", "image": "i"}, '"compute_type" is required'),
    ],
)
def test_mistakes_are_told_before_anything_is_made(key: str, value: Any, reason: str) -> None:
    life, _ = fake()
    _, failures = life.calls.check({**DECLARED, key: value})
    assert [bool(re.search(reason, failure)) for failure in failures] == [True], failures


def test_a_project_without_a_source_needs_a_buildspec() -> None:
    life, client = fake()
    with pytest.raises(Aborted, match="`buildspec` must be set when source's `type` is `NO_SOURCE`"):
        life.create(**{**DECLARED, "source": {"type": "NO_SOURCE"}})
    assert client.asked == []
