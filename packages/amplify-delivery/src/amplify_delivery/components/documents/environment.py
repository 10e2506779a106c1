"""What the documents of a target account are made from: one environment, and the pipeline that it lets in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.statements import Network, Statement, allow
from amplify_delivery.components.documents.web_identity import WebIdentity
from amplify_delivery.errors import ConfigError
from amplify_delivery.export.documents import several

ACCOUNT_VERSION = 3
"""Version of what stands in an account. A change that a pipeline of an older version would trip over raises it; the
number is in `EnvironmentNames.version_parameter`, and each deploy compares it first.

2: the types that the roles were made for stand beside it (`EnvironmentNames.types_parameter`).
3: the execution role may pass itself on to nested stacks; without it AWS refuses every one. `plan` may look at the
backend's secrets, without their values, and at its verification pages, which `deploy` may upload. The staging bucket
refuses whatever would overwrite a published object, so earlier versions of this program cannot publish there. The
boundary denies the delivery's own things. For what the program makes, `plan` and `deploy` have the rights for the
classic provider's own calls, and `plan` reads the program's parameters and secrets. The action role and this number's
parameter have other names; the former ones stand beside them while the stack file says `enrolled`."""

FORBIDDEN_MANAGED_POLICIES = ("AdministratorAccess", "IAMFullAccess", "PowerUserAccess")
"""What no role of ours gets, whoever asks."""


NEVER_WITHIN_THE_BOUNDARY = frozenset(
    {"account", "cloudformation", "iam", "identitystore", "organizations", "sso", "sso-directory", "sts"}
)
"""Services that lead to other identities and rights: no role of a backend gets them as a whole."""


IMAGES = {"x86_64": "aws/codebuild/standard:7.0", "arm64": "aws/codebuild/amazonlinux-aarch64-standard:3.0"}
"""AWS's images by architecture ("Docker images provided by CodeBuild")."""
_TYPES = {"x86_64": "LINUX_CONTAINER", "arm64": "ARM_CONTAINER"}
_ECR_IMAGE = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<repository>[^:@]+)(?:[:@].+)?$"
)
PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


@dataclass(frozen=True)
class BuildEnvironment:
    """Where a CodeBuild project's commands run."""

    image: str = IMAGES["x86_64"]
    compute_type: str = "BUILD_GENERAL1_SMALL"
    privileged: bool = False
    architecture: str = "x86_64"

    @property
    def type(self) -> str:
        """As CodeBuild calls it ("Build environment compute modes and types")."""
        return _TYPES[self.architecture]

    @property
    def pull_credentials(self) -> str:
        """Whose rights the image is pulled with: those of CodeBuild itself suffice for its own images and public ones,
        and for ECR's only where the repository's policy lets CodeBuild in ("Amazon ECR sample for CodeBuild")."""
        return "SERVICE_ROLE" if _ECR_IMAGE.match(self.image) else "CODEBUILD"

    def pull_statements(self, partition: str) -> list[Statement]:
        """What a project's role needs to pull the image. An image of another account needs that repository's policy to
        let the role in as well."""
        found = _ECR_IMAGE.match(self.image)
        if not found:
            return []
        repository = f"arn:{partition}:ecr:{found['region']}:{found['account']}:repository/{found['repository']}"
        region = {"StringEquals": {"aws:RequestedRegion": found["region"]}}
        return [
            allow("Image", PULL, repository),
            # It knows no resource.
            allow("ImageRegistry", "ecr:GetAuthorizationToken", "*", region),
        ]


@dataclass(frozen=True)
class EnvironmentAccess:
    """One environment of a target account, as its account's file describes it."""

    names: EnvironmentNames
    pipeline: PipelineNames | None
    """The one pipeline that may come in; None where only a CI does."""
    stack_name: str
    """The backend's root stack, `amplify-PROJECT-ENV-SUFFIX`."""
    resource_types: frozenset[str]
    """CloudFormation types of the export: what the execution role may make."""
    ci: WebIdentity | None = None
    """Whose jobs may come in, beside the pipeline or in its place."""
    program_types: frozenset[str] = frozenset()
    """CloudFormation types of what the program adds beside the backend: what `deploy` itself may make."""
    deploy_statements: tuple[Mapping[str, Any], ...] = ()
    """Further statements for `deploy`, for what the table of types cannot know."""
    deploy_managed_policies: tuple[str, ...] = ()
    """ARNs of managed policies for `deploy`. None of `FORBIDDEN_MANAGED_POLICIES`."""
    check_statements: tuple[Mapping[str, Any], ...] = ()
    """What the steps may do beyond reading the outputs they ask for."""
    page_buckets: frozenset[str] = frozenset()
    """Buckets of the export that Cognito's verification pages go into: `deploy` uploads them, `plan` looks at them."""
    boundary_services: tuple[str, ...] = ()
    """Services (prefixes of IAM actions) that the backend's roles may use beside `boundary.RUNTIME_SERVICES`."""
    neighbours: tuple[EnvironmentNames, ...] = ()
    """The app's other environments in this account and partition, as far as its files name them."""
    state_key_arn: str | None = None
    """The key of the state, once it is made: its ARN is random."""
    staging_key_arn: str | None = None
    """The staging area's own key, once it is made; None as well where there is none."""
    allowed_overrides: tuple[str, ...] = ()
    """Of `action_role.DENIED_OVERRIDES` those that a build may be started with all the same."""
    own_boundary: str | None = None
    """ARN of the organization's boundary for all our own roles."""
    images: bool = False
    """The app has container images: a repository, and Docker for `publish`."""
    step_network: Network | None = None
    """Where in a VPC the steps run."""
    staging_key: bool = False
    """The staging bucket is encrypted with a key of its own."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of the root stack (export-tags.json): they keep environments in one account apart where names cannot."""
    check_source_arn: bool = True
    """Off: CodeBuild's trust asks for the account only, not for the project."""
    build: BuildEnvironment = BuildEnvironment()
    timeouts: Mapping[str, int] | None = None
    """Minutes by project (`publish`, `plan`, `deploy`, `check`); default 60, `deploy` 240, `check` 480."""

    def __post_init__(self) -> None:
        where = f"environment {self.names.environment}"
        for arn in self.deploy_managed_policies:
            if arn.rsplit("/", 1)[-1] in FORBIDDEN_MANAGED_POLICIES:
                raise ConfigError(
                    f"{arn} would let `deploy` do anything in the account",
                    where=where,
                    remedy="list the types of the program's resources, or statements",
                )
        for given in (*self.deploy_statements, *self.check_statements):
            if given.get("Effect") == "Allow" and ("NotAction" in given or "*" in several(given.get("Action"))):
                raise ConfigError("a statement that allows every action", where=where, remedy="list the actions")
        for service in sorted({*self.boundary_services} & NEVER_WITHIN_THE_BOUNDARY):
            raise ConfigError(
                f"{service} is not a service for a backend's roles: it could give them any right in the account",
                where=where,
                remedy="take it out of `boundaryServices`: what makes roles or stacks belongs in the program",
            )
        if not self.stack_name.startswith("amplify-"):
            raise ConfigError(
                f"{self.stack_name!r} is not a stack of Amplify", where=where, remedy="amplify-APP-ENV-SUFFIX"
            )

    @property
    def visitor(self) -> str:
        """Who comes in, in words: the pipeline's name, or a CI where there is none."""
        return self.pipeline.pipeline if self.pipeline else "a CI"

    @property
    def containers(self) -> bool:
        """Whether the backend has Amplify's container API, which brings a pipeline of its own."""
        return "AWS::CodePipeline::Pipeline" in self.resource_types

    @property
    def stack_arns(self) -> tuple[str, str]:
        """The root stack and its nested stacks, which CloudFormation names ROOT-LOGICALID-RANDOM."""
        return (
            self.names.arn("cloudformation", f"stack/{self.stack_name}/*"),
            self.names.arn("cloudformation", f"stack/{self.stack_name}-*/*"),
        )

    @property
    def auth_role_arns(self) -> tuple[str, str]:
        """The two roles of Amplify's identity pool; a Lambda of the export rewrites their trust."""
        return (
            self.names.iam_arn("role", "/", f"{self.stack_name}-authRole"),
            self.names.iam_arn("role", "/", f"{self.stack_name}-unauthRole"),
        )

    @property
    def backend_role_patterns(self) -> tuple[str, ...]:
        """Roles of the export: the two auth roles and unnamed ones by the stack's name, the others end with `-ENV`.

        Those of user pool groups (`POOLID-GROUPGroupRole`) name no environment: there only the region tells, and the
        boundary that they carry.
        """
        patterns = [f"{self.names.stack_role_prefix}*", f"*-{self.names.environment}"]
        if "AWS::Cognito::UserPoolGroup" in self.resource_types:
            patterns.append(f"{self.names.region}_*-*GroupRole")
        return tuple(self.names.iam_arn("role", "/", pattern) for pattern in patterns)

    @property
    def program_role_pattern(self) -> str:
        """Roles that the program makes beside the backend."""
        return self.names.iam_arn("role", "/", f"{self.names.prefix}-*")

    def timeout(self, project: str) -> int:
        """Minutes that a build of `project` may take."""
        # `check` bakes for up to 7 hours; its other steps end themselves sooner.
        default = {"deploy": 240, "check": 480}.get(project, 60)
        return (self.timeouts or {}).get(project, default)
