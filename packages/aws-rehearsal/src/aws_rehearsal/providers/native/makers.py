"""Who makes a resource: a CloudFormation stack of its own, or its service's API where CloudFormation lacks the type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from aws_rehearsal.providers.native.codepipeline import Pipelines, Webhooks
from aws_rehearsal.providers.native.schemas import TypeSchema
from aws_rehearsal.providers.session import AwsSession
from aws_rehearsal.providers.wire import Properties


class Maker(Protocol):
    """What Cloud Control's calls are to the real provider. A handle is what a resource is found by again.

    Every call raises ProviderError, in the words of `outcomes`; deadlines are times of the monotonic clock.
    """

    def create(self, kind: TypeSchema, name: str, properties: Properties, deadline: float) -> tuple[str, Properties]:
        """The new resource's handle and attributes."""

    def update(
        self, kind: TypeSchema, handle: str, olds: Properties, properties: Properties, deadline: float
    ) -> Properties:
        """Bring a resource from `olds`, as it was declared or read last, to `properties`: its attributes after it."""

    def delete(self, handle: str, deadline: float) -> None:
        """Take the resource away; one that is gone already is no error."""

    def read(self, handle: str, declared: Properties) -> tuple[Properties, Properties] | None:
        """Attributes, and the properties that differ from the declared ones; None when the resource is gone."""


_BY_API: dict[str, tuple[str, Callable[[Any], Maker]]] = {
    "AWS::CodePipeline::Pipeline": ("codepipeline", Pipelines),
    "AWS::CodePipeline::Webhook": ("codepipeline", Webhooks),
}
"""Type -> the service whose API makes it, and how. These are also read by their primary identifier alone (imports)."""


def made_by_api(kind: TypeSchema, session: AwsSession) -> Maker | None:
    """The maker of a type that CloudFormation does not have."""
    found = _BY_API.get(kind.name)
    return found and found[1](session.client(found[0]))
