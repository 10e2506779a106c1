"""Policies of what a target account stores for one environment: state, its key, images.

The staging bucket's own are in `components.documents.staging`.
"""

import json

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.statements import Document, allow, deny, document

KEY_DAYS = 30
"""Days that a key waits before it is deleted, the most that KMS offers: until then it can be had back."""
OLD_VERSIONS_DAYS = 30
"""How long a version of an object stays that was overwritten or deleted, unless it is a state's."""
BUILD_LOG_DAYS = 365
"""How long the logs of builds stay."""
AUDIT_DAYS = 3653
"""How long the audit log stays: ten years."""
ARTIFACTS_DAYS = 90
"""How long an artifact of a CI stays: a job that waits for its approval is over long before."""
STATE_VERSIONS_DAYS = 365
"""How long old versions of the engine's state stay."""


UNTAGGED_EXPIRE = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "description": "Images that nothing refers to",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 365,
                },
                "action": {"type": "expire"},
            }
        ]
    },
    sort_keys=True,
)
"""Expires what has no tag. What is published has one, of its own digest, so an image that runs never goes by itself."""


def state_bucket_policy(owner: EnvironmentNames | PipelineNames) -> Document:
    """The policy of a state bucket: with TLS only. It lets nobody in, so no other account's identity gets there."""
    bucket = owner.bucket_arn(owner.state_bucket)
    everything = [bucket, f"{bucket}/*"]
    tls = {"Bool": {"aws:SecureTransport": "false"}}
    return document([deny("TlsOnly", "s3:*", everything, tls, principal="*")])


def state_key_policy(owner: EnvironmentNames | PipelineNames) -> Document:
    """The policy of a state key: the account's own IAM policies decide."""
    return document([allow("Administration", "kms:*", "*", principal=owner.root_arn)])


def repository_policy(names: EnvironmentNames) -> Document:
    """The policy of the ECR repository: Lambda pulls for functions of this account and region.

    "Amazon ECR permissions" under "Create a Lambda function using a container image" in the Lambda developer guide. It
    documents `aws:SourceArn`, as `cdk bootstrap` has it, and no `aws:SourceAccount`: the ARN holds the account.
    """
    return document(
        [
            allow(
                "LambdaPulls",
                ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                conditions={"StringLike": {"aws:SourceArn": names.arn("lambda", "function:*")}},
                principal={"Service": "lambda.amazonaws.com"},
            )
        ]
    )
