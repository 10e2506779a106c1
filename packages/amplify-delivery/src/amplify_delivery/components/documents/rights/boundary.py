"""The permissions boundary of an environment: the most that a role made by the backend or the program can ever do.

"Permissions boundaries for IAM entities" in the IAM user guide. It grants nothing. It has no place for an
administrator: services are listed, and of IAM it leaves what a backend's own Lambda needs to rewrite the trust of the
two auth roles, and the making of roles that carry this very boundary. What the delivery itself has in the account is
out of reach (`off_limits`).
"""

from collections.abc import Collection, Iterable

from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import ROOT_PATH
from amplify_delivery.components.documents.packing import MANAGED_ROOM
from amplify_delivery.components.documents.rights.off_limits import NEIGHBOURS_KINDS, off_limits
from amplify_delivery.components.documents.statements import (
    PolicyDocument,
    Statement,
    actions_of,
    allow,
    deny,
    document,
    size,
)

RUNTIME_SERVICES = (
    "apigateway",
    "appsync",
    "athena",
    "cloudwatch",
    "cognito-identity",
    "cognito-idp",
    "cognito-sync",
    "comprehend",
    "dynamodb",
    "ec2",
    "ecr",
    "ecs",
    "es",
    "events",
    "execute-api",
    "firehose",
    "geo",
    "kinesis",
    "kms",
    "lambda",
    "lex",
    "logs",
    "mobiletargeting",
    "personalize",
    "polly",
    "rds-data",
    "rds-db",
    "rekognition",
    "s3",
    "secretsmanager",
    "servicediscovery",
    "ses",
    "sns",
    "sqs",
    "ssm",
    "states",
    "textract",
    "transcribe",
    "translate",
    "xray",
)
"""What roles of an Amplify backend use at run time, by service prefix."""

RUNTIME_ACTIONS = ("sagemaker:InvokeEndpoint",)
"""What they use of a service that has far more to it: a model's endpoint, which users ask for predictions (`amplify add
predictions`, Infer). The rest of SageMaker makes machines that run code with a role."""

PIPELINE_SERVICES = ("codebuild", "codepipeline", "codedeploy")
"""What the roles of Amplify's container API use: it has a pipeline of its own."""

ROLE_MAKING = (
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePolicy",
    "iam:PutRolePermissionsBoundary",
)
"""Actions on a role for which IAM has the condition key `iam:PermissionsBoundary`. `iam:UpdateAssumeRolePolicy` has it
as well, but the two auth roles of an environment that was made by `amplify push` carry no boundary."""

OTHER_IDENTITIES = (
    "iam:*Delegation*",
    "iam:AddClientIDToOpenIDConnectProvider",
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateGroup",
    "iam:CreateLoginProfile",
    "iam:CreateOpenIDConnectProvider",
    "iam:CreateSAMLProvider",
    "iam:CreateServiceSpecificCredential",
    "iam:CreateUser",
    "iam:PutGroupPolicy",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
    "iam:ResetServiceSpecificCredential",
    "iam:UpdateAccessKey",
    "iam:UpdateLoginProfile",
    "iam:UpdateOpenIDConnectProviderThumbprint",
    "iam:UpdateSAMLProvider",
    "iam:UpdateServiceSpecificCredential",
    "iam:Up*SSHPublicKey",
    "iam:Up*SigningCertificate",
)
"""Ways to another identity than a role, and to open one that is there: none of them is a backend's business."""

IAM_CHANGES = tuple(actions_of("iam", "Attach* Create* Delete* Detach* Put* Set* Tag* Untag* Update*"))


def boundary(access: EnvironmentAccess) -> PolicyDocument:
    """The boundary that the assembler puts on the backend's roles, and `deploy` on the program's."""
    names = access.names
    # The more neighbours there are in one account, the fewer kinds of their things have room: tags tell the others.
    some = (_statements(access, NEIGHBOURS_KINDS[:count]) for count in range(len(NEIGHBOURS_KINDS), 0, -1))
    least = _statements(access, ())
    statements = next((found for found in some if size(document(found)) <= MANAGED_ROOM), least)
    return PolicyDocument(
        name=names.boundary,
        path=names.path,
        description=f"The most that roles of {names.prefix} can do",
        document=document(statements),
        arn=names.boundary_arn,
    )


def _statements(access: EnvironmentAccess, kinds: Collection[str]) -> list[Statement]:
    names = access.names
    # A backend with a pipeline of its own has roles for that one's actions.
    assume = ["sts:AssumeRole"] if access.containers else []
    return [
        allow("Services", [*(f"{service}:*" for service in services(access)), *_actions(access)], "*"),
        allow("RewriteAuthTrust", ["iam:GetRole", "iam:UpdateAssumeRolePolicy"], access.auth_role_arns),
        allow("PassRoles", ["iam:PassRole", *assume], _made_roles(access)),
        allow("BoundedRoles", ROLE_MAKING, _made_roles(access), _with_boundary(access)),
        # Functions of custom resources ask it: that of the analytics category which app to delete, that of the
        # container API whether its stack is being rolled back.
        allow("OwnStacks", "cloudformation:DescribeStacks", access.stack_arns),
        # A pattern of names might cover one of ours.
        deny("OurRolesStay", ["iam:*", *assume], names.iam_arn("role", ROOT_PATH, "*")),
        *off_limits(access, kinds),
    ]


def services(access: EnvironmentAccess) -> list[str]:
    """The services that roles of the backend may use as a whole, but for what is off limits."""
    pipeline = PIPELINE_SERVICES if access.containers else ()
    return sorted({*RUNTIME_SERVICES, *pipeline, *access.boundary_services})


def _actions(access: EnvironmentAccess) -> list[str]:
    return [action for action in RUNTIME_ACTIONS if action.partition(":")[0] not in services(access)]


def lets_pass(action: str, further: Collection[str] = (), *, containers: bool = False) -> bool:
    """Whether a boundary with `further` services lets an action pass that a policy of the backend gives (`s3:Get*`).

    By services, as it is written; what is off limits stays so. An action of IAM that is let pass for some roles only
    passes: which roles an expression in a template means, only AWS knows.
    """
    service, _, name = action.lower().partition(":")
    if service in {*RUNTIME_SERVICES, *further, *(PIPELINE_SERVICES if containers else ())}:
        return True
    known = {
        *(a.lower() for a in RUNTIME_ACTIONS),
        "cloudformation:describestacks",
        "iam:getrole",
        "iam:passrole",
        "iam:updateassumerolepolicy",
        *(a.lower() for a in ROLE_MAKING),
    }
    known |= {"sts:getcalleridentity"}  # needs no right at all
    known |= {"sts:assumerole"} if containers else set()
    return f"{service}:{name}" in known


def guards(
    access: EnvironmentAccess, *, passes_execution_role: bool = False, nests_stacks: bool = False
) -> list[Statement]:
    """Denials for whatever makes roles: ours stay as they are, and every new one carries the boundary.

    `nests_stacks`: the execution role itself, which hands itself on to CloudFormation for each nested stack.
    """
    names = access.names
    everything = names.arn("iam", "*", region="")
    ours = [names.iam_arn(kind, ROOT_PATH, "*") for kind in ("role", "policy")]
    unpassed = deny("OurRolesAreNotPassed", "iam:PassRole", names.iam_arn("role", ROOT_PATH, "*"))
    if passes_execution_role:
        unpassed["NotResource"] = _passable(access)
        del unpassed["Resource"]
    elif nests_stacks:
        unpassed["Condition"] = {"StringNotEquals": _TO_CLOUDFORMATION}
    return [
        deny(
            "RolesCarryTheBoundary",
            ROLE_MAKING,
            everything,
            {"StringNotEquals": {"iam:PermissionsBoundary": names.boundary_arn}},
        ),
        deny("BoundariesStay", ["iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary"], everything),
        deny("OurRolesStay", IAM_CHANGES, ours),
        unpassed,
        *([_only_itself_to_cloudformation(access)] if nests_stacks else []),
        deny("OnlyRoles", OTHER_IDENTITIES, everything),
    ]


_TO_CLOUDFORMATION = {"iam:PassedToService": "cloudformation.amazonaws.com"}


def nested_stacks(access: EnvironmentAccess) -> Statement:
    """CloudFormation passes a stack's role on to each of its nested stacks, with the rights of that very role."""
    return allow("NestedStacks", "iam:PassRole", access.names.execution_role_arn, {"StringEquals": _TO_CLOUDFORMATION})


def _only_itself_to_cloudformation(access: EnvironmentAccess) -> Statement:
    """The other half of `OurRolesAreNotPassed`, which has no way to name all roles but one."""
    denied = deny("OnlyItselfToCloudFormation", "iam:PassRole", None, {"StringEquals": _TO_CLOUDFORMATION})
    return {**denied, "NotResource": access.names.execution_role_arn}


def _passable(access: EnvironmentAccess) -> list[str]:
    return sorted({access.names.execution_role_arn, access.program_role_pattern})


def _made_roles(access: EnvironmentAccess) -> Iterable[str]:
    return (*access.backend_role_patterns, access.program_role_pattern)


def _with_boundary(access: EnvironmentAccess) -> dict[str, dict[str, str]]:
    return {"StringEquals": {"iam:PermissionsBoundary": access.names.boundary_arn}}
