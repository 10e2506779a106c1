"""The local AWS: several accounts on this machine's loopback interface, with identity enforcement on."""

from __future__ import annotations

from aws_rehearsal.local_aws.credentials import Credentials, environment
from aws_rehearsal.local_aws.local_aws import LocalAws, random_account

__all__ = ["Credentials", "LocalAws", "environment", "random_account"]
