"""A place that the doctor looks at: a stack, and what its file says of its account."""

from __future__ import annotations

from dataclasses import dataclass

from amplify_delivery.components.names import partition
from amplify_delivery.publishing.target import cli_options

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

    @property
    def options(self) -> str:
        """What a command of the AWS CLI takes to ask the account there."""
        return cli_options(self.region, self.profile)

    def aws(self, command: str, region: str | None = None) -> str:
        """A command of the AWS CLI as somebody can type it, for this region or another."""
        # The CLI takes no role but a profile's.
        role = f" (with the rights of {self.role_arn})" if self.role_arn else ""
        return f"`aws {command} {cli_options(region or self.region, self.profile)}`{role}"
