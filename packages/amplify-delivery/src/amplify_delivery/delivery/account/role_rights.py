"""The rights that resource types need, and what of them a role has not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amplify_delivery.components.documents.naming import DEPLOY, EnvironmentNames
from amplify_delivery.components.documents.rights.types import actions_for, program_actions
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.account.granted import Granted, of_role
from amplify_delivery.errors import ConfigError, RefusedError
from amplify_delivery.export.documents import Malformed, parse_json
from amplify_delivery.export.model import STACK_TYPE
from amplify_delivery.publishing.aws_errors import suppressing
from amplify_delivery.stacks.access import declared_types
from amplify_delivery.stacks.config import EnvironmentConfig, Project

Needs = Mapping[str, Sequence[str]]
"""Actions, each with the CloudFormation types that need it."""
_EVERY_BACKEND = ("iam:PassRole", "s3:GetObject")
"""What the execution role needs for any export: to hand over the roles, and to read nested templates and code."""
_CLOUD_CONTROL = tuple(
    f"cloudformation:{name}"
    for name in ("CreateResource", "DeleteResource", "GetResource", "GetResourceRequestStatus", "UpdateResource")
)
"""What `deploy` needs for any resource of the program: the provider `aws-native` makes them through Cloud Control."""


def needs(types: Iterable[str], more: Mapping[str, Iterable[str]]) -> Needs:
    """The actions for resources of `types`, and `more` of some types. Raises `ConfigError` for unknown types."""
    known = sorted(types)
    by_type = {name: actions_for([name]) | frozenset(more.get(name, ())) for name in known}
    # With a key among the types the use of keys counts as well, which none of them has alone.
    every = actions_for(known).union(*by_type.values())
    return {action: [t for t in known if action in by_type[t]] or ["AWS::KMS::Key"] for action in sorted(every)}


def lacking(needed: Needs, granted: Granted) -> Needs:
    """What is needed and not granted."""
    return {action: types for action, types in needed.items() if not granted.allows(action)}


def granted(account: Account, role: str, environment: str) -> Granted:
    """What a role of the environment's account is granted. Raises `RefusedError`."""
    iam = account.client("iam")
    with account.asking(f"reading the role {role}"), suppressing("NoSuchEntity"):
        return of_role(iam, role)
    raise RefusedError(
        f"there is no role {role}",
        where=f"account {account.account}",
        remedy=f"`pulumi up -s {environment}-account` as the account's administrator makes it",
    )


def document(path: Path) -> Mapping[str, Any]:
    """A policy document in a file. Raises `ConfigError`."""
    try:
        found = parse_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="name a file that is there and may be read"
        ) from None
    except Malformed as error:
        raise ConfigError(
            f"is not a policy document: {error}",
            where=str(path),
            remedy="name a file with a policy document, as IAM takes it (JSON)",
        ) from None
    if not isinstance(found, Mapping) or "Statement" not in found:
        raise ConfigError(
            "is not a policy document: it has no `Statement`",
            where=str(path),
            remedy="name a file with a policy document, as IAM takes it (JSON)",
        )
    return found


def of_environment(config: EnvironmentConfig, project: Project, exported: frozenset[str]) -> dict[str, Needs]:
    """What each of an environment's two roles needs, by its name: for the `exported` types and the declared ones."""
    names = EnvironmentNames(project.app, config.account, config.region, config.environment)
    more, types = declared_types(project, config)
    needed = {names.execution_role: needs(exported | more | {STACK_TYPE}, {STACK_TYPE: _EVERY_BACKEND})}
    if types:
        classic = {name: (*_CLOUD_CONTROL, *program_actions([name])) for name in types}
        needed[names.project_role(DEPLOY)] = needs(types, classic)
    return needed
