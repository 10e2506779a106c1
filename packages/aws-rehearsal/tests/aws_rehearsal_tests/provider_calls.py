"""Calls a stand-in's servicer in this process, as the engine would over gRPC, against AWS answers given by the test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2

from aws_rehearsal.providers.config import ProviderConfig
from aws_rehearsal.providers.session import AwsSession
from aws_rehearsal.providers.wire import Properties, decode, encode

ACCOUNT = "111122223333"


class Aborted(Exception):  # noqa: N818 - it is an answer
    """What a call answered instead of a result."""

    def __init__(self, code: grpc.StatusCode, message: str, context: Context) -> None:
        super().__init__(message)
        self.code, self.context = code, context


@dataclass
class Context:
    """A gRPC context that remembers."""

    trailing: tuple[Any, ...] = ()

    def set_trailing_metadata(self, metadata: tuple[Any, ...]) -> None:
        self.trailing = metadata

    def abort(self, code: grpc.StatusCode, message: str) -> None:
        raise Aborted(code, message, self)


@dataclass
class FakeSession(AwsSession):
    """A session whose clients the test has made; any other client is a mistake."""

    clients: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    region: str = "eu-central-1"

    def __post_init__(self) -> None:
        self.config = ProviderConfig(self.values)
        self._identity = {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:root", "UserId": ACCOUNT}

    def client(self, service: str, region: str | None = None) -> Any:
        return self.clients[service]


@dataclass
class Calls:
    """The engine's side of one resource."""

    provider: Any
    """A `Provider`: gRPC's types know no context but its own."""
    token: str
    name: str = "thing"

    @property
    def _common(self) -> dict[str, Any]:
        return {"urn": f"urn:pulumi:dev::small::{self.token}::{self.name}", "name": self.name, "type": self.token}

    def check(self, news: Properties, olds: Properties | None = None, **more: Any) -> tuple[Properties, list[str]]:
        request = provider_pb2.CheckRequest(**self._common, news=encode(news), olds=encode(olds or {}), **more)
        answer = self.provider.Check(request, Context())
        return decode(answer.inputs), [f"{failure.property}: {failure.reason}" for failure in answer.failures]

    def diff(self, olds: Properties, news: Properties, **more: Any) -> Any:
        more.setdefault("old_inputs", encode(olds))
        request = provider_pb2.DiffRequest(**self._common, id="id", olds=encode(olds), news=encode(news), **more)
        return self.provider.Diff(request, Context())

    def create(self, inputs: Properties, *, preview: bool = False) -> tuple[str, Properties]:
        request = provider_pb2.CreateRequest(**self._common, properties=encode(inputs), preview=preview)
        answer = self.provider.Create(request, Context())
        return answer.id, decode(answer.properties)

    def read(self, resource_id: str, state: Properties | None = None, inputs: Properties | None = None) -> Any:
        request = provider_pb2.ReadRequest(
            **self._common, id=resource_id, properties=encode(state or {}), inputs=encode(inputs or {})
        )
        return self.provider.Read(request, Context())

    def update(
        self, olds: Properties, news: Properties, *, resource_id: str = "id", preview: bool = False, **more: Any
    ) -> Properties:
        request = provider_pb2.UpdateRequest(
            **self._common, id=resource_id, olds=encode(olds), news=encode(news), preview=preview, **more
        )
        return decode(self.provider.Update(request, Context()).properties)

    def delete(self, resource_id: str, state: Properties) -> None:
        request = provider_pb2.DeleteRequest(**self._common, id=resource_id, properties=encode(state))
        self.provider.Delete(request, Context())

    def invoke(self, arguments: Properties) -> Properties:
        """For a function instead of a resource: `token` is its."""
        request = provider_pb2.InvokeRequest(tok=self.token, args=encode(arguments))
        return decode(getattr(self.provider.Invoke(request, Context()), "return"))
