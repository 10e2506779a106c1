"""`amplify-delivery rights ENV`: the rights that its resource types need, and with `--missing` those it lacks."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.account import role_rights
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.account.granted import Granted
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.access import resource_types
from amplify_delivery.stacks.config import EnvironmentConfig
from amplify_delivery.stacks.inputs import read_without_secrets

ABOUT = About(
    needs="files; --missing AWS",
    text="""
Lists for the two roles of a bootstrapped environment the actions that they need, each with the resource types that
need it: `APP-ENV-cloudformation` for the types of the export and `backendTypes`, `APP-ENV-deploy` for those of the
program (`programTypes` of the account's file).

`--missing` compares that with the policies that the roles have in the account, their boundary included; `pulumi up -s
ENV-account` then grants what the files declare. Sets of actions are compared, not resources and conditions; an action
that is denied everywhere and always counts as missing.
""",
    examples=(
        ("amplify-delivery rights prod", "what prod's roles need"),
        ("amplify-delivery rights prod --missing", "what they lack"),
    ),
    no="--missing, and something is",
    pages=(
        "trust",
        "own-resources",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the environment")
    parser.add_argument("--missing", action="store_true", help="list only what is missing; exit code 1 if anything is")
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


def run(args: argparse.Namespace, context: Context) -> int:
    project = context.project
    config = stack_files.load(context.folder, args.environment)
    needed = role_rights.of_environment(
        config, project, resource_types(read_without_secrets(config, context.folder, project.app))
    )
    if args.missing:
        needed = {
            role: role_rights.lacking(found, _granted(args, context, config, role)) for role, found in needed.items()
        }
        needed = {role: found for role, found in needed.items() if found}
    _show(args, needed)
    return 1 if args.missing and needed else 0


def _granted(args: argparse.Namespace, context: Context, config: EnvironmentConfig, role: str) -> Granted:
    if args.policy:
        return Granted([role_rights.document(path) for path in args.policy])
    if not args.role and not config.bootstrapped:
        raise ConfigError(
            f"{config.environment} has no roles of its own: it is deployed with the rights of whoever deploys it",
            where=str(stack_files.path(context.folder, args.environment)),
            remedy="name a role or a policy to compare with: --role NAME, --policy FILE",
        )
    return role_rights.granted(Account.of(config), args.role or role, config.environment)


def _show(args: argparse.Namespace, needed: Mapping[str, role_rights.Needs]) -> None:
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
