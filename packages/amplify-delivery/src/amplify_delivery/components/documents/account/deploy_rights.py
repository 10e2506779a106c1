"""What `deploy` may do, on the backend's stacks and with what the program makes beside them."""

from amplify_delivery.components.documents.account.project_stores import (
    LISTS,
    WRITE_OBJECT,
    audit_arn,
    audit_write,
    has_ended,
    image_looks,
    key_right,
    pages,
    staging_reads,
)
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import (
    DEPLOY,
    LEASES_PREFIX,
    OUTPUTS_PREFIX,
    PLANS_PREFIX,
    STATE_PREFIX,
)
from amplify_delivery.components.documents.rights.boundary import guards
from amplify_delivery.components.documents.rights.scopes import resources_of, services_passed_to
from amplify_delivery.components.documents.rights.stack_actions import DRIFT_DETECTIONS, DRIFT_STATUS, STACK_READS
from amplify_delivery.components.documents.rights.store_access import READ as READ_OBJECT
from amplify_delivery.components.documents.rights.types import secret_arns
from amplify_delivery.components.documents.statements import Statement, allow, deny
from amplify_delivery.export.assembling.store import FOLDERS

TABLES = ("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table")


def deploy(access: EnvironmentAccess) -> list[Statement]:
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
        *staging_reads(access),
        allow(
            "State",
            [*READ_OBJECT, *WRITE_OBJECT, "s3:DeleteObject"],
            [f"{state}/{prefix}*" for prefix in (STATE_PREFIX, OUTPUTS_PREFIX, LEASES_PREFIX)],
            own,
        ),
        allow("Plans", READ_OBJECT, f"{state}/{PLANS_PREFIX}*", own),
        allow("StateList", ["s3:GetBucketLocation", "s3:ListBucket"], state, own),
        key_right(access, "StateKey", ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], names.state_key_alias),
        *audit_write(access, DEPLOY),
        has_ended(access),
        allow("Lists", LISTS, "*"),
        # Whether what PublishAssets has pushed is there; nothing is pulled with it.
        *image_looks(access, "ecr:BatchGetImage"),
        # What was deployed before may be deployed again.
        allow("AuditRead", "logs:FilterLogEvents", audit_arn(access)),
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
        *pages(access, upload=True),
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


def program_rights(access: EnvironmentAccess) -> list[Statement]:
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
        cloud_control_reads(access),
        allow(
            "PassProgramRoles",
            "iam:PassRole",
            access.program_role_pattern,
            {"StringEquals": {"iam:PassedToService": services_passed_to(access.program_types)}},
        ),
    ]


def cloud_control_reads(access: EnvironmentAccess) -> Statement:
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


def _role_is(arn: str) -> dict[str, dict[str, str]]:
    return {"ArnEquals": {"cloudformation:RoleArn": arn}}
