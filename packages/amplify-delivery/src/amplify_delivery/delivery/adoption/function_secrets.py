"""The secrets of functions (`amplify update function`, "Secret values configuration"): parameters of SSM, beside the
stacks. They are found and named; nothing of a deployment touches them.

A function's template takes the first part of their names as a parameter and composes the rest
(amplify-cli, packages/amplify-category-function, secretName.ts: `/amplify/APPID/ENV/AMPLIFY_FUNCTION_NAME`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.publishing.aws_errors import suppressing_all

_FUNCTION = "AWS::Lambda::Function"


@dataclass(frozen=True)
class FunctionSecrets:
    """Names of parameters that functions read, those that are there and those that are not. Of what could not be
    listed, `doubt` says why."""

    there: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    doubt: str = ""


def read_names(stacks: Stacks) -> frozenset[str]:
    """The names of SSM parameters that functions get in their environment: as texts that begin with `/amplify/`."""
    return frozenset(
        value
        for resource in stacks.resolved.resources.values()
        if resource.type == _FUNCTION
        for value in _variables(resource.properties).values()
        if isinstance(value, str) and value.startswith("/amplify/")
    )


def _variables(properties: Mapping[str, object]) -> Mapping[str, object]:
    environment = properties.get("Environment")
    variables = environment.get("Variables") if isinstance(environment, Mapping) else None
    return variables if isinstance(variables, Mapping) else {}


def found(account: Account, stacks: Stacks) -> FunctionSecrets:
    """Look for the secrets that functions read. Only names are asked for, no values."""
    wanted = read_names(stacks)
    if not wanted:
        return FunctionSecrets()
    with suppressing_all() as refusal:
        ssm = account.client("ssm")
        pages = ssm.get_paginator("describe_parameters").paginate(
            ParameterFilters=[{"Key": "Name", "Option": "BeginsWith", "Values": ["/amplify/"]}]
        )
        there = {parameter["Name"] for page in pages for parameter in page["Parameters"]}
        return FunctionSecrets(tuple(sorted(wanted & there)), tuple(sorted(wanted - there)))
    return FunctionSecrets(doubt=f"the secrets of functions in Parameter Store could not be listed: {refusal.said}")
