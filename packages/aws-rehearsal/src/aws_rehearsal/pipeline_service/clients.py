"""boto3 clients of the local AWS for the credentials the service acts with; made once per credentials."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from aws_rehearsal.local_aws import Credentials
from aws_rehearsal.pipeline_service.errors import ActionError
from aws_rehearsal.pipeline_service.gate import Gate

_CONFIG = Config(
    retries={"max_attempts": 1}, s3={"addressing_style": "path"}, proxies={}, max_pool_connections=32, read_timeout=120
)


class Clients:
    """Clients by service, credentials and region. Safe to use from several threads, as boto3's clients are."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        # Nobody's profile: it may not even exist.
        without = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
        self._session = boto3.session.Session(
            aws_access_key_id="-",
            aws_secret_access_key="-",  # noqa: S106
            botocore_session=without,
        )
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str, str], Any] = {}

    def get(self, service: str, credentials: Credentials, region: str) -> Any:
        """A client of `service` with `credentials`."""
        key = (service, credentials.access_key_id, region)
        with self._lock:
            if key not in self._made:
                self._made[key] = self._session.client(
                    service,
                    endpoint_url=self.endpoint,
                    region_name=region,
                    aws_access_key_id=credentials.access_key_id,
                    aws_secret_access_key=credentials.secret_access_key,
                    aws_session_token=credentials.session_token,
                    config=_CONFIG,
                )
            return self._made[key]

    def assume(self, credentials: Credentials, role: str, session_name: str, region: str) -> Credentials:
        """Credentials of `role`, assumed with `credentials`. Raises boto3's `ClientError`."""
        found = self.get("sts", credentials, region).assume_role(RoleArn=role, RoleSessionName=session_name[:64])
        keys = found["Credentials"]
        return Credentials(role.split(":")[4], keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


@dataclass(frozen=True)
class Access:
    """The ways into the local AWS: its API with a role's credentials, and the questions only the service may ask."""

    gate: Gate
    clients: Clients


def failure_of(error: ClientError, doing: str) -> ActionError:
    """An AWS error as an action's failure: its code, and what was being done."""
    details = error.response.get("Error", {})
    code = str(details.get("Code", "JobFailed"))
    if code in ("AccessDenied", "AccessDeniedException", "403"):
        code = "PermissionError"
    return ActionError(code, f"{doing}: {details.get('Message', error)}")
