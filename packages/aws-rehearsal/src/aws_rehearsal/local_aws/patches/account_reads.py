"""What an account says of itself is told to whoever may ask: Account Management, and Lambda's account settings.

MiniStack finds no action in these requests, and lets everybody ask.
AWS: "Actions, resources, and condition keys for AWS Account Management" and "... for AWS Lambda", service authorization
reference: `account:GetRegionOptStatus`, `account:ListRegions` and their like, `lambda:GetAccountSettings`.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions

from ._expect import PatchError, expect, replace

_SETTINGS = "account-settings"


def apply() -> None:
    """Name the actions: those of Account Management by its model, Lambda's by its path."""
    known = getattr(iam_actions, "_BOTOCORE_SERVICE_MAP", None)
    if not isinstance(known, dict) or "account" in known:
        raise PatchError("MiniStack knows the calls of Account Management now, or has no table of models")
    known["account"] = ["account"]
    original = expect(iam_actions, "_lambda_action", "method", "path")

    def lambda_action(method: str, path: str) -> Any:
        if method == "GET" and path.strip("/").rpartition("/")[2] == _SETTINGS:
            return "GetAccountSettings"
        return original(method, path)

    replace("_lambda_action", lambda_action, iam_actions)


def probe(aws: Any) -> bool:
    """A role without rights is told neither."""
    session = aws.assume(aws.role(aws.owner, "account-nobody"), aws.owner)
    asked = {"RegionName": "eu-west-1"}
    calls = (
        lambda who: aws.rest(who, "account", "POST", "/getRegionOptStatus", asked),
        lambda who: aws.rest(who, "lambda", "GET", "/2016-08-19/account-settings/"),
    )
    return all(aws.succeeds(lambda c=c: c(aws.owner)) and not aws.succeeds(lambda c=c: c(session)) for c in calls)
