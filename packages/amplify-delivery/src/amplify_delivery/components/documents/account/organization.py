"""The organization's guard: a service control policy that protects the names which action roles trust.

An action role trusts the pipeline's role by its name. Whoever may make or change a role of that name in the tooling
account is the pipeline; inside the account only its administrators decide who that is. This policy takes it from them
as well, but for the roles that are named. "Service control policies (SCPs)" in the AWS Organizations user guide.
"""

from collections.abc import Iterable

from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.components.documents.statements import Document, deny, document

CHANGES = (
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
)
"""Not `iam:PutRolePolicy`: UpdatePipeline writes the list of action roles, within the role's boundary."""


def protect_pipeline_role(pipeline: PipelineNames, administrators: Iterable[str]) -> Document:
    """A service control policy for the tooling account; `administrators` are role ARN patterns that keep the right."""
    return document(
        [
            deny(
                "PipelineRoleOfAmplifyDelivery",
                CHANGES,
                pipeline.role_arn(),
                {"ArnNotLike": {"aws:PrincipalArn": administrators}},
            ),
            deny(
                "BoundariesOfAmplifyDelivery",
                ["iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:SetDefaultPolicyVersion"],
                [pipeline.boundary_arn(what) for what in ("pipeline", "update")],
                {"ArnNotLike": {"aws:PrincipalArn": administrators}},
            ),
        ]
    )
