"""`delivery up ENV`: deploy an environment, as `pulumi up -s ENV --yes` does, from a preview on."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from amplify_delivery.commands.outputs import shown, table
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account import stamp
from amplify_delivery.delivery.engine import secrets_provider
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.planning import plan_program
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import ConfigError, DeployError
from amplify_delivery.publishing.credentials import client_config, provider_session
from amplify_delivery.publishing.failures import failed_resources
from amplify_delivery.stacks.config import Project

WORDS = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted", "import": "imported"}
"""The engine's kinds of changes that are worth a word."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack")
    parser.add_argument("--create", action="store_true", help="make the stack first, if there is none")
    parser.add_argument("--show-secrets", action="store_true", help="show secret outputs in clear")


def run(args: argparse.Namespace) -> int:
    backend = stack_files.program(args.environment) == "backend"
    if backend:
        stamp.check_account(stack_files.load(args.environment), Project(Path()))
    engine = Engine(args.environment, Path.cwd(), output.progress if args.json else print)
    if args.create:
        engine.create()
    secrets_provider.check(args.environment, engine.state())
    previewed = engine.preview().steps
    if backend:
        # What the backend itself would lose, the program asks before CloudFormation is called.
        guard = stack_files.load(args.environment).guard(args.environment, datetime.now(UTC).date())
        guard.check(plan_program(previewed, backend_changes=True, deployed=True))
    try:
        changes = engine.up().changes
    except DeployError as error:
        raise with_reasons(error, args.environment) from None
    outputs = shown(engine.outputs(), secrets=args.show_secrets)
    if args.json:
        output.document({"environment": args.environment, "changes": changes, "outputs": outputs})
        return 0
    table(outputs)
    done = ", ".join(f"{changes[kind]} {word}" for kind, word in WORDS.items() if kind in changes)
    print(f"{args.environment}: {done or 'nothing to change'}")
    return 0


def with_reasons(error: DeployError, environment: str) -> DeployError:
    """`error` with what failed in the nested stacks: the provider tells of the root stack only."""
    try:
        config = stack_files.load(environment)
        session = provider_session(config.region, config.profile, config.role_arn)
        found = failed_resources(session.client("cloudformation", config=client_config()), error.message)
    except (ConfigError, BotoCoreError, ClientError):
        return error  # without credentials the engine's own words have to do
    news = [line for line in found if line not in error.message]
    return DeployError("\n".join([error.message, *news]), where=error.where, remedy=error.remedy)
