"""The one place that makes provider instances: one per account and region, guarded by the account's id."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

SESSION = "amplify-delivery"
"""Name of the sessions of assumed roles: what CloudTrail shows."""


@dataclass(frozen=True)
class Access:
    """How an account is reached: `account` has 12 digits; `profile` is one of the AWS configuration,
    `role_arn` a role to assume with it. Without both it is whatever the AWS SDK finds."""

    account: str
    region: str
    profile: str | None = None
    role_arn: str | None = None
    tags: Mapping[str, str] | None = None
    """Tags of everything that is made with it."""


def aws_provider(name: str, access: Access, opts: pulumi.ResourceOptions | None = None) -> aws.Provider:
    """A provider that refuses to work in any other account than `access.account`.

    Roles are typed objects: a plain dict leaves the SDK as JSON with the key `role_arn`, which the provider,
    expecting `roleArn`, ignores without a word.
    """
    roles = None
    if access.role_arn:
        roles = [aws.ProviderAssumeRoleArgs(role_arn=access.role_arn, session_name=SESSION)]
    return aws.Provider(
        name,
        region=access.region,
        profile=access.profile,
        assume_roles=roles,
        allowed_account_ids=[access.account],
        default_tags=aws.ProviderDefaultTagsArgs(tags=access.tags) if access.tags else None,
        opts=opts,
    )


def aws_native_provider(
    name: str, access: Access, opts: pulumi.ResourceOptions | None = None
) -> pulumi.ProviderResource:
    """The same for the Cloud Control provider.

    `skip_credentials_validation` is true in its SDK unless said otherwise, and with it the account guard is off.
    """
    import pulumi_aws_native as native  # noqa: PLC0415 - 0.2 s that only programs which use it should pay

    role = native.ProviderAssumeRoleArgs(role_arn=access.role_arn, session_name=SESSION) if access.role_arn else None
    return native.Provider(
        name,
        region=access.region,
        profile=access.profile,
        assume_role=role,
        allowed_account_ids=[access.account],
        default_tags=native.ProviderDefaultTagsArgs(tags=access.tags) if access.tags else None,
        skip_credentials_validation=False,
        opts=opts,
    )
