"""A new account may run one build at a time: whoever lets the pipeline in is told."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from amplify_delivery.delivery.account.build_quota import BuildQuota, note, quota_of

QUOTAS = [
    {"QuotaName": "Build projects", "QuotaCode": "L-1", "Value": 5000.0},
    {"QuotaName": "Concurrently running builds for Linux/2XLarge environment", "QuotaCode": "L-2", "Value": 0.0},
    {"QuotaName": "Concurrently running builds for Linux/Small environment", "QuotaCode": "L-3", "Value": 1.0},
]


class Account:
    """One whose Service Quotas answer with these."""

    def __init__(self, *quotas: dict[str, Any], refused: bool = False) -> None:
        self._client = boto3.client(
            "service-quotas", region_name="us-east-1", aws_access_key_id="-", aws_secret_access_key="-"
        )
        stub = Stubber(self._client)
        if refused:
            stub.add_client_error("list_service_quotas", "AccessDeniedException")
        else:
            stub.add_response("list_service_quotas", {"Quotas": list(quotas)}, {"ServiceCode": "codebuild"})
        stub.activate()

    def client(self, service: str) -> Any:
        assert service == "service-quotas"
        return self._client


def asked(account: Any, compute_type: str = "BUILD_GENERAL1_SMALL") -> BuildQuota | None:
    return quota_of(account, compute_type)


def test_the_quota_of_a_size() -> None:
    assert asked(Account(*QUOTAS)) == BuildQuota("L-3", 1)
    assert asked(Account(*QUOTAS), "BUILD_GENERAL1_2XLARGE") == BuildQuota("L-2", 0)


def test_where_nobody_tells_nothing_is_said() -> None:
    assert asked(Account(*QUOTAS), "BUILD_GENERAL1_LARGE") is None
    assert asked(Account(refused=True)) is None
    assert note(None, "222222222222", "us-east-1", 1, "") is None


@pytest.mark.parametrize(
    ("builds", "environments", "said"), [(1, 1, True), (2, 1, False), (3, 2, True), (60, 2, False)]
)
def test_a_quota_that_is_too_small_is_told(builds: int, environments: int, said: bool) -> None:
    told = note(
        BuildQuota("L-3", builds), "222222222222", "eu-west-1", environments, "--region eu-west-1 --profile ops"
    )
    assert (told is not None) is said
    if told:
        assert f"account 222222222222 runs {builds} of CodeBuild's builds at the same time in eu-west-1" in told
        assert "--quota-code L-3 --desired-value 10 --region eu-west-1 --profile ops`" in told
