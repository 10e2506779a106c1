"""Whether somebody is asked before a CI's job deploys: AWS lets in what the CI signs, so that is the CI's to ask."""

from __future__ import annotations

from dataclasses import dataclass

from amplify_delivery.components.documents.web_identity import GITLAB_COMPONENTS
from amplify_delivery.delivery.doctor.lines import Line, State

_NOBODY = "no_one_allowed"


@dataclass(frozen=True)
class GitHubRules:
    """GitHub's protection rules of an environment."""

    there: bool = True
    reviewers: int = 0
    """People and teams, of whom one has to approve."""
    own: bool = True
    """Whether who has started a deployment may approve it."""
    any_branch: bool = True
    """Whether jobs of every branch may name the environment."""


@dataclass(frozen=True)
class GitLabRules:
    """Whether an environment is protected on GitLab, and the components of the project's `sub`."""

    protected: bool
    signed: tuple[str, ...] = ()
    variables: str = ""
    """Who may give variables to a pipeline that is started by hand."""
    forks: bool | None = None
    """Whether the pipeline of a fork's merge request may run in the project; None if it is not told."""


def github(
    found: GitHubRules, repository: str, environment: str, *, production: bool, branch_compared: bool = True
) -> Line:
    """Line `approval`, of GitHub. Only in AWS's commercial partition the branch is compared (`branch_compared`)."""
    page = f"https://github.com/{repository}/settings/environments"
    worst: State = "error" if production else "warning"
    if not found.there:
        said = f"{repository} has no environment {environment}: GitHub makes it with the first job, without any rule"
        return Line("approval", worst, said, f"make it, with required reviewers: {page}")
    if not found.reviewers:
        said = f"nobody approves what is deployed to {environment}: it has no required reviewers"
        return Line("approval", worst, said, f"name them: {page}")
    if found.any_branch:
        said = f"jobs of every branch may ask for {environment}"
        remedy = f"name the branch under Deployment branches and tags: {page}"
        if not branch_compared:
            return Line("approval", worst, f"{said}, and AWS compares no branch here", remedy)
        return Line("approval", "warning", f"{said}; AWS lets in those of the one branch only", remedy)
    if found.own and production:
        said = f"who has started a deployment to {environment} may approve it"
        return Line("approval", "warning", said, f"set Prevent self-review: {page}")
    return Line("approval", "ok", f"{environment}: one of {found.reviewers} required reviewers approves")


def gitlab(found: GitLabRules, project: str, host: str, environment: str, *, whole_subjects: bool) -> Line:
    """Line `approval`, of GitLab. With `whole_subjects` the account's file names them, and the project may sign
    whatever makes them."""
    settings = f"https://{host}/{project}/-/settings/ci_cd"
    if not whole_subjects and found.signed != GITLAB_COMPONENTS:
        return Line(
            "approval",
            "error",
            f"{project} signs {', '.join(found.signed) or 'nothing that GitLab tells'}, and its accounts ask for "
            f"{', '.join(GITLAB_COMPONENTS)}: they let no job in",
            "as one of its maintainers, the line of docs/ci.md (ci_id_token_sub_claim_components)",
        )
    if not found.protected:
        return Line(
            "approval",
            "error",
            f"{environment} is not a protected environment of {project}: nobody approves, and no job of it is let in",
            f"protect it, with approvers: {settings} (whether a group of it protects the tier is not asked)",
        )
    if found.variables != _NOBODY:
        return Line(
            "approval",
            "warning",
            f"whoever may start a pipeline of {project} by hand ({found.variables or 'GitLab does not say who'}) may "
            "give it variables, which reach the job that was approved, with its token",
            f"let no one: {settings} (Minimum role to use pipeline variables), or the line of docs/ci.md",
        )
    if found.forks is not False:
        may = "may run" if found.forks else "may run, for all that GitLab says,"
        return Line(
            "approval",
            "warning",
            f"the pipeline of a fork's merge request {may} in {project}, with the fork's YAML and the project's tokens",
            "as one of its maintainers, the line of docs/ci.md (ci_allow_fork_pipelines_to_run_in_parent_project)",
        )
    return Line("approval", "ok", f"{environment} is protected, and the project signs it")
