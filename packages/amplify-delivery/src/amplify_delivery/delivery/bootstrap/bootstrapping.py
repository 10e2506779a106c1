"""Letting the pipeline into accounts: what is checked before, and doing it, many at the same time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account import build_quota, former_names, other_projects
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.adoption import lost
from amplify_delivery.delivery.bootstrap import many, own_areas, progress
from amplify_delivery.delivery.bootstrap.account_stacks import AccountStack, check_places
from amplify_delivery.delivery.bootstrap.progress import Progress
from amplify_delivery.delivery.bootstrap.stamp import Place, Stamp
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import environment_state, secrets_provider
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking.session import holding
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.engine.pulumi_command import Line
from amplify_delivery.delivery.engine.stack_key import Key
from amplify_delivery.delivery.planning.program import changes_something
from amplify_delivery.delivery.printing.changes import summed, told
from amplify_delivery.errors import DeliveryError, midway
from amplify_delivery.stacks.access import (
    engine_of,
    environment_names,
)
from amplify_delivery.stacks.account_digest import account_digest
from amplify_delivery.stacks.assemblies import Assemblies, accesses
from amplify_delivery.stacks.config import Project


@dataclass(frozen=True)
class Done:
    """What was done to one account's stack: changes by kind (None: it was as it should be, and no engine was asked),
    and the environments whose Pulumi stack was made."""

    changes: Mapping[str, int] | None = None
    initialised: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Tried:
    """What was done to one account's stack, in all tries together."""

    changes: dict[str, int] | None = None
    """Of the updates that ended."""
    broke_off: bool = False
    """Whether an update failed after it had changed something: how much, the engine does not tell then."""
    made: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return self.broke_off or bool(self.made) or changes_something(self.changes or {})

    def update(self, engine: Engine) -> None:
        try:
            self.changes = summed(self.changes or {}, engine.up().changes)
        except DeliveryError as error:
            self.broke_off = self.broke_off or error.changed
            raise

    def done(self, stack: str, notes: Iterable[str]) -> Done:
        less = f"{stack}: a try that failed on the way has changed something too, which is not counted"
        return Done(self.changes, tuple(self.made), (*notes, *([less] if self.broke_off else ())))


@dataclass
class Bootstrapped:
    """What was done, by stack."""

    stacks: dict[str, Done] = field(default_factory=dict)
    failed: dict[str, DeliveryError] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether anything was changed, or may have been."""
        done = any(d.initialised or changes_something(d.changes or {}) for d in self.stacks.values())
        return done or any(error.changed for error in self.failed.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "stacks": {name: done.changes for name, done in self.stacks.items() if done.changes is not None},
            "unchanged": [name for name, done in self.stacks.items() if done.changes is None],
            "initialised": [name for done in self.stacks.values() for name in done.initialised],
            "failed": {name: output.error_json(error) for name, error in self.failed.items()},
            "notes": self.notes,
        }


def bootstrap(
    stacks: Sequence[AccountStack],
    context: Context,
    said: Callable[[str], None],
    *,
    parallel: int,
    refresh: bool = False,
    moving: frozenset[str] = frozenset(),
) -> Bootstrapped:
    """Update the stacks, so many at the same time, and make the Pulumi stack of each environment in its account.

    One that fails stops no other: what has become of each is in the result, and is `said` at once. An account that says
    of itself that it is as the files want it is left alone, unless `refresh` has the engine look for what somebody has
    changed there by hand. Environments that are `moving` into it get no Pulumi stack: theirs comes with what it holds.
    Raises KeyboardInterrupt when it is interrupted, after what was begun has ended.
    """
    found = Bootstrapped()
    shown = Progress.on(sys.stderr, len(stacks), context.variables, said)
    one = StackUpdater(context, shown, refresh=refresh, alone=len(stacks) == 1, moving=moving)
    ended = many.each({stack.name: stack for stack in stacks}, one.bring, parallel, shown.now, tick=shown.tick)
    try:
        for name, end in ended:
            if end.error or end.result is None:
                found.failed[name] = end.error or DeliveryError("nothing was done", where=name)
                shown.ended(name, progress.FAILED, *(() if len(stacks) == 1 else (_failed(name, found.failed[name]),)))
                continue
            done = found.stacks[name] = end.result
            found.notes += done.notes
            how = progress.UNCHANGED if done.changes is None else progress.CHANGED
            shown.ended(name, how, *_lines(end.work, done, context))
    finally:
        shown.close()
    return found


def _failed(name: str, error: DeliveryError) -> str:
    """With the first line of why: in the end each error is told as a whole, and not each of them names its stack."""
    return f"{name}: failed: {error.message.splitlines()[0]}"


def _lines(stack: AccountStack, done: Done, context: Context) -> list[str]:
    made = {e.environment: environment_names(context.project.app, e) for e in stack.environments}
    lines = [f"{stack.name}: {'unchanged' if done.changes is None else told(done.changes)}"]
    lines += [
        f"{name}: its state lies in {made[name].state_bucket}; commit Pulumi.{name}.yaml" for name in done.initialised
    ]
    return lines


class StackUpdater:
    """Brings one account's stack to what the files say; used by several threads."""

    def __init__(
        self, context: Context, shown: Progress, *, refresh: bool, alone: bool, moving: frozenset[str] = frozenset()
    ) -> None:
        self._moving = moving
        self._context, self._shown, self._refresh = context, shown, refresh
        self._project = context.project.once()
        self._folder = context.folder.resolve()
        self._assemblies = Assemblies(self._project)
        self._tried: dict[str, _Tried] = {}
        # Of several engines at the same time nobody could tell the lines apart.
        self._line = output.progress if alone else _nothing

    def bring(self, name: str, stack: AccountStack) -> Done:
        """Once more for each try; what is told then, is what all of them have done. Raises `DeliveryError`s."""
        tried = self._tried.setdefault(name, _Tried())
        self._shown.now(name, progress.CHECKING)
        accounts = accounts_of(stack)
        names = {e.environment: environment_names(self._project.app, e) for e in stack.environments}
        stamp = Stamp([Place(names[e.environment], accounts[e.region]) for e in stack.environments])
        digest = self._digest(stack)
        # The file of one that is moving names no such key yet, so its account is always updated: the environment's
        # former program may have set something else on the area meanwhile.
        if not self._refresh and stamp.says(digest) and all(_has_state(self._project, its) for its in names.values()):
            return tried.done(name, self._next_steps(stack))
        self._shown.now(name, progress.UPDATING)
        with midway(lambda: tried.changed):
            self._update(stack, accounts, stamp, tried)
            stamp.end(digest)
        return tried.done(name, (*_quotas(stack, accounts), *self._next_steps(stack)))

    def _digest(self, stack: AccountStack) -> str:
        project = self._project
        found = accesses(project, stack.config, stack.environments, self._assemblies)
        return account_digest(stack.config, found, engine_of(project, stack.config))

    def _update(self, stack: AccountStack, accounts: Mapping[str, Account], stamp: Stamp, tried: _Tried) -> None:
        engine = Engine(stack.name, self._folder, self._line)
        with holding(engine, "bootstrap", self._context, Patience(None, self._context.variables)):
            resources = prepare(engine, self._context, stack, next(iter(accounts.values())))
            check_own_areas(
                self._project,
                stack,
                resources,
                accounts=accounts,
                moving=self._moving,
                assemblies=self._assemblies,
                line=self._line,
            )
            stamp.begin()
            tried.update(engine)
        for environment in stack.environments:
            its = environment_names(self._project.app, environment)
            if environment.environment in self._moving:
                continue
            if environment_state.make(self._folder, its, accounts[environment.region], self._line):
                tried.made.append(environment.environment)

    def _next_steps(self, stack: AccountStack) -> Iterable[str]:
        """What is to be done for environments with the former names."""
        return [
            former_names.next_step(environment_names(self._project.app, environment), stack.config.pipeline)
            for environment in stack.environments
            if environment.enrolled
        ]


def prepare(engine: Engine, context: Context, stack: AccountStack, account: Account) -> Sequence[Mapping[str, Any]]:
    """What is checked and settled before an account's stack, which is held, is updated; it is made if there is none.
    Gives the resources in its state then: each look at a state is a start of the engine, where Pulumi Cloud has it.
    Raises `DeliveryError`s."""
    project = context.project
    lost.check(engine, context)
    engine.create()
    state = engine.state()
    secrets_provider.check(stack.name, state, context)
    # The engine deletes what it may before it comes to what is protected.
    check_places(project, stack.name, stack.config, state.get("resources") or ())
    resources: Sequence[Mapping[str, Any]] = resolving.of_stack(engine, context).get("resources") or ()
    names = [environment_names(project.app, e) for e in stack.environments]
    former_names.check_order(resources, names)
    other_projects.check(account, names)
    return resources


def accounts_of(stack: AccountStack) -> dict[str, Account]:
    """The account of a stack, by the regions of its environments."""
    config, regions = stack.config, dict.fromkeys(e.region for e in stack.environments)
    account = stack.environments[0].account
    return {region: Account(account, region, config.profile, config.role_arn) for region in regions}


def check_own_areas(
    project: Project,
    stack: AccountStack,
    resources: Sequence[Mapping[str, Any]],
    *,
    accounts: Mapping[str, Account],
    moving: frozenset[str],
    assemblies: Assemblies,
    line: Line,
) -> None:
    """Raise `RefusedError` where an environment of an account's stack, whose state holds `resources`, runs from a place
    of its own, unless it is `moving` into the account."""
    folder = project.directory.resolve()
    found = accesses(project, stack.config, stack.environments, assemblies)
    for config in stack.environments:
        if config.environment in moving:
            continue
        access, account = found[config.environment], accounts[config.region]

        def has_state(names: EnvironmentNames = access.names, account: Account = account) -> bool:
            return _has_state(project, names) and bool(environment_state.resources(folder, names, account, line))

        role = config.execution_role_arn or access.names.execution_role_arn
        own_areas.check(access, account, resources, role, has_state, moving=next(iter(moving), ""))


def _has_state(project: Project, names: EnvironmentNames) -> bool:
    """Whether the environment's file names the key of its state: it does once its Pulumi stack was made. One with
    another key has been given that by its team, or comes with it from another backend: that is looked at."""
    key = Key.of_file(project.file(names.environment))
    return key is not None and key.provider == names.secrets_provider


def _nothing(_: str) -> None:
    pass


def _quotas(stack: AccountStack, accounts: Mapping[str, Account]) -> list[str]:
    """Where the account runs too few builds at the same time."""
    regions = [environment.region for environment in stack.environments]
    notes = (
        build_quota.note(
            build_quota.quota_of(account, stack.config.build.compute_type),
            account.account,
            region,
            regions.count(region),
            account.options,
        )
        for region, account in accounts.items()
    )
    return [note for note in notes if note]
