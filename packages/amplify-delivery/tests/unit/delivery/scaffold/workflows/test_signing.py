"""What a project of GitLab has to be told before its accounts let its jobs in."""

from __future__ import annotations

from amplify_delivery.delivery.scaffold import ci
from unit.places import REPOSITORY

DOCS = REPOSITORY / "docs"


def test_a_forks_merge_request_runs_in_no_pipeline_of_the_project() -> None:
    """Its YAML is the fork's, and GitLab does not say clearly whose number its token has."""
    setting = "ci_allow_fork_pipelines_to_run_in_parent_project=false"
    assert f"--data {setting} https://" in ci.signing("gitlab.com", "4711")
    assert setting in (DOCS / "previews.md").read_text(encoding="utf-8")


def test_the_documented_command_is_the_one_that_is_printed() -> None:
    assert ci.signing("gitlab.com", "4711") in (DOCS / "ci.md").read_text(encoding="utf-8")
