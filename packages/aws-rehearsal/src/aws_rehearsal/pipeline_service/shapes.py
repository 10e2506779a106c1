"""Requests checked, and answers shaped, by botocore's own models of the services.

`botocore.validate.ParamValidator` checks names, types and minimums only, since the service checks the rest. Here we
are the service: maximums, patterns and enumerations are checked as well, and told in the words AWS uses
("1 validation error detected: Value '...' at '...' failed to satisfy constraint: Member must ...").
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import regex  # the models' patterns are Java's: \p{L}, which `re` does not know
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from aws_rehearsal.pipeline_service.errors import ServiceError, validation

TARGETS = {"CodePipeline_20150709": "codepipeline", "CodeBuild_20161006": "codebuild"}
"""Prefix of the X-Amz-Target header -> service."""

_LONGER_THAN_MODELLED = {"ActionConfigurationValue": 50_000}
"""Maximums that the service itself has otherwise than its model: aws-cdk issue 19767 quotes the service's answer."""

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float),
    "list": (list,),
    "map": (dict,),
    "structure": (dict,),
}


@functools.cache
def service_model(service: str) -> ServiceModel:
    """botocore's model of a service."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service_name=service)


def operation(target: str) -> tuple[str, OperationModel]:
    """Service and operation of an X-Amz-Target header; `UnknownOperationException` if there is none."""
    prefix, _, name = target.partition(".")
    service = TARGETS.get(prefix)
    if service is None or name not in service_model(service).operation_names:
        raise ServiceError("UnknownOperationException", f"The operation {target} is not known.")
    return service, service_model(service).operation_model(name)


def rest_operation(service: str, path: str, query: dict[str, list[str]]) -> tuple[OperationModel, dict[str, Any]]:
    """The operation behind a path of a REST-JSON service, and what path and query say of its input."""
    names = service_model(service).operation_names
    for model in map(service_model(service).operation_model, names):
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(model.http["requestUri"]))
        found = re.fullmatch(pattern, path)
        if found is None:
            continue
        params: dict[str, Any] = {}
        for name, member in model.input_shape.members.items() if model.input_shape else ():
            place, key = member.serialization.get("location"), member.serialization.get("name", name)
            if place == "uri":
                params[name] = unquote(found[key])
            elif place == "querystring" and key in query:
                params[name] = query[key] if isinstance(member, ListShape) else query[key][0]
        return model, params
    raise ServiceError("UnknownOperationException", f"The operation {path} is not known.", 404)


def check_input(model: OperationModel, params: Any) -> None:
    """Raise the exception AWS raises for a request that does not fit the operation's input."""
    if model.input_shape is None:
        return
    if not isinstance(params, dict):
        raise ServiceError("SerializationException", "Start of structure or map found where not expected.")
    problems = list(_problems(model.input_shape, params, ""))
    if problems:
        noun = "error" if len(problems) == 1 else "errors"
        raise validation(f"{len(problems)} validation {noun} detected: {'; '.join(problems)}")


def as_output(model: OperationModel, value: dict[str, Any]) -> dict[str, Any]:
    """`value` as the operation's answer: nothing but members of its shape, no None, times as epoch seconds."""
    return _shaped(model.output_shape, value) if model.output_shape is not None else {}


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    expected = _PYTHON_TYPES.get(shape.type_name, (object,))
    fits = isinstance(value, expected) and (not isinstance(value, bool) or shape.type_name == "boolean")
    if not fits:
        raise ServiceError("SerializationException", f"{path or 'the request'}: {shape.type_name} expected")
    yield from _size_problems(shape, value, path)
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            if value.get(name) is None:
                yield f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from _problems(member, value[name], _join(path, name))
    elif isinstance(shape, ListShape):
        for index, item in enumerate(value, 1):
            yield from _problems(shape.member, item, f"{path}.{index}.member")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from _problems(shape.key, key, f"{path}.key")
            yield from _problems(shape.value, item, f"{path}.{key}.member")


def _size_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    rules = shape.metadata
    is_number = shape.type_name in ("integer", "long", "float", "double")
    measured = value if is_number else len(value) if isinstance(value, str | list | dict) else None
    what = "value" if is_number else "length"
    maximum = _LONGER_THAN_MODELLED.get(shape.name, rules.get("max"))
    if measured is not None and "min" in rules and measured < rules["min"]:
        yield _failed(value, path, f"Member must have {what} greater than or equal to {rules['min']}")
    if measured is not None and maximum is not None and measured > maximum:
        yield _failed(value, path, f"Member must have {what} less than or equal to {maximum}")
    if isinstance(value, str) and "pattern" in rules and not regex.fullmatch(rules["pattern"], value, regex.DOTALL):
        yield _failed(value, path, f"Member must satisfy regular expression pattern: {rules['pattern']}")
    if isinstance(value, str) and rules.get("enum") and value not in rules["enum"]:
        yield _failed(value, path, f"Member must satisfy enum value set: [{', '.join(rules['enum'])}]")


def _failed(value: Any, path: str, constraint: str) -> str:
    shown = value if isinstance(value, str | int | float) else str(value)
    return f"Value '{str(shown)[:200]}' at '{path}' failed to satisfy constraint: {constraint}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shaped(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        return {
            name: _shaped(member, value[name]) for name, member in shape.members.items() if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [_shaped(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {str(key): _shaped(shape.value, item) for key, item in value.items()}
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    return value
