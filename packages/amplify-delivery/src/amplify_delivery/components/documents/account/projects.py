"""The inline policies of the four project roles: publish, plan, deploy, check."""

from collections.abc import Callable, Mapping

from amplify_delivery.components.documents.account.deploy_rights import cloud_control_reads, deploy, program_rights
from amplify_delivery.components.documents.account.project_stores import (
    LISTS,
    SECRET_LOOKS,
    audit_write,
    has_ended,
    image_looks,
    key_right,
    pages,
    repository_arn,
    staging_reads,
)
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import (
    ARTIFACTS_PREFIX,
    CHECK,
    DEPLOY,
    LEASES_PREFIX,
    OUTPUTS_PREFIX,
    PLAN,
    PLANS_PREFIX,
    PUBLISH,
    STATE_PREFIX,
    EnvironmentNames,
    PipelineNames,
)
from amplify_delivery.components.documents.rights.boundary import guards
from amplify_delivery.components.documents.rights.stack_actions import (
    DRIFT_DETECTIONS,
    DRIFT_STATUS,
    EXECUTIONS,
    STACK_READS,
)
from amplify_delivery.components.documents.rights.store_access import LOOK, log_statement, owned_by
from amplify_delivery.components.documents.rights.store_access import READ as READ_OBJECT
from amplify_delivery.components.documents.rights.types import secret_arns, statements_for
from amplify_delivery.components.documents.statements import (
    Document,
    Statement,
    allow,
    deny,
    document,
    given,
    keys_of,
    through_s3_for,
)


def project_policies(access: EnvironmentAccess, what: str) -> Mapping[str, Document]:
    """The inline policies of one project's role: what does not depend on resource types."""
    return {"build": document(_build(access, what)), what: document(_OWN[what](access))}


def type_statements(access: EnvironmentAccess, what: str) -> list[Statement]:
    """What a project's role needs for the resource types in use, and what the account's file adds."""
    return [*_of_types(access, what), *(_cis_artifact(access, what) if access.ci else ())]


def _of_types(access: EnvironmentAccess, what: str) -> list[Statement]:
    if what == PLAN:
        # Types, not data: see scopes.data_reads.
        reads = statements_for(access, access.resource_types, "read", access.program_types)
        # A preview refreshes: with the program's own resources it goes through Cloud Control.
        own = [*_own_values(access), *_left_behind(access), cloud_control_reads(access)]
        return [*reads, *own] if access.program_types else reads
    if what == DEPLOY:
        types = access.program_types
        program = [*statements_for(access, (), program=types), *program_rights(access)] if types else []
        # It makes the plan once more, drift included: what `plan` may read, and no more.
        reads = [{**s, "Sid": f"{s['Sid']}Looks"} for s in statements_for(access, access.resource_types, "read")]
        return [*program, *reads, *given(access.deploy_statements)]
    if what == CHECK:
        return given(access.check_statements)
    return []


def _own_values(access: EnvironmentAccess) -> list[Statement]:
    """Parameters and secrets that the program itself makes, by its names: both providers read them with their values,
    and the state, which a preview reads as well, holds these already. They may be encrypted with a key of the
    account's."""
    kinds = {
        "AWS::SSM::Parameter": ("OwnParameters", ["ssm:GetParameter", "ssm:GetParameters"], "ssm", "parameter/"),
        "AWS::SecretsManager::Secret": ("OwnSecrets", "secretsmanager:GetSecretValue", "secretsmanager", "secret:"),
    }
    names, found = access.names, list[Statement]()
    keys, endpoint = names.arn("kms", "key/*"), f"{names.region}.{names.dns_suffix}"
    for name, (sid, actions, service, kind) in kinds.items():
        if name in access.program_types:
            own = names.arn(service, f"{kind}{names.prefix}-*")
            found += [allow(sid, actions, own), keys_of(f"{sid}Keys", service, [own], keys, endpoint)]
    return found


def _left_behind(access: EnvironmentAccess) -> list[Statement]:
    """To find what a killed deployment has made, where nothing but a list leads to it (`delivery.killed.classic`): plan
    comes first, and without an answer no release gets past it."""
    lists = {"AWS::IAM::ManagedPolicy": "iam:ListPolicies", "AWS::KMS::Key": "kms:ListKeys"}
    needed = [action for name, action in lists.items() if name in access.program_types]
    return [allow("LeftBehind", needed, "*")] if needed else []


def _build(access: EnvironmentAccess, what: str) -> list[Statement]:
    """What every build needs: its log, its artifact, and the version of the account; to plan, also its types."""
    names = access.names
    # `deploy` makes the plan once more.
    read = [names.version_parameter, *([names.types_parameter] if what in (PLAN, DEPLOY) else [])]
    # An earlier program is still in the pipeline until the commit of this one.
    read += [names.former_version_parameter] if names.former else []
    return [
        log_statement(names.arn("logs", f"log-group:{names.project_log_group(what)}")),
        *(_pipelines_artifact(names, access.pipeline) if access.pipeline else ()),
        allow("Version", "ssm:GetParameter", [names.arn("ssm", f"parameter{name}") for name in read]),
        *access.build.pull_statements(names.partition),
    ]


def _pipelines_artifact(names: EnvironmentNames, tooling: PipelineNames) -> list[Statement]:
    bucket = tooling.bucket_arn(tooling.artifact_bucket(names.region))
    return [
        allow("Artifact", READ_OBJECT, f"{bucket}/*", owned_by(tooling.account)),
        allow("ArtifactBucket", LOOK, bucket, owned_by(tooling.account)),
        # Which of the tooling account's keys are open to this role, that account decides.
        allow(
            "ArtifactKey",
            "kms:Decrypt",
            tooling.arn("kms", "key/*", region=names.region),
            through_s3_for([bucket], [f"s3.{names.region}.{names.dns_suffix}"]),
        ),
    ]


def _cis_artifact(access: EnvironmentAccess, what: str) -> list[Statement]:
    """What a CI has put into the staging bucket, and what CodeBuild asks of that before it reads it. Not inline:
    together with a pipeline's artifacts `deploy` would have too much there."""
    names = access.names
    bucket = names.bucket_arn(names.staging_bucket)
    statements = [
        allow("CiArtifact", READ_OBJECT, f"{bucket}/{ARTIFACTS_PREFIX}*", owned_by(names.account)),
        allow("CiArtifactBucket", LOOK, bucket, owned_by(names.account)),
    ]
    if access.staging_key and what == CHECK:
        alias = names.staging_key_alias
        statements.append(key_right(access, "CiArtifactKey", "kms:Decrypt", alias, through_s3=True))
    return statements


def _publish(access: EnvironmentAccess) -> list[Statement]:
    names = access.names
    bucket = names.bucket_arn(names.staging_bucket)
    own = {"StringEquals": {"aws:ResourceAccount": names.account}}
    statements = [
        allow("Staging", [*READ_OBJECT, "s3:PutObject"], f"{bucket}/*", own),
        allow("StagingList", ["s3:GetBucketLocation", "s3:ListBucket"], bucket, own),
    ]
    if access.staging_key:
        actions = ["kms:Decrypt", "kms:GenerateDataKey"]
        statements.append(key_right(access, "StagingKey", actions, names.staging_key_alias))
    if access.images:
        statements.append(
            allow(
                "Images",
                [
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:CompleteLayerUpload",
                    "ecr:GetDownloadUrlForLayer",
                    "ecr:InitiateLayerUpload",
                    "ecr:PutImage",
                    "ecr:UploadLayerPart",
                ],
                repository_arn(access),
            )
        )
        region = {"StringEquals": {"aws:RequestedRegion": names.region}}
        statements.append(allow("RegistryLogin", "ecr:GetAuthorizationToken", "*", region))
    return statements


def _plan(access: EnvironmentAccess) -> list[Statement]:
    names = access.names
    state = names.bucket_arn(names.state_bucket)
    own = {"StringEquals": {"aws:ResourceAccount": names.account}}
    return [
        allow("Stacks", [*STACK_READS, *DRIFT_DETECTIONS], access.stack_arns),
        deny("ExecutesNothing", EXECUTIONS, "*"),
        *staging_reads(access),
        # The lease is read only: whoever plans cannot keep anybody from deploying.
        allow(
            "State", READ_OBJECT, [f"{state}/{prefix}*" for prefix in (STATE_PREFIX, PLANS_PREFIX, LEASES_PREFIX)], own
        ),
        allow("StateList", ["s3:GetBucketLocation", "s3:ListBucket"], state, own),
        allow("Plans", "s3:PutObject", f"{state}/{PLANS_PREFIX}*", own),
        # Plans lie in the bucket of the state, and S3 encrypts them with its key: GenerateDataKey through S3 only.
        key_right(access, "StateKey", "kms:Decrypt", names.state_key_alias),
        key_right(access, "PlansKey", "kms:GenerateDataKey", names.state_key_alias, through_s3=True),
        *audit_write(access, PLAN),
        has_ended(access),
        *image_looks(access),
        # The preview refreshes what the component itself has made.
        allow("Secrets", SECRET_LOOKS, secret_arns(access)),
        *pages(access, upload=False),
        allow("PlanReads", [DRIFT_STATUS, *LISTS], "*"),
    ]


def _check(access: EnvironmentAccess) -> list[Statement]:
    names = access.names
    state = names.bucket_arn(names.state_bucket)
    own = {"StringEquals": {"aws:ResourceAccount": names.account}}
    return [
        # Not the state: a step's commands are anybody's, and the state holds every secret.
        allow("Outputs", READ_OBJECT, f"{state}/{OUTPUTS_PREFIX}*", own),
        key_right(access, "OutputsKey", "kms:Decrypt", names.state_key_alias, through_s3=True),
        # Of all: with less CloudWatch tells of no composite alarm ("DescribeAlarms" in its API reference).
        allow("Alarms", "cloudwatch:DescribeAlarms", "*"),
        *_network(access),
        *guards(access),
    ]


_INTERFACES = (
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


def _network(access: EnvironmentAccess) -> list[Statement]:
    """What CodeBuild does with the project's role to put a build into a VPC ("Allow CodeBuild access to AWS services
    required to create a VPC network interface")."""
    if access.step_network is None:
        return []
    names = access.names
    subnets = [names.arn("ec2", f"subnet/{subnet}") for subnet in access.step_network.subnets]
    ours: dict[str, dict[str, str | list[str]]] = {
        "ArnEquals": {"ec2:Subnet": subnets},
        "StringEquals": {"ec2:AuthorizedService": "codebuild.amazonaws.com"},
    }
    return [
        allow("Network", _INTERFACES, "*", {"StringEquals": {"aws:RequestedRegion": names.region}}),
        allow("OwnNetwork", "ec2:CreateNetworkInterfacePermission", names.arn("ec2", "network-interface/*"), ours),
    ]


_OWN: Mapping[str, Callable[[EnvironmentAccess], list[Statement]]] = {
    PUBLISH: _publish,
    PLAN: _plan,
    DEPLOY: deploy,
    CHECK: _check,
}
