"""Whether an environment's account is bootstrapped for this program, and runs as many builds as its pipeline wants."""

from __future__ import annotations

from amplify_delivery.delivery.account import bootstrap_version
from amplify_delivery.delivery.account.build_quota import BuildQuota, note
from amplify_delivery.delivery.doctor.lines import Line
from amplify_delivery.delivery.doctor.place import Place
from amplify_delivery.stacks.config import EnvironmentConfig


def judge(value: str | None, config: EnvironmentConfig, account_stack: str) -> Line:
    """Line `bootstrap`: the version that the account's stack has written."""
    refusal = bootstrap_version.judged(value, config, account_stack)
    if refusal is None:
        return Line("bootstrap", "ok", f"version {value}, which this program needs")
    return Line("bootstrap", "error", refusal.message, refusal.remedy)


def builds(quota: BuildQuota | None, size: str, environments: int, place: Place) -> Line:
    """Line `builds`: how many of CodeBuild's builds of that size run at the same time, for so many environments of the
    account and region (a pipeline's own account: one)."""
    if quota is None:
        return Line("builds", "not known", f"Service Quotas names no limit for Linux/{size}")
    said = note(quota, place.account, place.region, environments, place.options)
    if said is None:
        return Line("builds", "ok", f"CodeBuild runs {quota.builds} Linux/{size} builds at the same time")
    told, _, command = said.partition(" To have it raised: ")
    return Line("builds", "warning", told, f"have it raised: {command}")
