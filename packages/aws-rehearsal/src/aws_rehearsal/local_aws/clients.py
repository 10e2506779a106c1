"""boto3's clients of a local AWS: they can reach nothing else, whatever the environment says."""

from __future__ import annotations

import os
import threading
from typing import Any

from aws_rehearsal.local_aws.credentials import Credentials


class Clients:
    """The clients of the server at `endpoint`.

    A client is made once: to make one takes as long as some calls with it, and threads may share it.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._session: Any = None
        self._made: dict[tuple[str, Credentials, str], Any] = {}
        self._making = threading.Lock()

    def client(self, service: str, credentials: Credentials, region: str) -> Any:
        """A client of `service` with these credentials; the same one when asked again."""
        with self._making:
            key = (service, credentials, region)
            if key not in self._made:
                self._made[key] = self._new(*key)
            return self._made[key]

    def _new(self, service: str, credentials: Credentials, region: str) -> Any:
        from botocore.config import Config  # noqa: PLC0415 - the commands start without it

        if self._session is None:
            self._session = _session_without_profiles()
        return self._session.client(
            service,
            endpoint_url=self._endpoint,
            region_name=region,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
            config=Config(
                retries={"max_attempts": 1},
                s3={"addressing_style": "path"},
                proxies={},
                # No name below this host can be resolved (`cp.maps.127.0.0.1`).
                inject_host_prefix=False,
            ),
        )


def _session_without_profiles() -> Any:
    """A boto3 session that looks at none of the user's files; one for all clients, since it keeps their models."""
    import boto3  # noqa: PLC0415 - the commands start without it
    import botocore.session  # noqa: PLC0415

    variables = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    return boto3.session.Session(botocore_session=botocore.session.Session(session_vars=variables))
