"""The engine's protocol, once for both stand-ins: `pulumirpc.ResourceProvider` of pulumi/provider.proto.

What is common to every provider is here: the handshake, the configuration, and how errors leave. An AWS error becomes a
clean status (never UNKNOWN or INTERNAL, which the engine takes for "the state is unknown"), a partial failure carries
`ErrorResourceInitFailed`.
"""

from __future__ import annotations

import functools
import json
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from google.protobuf import any_pb2, empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from aws_rehearsal.providers.config import ProviderConfig
from aws_rehearsal.providers.errors import InitFailed, ProviderError, aws_error
from aws_rehearsal.providers.schema import ADD, DELETE, Change
from aws_rehearsal.providers.session import AwsSession
from aws_rehearsal.providers.wire import SIGNATURE, UNKNOWN, Properties, decode, encode, has_unknown, plain

Handler = TypeVar("Handler", bound=Callable[..., Any])

_KINDS = {
    (ADD, False): provider_pb2.PropertyDiff.ADD,
    (ADD, True): provider_pb2.PropertyDiff.ADD_REPLACE,
    (DELETE, False): provider_pb2.PropertyDiff.DELETE,
    (DELETE, True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    ("UPDATE", False): provider_pb2.PropertyDiff.UPDATE,
    ("UPDATE", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


def answering(handler: Handler) -> Handler:
    """Turns what a handler raises into a gRPC status."""

    @functools.wraps(handler)
    def answer(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return handler(self, request, context)
        except InitFailed as error:
            _abort_half_made(context, error, self.secrets_of(request))
        except ProviderError as error:
            context.abort(grpc.StatusCode[error.code], str(error))
        except Exception as error:  # noqa: BLE001 - a defect here must not look like an unknown state
            refusal = refused(error)
            context.abort(grpc.StatusCode[refusal.code], str(refusal))

    return answer  # type: ignore[return-value]


def refused(error: Exception) -> ProviderError:
    """An error that nobody has put into words yet."""
    if isinstance(error, ProviderError):
        return error
    if type(error).__module__.startswith("botocore"):
        return aws_error("request refused", error)
    traceback.print_exception(error, file=sys.stderr)
    return ProviderError(f"defect in the stand-in provider: {type(error).__name__}: {error}")


def _abort_half_made(
    context: grpc.ServicerContext, error: InitFailed, marks: Callable[[Properties], Properties]
) -> None:
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.resource_id, properties=encode(marks(error.outputs)), reasons=error.reasons
    )
    packed = any_pb2.Any()
    packed.Pack(detail)
    code = grpc.StatusCode.FAILED_PRECONDITION
    status = status_pb2.Status(code=code.value[0], message=str(error), details=[packed])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, str(error))


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """What the engine asks any provider. Subclasses add the resource types."""

    name = ""

    def __init__(self, version: str) -> None:
        self.version = version
        self._session: AwsSession | None = None

    @property
    def session(self) -> AwsSession:
        if self._session is None:
            raise ProviderError("the provider has not been configured")
        return self._session

    def secrets_of(self, request: Any) -> Callable[[Properties], Properties]:
        """How outputs of a failed request are to be marked."""
        del request
        return lambda outputs: outputs

    # -- life of the plugin

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self.version)

    def Cancel(self, request: Any, context: Any) -> Any:
        """As in the real one: what runs is let finish, so that the engine can record it."""
        return empty_pb2.Empty()

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": self.name, "version": self.version}))

    def GetMapping(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetMappingResponse()

    def GetMappings(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetMappingsResponse()

    # -- configuration

    @answering
    def CheckConfig(self, request: Any, context: Any) -> Any:
        news = decode(request.news)
        try:
            if not has_unknown(news):
                ProviderConfig.read(news)
        except ProviderError as error:
            return provider_pb2.CheckResponse(
                inputs=request.news, failures=[provider_pb2.CheckFailure(reason=str(error))]
            )
        return provider_pb2.CheckResponse(inputs=request.news)

    @answering
    def DiffConfig(self, request: Any, context: Any) -> Any:
        olds, news = plain(decode(request.old_inputs or request.olds)), plain(decode(request.news))
        found = [
            Change(key, ADD if key not in olds else DELETE if key not in news else "UPDATE", replaces=False)
            for key in sorted({*olds, *news} - set(request.ignoreChanges))
            if olds.get(key) != news.get(key) or news.get(key) is UNKNOWN
        ]
        return diff_response(found)

    def connect(self, config: ProviderConfig) -> AwsSession:
        """A session whose credentials and account have been checked as the real provider checks them.

        Raises ProviderError for credentials that don't work and for an account that is not allowed.
        """
        raise NotImplementedError

    @answering
    def Configure(self, request: Any, context: Any) -> Any:
        arguments = decode(request.args)
        self._session = self.connect(ProviderConfig.read(arguments))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )


def diff_response(found: list[Change], *, delete_first: bool = False) -> Any:
    """A DiffResponse with every path, from which the engine draws its detailed diff."""
    detailed = {change.path: provider_pb2.PropertyDiff(kind=_KINDS[change.kind, change.replaces]) for change in found}
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=sorted({change.property for change in found}),
        replaces=sorted({change.property for change in found if change.replaces}),
        deleteBeforeReplace=delete_first,
        detailedDiff=detailed,
        hasDetailedDiff=True,
    )


def resource_type(urn: str) -> str:
    """The resource's own type out of a URN: `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`."""
    return urn.split("::")[2].rsplit("$", 1)[-1]


def without_internals(properties: Properties) -> Properties:
    """Without what the bridge keeps for itself (`__defaults`, `__meta`)."""
    return {key: value for key, value in properties.items() if not key.startswith("__") and key != SIGNATURE}
