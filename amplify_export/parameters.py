"""Where every parameter of a nested stack gets its value from, the exporter's omissions repaired."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from amplify_export import assets as files
from amplify_export.assembly import Value
from amplify_export.assets import Assets
from amplify_export.model import ExportedStack

API_KEY_EXPIRES = "ApiKeyExpires"
"""The parameter that this engine adds where a template has an API key: an epoch in seconds."""

ROLE_NAMES = {"authRoleName": "AuthRoleName", "unauthRoleName": "UnauthRoleName"}
"""Parameters that the exporter forgets, and the root's parameters that hold them (`amplify push` adds
them in upload-appsync-files.ts; amplify-cli-export-construct issue 73)."""

_NO_SECRET = ("", "[]", "{}", "NONE", "none", "null")


def text(value: Any) -> str:
    """A manifest's literal as CloudFormation takes a parameter: a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join(text(v) for v in value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def is_no_echo(declaration: Mapping[str, Any]) -> bool:
    return text(declaration.get("NoEcho", False)).lower() == "true"


def is_secret(stack: ExportedStack, name: str) -> bool:
    """Whether the manifest holds the plain text of something the template keeps to itself (`NoEcho`)."""
    return (
        name in stack.declared
        and is_no_echo(stack.declared[name])
        and name in stack.parameters
        and text(stack.parameters[name]).strip() not in _NO_SECRET
    )


@dataclass(frozen=True)
class Plan:
    """A nested stack's parameters: `values` from us, `wired` from the parent template's intrinsics.

    A value of source "object" still names the export's file; `withdrawn` parameters are not passed any
    more, because every location that was composed with them is rewritten to its own key.
    """

    values: Mapping[str, Value]
    wired: Mapping[str, Any]
    added_roles: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    stringified: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    withdrawn: frozenset[str] = frozenset()
    archive: str | None = None
    not_allowed: Mapping[str, str] = field(default_factory=dict)


def plan(stack: ExportedStack, parent: ExportedStack, assets: Assets) -> Plan:  # noqa: C901 - one source after the other
    """Plan the parameters of `stack`, a child of the root `parent`."""
    declared = stack.declared
    wired = {k: v for k, v in parent.wired(stack.logical_id).items() if k in declared}
    dropped = [k for k in parent.wired(stack.logical_id) if k not in declared]
    values: dict[str, Value] = {}
    stringified: list[str] = []
    for name, literal in stack.parameters.items():
        if name not in declared or literal is None:
            dropped.append(name)
        elif name == "env":
            values[name] = Value("environment")
        elif is_secret(stack, name):
            values[name] = Value("secret")
        else:
            values[name] = Value("literal", text(literal))
            if not isinstance(literal, str):
                stringified.append(name)
    if "env" in declared and "env" not in values and "env" not in wired and "Default" not in declared["env"]:
        values["env"] = Value("environment")
    not_allowed = {
        name: value.text
        for name, value in values.items()
        if value.source == "literal"
        and (allowed := declared[name].get("AllowedValues"))
        and not set(value.text.split(",") if "List" in declared[name]["Type"] else [value.text]) <= {text(a) for a in allowed}
    }
    archive = assets.archive(stack)
    key_parameter = assets.needs_archive(stack)
    if archive and key_parameter:
        values[key_parameter] = Value("object", archive)
    withdrawn = set()
    if assets.appsync_folder(stack):
        withdrawn.add(files.APPSYNC_ROOT_KEY)
        if files.APPSYNC_BUCKET in declared:
            values[files.APPSYNC_BUCKET] = Value("staging-bucket")
    if key_parameter and files.BUCKET_PARAMETER in declared:
        values[files.BUCKET_PARAMETER] = Value("staging-bucket")
        if assets.layer_files(stack):
            withdrawn.add(files.KEY_PARAMETER)
    if files.AWAITER_PARAMETER in declared:
        awaiter = text(stack.parameters.get(files.AWAITER_PARAMETER, declared[files.AWAITER_PARAMETER].get("Default")))
        if awaiter in assets.auxiliary:
            values[files.AWAITER_PARAMETER] = Value("object", assets.auxiliary[awaiter])
    values = {k: v for k, v in values.items() if k not in withdrawn}
    wired = {k: v for k, v in wired.items() if k not in values and k not in withdrawn}
    added = [n for n in ROLE_NAMES if n in declared and n not in values and n not in wired]
    wired.update({n: {"Ref": ROLE_NAMES[n]} for n in added if ROLE_NAMES[n] in parent.declared})
    missing = [
        n
        for n, d in declared.items()
        if "Default" not in d and n not in values and n not in wired and n not in withdrawn and n != key_parameter
    ]
    return Plan(
        values,
        wired,
        tuple(added),
        tuple(dropped),
        tuple(stringified),
        tuple(missing),
        frozenset(withdrawn),
        archive,
        not_allowed,
    )
