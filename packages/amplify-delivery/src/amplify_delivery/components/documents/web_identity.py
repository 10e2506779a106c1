"""Who of a CI comes in: the tokens that GitHub and GitLab sign for a job, as conditions of a role's trust.

"OpenID Connect reference" of GitHub (claims, immutable subject claims), "OpenID Connect (OIDC) Authentication Using ID
Tokens" of GitLab, "Available keys for AWS OIDC federation" in the IAM user guide. A subject is compared as a whole:
IAM itself refuses a trust in these two issuers without a condition on it, and takes `repo:OWNER/*` for one.

A name can be given up and taken by somebody else. GitHub's ids cannot: with them `repository_id` is asked for as well,
and the subject may be the one that has them in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.components.documents.statements import Document, allow, document
from amplify_delivery.errors import ConfigError

GITHUB = "token.actions.githubusercontent.com"
"""GitHub's issuer, as condition keys have it."""


@dataclass(frozen=True)
class WebIdentity:
    """The jobs of one repository that may come in for an environment: those that plan, and those that deploy."""

    host: str
    """The issuer without `https://`: in the provider's ARN, and what the condition keys begin with."""
    audience: str
    planning: tuple[str, ...]
    """Subjects, whole."""
    deploying: tuple[str, ...]
    claims: Mapping[str, str] = field(default_factory=dict)
    """Further claims that AWS compares for this issuer."""

    def __post_init__(self) -> None:
        for value in (*self.planning, *self.deploying, *self.claims.values(), self.audience):
            if not value or set("*?$") & set(value):
                raise ConfigError(f"{value!r} would let in more than one", where=self.host, remedy="name it in full")

    def provider_arn(self, names: EnvironmentNames) -> str:
        """The account's OIDC provider, which is the account's, not ours: there can be only one for an issuer."""
        return names.iam_arn("oidc-provider", "/", self.host)

    def trust(self, names: EnvironmentNames, subjects: tuple[str, ...]) -> Document:
        """The trust policy of a role for these subjects."""
        conditions = {"aud": self.audience, "sub": subjects, **self.claims}
        return document(
            [
                allow(
                    "OnlyTheseJobs",
                    "sts:AssumeRoleWithWebIdentity",
                    conditions={"StringEquals": {f"{self.host}:{claim}": value for claim, value in conditions.items()}},
                    principal={"Federated": self.provider_arn(names)},
                )
            ]
        )


def github_previews(names: EnvironmentNames, repository: str, branch: str, ids: tuple[str, str] | None) -> WebIdentity:
    """Jobs that make and collect previews: of pull requests, which get no token when they come from a fork, and on
    `branch` for what runs by the clock."""
    own = github(names, repository, branch, ids)
    ends = (f":ref:refs/heads/{branch}", ":pull_request")
    subjects = tuple(f"{subject.removesuffix(ends[0])}{end}" for subject in own.planning for end in ends)
    return WebIdentity(own.host, own.audience, subjects, (), own.claims)


def github(names: EnvironmentNames, repository: str, branch: str, ids: tuple[str, str] | None) -> WebIdentity:
    """Jobs of GitHub's `repository` (OWNER/NAME) with the `ids` of its owner and itself: on `branch` they plan, in
    GitHub's environment of this one's name they deploy."""
    prefixes = [f"repo:{repository}"]
    if ids:
        owner, _, name = repository.partition("/")
        prefixes.append(f"repo:{owner}@{ids[0]}/{name}@{ids[1]}")
    return WebIdentity(
        GITHUB,
        f"sts.{names.dns_suffix}",
        tuple(f"{prefix}:ref:refs/heads/{branch}" for prefix in prefixes),
        tuple(f"{prefix}:environment:{names.environment}" for prefix in prefixes),
        {"repository_id": ids[1]} if ids else {},
    )


def gitlab(host: str, project: str, branch: str, subjects: tuple[str, str] | None) -> WebIdentity:
    """Jobs of GitLab's `project` (GROUP/NAME) on `branch`: they plan and deploy, unless two `subjects` are given."""
    plan, deploy = subjects or (f"project_path:{project}:ref_type:branch:ref:{branch}",) * 2
    return WebIdentity(host, f"https://{host}", (plan,), (deploy,))
