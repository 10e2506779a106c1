"""What a project says of its CI: whose jobs come in, by which file, for which environments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from amplify_delivery.components.documents.web_identity import GITLAB_COMPONENTS, tier_of
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import AccountConfig, Project
from amplify_delivery.stacks.config.ci import GitHub, GitLab
from aws_rehearsal.ci_service import Job, NotPlayedError, Push, github, gitlab
from aws_rehearsal.ci_service.tokens import Claims


@dataclass(frozen=True)
class DeclaredCi:
    """The CI of a project. `root` is the repository's folder, `inside` the project's below it; `environments` are those
    that its jobs may deliver."""

    says: GitHub | GitLab
    root: Path
    inside: str
    environments: tuple[str, ...]

    @property
    def kind(self) -> str:
        return "github" if isinstance(self.says, GitHub) else "gitlab"

    @property
    def title(self) -> str:
        """The CI's name, for a sentence."""
        return "GitHub" if isinstance(self.says, GitHub) else "GitLab"

    @property
    def repository(self) -> str:
        """As the CI calls it."""
        return self.says.repository if isinstance(self.says, GitHub) else self.says.project

    @property
    def file(self) -> str:
        """What says which jobs there are, in the repository."""
        return self.says.workflow if isinstance(self.says, GitHub) else gitlab.ROOT

    def provider(self, dns_suffix: str) -> tuple[str, str]:
        """The issuer's address, and the audience of its tokens: what an account's OIDC provider is made of."""
        if isinstance(self.says, GitHub):
            return f"https://{github.GITHUB}", f"sts.{dns_suffix}"
        return f"https://{self.says.host}", f"https://{self.says.host}"

    def check(self) -> None:
        """Read what would run, as it is in the work tree. Raises `ConfigError`."""
        self.jobs(Push(self.root, "", self.says.branch, self.repository), self.root)

    @property
    def files(self) -> tuple[str, ...]:
        """Of the repository, those that say which jobs there are, and folders of such."""
        own = (".github", ".gitlab", gitlab.ROOT)
        return own if isinstance(self.says, GitHub) else (*own, *gitlab.read(self.root).files)

    def jobs(self, push: Push, work: Path) -> list[Job]:
        """Those that a push starts, in order; `work` is a clone of it. None for one whose files no job asks for. Raises
        `ConfigError`."""
        try:
            if isinstance(self.says, GitHub):
                workflow = github.load(work, self.file)
                found = workflow.jobs if workflow.started_by_push(push.branch, push.changed) else []
            else:
                found = gitlab.read(work).jobs(push, self.says.project_id or "")
        except NotPlayedError as error:
            raise ConfigError(error.message, where=error.where, remedy=error.remedy) from None
        if not found and push.changed is None:
            raise ConfigError(
                f"a push to {push.branch} starts no job",
                where=self.file,
                remedy=f"name the branch in it, or write it anew: `amplify-delivery init --ci {self.kind}`",
            )
        return found

    def left_out(self, push: Push, work: Path) -> list[str]:
        """Jobs with a token that the push does not start: in a pipeline of GitLab's each asks for itself."""
        return [] if isinstance(self.says, GitHub) else gitlab.read(work).left_out(push, self.says.project_id or "")

    def strangers(self, push: Push) -> Iterator[tuple[str, DeclaredCi, Push]]:
        """Whose jobs are none of this project's branch, though their files may be the same, and what their CI knows of
        them: to sign their tokens. None where the account's file gives GitLab's subjects in full: what a project signs
        for other branches it does not say then."""
        elsewhere = f"a-stranger/{self.repository.rpartition('/')[2]}"
        if isinstance(self.says, GitHub):
            ids = {"owner_id": f"{self.says.owner_id}0", "repository_id": f"{self.says.repository_id}0"}
            fork: GitHub | GitLab = self.says.model_copy(update={"repository": elsewhere, **ids})
        elif self.says.plan_subject:
            return
        else:
            fork = self.says.model_copy(update={"project": elsewhere, "project_id": f"{self.says.project_id}0"})
        yield "another branch", self, replace(push, branch=f"not-{push.branch}")
        yield "another repository", replace(self, says=fork), replace(push, repository=elsewhere)

    def claims(self, job: Job, push: Push) -> Claims:
        """What the CI signs for a job."""
        if isinstance(self.says, GitHub):
            return github.claims(push, self.says.ids, self.file, job.environment)
        return gitlab.claims(push, self.says.host, self.says.project_id or "", self._subject(self.says, job, push))

    def _subject(self, says: GitLab, job: Job, push: Push) -> str:
        """As a project signs it that was told to (docs/ci.md); or the one that the account's file gives in full."""
        if says.plan_subject and says.deploy_subject:
            return says.deploy_subject if job.environment else says.plan_subject
        signed = {"project_id": says.project_id, "ref_type": "branch", "ref": push.branch}
        if job.environment:
            tier = job.tier or tier_of(job.environment)
            signed |= {"environment_protected": "true", "deployment_tier": tier}
        return ":".join(f"{name}:{signed[name]}" for name in GITLAB_COMPONENTS if name in signed)


def is_delivered_by_ci(project: Project) -> bool:
    """Whether a CI's jobs come into its accounts, and it has no pipeline."""
    return not project.stacks("pipeline") and bool(_accounts(project))


def declared(project: Project) -> DeclaredCi:
    """The CI that delivers a project. Raises `ConfigError` where that is not one, where its file is not there, or where
    an environment's account is not prepared for it."""
    accounts = _accounts(project)
    if not accounts:
        raise ConfigError(
            "no account's stack file lets a CI's jobs in",
            where=str(project.directory.resolve()),
            remedy="say whose in `github` or `gitlab` there (docs/ci.md), or `amplify-delivery init --ci`",
        )
    said = [account.github or account.gitlab for account in accounts.values()]
    first = said[0]
    assert first is not None  # noqa: S101 - `_accounts` has looked
    if any((type(each), _place(each)) != (type(first), _place(first)) for each in said):
        raise ConfigError(
            "the accounts let in jobs of several repositories or CIs",
            where=", ".join(f"Pulumi.{stack}.yaml" for stack in accounts),
            remedy="rehearse a copy of the project in which they agree",
        )
    environments = tuple(name for account in accounts.values() for name in account.environments)
    for name in environments:
        if not project.environment(name).bootstrapped:
            raise ConfigError(
                f"the CI delivers the environment {name}, and its account is not prepared for that",
                where=str(project.file(name)),
                remedy="set `bootstrapped: true` there (docs/ci.md)",
            )
    root, inside = _repository(project.directory)
    found = DeclaredCi(first, root, inside, environments)
    if not (root / found.file).is_file():
        raise ConfigError(
            f"{found.file} is not there: no job of {found.title} would run",
            where=str(root),
            remedy=f"`amplify-delivery init --ci {found.kind}` writes it (docs/ci.md)",
        )
    return found


def _accounts(project: Project) -> Mapping[str, AccountConfig]:
    """The account stacks that let a CI in."""
    found = {stack: project.account(stack) for stack in project.stacks("account")}
    return {stack: account for stack, account in found.items() if account.ci}


def _place(says: GitHub | GitLab | None) -> str:
    return says.repository if isinstance(says, GitHub) else says.project if says else ""


def _repository(folder: Path) -> tuple[Path, str]:
    """The git work tree that a project lies in, and where in it; the project's own folder where there is none."""
    here = folder.resolve()
    root = next((place for place in (here, *here.parents) if (place / ".git").exists()), here)
    return root, "" if root == here else here.relative_to(root).as_posix()
