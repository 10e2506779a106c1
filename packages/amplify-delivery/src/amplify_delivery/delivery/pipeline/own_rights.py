"""What of a previewed update the pipeline may not do to itself: said before any part of it is done. Pure.

`amplify_delivery.components.documents.pipeline.update` gives UpdatePipeline its rights; this is what they come to, by
type and operation. A type that is not named here is not judged: what is refused then, AWS refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from amplify_delivery.components.documents.pipeline.model import PipelineModel
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.delivery.planning.program import OPERATIONS
from amplify_delivery.errors import RefusedError


@dataclass(frozen=True)
class _May:
    """The operations that are UpdatePipeline's, and, where it may not change everything, the properties."""

    operations: frozenset[str]
    properties: frozenset[str] | None = None


_TAGS = frozenset({"tags", "tagsAll"})
_UPDATE = frozenset({"update"})
_STORE = frozenset({"create", "update"})

_MAY: Mapping[str, _May] = {
    "aws-native:codepipeline:Pipeline": _May(_UPDATE),
    "aws-native:codepipeline:Webhook": _May(frozenset()),
    "aws-native:logs:LogGroup": _May(_UPDATE),
    "aws:codebuild/project:Project": _May(_UPDATE),
    "aws:iam/policy:Policy": _May(_UPDATE, _TAGS),
    "aws:iam/role:Role": _May(_UPDATE, _TAGS),
    "aws:iam/rolePolicy:RolePolicy": _May(frozenset()),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _May(frozenset()),
    "aws:kms/alias:Alias": _May(frozenset({"create"})),
    "aws:kms/key:Key": _May(_STORE, _TAGS | {"enableKeyRotation", "policy"}),
    "aws:s3/bucket:Bucket": _May(_STORE, _TAGS),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _May(_STORE),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _May(_STORE),
    "aws:s3/bucketPolicy:BucketPolicy": _May(_STORE),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _May(_STORE),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _May(_STORE),
    "aws:s3/bucketVersioning:BucketVersioning": _May(_STORE),
}
_ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
_ACTION_ROLES = _May(_UPDATE, frozenset({"policy"}))
"""Of the pipeline's own role: the list of action roles, and what goes with a region."""


def not_its_own(steps: Iterable[ProgramStep], model: PipelineModel) -> tuple[str, ...]:
    """What of these steps is for a person: type and name each, with the properties that change."""
    found = {}
    for step in steps:
        operation = OPERATIONS.get(step.operation)
        if operation is None:
            continue
        name = step.urn.rpartition("::")[2]
        action_roles = step.type == _ROLE_POLICY and name == f"{model.names.role()}-pipeline"
        may = _ACTION_ROLES if action_roles else _MAY.get(step.type)
        if may is None:
            continue
        wrong = set(step.properties) - may.properties if may.properties is not None and operation == "update" else set()
        if operation not in may.operations or wrong:
            detail = f"{operation} {', '.join(sorted(wrong))}".strip()
            found[step.urn] = f"{step.type} {name} ({detail})"
    return tuple(sorted(found.values()))


def check(steps: Iterable[ProgramStep], model: PipelineModel, stack: str, of: str | None = None) -> None:
    """Raise `RefusedError` if the update holds what UpdatePipeline has no rights for. `of` stands behind `pulumi up`
    for this stack."""
    found = not_its_own(steps, model)
    if found:
        raise RefusedError(
            "the pipeline may not make these changes itself: " + "; ".join(found),
            where=stack,
            remedy="nothing was changed. The tooling account's administrator runs, with this commit, "
            f"`PULUMI_BACKEND_URL='{model.names.state_backend}' pulumi up {of or f'-s {stack}'}`; "
            "then retry this stage",
        )
