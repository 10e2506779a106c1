"""What a newer engine needs of accounts and pipeline, told from its wheel alone: before it is installed anywhere.

A wheel carries what each version of an account's stack is about, as `account_versions.json`; the last one is the one
that it needs. docs/bootstrap.md has the whole text of each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from amplify_delivery.delivery.scaffold.wheels import Wheel
from amplify_delivery.errors import ConfigError

_DATA = "amplify_delivery/delivery/scaffold/account_versions.json"


@dataclass(frozen=True)
class AccountVersion:
    """A version of what an account holds (`ACCOUNT_VERSION`)."""

    number: int
    account: str
    """What changes in accounts."""
    pipeline: str
    """What changes in the pipeline; empty if nothing that it does not do itself."""


def account_versions(wheel: Wheel) -> Mapping[int, AccountVersion]:
    """All that the wheel knows of, oldest first. Raises `ConfigError` for a wheel that tells none."""
    text = wheel.read(_DATA)
    if wheel.distribution != "amplify_delivery" or text is None:
        raise ConfigError(
            "is not a wheel of the delivery engine that can be brought to a project",
            where=wheel.file,
            remedy="name the file of amplify_delivery-VERSION-py3-none-any.whl",
        )
    data = json.loads(text)
    return {int(n): AccountVersion(int(n), data[n]["account"], data[n]["pipeline"]) for n in sorted(data, key=int)}


def between(old: Wheel, new: Wheel) -> tuple[AccountVersion, ...]:
    """The versions of accounts that lie between two engines; none if both need the same.

    Raises `ConfigError` for a new one that accounts have left behind.
    """
    before, after = account_versions(old), account_versions(new)
    if max(after) < max(before):
        raise ConfigError(
            f"it knows accounts of version {max(after)} at most, the project's engine has them at {max(before)}",
            where=new.file,
            remedy="accounts do not go back: bring a newer wheel. Nothing was changed",
        )
    return tuple(version for number, version in after.items() if number > max(before))
