"""An environment's layers of parameter values: what is set where, which wins, and what is refused."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from amplify_delivery.errors import ConfigError
from amplify_delivery.export.assembly import Assembly, NestedStack, Value
from amplify_delivery.export.quotas import MAX_VALUE
from amplify_delivery.export.templates.literals import text
from amplify_delivery.export.values.environment import ROOT, EnvironmentValues
from amplify_delivery.export.values.parameters import allowed, holds_secret, is_no_echo
from amplify_delivery.findings import listed


def layered(
    nested_name: str,
    nested: NestedStack,
    values: EnvironmentValues,
    declared: Mapping[str, Any],
    wired: Collection[str],
) -> dict[str, Value]:
    """A nested stack's values, last wins: the export's, a second export's, the environment's own.

    What the assembly decides (locations, the environment's name) stays; a secret must come as one.
    """
    result = dict(nested.parameters)
    for parameter, literal in values.from_export.get(nested_name, {}).items():
        if parameter in declared and _is_setting(result.get(parameter)) and parameter not in wired:
            result[parameter] = Value("literal", literal)
    for parameter, literal in values.parameters.get(nested_name, {}).items():
        if is_no_echo(declared[parameter]) and holds_secret(literal):
            raise ConfigError(
                f"{nested_name}.{parameter} is a secret, but its value stands in plain text",
                remedy=f"`pulumi config set --secret --path 'parameters.{nested_name}.{parameter}' VALUE`",
            )
        result[parameter] = Value("literal", literal)
    for stack, parameter in values.secrets:
        if stack == nested_name:
            result[parameter] = Value("secret")
    for parameter, value in result.items():
        if value.source == "literal":
            check_value(f"{nested_name}.{parameter}", declared[parameter], value.text)
        if value.source == "secret" and (nested_name, parameter) not in values.secrets:
            raise ConfigError(
                f"the secret {nested_name}.{parameter} has no value in environment {values.name}",
                remedy=f"`pulumi config set --secret --path 'parameters.{nested_name}.{parameter}' VALUE`",
            )
    return dict(sorted(result.items()))


def check_names(assembly: Assembly, values: EnvironmentValues, bodies: Mapping[str, Any]) -> None:
    """Refuse what the environment sets and nothing takes."""
    stacks = {**{n: b.get("Parameters") or {} for n, b in bodies.items()}, ROOT: assembly.root_template["Parameters"]}
    given = [(s, p) for s, parameters in values.parameters.items() for p in (*parameters, None)]
    for stack, parameter in (*given, *sorted(values.secrets)):
        if stack not in stacks:
            raise ConfigError(
                f"parameters: there is no nested stack {stack!r}{_nearest(stack, stacks)}",
                remedy=f"the export has {', '.join(sorted(stacks))}",
            )
        if parameter is None:
            continue
        if parameter not in stacks[stack]:
            raise ConfigError(
                f"parameters: {stack} has no parameter {parameter!r}{_nearest(parameter, stacks[stack])}",
                remedy=f"it has {', '.join(sorted(stacks[stack]))}",
            )
        if stack == ROOT:
            if (stack, parameter) in values.secrets:
                raise ConfigError(f"parameters: {ROOT}.{parameter} cannot be a secret", remedy="give it as plain text")
            continue
        known = assembly.root.nested[stack].parameters.get(parameter)
        wired = assembly.root_template["Resources"][stack]["Properties"].get("Parameters", {})
        fixed = known is not None and known.source not in ("literal", "secret", "stack-name")
        if parameter in wired or fixed:
            raise ConfigError(
                f"parameters: {stack}.{parameter} is set by the assembly itself and cannot be overridden",
                remedy="take it out; what other stacks or the environment's name decide is not a setting",
            )


def _is_setting(value: Value | None) -> bool:
    """Whether an environment may set a parameter that has this value: not what the assembly decides."""
    return value is None or value.source == "literal"


def check_value(where: str, declaration: Mapping[str, Any], value: str) -> None:
    """Refuse a literal that CloudFormation would refuse; a `NoEcho` one is not repeated."""
    if not allowed(declaration, value):
        shown = "not allowed" if is_no_echo(declaration) else f"{value[:60]!r}"
        choice = listed([text(a) for a in declaration["AllowedValues"]])
        raise ConfigError(f"parameters: {where} is {shown}", remedy=f"allowed are {choice}")
    if len(value.encode()) > MAX_VALUE:
        raise ConfigError(
            f"parameters: {where} is longer than CloudFormation's {MAX_VALUE:,} bytes",
            remedy="shorten it, or keep it where the code reads it at run time (Parameter Store, S3)",
        )


def _nearest(name: str, valid: Collection[str]) -> str:
    close = difflib.get_close_matches(name, list(valid), n=1)
    return f", did you mean {close[0]!r}?" if close else ""
