"""Whose credentials there are, how long they last, and whether they are of the account that the stack file names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from amplify_delivery.delivery.doctor.lines import Line
from amplify_delivery.delivery.doctor.place import Place

_SHORT = timedelta(hours=1)
"""A deployment of many nested stacks takes as long."""


@dataclass(frozen=True)
class Caller:
    """What STS says of the credentials (`GetCallerIdentity`)."""

    account: str
    arn: str


@dataclass(frozen=True)
class NoCaller:
    """Why it says nothing."""

    said: str
    remedy: str


def judge(found: Caller | NoCaller, place: Place, ends: datetime | None, now: datetime) -> Iterator[Line]:
    """Lines `credentials` and `account`; `ends` is when credentials in variables end, by AWS_CREDENTIAL_EXPIRATION."""
    if isinstance(found, NoCaller):
        yield Line("credentials", "error", found.said, found.remedy)
        yield Line("account", "not known", "there are no credentials to ask with")
        return
    yield _credentials(found, ends, now)
    if found.account == place.account:
        yield Line("account", "ok", f"{place.account}, as Pulumi.{place.stack}.yaml says")
        return
    yield Line(
        "account",
        "error",
        f"the credentials are of account {found.account}, and Pulumi.{place.stack}.yaml says {place.account}",
        f"use credentials of {place.account}: set AWS_PROFILE, or `pulumi config set -s {place.stack} profile NAME`",
    )


def _credentials(found: Caller, ends: datetime | None, now: datetime) -> Line:
    if found.arn.endswith(":root"):
        return Line(
            "credentials",
            "warning",
            f"{found.arn}: the account's root user, whom nothing limits and who assumes no role",
            "use a role or a user: `aws configure sso` sets up a profile for people",
        )
    if ends is not None and ends - now < _SHORT:
        left = max(0, int((ends - now).total_seconds() // 60))
        return Line(
            "credentials",
            "warning",
            f"{found.arn}, for {left} minutes more: a deployment may take longer",
            "log in again before you deploy; those of a profile renew themselves (AWS_PROFILE, or `profile` in the "
            "stack file)",
        )
    return Line("credentials", "ok", found.arn)
