"""Which jobs of a CI are let in: the tokens that GitHub and GitLab sign for a job, as conditions of a role's trust.

"OpenID Connect reference" of GitHub (claims, immutable subject claims), "OpenID Connect (OIDC) Authentication Using ID
Tokens" and `ci_id_token_sub_claim_components` in "Projects API" of GitLab, "Available keys for AWS OIDC federation" in
the IAM user guide. Of GitHub's tokens AWS compares `ref`, `repository_id` and `job_workflow_ref` as well (since
February 2026, in the commercial regions only); of GitLab's and any other issuer's `sub` and `aud` alone. So what has to
hold of a job of GitLab has to stand in its subject. A subject is compared as a whole: IAM itself refuses a trust in
these two issuers without a condition on it, and takes `repo:OWNER/*` for one.

A name can be given up and taken by somebody else; an id cannot.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.components.documents.statements import Document, allow, document
from amplify_delivery.errors import ConfigError

GITHUB = "token.actions.githubusercontent.com"
"""GitHub's issuer, as condition keys have it."""

GITLAB_COMPONENTS = ("project_id", "ref_type", "ref", "environment_protected", "deployment_tier")
"""What a project of GitLab has to sign as `sub`. The last two are left out for a job without an environment."""

Tier = Literal["production", "staging", "testing", "development", "other"]
"""GitLab's deployment tiers."""

_TIERS: Mapping[Tier, tuple[str, ...]] = {
    "development": ("dev", "review", "trunk"),
    "testing": ("test", "tst", "int", "acpt", "accept", "qa", "qc", "control", "quality"),
    "staging": ("stag", "stg", "model", "modl", "pre", "demo", "non"),
    "production": ("prod", "prd", "live"),
}
"""Parts of names, in GitLab's order (`Environment#guess_tier` in its app/models/environment.rb): the first one holds.
An environment that is protected before its first job has this tier, and no `deployment_tier` of a job changes it."""

_COMMERCIAL = "aws"
"""The partition in which AWS compares GitHub's further claims."""


@dataclass(frozen=True)
class WebIdentity:
    """The jobs of one repository that may come in for an environment: those that plan, and those that deploy."""

    host: str
    """The issuer without `https://`: in the provider's ARN, and what the condition keys begin with."""
    audience: str
    planning: tuple[str, ...]
    """Subjects, whole."""
    deploying: tuple[str, ...]
    """No subject is of both: an approval stands between them."""
    claims: Mapping[str, str] = field(default_factory=dict)
    """Further claims that AWS compares for this issuer."""

    def __post_init__(self) -> None:
        for value in (*self.planning, *self.deploying, *self.claims.values(), self.audience):
            if not value or set("*?$") & set(value):
                raise ConfigError(f"{value!r} would let in more than one", where=self.host, remedy="name it in full")
        for both in sorted({*self.planning} & {*self.deploying}):
            raise ConfigError(
                f"jobs with the subject {both!r} would plan and deploy, and nobody would have to approve in between",
                where=self.host,
                remedy="have those that deploy sign another subject (docs/ci.md)",
            )

    def provider_arn(self, names: EnvironmentNames) -> str:
        """The account's OIDC provider, which is the account's, not ours: there can be only one for an issuer."""
        return names.iam_arn("oidc-provider", "/", self.host)

    def trust(self, names: EnvironmentNames, subjects: tuple[str, ...]) -> Document:
        """The trust policy of a role for these subjects."""
        return _trust(self.provider_arn(names), self.host, {"aud": self.audience, "sub": subjects, **self.claims})


def github(names: EnvironmentNames, repository: str, ids: tuple[str, str], branch: str, workflow: str) -> WebIdentity:
    """Jobs of GitHub's `repository` (OWNER/NAME) with the `ids` of its owner and itself: those of the file `workflow`
    as it is on `branch`. They plan; in GitHub's environment of this one's name they deploy."""
    prefixes, claims = _github(names, repository, ids)
    if claims:
        ref = f"refs/heads/{branch}"
        claims |= {"ref": ref, "job_workflow_ref": f"{repository}/{workflow}@{ref}"}
    return WebIdentity(
        GITHUB,
        f"sts.{names.dns_suffix}",
        tuple(f"{prefix}:ref:refs/heads/{branch}" for prefix in prefixes),
        tuple(f"{prefix}:environment:{names.environment}" for prefix in prefixes),
        claims,
    )


def github_previews(names: EnvironmentNames, repository: str, ids: tuple[str, str], branch: str) -> Document:
    """The trust of a role whose jobs make and collect previews: of pull requests, and on `branch` for what runs by the
    clock. A fork's pull request gets no token, unless the repository sends its forks write tokens."""
    prefixes, claims = _github(names, repository, ids)
    ends = (f":ref:refs/heads/{branch}", ":pull_request")
    subjects = tuple(f"{prefix}{end}" for prefix in prefixes for end in ends)
    return WebIdentity(GITHUB, f"sts.{names.dns_suffix}", subjects, (), claims).trust(names, subjects)


def _github(names: EnvironmentNames, repository: str, ids: tuple[str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """What the subjects of a repository's jobs begin with, and what tells it from one that takes its name later."""
    owner, _, name = repository.partition("/")
    immutable = f"repo:{owner}@{ids[0]}/{name}@{ids[1]}"
    if names.partition != _COMMERCIAL:
        return (immutable,), {}
    return (f"repo:{repository}", immutable), {"repository_id": ids[1]}


def tier_of(environment: str) -> Tier:
    """The tier of an environment that says none, by its name, as GitLab has it ("Deployment tier of environments")."""
    return next((tier for tier, words in _TIERS.items() if any(word in environment for word in words)), "other")


def gitlab_subjects(project_id: str, branch: str, tier: Tier) -> tuple[str, str]:
    """Subjects of a GitLab project's jobs on a branch that plan, and of those in a protected environment of `tier`. The
    project has to sign `GITLAB_COMPONENTS`."""
    plan = f"project_id:{project_id}:ref_type:branch:ref:{branch}"
    return plan, f"{plan}:environment_protected:true:deployment_tier:{tier}"


def gitlab(host: str, subjects: tuple[str, str]) -> WebIdentity:
    """Jobs of GitLab with the one subject plan, those with the other deploy."""
    return WebIdentity(host, f"https://{host}", subjects[:1], subjects[1:])


def gitlab_previews(names: EnvironmentNames, host: str, project_id: str) -> Document:
    """The trust of a role whose jobs make and collect previews: of every branch of a project. GitLab does
    not document clearly whose id is in the token where a fork's merge request runs in this project: the project has to
    refuse that (`ci_allow_fork_pipelines_to_run_in_parent_project`, docs/previews.md)."""
    provider = names.iam_arn("oidc-provider", "/", host)
    return _trust(provider, host, {"aud": f"https://{host}"}, {"sub": f"project_id:{project_id}:ref_type:branch:ref:*"})


def _trust(
    provider: str,
    host: str,
    equal: Mapping[str, str | tuple[str, ...]],
    like: Mapping[str, str] | None = None,
) -> Document:
    """A trust policy with one statement: in whom an issuer's token says that."""

    def keys(claims: Mapping[str, str | tuple[str, ...]]) -> dict[str, str | list[str]]:
        return {f"{host}:{name}": list(v) if isinstance(v, tuple) else v for name, v in claims.items()}

    conditions = {"StringEquals": keys(equal), **({"StringLike": keys(like)} if like else {})}
    return document(
        [
            allow(
                "OnlyTheseJobs",
                "sts:AssumeRoleWithWebIdentity",
                conditions=conditions,
                principal={"Federated": provider},
            )
        ]
    )
