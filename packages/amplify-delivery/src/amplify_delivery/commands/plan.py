"""`delivery plan ENV`: what deploying an environment would change, resource by resource. Changes nothing itself."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from amplify_delivery.changes import deployed
from amplify_delivery.changes.imports import listed, not_exported
from amplify_delivery.changes.impossible import check as refuse
from amplify_delivery.changes.impossible import impossible
from amplify_delivery.changes.published import published
from amplify_delivery.components.documents.naming import PLAN, EnvironmentNames
from amplify_delivery.components.names import staging_bucket_name
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account import prepared, stamp
from amplify_delivery.delivery.account.account import Account
from amplify_delivery.delivery.account.audit_log import AuditLog
from amplify_delivery.delivery.engine import secrets_provider, state_bucket, waiting
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.planning import (
    Identity,
    Plan,
    ProgramStep,
    Stacks,
    Start,
    Step,
    Target,
    beyond_boundary,
    boundary_comes,
    digest,
    ignored,
    lacking,
    losses,
    named_policies,
    page_buckets,
    plan_backend,
    plan_program,
    program_needs,
    unread_policies,
)
from amplify_delivery.delivery.planning.audit import Audit
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import ConfigError, DeployError
from amplify_delivery.export import Assembly, EnvironmentValues, ExportRefused, RootStack, render_root
from amplify_delivery.export.documents import Malformed
from amplify_delivery.export.templates.parameters import API_KEY_EXPIRES
from amplify_delivery.publishing.target import PublishTarget
from amplify_delivery.stacks.access import environment_names
from amplify_delivery.stacks.config import EnvironmentConfig, Project
from amplify_delivery.stacks.config.reader import own_keys_in
from amplify_delivery.stacks.inputs import read_assembly


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the plan's JSON document into FILE")
    parser.add_argument(
        "--variables", type=Path, metavar="FILE", help="write CHANGES=NUMBER and PLAN_DIGEST=DIGEST into FILE"
    )
    waiting.add_argument(parser, "the environment")


def run(args: argparse.Namespace) -> int:
    with Audit("plan", args.environment) as audit:
        target = wanted(args.environment)
        log_if_allowed(audit, target)
        if settle(target, args.wait * 60.0):
            target = wanted(args.environment)  # credentials of an assumed role last an hour
        plan = make(target, Engine(args.environment, Path.cwd(), output.progress))
        audit.planned(plan)
        if plan.impossible and not args.json:
            show(plan)
        refuse(plan.impossible, args.environment)
        audit.end("planned")
    document = plan.to_json()
    if target.config.enrolled:
        keep(target, plan)
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
    output.resources(("", "resource", "type", ""), [(s.mark, s.place, s.type, s.what) for s in plan.steps])
    if plan.losses:
        print("\nData would be lost:")
        output.resources(("", "resource", "type", "data"), [(s.mark, s.place, s.type, s.loss) for s in plan.losses])
    if plan.steps or plan.notes:
        print()
    for note in plan.notes:
        print(f"note: {note}")
    print(f"{plan.target.environment}: {output.counted(plan.changes, 'change')}" if plan.steps else "nothing to change")
    print(f"plan {plan.digest}")


@dataclass(frozen=True)
class Wanted:
    """What an environment's stack file and export describe, and the account where it shall be."""

    config: EnvironmentConfig
    assembly: Assembly
    root: RootStack
    parameters: Mapping[str, str]
    """What the root is called with, as far as it is known beforehand."""
    account: Account
    names: EnvironmentNames

    @property
    def bucket(self) -> str:
        """The staging bucket."""
        config = self.config
        return staging_bucket_name(self.assembly.project, config.environment, config.account, config.region)

    def account_anew(self) -> Account:
        """The account once more: an assumed role's credentials last an hour."""
        config = self.config
        return Account.of(config)


@dataclass(frozen=True)
class Backend:
    """What is deployed, and the steps from there: the backend's part of a plan, for which no engine is needed."""

    found: deployed.Deployed
    steps: tuple[Step, ...]
    wanted: Stacks


def wanted(environment: str) -> Wanted:
    """What deploying an environment leads to. Raises `DeliveryError`s, also for credentials of another account, and for
    an account that was not prepared for this program."""
    config = stack_files.load(environment)
    values = stack_files.values(config)
    project = Project(Path())
    assembly = read_assembly(config, Path(), project.app)
    bucket = staging_bucket_name(assembly.project, config.environment, config.account, config.region)
    root = render_root(assembly, values, bucket)
    account = Account.of(config)
    stamp.check(config, project, account)
    names = environment_names(project.app, config)
    return Wanted(config, assembly, root, _parameters(root, values, config), account, names)


def backend(target: Wanted) -> Backend:
    """What deploying would do to the backend as it is now. Raises `DeployError`, and `ExportRefused` for what only a
    stack that is there may have."""
    found = _deployed(target)
    if found.stacks is None and target.root.against_creating:
        raise ExportRefused(target.root.against_creating)
    have = found.stacks.parameters if found.stacks else {}
    parameters = deployed.with_deployed(target.parameters, have)
    stacks = Stacks.of(target.assembly, target.root, parameters)
    return Backend(found, plan_backend(found.stacks, stacks), stacks)


def make(target: Wanted, engine: Engine) -> Plan:
    """The plan of an environment. Raises `DeliveryError`s, also if its account lacks rights for it; reads only.

    What is deployed is read last: a deployment that follows at once begins from there.
    """
    environment = engine.stack
    state = engine.state()
    secrets_provider.check(environment, state, pipeline=target.config.enrolled)
    previewed = engine.preview().steps
    here = backend(target)
    program = plan_program(previewed, backend_changes=bool(here.steps), deployed=here.found.status is not None)
    steps = (*here.steps, *program)
    was, config = here.found.stacks, target.config
    # Which plan it is, is only known when it is made: an exception for this very plan cannot stand in the file yet.
    today = datetime.now(UTC).date()
    guard = config.guard(environment, today)
    overruled = ignored({i.id: i.reason for i in config.lint.ignore})
    notes = (*_rights(target, here, previewed), *boundary_comes(here.steps), *losses(steps, guard), *overruled)
    known = sorted([str(r.get("urn")), str(r.get("id", ""))] for r in state.get("resources") or ())
    return Plan(
        Start(
            stack=target.root.stack_name,
            status=here.found.status,
            root_template=digest(was.templates[()]) if was else None,
            templates=digest({"/".join(path): body for path, body in was.templates.items()}) if was else None,
            parameters=digest(was.parameters) if was else None,
            program=digest(known),
        ),
        Target(
            environment=environment,
            account=config.account,
            region=config.region,
            assembly=target.assembly.digest(),
            root_template=target.root.object.key,
            parameters=digest(target.parameters),
            configuration=digest(own_keys_in(stack_files.path(environment)).get("parameters") or {}),
        ),
        steps,
        notes,
        (
            *impossible(here.steps, was, here.wanted, today, config.ignored),
            *not_exported(here.wanted, listed(target.account.client("cloudformation")), config.ignored),
        ),
    )


def _rights(target: Wanted, here: Backend, previewed: Sequence[ProgramStep]) -> tuple[str, ...]:
    """What is not known of the account's rights for this plan. Raises `DeployError` if there are some lacking.

    An environment that is not enrolled is deployed with the rights of whoever deploys it.
    """
    config, project = target.config, Project(Path())
    if not config.enrolled:
        return ()
    record = prepared.recorded(config, project, target.account)
    found = lacking(
        record,
        # Another execution role than the account's is not the account's to know.
        None if config.execution_role_arn else here.wanted,
        here.found.stacks,
        here.steps,
        program_needs(previewed, Identity(config.profile, config.role_arn)),
        pages=page_buckets(previewed),
    )
    prepared.check(found, config, project)
    if not config.execution_role_arn:
        prepared.check_policies(named_policies(here.wanted, target.names.stack_role_prefix), config)
    denied = prepared.denied_at_run_time(beyond_boundary(record, here.wanted), config, project)
    return (*prepared.unclear(found), *denied, *prepared.not_compared(unread_policies(here.wanted)))


def log_if_allowed(audit: Audit, target: Wanted) -> None:
    """Have a plan of an enrolled environment recorded in its account. Whoever may not write there may plan as well."""
    if not target.config.enrolled:
        return
    try:
        audit.log_to(AuditLog(target.account_anew, target.names, PLAN))
    except DeployError as error:
        output.progress(f"not recorded: {error.message}")


def keep(target: Wanted, plan: Plan) -> None:
    """Leave the plan's document in the account, if this role may: what remains of it can be deployed then."""
    body = json.dumps(plan.to_json(), ensure_ascii=False).encode()
    try:
        state_bucket.write(target.account_anew(), target.names, state_bucket.plan_key(plan.digest), body)
    except state_bucket.NotAllowedError as error:
        output.progress(f"the plan is not kept in the account: {error.message}")


def settle(target: Wanted, seconds: float) -> bool:
    """Wait, so long at most, for a deployment that is going on; whether there was one."""
    account, stack = target.account, target.root.stack_name
    try:
        return deployed.settle(account.client("cloudformation"), stack, seconds, output.progress)
    except (BotoCoreError, ClientError) as error:
        raise account.refused(error, f"reading stack {stack}") from None


def _deployed(target: Wanted) -> deployed.Deployed:
    account, stack = target.account, target.root.stack_name
    try:
        place = PublishTarget(target.bucket, account.account, account.region)
        content = published(target.assembly, target.root, place, account.client("s3"), output.progress)
        return deployed.read(account.client("cloudformation"), stack, content)
    except (BotoCoreError, ClientError) as error:
        raise account.refused(error, f"reading stack {stack}") from None
    except Malformed as error:
        raise DeployError(f"a deployed template cannot be read: {error}", where=stack) from None


def _parameters(root: RootStack, values: EnvironmentValues, config: EnvironmentConfig) -> dict[str, str]:
    """The root's parameters, without what only the deployment knows: the version of a secret, and the expiry of API
    keys, which is chosen once and then remembered by the engine's state."""
    parameters = deployed.known(root)
    if config.api_key_expires is None and parameters.get(API_KEY_EXPIRES) == str(values.api_key_expires):
        parameters[API_KEY_EXPIRES] = deployed.LATER
    return parameters


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", where=str(file)) from None
