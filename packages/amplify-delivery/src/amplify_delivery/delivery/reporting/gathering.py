"""Gathers a report of an environment. Reads only, with the credentials of the stack file or of whoever calls.

Without any credentials there is still what the files say. What cannot be read is told in the report, with the reason:
it is no failure, since those who look have the most different rights.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from importlib import metadata
from pathlib import Path
from typing import Any

from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.components.documents.naming import PLAN
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account import bootstrap_version, role_rights
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment.audit import log_of
from amplify_delivery.delivery.deployment.releases.running_images import with_running_images
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.environment import drifting, planned, wanted
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.delivery.planning import Plan as Planned
from amplify_delivery.delivery.planning import Step, number_of
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.delivery.reporting import contents, last_operation, running_stacks, summary
from amplify_delivery.delivery.reporting.page.report_model import Deployment, Plan, Report, Role, Timings, Unread
from amplify_delivery.delivery.reporting.running_stacks import Running
from amplify_delivery.errors import ConfigError, DeliveryError, RefusedError
from amplify_delivery.export import write_assembly
from amplify_delivery.export.values.bindings import told
from amplify_delivery.stacks.access import resource_types
from amplify_delivery.stacks.images import check_built

_DEPLOYMENTS = 30
"""The newest that are listed."""


def report(environment: str, context: Context, *, drift: bool = False) -> Report:
    """The report of an environment; with `drift` it looks for what runs otherwise than it was delivered, which takes
    minutes. Raises `DeliveryError` for files that are wrong: a stack file, an export."""
    return _Gathering(environment, context, drift=drift).report()


@dataclass
class _Deployed:
    """What is known of the account. `running` is None if its root stack could not be read, or nobody could ask."""

    prepared: bool | None = None
    running: Running | None = None
    states: Mapping[tuple[str, ...], str] | None = None
    timings: Timings | None = None
    plan: Plan | None = None
    steps: Sequence[Step] = ()
    deployments: tuple[Deployment, ...] = ()


class _Gathering:
    """What was read, and what could not be."""

    def __init__(self, environment: str, context: Context, *, drift: bool) -> None:
        self._environment, self._context, self._drift = environment, context, drift
        self._files = wanted.files(stack_files.load(context.folder, environment), context)
        self._config, self._names = self._files.config, self._files.names
        self._unread: list[Unread] = []
        self._unbuilt: list[DeliveryError] = []
        """Why nothing can be deployed from here, though it can be planned."""
        self._who = ""

    @cached_property
    def _shall(self) -> Stacks:
        return Stacks.of(self._files.assembly, self._files.root, self._files.parameters)

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        try:
            yield
        except DeliveryError as error:
            self._unread.append(contents.unread(what, error))

    def report(self) -> Report:
        """All of it."""
        with tempfile.TemporaryDirectory(prefix="amplify-delivery-report-") as scratch:
            account = self._account()
            if account:
                self._take_running_images(account, Path(scratch) / "assembly")
            return self._report(account)

    def _take_running_images(self, account: Account, folder: Path) -> None:
        """Images that are not built here are taken to be those that run: whoever looks need not build any."""
        try:
            self._check_built()
        except ConfigError as error:
            self._unbuilt.append(error)
            with self._reading("Which container images run"):
                engine = Engine(self._environment, self._context.folder.resolve(), output.progress)
                write_assembly(with_running_images(self._files.at(account), engine.state), folder)
                self._context = self._context.with_assembly(folder)
                self._files = wanted.files(self._config, self._context)
                why = f"{error.message}. They are taken to be those that run: the plan does not say whether they change"
                self._unread.append(Unread("Container images", why, error.remedy))

    def _check_built(self) -> None:
        check_built(self._files.assembly, str(stack_files.path(self._context.folder, self._environment)))

    def _report(self, account: Account | None) -> Report:
        made, config, root = datetime.now(UTC), self._config, self._files.root.stack_name
        found = self._deployed(account) if account else _Deployed()
        seen = summary.Seen(
            environment=self._environment,
            status=None if found.running is None else found.running.status or "",
            protected=bool(found.running and found.running.protected),
            changed=found.running.changed if found.running else None,
            bootstrapped=config.bootstrapped,
            prepared=found.prepared,
            plan=found.plan,
            lines=contents.lines(self._shall, found.steps),
            findings=contents.findings(told(self._files.assembly, config.kept_literals)),
            roles=self._roles(account),
            drift=self._drift,
            detected=config.detects_drift,
        )
        whose = f"read by {self._who}" if self._who else "by the project's files alone"
        return Report(
            title=f"{self._names.app} / {self._environment}",
            lead=f"{root} in account {config.account}, {config.region}: as it was on {made:%Y-%m-%d at %H:%M} UTC, "
            f"{whose}.",
            made=made.isoformat(timespec="seconds"),
            version=metadata.version("amplify-delivery"),
            app=self._names.app,
            environment=self._environment,
            account=config.account,
            region=config.region,
            facts=summary.facts(seen),
            commands=summary.commands(seen),
            plan=found.plan,
            lines=tuple(seen.lines),
            stacks=contents.stacks(self._shall, root, found.states or {}),
            timings=(found.timings,) if found.timings else (),
            deployments=found.deployments,
            findings=tuple(seen.findings),
            roles=tuple(seen.roles),
            unread=tuple(self._unread),
        )

    def _account(self) -> Account | None:
        with self._reading("The account"):
            account = Account.of(self._config)
            with account.asking("asking whose credentials these are"):
                self._who = str(account.client("sts").get_caller_identity()["Arn"])
            return account
        return None

    def _deployed(self, account: Account) -> _Deployed:
        target, found = self._files.at(account), _Deployed()
        cloudformation, stack, paths = account.client("cloudformation"), target.root.stack_name, self._shall.templates
        found.prepared = self._prepared(account)
        with self._reading("The root stack"), account.asking(f"reading stack {stack}"):
            found.running = running_stacks.read(cloudformation, stack, paths)
        if running := found.running:
            with self._reading("The states of nested stacks"), account.asking("listing stacks"):
                found.states = running_stacks.states(cloudformation, running)
            with self._reading("The last operation"), account.asking("reading the events of stacks"):
                found.timings = last_operation.timings(running_stacks.events(cloudformation, running, paths))
        found.plan, found.steps = self._plan(target)
        found.deployments = self._deployments(target)
        return found

    def _prepared(self, account: Account) -> bool | None:
        """Whether the account is prepared for this version; None where nobody may say, or it is no question."""
        if not self._config.bootstrapped:
            return None
        readable = prepared = False
        with self._reading("The account's bootstrap version"):
            account.parameter(self._names.version_parameter)
            readable = True
            bootstrap_version.check(self._config, self._context.project, account)
            prepared = True
        return prepared if readable else None

    def _plan(self, target: Wanted) -> tuple[Plan | None, Sequence[Step]]:
        """The whole plan, as the command `plan` makes it; the backend's part where that cannot be had."""
        with self._reading("The plan"):
            self._check_built()
            return self._made(target)
        return None, ()

    def _made(self, target: Wanted) -> tuple[Plan | None, Sequence[Step]]:
        with self._reading("The whole plan"):
            engine = Engine(
                self._environment, self._context.folder.resolve(), output.progress, self._context.for_engine
            )
            check = planned.checked(target, self._environment)
            with resolving.foreseen(engine, lambda: target.account, check) as (ahead, state):
                whole = planned.make(target, ahead, state, drift=self._drift)
            return contents.plan(whole, (*_refused(whole, target), *self._unbuilt)), whole.steps
        with self._reading("What would change of the backend"):
            here = planned.backend(target)
            steps = (*here.steps, *here.protection)
            return Plan(whole=False, changes=number_of(steps)), steps
        return None, ()

    def _roles(self, account: Account | None) -> tuple[Role, ...]:
        found: list[Role] = []
        with self._reading("Rights"):
            types = resource_types(self._files.assembly)
            needed = role_rights.of_environment(self._config, self._context.project, types)
            for name, needs in needed.items():
                missing = self._missing(account, name, needs) if account and self._config.bootstrapped else None
                found.append(contents.role(name, self._purpose(name), needs, missing))
        return tuple(found)

    def _missing(self, account: Account, role: str, needs: role_rights.Needs) -> frozenset[str] | None:
        with self._reading(f"What {role} may do"):
            return frozenset(role_rights.lacking(needs, role_rights.granted(account, role, self._environment)))
        return None

    def _purpose(self, role: str) -> str:
        execution = role == self._names.execution_role
        what = "for the backend" if execution else "for what the program makes beside the backend"
        if not self._config.bootstrapped:
            return f"No such role is made here: whoever deploys needs this {what}"
        return f"CloudFormation's execution role, {what}" if execution else f"The role that deploys, {what}"

    def _deployments(self, target: Wanted) -> tuple[Deployment, ...]:
        if not self._config.bootstrapped:
            return ()
        with self._reading("The audit log"):
            return tuple(map(_deployment, list(log_of(target, PLAN).deployments())[: -_DEPLOYMENTS - 1 : -1]))
        return ()


def _refused(plan: Planned, target: Wanted) -> Iterator[DeliveryError]:
    """Why `deploy` would not carry out this plan, though AWS could."""
    guard = target.config.guard(target.config.environment, datetime.now(UTC).date(), plan.digest)
    for check in (partial(guard.check, plan.losses), partial(drifting.check, plan, target)):
        try:
            check()
        except RefusedError as error:
            yield error


def _deployment(event: Mapping[str, Any]) -> Deployment:
    def text(name: str) -> str:
        return str(event.get(name) or "")

    time = text("time").replace("T", " ").replace("+00:00", " UTC")
    changes = event.get("changes")
    return Deployment(
        time, text("result"), text("who"), changes if isinstance(changes, int) else 0, text("commit"),
        text("assembly"), text("plan"),
    )  # fmt: skip
