"""Which jobs of a CI an account lets in: the part of its stack's configuration."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from amplify_delivery.components.documents.fields import BadValueError, Model, pattern

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
    owner_id: Id | None = Field(
        default=None, description="number of the owner: names can be given up and taken by somebody else"
    )
    repository_id: Id | None = Field(default=None, description="number of the repository; with `ownerId` or not at all")
    branch: Branch = Field(
        default="main",
        description="jobs on this branch publish and plan. Those in GitHub's environment of the same name as the "
        "environment deploy",
    )

    @model_validator(mode="after")
    def _both_ids(self) -> GitHub:
        if (self.owner_id is None) is not (self.repository_id is None):
            raise BadValueError("ownerId and repositoryId go together", "`gh api repos/OWNER/NAME` tells both")
        return self

    @property
    def ids(self) -> tuple[str, str] | None:
        """Of the owner and of the repository."""
        return (self.owner_id, self.repository_id) if self.owner_id and self.repository_id else None


class GitLab(Model):
    """Jobs of GitLab CI. The account has to have the instance's OIDC provider (docs/ci.md)."""

    project: Annotated[str, pattern(f"{_WORD}(/{_WORD})+", "project of GitLab, GROUP/NAME")] = Field(
        description="the one project, with its groups"
    )
    branch: Branch = Field(default="main", description="a protected branch, whose jobs publish, plan and deploy")
    host: Annotated[str, pattern(r"[a-z0-9-]+(\.[a-z0-9-]+)+", "host, such as gitlab.com")] = Field(
        default="gitlab.com", description="the instance"
    )
    plan_subject: Annotated[str, pattern("project_path:[^*?$]+", "subject of GitLab's tokens")] | None = Field(
        default=None,
        description="the whole `sub` of jobs that plan, where the project has other `ci_id_token_sub_claim_components`",
    )
    deploy_subject: Annotated[str, pattern("project_path:[^*?$]+", "subject of GitLab's tokens")] | None = Field(
        default=None, description="that of jobs that deploy; with `planSubject` or not at all"
    )

    @model_validator(mode="after")
    def _both_subjects(self) -> GitLab:
        if (self.plan_subject is None) is not (self.deploy_subject is None):
            raise BadValueError("planSubject and deploySubject go together")
        for subject in filter(None, (self.plan_subject, self.deploy_subject)):
            if not subject.startswith(f"project_path:{self.project}:"):
                raise BadValueError(f"{subject!r} is not of the project {self.project}", "it begins with project_path:")
        return self

    @property
    def subjects(self) -> tuple[str, str] | None:
        """Of jobs that plan and that deploy."""
        return (self.plan_subject, self.deploy_subject) if self.plan_subject and self.deploy_subject else None
