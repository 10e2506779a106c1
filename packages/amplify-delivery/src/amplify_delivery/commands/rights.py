"""`delivery rights ENV`: the rights that an environment's resource types need, and with `--missing` those that lack."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from amplify_delivery.components.documents.naming import DEPLOY, EnvironmentNames
from amplify_delivery.components.documents.rights.types import actions_for, program_actions
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.account import Account
from amplify_delivery.delivery.account.granted import Granted, of_role
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import ConfigError, DeployError
from amplify_delivery.export.documents import Malformed, parse_json
from amplify_delivery.stacks.access import declared_types, resource_types
from amplify_delivery.stacks.config import EnvironmentConfig, Project
from amplify_delivery.stacks.inputs import read_assembly

Needs = Mapping[str, Sequence[str]]
"""Actions, each with the CloudFormation types that need it."""

_STACK = "AWS::CloudFormation::Stack"
_EVERY_BACKEND = ("iam:PassRole", "s3:GetObject")
"""What the execution role needs for any export: to hand over the roles, and to read nested templates and code."""
_CLOUD_CONTROL = tuple(
    f"cloudformation:{name}"
    for name in ("CreateResource", "DeleteResource", "GetResource", "GetResourceRequestStatus", "UpdateResource")
)
"""What `deploy` needs for any resource of the program: the provider `aws-native` makes them through Cloud Control."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the environment")
    parser.add_argument("--missing", action="store_true", help="list only what lacks; 1 if anything does")
    parser.add_argument(
        "--role", metavar="NAME", help="role of the environment's account to ask, instead of the two that are its own"
    )
    parser.add_argument(
        "--policy",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="policy document to compare with, instead of a role's; may be repeated",
    )


def run(args: argparse.Namespace) -> int:
    project = Project(Path())
    config = stack_files.load(args.environment)
    names = EnvironmentNames(project.app, config.account, config.region, config.environment)
    more, types = declared_types(project, config)
    exported = resource_types(read_assembly(config, Path(), project.app))
    backend = needs(exported | more | {_STACK}, {_STACK: _EVERY_BACKEND})
    needed = {names.execution_role: backend}
    if types:
        classic = {name: (*_CLOUD_CONTROL, *program_actions([name])) for name in types}
        needed[names.project_role(DEPLOY)] = needs(types, classic)
    if args.missing:
        needed = {role: lacking(found, _granted(args, config, role)) for role, found in needed.items()}
        needed = {role: found for role, found in needed.items() if found}
    _show(args, needed)
    return 1 if args.missing and needed else 0


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


def _granted(args: argparse.Namespace, config: EnvironmentConfig, role: str) -> Granted:
    if args.policy:
        return Granted([_document(path) for path in args.policy])
    if not args.role and not config.enrolled:
        raise ConfigError(
            f"{config.environment} has no roles of its own: it is deployed with the rights of whoever deploys it",
            where=str(stack_files.path(args.environment)),
            remedy="name a role or a policy to compare with: --role NAME, --policy FILE",
        )
    account = Account.of(config)
    asked = args.role or role
    try:
        return of_role(account.client("iam"), asked)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchEntity":
            raise DeployError(
                f"there is no role {asked}",
                where=f"account {config.account}",
                remedy=f"`pulumi up -s {config.environment}-account` as the account's administrator makes it",
            ) from None
        raise account.refused(error, f"reading the role {asked}") from None
    except BotoCoreError as error:
        raise account.refused(error, f"reading the role {asked}") from None


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document = parse_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except Malformed as error:
        raise ConfigError(f"is no policy document: {error}", where=str(path)) from None
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise ConfigError("is no policy document: it has no `Statement`", where=str(path))
    return document


def _show(args: argparse.Namespace, needed: Mapping[str, Needs]) -> None:
    if args.json:
        output.document({"environment": args.environment, "missing": args.missing, "roles": needed})
        return
    for role, found in needed.items():
        print(f"{role} {'lacks' if args.missing else 'needs'} {output.counted(len(found), 'action')}")
        output.table(("action", "for"), [(action, ", ".join(types)) for action, types in found.items()])
        print()
    if args.missing and not needed:
        print(f"{args.environment}: nothing is missing")
    elif args.missing:
        print(
            f"`pulumi up -s {args.environment}-account`, as the account's administrator, gives what the files declare"
        )
