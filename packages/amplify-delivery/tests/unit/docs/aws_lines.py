"""Whether the AWS CLI takes a command: by botocore's models, of which it is made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import jmespath
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from jmespath.exceptions import JMESPathError

from unit.aws_models import service_model, waiter_names
from unit.docs.shell_lines import INSIDE
from unit.docs.tool_lists import CONFIGURE, HIDDEN, PLACEHOLDER, S3, SSO, NotTakenError

OUTPUTS = {"json", "text", "table", "yaml", "yaml-stream"}
OF_EACH = {"region", "profile", "query", "output", "max-items", "page-size", "starting-token", "cli-input-json"}
"""Options with a value that the AWS CLI itself has."""
FLAGS_OF_EACH = {"no-paginate", "no-cli-pager", "debug"}
_LIST_OF_OPTIONS = re.compile(r"--(?=[a-z])")


def check(words: Sequence[str], *, whole: bool) -> None:
    """`words` follow `aws`. `whole`: as it is to be typed, with all that its operation requires."""
    if not words or HIDDEN in words[0]:
        return
    service, rest = words[0], list(words[1:])
    if service in ("s3", "sso", "configure"):
        _its_own(service, rest, whole=whole)
        return
    try:
        model = service_model({"s3api": "s3"}.get(service, service))
    except UnknownServiceError:
        raise NotTakenError(f"AWS has no service {service}") from None
    if not rest or PLACEHOLDER.fullmatch(rest[0]):
        return
    if rest[0] == "wait":
        if rest[1] not in waiter_names(service):
            raise NotTakenError(f"nothing to wait for: {rest[1]}")
        _options(rest[2:], {}, set(), whole=False)
        return
    members, required = operations(service).get(rest[0], (None, set()))
    if members is None:
        raise NotTakenError(f"{model.service_name} has no operation {rest[0]}")
    _options(rest[1:], members, required, whole=whole)


@cache
def operations(service: str) -> dict[str, tuple[dict[str, Any], set[str]]]:
    """Each operation as the AWS CLI calls it: shapes of its parameters by option, and which are required."""
    model = service_model({"s3api": "s3"}.get(service, service))
    return {
        xform_name(name, "-"): _parameters(model.operation_model(name).input_shape) for name in model.operation_names
    }


def _parameters(shape: Any) -> tuple[dict[str, Any], set[str]]:
    if shape is None:
        return {}, set()
    members = {xform_name(name, "-"): member for name, member in shape.members.items()}
    return members, {xform_name(name, "-") for name in shape.required_members}


def _its_own(service: str, rest: list[str], *, whole: bool) -> None:
    """Commands that are no service's operations."""
    name = rest[0] if rest and not rest[0].startswith("-") else ""
    known = {"s3": S3, "sso": SSO, "configure": CONFIGURE}[service]
    if not name and not whole and not rest:
        return
    if name not in known:
        raise NotTakenError(f"aws {service} has no command {name}")
    found, options = known[name], rest[1:] if name else rest
    extended = type(found)(found.least, found.most, found.flags, found.valued | {f"--{o}" for o in OF_EACH})
    given = extended.check(options, whole=whole)
    remote = [word for word in given if word.startswith("s3://") or PLACEHOLDER.fullmatch(word)]
    if service == "s3" and whole and given and not remote:
        raise NotTakenError(f"none of {', '.join(given)} is in S3")


def _options(words: list[str], members: dict[str, Any], required: set[str], *, whole: bool) -> None:
    given: set[str] = set()
    for option, values in _grouped(words):
        if HIDDEN in option:
            return
        positive = option.removeprefix("no-")
        given |= {option, positive}
        if option in FLAGS_OF_EACH:
            _count(option, values, 0)
        elif option in OF_EACH:
            _count(option, values, 1, whole=whole)
            _global(option, values)
        elif (shape := members.get(option) or members.get(positive)) is None:
            raise NotTakenError(f"no option --{option}")
        elif shape.type_name == "boolean":
            _count(option, values, 0)
        elif option not in members:
            raise NotTakenError(f"no option --{option}")
        else:
            _value(option, values, shape, whole=whole)
    if whole and (left := required - given):
        raise NotTakenError(f"required as well: {', '.join(f'--{o}' for o in sorted(left))}")


def _grouped(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Each option with the words behind it."""
    option: str | None = None
    values: list[str] = []
    for word in words:
        if _LIST_OF_OPTIONS.match(word):
            if option is not None:
                yield option, values
            option, _, value = word[2:].partition("=")
            values = [value] if value else []
        elif option is None:
            if HIDDEN not in word:
                raise NotTakenError(f"one word too many: {word}")
        else:
            values.append(word)
    if option is not None:
        yield option, values


def _count(option: str, values: list[str], most: int, *, whole: bool = True) -> None:
    values = [value for number, value in enumerate(values) if value != "..." and (number < most or value != HIDDEN)]
    if len(values) > most and not any(HIDDEN in value for value in values[:most]):
        raise NotTakenError(f"one word too many: {values[-1]}")
    if whole and len(values) < most:
        raise NotTakenError(f"--{option} without its value")


def _global(option: str, values: list[str]) -> None:
    for value in values:
        if PLACEHOLDER.fullmatch(value):
            continue
        if option == "output" and value not in OUTPUTS:
            raise NotTakenError(f"no output {value}")
        if option == "query":
            try:
                jmespath.compile(value)
            except JMESPathError as error:
                raise NotTakenError(f"--query: {error}") from None


def _value(option: str, values: list[str], shape: Any, *, whole: bool) -> None:
    if whole and not values:
        raise NotTakenError(f"--{option} without its value")
    if shape.type_name == "list":
        for value in values:
            _one(option, value, shape.member)
        return
    _count(option, values, 1, whole=whole)
    for value in values:
        _one(option, value, shape)


def _one(option: str, value: str, shape: Any) -> None:
    if HIDDEN in value or value == "..." or value.startswith(("file://", "fileb://", "{", "[")) or INSIDE in value:
        return
    choices = getattr(shape, "enum", None)
    if shape.type_name == "string" and choices and value not in choices:  # in capital letters most of them are
        raise NotTakenError(f"--{option} {value}: one of {', '.join(choices)}")
    if PLACEHOLDER.fullmatch(value):
        return
    if shape.type_name in ("integer", "long") and not re.fullmatch(r"-?\d+", value):
        raise NotTakenError(f"--{option} {value}: a number")
    if shape.type_name == "structure":
        for pair in re.split(r",(?=\w+=)", value):
            key, equals, content = pair.partition("=")
            if not equals or key not in shape.members:
                raise NotTakenError(f"--{option} {value}: no {key} in it, but {', '.join(shape.members)}")
            _one(f"{option} {key}", content, shape.members[key])
