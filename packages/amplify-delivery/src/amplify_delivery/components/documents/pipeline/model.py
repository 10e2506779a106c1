"""The pipeline as its users think of it: stages of environments, sources, steps, approvals. Inputs of `definition`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames


@dataclass(frozen=True)
class EnvironmentRef:
    """An environment that the pipeline deploys to, as its own stack file says it."""

    name: str
    account: str
    region: str

    def names(self, app: str) -> EnvironmentNames:
        return EnvironmentNames(app=app, account=self.account, region=self.region, environment=self.name)


@dataclass(frozen=True)
class Step:
    """A step before or after a deployment. What it runs stands in the source; here it is only called by its name, so
    that a changed command changes no pipeline."""

    name: str


@dataclass(frozen=True)
class Approval:
    """Somebody has to agree before the stage's deployments start."""

    comment: str = ""
    timeout_minutes: int = 24 * 60
    """Until then it blocks the queue. 5 minutes to 60 days."""
    topic_arn: str | None = None
    """SNS topic that is told; default: the pipeline's notifications only."""
    review_url: str | None = None
    skip_unchanged: bool = False
    """Nobody is asked where Plan counts no changes. The count comes from the program that is to be approved."""


@dataclass(frozen=True)
class Stage:
    """One stage of ours, up to three of CodePipeline's: X-Plan, X-Approve, X.

    `environments` is the wave: they are planned together, approved together and deployed in parallel.
    """

    name: str
    environments: tuple[EnvironmentRef, ...]
    pre: tuple[Step, ...] = ()
    """Before the plan, in each environment."""
    post: tuple[Step, ...] = ()
    """After the deployment, in each environment."""
    approval: Approval | None = None
    approval_before_plan: Approval | None = None
    """Somebody has to agree before anything of the artifact runs for this stage."""
    bake_minutes: int = 0
    """Time after the last post step in which an alarm fails the stage."""
    on_failure: Literal["none", "rollback", "retry"] = "none"


@dataclass(frozen=True)
class ConnectionSource:
    """GitHub, GitLab, Bitbucket, Azure DevOps through CodeConnections."""

    connection_arn: str
    repository: str
    """`OWNER/NAME`."""
    branch: str
    detect_changes: bool = True


@dataclass(frozen=True)
class GitHubTokenSource:
    """GitHub with a personal access token: version 1 action, kept for those who have it."""

    owner: str
    repository: str
    branch: str
    token: str
    """The token itself. It stands in the pipeline's definition, which gives it back masked."""
    poll: bool = True
    """Off: a webhook with a random secret starts the pipeline."""
    secret: str = "github-token"  # noqa: S105 - its name
    """The secret of Secrets Manager, in the tooling account, that holds the token: UpdatePipeline reads it again."""


@dataclass(frozen=True)
class CodeCommitSource:
    """A repository in the tooling account; an EventBridge rule starts the pipeline."""

    repository: str
    branch: str


@dataclass(frozen=True)
class S3Source:
    """A zip file in a versioned bucket."""

    bucket: str
    key: str
    poll: bool = False
    """Off: an EventBridge rule starts the pipeline; the bucket must send its events there."""


Source = ConnectionSource | GitHubTokenSource | CodeCommitSource | S3Source


@dataclass(frozen=True)
class Trigger:
    """A push that starts the pipeline: to a branch, with a tag, of certain files. For connections only.

    Tags stand alone: CodePipeline refuses them together with branches or paths.
    """

    branches: tuple[str, ...] = ()
    branches_excluded: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    paths_excluded: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    tags_excluded: tuple[str, ...] = ()


@dataclass(frozen=True)
class ArtifactStore:
    """Where a region's actions find their artifacts."""

    region: str
    bucket: str
    key_arn: str


@dataclass(frozen=True)
class PipelineModel:
    """A whole pipeline."""

    names: PipelineNames
    source: Source
    stages: tuple[Stage, ...]
    stores: tuple[ArtifactStore, ...]
    """One for the pipeline's region and one for each region of an environment: `regions` names them."""
    triggers: tuple[Trigger, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    kept_regions: tuple[str, ...] = ()
    """Regions whose artifact stores stay although no action runs there."""

    @property
    def app(self) -> str:
        return self.names.app

    @property
    def tags_only(self) -> bool:
        """Whether nothing but tags starts it: the newest commit of its branch may never have been released then."""
        return bool(self.triggers) and all(t.tags or t.tags_excluded for t in self.triggers)

    @property
    def environments(self) -> tuple[EnvironmentNames, ...]:
        """Every environment, in the order of its stage."""
        return tuple(ref.names(self.app) for stage in self.stages for ref in stage.environments)

    @property
    def regions(self) -> tuple[str, ...]:
        """Every region with an action: the pipeline's own first, then sorted."""
        others = {names.region for names in self.environments} - {self.names.region}
        return (self.names.region, *sorted(others))

    @property
    def store_regions(self) -> tuple[str, ...]:
        """Every region with a bucket and a key: those with an action, then those that are kept."""
        return (*self.regions, *sorted(set(self.kept_regions) - set(self.regions)))
