"""A place that the doctor looks at: a stack, and what its file says of its account."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from amplify_delivery.components.names import partition

_HOMES = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""Where a partition's global services (IAM, Account Management, quotas of S3 and IAM) answer."""


@dataclass(frozen=True)
class Place:
    """The account and region of a stack, and the credentials that its file names."""

    stack: str
    account: str
    region: str
    profile: str | None = None
    role_arn: str | None = None

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.stack} (account {self.account}, {self.region})"

    @property
    def partition(self) -> str:
        return partition(self.region)

    @property
    def home(self) -> str:
        """The region in which the partition's global services answer; it needs no opting in to."""
        return _HOMES.get(self.partition, self.region)

    def aws(self, command: str, region: str | None = None) -> str:
        """A command of the AWS CLI as somebody can type it, for this region or another."""
        profile = f" --profile {shlex.quote(self.profile)}" if self.profile else ""
        return f"`aws {command} --region {region or self.region}{profile}`"
