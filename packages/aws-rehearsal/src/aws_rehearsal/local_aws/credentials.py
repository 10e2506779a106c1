"""Credentials for the local AWS, and the environment that lets a process use them and nothing else."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

_NOWHERE = os.devnull


@dataclass(frozen=True)
class Credentials:
    """A key pair of one account; with `session_token` those of an assumed role."""

    account: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


def environment(endpoint: str, credentials: Credentials, region: str) -> dict[str, str]:
    """Variables for a process that should use `credentials` at `endpoint` and can reach no real account.

    Add them to an environment without other `AWS_*` variables: `without_aws` makes one. A real profile of the
    user can't be reached, since both of AWS's files are said to be elsewhere and the instance metadata is off.
    """
    variables = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": _NOWHERE,
        "AWS_SHARED_CREDENTIALS_FILE": _NOWHERE,
        # A proxy of the user's can't reach her own loopback interface.
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
    if credentials.session_token:
        variables["AWS_SESSION_TOKEN"] = credentials.session_token
    return variables


def without_aws(variables: dict[str, str]) -> dict[str, str]:
    """`variables` without everything that would lead an AWS SDK to an account or an endpoint."""
    return {name: value for name, value in variables.items() if not name.startswith("AWS_")}
