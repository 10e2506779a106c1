"""The life of one resource through a stand-in's servicer in this process, in a real account of the local AWS.

What the engine does between two calls is done here: it checks inputs, keeps the state, and asks for differences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_rehearsal.providers.classic.provider import ClassicProvider
from aws_rehearsal.providers.session import AwsSession
from aws_rehearsal.providers.wire import Properties, decode, plain
from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.provider_calls import Calls, FakeSession

REPLACING = "replaces"


@dataclass
class AccountSession(FakeSession):
    """A session of the account's administrator; `clients` are those that the test has made up."""

    developer: LocalAccount | None = None

    def client(self, service: str, region: str | None = None) -> Any:
        if service in self.clients or self.developer is None:
            return self.clients[service]
        return self.developer.client(service)


@dataclass
class Life:
    """One resource: `resource_id` and `state` are what the engine keeps of it."""

    calls: Calls
    resource_id: str = ""
    state: Properties = field(default_factory=dict)
    inputs: Properties = field(default_factory=dict)

    def check(self, inputs: Properties) -> Properties:
        checked, failures = self.calls.check(inputs, self.inputs)
        assert failures == []
        return checked

    def create(self, **inputs: Any) -> Properties:
        self.inputs = self.check(inputs)
        self.resource_id, self.state = self.calls.create(self.inputs)
        return self.seen

    @property
    def seen(self) -> Properties:
        """The state without secret marks."""
        found: Properties = plain(self.state)
        return found

    def refresh(self) -> Properties | None:
        """The state as a refresh finds it, None if the resource is gone."""
        answer = self.calls.read(self.resource_id, self.state, self.inputs)
        if not answer.id:
            return None
        self.state = decode(answer.properties)
        return self.seen

    def differences(self, **inputs: Any) -> Mapping[str, bool]:
        """What an update to these inputs would change: property -> whether it replaces."""
        answer = self.calls.diff(self.state, self.check(inputs))
        return {name: name in answer.replaces for name in answer.diffs}

    def update(self, **inputs: Any) -> Properties:
        self.inputs = self.check(inputs)
        self.state = self.calls.update(self.state, self.inputs, resource_id=self.resource_id)
        return self.seen

    def delete(self) -> None:
        self.calls.delete(self.resource_id, self.state)

    def imported(self, resource_id: str) -> tuple[str, Properties]:
        """The id and the inputs that an import of this id gives."""
        answer = self.calls.read(resource_id)
        return answer.id, plain(decode(answer.inputs))


def live(token: str, developer: LocalAccount | None = None, **clients: Any) -> Life:
    """A resource type in an account, or with clients that the test has made up."""
    provider = ClassicProvider("7.0.0")
    session: AwsSession = AccountSession(clients, developer=developer)
    provider._session = session
    return Life(Calls(provider, token))
