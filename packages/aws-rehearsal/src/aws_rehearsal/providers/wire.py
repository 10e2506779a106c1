"""Property values as they travel between the engine and a provider: secrets, unknowns, assets.

Follows `pulumi/sdk` proto documentation, "Property values over gRPC": an unknown is a string sentinel, a secret, an
asset or an archive is an object under a signature key. Written out here, without the SDK, because importing the SDK
doubles a plugin's start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf import struct_pb2

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"
ASSET_SIGNATURE = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE_SIGNATURE = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_SENTINEL = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

Properties = dict[str, Any]


class _Unknown:
    """A value that only an update will know."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()


@dataclass(frozen=True)
class Secret:
    """A value the engine encrypts in its state and hides in its output."""

    value: Any

    def __repr__(self) -> str:
        return "Secret([secret])"  # so that no log, error or failed assertion shows it


@dataclass(frozen=True)
class Asset:
    """A file or an archive; `fields` is what came over the wire (path, text, uri, hash, assets)."""

    signature: str
    fields: Properties

    @property
    def hash(self) -> str:
        return str(self.fields.get("hash") or "")


def decode(message: struct_pb2.Struct | None) -> Properties:
    """A message's fields as Python values; whole numbers become `int`, as configuration files mean them."""
    if message is None:
        return {}
    return {key: _decode(value) for key, value in message.fields.items()}


def _decode(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_SENTINEL else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    if kind == "struct_value":
        return _decode_object(value.struct_value)
    return None


def _decode_object(message: struct_pb2.Struct) -> Any:
    fields = decode(message)
    signature = fields.get(SIGNATURE)
    if signature is None:
        return fields
    if signature == SECRET_SIGNATURE:
        return Secret(fields.get("value"))
    if signature in (ASSET_SIGNATURE, ARCHIVE_SIGNATURE):
        return Asset(signature, {key: value for key, value in fields.items() if key != SIGNATURE})
    if signature == OUTPUT_SIGNATURE:
        value = fields.get("value", UNKNOWN)
        return Secret(value) if fields.get("secret") else value
    if signature == RESOURCE_SIGNATURE:
        return fields.get("id") or fields.get("urn")
    return fields


def encode(values: Properties) -> struct_pb2.Struct:
    """The reverse of `decode`. None values are left out: the engine does not tell absent from null either."""
    message = struct_pb2.Struct()
    for key, value in values.items():
        if value is not None:
            _encode(value, message.fields[key])
    return message


def _encode(value: Any, into: struct_pb2.Value) -> None:
    if value is UNKNOWN:
        into.string_value = UNKNOWN_SENTINEL
    elif isinstance(value, Secret):
        _encode({SIGNATURE: SECRET_SIGNATURE, "value": value.value}, into)
    elif isinstance(value, Asset):
        _encode({SIGNATURE: value.signature, **value.fields}, into)
    elif value is None:
        into.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, bool):
        into.bool_value = value
    elif isinstance(value, int | float):
        into.number_value = value
    elif isinstance(value, str):
        into.string_value = value
    elif isinstance(value, dict):
        into.struct_value.SetInParent()
        for key, item in value.items():
            _encode(item, into.struct_value.fields[str(key)])
    elif isinstance(value, list | tuple | set | frozenset):
        into.list_value.SetInParent()
        for item in value:
            _encode(item, into.list_value.values.add())
    else:
        raise TypeError(f"a {type(value).__name__} has no form on the wire")


def plain(value: Any) -> Any:
    """The value without its secret marks, unknowns kept."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def has_unknown(value: Any) -> bool:
    return _has(value, lambda item: item is UNKNOWN)


def has_secret(value: Any) -> bool:
    return _has(value, lambda item: isinstance(item, Secret))


def _has(value: Any, test: Any) -> bool:
    if test(value):
        return True
    if isinstance(value, Secret):
        return _has(value.value, test)
    if isinstance(value, dict):
        return any(_has(item, test) for item in value.values())
    if isinstance(value, list):
        return any(_has(item, test) for item in value)
    return False


def mark_secrets(value: Any, *sources: Any) -> Any:
    """`value` with every part secret that is secret in one of `sources`, at the same place.

    A list that holds a secret becomes secret as a whole: AWS hands lists back in its own order, so places mean nothing.
    The engine does the same for providers that don't know secrets (`annotateSecrets` in its provider_plugin.go).
    """
    for source in sources:
        value = _mark(value, source)
    return value


def _mark(value: Any, source: Any) -> Any:
    if value is None or isinstance(value, Secret) or not has_secret(source):
        return value
    if isinstance(value, dict) and isinstance(source, dict):
        return {key: _mark(item, source[key]) if key in source else item for key, item in value.items()}
    return Secret(plain(value))
