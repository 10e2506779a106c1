"""Taking down an account's or a pipeline's stack: everything is checked, then it is taken down.

First whoever writes goes (the pipeline, roles, projects), then what was written into: nobody fills a bucket again that
has just been emptied. What cannot be made again stays in the stack, and stays protected, until it is asked for with
`--delete-data`: nothing is orphaned, and bootstrapping the environment again finds it. Every step can be repeated: what
is left is read from the engine's state, after a refresh.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import environment_state, secrets_provider
from amplify_delivery.delivery.engine.automation_api import Before
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking.session import holding
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.engine.pulumi_command import Line
from amplify_delivery.delivery.planning.program import changes_something
from amplify_delivery.delivery.teardown import emptying, removal, same_place
from amplify_delivery.delivery.teardown.removal import BUCKET, KEY, Holder, Kept, Resource
from amplify_delivery.errors import ConfigError, DeliveryError, RefusedError, midway
from amplify_delivery.publishing.aws_errors import suppressing
from amplify_delivery.publishing.stack_owner import is_delivered
from amplify_delivery.publishing.stack_state import described, parameters_of
from amplify_delivery.stacks.access import account_environments, environment_names, pipeline_names
from amplify_delivery.stacks.config import EnvironmentConfig, PipelineConfig, Project
from amplify_delivery.stacks.inputs import root_stack_name
from amplify_delivery.stacks.model import pipeline_model

_RUNNING = ("InProgress", "Stopping")
"""States of an execution that has not ended (`PipelineExecutionSummary` in the CodePipeline API reference)."""


@dataclass
class Done:
    """What was done to a stack."""

    stack: str
    changes: dict[str, int] = field(default_factory=dict)
    emptied: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    """Ids of keys that are scheduled for deletion."""
    kept: list[Kept] = field(default_factory=list)
    removed: bool = False
    """Whether the Pulumi stack itself is gone."""

    def begun(self) -> bool:
        """Whether anything was taken away."""
        return changes_something(self.changes) or bool(self.emptied)

    def to_json(self) -> dict[str, Any]:
        return {
            "stack": self.stack,
            "changes": self.changes,
            "emptied": self.emptied,
            "keysScheduledForDeletion": self.keys,
            "kept": [k.to_json() for k in self.kept],
            "removed": self.removed,
        }


class Accounts:
    """One account in each region that something of a stack lies in. Raises when the credentials are another's."""

    def __init__(self, account: str, region: str, profile: str | None, role_arn: str | None) -> None:
        self._credentials = (profile, role_arn)
        self.home = Account(account, region, *self._credentials)
        self._found = {region: self.home}

    def __call__(self, region: str) -> Account:
        if region not in self._found:
            self._found[region] = Account(self.home.account, region, *self._credentials)
        return self._found[region]


def account(context: Context, stack: str, line: Line, patience: Patience, *, delete_data: bool) -> Done:
    """Take the places of an account's stack away. Refuses while a pipeline's file names one of its environments, or
    while one is deployed."""
    project = context.project
    config = project.account(stack)
    found = account_environments(project, config, str(project.file(stack)))
    _check_not_delivered(project, config.environments)
    places = [environment_names(project.app, environment) for environment in found]
    accounts = Accounts(found[0].account, found[0].region, config.profile, config.role_arn)
    engine = Engine(stack, project.directory.resolve(), line)
    state = engine.state()
    secrets_provider.check(stack, state, context)
    held = state.get("resources") or ()
    same_place.check(stack, held, {f"place-{e.environment}": (e.account, e.region) for e in found})
    removal.check_all_named(held, config.environments, str(project.file(stack)))

    def not_deployed(_: threading.Event | None = None) -> None:
        for names, environment in zip(places, found, strict=True):
            _check_not_deployed(project, environment, names, accounts(names.region), line)

    not_deployed()

    def staying(resources: Iterable[Resource]) -> list[Resource]:
        resources = tuple(resources)
        return [r for names in places for r in removal.irreplaceable(resources, names)]

    done = Done(stack)
    with holding(engine, "destroy", context, patience), midway(done.begun):
        resolving.of_stack(engine, context)
        resources = engine.refresh()
        roles = removal.all_but(resources, [*staying(resources), *removal.staged(resources)])
        _destroy(engine, roles, done, not_deployed)  # and again, under the lock
        resources = engine.resources()
        going = resources if delete_data else removal.all_but(resources, staying(resources))
        _empty_and_destroy(engine, going, accounts, done)
        resources = engine.resources()
        done.kept = [k for names in places for k in removal.kept(resources, names)]
        _remove_if(engine, resources, done, asked=delete_data)
    return done


def pipeline(context: Context, stack: str, line: Line, patience: Patience, *, delete_data: bool) -> Done:
    """Take a pipeline away, with its artifacts. Refuses while an execution of it runs, or while another pipeline gets
    its releases from it."""
    project = context.project
    check_not_followed(project, stack)
    config = project.pipeline(stack)
    names = pipeline_names(project.app, stack, config)
    accounts, engine, _ = _of_pipeline(context, stack, config, line)
    check_at_rest(accounts.home, names)

    def at_rest(_: threading.Event) -> None:
        check_at_rest(accounts.home, names)  # nothing starts it any more, once its stack is locked and it goes

    done = Done(stack)
    with holding(engine, "destroy", context, patience), midway(done.begun):
        resolving.of_stack(engine, context)
        resources = engine.refresh()
        stores = [r for store in removal.stores(resources, stack).values() for r in store]
        _destroy(engine, removal.all_but(resources, stores), done, at_rest)
        _empty_and_destroy(engine, engine.resources(), accounts, done)
        _remove_if(engine, engine.resources(), done, asked=delete_data)
    return done


def artifact_store(context: Context, stack: str, region: str, line: Line, patience: Patience) -> Done:
    """Take the artifact store of one region away, in which no environment lies any more. Refuses while the pipeline's
    file, or the pipeline itself, needs it."""
    project = context.project
    config = project.pipeline(stack)
    model = pipeline_model(project, project.app, stack, config)
    where = project.file(stack).name
    if region in model.store_regions:
        why = "it is named in `artifactRegions`" if region in config.artifact_regions else "actions run there"
        raise ConfigError(
            f"the pipeline needs its artifacts in {region}: {why}",
            where=where,
            remedy="take that region's environments out of the stages, push, and wait for the pipeline; then take "
            "the region out of `artifactRegions`, and repeat this command before you push that",
        )
    accounts, engine, held = _of_pipeline(context, stack, config, line)
    done = Done(stack)
    if region not in removal.stores(held, stack):
        return done
    with holding(engine, "destroy", context, patience):
        resolving.of_stack(engine, context)
        resources = engine.refresh()
        going = removal.stores(resources, stack).get(region, ())
        needing = removal.dependents(resources, going)
        if needing:
            raise RefusedError(
                f"the artifact store of {region} is still used: {', '.join(removal.name_of(r) for r in needing)}",
                where=stack,
                remedy=f"name {region} in `artifactRegions` of {where}, push, and wait until the pipeline has changed; "
                "nothing was changed",
            )
        _empty_and_destroy(engine, going, accounts, done)
    return done


def _of_pipeline(
    context: Context, stack: str, config: PipelineConfig, line: Line
) -> tuple[Accounts, Engine, Sequence[Resource]]:
    """The accounts, the engine and the resources of a pipeline's stack, which lies where its file says. Raises
    `DeliveryError`s."""
    accounts = Accounts(config.account, config.region, config.profile, config.role_arn)
    engine = Engine(stack, context.project.directory.resolve(), line)
    state = engine.state()
    secrets_provider.check(stack, state, context)
    resources = state.get("resources") or ()
    same_place.check(stack, resources, {"place": (config.account, config.region)})
    return accounts, engine, resources


def _check_not_delivered(project: Project, environments: Iterable[str]) -> None:
    for name in project.stacks("pipeline"):
        for stage in project.pipeline(name).stages:
            for environment in sorted(set(stage.environments).intersection(environments)):
                raise RefusedError(
                    f"{environment} is delivered by the pipeline {name} (stage {stage.name})",
                    where=str(project.file(name)),
                    remedy=f"take {environment} out of that stage, push, and wait until the pipeline has changed; "
                    f"where the whole pipeline is gone (`amplify-delivery destroy {name}`), delete the file. "
                    "Nothing was changed",
                )


def check_not_followed(project: Project, stack: str) -> None:
    """Raise `RefusedError` if the files have another pipeline follow this one: its source is this one's bucket."""
    followers = project.chain(stack)[1:]
    if followers:
        raise RefusedError(
            f"the pipeline {followers[0]} follows {stack}, and gets its releases from it",
            where=str(project.file(followers[0])),
            remedy=f"delete that one first (`amplify-delivery destroy {followers[-1]}`) and delete its file, or "
            "give it another `source`. Nothing was changed",
        )


def _check_not_deployed(
    project: Project, config: EnvironmentConfig, names: EnvironmentNames, account: Account, line: Line
) -> None:
    """Raise `RefusedError` while the environment's own stack holds something, CloudFormation works with the role that
    would go (a stack without its role can be neither updated nor deleted), or the root stack runs from the staging area
    that would go, though its state is not here: the account is about to take it over."""
    environment = names.environment
    held = environment_state.resources(project.directory.resolve(), names, account, line)
    if held:
        raise RefusedError(
            f"{environment} is still deployed: its stack in {names.state_bucket} has "
            f"{output.counted(len(held), 'resource')}",
            where=f"account {names.account}",
            remedy=f"`PULUMI_BACKEND_URL='{names.state_backend}' amplify-delivery destroy {environment}`; nothing "
            "was changed",
        )
    with account.asking("listing the stacks of CloudFormation"):
        stacks = [
            stack["StackName"]
            for page in account.client("cloudformation").get_paginator("describe_stacks").paginate()
            for stack in page["Stacks"]
            if stack.get("RoleARN") == names.execution_role_arn and "ParentId" not in stack
        ]
    if stacks:
        raise RefusedError(
            f"{environment} is still deployed: CloudFormation needs the role {names.execution_role} for {stacks[0]}",
            where=f"account {names.account} ({names.region})",
            remedy=f"`amplify-delivery destroy {environment}` where its Pulumi stack is, or delete the stack; "
            "nothing was changed",
        )
    root = _delivered_root(project, config, account)
    if root:
        raise RefusedError(
            f"{environment} is still deployed: {root} runs from the staging area that would go, and its state is not "
            f"in {names.state_bucket}",
            where=f"account {names.account} ({names.region})",
            remedy=f"`amplify-delivery bootstrap {environment} --take-over --yes` brings it there, if that was begun; "
            f"or `amplify-delivery destroy {environment}` where its Pulumi stack is; nothing was changed",
        )


def _delivered_root(project: Project, config: EnvironmentConfig, account: Account) -> str | None:
    """The name of the environment's root stack, if it is there and of ours; None where no export tells its name."""
    with suppress(DeliveryError):
        name = root_stack_name(config, project.directory, project.app)
        with account.asking(f"describing stack {name}"):
            found = described(account.client("cloudformation"), name)
        if found and found["StackStatus"] != "DELETE_COMPLETE" and is_delivered(parameters_of(found)):
            return name
    return None


def check_at_rest(account: Account, names: PipelineNames) -> None:
    """Refuse while an execution of the pipeline goes on. Raises `RefusedError`; a pipeline that is gone is at rest.

    The newest 100 executions are looked at, one page: QUEUED ones before them cannot still run.
    """
    client = account.client("codepipeline")
    found: Mapping[str, Any] = {"pipelineExecutionSummaries": ()}
    with (
        account.asking(f"listing the executions of {names.pipeline}"),
        suppressing("PipelineNotFoundException"),
    ):
        found = client.list_pipeline_executions(pipelineName=names.pipeline, maxResults=100)
    running = [e for e in found["pipelineExecutionSummaries"] if e["status"] in _RUNNING]
    if running:
        execution = running[0]["pipelineExecutionId"]
        raise RefusedError(
            f"{output.counted(len(running), 'execution')} of {names.pipeline} "
            f"{'runs' if len(running) == 1 else 'run'}: {', '.join(e['pipelineExecutionId'] for e in running)}",
            where=f"account {names.account} ({names.region})",
            remedy="wait until they have ended (an approval that nobody answers runs too), or `aws codepipeline "
            f"stop-pipeline-execution --pipeline-name {names.pipeline} --pipeline-execution-id {execution} --region "
            f"{names.region}`; nothing was changed",
        )


def _destroy(engine: Engine, going: Iterable[Resource], done: Done, before: Before | None = None) -> None:
    for kind, number in engine.destroy([r["urn"] for r in going], before).changes.items():
        done.changes[kind] = done.changes.get(kind, 0) + number


def _empty_and_destroy(engine: Engine, going: Iterable[Resource], accounts: Accounts, done: Done) -> None:
    going = tuple(going)
    holders = removal.holders(going, accounts.home.region)

    def empty(stopped: threading.Event) -> None:
        # Under the engine's lock: nobody makes again what fills them, or takes them into use.
        for holder in holders:
            _empty(holder, accounts(holder.region), stopped)
            done.emptied.append(holder.name)

    with midway(done.begun):
        _destroy(engine, going, done, empty if holders else None)
    done.keys += [str(r["id"]) for r in going if r["type"] == KEY]


def _empty(holder: Holder, account: Account, stopped: threading.Event) -> None:
    if holder.type == BUCKET:
        emptying.bucket(account, holder.name, stopped)
    else:
        emptying.repository(account, holder.name, stopped)


def _remove_if(engine: Engine, left: Iterable[Mapping[str, Any]], done: Done, *, asked: bool) -> None:
    if asked and not any(left):
        engine.remove()
        done.removed = True
