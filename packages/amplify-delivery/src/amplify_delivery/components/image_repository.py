"""The ECR repository of an environment's container images."""

import pulumi
import pulumi_aws as aws

from amplify_delivery.components.documents.account.storage import repository_policy
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.components.documents.statements import to_json


def image_repository(
    name: str, names: EnvironmentNames, opts: pulumi.ResourceOptions, *, scan: bool, force_delete: bool | None = None
) -> tuple[aws.ecr.Repository, aws.ecr.RepositoryPolicy]:
    """A repository whose tags cannot be moved to other images, and the policy by which AWS Lambda may pull from it.
    `scan`: Amazon ECR looks for known vulnerabilities of the packages in each image that is pushed (basic scanning)."""
    repository = aws.ecr.Repository(
        name,
        name=names.repository,
        image_tag_mutability="IMMUTABLE",
        image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=scan),
        force_delete=force_delete,
        opts=opts,
    )
    policy = aws.ecr.RepositoryPolicy(
        name,
        repository=repository.name,
        policy=to_json(repository_policy(names)),
        opts=pulumi.ResourceOptions(parent=opts.parent, provider=opts.provider),
    )
    return repository, policy
