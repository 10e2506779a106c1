"""Where an assembly is published: a bucket, the account that owns it, and whose credentials write there."""

from __future__ import annotations

import shlex
from dataclasses import dataclass


def cli_options(region: str, profile: str | None) -> str:
    """What a command of the AWS CLI takes to ask the account of a stack file, in a message."""
    return f"--region {region}{f' --profile {shlex.quote(profile)}' if profile else ''}"


@dataclass(frozen=True)
class PublishTarget:
    """A staging bucket and how to reach it.

    `account` is the bucket owner's 12 digits; the credentials must belong to it. `profile` and `role_arn`
    are those of the stack's own provider: nothing else that lies around in the environment is preferred.
    """

    bucket: str
    account: str
    region: str
    profile: str | None = None
    role_arn: str | None = None
    repository: str | None = None
    """The ECR repository of the environment's container images, in the same account and region."""

    @property
    def options(self) -> str:
        """What an `aws` command takes to ask the same account, for a message."""
        return cli_options(self.region, self.profile)

    def __str__(self) -> str:
        return f"bucket {self.bucket} (account {self.account}, {self.region})"
