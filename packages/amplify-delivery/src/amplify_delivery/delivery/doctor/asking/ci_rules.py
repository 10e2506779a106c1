"""What a CI asks before it lets a job deploy to an environment: GitHub's protection rules, GitLab's protected ones.

"Get an environment" and "List environments" of GitHub's REST API (a public repository's without a token; else a classic
token with `repo`, or a fine-grained one with "Actions: read"), "Get a single protected environment" and "Get a single
project" of GitLab's (a maintainer's token).

GitHub says 403 to a token that lacks a permission, and 404 of whatever a token may not see ("Troubleshooting the REST
API"). So a 404 of an environment says that there is none only if the same token may list them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from amplify_delivery.delivery import ci_api
from amplify_delivery.delivery.doctor.asking.clients import NotKnownError
from amplify_delivery.delivery.doctor.judging.approvals import GitHubRules, GitLabRules
from amplify_delivery.stacks.config.ci import GitHub, GitLab

_GITHUB_TOKENS, _GITLAB_TOKENS = ("GH_TOKEN", "GITHUB_TOKEN"), ("GITLAB_TOKEN",)
_GITHUB_TOKEN = "give a token that may read its environments (`Actions: read`, or a classic one's `repo`) in GH_TOKEN"  # noqa: S105 - a sentence
_GITLAB_TOKEN = "give a maintainer's token with scope `read_api` in GITLAB_TOKEN"  # noqa: S105 - a sentence


def github(ours: GitHub, environment: str, variables: Mapping[str, str]) -> GitHubRules:
    """GitHub's rules for an environment. Raises `NotKnownError` if it does not tell."""
    token = next((variables[name] for name in _GITHUB_TOKENS if variables.get(name)), "")
    api = variables.get("GITHUB_API_URL") or "https://api.github.com"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{api}/repos/{ours.repository}/environments"
    found = _ask(f"{url}/{environment}", headers, _GITHUB_TOKEN)
    if found is None:
        if _ask(f"{url}?per_page=1", headers, _GITHUB_TOKEN) is None:
            raise NotKnownError(f"{url} answers 404: it is not there, or may not be seen", remedy=_GITHUB_TOKEN)
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
        raise NotKnownError(f"{ours.host} is not asked: there is no token", remedy=_GITLAB_TOKEN)
    project = ours.project_id or quote(ours.project, safe="")
    url = f"https://{ours.host}/api/v4/projects/{project}"
    if variables.get("CI_SERVER_HOST") == ours.host and variables.get("CI_API_V4_URL"):
        url = f"{variables['CI_API_V4_URL']}/projects/{project}"
    headers = {"PRIVATE-TOKEN": token}
    of_project = _ask(url, headers, _GITLAB_TOKEN)
    if of_project is None:
        raise NotKnownError(f"{url} answers 404: it is not there, or may not be seen", remedy=_GITLAB_TOKEN)
    # Who may not read them is answered 403.
    protected = _ask(f"{url}/protected_environments/{environment}", headers, _GITLAB_TOKEN)
    forks = of_project.get("ci_allow_fork_pipelines_to_run_in_parent_project")
    return GitLabRules(
        protected=protected is not None,
        signed=tuple(of_project.get("ci_id_token_sub_claim_components") or ()),
        variables=str(of_project.get("ci_pipeline_variables_minimum_override_role") or ""),
        forks=forks if isinstance(forks, bool) else None,
    )


def _ask(url: str, headers: Mapping[str, str], remedy: str) -> Mapping[str, Any] | None:
    """The answer; None for a 404, whatever it means. Raises `NotKnownError` for any other refusal."""
    try:
        answer = ci_api.get(url, headers)
    except ci_api.NoAnswerError as error:
        raise NotKnownError(error.message, remedy=error.remedy) from None
    if answer.status == ci_api.NOT_FOUND:
        return None
    if answer.status != ci_api.OK:
        raise NotKnownError(f"{url} answers {answer.said}", remedy=remedy)
    return answer.document
