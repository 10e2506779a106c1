"""Which jobs of a CI an account lets in: the part of its stack's configuration."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from amplify_delivery.components.documents.fields import BadValueError, Model, pattern
from amplify_delivery.components.documents.web_identity import Tier, gitlab_subjects, tier_of

_WORD = r"[A-Za-z0-9_.-]+"


def _branch(value: Any) -> str:
    """A branch's name, as `git check-ref-format` has it; no pattern."""
    text = str(value)
    if not text or text.startswith(("refs/", "/", "-")) or set(text) & set("*?[\\^~: $") or ".." in text:
        raise BadValueError(f"{text!r} is not the name of one branch, such as main")
    return text


Branch = Annotated[str, BeforeValidator(_branch)]
Id = Annotated[str, pattern("[1-9][0-9]{0,18}", "number")]


class GitHub(Model):
    """Jobs of GitHub Actions. The account has to have GitHub's OIDC provider (docs/ci.md)."""

    repository: Annotated[str, pattern(f"[A-Za-z0-9-]+/{_WORD}", "repository of GitHub, OWNER/NAME")] = Field(
        description="the one repository, OWNER/NAME"
    )
    owner_id: Id = Field(description="number of the owner: names can be given up and taken by somebody else")
    repository_id: Id = Field(description="number of the repository; `gh api repos/OWNER/NAME` tells both")
    branch: Branch = Field(
        default="main",
        description="jobs on this branch publish and plan. Those in GitHub's environment of the same name as the "
        "environment deploy",
    )
    workflow: Annotated[str, pattern(rf"\.github/workflows/{_WORD}\.ya?ml", "workflow's file")] = Field(
        default=".github/workflows/backend-deploy.yml",
        description="the one workflow, as it is on that branch, whose jobs come in",
    )

    @property
    def ids(self) -> tuple[str, str]:
        """Of the owner and of the repository."""
        return (self.owner_id, self.repository_id)


_SUBJECT = pattern("project_(id|path):[^*?$]+", "subject of GitLab's tokens")


class GitLab(Model):
    """Jobs of GitLab CI. The account has to have the instance's OIDC provider (docs/ci.md)."""

    project: Annotated[str, pattern(f"{_WORD}(/{_WORD})+", "project of GitLab, GROUP/NAME")] = Field(
        description="the one project, with its groups"
    )
    project_id: Id | None = Field(
        default=None,
        description="number of the project, which begins its tokens' `sub`; needed unless both subjects are given",
    )
    branch: Branch = Field(
        default="main",
        description="a protected branch, whose jobs publish and plan. Those in a protected environment of this tier "
        "deploy",
    )
    tier: Tier | None = Field(
        default=None,
        description="`deployment_tier` of the environment whose jobs deploy. Default: the one that GitLab gives to an "
        "environment of that name",
    )
    host: Annotated[str, pattern(r"[a-z0-9-]+(\.[a-z0-9-]+)+", "host, such as gitlab.com")] = Field(
        default="gitlab.com", description="the instance"
    )
    plan_subject: Annotated[str, _SUBJECT] | None = Field(
        default=None,
        description="the whole `sub` of jobs that plan, where the project has other `ci_id_token_sub_claim_components` "
        "than docs/ci.md says",
    )
    deploy_subject: Annotated[str, _SUBJECT] | None = Field(
        default=None, description="that of jobs that deploy, which is another; with `planSubject` or not at all"
    )

    @model_validator(mode="after")
    def _two_subjects(self) -> GitLab:
        if (self.plan_subject is None) is not (self.deploy_subject is None):
            raise BadValueError("planSubject and deploySubject go together")
        if self.plan_subject is None and self.project_id is None:
            raise BadValueError(
                "projectId is missing: a path can be given up and taken by somebody else",
                "`glab api projects/GROUP%2FNAME` tells it, as `id`",
            )
        if self.plan_subject is not None and self.plan_subject == self.deploy_subject:
            raise BadValueError(
                "planSubject and deploySubject are the same, so whoever plans could deploy before anybody approves",
                "have the project sign `environment_protected` too (docs/ci.md)",
            )
        for subject in filter(None, (self.plan_subject, self.deploy_subject)):
            if not subject.startswith(self._own_beginnings):
                raise BadValueError(
                    f"{subject!r} is not of the project {self.project}",
                    f"it begins with {' or '.join(self._own_beginnings)}",
                )
        return self

    @property
    def _own_beginnings(self) -> tuple[str, ...]:
        by_id = (f"project_id:{self.project_id}:",) if self.project_id else ()
        return (f"project_path:{self.project}:", *by_id)

    def subjects(self, environment: str) -> tuple[str, str]:
        """Of jobs that plan an environment, and of those that deploy it."""
        if self.plan_subject and self.deploy_subject:
            return (self.plan_subject, self.deploy_subject)
        return gitlab_subjects(self.project_id or "", self.branch, self.tier or tier_of(environment))
