"""What programs in other languages pass: the keys of an environment's stack file (docs/configuration.md), which
describes them, and the secrets beside them.

No `from __future__ import annotations` here: the SDK makes the schema of the types themselves.
"""

from typing import NotRequired, TypedDict

import pulumi


class DataLoss(TypedDict):
    """Data that may be lost: one resource, with a reason, in one plan or until a day."""

    path: str
    reason: str
    plan: NotRequired[str]
    until: NotRequired[str]


class Ignored(TypedDict):
    """A finding that does not count in this environment, with a reason: CloudFormation has the last word."""

    id: str
    reason: str


class Lint(TypedDict):
    """What is found out about templates before they are published (docs/linting.md)."""

    ignore: NotRequired[list[Ignored]]


class AmplifyBackendArgs(TypedDict):
    """The environment, as a stack file describes one; its secrets beside it."""

    account: str
    region: str
    environment: str
    export: NotRequired[str]
    assembly: NotRequired[str]
    values_from: NotRequired[str]
    suffix: NotRequired[str]
    parameters: NotRequired[dict[str, dict[str, str]]]
    secrets: NotRequired[dict[str, dict[str, pulumi.Input[str]]]]
    """Parameters whose values are secrets: nested stack -> parameter -> value."""
    kept_literals: NotRequired[list[str]]
    api_key_expires: NotRequired[str]
    profile: NotRequired[str]
    role_arn: NotRequired[str]
    execution_role_arn: NotRequired[str]
    bootstrapped: NotRequired[bool]
    boundary: NotRequired[bool]
    protect: NotRequired[bool]
    production: NotRequired[bool]
    data_loss: NotRequired[list[DataLoss]]
    lint: NotRequired[Lint]


class StagingAreaArgs(TypedDict):
    """A bucket for published objects, as `AmplifyBackend` makes one for an environment that is not bootstrapped."""

    bucket_name: str
    """Name in S3's account-regional namespace: it ends in -ACCOUNT-REGION-an."""
    account: str
    """The 12 digits of the account that owns it."""
    region: str
    """AWS region, as in eu-west-1."""
    customer_key: NotRequired[bool]
    """Encrypt with a KMS key of its own, instead of S3's keys. Default: false."""
    key_alias: NotRequired[str]
    """An alias for that key, with `alias/`."""
    artifacts_days: NotRequired[int]
    """How many days artifacts stay that a CI puts here. Default: for ever, for none are put."""
    force_destroy: NotRequired[bool]
    """Delete the bucket with everything in it when it is destroyed. Default: false."""
