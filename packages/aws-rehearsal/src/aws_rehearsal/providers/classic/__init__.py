"""The stand-in for pulumi-aws ("classic"), type by type: one module per service, loaded when it is first used."""

from __future__ import annotations

from importlib import import_module

from aws_rehearsal.providers.errors import Unsupported
from aws_rehearsal.providers.resource import Invoke, Resource

_MODULES = {
    "aws:cloudformation/stack:Stack": "cloudformation",
    "aws:cloudwatch/eventRule:EventRule": "events",
    "aws:cloudwatch/eventTarget:EventTarget": "events_target",
    "aws:codebuild/project:Project": "codebuild",
    "aws:codestarnotifications/notificationRule:NotificationRule": "codestarnotifications",
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": "ecr",
    "aws:ecr/repository:Repository": "ecr",
    "aws:ecr/repositoryPolicy:RepositoryPolicy": "ecr",
    "aws:iam/policy:Policy": "iam",
    "aws:iam/role:Role": "iam_role",
    "aws:iam/rolePolicy:RolePolicy": "iam_role",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "iam_role",
    "aws:kms/alias:Alias": "kms",
    "aws:kms/key:Key": "kms",
    "aws:s3/bucket:Bucket": "s3_bucket",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "s3_lifecycle",
    "aws:s3/bucketObjectv2:BucketObjectv2": "s3_object",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "s3_companions",
    "aws:s3/bucketPolicy:BucketPolicy": "s3_companions",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "s3_companions",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "s3_companions",
    "aws:s3/bucketVersioning:BucketVersioning": "s3_companions",
    "aws:secretsmanager/secret:Secret": "secretsmanager",
    "aws:secretsmanager/secretVersion:SecretVersion": "secretsmanager",
    "aws:sns/topic:Topic": "sns",
    "aws:sns/topicPolicy:TopicPolicy": "sns",
    "aws:sns/topicSubscription:TopicSubscription": "sns_subscription",
    "aws:ssm/parameter:Parameter": "ssm",
}
_INVOKES = {
    "aws:cloudformation/getStack:getStack": "cloudformation",
    "aws:index/getCallerIdentity:getCallerIdentity": "lookups",
    "aws:index/getPartition:getPartition": "lookups",
    "aws:index/getRegion:getRegion": "lookups",
    "aws:secretsmanager/getSecretVersion:getSecretVersion": "secretsmanager",
}


def resource(token: str) -> Resource:
    """Raises Unsupported for a type that nobody has written down here."""
    if token not in _MODULES:
        raise Unsupported(
            f"unrecognized resource type: {token}: the rehearsal's stand-in for pulumi-aws does not play it\n"
            "  -> make it with pulumi-aws-native, whose stand-in plays every type that the local AWS has, or leave it "
            f"out of the rehearsal by a key of the stack file. Played of pulumi-aws are {', '.join(sorted(_MODULES))}"
        )
    found: Resource = import_module(f"{__name__}.{_MODULES[token]}").TYPES[token]
    return found


def load_all() -> None:
    """Load every module now."""
    for module in {*_MODULES.values(), *_INVOKES.values()}:
        import_module(f"{__name__}.{module}")


def invoke(token: str) -> Invoke:
    if token not in _INVOKES:
        raise Unsupported(
            f"unrecognized data function: {token}. This stand-in for pulumi-aws plays {', '.join(sorted(_INVOKES))}"
        )
    found: Invoke = import_module(f"{__name__}.{_INVOKES[token]}").INVOKES[token]
    return found
