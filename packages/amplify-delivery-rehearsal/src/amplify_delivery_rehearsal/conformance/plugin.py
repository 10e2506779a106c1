"""A provider plugin in a process of its own, and a resource's life through it: the engine's side of the protocol."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from aws_rehearsal.providers.errors import ProviderError
from aws_rehearsal.providers.wire import Properties, decode, encode, plain

_SEED = b"0123456789abcdef0123456789abcdef"
_SECONDS = 600.0


class Asked(Protocol):
    """Whoever answers the protocol's calls."""

    def call(self, name: str, request: Any) -> Any:
        """The answer to a request. Raises ProviderError."""


@dataclass
class Plugin:
    """A plugin's process, configured; it ends with the block."""

    binary: Path
    environment: Mapping[str, str]
    arguments: Properties

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [self.binary, "127.0.0.1:0"], env=dict(self.environment), stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None  # noqa: S101
        port = self._process.stdout.readline().strip()
        if not port.isdigit():
            self._process.kill()
            raise ProviderError(f"{self.binary} does not answer as a plugin: {port!r}")
        limits = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self._stub = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}", limits))
        variables = {f"aws:config:{key}": str(value) for key, value in self.arguments.items()}
        request = provider_pb2.ConfigureRequest(
            args=encode(self.arguments), variables=variables, acceptSecrets=True, acceptResources=True
        )
        self.call("Configure", request)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def call(self, name: str, request: Any) -> Any:
        """Raises ProviderError with what the plugin says."""
        try:
            return getattr(self._stub, name)(request, timeout=_SECONDS)
        except grpc.RpcError as error:
            raise ProviderError(f"{name}: {error.details()}") from None


@dataclass
class Resource:
    """One resource; `id`, `inputs` and `state` are what the engine keeps of it."""

    asked: Asked
    token: str
    name: str = "same"
    id: str = ""
    inputs: Properties = field(default_factory=dict)
    state: Properties = field(default_factory=dict)

    @property
    def _common(self) -> dict[str, Any]:
        return {"urn": f"urn:pulumi:dev::same::{self.token}::{self.name}", "name": self.name, "type": self.token}

    def check(self, news: Properties) -> Properties:
        """The inputs as the provider completes them. Raises ProviderError for what it does not take."""
        request = provider_pb2.CheckRequest(
            **self._common, news=encode(news), olds=encode(self.inputs), randomSeed=_SEED
        )
        answer = self.asked.call("Check", request)
        if answer.failures:
            raise ProviderError("; ".join(f"{failure.property}: {failure.reason}" for failure in answer.failures))
        return decode(answer.inputs)

    def diff(self, news: Properties) -> tuple[set[str], set[str]]:
        """The properties that differ, and those that replace."""
        request = provider_pb2.DiffRequest(
            **self._common, id=self.id, olds=encode(self.state), old_inputs=encode(self.inputs), news=encode(news)
        )
        answer = self.asked.call("Diff", request)
        return {_top(path) for path in answer.diffs}, {_top(path) for path in answer.replaces}

    def create(self, news: Properties) -> Properties:
        """The state, without secret marks."""
        self.inputs = self.check(news)
        answer = self.asked.call("Create", provider_pb2.CreateRequest(**self._common, properties=encode(self.inputs)))
        self.id, self.state = answer.id, decode(answer.properties)
        found: Properties = plain(self.state)
        return found

    def refresh(self) -> bool:
        """Whether the resource is there."""
        request = provider_pb2.ReadRequest(
            **self._common, id=self.id, properties=encode(self.state), inputs=encode(self.inputs)
        )
        answer = self.asked.call("Read", request)
        if answer.id:
            self.state, self.inputs = decode(answer.properties), decode(answer.inputs)
        return bool(answer.id)

    def update(self, news: Properties) -> None:
        """Checked, and whatever differs is changed in place."""
        checked = self.check(news)
        request = provider_pb2.UpdateRequest(
            **self._common, id=self.id, olds=encode(self.state), old_inputs=encode(self.inputs), news=encode(checked)
        )
        self.state, self.inputs = decode(self.asked.call("Update", request).properties), checked

    def delete(self) -> None:
        request = provider_pb2.DeleteRequest(**self._common, id=self.id, properties=encode(self.state))
        self.asked.call("Delete", request)


def _top(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]
