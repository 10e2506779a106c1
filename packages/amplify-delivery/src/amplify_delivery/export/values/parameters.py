"""Where every parameter of a nested stack gets its value from, the exporter's omissions repaired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from amplify_delivery.export import assets as files
from amplify_delivery.export.assembly import Value
from amplify_delivery.export.assets import Assets
from amplify_delivery.export.model import Export, ExportedStack
from amplify_delivery.export.templates.literals import items, text

API_KEY_EXPIRES = "ApiKeyExpires"
"""The parameter that this engine adds where a template has an API key: an epoch in seconds."""

ROLE_NAMES = {"authRoleName": "AuthRoleName", "unauthRoleName": "UnauthRoleName"}
"""Parameters that the exporter forgets, and the root's parameters that hold them (`amplify push` adds
them in upload-appsync-files.ts; amplify-cli-export-construct issue 73)."""

_NO_SECRET = ("", "[]", "{}", "NONE", "none", "null")
"""What a parameter without echo holds when there is no secret."""


def is_no_echo(declaration: Mapping[str, Any]) -> bool:
    """Whether a parameter's declaration keeps its value to itself; the flag may stand as text."""
    return text(declaration.get("NoEcho", False)).lower() == "true"


def holds_secret(value: str) -> bool:
    """Whether the text of a `NoEcho` parameter is one that nobody may read."""
    return value.strip() not in _NO_SECRET


def secret_command(stack: str, parameter: str) -> str:
    """How an environment is given a secret: the command asks for the value, so that no shell remembers it."""
    return f"which is asked for by `pulumi config set --secret --path 'parameters.{stack}.{parameter}' -s ENV`"


def is_secret(stack: ExportedStack, name: str) -> bool:
    """Whether the manifest holds the plain text of something the template keeps to itself (`NoEcho`)."""
    return (
        name in stack.declared
        and is_no_echo(stack.declared[name])
        and stack.parameters.get(name) is not None
        and holds_secret(text(stack.parameters[name]))
    )


def needed_secrets(export: Export) -> frozenset[tuple[str, str]]:
    """Nested stack and parameter of all that each environment has to supply as a secret: what the manifest holds in
    plain text, and what is without echo and supplied by nobody."""
    root = export.root
    return frozenset(
        (name, parameter)
        for name, stack in root.nested.items()
        for parameter, declaration in stack.declared.items()
        if is_secret(stack, parameter)
        or (
            is_no_echo(declaration)
            and "Default" not in declaration
            and stack.parameters.get(parameter) is None
            and parameter not in root.wired(name)
        )
    )


def allowed(declaration: Mapping[str, Any], value: str) -> bool:
    """Whether a parameter's `AllowedValues` hold the value, or each of its items if it is a list."""
    values = declaration.get("AllowedValues")
    if not values:
        return True
    members = items(value) if "List" in declaration["Type"] else [value]
    return set(members) <= {text(a) for a in values}


@dataclass(frozen=True)
class Plan:
    """A nested stack's parameters: `values` from us, `wired` from the parent template's intrinsics.

    A value of source "object" still names the export's file. The other fields are what the checks report.
    """

    values: Mapping[str, Value]
    wired: Mapping[str, Any]
    added_roles: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()
    stringified: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def plan(
    stack: ExportedStack,
    parent: ExportedStack,
    assets: Assets,
    secrets: frozenset[str] = frozenset(),
    images: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """Plan the parameters of `stack`, a child of the root `parent`.

    `secrets` names the parameters whose value every environment supplies as a secret, `images` those that get the
    address of a container image, with the image's name.
    """
    declared = stack.declared
    given = {name: literal for name, literal in stack.parameters.items() if literal is not None}
    values = {name: _value(stack, name, given[name], assets.export.stack_name) for name in given if name in declared}
    if "env" in declared and "env" not in given and "Default" not in declared["env"]:
        values["env"] = Value("environment")  # wanted, and given by nobody
    # What the parent passes by itself stays, unless the manifest says otherwise: it is the later of the two.
    wired = {k: v for k, v in parent.wired(stack.logical_id).items() if k in declared and k not in given}
    values.update(_file_values(stack, assets))
    values.update({name: Value("image", image) for name, image in images.items() if name in declared})
    # What was composed with these has a location of its own now: passing them on would change a stack with each file.
    withdrawn = _withdrawn(stack, assets)
    values = {k: v for k, v in values.items() if k not in withdrawn}
    wired = {k: v for k, v in wired.items() if k not in values and k not in withdrawn}
    # `amplify push` adds these two in code, so no template of the export holds them (amplify-cli-export-construct 73).
    roles = [n for n in ROLE_NAMES if n in declared and n not in values and n not in wired]
    wired.update({n: {"Ref": ROLE_NAMES[n]} for n in roles if ROLE_NAMES[n] in parent.declared})
    supplied = {*values, *wired, *withdrawn}
    missing = [n for n, d in declared.items() if "Default" not in d and n not in supplied]
    values.update({n: Value("secret") for n in missing if n in secrets})
    # Without its zip a stack has no key: AD401 and AD402 say that, not "nobody supplies s3Key".
    unsaid = {*secrets, assets.needs_archive(stack)}
    passed = (*given, *parent.wired(stack.logical_id))
    return Plan(
        values,
        wired,
        tuple(roles),
        undeclared=tuple(dict.fromkeys(n for n in passed if n not in declared)),
        stringified=tuple(n for n, v in values.items() if v.source == "literal" and not isinstance(given[n], str)),
        derived=tuple(n for n, v in values.items() if v.source == "stack-name"),
        missing=tuple(n for n in missing if n not in unsaid),
    )


def _value(stack: ExportedStack, name: str, literal: Any, stack_name: str) -> Value:
    """Where the value of a parameter comes from that the manifest gives literally."""
    if name == "env":
        return Value("environment")
    if is_secret(stack, name):
        return Value("secret")
    value = text(literal)
    if value == stack_name or value.startswith(f"{stack_name}-"):
        return Value("stack-name", value.removeprefix(stack_name))
    return Value("literal", value)


def _file_values(stack: ExportedStack, assets: Assets) -> dict[str, Value]:
    """The parameters by which a template takes its files: buckets and keys."""
    declared, values = stack.declared, {}
    archive, key_parameter = assets.archive(stack), assets.needs_archive(stack)
    if archive and key_parameter:
        values[key_parameter] = Value("object", archive)
    if key_parameter and files.BUCKET_PARAMETER in declared:
        values[files.BUCKET_PARAMETER] = Value("staging-bucket")
    if assets.appsync_folder(stack) and files.APPSYNC_BUCKET in declared:
        values[files.APPSYNC_BUCKET] = Value("staging-bucket")
    if files.AWAITER_PARAMETER in declared:
        name = text(stack.parameters.get(files.AWAITER_PARAMETER, declared[files.AWAITER_PARAMETER].get("Default")))
        if name in assets.auxiliary:
            values[files.AWAITER_PARAMETER] = Value("object", assets.auxiliary[name])
    return values


def _withdrawn(stack: ExportedStack, assets: Assets) -> frozenset[str]:
    """Parameters that stand for a whole folder: every location in it gets a key of its own."""
    found = set()
    if assets.appsync_folder(stack):
        found.add(files.APPSYNC_ROOT_KEY)
    if assets.layer_files(stack):
        found.add(files.KEY_PARAMETER)
    return frozenset(found)
