"""How many builds of CodeBuild an account runs at the same time. In a new account that may be one.

"Quotas for AWS CodeBuild", "Concurrently running builds for Linux/Small environment": per region and size. CodeBuild
queues what is beyond it, up to five times as much ("Builds in AWS CodeBuild"); users of new accounts tell that it
refuses sooner (aws-cdk 17744, landing-zone-accelerator-on-aws 249), and CodePipeline fails the action then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.publishing.aws_errors import suppressing_all

BUILDS_PER_ENVIRONMENT = 2
"""What a pipeline runs at the same time: one release is planned or tested while the one in front is deployed."""


@dataclass(frozen=True)
class BuildQuota:
    """A quota as Service Quotas tells it."""

    code: str
    builds: int


def quota_of(account: Account, compute_type: str) -> BuildQuota | None:
    """The quota of an account and region for a compute type, such as BUILD_GENERAL1_SMALL; None if nobody tells."""
    with suppressing_all():
        return find(account.client("service-quotas"), compute_type)
    return None  # no right to ask, or nobody to ask: it is a hint, no more


def find(service_quotas: Any, compute_type: str) -> BuildQuota | None:
    """The same, of a client of Service Quotas; None if there is none by that name. Raises botocore's errors."""
    size = compute_type.rpartition("_")[2]
    named = f"concurrently running builds for linux/{size} environment".lower()
    for page in service_quotas.get_paginator("list_service_quotas").paginate(ServiceCode="codebuild"):
        for found in page["Quotas"]:
            if found["QuotaName"].lower() == named:
                return BuildQuota(found["QuotaCode"], int(found["Value"]))
    return None


def note(quota: BuildQuota | None, account: str, region: str, environments: int, options: str) -> str | None:
    """What to say of a quota that is too small for so many environments; None if there is nothing to say. `options` is
    what a command of the AWS CLI takes to ask the account there."""
    wanted = BUILDS_PER_ENVIRONMENT * environments
    if quota is None or quota.builds >= wanted:
        return None
    return (
        f"account {account} runs {quota.builds} of CodeBuild's builds at the same time in {region}, and the pipeline "
        f"wants {wanted}: further ones wait in a queue, or fail with `Cannot have more than ... builds in queue for "
        "the account`, and are then retried by hand. To have it raised: `aws service-quotas "
        f"request-service-quota-increase --service-code codebuild --quota-code {quota.code} --desired-value "
        f"{max(wanted, 10)} {options}`"
    )
