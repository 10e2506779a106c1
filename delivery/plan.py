"""`delivery plan ENV`: what deploying an environment would change, resource by resource. Changes nothing itself."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from amplify_export import EnvironmentValues, render_root
from amplify_export.documents import Malformed
from amplify_export.errors import ConfigError, DeployError
from amplify_export.parameters import API_KEY_EXPIRES
from components.names import staging_bucket_name
from delivery import deployed, output, stack_files
from delivery.account import Account
from delivery.engine import Engine
from delivery.planning import Plan, Stacks, Start, Target, digest, plan_backend, plan_program
from stacks.config import EnvironmentConfig, Project
from stacks.inputs import read_assembly

LATER = "[chosen when it is deployed]"
"""Stands for a parameter's value that the deployment makes up."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the plan's JSON document into FILE")
    parser.add_argument(
        "--variables", type=Path, metavar="FILE", help="write CHANGES=NUMBER and PLAN_DIGEST=DIGEST into FILE"
    )


def run(args: argparse.Namespace) -> int:
    plan = make(args.environment, Engine(args.environment, Path.cwd(), output.progress))
    document = plan.to_json()
    if args.out:
        _write(args.out, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    if args.variables:
        _write(args.variables, f"CHANGES={plan.changes}\nPLAN_DIGEST={plan.digest}\n")
    if args.json:
        output.document(document)
    else:
        show(plan)
    return 0


def show(plan: Plan) -> None:
    """The plan for people."""
    output.table(("", "resource", "type", ""), [(s.mark, s.place, s.type, s.what) for s in plan.steps])
    if plan.losses:
        print("\nData would be lost:")
        output.table(("resource", "type", "data"), [(s.place, s.type, s.loss) for s in plan.losses])
    if plan.steps:
        print()
    print(f"{plan.target.environment}: {output.counted(plan.changes, 'change')}" if plan.steps else "nothing to change")
    print(f"plan {plan.digest}")


def make(environment: str, engine: Engine) -> Plan:
    """The plan of an environment. Raises `DeliveryError`s; reads only.

    First what the account says, then the engine: a stack file's mistake is told before anything slow begins.
    """
    config = stack_files.load(environment)
    project = Project(Path())
    values = stack_files.values(config)
    assembly = read_assembly(config, Path(), project.app)
    bucket = staging_bucket_name(assembly.project, config.environment, config.account, config.region)
    root = render_root(assembly, values, bucket)
    account = Account(config.account, config.region, config.profile, config.role_arn)
    found = _deployed(account, root.stack_name)
    parameters = _parameters(
        {**root.parameters, **dict.fromkeys((s.version_parameter for s in root.secrets), LATER)}, values, config, found
    )
    backend = plan_backend(found.stacks, Stacks.of(assembly, root, parameters))
    resources = engine.resources()
    previewed = engine.preview().steps
    program = plan_program(previewed, backend_changes=bool(backend), deployed=found.status is not None)
    was = found.stacks
    return Plan(
        Start(
            stack=root.stack_name,
            status=found.status,
            root_template=digest(was.templates[()]) if was else None,
            templates=digest({"/".join(path): body for path, body in was.templates.items()}) if was else None,
            parameters=digest(was.parameters) if was else None,
            program=digest(sorted([str(r.get("urn")), str(r.get("id", ""))] for r in resources)),
        ),
        Target(
            environment=environment,
            account=config.account,
            region=config.region,
            assembly=assembly.digest(),
            root_template=root.object.key,
            parameters=digest(parameters),
        ),
        (*backend, *program),
    )


def _deployed(account: Account, stack: str) -> deployed.Deployed:
    try:
        return deployed.read(account.client("cloudformation"), stack)
    except (BotoCoreError, ClientError) as error:
        raise account.refused(error, f"reading stack {stack}") from None
    except Malformed as error:
        raise DeployError(f"a deployed template cannot be read: {error}", where=stack) from None


def _parameters(
    wanted: Mapping[str, str], values: EnvironmentValues, config: EnvironmentConfig, found: deployed.Deployed
) -> dict[str, str]:
    """The root's parameters as the deployment would set them.

    What only the deployment knows keeps its deployed value: the version of a secret (that a secret changes, the
    engine's preview says), and the expiry of API keys, which the engine's state remembers. A masked value is not known
    on either side, and so no change.
    """
    result = dict(wanted)
    have = found.stacks.parameters if found.stacks else {}
    if config.api_key_expires is None and result.get(API_KEY_EXPIRES) == str(values.api_key_expires):
        result[API_KEY_EXPIRES] = LATER
    for name, value in result.items():
        if value == LATER or have.get(name) == deployed.MASK:
            result[name] = have.get(name, value)
    return result


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", where=str(file)) from None
