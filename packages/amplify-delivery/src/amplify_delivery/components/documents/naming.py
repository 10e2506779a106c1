"""All names across accounts, in one place: computed from the app, the environment and the account, never looked up.

Every name holds the app's name, so that two apps in one account do not meet. A name that is too long for its service is
cut and ends with a hash of what was lost: always the same, and not another app's.
"""

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace

from amplify_delivery.components.names import dns_suffix, partition, regional_bucket, staging_bucket_name
from amplify_delivery.errors import ConfigError
from amplify_delivery.export.images.model import repository_of
from amplify_delivery.export.names import ENVIRONMENT, MAX_BUCKET_NAME

ROOT_PATH = "/amplify-delivery/"
"""IAM path of all our own roles and policies: what no role that we make may change."""

TAGS = "amplify-delivery:"
"""What our own tags begin with: conditions of policies hang on them, so a stack file's `tags` may name none."""
APP_TAG = f"{TAGS}app"
"""On everything that an account's or a pipeline's stack makes, with the app's name."""
PIPELINE_TAG = f"{TAGS}pipeline"
"""On everything of a pipeline, with the app and the pipeline's name: what tells its keys from an environment's."""

MAX_ROLE_NAME = 64
MAX_POLICY_NAME = 128
MAX_PROJECT_NAME = 150
MAX_PIPELINE_NAME = 100
MAX_RULE_NAME = 64
"""Of EventBridge's rules and of notification rules."""

PUBLISH, PLAN, DEPLOY, CHECK = "publish", "plan", "deploy", "check"
PROJECTS = (PUBLISH, PLAN, DEPLOY, CHECK)
"""The CodeBuild projects of an environment; each has a role of its own."""

PIPELINE_PROJECTS = ("build", "update")
"""The CodeBuild projects of a pipeline."""
PIPELINE_ROLES = ("source", "build", "build-action", "update", "update-action", "trigger", "next")
"""The roles of a pipeline, beside its own."""
EVENT_RULES = ("source", "schedule")
"""What starts a pipeline beside its source: the events of a bucket or repository, and the clock."""

STATE_PREFIX = ".pulumi/"
"""Where the engine keeps its state in the state bucket (Pulumi's DIY backend)."""
PLANS_PREFIX = "plans/"
OUTPUTS_PREFIX = "outputs/"
LEASES_PREFIX = "leases/"
"""Where it lies who changes a stack, beside the engine's state in whatever bucket that is."""
BEGUN_PREFIX = "begun/"
"""Likewise the approved plan that is being carried out, where no account keeps plans."""


NOT_YET = "not yet"
"""The value of `EnvironmentNames.done_parameter` until somebody has seen the account's stack made to its end."""
ARTIFACTS_PREFIX = "ci/"
"""Where in the staging bucket a CI puts artifacts for the projects, each called by its digest."""
CI_ROLES = (PLAN, DEPLOY)
"""The roles that a CI's jobs come in with, by what they are for."""


def fit(name: str, limit: int) -> str:
    """`name`, or its beginning and a hash of the whole if it has more than `limit` characters."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: limit - 9].rstrip('-')}-{digest}"


def _checked(what: str, value: str, pattern: str, remedy: str) -> None:
    if not re.fullmatch(pattern, value):
        raise ConfigError(f"{value!r} is not a valid {what}", where=what, remedy=remedy)


def _taken(
    region: str, roles: Iterable[str], projects: Iterable[str], aliases: Iterable[str], bucket: str
) -> frozenset[tuple[str, str]]:
    regional = {"CodeBuild project": projects, "alias of a key": aliases, "bucket": (bucket,)}
    found = {(f"{kind} in {region}", name) for kind, names in regional.items() for name in names}
    return frozenset({*found, *(("role", name) for name in roles)})


@dataclass(frozen=True)
class _Place(ABC):
    app: str
    account: str
    region: str

    def __post_init__(self) -> None:
        _checked("app", self.app, "[A-Za-z][A-Za-z0-9-]{0,39}", "letters, digits and hyphens, at most 40")
        _checked("account", self.account, "[0-9]{12}", "12 digits, in quotes")
        _checked("region", self.region, "[a-z]{2}(-[a-z]+)+-[0-9]", "as in eu-west-1")

    @property
    def partition(self) -> str:
        return partition(self.region)

    @property
    def dns_suffix(self) -> str:
        return dns_suffix(self.region)

    @property
    @abstractmethod
    def state_bucket(self) -> str:
        """Where the engine keeps the state."""

    @property
    @abstractmethod
    def state_key_alias(self) -> str:
        """The key that encrypts the state and the secrets in it."""

    @property
    def state_backend(self) -> str:
        """The engine's backend, as in `PULUMI_BACKEND_URL`."""
        return f"s3://{self.state_bucket}?region={self.region}"

    @property
    def secrets_provider(self) -> str:
        """What the engine encrypts secrets with, as `secretsprovider` in the stack file."""
        return f"awskms://{self.state_key_alias}?region={self.region}"

    @property
    def root_arn(self) -> str:
        """The account as a principal."""
        return f"arn:{self.partition}:iam::{self.account}:root"

    def arn(self, service: str, resource: str, *, region: str | None = None) -> str:
        """An ARN in this account; `region` is "" for a global service."""
        where = self.region if region is None else region
        return f"arn:{self.partition}:{service}:{where}:{self.account}:{resource}"

    def iam_arn(self, kind: str, path: str, name: str) -> str:
        return self.arn("iam", f"{kind}{path}{name}", region="")

    def bucket_arn(self, bucket: str) -> str:
        return f"arn:{self.partition}:s3:::{bucket}"


@dataclass(frozen=True)
class EnvironmentNames(_Place):
    """Names of one environment in its target account."""

    environment: str
    former: bool = False
    """Whether the pipeline still comes in under the name used before version 3; the account has both roles then."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _checked("environment", self.environment, ENVIRONMENT, "2 to 10 lower-case letters and digits")

    @property
    def prefix(self) -> str:
        return f"{self.app}-{self.environment}"

    @property
    def path(self) -> str:
        """IAM path of the action role, the execution role and the boundary."""
        return f"{ROOT_PATH}{self.app}/env/{self.environment}/"

    @property
    def project_path(self) -> str:
        """IAM path of the four project roles: what the tooling account's artifacts are opened to."""
        return f"{self.path}project/"

    def _role(self, what: str) -> str:
        return fit(f"{self.prefix}-{what}", MAX_ROLE_NAME)

    @property
    def action_role(self) -> str:
        """With at most 58 characters never cut: the boundary of the pipeline's role knows it by its end."""
        return self._role("door" if self.former else "action")

    @property
    def action_role_arn(self) -> str:
        return self.iam_arn("role", self.path, self.action_role)

    def ci_role(self, what: str) -> str:
        """Name of a role that a CI's jobs come in with; `what` is one of `CI_ROLES`."""
        return self._role(f"ci-{what}")

    def ci_role_arn(self, what: str) -> str:
        return self.iam_arn("role", self.path, self.ci_role(what))

    @property
    def execution_role(self) -> str:
        return self._role("cloudformation")

    @property
    def execution_role_arn(self) -> str:
        return self.iam_arn("role", self.path, self.execution_role)

    def policy(self, what: str, number: int) -> str:
        """Name of a managed policy of the role `what`."""
        return fit(f"{self.prefix}-{what}-{number}", MAX_POLICY_NAME)

    @property
    def boundary(self) -> str:
        return fit(f"{self.prefix}-boundary", MAX_POLICY_NAME)

    @property
    def boundary_arn(self) -> str:
        return self.iam_arn("policy", self.path, self.boundary)

    def project(self, what: str) -> str:
        """Name of a CodeBuild project; `what` is one of `PROJECTS`."""
        return fit(f"{self.prefix}-{what}", MAX_PROJECT_NAME)

    def project_arn(self, what: str) -> str:
        return self.arn("codebuild", f"project/{self.project(what)}")

    def project_role(self, what: str) -> str:
        return self._role(what)

    def project_role_arn(self, what: str) -> str:
        return self.iam_arn("role", self.project_path, self.project_role(what))

    @property
    def project_roles_pattern(self) -> str:
        """Matches the four project roles, and nothing else in the account."""
        return self.iam_arn("role", self.project_path, "*")

    def project_log_group(self, what: str) -> str:
        """Where CodeBuild logs a project's builds by itself."""
        return f"/aws/codebuild/{self.project(what)}"

    @property
    def audit_log_group(self) -> str:
        """Log group of what was planned and deployed, by whom, with which outcome."""
        return f"{ROOT_PATH}{self.app}/{self.environment}/audit"

    @staticmethod
    def audit_streams(what: str) -> str:
        """What the names of its streams begin with that `plan` or `deploy` writes: neither speaks for the other."""
        return f"{what}/"

    @property
    def version_parameter(self) -> str:
        """SSM parameter with the version of this account's roles and projects."""
        return f"{ROOT_PATH}{self.app}/{self.environment}/bootstrap-version"

    @property
    def former_version_parameter(self) -> str:
        """SSM parameter that held the version before version 3; programs of then read it."""
        return f"{ROOT_PATH}{self.app}/{self.environment}/version"

    @property
    def digest_parameter(self) -> str:
        """SSM parameter with the digest of what the account's stack was last asked to make (`account.digest`)."""
        return f"{ROOT_PATH}{self.app}/{self.environment}/bootstrap-digest"

    @property
    def done_parameter(self) -> str:
        """SSM parameter with the digest of what `amplify-delivery bootstrap` has made, to the end."""
        return f"{ROOT_PATH}{self.app}/{self.environment}/bootstrap-done"

    @property
    def types_parameter(self) -> str:
        """SSM parameter with the resource types that these roles have rights for (`documents.prepared`)."""
        return f"{ROOT_PATH}{self.app}/{self.environment}/types"

    @property
    def staging_bucket(self) -> str:
        return staging_bucket_name(self.app, self.environment, self.account, self.region)

    @property
    def staging_key_alias(self) -> str:
        """Alias of the staging bucket's own key, where it has one."""
        return f"alias/{self.prefix}-staging"

    @property
    def state_bucket(self) -> str:
        return regional_bucket(f"{self.prefix}-state", self.account, self.region)

    @property
    def state_key_alias(self) -> str:
        return f"alias/{self.prefix}-state"

    @property
    def repository(self) -> str:
        """ECR repository of the environment's images."""
        return repository_of(self.app, self.environment)

    def image(self, digest: str) -> str:
        """Where an image of that digest (`sha256:HEX`) lies."""
        return f"{self.account}.dkr.ecr.{self.region}.{self.dns_suffix}/{self.repository}@{digest}"

    def taken(self) -> frozenset[tuple[str, str]]:
        """What it makes in its account, by kind (with the region, where names are a region's) and name."""
        actions = (replace(self, former=former).action_role for former in (False, True))
        roles = (*actions, self.execution_role, *map(self.project_role, PROJECTS), *map(self.ci_role, CI_ROLES))
        projects = (self.project(what) for what in PROJECTS)
        return _taken(self.region, roles, projects, (self.state_key_alias, self.staging_key_alias), self.state_bucket)

    @property
    def stack_role_prefix(self) -> str:
        """What names begin with that CloudFormation makes up for resources of the backend's stacks.

        `STACK-LOGICALID-RANDOM`, where only the first 24 characters of the stack's name stay in a name of 64.
        """
        return f"amplify-{self.app}-{self.environment}"[:24]


@dataclass(frozen=True)
class PipelineNames(_Place):
    """Names of one pipeline in the tooling account; `region` is the pipeline's own."""

    name: str = "pipeline"
    """Several pipelines of one app have different names."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _checked("pipeline", self.name, "[a-z][a-z0-9-]{0,29}", "lower-case letters, digits and hyphens, at most 30")

    @property
    def prefix(self) -> str:
        return f"{self.app}-{self.name}"

    @property
    def path(self) -> str:
        return f"{ROOT_PATH}{self.app}/pipeline/{self.name}/"

    @property
    def tags(self) -> dict[str, str]:
        """What everything of this pipeline is tagged with."""
        return {APP_TAG: self.app, PIPELINE_TAG: self.tag}

    @property
    def tag(self) -> str:
        """The value of `PIPELINE_TAG`."""
        return f"{self.app}/{self.name}"

    @property
    def pipeline(self) -> str:
        return fit(self.prefix, MAX_PIPELINE_NAME)

    @property
    def pipeline_arn(self) -> str:
        return self.arn("codepipeline", self.pipeline)

    def role(self, what: str = "") -> str:
        """Name of a role: the pipeline's own, or `source`, `build`, `build-action`, `update`, `update-action`,
        `trigger`."""
        return fit(f"{self.prefix}-{what}" if what else self.prefix, MAX_ROLE_NAME)

    def role_arn(self, what: str = "") -> str:
        return self.iam_arn("role", self.path, self.role(what))

    def policy(self, what: str, number: int) -> str:
        """Name of a managed policy of the role `what`."""
        return fit(f"{self.prefix}-{what}-{number}", MAX_POLICY_NAME)

    def boundary(self, what: str) -> str:
        """Name of the boundary of a role: `pipeline` or `update`."""
        return fit(f"{self.prefix}-{what}-boundary", MAX_POLICY_NAME)

    def boundary_arn(self, what: str) -> str:
        return self.iam_arn("policy", self.path, self.boundary(what))

    def project(self, what: str) -> str:
        """Name of a CodeBuild project: `build` or `update`."""
        return fit(f"{self.prefix}-{what}", MAX_PROJECT_NAME)

    def project_arn(self, what: str) -> str:
        return self.arn("codebuild", f"project/{self.project(what)}")

    def project_log_group(self, what: str) -> str:
        """Where CodeBuild logs a project's builds by itself."""
        return f"/aws/codebuild/{self.project(what)}"

    def artifact_bucket(self, region: str) -> str:
        return regional_bucket(self._artifacts, self.account, region)

    @property
    def artifact_bucket_pattern(self) -> str:
        """ARN pattern of the artifact buckets of all regions."""
        return self.bucket_arn(f"{regional_bucket(self._artifacts, self.account, '*')}")

    @property
    def _artifacts(self) -> str:
        # Cut for the longest name of a region: else the bucket's name would begin differently in each region.
        return fit(f"{self.prefix}-artifacts".lower(), MAX_BUCKET_NAME - len(f"-{self.account}-ap-southeast-1-an"))

    @property
    def project_roles_anywhere(self) -> str:
        """Matches the project roles of the app's environments in every account (`EnvironmentNames`)."""
        return f"arn:{self.partition}:iam::*:role{ROOT_PATH}{self.app}/env/*/project/*"

    @property
    def artifact_key_alias(self) -> str:
        """The same in every region: keys are told apart by their region."""
        return f"alias/{self.prefix}-artifacts"

    @property
    def state_bucket(self) -> str:
        """The tooling account's state bucket, shared by the app's pipelines."""
        return regional_bucket(f"{self.app}-tooling-state", self.account, self.region)

    @property
    def state_key_alias(self) -> str:
        return f"alias/{self.app}-tooling-state"

    def event_rule(self, what: str) -> str:
        """Name of an EventBridge rule that starts the pipeline, one of `EVENT_RULES`. Another pipeline's of that name
        would be written over without a word."""
        return fit(f"{self.prefix}-{what}", MAX_RULE_NAME)

    @property
    def webhook(self) -> str:
        """Name of what GitHub calls at a push, where the source has a token."""
        return f"{self.prefix}-source"

    @property
    def notification_rule(self) -> str:
        return fit(f"{self.prefix}-notifications", MAX_RULE_NAME)

    @property
    def topic(self) -> str:
        """SNS topic for notifications and approvals."""
        return f"{self.prefix}-notifications"

    def taken(self) -> frozenset[tuple[str, str]]:
        """As `EnvironmentNames.taken`, in the tooling account and the pipeline's region."""
        roles = map(self.role, ("", *PIPELINE_ROLES))
        projects = map(self.project, PIPELINE_PROJECTS)
        return _taken(self.region, roles, projects, (self.artifact_key_alias, self.state_key_alias), self.state_bucket)
