"""What a CI asks before it lets a job deploy to an environment: GitHub's protection rules, GitLab's protected ones.

"Get an environment" of GitHub's REST API (anybody may read it who may read the repository), "Get a single protected
environment" and "Get a single project" of GitLab's (a maintainer's token).
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from amplify_delivery.delivery.doctor.asking.clients import NotKnownError
from amplify_delivery.delivery.doctor.judging.approvals import GitHubRules, GitLabRules
from amplify_delivery.stacks.config.ci import GitHub, GitLab

_SECONDS = 20
_GITHUB_TOKENS, _GITLAB_TOKENS = ("GH_TOKEN", "GITHUB_TOKEN"), ("GITLAB_TOKEN",)
_NOT_FOUND = 404


def github(ours: GitHub, environment: str, variables: Mapping[str, str]) -> GitHubRules:
    """GitHub's rules for an environment. Raises `NotKnownError` if it does not tell."""
    token = next((variables[name] for name in _GITHUB_TOKENS if variables.get(name)), "")
    api = variables.get("GITHUB_API_URL") or "https://api.github.com"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{api}/repos/{ours.repository}/environments/{environment}"
    who = "a token that may read the repository"
    found = _ask(url, headers, "GH_TOKEN", who, known=bool(token))
    if found is None:
        # GitHub says 404 of what a token may not see, too: only of a repository that it sees does that tell anything.
        _ask(f"{api}/repos/{ours.repository}", headers, "GH_TOKEN", who, known=False)
        return GitHubRules(there=False)
    rules: list[dict[str, Any]] = found.get("protection_rules") or []
    reviewing = [rule for rule in rules if rule.get("type") == "required_reviewers"]
    return GitHubRules(
        reviewers=sum(len(rule.get("reviewers") or ()) for rule in reviewing),
        own=not any(rule.get("prevent_self_review") for rule in reviewing),
        any_branch=not found.get("deployment_branch_policy"),
    )


def gitlab(ours: GitLab, environment: str, variables: Mapping[str, str]) -> GitLabRules:
    """GitLab's rules for an environment, and what the project signs. Raises `NotKnownError` if it does not tell."""
    token = next((variables[name] for name in _GITLAB_TOKENS if variables.get(name)), "")
    if not token:
        raise NotKnownError(
            f"{ours.host} is not asked: there is no token",
            remedy="give a maintainer's token with scope `read_api` in GITLAB_TOKEN",
        )
    project = ours.project_id or quote(ours.project, safe="")
    url = f"https://{ours.host}/api/v4/projects/{project}"
    if variables.get("CI_SERVER_HOST") == ours.host and variables.get("CI_API_V4_URL"):
        url = f"{variables['CI_API_V4_URL']}/projects/{project}"
    headers, who = {"PRIVATE-TOKEN": token}, "a maintainer's token with scope `read_api`"
    of_project = _ask(url, headers, "GITLAB_TOKEN", who, known=False) or {}
    protected = _ask(f"{url}/protected_environments/{environment}", headers, "GITLAB_TOKEN", who, known=True)
    return GitLabRules(
        protected=protected is not None,
        signed=tuple(of_project.get("ci_id_token_sub_claim_components") or ()),
        variables=str(of_project.get("ci_pipeline_variables_minimum_override_role") or ""),
    )


def _ask(url: str, headers: Mapping[str, str], variable: str, who: str, *, known: bool) -> dict[str, Any] | None:
    """The answer; None for what is not there, if a 404 says so (`known`), and not that it may not be seen."""
    asked = urllib.request.Request(url, headers={"Accept": "application/json", **headers})  # noqa: S310 - an address of ours
    try:
        with urllib.request.urlopen(asked, timeout=_SECONDS) as answer:  # noqa: S310 - as above
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        if error.code == _NOT_FOUND and known:
            return None
        raise NotKnownError(f"{url} answers {error.code}", remedy=f"give {who} in {variable}") from None
    except (OSError, ValueError) as error:
        raise NotKnownError(f"{url} does not answer: {error}", remedy="repeat the command") from None
