"""The inline policies of the four project roles: publish, plan, deploy, check."""

from collections.abc import Callable, Mapping

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
from amplify_delivery.components.documents.rights.scopes import resources_of, services_passed_to
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
    through_s3_for,
)
from amplify_delivery.export.assembling.store import FOLDERS

TABLES = ("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table")
WRITE_OBJECT = ("s3:AbortMultipartUpload", "s3:PutObject")


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
        own = [*_own_values(access), _cloud_control_reads(access)]
        return [*reads, *own] if access.program_types else reads
    if what == DEPLOY:
        types = access.program_types
        program = [*statements_for(access, (), program=types), *_program(access)] if types else []
        # It makes the plan once more, drift included: what `plan` may read, and no more.
        reads = [{**s, "Sid": f"{s['Sid']}Looks"} for s in statements_for(access, access.resource_types, "read")]
        return [*program, *reads, *given(access.deploy_statements)]
    if what == CHECK:
        return given(access.check_statements)
    return []


def _own_values(access: EnvironmentAccess) -> list[Statement]:
    """Parameters and secrets that the program itself makes, by its names: both providers read them with their values,
    and the state, which a preview reads as well, holds these already."""
    kinds = {
        "AWS::SSM::Parameter": ("OwnParameters", ["ssm:GetParameter", "ssm:GetParameters"], "ssm", "parameter/"),
        "AWS::SecretsManager::Secret": ("OwnSecrets", "secretsmanager:GetSecretValue", "secretsmanager", "secret:"),
    }
    return [
        allow(sid, actions, access.names.arn(service, f"{kind}{access.names.prefix}-*"))
        for name, (sid, actions, service, kind) in kinds.items()
        if name in access.program_types
    ]


def _build(access: EnvironmentAccess, what: str) -> list[Statement]:
    """What every build needs: its log, its artifact, and the version of the account; to plan, also its types."""
    names = access.names
    # `deploy` makes the plan once more.
    read = [names.version_parameter, *([names.types_parameter] if what in (PLAN, DEPLOY) else [])]
    # A program of before is still in the pipeline until the commit of this one.
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
                _repository(access),
            )
        )
        region = {"StringEquals": {"aws:RequestedRegion": names.region}}
        statements.append(allow("RegistryLogin", "ecr:GetAuthorizationToken", "*", region))
    return statements


def _image_looks(access: EnvironmentAccess, *more: str) -> list[Statement]:
    """What a scan has found in images, for who plans and deploys."""
    return [allow("Images", [*more, "ecr:DescribeImageScanFindings"], _repository(access))] if access.images else []


def _repository(access: EnvironmentAccess) -> str:
    return access.names.arn("ecr", f"repository/{access.names.repository}")


SECRET_LOOKS = (
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetResourcePolicy",
    "secretsmanager:ListSecretVersionIds",
)
"""What the provider's Read of a secret and of its write-only version asks for: everything but the value."""
_PAGE_BUCKET_READS = ("s3:GetBucketOwnershipControls", "s3:GetBucketPublicAccessBlock", "s3:ListBucket")
"""Who may not list a bucket is told of a page that is gone that it is forbidden."""
_PAGE_READS = ("s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion")


def _pages(access: EnvironmentAccess, *, upload: bool) -> list[Statement]:
    """The verification pages, which the program uploads into buckets that the stack has made."""
    if not access.page_buckets:
        return []
    buckets = [access.names.bucket_arn(bucket) for bucket in access.page_buckets]
    own = {"StringEquals": {"aws:ResourceAccount": access.names.account}}
    on_bucket, on_page = [*_PAGE_BUCKET_READS], [*_PAGE_READS]
    if upload:
        on_bucket += ["s3:ListBucketVersions", "s3:PutBucketOwnershipControls", "s3:PutBucketPublicAccessBlock"]
        on_page += ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject", "s3:PutObjectAcl"]
    return [
        allow("PageBuckets", on_bucket, buckets, own),
        allow("Pages", on_page, [f"{bucket}/*" for bucket in buckets], own),
    ]


_LISTS = ("cloudformation:ListExports", "cloudformation:ListStacks")
"""What a backend imports must be exported by some stack of the account; in which state nested stacks are, in one call.
Both know no resource."""


def _plan(access: EnvironmentAccess) -> list[Statement]:
    names = access.names
    state = names.bucket_arn(names.state_bucket)
    own = {"StringEquals": {"aws:ResourceAccount": names.account}}
    return [
        allow("Stacks", [*STACK_READS, *DRIFT_DETECTIONS], access.stack_arns),
        deny("ExecutesNothing", EXECUTIONS, "*"),
        *_staging_reads(access),
        # The lease is read only: whoever plans cannot keep anybody from deploying.
        allow(
            "State", READ_OBJECT, [f"{state}/{prefix}*" for prefix in (STATE_PREFIX, PLANS_PREFIX, LEASES_PREFIX)], own
        ),
        allow("StateList", ["s3:GetBucketLocation", "s3:ListBucket"], state, own),
        allow("Plans", "s3:PutObject", f"{state}/{PLANS_PREFIX}*", own),
        # Plans lie in the bucket of the state, and S3 encrypts them with its key: GenerateDataKey through S3 only.
        key_right(access, "StateKey", "kms:Decrypt", names.state_key_alias),
        key_right(access, "PlansKey", "kms:GenerateDataKey", names.state_key_alias, through_s3=True),
        *_audit_write(access, PLAN),
        _has_ended(access),
        *_image_looks(access),
        # The preview refreshes what the component itself has made.
        allow("Secrets", SECRET_LOOKS, secret_arns(access)),
        *_pages(access, upload=False),
        allow("PlanReads", [DRIFT_STATUS, *_LISTS], "*"),
    ]


def _deploy(access: EnvironmentAccess) -> list[Statement]:
    """Long: one flat list of statements, to be read as the policy that it is."""
    names = access.names
    state = names.bucket_arn(names.state_bucket)
    own = {"StringEquals": {"aws:ResourceAccount": names.account}}
    role = names.execution_role_arn
    return [
        allow(
            "Stacks",
            [*STACK_READS, *DRIFT_DETECTIONS, "cloudformation:TagResource", "cloudformation:UntagResource"],
            access.stack_arns,
        ),
        allow("DriftStatus", DRIFT_STATUS, "*"),
        allow("CreateStack", "cloudformation:CreateStack", access.stack_arns, _role_is(role)),
        # Once a stack has its role, CloudFormation uses it whether or not it is sent again.
        allow(
            "ChangeStack",
            [
                "cloudformation:CancelUpdateStack",
                "cloudformation:ContinueUpdateRollback",
                "cloudformation:DeleteStack",
                "cloudformation:RollbackStack",
                "cloudformation:SetStackPolicy",
                "cloudformation:UpdateStack",
                "cloudformation:UpdateTerminationProtection",
            ],
            access.stack_arns,
            {"ArnEqualsIfExists": {"cloudformation:RoleArn": role}},
        ),
        allow(
            "PassExecutionRole",
            "iam:PassRole",
            role,
            {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
        ),
        *_staging_reads(access),
        allow(
            "State",
            [*READ_OBJECT, *WRITE_OBJECT, "s3:DeleteObject"],
            [f"{state}/{prefix}*" for prefix in (STATE_PREFIX, OUTPUTS_PREFIX, LEASES_PREFIX)],
            own,
        ),
        allow("Plans", READ_OBJECT, f"{state}/{PLANS_PREFIX}*", own),
        allow("StateList", ["s3:GetBucketLocation", "s3:ListBucket"], state, own),
        key_right(access, "StateKey", ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], names.state_key_alias),
        *_audit_write(access, DEPLOY),
        _has_ended(access),
        allow("Lists", _LISTS, "*"),
        # Whether what PublishAssets has pushed is there; nothing is pulled with it.
        *_image_looks(access, "ecr:BatchGetImage"),
        # What was deployed before may be deployed again.
        allow("AuditRead", "logs:FilterLogEvents", _audit(access)),
        # The backend's secret parameters: the component makes them, CloudFormation's role reads them.
        allow(
            "Secrets",
            [
                "secretsmanager:CreateSecret",
                "secretsmanager:DeleteSecret",
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetResourcePolicy",
                "secretsmanager:GetSecretValue",
                "secretsmanager:ListSecretVersionIds",
                "secretsmanager:PutSecretValue",
                "secretsmanager:TagResource",
                "secretsmanager:UntagResource",
                "secretsmanager:UpdateSecret",
                "secretsmanager:UpdateSecretVersionStage",
            ],
            secret_arns(access),
        ),
        # Nobody signs in to AWS when an update that is rolled back writes the template's trust to these two.
        allow(
            "AuthRolesTrust",
            ["iam:GetRole", "iam:UpdateAssumeRolePolicy"],
            [names.iam_arn("role", "/", f"{access.stack_name}-{role}") for role in ("authRole", "unauthRole")],
        ),
        *_pages(access, upload=True),
        *_index_updates(access),
        *guards(access, passes_execution_role=True),
        deny("OurProjectsStay", ["codebuild:StartBuild*", "codebuild:UpdateProject*"], "*"),
    ]


def _index_updates(access: EnvironmentAccess) -> list[Statement]:
    """Where tables' indexes change one after the other: templates for the updates between, which nobody has published,
    and the state of the tables. Templates are no more than what UpdateStack takes as a text as well; that none is
    written over, the bucket's policy says."""
    if not any(kind in TABLES for kind in access.resource_types):
        return []
    names = access.names
    bucket = names.bucket_arn(names.staging_bucket)
    own = {"StringEquals": {"aws:ResourceAccount": names.account}}
    statements = [
        allow("IndexTemplates", "s3:PutObject", f"{bucket}/{FOLDERS['template']}/*", own),
        allow("Tables", "dynamodb:DescribeTable", resources_of("dynamodb", access, access.resource_types)),
    ]
    if access.staging_key:
        actions = ["kms:GenerateDataKey"]
        statements.append(key_right(access, "IndexTemplatesKey", actions, names.staging_key_alias, through_s3=True))
    return statements


def _program(access: EnvironmentAccess) -> list[Statement]:
    """What the Cloud Control provider itself needs, and the passing of the program's own roles."""
    names = access.names
    region = {"StringEquals": {"aws:RequestedRegion": names.region}}
    return [
        allow(
            "CloudControl",
            [
                "cloudformation:CancelResourceRequest",
                "cloudformation:CreateResource",
                "cloudformation:DeleteResource",
                "cloudformation:UpdateResource",
            ],
            "*",
            region,
        ),
        _cloud_control_reads(access),
        allow(
            "PassProgramRoles",
            "iam:PassRole",
            access.program_role_pattern,
            {"StringEquals": {"iam:PassedToService": services_passed_to(access.program_types)}},
        ),
    ]


def _cloud_control_reads(access: EnvironmentAccess) -> Statement:
    """What the Cloud Control provider needs to see the program's resources, and what it takes to wait for a request
    that a killed run has made; Cloud Control knows no resource for these."""
    return allow(
        "CloudControlReads",
        [
            "cloudformation:GetResource",
            "cloudformation:GetResourceRequestStatus",
            # What becomes of a request whose caller was killed.
            "cloudformation:ListResourceRequests",
            "cloudformation:ListResources",
        ],
        "*",
        {"StringEquals": {"aws:RequestedRegion": access.names.region}},
    )


def _check(access: EnvironmentAccess) -> list[Statement]:
    names = access.names
    state = names.bucket_arn(names.state_bucket)
    own = {"StringEquals": {"aws:ResourceAccount": names.account}}
    return [
        # Not the state: a step's commands are anybody's, and the state holds every secret.
        allow("Outputs", READ_OBJECT, f"{state}/{OUTPUTS_PREFIX}*", own),
        key_right(access, "OutputsKey", "kms:Decrypt", names.state_key_alias, through_s3=True),
        allow("Alarms", "cloudwatch:DescribeAlarms", names.arn("cloudwatch", "alarm:*")),
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


def _staging_reads(access: EnvironmentAccess) -> list[Statement]:
    bucket = access.names.bucket_arn(access.names.staging_bucket)
    own = {"StringEquals": {"aws:ResourceAccount": access.names.account}}
    statements = [
        allow("Staging", READ_OBJECT, f"{bucket}/*", own),
        allow("StagingList", ["s3:GetBucketLocation", "s3:ListBucket"], bucket, own),
    ]
    if access.staging_key:
        statements.append(
            key_right(access, "StagingKey", "kms:Decrypt", access.names.staging_key_alias, through_s3=True)
        )
    return statements


def key_right(
    access: EnvironmentAccess, sid: str, actions: str | list[str], alias: str, *, through_s3: bool = False
) -> Statement:
    """A right on the key with that alias: by its ARN, once it is made, because an alias counts up to five minutes after
    it was ("Using aliases to control access to KMS keys" in its developer guide)."""
    names = access.names
    known = access.state_key_arn if alias == names.state_key_alias else access.staging_key_arn
    conditions: dict[str, dict[str, str]] = {}
    if known is None:
        conditions["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": alias}
    if through_s3:
        conditions["StringEquals"] = {"kms:ViaService": f"s3.{names.region}.{names.dns_suffix}"}
    return allow(sid, actions, known or names.arn("kms", "key/*"), conditions)


def _has_ended(access: EnvironmentAccess) -> Statement:
    """Whether the build that holds the environment's lease still runs: only builds of `deploy` take one."""
    return allow("LeaseHolders", "codebuild:BatchGetBuilds", access.names.project_arn(DEPLOY))


def _audit(access: EnvironmentAccess) -> str:
    return access.names.arn("logs", f"log-group:{access.names.audit_log_group}:*")


def _audit_write(access: EnvironmentAccess, what: str) -> list[Statement]:
    # Append only: nobody in the pipeline may delete a stream, the group, or shorten how long it is kept. And `plan`,
    # which can execute nothing, can't say either that something was deployed.
    streams = f"log-group:{access.names.audit_log_group}:log-stream:{access.names.audit_streams(what)}*"
    return [
        allow("AuditStreams", "logs:CreateLogStream", _audit(access)),
        allow("Audit", "logs:PutLogEvents", access.names.arn("logs", streams)),
    ]


def _role_is(arn: str) -> dict[str, dict[str, str]]:
    return {"ArnEquals": {"cloudformation:RoleArn": arn}}


_OWN: Mapping[str, Callable[[EnvironmentAccess], list[Statement]]] = {
    PUBLISH: _publish,
    PLAN: _plan,
    DEPLOY: _deploy,
    CHECK: _check,
}
