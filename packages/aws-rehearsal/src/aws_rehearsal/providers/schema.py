"""What a resource type accepts, and what differs between a state and new inputs.

Plays `pkg/tfbridge` of pulumi-terraform-bridge over a Terraform schema: defaults are filled in Check and listed under
`__defaults`; a property that AWS may supply (`computed`) never differs for being absent from the program; an empty
string, list or map, a false and a zero count as absent; a difference in a property that `replaces` means a new
resource.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_rehearsal.providers.wire import UNKNOWN, Asset, Properties, Secret, plain

ADD, UPDATE, DELETE = "ADD", "UPDATE", "DELETE"
DEFAULTS = "__defaults"


@dataclass(frozen=True)
class Prop:
    """One property.

    `kind`: string, int, bool, map, list, set, object, json, policy, template, asset or any. `fields` describes the
    objects in a list, a set or an object.
    """

    kind: str = "string"
    required: bool = False
    replaces: bool = False
    computed: bool = False
    output_only: bool = False
    secret: bool = False
    write_only: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    fields: Mapping[str, Prop] = field(default_factory=dict)


def out(kind: str = "string", **more: Any) -> Prop:
    """A property that only AWS sets."""
    return Prop(kind, output_only=True, computed=True, **more)


@dataclass(frozen=True)
class Failure:
    property: str
    reason: str


@dataclass(frozen=True)
class Change:
    """One difference: `path` as the engine writes property paths."""

    path: str
    kind: str
    replaces: bool
    new: Any = None

    @property
    def property(self) -> str:
        return re.split(r"[.\[]", self.path, maxsplit=1)[0]


def check(name: str, props: Mapping[str, Prop], news: Properties) -> tuple[Properties, list[Failure]]:
    """Inputs of the right types with defaults filled in, and what is wrong with them."""
    failures: list[Failure] = []
    inputs: Properties = {}
    for key, value in news.items():
        if value is None or key == DEFAULTS:
            continue
        prop = props.get(key)
        if prop is None:
            near = _nearest(key, props)
            failures.append(Failure(key, f"Invalid or unknown key{near}. Examine values at '{name}.{key}'."))
        elif prop.output_only:
            failures.append(Failure(key, f"Value for unconfigurable attribute. Examine values at '{name}.{key}'."))
        else:
            inputs[key] = _typed(value, prop, f"{name}.{key}", failures)
    for key, prop in props.items():
        if key not in inputs:
            if prop.required:
                failures.append(_missing(name, key))
            continue
        for other in prop.conflicts:
            if other in inputs:
                failures.append(
                    Failure(
                        key,
                        f'Conflicting configuration arguments. "{_snake(key)}": conflicts with {_snake(other)}. '
                        f"Examine values at '{name}.{key}'.",
                    )
                )
    defaults = sorted(key for key, prop in props.items() if prop.default is not None and key not in inputs)
    for key in defaults:
        inputs[key] = props[key].default
    inputs[DEFAULTS] = defaults
    return inputs, failures


def _missing(name: str, key: str) -> Failure:
    reason = f'Missing required argument. The argument "{_snake(key)}" is required, but no definition was found.'
    return Failure(key, f"{reason} Examine values at '{name}.{key}'.")


def _typed(value: Any, prop: Prop, where: str, failures: list[Failure]) -> Any:
    if value is UNKNOWN:
        return value
    if isinstance(value, Secret):
        return Secret(_typed(value.value, prop, where, failures))
    key = where.rsplit(".", 1)[-1]
    if prop.kind in ("list", "set", "object") and prop.fields:
        items = value if isinstance(value, list) else [value]
        checked = [_fields(item, prop.fields, where, failures) for item in items]
        return checked if prop.kind != "object" else checked[0]
    converted, fits = _converted(value, prop.kind)
    if not fits:
        failures.append(
            Failure(key, f"expected type '{prop.kind}', got '{_type_name(value)}'. Examine values at '{where}'.")
        )
    if prop.choices and isinstance(converted, str) and converted not in prop.choices:
        expected = " ".join(json.dumps(choice) for choice in prop.choices)
        failures.append(
            Failure(
                key, f"expected {_snake(key)} to be one of [{expected}], got {converted}. Examine values at '{where}'."
            )
        )
    return converted


def _fields(item: Any, fields: Mapping[str, Prop], where: str, failures: list[Failure]) -> Any:
    if isinstance(item, Secret):
        return Secret(_fields(item.value, fields, where, failures))
    if not isinstance(item, dict):
        if item is not UNKNOWN:
            failures.append(Failure(where.split(".", 1)[-1], f"expected an object. Examine values at '{where}'."))
        return item
    inputs, wrong = check(where, fields, item)
    failures.extend(wrong)
    inputs.pop(DEFAULTS)
    return inputs


def _converted(value: Any, kind: str) -> tuple[Any, bool]:
    if kind in ("string", "json", "policy", "template"):
        if isinstance(value, bool):
            return ("true" if value else "false"), True
        if isinstance(value, int | float):
            return str(value), True
        if kind in ("json", "policy") and isinstance(value, dict):
            return json.dumps(value), True
        return value, isinstance(value, str)
    if kind == "int":
        if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
            return int(value), True
        return value, isinstance(value, int) and not isinstance(value, bool)
    if kind == "bool":
        if value in ("true", "false"):
            return value == "true", True
        return value, isinstance(value, bool)
    if kind in ("list", "set"):
        return value, isinstance(value, list)
    if kind == "map":
        if not isinstance(value, dict):
            return value, False
        return {key: _map_value(item) for key, item in value.items() if item is not None}, True
    if kind == "asset":
        return value, isinstance(value, Asset | str)
    return value, True


def _map_value(value: Any) -> Any:
    if isinstance(value, Secret):
        return Secret(_map_value(value.value))
    return _converted(value, "string")[0] if isinstance(value, bool | int | float) else value


def _type_name(value: Any) -> str:
    return {dict: "map", list: "list", str: "string", bool: "bool"}.get(type(value), type(value).__name__)


def _nearest(key: str, props: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(key, list(props), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _snake(key: str) -> str:
    return re.sub(r"([A-Z])", lambda match: "_" + match.group(1).lower(), key)


def changes(props: Mapping[str, Prop], olds: Properties, news: Properties) -> list[Change]:
    """What an update would change: old state against new inputs, both with or without secret marks."""
    found: list[Change] = []
    olds, news = plain(olds), plain(news)
    for key, prop in props.items():
        if prop.output_only or prop.write_only:
            continue
        old, new = canonical(olds.get(key), prop), canonical(news.get(key), prop)
        if old == new or (new is None and prop.computed):
            continue
        if prop.kind == "map" and isinstance(old or {}, dict) and isinstance(new or {}, dict):
            found.extend(_map_changes(key, prop, old or {}, new or {}))
        else:
            kind = ADD if old is None else DELETE if new is None else UPDATE
            found.append(Change(key, kind, prop.replaces, news.get(key)))
    return found


def _map_changes(key: str, prop: Prop, old: Properties, new: Properties) -> Iterable[Change]:
    for name in sorted({*old, *new}):
        if name not in new:
            yield Change(_path(key, name), DELETE, prop.replaces)
        elif name not in old:
            yield Change(_path(key, name), ADD, prop.replaces)
        elif old[name] != new[name]:
            yield Change(_path(key, name), UPDATE, prop.replaces)


def _path(key: str, name: str) -> str:
    return f"{key}.{name}" if re.fullmatch(r"[A-Za-z_$][\w$]*", name) else f"{key}[{json.dumps(name)}]"


def canonical(value: Any, prop: Prop) -> Any:
    """A form in which equal meanings are equal values; None for what counts as absent."""
    if value is UNKNOWN:
        return value
    if isinstance(value, Asset):
        return value.hash or json.dumps(value.fields, sort_keys=True, default=str)
    if prop.default is None and (value is None or value is False or value == 0 or value in ("", [], {})):
        return None
    if prop.kind in ("json", "template") and isinstance(value, str):
        return normal_json(value)
    if prop.kind == "policy" and isinstance(value, str):
        return normal_policy(value)
    if prop.fields:
        items = value if isinstance(value, list) else [value]
        shaped = [_canonical_object(item, prop.fields) for item in items]
        return sorted(shaped, key=repr) if prop.kind == "set" else shaped
    if prop.kind == "set" and isinstance(value, list):
        return sorted(value, key=repr)
    if prop.kind == "map" and isinstance(value, dict):
        return {key: item for key, item in value.items() if item is not None}
    return value


def _canonical_object(item: Any, fields: Mapping[str, Prop]) -> Any:
    if not isinstance(item, dict):
        return item
    shaped = {key: canonical(item.get(key), prop) for key, prop in fields.items() if not prop.output_only}
    return {key: value for key, value in shaped.items() if value is not None}


def normal_json(text: str) -> str:
    """JSON with sorted keys and no blanks; other text (a YAML template) as it is."""
    try:
        return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    except ValueError:
        return text


def normal_policy(text: str) -> str:
    """A policy document in one form: hashicorp/awspolicyequivalence calls documents equal that differ in the order of
    statements, actions, resources or principals, or in writing one element as a list."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    return json.dumps(_policy_part(document), sort_keys=True)


def policy_that_is_no_json(inputs: Properties, what: str) -> list[tuple[str, str]]:
    """The providers' finding for a `policy` that cannot be parsed; they call it `what`. Empty for one that can."""
    policy = inputs.get("policy")
    if isinstance(policy, str):
        try:
            json.loads(policy)
        except ValueError as error:
            return [("policy", f'"policy" contains an invalid {what}: {error}')]
    return []


def _policy_part(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _policy_part(item) for key, item in value.items()}
    if isinstance(value, list):
        parts = [_policy_part(item) for item in value]
        return parts[0] if len(parts) == 1 else sorted(parts, key=lambda part: json.dumps(part, sort_keys=True))
    return value
