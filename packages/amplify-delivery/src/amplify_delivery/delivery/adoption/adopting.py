"""The adoption of an environment, in order: find, read, compare, refuse; then the stack file, the state, the plan."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from amplify_delivery import publishing
from amplify_delivery.changes.impossible import check as refuse
from amplify_delivery.changes.impossible import impossible
from amplify_delivery.changes.stacks import MASK
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.account import bootstrap_version, rights_check
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.adoption import api_keys, beside, function_secrets, refusing, running, state
from amplify_delivery.delivery.adoption.beside import Beside
from amplify_delivery.delivery.adoption.function_secrets import FunctionSecrets
from amplify_delivery.delivery.adoption.kept import Kept, kept, plain_secrets
from amplify_delivery.delivery.adoption.running import Running
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import former_state, secrets_provider
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking.session import holding
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.engine.pulumi_command import Line
from amplify_delivery.delivery.engine.state_store import BACKEND_VARIABLE
from amplify_delivery.delivery.environment import planned, recovery, wanted
from amplify_delivery.delivery.planning import Plan
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.delivery.project.named_roots import named_roots
from amplify_delivery.errors import midway
from amplify_delivery.export.names import StackName
from amplify_delivery.export.templates.boundary import PERMISSIONS_BOUNDARY
from amplify_delivery.export.values.environment import ROOT
from amplify_delivery.export.values.parameters import API_KEY_EXPIRES
from amplify_delivery.publishing.credentials import of_profile
from amplify_delivery.stacks.access import environment_names, staging_bucket
from amplify_delivery.stacks.config import EnvironmentConfig
from amplify_delivery.stacks.config.reader import own_keys_in
from amplify_delivery.stacks.inputs import ADOPT_VARIABLE, read_assembly, root_stack_name

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Which:
    """What is to be adopted: the root stack of that name, by default the one that the stack file describes. `lost`: one
    that another Pulumi stack of ours has delivered, whose state is lost."""

    stack: str | None = None
    lost: bool = False


@dataclass(frozen=True)
class Adopted:
    """What was done: the running stack, what was written for it, and the plan from there. `already`: nothing, because
    the Pulumi stack delivers it, which has adopted it before, or made it."""

    stack: str
    arn: str
    already: bool = False
    written: tuple[str, ...] = ()
    """Keys of the stack file, as paths."""
    secrets: tuple[str, ...] = ()
    """Parameters that are secrets now, as paths."""
    functions: FunctionSecrets = field(default_factory=FunctionSecrets)
    notes: tuple[str, ...] = ()
    plan: Plan | None = None
    backend: str = ""
    """Where the state lies, for who goes on from here; empty where the caller's commands look there already."""


@dataclass(frozen=True)
class _Decided:
    """What the adoption of `running` writes, once nothing speaks against it."""

    running: Running
    keys: Mapping[str, str]
    kept: Kept
    config: EnvironmentConfig


def adopt(environment: str, context: Context, which: Which, patience: Patience, line: Line) -> Adopted:
    """Make the running root stack that `which` describes the one of `environment`.

    What was refused has written nothing. Raises `DeliveryError`s; a run that ended in between is gone on with by the
    next one.
    """
    config = stack_files.load(context.folder, environment)
    app = context.project.app
    account = Account.of(config)
    bootstrap_version.check(config, context.project, account)  # its state bucket, first of all
    expected = root_stack_name(config, context.folder, app)
    name = running.find(account, app, which.stack, expected, config.environment)
    engine = _engine(environment, context, config, line)
    with holding(engine, "adopt", context, patience):
        found = running.read(account, name)
        if which.lost:
            refusing.check_others(environment, found, named_roots(context.project, config), account.place)
        return _adopt(engine, context, config, found, lost=which.lost)


def _adopt(engine: Engine, context: Context, config: EnvironmentConfig, found: Running, *, lost: bool) -> Adopted:
    """The same, while nobody else changes the Pulumi stack."""
    environment, account = engine.stack, Account.of(config)
    resources = engine.resources() if engine.exists() else []
    former_state.check(environment, resources)
    root = state.root_of(resources)
    refusing.check_imported(environment, found, resources, engine.backend_variables)
    refusing.check_state(environment, found, root, lost=lost)
    parameters = {name: value for name, value in found.stacks.parameters.items() if value != MASK}
    here = root is not None and state.is_complete(root, parameters)
    if here and (lost or refusing.is_ours(found.stacks) or state.was_delivered(root)):
        return _again(engine, context, config, found, lost=lost)
    expires = api_keys.expires(account, found)
    decided = _decide(environment, context, config, found, expires, lost=lost)
    if here:
        decided = replace(decided, kept=decided.kept.beside(config.parameters))
    if here and not _lacks(stack_files.path(context.folder, environment), decided):
        return _again(engine, context, config, found, lost=lost)
    functions = function_secrets.found(account, found.stacks)
    # The program says much the same when the plan is made; what it says of the import is ours to say.
    adopting = _engine(environment, context, config, _log.debug, {ADOPT_VARIABLE: found.arn})
    with midway(lambda: engine.wrote or adopting.wrote):
        engine.create()
        secrets_provider.check(environment, engine.state(), context, pipeline=config.bootstrapped)
        # The engine drops what is pending with the first state that is written.
        resolving.of_stack(engine, context)
        written = _write(engine, decided)
        state.take_in(adopting, found.arn, parameters)
        beside_it = _beside(engine, account) if lost else Beside()
        target = wanted.wanted(environment, context)
        plan = planned.make(target, engine, engine.state())
    secrets = tuple(sorted(f"{nested}.{parameter}" for nested, parameter in decided.kept.secrets))
    notes = (
        *_next(environment, decided.config, found),
        *refusing.beside(environment, beside_it, engine.backend_variables),
        *api_keys.expired(environment, expires, datetime.now(UTC)),
    )
    backend = _elsewhere(config, context)
    return Adopted(str(found.name), found.arn, False, written, secrets, functions, notes, plan, backend)


def _lacks(file: Path, decided: _Decided) -> bool:
    """Whether the stack file lacks something of what the adoption writes: it was taken back before it was committed.
    Until the first delivery all of that still runs, and can be read again."""
    kept_ = decided.kept
    return bool(decided.keys.keys() - own_keys_in(file).keys() or kept_.parameters or kept_.secrets or kept_.tags)


def _again(engine: Engine, context: Context, config: EnvironmentConfig, found: Running, *, lost: bool) -> Adopted:
    """The same once the root is adopted: what stood beside it, of which a run before may have ended."""
    with midway(lambda: engine.wrote):
        if lost:
            resolving.of_stack(engine, context)
        it = _beside(engine, Account.of(config)) if lost else Beside()
        notes = _next(engine.stack, config, found) + refusing.beside(engine.stack, it, engine.backend_variables)
        backend = _elsewhere(config, context)
        if not it.taken:
            return Adopted(str(found.name), found.arn, already=True, notes=notes, backend=backend)
        plan = planned.make(wanted.wanted(engine.stack, context), engine, engine.state())
    return Adopted(str(found.name), found.arn, notes=notes, plan=plan, backend=backend)


def _beside(engine: Engine, account: Account) -> Beside:
    with refusing.going_on(engine.stack):
        return beside.take_in(engine, account)


def _engine(
    environment: str,
    context: Context,
    config: EnvironmentConfig,
    line: Line,
    more: Mapping[str, str] | None = None,
) -> Engine:
    """Of a bootstrapped environment the one whose state lies in its account, else wherever Pulumi is logged in to. The
    program and the state are reached with the same credentials: those of the command, or the stack file's profile."""
    folder = context.folder.resolve()
    if config.bootstrapped:
        names: EnvironmentNames = environment_names(context.project.app, config)
        profile = of_profile(config.profile) if config.profile else {}
        variables = {BACKEND_VARIABLE: names.state_backend, **profile, **(more or {})}
        return Engine(environment, folder, line, variables, names.secrets_provider)
    return Engine(environment, folder, line, more)


def _decide(
    environment: str,
    context: Context,
    config: EnvironmentConfig,
    found: Running,
    expires: int | None,
    *,
    lost: bool = False,
) -> _Decided:
    """What is to be written. Raises `DeliveryError`s for all that speaks against the adoption."""
    name, file = found.name, stack_files.path(context.folder, environment)
    refusing.check_names(config, own_keys_in(file), name, file.name)
    named = config.model_copy(update={"environment": name.environment, "suffix": name.suffix})
    bucket = staging_bucket(name.project, named)
    target = publishing.PublishTarget(bucket, config.account, config.region, config.profile, config.role_arn)
    publishing.check_stack(target, str(name), creating=False)
    with_secrets = named.model_copy(update={"secret_names": named.secret_names | plain_secrets(found.stacks).keys()})
    assembly = read_assembly(with_secrets, context.folder, context.project.app)
    refusing.check_export(assembly, config, name, ours=lost and refusing.is_ours(found.stacks))
    taken = kept(found, assembly, stack_files.values(context.folder, named), expires)
    if config.api_key_expires:  # the file says it in its own way
        taken = taken.beside({ROOT: {API_KEY_EXPIRES: ""}})
    refusing.check_known(taken, file.name)
    keys = _keys(config, environment, assembly.stack_name, found)
    parameters = {nested: dict(values) for nested, values in config.parameters.items()}
    for nested, values in taken.parameters.items():
        parameters.setdefault(nested, {}).update(values)
    adopted = named.model_copy(
        update={
            "secret_names": named.secret_names | taken.secrets.keys(),
            "parameters": _without(parameters, taken),
            "tags": {**config.tags, **taken.tags},
            "boundary": config.boundary and "boundary" not in keys,
            "execution_role_arn": keys.get("executionRoleArn", config.execution_role_arn),
        }
    )
    goal = wanted.described(adopted, context)
    here = planned.backend(goal)
    recovery.check_nested(goal, recovery.place_of(goal, environment), here.found)
    today = datetime.now(UTC).date()
    refuse(impossible(here.steps, here.found.stacks, here.wanted, today, config.ignored), environment)
    config.guard(environment, today).check(here.steps)
    rights_check.check_unbounded(here.steps, adopted)
    return _Decided(found, keys, taken, adopted)


def _without(parameters: Mapping[str, Mapping[str, str]], taken: Kept) -> dict[str, dict[str, str]]:
    """Parameters in plain text, without those that become secrets."""
    return {
        nested: {name: value for name, value in values.items() if (nested, name) not in taken.secrets}
        for nested, values in parameters.items()
    }


def _keys(config: EnvironmentConfig, environment: str, exported: StackName, found: Running) -> dict[str, str]:
    """The keys beside `parameters` that the stack file needs so that its names are the running stack's."""
    keys = {}
    if found.name.environment != environment:
        keys["environment"] = found.name.environment
    if found.name.suffix not in (exported.suffix, config.suffix):
        keys["suffix"] = found.name.suffix
    if found.role_arn and not config.bootstrapped and config.execution_role_arn is None:
        # CloudFormation goes on with the role that a stack has; the provider would remove it, which AWS refuses.
        keys["executionRoleArn"] = found.role_arn
    if config.bootstrapped and config.boundary and not _has_boundary(found):
        keys["boundary"] = "false"
    return keys


def _has_boundary(found: Running) -> bool:
    """Whether the roles run with one: a root that `up` has made has the parameter, too, and it is empty."""
    return bool(found.stacks.parameters.get(PERMISSIONS_BOUNDARY))


def _write(engine: Engine, decided: _Decided) -> tuple[str, ...]:
    """Write into the stack file what is not there yet; the paths of all that belongs there."""
    kept_values = {f"parameters.{n}.{p}": v for n, values in decided.kept.parameters.items() for p, v in values.items()}
    tags = {f'tags["{key}"]': value for key, value in decided.kept.tags.items()}
    plain = {**decided.keys, **kept_values, **tags}
    secrets = {f"parameters.{n}.{p}": value for (n, p), value in decided.kept.secrets.items()}
    engine.configure(sorted(plain.items()), sorted(secrets.items()))
    return tuple(sorted(plain))


def _elsewhere(config: EnvironmentConfig, context: Context) -> str:
    """The backend in the account of a bootstrapped environment, unless the caller's variables name it. `adopt` goes
    there by itself; what comes after it does not."""
    if not config.bootstrapped:
        return ""
    backend = environment_names(context.project.app, config).state_backend
    return "" if context.variables.get(BACKEND_VARIABLE) == backend else backend


def _next(environment: str, config: EnvironmentConfig, found: Running) -> tuple[str, ...]:
    """What is still to come."""
    if not config.bootstrapped or config.boundary:
        return ()
    when = "now" if refusing.is_ours(found.stacks) else "once the plan is delivered"
    return (
        f"the roles have no permissions boundary yet (`boundary: false`): {when}, `pulumi config rm boundary -s "
        f"{environment}`, commit it, and the next plan brings it, by itself",
    )
