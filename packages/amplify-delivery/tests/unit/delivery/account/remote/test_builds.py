"""How a build of an account's project has ended: whether anything may have been changed, and what to do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.delivery.account.remote import builds
from amplify_delivery.errors import DeployError
from amplify_delivery.publishing.aws_errors import told_as


def ended(project: str, phase: str, said: str) -> DeployError:
    failed = {"phaseType": phase, "phaseStatus": "CLIENT_ERROR", "contexts": [{"message": said}]}
    build = {
        "id": "app-prod-deploy:1",
        "projectName": "app-prod-deploy",
        "buildComplete": True,
        "buildStatus": "FAILED",
        "currentPhase": "COMPLETED",
        "phases": [{"phaseType": "QUEUED", "phaseStatus": "SUCCEEDED"}, failed],
    }
    client = SimpleNamespace(batch_get_builds=lambda **_: {"builds": [build]})
    account: Any = SimpleNamespace(
        client=lambda _: client, changing=lambda what, more: told_as(DeployError, what, "account", more)
    )
    with pytest.raises(DeployError) as caught:
        builds.follow(account, builds.Wanted(project, "ab" * 32), "app-prod-deploy:1", lambda _: None)
    return caught.value


@pytest.mark.parametrize(
    ("project", "phase", "said", "code"),
    [
        ("deploy", "BUILD", "Error while executing command: exit status 1", 4),
        ("deploy", "BUILD", "Error while executing command: exit status 3", 3),
        ("plan", "BUILD", "Error while executing command: exit status 1", 3),
        ("deploy", "DOWNLOAD_SOURCE", "NoSuchKey: The specified key does not exist.", 3),
        ("check", "PROVISIONING", "", 3),
    ],
)
def test_whether_anything_may_have_been_changed(project: str, phase: str, said: str, code: int) -> None:
    assert ended(project, phase, said).exit_code == code


def test_an_artifact_that_has_expired_is_told() -> None:
    error = ended("deploy", "DOWNLOAD_SOURCE", "NoSuchKey: The specified key does not exist.")
    assert "did not begin: NoSuchKey" in error.message
    assert "goes 90 days after it was put" in error.remedy
    assert "run the job that plans again" in error.remedy
    assert "`amplify-delivery start ENV publish --artifact FILE`" in error.remedy, "by hand, in an account without it"
