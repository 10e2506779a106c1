"""What programs in other languages pass: the keys of stack files (docs/configuration.md), which describe them, and what
stack files say by being there: secrets, neighbours, the pipeline. What has no description here has that of its key.

A schema has no unions: `approval: true` is `approval: {}` here, and a step's `clientConfig` has its `platform`.

No `from __future__ import annotations` here: the SDK makes the schema of the types themselves.
"""

from typing import NotRequired, TypedDict

import pulumi


class DataLoss(TypedDict):
    """Data that may be lost: one resource, with a reason, in one plan or until a day."""

    path: str
    reason: str
    plan: NotRequired[str]
    until: NotRequired[str]


class Ignored(TypedDict):
    """A finding that does not count in this environment, with a reason: CloudFormation has the last word."""

    id: str
    reason: str


class Lint(TypedDict):
    """What is found out about templates before they are published (docs/linting.md)."""

    ignore: NotRequired[list[Ignored]]


class AmplifyBackendArgs(TypedDict):
    """The environment, as a stack file describes one; its secrets beside it."""

    account: str
    region: str
    environment: str
    """Amplify environment: 2 to 10 lower-case letters and digits."""
    export: NotRequired[str]
    assembly: NotRequired[str]
    values_from: NotRequired[str]
    suffix: NotRequired[str]
    parameters: NotRequired[dict[str, dict[str, str]]]
    """Nested stack -> parameter -> value, over those of the exports; `root` is the root stack."""
    secrets: NotRequired[dict[str, dict[str, pulumi.Input[str]]]]
    """Parameters whose values are secrets: nested stack -> parameter -> value."""
    kept_literals: NotRequired[list[str]]
    api_key_expires: NotRequired[str]
    profile: NotRequired[str]
    role_arn: NotRequired[str]
    execution_role_arn: NotRequired[str]
    permissions_boundary: NotRequired[str]
    tags: NotRequired[dict[str, str]]
    bootstrapped: NotRequired[bool]
    boundary: NotRequired[bool]
    protect: NotRequired[bool]
    production: NotRequired[bool]
    data_loss: NotRequired[list[DataLoss]]
    lint: NotRequired[Lint]


class Right(TypedDict):
    """One allowance, as in an IAM statement."""

    actions: list[str]
    resources: list[str]


class ClientConfig(TypedDict):
    """Files that configure a front end, for a step's commands (docs/front-end.md)."""

    platform: str
    folder: NotRequired[str]


class Step(TypedDict):
    """Commands that run in the environment's account, before the plan or after the deployment."""

    name: str
    commands: list[str]
    env: NotRequired[dict[str, str]]
    env_from_outputs: NotRequired[dict[str, str]]
    client_config: NotRequired[ClientConfig]
    timeout: NotRequired[str]
    after: NotRequired[list[str]]
    rights: NotRequired[list[Right]]


class Approval(TypedDict):
    """Somebody agrees before anything is deployed. `{}` takes the defaults."""

    comment: NotRequired[str]
    timeout: NotRequired[str]
    notification: NotRequired[str]
    review_url: NotRequired[str]
    skip_unchanged: NotRequired[bool]


class Bake(TypedDict):
    """Time after the last step in which something may still go wrong."""

    time: str
    alarm: NotRequired[str]


class Stage(TypedDict):
    """Environments that are planned together, approved together and deployed in parallel."""

    name: str
    environments: NotRequired[list[str]]
    """The environments, by name. Default: the stage's name in lower case."""
    pre: NotRequired[list[Step]]
    post: NotRequired[list[Step]]
    approval: NotRequired[Approval]
    """Somebody has to agree; `{}` takes the defaults. Default: nobody is asked."""
    approval_before_plan: NotRequired[Approval]
    """Somebody has to agree, too, before anything of the artifact runs for this stage (docs/trust.md)."""
    bake: NotRequired[Bake]
    on_failure: NotRequired[str]


class Compute(TypedDict):
    """Where commands run: a CodeBuild environment."""

    architecture: NotRequired[str]
    image: NotRequired[str]
    compute_type: NotRequired[str]


class Engine(TypedDict):
    """The Pulumi engine's archive, for images that do not hold it."""

    url: str
    sha256: str


class GitHub(TypedDict):
    """Jobs of GitHub Actions (docs/ci.md)."""

    repository: str
    owner_id: str
    repository_id: str
    branch: NotRequired[str]
    workflow: NotRequired[str]


class GitLab(TypedDict):
    """Jobs of GitLab CI (docs/ci.md)."""

    project: str
    project_id: NotRequired[str]
    branch: NotRequired[str]
    tier: NotRequired[str]
    host: NotRequired[str]
    plan_subject: NotRequired[str]
    deploy_subject: NotRequired[str]


class StepNetwork(TypedDict):
    """A VPC of the account in which the steps run."""

    vpc: str
    subnets: list[str]
    security_groups: list[str]


class Timeouts(TypedDict):
    """How long a build of each project may take, as in 30m or 4h."""

    publish: NotRequired[str]
    plan: NotRequired[str]
    deploy: NotRequired[str]
    check: NotRequired[str]


class ContainerImage(TypedDict):
    """A container image (docs/containers.md)."""

    dockerfile: NotRequired[str]
    context: NotRequired[str]
    target: NotRequired[str]
    args: NotRequired[dict[str, str]]
    container: NotRequired[str]
    layout: NotRequired[str]
    platform: NotRequired[str]
    parameters: NotRequired[list[str]]


class LetIn(TypedDict):
    """The one pipeline that may come in."""

    name: str
    account: str
    region: str


class Neighbour(TypedDict):
    """Another environment of the app in the same account."""

    environment: str
    region: NotRequired[str]


class TargetAccountArgs(TypedDict):
    """The environment, as `AmplifyBackend` takes it, and the account, as its stack file describes it."""

    account: str
    region: str
    environment: str
    """Amplify environment: 2 to 10 lower-case letters and digits."""
    export: NotRequired[str]
    assembly: NotRequired[str]
    values_from: NotRequired[str]
    suffix: NotRequired[str]
    parameters: NotRequired[dict[str, dict[str, str]]]
    """Nested stack -> parameter -> value, over those of the exports; `root` is the root stack."""
    secret_names: NotRequired[dict[str, list[str]]]
    """Parameters whose values are secrets, by nested stack: their names only."""
    kept_literals: NotRequired[list[str]]
    container_images: NotRequired[dict[str, ContainerImage]]
    """The environment's container images by name, if it has some (docs/containers.md)."""
    neighbours: NotRequired[list[Neighbour]]
    """All other environments of the app in this account, bootstrapped or not: what is theirs is out of reach."""
    pipeline: NotRequired[LetIn]
    """The one pipeline that may come in. Default: none does, but a CI."""
    stage: NotRequired[Stage]
    """The pipeline's stage that deploys the environment, as the pipeline has it: its steps' rights and times count
    here. Default: a stage without steps."""
    github: NotRequired[GitHub]
    """Jobs of GitHub Actions that may come in (docs/ci.md), beside the pipeline or in its place."""
    gitlab: NotRequired[GitLab]
    engine: NotRequired[Engine]
    """The Pulumi engine for images that do not hold it: the same as the pipeline's. Default: it is in the image."""
    profile: NotRequired[str]
    role_arn: NotRequired[str]
    program_types: NotRequired[list[str]]
    """CloudFormation types of what the app's program adds beside the backend: `deploy` may make these."""
    backend_types: NotRequired[list[str]]
    deploy_rights: NotRequired[list[Right]]
    deploy_policies: NotRequired[list[str]]
    boundary_services: NotRequired[list[str]]
    allowed_overrides: NotRequired[list[str]]
    roles_boundary: NotRequired[str]
    """Permissions boundary of your organization, put on all roles that are made here."""
    images: NotRequired[bool]
    staging_key: NotRequired[bool]
    trust_source_arn: NotRequired[bool]
    build: NotRequired[Compute]
    step_network: NotRequired[StepNetwork]
    timeouts: NotRequired[Timeouts]
    tags: NotRequired[dict[str, str]]
    """Tags of everything that is made here."""
    protect: NotRequired[bool]


class Source(TypedDict):
    """Where the commits come from; what belongs to another `type` is refused."""

    type: NotRequired[str]
    """`connection`, the default; `github-token`, `codecommit` or `s3`."""
    connection: NotRequired[str]
    repository: NotRequired[str]
    """OWNER/NAME; of CodeCommit its name."""
    branch: NotRequired[str]
    detect_changes: NotRequired[bool]
    token_secret: NotRequired[str]
    poll: NotRequired[bool]
    """Of `github-token` (default: true) and `s3` (default: false): CodePipeline asks for changes."""
    bucket: NotRequired[str]
    key: NotRequired[str]


class Trigger(TypedDict):
    """Pushes that start the pipeline, for connections. Tags are in a trigger of their own."""

    branches: NotRequired[list[str]]
    exclude_branches: NotRequired[list[str]]
    paths: NotRequired[list[str]]
    exclude_paths: NotRequired[list[str]]
    tags: NotRequired[list[str]]
    exclude_tags: NotRequired[list[str]]


class Build(TypedDict):
    """The Build stage: installs what is locked by hash, runs your commands, checks and assembles the export."""

    architecture: NotRequired[str]
    image: NotRequired[str]
    compute_type: NotRequired[str]
    commands: NotRequired[list[str]]
    env: NotRequired[dict[str, str]]
    secrets: NotRequired[dict[str, str]]
    keep: NotRequired[list[str]]
    folder: NotRequired[str]
    privileged: NotRequired[bool]


class Notifications(TypedDict):
    """Who hears of each execution's end, and of approvals."""

    emails: NotRequired[list[str]]


class Place(TypedDict):
    """Where an environment of the stages lies, as its own stack file has it."""

    environment: str
    account: str
    region: str
    production: NotRequired[bool]


class DeliveryPipelineArgs(TypedDict):
    """The pipeline, as its stack file describes it, and where its environments lie."""

    app: str
    """The app's name: that of the Amplify project, and of the Pulumi project that is delivered."""
    pipeline: NotRequired[str]
    """The pipeline's own name, as `TargetAccount` lets it in: up to 30 lower-case letters, digits and hyphens. Default:
    `pipeline`."""
    account: str
    region: str
    environments: list[Place]
    """The environments of all stages, each once, in any order."""
    self_update: NotRequired[bool]
    """UpdatePipeline runs this program as the built commit has it, so that a push changes the pipeline. Default: true.
    With `false` there is no such stage, and only `pulumi up` of the program changes the pipeline."""
    program: NotRequired[str]
    """Folder of this program in the project that is delivered, whose commits UpdatePipeline takes it from. Default:
    `pipeline`."""
    install: NotRequired[list[str]]
    """Commands, in the program's folder, by which UpdatePipeline installs the packages that the program runs with, as
    `npm ci`. Default: none, which does for YAML."""
    profile: NotRequired[str]
    role_arn: NotRequired[str]
    source: Source
    triggers: NotRequired[list[Trigger]]
    stages: list[Stage]
    build: NotRequired[Build]
    """The Build stage, and where it runs."""
    engine: NotRequired[Engine]
    schedule: NotRequired[str]
    notifications: NotRequired[Notifications]
    tags: NotRequired[dict[str, str]]
    """Tags of everything that is made here."""
    artifact_regions: NotRequired[list[str]]
    """Regions whose artifact bucket and key stay although no environment lies there any more."""
    organization: NotRequired[str]
    protect: NotRequired[bool]


class StagingAreaArgs(TypedDict):
    """A bucket for published objects, as `AmplifyBackend` makes one for an environment that is not bootstrapped."""

    bucket_name: str
    """Name in S3's account-regional namespace: it ends in -ACCOUNT-REGION-an."""
    account: str
    """The 12 digits of the account that owns it."""
    region: str
    """AWS region, as in eu-west-1."""
    customer_key: NotRequired[bool]
    """Encrypt with a KMS key of its own, instead of S3's keys. Default: false."""
    key_alias: NotRequired[str]
    """An alias for that key, with `alias/`."""
    artifacts_days: NotRequired[int]
    """How many days artifacts stay that a CI puts here. Default: for ever, for none are put."""
    force_destroy: NotRequired[bool]
    """Delete the bucket with everything in it when it is destroyed. Default: false."""
