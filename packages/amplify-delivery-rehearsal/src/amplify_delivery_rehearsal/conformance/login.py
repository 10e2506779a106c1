"""A login of AWS that renews itself: `credential_process` of a profile, which hands out one session, and later another.

A session of AWS lives for a quarter of an hour at least ("AssumeRole" in the STS API reference); nobody waits that long
here. So the first one is said to end some seconds after whoever asked got it, as the last of its life is, and from
`renew` on nobody gets it any more. Whoever has kept it then is refused, as AWS does.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aws_rehearsal.local_aws import Credentials

PROFILE = "login"
_LEFT = 10
"""Seconds that the first session is said to have left: more than any process takes from being asked to being heard."""


class Login:
    """Two sessions of one principal, one after the other. `renewed` tells when the second began, in UTC."""

    def __init__(self, folder: Path, first: Credentials, second: Credentials) -> None:
        self._first, self._second, self._file = first, second, folder / "login"
        self.renewed: datetime | None = None
        _write(self._file, first, _LEFT)
        config = f"[profile {PROFILE}]\ncredential_process = sh {self._file}\n"
        (folder / "config").write_text(config, encoding="utf-8")
        self.variables: Mapping[str, str] = {
            "AWS_CONFIG_FILE": str(folder / "config"),
            "AWS_PROFILE": PROFILE,
            # These would go before the profile.
            **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), ""),
        }

    def renew(self) -> None:
        """Hand out the second session from now on; return when the first has ended for everybody who has it."""
        _write(self._file, self._second, 3600)
        self.renewed = datetime.now(UTC)
        while datetime.now(UTC) < self._end:
            time.sleep(0.1)

    @property
    def _end(self) -> datetime:
        """When the first ended. Whoever got it in the moment of the change has it for the whole time."""
        assert self.renewed is not None  # noqa: S101 - asked for after `renew` only
        return self.renewed + timedelta(seconds=_LEFT + 1)

    def ended(self, headers: Any) -> bool:
        """Whether a request was signed with the first session when that had ended."""
        signed = datetime.strptime(str(headers.get("X-Amz-Date")), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return self.renewed is not None and self._is(self._first, headers) and signed >= self._end

    def is_second(self, headers: Any) -> bool:
        """Whether a request was signed with the second session."""
        return self._is(self._second, headers)

    @staticmethod
    def _is(session: Credentials, headers: Any) -> bool:
        return bool(re.search(rf"Credential={session.access_key_id}/", headers.get("Authorization") or ""))


def _write(file: Path, session: Credentials, left: int) -> None:
    """Whole at any time: somebody may be asking."""
    document = {
        "Version": 1,
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
    }
    begun = json.dumps(document)[:-1].replace("'", "'\\''")
    form = "+%Y-%m-%dT%H:%M:%SZ"
    script = (
        f"ends=$(date -u -d '+{left} seconds' '{form}' 2>/dev/null || date -u -v+{left}S '{form}')\n"
        f'printf \'%s, "Expiration": "%s"}}\\n\' \'{begun}\' "$ends"\n'
    )
    new = file.with_name(f"{file.name}.new")
    new.write_text(script, encoding="utf-8")
    new.replace(file)
