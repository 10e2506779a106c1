"""Which way to authorize opens a field: the directives of an AppSync schema.

AppSync Developer Guide, "Authorization": a field's directives, else its type's; without any, the API's default only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

API_KEY = "API_KEY"
USER_POOLS = "AMAZON_COGNITO_USER_POOLS"
IAM = "AWS_IAM"
OIDC = "OPENID_CONNECT"
LAMBDA = "AWS_LAMBDA"

AUTH_TYPES = {
    API_KEY: "API Key Authorization",
    USER_POOLS: "User Pool Authorization",
    IAM: "IAM Authorization",
    OIDC: "Open ID Connect Authorization",
    LAMBDA: "Lambda Authorization",
}
"""What `$util.authType()` says."""
_DIRECTIVES = {
    "aws_api_key": API_KEY,
    "aws_cognito_user_pools": USER_POOLS,
    "aws_iam": IAM,
    "aws_oidc": OIDC,
    "aws_lambda": LAMBDA,
    "aws_auth": USER_POOLS,
}


@dataclass(frozen=True)
class Rule:
    """A way to authorize, and the groups that it asks for; any user for none."""

    mode: str
    groups: tuple[str, ...] = ()


def rules(directives: Iterable[tuple[str, dict[str, Any]]]) -> tuple[Rule, ...]:
    """The rules that directives (name, arguments) give; others are no rules."""
    return tuple(
        Rule(_DIRECTIVES[name], tuple(arguments.get("cognito_groups") or ()))
        for name, arguments in directives
        if name in _DIRECTIVES
    )


def is_open(
    found: tuple[Rule, ...], mode: str, default: str, groups: Iterable[str], *, deny_unmarked: bool = False
) -> bool:
    """Whether a caller of `mode`, a user in `groups`, may read the field that has these rules. `deny_unmarked` is a
    user pool's `defaultAction` DENY: its users read what is marked for them only."""
    if not found:
        return mode == default and not (deny_unmarked and mode == USER_POOLS)
    return any(rule.mode == mode and (not rule.groups or set(rule.groups) & set(groups)) for rule in found)


def is_denied(fields: Iterable[Any], api_arn: str, type_name: str, field_name: str) -> bool:
    """Whether a Lambda authorizer's `deniedFields` name the field: `TypeName.FieldName`, or by its ARN. Whatever else
    stands there (`Mutation`, `Mutation.*`) denies nothing: https://github.com/aws/aws-appsync-community/issues/272."""
    names = (f"{type_name}.{field_name}", f"{api_arn}/types/{type_name}/fields/{field_name}")
    return any(name in names for name in fields)


def is_of_form(token: str, expression: str | None) -> bool:
    """Whether a token matches the authorizer's `identityValidationExpression`, without which its function is not asked.
    An expression that is none matches nothing."""
    if not expression:
        return True
    try:
        return re.search(expression, token) is not None
    except re.error:
        return False
