"""When the API keys of what runs expire: as their template says, unless somebody has renewed them since."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.adoption.running import Running
from amplify_delivery.export.model import STACK_TYPE
from amplify_delivery.export.templates.literals import text
from amplify_delivery.export.values.parameters import API_KEY_EXPIRES
from amplify_delivery.publishing.aws_errors import suppressing_all

API_KEY = "AWS::AppSync::ApiKey"
_HOUR = 3600
_KEPT_DAYS = 60
_A_YEAR_DAYS = 364
"""A day less than AppSync takes, for the deployment."""


def expires(account: Account, running: Running) -> int | None:
    """The epoch in seconds at which the keys that run expire, the last of them if they differ; None if there is none.

    AppSync rounds what it is given down to the hour: what it says of a key counts only where it is another hour.
    Without the right to ask (appsync:ListApiKeys) it is what the template says.
    """
    written = max(written_expiries(running.stacks), default=None)
    real = max(_real(account, running), default=None) if _has_key(running.stacks) else None
    return written if real is None or (written is not None and written // _HOUR * _HOUR == real) else real


def expired(environment: str, expires: int | None, now: datetime) -> tuple[str, ...]:
    """What to know of keys that have expired at `now`; nothing of others. AppSync keeps one for 60 days, in which it
    can be renewed (API reference, ApiKey). Pure."""
    ended = None if expires is None else datetime.fromtimestamp(expires, UTC)
    if ended is None or ended > now:
        return ()
    gone = ended + timedelta(days=_KEPT_DAYS)
    if gone > now:
        how = (
            f"Until {gone:%Y-%m-%d} it can be renewed, once the plan is delivered: `pulumi config rm -s {environment} "
            f"--path parameters.root.{API_KEY_EXPIRES} && pulumi config set -s {environment} apiKeyExpires "
            f"{now + timedelta(days=_A_YEAR_DAYS):%Y-%m-%d}`, then plan and deploy"
        )
    else:
        how = (
            "AppSync has deleted it since, and an update of it would fail: for another key take the API key out of the "
            "API's authorization modes (`amplify update api`), deliver that, put it in again, and deliver"
        )
    return (f"the API key has expired on {ended:%Y-%m-%d}: nobody gets in with it. {how}",)


def written_expiries(stacks: Stacks) -> Iterator[int]:
    """When the keys expire by their templates, as far as a number stands there."""
    for resource in stacks.resolved.resources.values():
        if resource.type == API_KEY:
            found = text(resource.properties.get("Expires", ""))
            if found.isdigit():
                yield int(found)


def _has_key(stacks: Stacks) -> bool:
    return any(resource.type == API_KEY for resource in stacks.resolved.resources.values())


def _real(account: Account, running: Running) -> list[int]:
    """What AppSync says of the keys that the stacks have made; a key's id is `.../apis/API/apikeys/KEY`."""
    cloudformation, appsync = account.client("cloudformation"), account.client("appsync")
    with suppressing_all():
        ids = [part.split("/") for part in _physical(cloudformation, running.arn)]
        keys = {(parts[-3], parts[-1]) for parts in ids if len(parts) > 3}
        listing = appsync.get_paginator("list_api_keys")
        pages = [page for api in sorted({api for api, _ in keys}) for page in listing.paginate(apiId=api)]
        return [int(key["expires"]) for page in pages for key in page["apiKeys"] if key["id"] in {k for _, k in keys}]
    return []


def _physical(cloudformation: Any, stack: str) -> Iterator[str]:
    """The physical ids of all API keys in a stack and below it."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    for item in [item for page in pages for item in page["StackResourceSummaries"]]:
        if item["ResourceType"] == STACK_TYPE and item.get("PhysicalResourceId"):
            yield from _physical(cloudformation, item["PhysicalResourceId"])
        elif item["ResourceType"] == API_KEY:
            yield str(item.get("PhysicalResourceId", ""))
