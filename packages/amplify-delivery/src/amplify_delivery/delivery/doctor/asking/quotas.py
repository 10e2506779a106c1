"""How much of an account's quotas is used: CloudFormation, IAM, S3, Lambda, CodeBuild, Service Quotas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amplify_delivery.delivery.account import build_quota
from amplify_delivery.delivery.account.build_quota import BuildQuota
from amplify_delivery.delivery.doctor.asking.clients import Clients, NotKnownError, asking
from amplify_delivery.delivery.doctor.judging.room_left import BUCKETS, Functions, Quota, Used
from amplify_delivery.delivery.doctor.place import Place
from amplify_delivery.publishing.aws_errors import suppressing

_GONE = "DELETE_COMPLETE"


@dataclass(frozen=True)
class Limits:
    """CloudFormation's limits of an account and region (`DescribeAccountLimits`)."""

    stacks: int
    resources_at_once: int | None
    """None where CloudFormation tells none."""


def limits(clients: Clients) -> Limits:
    """How many stacks there may be, nested ones included: each counts."""
    with asking("cloudformation:DescribeAccountLimits"):
        pages = clients.client("cloudformation").get_paginator("describe_account_limits").paginate()
        found = {limit["Name"]: int(limit["Value"]) for page in pages for limit in page["AccountLimits"]}
    if "StackLimit" not in found:
        raise NotKnownError("CloudFormation does not say how many stacks there may be")
    return Limits(found["StackLimit"], found.get("ConcurrentResourcesLimit"))


def stacks(clients: Clients) -> tuple[str, ...]:
    """The names of all stacks, nested ones included."""
    with asking("cloudformation:ListStacks"):
        listed = clients.client("cloudformation").get_paginator("list_stacks").paginate()
        return tuple(
            str(stack["StackName"])
            for page in listed
            for stack in page["StackSummaries"]
            if stack["StackStatus"] != _GONE
        )


def identities(clients: Clients) -> tuple[Used, Used]:
    """Roles, and managed policies of the account's own."""
    with asking("iam:GetAccountSummary"):
        found: dict[str, int] = clients.client("iam").get_account_summary()["SummaryMap"]
    try:
        return Used(found["Roles"], found["RolesQuota"]), Used(found["Policies"], found["PoliciesQuota"])
    except KeyError as error:
        raise NotKnownError(f"IAM does not say {error} of the account") from None


def buckets(clients: Clients, place: Place) -> Used:
    """The account's buckets, of all regions."""
    quota = _value(clients.client("service-quotas", place.home), BUCKETS)
    with asking("s3:ListAllMyBuckets"):
        pages = clients.client("s3").get_paginator("list_buckets").paginate()
        return Used(sum(len(page["Buckets"]) for page in pages), int(quota))


def _value(service_quotas: Any, quota: Quota) -> float:
    """The account's quota; where none was ever applied, AWS's default."""
    which = {"ServiceCode": quota.service, "QuotaCode": quota.code}
    with asking("servicequotas:GetServiceQuota"), suppressing("NoSuchResourceException"):
        return float(service_quotas.get_service_quota(**which)["Quota"]["Value"])
    with asking("servicequotas:GetAWSDefaultServiceQuota"):
        return float(service_quotas.get_aws_default_service_quota(**which)["Quota"]["Value"])


def functions(clients: Clients) -> Functions:
    """What Lambda has left."""
    with asking("lambda:GetAccountSettings"):
        found: dict[str, Any] = clients.client("lambda").get_account_settings()
    limit, used = found["AccountLimit"], found["AccountUsage"]
    return Functions(
        int(limit["ConcurrentExecutions"]),
        int(limit["UnreservedConcurrentExecutions"]),
        Used(int(used["TotalCodeSize"]), int(limit["TotalCodeSize"])),
    )


def builds(clients: Clients, compute_type: str) -> BuildQuota | None:
    """CodeBuild's builds at the same time of a compute type; None if Service Quotas has none by that name."""
    with asking("servicequotas:ListServiceQuotas"):
        return build_quota.find(clients.client("service-quotas"), compute_type)
