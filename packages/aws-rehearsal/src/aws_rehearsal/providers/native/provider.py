"""The native provider's resource calls.

Plays provider/pkg/provider/provider.go of pulumi-aws-native: differences are found, exactly as written, between new
inputs and what the old ones had become in AWS: `__inputs`, a secret in the state, says which properties the program
owns, the outputs what they are (pull request 2956 of May 2026). What `createOnlyProperties` names is replaced, the old
one deleted first; attributes are outputs under the program's names.
"""

from __future__ import annotations

import time
from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from aws_rehearsal.providers.config import ProviderConfig
from aws_rehearsal.providers.errors import InitFailed, ProviderError, Unsupported
from aws_rehearsal.providers.native import schemas
from aws_rehearsal.providers.native.conversion import to_cfn, to_sdk
from aws_rehearsal.providers.native.makers import Maker, made_by_api
from aws_rehearsal.providers.native.names import field_name, sdk_name
from aws_rehearsal.providers.native.naming import automatic, name_property
from aws_rehearsal.providers.native.outcomes import HalfMade
from aws_rehearsal.providers.native.schemas import TypeSchema
from aws_rehearsal.providers.native.single_stack import SingleStack
from aws_rehearsal.providers.native.validate import validate
from aws_rehearsal.providers.protocol import Provider, answering, diff_response, resource_type, without_internals
from aws_rehearsal.providers.schema import ADD, DELETE, Change
from aws_rehearsal.providers.session import AwsSession
from aws_rehearsal.providers.wire import UNKNOWN, Properties, Secret, decode, encode, has_unknown, mark_secrets, plain

INPUTS = "__inputs"
HANDLE = "__handle"
"""By what the resource's maker finds it again: a stack's ARN, or a name."""
_DEFAULT_SECONDS = 1800.0


class NativeProvider(Provider):
    name = "aws-native"

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self._unknown_attributes: dict[str, set[str]] = {}

    def connect(self, config: ProviderConfig) -> AwsSession:
        """With `skipCredentialsValidation`, which the SDK sets unless told otherwise, nobody looks at the account."""
        session = AwsSession(config)
        if config.flag("skipCredentialsValidation"):
            return session
        allowed, forbidden = config.names("allowedAccountIds"), config.names("forbiddenAccountIds")
        try:
            account = session.account
        except ProviderError as error:
            raise ProviderError(f"could not get AWS account ID: {error}", error.code) from error
        if account in forbidden:
            raise ProviderError(f"forbidden account ID ({account})", "PERMISSION_DENIED")
        if allowed and account not in allowed:
            raise ProviderError(f"account ID not allowed ({account})", "PERMISSION_DENIED")
        return session

    def _kind(self, request: Any) -> TypeSchema:
        return schemas.find(resource_type(request.urn), self.session.region)

    def _maker(self, kind: TypeSchema) -> Maker:
        return made_by_api(kind, self.session) or SingleStack(
            self.session.client("cloudformation"), self._unknown_attributes
        )

    @answering
    def Check(self, request: Any, context: Any) -> Any:
        kind = self._kind(request)
        olds, inputs = decode(request.olds), _without_nulls(decode(request.news))
        key = name_property(kind)
        if key and key not in inputs:
            inputs[key] = olds[key] if key in olds else automatic(kind, key, request)
        self._add_default_tags(kind, inputs)
        failures = validate(kind, plain(inputs), plain(to_cfn(kind, inputs)))
        if failures:
            found = [provider_pb2.CheckFailure(property=item.property, reason=item.reason) for item in failures]
            return provider_pb2.CheckResponse(failures=found)
        return provider_pb2.CheckResponse(inputs=encode(inputs))

    def _add_default_tags(self, kind: TypeSchema, inputs: Properties) -> None:
        tags, defaults = kind.tags, self.session.config.default_tags
        if not tags or not defaults:
            return
        key, given = sdk_name(tags), inputs.get(sdk_name(tags))
        if has_unknown(given):
            return
        if kind.resolve(kind.properties[tags]).get("type") == "array":
            own = {item["key"] for item in plain(given or [])}
            inputs[key] = [*(given or []), *({"key": k, "value": v} for k, v in defaults.items() if k not in own)]
        else:
            inputs[key] = {**defaults, **(given or {})}

    @answering
    def Diff(self, request: Any, context: Any) -> Any:
        found = _changes(self._kind(request), _baseline(request), plain(without_internals(decode(request.news))))
        return diff_response(found, delete_first=True)

    @answering
    def Create(self, request: Any, context: Any) -> Any:
        kind = self._kind(request)
        inputs = without_internals(decode(request.properties))
        if request.preview:
            outputs = {**inputs, **{sdk_name(name): UNKNOWN for name in kind.read_only}}
            return provider_pb2.CreateResponse(properties=encode({**outputs, INPUTS: Secret(inputs)}))
        properties = _sendable(plain(to_cfn(kind, inputs)))
        name = request.name or request.urn.rsplit("::", 1)[-1]
        try:
            handle, attributes = self._maker(kind).create(kind, name, properties, _deadline(request))
        except HalfMade as error:
            outputs = decode(_state(kind, inputs, error.attributes, error.handle))
            raise InitFailed(_identifier(kind, properties, error.attributes), outputs, [str(error)]) from error
        except ProviderError as error:
            raise ProviderError(f"creating resource: {error}", error.code) from error
        resource_id = _identifier(kind, properties, attributes)
        return provider_pb2.CreateResponse(id=resource_id, properties=_state(kind, inputs, attributes, handle))

    @answering
    def Read(self, request: Any, context: Any) -> Any:
        kind = self._kind(request)
        state = decode(request.properties)
        maker, handle = self._maker(kind), plain(state.get(HANDLE))
        if handle is None and isinstance(maker, SingleStack) and request.inputs.fields:
            name = request.name or request.urn.rsplit("::", 1)[-1]
            sent = _sendable(plain(to_cfn(kind, without_internals(decode(request.inputs)))))
            handle = maker.find(kind, name, sent, request.id)
            if handle is None:
                return provider_pb2.ReadResponse()
        if handle is None and isinstance(maker, SingleStack):
            raise Unsupported(
                f"{kind.name} {request.id}: this stand-in for pulumi-aws-native reads only what it has made; "
                "import it with pulumi-aws, or let the program make it"
            )
        marked = decode(request.inputs) or _inner(state.get(INPUTS))
        handle = handle or request.id
        found = maker.read(handle, plain(to_cfn(kind, marked)))
        if found is None:
            return provider_pb2.ReadResponse()
        attributes, changed = found
        inputs = {**marked, **mark_secrets(to_sdk(kind, changed), marked)}
        inputs = {key: value for key, value in inputs.items() if value is not None}
        return provider_pb2.ReadResponse(
            id=request.id, properties=_state(kind, inputs, attributes, handle, state), inputs=encode(inputs)
        )

    @answering
    def Update(self, request: Any, context: Any) -> Any:
        kind = self._kind(request)
        state, inputs = decode(request.olds), without_internals(decode(request.news))
        handle = plain(state.get(HANDLE))
        if request.preview:
            kept = {sdk_name(name): state.get(sdk_name(name)) for name in kind.read_only}
            planned = {**inputs, **kept, INPUTS: Secret(inputs), HANDLE: handle}
            return provider_pb2.UpdateResponse(properties=encode(planned))
        olds = _sendable(plain(to_cfn(kind, _baseline(request))))
        properties = _sendable(plain(to_cfn(kind, inputs)))
        try:
            attributes = self._maker(kind).update(kind, handle, olds, properties, _deadline(request))
        except ProviderError as error:
            raise ProviderError(f"updating resource {request.id}: {error}", error.code) from error
        return provider_pb2.UpdateResponse(properties=_state(kind, inputs, attributes, handle))

    @answering
    def Delete(self, request: Any, context: Any) -> Any:
        handle = plain(decode(request.properties).get(HANDLE))
        if handle:
            try:
                self._maker(self._kind(request)).delete(handle, _deadline(request))
            except ProviderError as error:
                raise ProviderError(f"deleting resource {request.id}: {error}", error.code) from error
        return empty_pb2.Empty()

    @answering
    def Invoke(self, request: Any, context: Any) -> Any:
        result: Properties
        if request.tok == "aws-native:index:getAccountId":
            result = {"accountId": self.session.account}
        elif request.tok == "aws-native:index:getRegion":
            result = {"region": self.session.region}
        elif request.tok == "aws-native:index:getPartition":
            result = {"partition": self.session.partition}
        elif request.tok == "aws-native:index:getUrlSuffix":
            result = {"urlSuffix": "amazonaws.com.cn" if self.session.partition == "aws-cn" else "amazonaws.com"}
        else:
            raise Unsupported(f"unknown function {request.tok!r}: this stand-in for pulumi-aws-native does not play it")
        return provider_pb2.InvokeResponse(**{"return": encode(result)})


def _old_inputs(request: Any) -> Properties:
    marked = decode(request.old_inputs) or _inner(decode(request.olds).get(INPUTS))
    inputs: Properties = plain(without_internals(marked))
    return inputs


def _baseline(request: Any) -> Properties:
    """What the program owns of a resource, as the outputs have it."""
    outputs: Properties = plain(without_internals(decode(request.olds)))
    return {key: _owned(value, outputs.get(key, value)) for key, value in _old_inputs(request).items()}


def _owned(given: Any, actual: Any) -> Any:
    """The parts of an actual value that the program has given; what AWS has filled in besides is not its business."""
    if isinstance(given, dict) and isinstance(actual, dict):
        return {key: _owned(given.get(key), value) for key, value in actual.items() if key in given}
    if isinstance(given, list) and isinstance(actual, list) and len(given) == len(actual):
        return [_owned(*pair) for pair in zip(given, actual, strict=True)]
    return actual


def _inner(value: Any) -> Properties:
    inner = value.value if isinstance(value, Secret) else value
    return inner if isinstance(inner, dict) else {}


def _changes(kind: TypeSchema, olds: Properties, news: Properties) -> list[Change]:
    whole = {sdk_name(name) for name in kind.top_level("createOnlyProperties")}
    parts = [[sdk_name(first), *map(field_name, rest)] for first, *rest in kind.nested("createOnlyProperties")]
    found = []
    for key in sorted({*olds, *news}):
        old, new = olds.get(key), news.get(key)
        if old == new and new is not UNKNOWN:
            continue
        replaces = key in whole or any(path[0] == key and _at(old, path[1:]) != _at(new, path[1:]) for path in parts)
        change = ADD if key not in olds else DELETE if key not in news else "UPDATE"
        found.append(Change(key, change, replaces, new))
    return found


def _at(value: Any, path: list[str]) -> Any:
    for step in path:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def _state(
    kind: TypeSchema, inputs: Properties, attributes: Properties, handle: str, olds: Properties | None = None
) -> Any:
    """Inputs, over them attributes under the program's names, and what it takes to find the resource again."""
    made_up = {name: value for name, value in attributes.items() if name != "Ref"}
    outputs = {**inputs, **to_sdk(kind, made_up)}
    for name in kind.read_only:
        if sdk_name(name) not in outputs and olds and sdk_name(name) in olds:
            outputs[sdk_name(name)] = olds[sdk_name(name)]
    return encode({**outputs, INPUTS: Secret(inputs), HANDLE: handle})


def _identifier(kind: TypeSchema, properties: Properties, attributes: Properties) -> str:
    """Cloud Control's primary identifier; the physical id stands in for a single part that nobody tells."""
    parts = [attributes.get(name) or properties.get(name) for name in kind.identifier]
    if len(parts) == 1:
        return str(parts[0] or attributes.get("Ref"))
    return "|".join(str(part or "") for part in parts) if all(parts) else str(attributes.get("Ref"))


def _sendable(properties: Properties) -> Properties:
    """What CloudFormation would take for its own language has no place in a single resource's properties.

    Raises ProviderError for an intrinsic function; templates inside a property become text, as Cloud Control has them.
    """
    if isinstance(properties.get("TemplateBody"), dict):
        import json

        properties = {**properties, "TemplateBody": json.dumps(properties["TemplateBody"])}
    _refuse_intrinsics(properties)
    return properties


def _refuse_intrinsics(value: Any) -> None:
    if isinstance(value, dict):
        if (len(value) == 1 and next(iter(value)) in ("Ref", "Condition")) or any(
            key.startswith("Fn::") for key in value
        ):
            raise ProviderError(
                f"Cloud Control does not evaluate intrinsic functions: {next(iter(value))}", "INVALID_ARGUMENT"
            )
        for item in value.values():
            _refuse_intrinsics(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_intrinsics(item)


def _without_nulls(value: Any) -> Any:
    """`filterNullProperties`: a null, and an object of nothing but nulls, counts as absent."""
    if isinstance(value, dict):
        kept = {key: _without_nulls(item) for key, item in value.items() if item is not None}
        return {key: item for key, item in kept.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return value


def _deadline(request: Any) -> float:
    return time.monotonic() + (request.timeout or _DEFAULT_SECONDS)
