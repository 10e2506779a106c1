"""Clients of a place's account for several threads, and what it means that AWS does not answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from amplify_delivery.delivery.doctor.place import Place
from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing.aws_errors import Refusal, suppressing_all
from amplify_delivery.publishing.credentials import client_config, provider_session

_CONNECT, _READ = 5, 20
"""Seconds; somebody waits for the answer, and asks again if there is none."""


NOBODY_ASKS = "there are no credentials to ask with"


class NotKnownError(RefusedError):
    """A question that AWS does not answer; `right` is the IAM action that is missing, if that is why."""

    def __init__(self, message: str, *, right: str = "", remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.right = right


class Clients:
    """boto3's clients of one place; those are for several threads, the session that makes them is not.

    Raises botocore's errors where there are no such credentials.
    """

    def __init__(self, place: Place) -> None:
        self._session = provider_session(place.region, place.profile, place.role_arn)
        self._lock = threading.Lock()

    def client(self, service: str, region: str | None = None) -> Any:
        """A client of a service, in the place's region or another."""
        return self._made(service, region, {})

    def unsigned(self, service: str) -> Any:
        """A client that says nobody's name: whatever it asks is refused, with the time of day."""
        from botocore import UNSIGNED  # noqa: PLC0415 - as boto3, only where AWS is asked

        return self._made(service, None, {"signature_version": UNSIGNED})

    def _made(self, service: str, region: str | None, more: dict[str, Any]) -> Any:
        from botocore.config import Config  # noqa: PLC0415

        patience = Config(
            connect_timeout=_CONNECT,
            read_timeout=_READ,
            retries={"mode": "standard", "total_max_attempts": 3},
            **more,
        )
        with self._lock:
            return self._session.client(service, region_name=region, config=client_config().merge(patience))


def given(clients: Clients | None) -> Clients:
    """Those that there are. Raises `NotKnownError` where nobody can ask."""
    if clients is None:
        raise NotKnownError(NOBODY_ASKS)
    return clients


@contextmanager
def asking(right: str) -> Iterator[None]:
    """Raise `NotKnownError` for whatever AWS refuses in the block, which needs the IAM action `right`."""
    with suppressing_all() as refusal:
        yield
    if refusal.denied:
        raise NotKnownError(
            f"these credentials may not ask: {refusal.said}",
            right=right,
            remedy=f"give them {right}, or let somebody ask who has it (docs/doctor.md)",
        )
    if refusal:
        raise not_known(refusal, "repeat the command")


def not_known(refusal: Refusal, otherwise: str) -> NotKnownError:
    """What AWS has refused for another reason than a missing right, as something that is not known therefore."""
    return NotKnownError(refusal.said, remedy=refusal.remedy(otherwise))
