"""Clients whose answers are told before, checked by botocore's models."""

from __future__ import annotations

from typing import Any, cast

import boto3
from botocore.stub import ANY, Stubber

from amplify_delivery.delivery.doctor.asking.clients import Clients

REGION = "eu-west-1"


class Stubbed:
    """Clients by service and region. `answer` and `refuse` say what comes next."""

    def __init__(self) -> None:
        self._clients: dict[tuple[str, str], tuple[Any, Stubber]] = {}

    def client(self, service: str, region: str | None = None) -> Any:
        return self._of(service, region)[0]

    def unsigned(self, service: str) -> Any:
        return self.client(service)

    def answer(
        self, service: str, operation: str, answer: dict[str, Any], region: str = REGION, **given: Any
    ) -> Stubbed:
        """The next answer; of what is `given` the names are compared, and the values where they are not ANY."""
        self._of(service, region)[1].add_response(operation, answer, given or None)
        return self

    def refuse(self, service: str, operation: str, code: str, region: str = REGION, date: str | None = None) -> Stubbed:
        """The next answer is a refusal with that code."""
        headers = {"HTTPHeaders": {"date": date}} if date else {}
        self._of(service, region)[1].add_client_error(operation, code, response_meta=headers)
        return self

    @property
    def asking(self) -> Clients:
        """As what is tested takes it."""
        return cast("Clients", self)

    def done(self) -> None:
        """Everything was asked."""
        for _, stub in self._clients.values():
            stub.assert_no_pending_responses()

    def _of(self, service: str, region: str | None) -> tuple[Any, Stubber]:
        key = (service, region or REGION)
        if key not in self._clients:
            client = boto3.client(service, region_name=key[1], aws_access_key_id="-", aws_secret_access_key="-")
            stub = Stubber(client)
            stub.activate()
            self._clients[key] = (client, stub)
        return self._clients[key]


__all__ = ["ANY", "REGION", "Stubbed"]
