"""The deployment of an environment as it was approved: planned again, checked, carried out, recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amplify_delivery import publishing
from amplify_delivery.changes.deployed import LONGEST_UPDATE
from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.impossible import check as refuse
from amplify_delivery.client_config import of_assembly
from amplify_delivery.components.documents.naming import DEPLOY
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.audit_log import AuditLog
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import approval, begun
from amplify_delivery.delivery.deployment.audit import Audit, log_of
from amplify_delivery.delivery.deployment.execution import carrying_out
from amplify_delivery.delivery.engine import stack_outputs
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking.session import holding
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.engine.pulumi_command import Line
from amplify_delivery.delivery.engine.stack_outputs import Output
from amplify_delivery.delivery.environment import drifting, planned, present_images, recovery, wanted
from amplify_delivery.delivery.environment.front_end import left_for_steps
from amplify_delivery.delivery.planning import Plan
from amplify_delivery.delivery.planning.program import changes_something
from amplify_delivery.delivery.printing import plans
from amplify_delivery.errors import ConfigError, FailedError, LockedError, midway
from amplify_delivery.publishing.target import PublishTarget
from amplify_delivery.stacks.access import pipeline_names


@dataclass(frozen=True)
class Approved:
    """What may be carried out: the digest of the approved plan, and its document if somebody gave it."""

    digest: str
    document: Mapping[str, Any] | None = None
    drift: bool = False
    """Whether drift was looked for, though the stack file does not say so."""

    @property
    def with_drift(self) -> bool:
        """Whether it was, as far as one can tell."""
        return self.drift or ((self.document or {}).get("start") or {}).get("drift") is not None


@dataclass(frozen=True)
class Deployed:
    """What was done: the plan as it was made again, the engine's changes by kind, the outputs."""

    plan: Plan
    changes: dict[str, int]
    outputs: Mapping[str, Output]


def deploy(
    environment: str, context: Context, approved: Approved, patience: Patience, line: Line, *, file: Path | None = None
) -> Deployed:
    """Deploy an environment, and append the record to `file`. While another run changes it, it is waited for
    as long as there is patience, and everything is looked at again. Raises `DeliveryError`s."""
    with Audit("deploy", environment, context.variables, file=file, approved=approved.digest) as audit:
        target = wanted.wanted(environment, context)
        log = log_of(target, DEPLOY) if target.config.bootstrapped else None
        if log:
            audit.log_to(log)
        # Only now: files are looked at before.
        engine = Engine(environment, context.folder.resolve(), line, context.for_engine)
        with holding(engine, "deploy", context, patience) as held:
            if held.waited:
                target = wanted.wanted(environment, context)
            while True:
                # Of what a killed run of ours has begun, the end is waited for as that run would have.
                wanted.settle(target, LONGEST_UPDATE if held.over else patience.left)
                try:
                    plan, changes = _attempt(target, engine, approved, audit, log)
                    break
                except LockedError as error:
                    audit.held_back()
                    if not patience.wait(error):
                        raise
                    target = wanted.wanted(environment, context)
            with midway(lambda: changes_something(changes)):
                outputs = engine.outputs()
                if log:
                    stack_outputs.keep(target.account, target.names, outputs)
                    declared = of_assembly(target.assembly)
                    stack = target.root.stack_name
                    left_for_steps.keep(target.account, target.names, stack, declared, target.context.project)
                else:
                    begun.forget(engine)
        audit.end("deployed" if plan.steps else "nothing to change")
    return Deployed(plan, changes, outputs)


def _attempt(
    target: wanted.Wanted, engine: Engine, approved: Approved, audit: Audit, log: AuditLog | None
) -> tuple[Plan, dict[str, int]]:
    """Plan, check and carry out; gives the plan, and the engine's changes by kind."""
    state = resolving.resolve(engine, lambda: target.account, planned.checked(target, engine.stack))
    plan = planned.make(target, engine, state, drift=approved.with_drift)
    audit.planned(plan)
    digest, document, before = approved.digest, approved.document, False
    if plan.steps and plan.digest != digest:
        document = document or (approval.kept(target, digest) if log else begun.read(engine, digest))
        before = log.deployed(digest, plan.target.digest) if log else False
    guard = target.config.guard(engine.stack, datetime.now(UTC).date(), digest)
    approval.check(plan, digest, document, guard, before=before)
    drifting.check(plan, target)
    if plan.steps:
        present_images.complete(target)
    if log and plan.steps:
        _complete(target)
    if not log and plan.steps and plan.digest == digest:
        begun.keep(engine, plan)
    audit.begin()
    if plan.recovery:
        recovery.carry_out(target, engine.stack, plan.recovery)
    with midway(lambda: plan.recovery is not None):
        # Of the approved plan, if this one is what a retry of it begins with; else nobody has approved more than this.
        covered = document if document and plan.digest != digest else plan.to_json()
        left = _after_recovery(target, engine, state, covered, guard) if plan.recovery else plan
        return plan, carrying_out.carry_out(engine, left, digest, target)


def _complete(target: wanted.Wanted) -> None:
    """Publish what is gone of a release that was published: a collection (`gc`) may have taken it, and CodePipeline
    goes back to a release without publishing it again. The program would find it out in the middle of its work. Raises
    `PublishError`, also for a role that may only read."""
    config, root = target.config, target.root
    place = PublishTarget(
        target.bucket, config.account, config.region, config.profile, config.role_arn, target.names.repository
    )
    extra = [(root.object, root.body)]
    if publishing.lacking(target.assembly, extra, place):
        ignored = config.ignored
        publishing.publish(target.assembly, extra, place, output.progress, ignored, stack=root.stack_name)


def _after_recovery(
    target: wanted.Wanted, engine: Engine, state: Mapping[str, Any], approved: Mapping[str, Any], guard: Guard
) -> Plan:
    """Plan again from where the root stack is when it is recovered. Raises `FailedError` unless that is a part of what
    was `approved`, a plan's document."""
    left = planned.make(target, engine, state)
    beyond = left.beyond(approved)
    if beyond:
        raise FailedError(
            "the root stack is recovered. What remains to be done from there was not in the approved plan, since "
            f"nobody could tell before:\n{plans.listed(beyond)}",
            where=engine.stack,
            remedy=_approve_anew(target, engine.stack),
        )
    refuse(left.impossible, engine.stack)
    guard.check(left.losses)
    return left


def _approve_anew(target: wanted.Wanted, environment: str) -> str:
    """How what is left comes to be approved. A retry of an action carries out what was approved, and no more."""
    by_hand = f"`amplify-delivery plan {environment}`, and approve that"
    project = target.context.project
    try:
        first = project.first(project.pipeline_of(environment)[0])
        names = pipeline_names(project.app, first, project.pipeline(first))
    except ConfigError:
        return by_hand
    again = f"`aws codepipeline start-pipeline-execution --name {names.pipeline} --region {names.region}`"
    return (
        f"{by_hand}. In the pipeline *Retry* does not help, it carries out what was approved: release the change again "
        f"({again}, in account {names.account})"
    )
