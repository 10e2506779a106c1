"""The plan of an environment: its backend's part by CloudFormation, the program's part by the engine. Reads only."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from amplify_delivery.changes import deployed
from amplify_delivery.changes.amplify import gen2, pushed
from amplify_delivery.changes.gained import Comparison, gained
from amplify_delivery.changes.imports import listed, not_exported
from amplify_delivery.changes.impossible import check as refuse
from amplify_delivery.changes.published import earlier, own, published
from amplify_delivery.components.backend.contents import contents
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.rights.prepared import ANY_SERVICE
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account import rights_check
from amplify_delivery.delivery.engine import secrets_provider
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.watch import Watch
from amplify_delivery.delivery.environment import drifting, image_findings, recovery, set_by_hand
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.delivery.planning import (
    ChangeProgram,
    Identity,
    InOrder,
    Plan,
    ProgramStep,
    Stacks,
    Start,
    Step,
    Target,
    beyond_boundary,
    boundary_comes,
    bytes_unread,
    closed_tables,
    digest,
    ignored,
    in_order,
    lacking,
    losses,
    misnamed,
    named_policies,
    nameless,
    page_buckets,
    plan_backend,
    plan_outputs,
    plan_program,
    program_needs,
    program_rights,
    protection,
    trust_gap,
    unread,
    unread_policies,
    unreadable,
    updated_by_hand,
    without_boundary,
)
from amplify_delivery.delivery.planning.same_bytes import Location, SameBytes, same_bytes
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import RefusedError
from amplify_delivery.export import ExportRefused
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.export.documents import Malformed
from amplify_delivery.export.images.model import digests_in
from amplify_delivery.publishing import gen2_lock
from amplify_delivery.publishing.aws_errors import suppressing_all
from amplify_delivery.publishing.target import PublishTarget
from amplify_delivery.stacks.config.reader import own_keys_in


@dataclass(frozen=True)
class Backend:
    """What is deployed, and the steps from there: the backend's part of a plan, for which no engine is needed."""

    found: deployed.Deployed
    steps: tuple[Step, ...]
    wanted: Stacks
    protection: tuple[Step, ...] = ()
    """What of the root stack no template says: done after `steps`."""


def backend(target: Wanted) -> Backend:
    """What deploying would do to the backend as it is now. Raises `RefusedError`, and `ExportRefused` for what only a
    stack that is there may have."""
    found = now(target)
    if found.stacks is None and target.root.against_creating:
        raise ExportRefused(target.root.against_creating)
    have = found.stacks.parameters if found.stacks else {}
    parameters = deployed.with_deployed(target.parameters, have)
    stacks = Stacks.of(target.assembly, target.root, parameters)
    steps = plan_backend(found.stacks, stacks)
    gen2.check(found.stacks, steps, partial(_content, target), target.root.stack_name)
    return Backend(found, steps, stacks, _protection(target, found))


def _protection(target: Wanted, found: deployed.Deployed) -> tuple[Step, ...]:
    """The root stack's termination protection. A stack that is not there yet gets it with its making: no step."""
    if found.stacks is None:
        return ()
    return protection(found.protected, target.config.termination_protection(contents(target.assembly).stateful))


def _amplifys_own(here: Backend, state: Mapping[str, Any], same: SameBytes) -> tuple[str, ...]:
    """What Amplify's own tools have done to the backend meanwhile."""
    was = here.found.stacks
    roots = [r for r in state.get("resources") or () if r.get("type") == ROOT_STACK]
    pushes = pushed.notes(was, roots, here.steps, same.places)
    return (*gen2.notes(was, here.steps), *pushes)


def _same_bytes(target: Wanted, here: Backend) -> SameBytes:
    """Which steps only move bytes, of a stack that another tool has deployed. Of our own nothing is asked: equal bytes
    have equal keys."""
    was = here.found.stacks
    if was is None or TEMPLATE_KEY in was.parameters:
        return SameBytes()
    s3 = target.account.client("s3")

    def read(place: Location) -> bytes | None:
        with suppressing_all():
            answer = s3.get_object(Bucket=place[0], Key=place[1], ExpectedBucketOwner=target.config.account)
            return bytes(answer["Body"].read())
        return None

    return same_bytes(here.steps, was, here.wanted, read)


def checked(target: Wanted, environment: str) -> Callable[[Mapping[str, Any]], None]:
    """Raises `StateError` for a state of the environment that would be encrypted with another key."""

    def check(state: Mapping[str, Any]) -> None:
        secrets_provider.check(environment, state, target.context, pipeline=target.config.bootstrapped)

    return check


def make(target: Wanted, engine: Engine, state: Mapping[str, Any], *, drift: bool = False) -> Plan:
    """The plan of an environment, whose `state` is the engine's; with `drift`, or where its stack file says so, with
    what runs otherwise than it was delivered. Raises `DeliveryError`s, also if its account lacks rights for it; reads
    only.

    What is deployed is read last: a deployment that follows at once begins from there.
    """
    environment = engine.stack
    checked(target, environment)(state)
    root, watch, here = _looked(target, engine, state)
    previewed = watch.steps
    program = _program(target, previewed, here)
    was, config = here.found.stacks, target.config
    # Which plan it is, is only known when it is made: an exception for this very plan cannot stand in the file yet.
    today = datetime.now(UTC).date()
    order = in_order(was, here.wanted, here.steps, today, config.ignored)
    resources = bool(here.steps or program)  # the protection changes no output
    outputs = plan_outputs(watch.outputs_before, watch.outputs, previewed, others=resources)
    steps = recovery.first(root, (*order.first, *program, *outputs, *order.then, *here.protection))
    guard = config.guard(environment, today)
    overruled = ignored({i.id: i.reason for i in config.lint.ignore})
    rights, same = _gained(target, here, program_rights(state, previewed)), _same_bytes(target, here)
    by_hand = set_by_hand.look(target, here.found, here.wanted, here.steps)
    same = replace(same, places=same.places - by_hand.code)
    unlisted: list[str] = []
    exports = listed(target.account.client("cloudformation"), unlisted.append)
    nowhere = not_exported(here.wanted, exports, config.ignored)
    looked = drifting.look(target, was, here.wanted, here.steps, asked=drift)
    notes = (
        *_rights(target, here, previewed),
        *root.notes,
        *image_findings.check(target, running_digests(was, state)),
        *boundary_comes(here.steps, bootstrapped=config.bootstrapped),
        *trust_gap(here.steps, here.wanted, environment),
        *losses(steps, guard),
        *unread([place for place in rights.unread if place not in same.places]),
        *updated_by_hand(was),
        *by_hand.notes,
        *closed_tables(was),
        *_amplifys_own(here, state, same),
        *looked.notes,
        *overruled,
        *bytes_unread(same),
        *unlisted,
    )
    return Plan(
        _start(target, here, state, looked),
        _target(target, environment),
        steps,
        notes,
        (*order.impossible, *nowhere),
        rights.rights,
        same.places,
        order.updates,
        drift=looked.drift,
    )


def running_digests(was: Stacks | None, state: Mapping[str, Any]) -> frozenset[str]:
    """Of the container images that run: as the stacks name them, and what the program has made beside them."""
    stacks = [list(was.templates.values()), dict(was.parameters)] if was else []
    return digests_in(json.dumps([stacks, state.get("resources") or []]))


def _start(target: Wanted, here: Backend, state: Mapping[str, Any], looked: drifting.Looked) -> Start:
    was = here.found.stacks
    known = sorted([str(r.get("urn")), str(r.get("id", ""))] for r in state.get("resources") or ())
    return Start(
        stack=target.root.stack_name,
        status=here.found.status,
        root_template=digest(was.templates[()]) if was else None,
        templates=digest({"/".join(path): body for path, body in was.templates.items()}) if was else None,
        parameters=digest(was.parameters) if was else None,
        program=digest(known),
        drift=looked.digest,
    )


def _looked(target: Wanted, engine: Engine, state: Mapping[str, Any]) -> tuple[recovery.Seen, Watch, Backend]:
    """The root stack, the engine's preview, and what is deployed. Raises `RefusedError` for a root stack that is
    somebody else's, or in a state from which nothing leads on."""
    root = recovery.look(target, engine.stack, state)
    watch = engine.preview(root.variables)
    here = backend(target)
    recovery.check_still(target, root, here.found)
    return root, watch, here


def _target(target: Wanted, environment: str) -> Target:
    file = stack_files.path(target.context.folder, environment)
    return Target(
        environment=environment,
        account=target.config.account,
        region=target.config.region,
        assembly=target.assembly.digest(),
        root_template=target.root.object.key,
        parameters=digest(target.parameters),
        configuration=digest(own_keys_in(file).get("parameters") or {}),
    )


def _program(target: Wanted, previewed: Sequence[ProgramStep], here: Backend) -> tuple[ChangeProgram, ...]:
    was = here.found.stacks
    settled = was is not None and was.parameters.get(TEMPLATE_KEY) == target.root.object.key
    return plan_program(previewed, backend_changes=bool(here.steps), deployed=was is not None, settled=settled)


def _gained(target: Wanted, here: Backend, beside: Comparison) -> Comparison:
    """Rights that are new, the backend's and those of what the program makes `beside` it."""
    account = target.account
    with account.asking("reading what is published"):
        place = PublishTarget(target.bucket, account.account, account.region)
        before = earlier(target.assembly, place, account.client("s3"))
        found = gained(here.found.stacks, here.wanted, before, own(target.assembly))
    return Comparison((*found.rights, *beside.rights), (*found.unread, *beside.unread))


def order(target: Wanted, here: Backend) -> InOrder:
    """In which updates the root stack comes from `here` to what is wanted. Raises `RefusedError` if AWS takes it in no
    way."""
    config = target.config
    found = in_order(here.found.stacks, here.wanted, here.steps, datetime.now(UTC).date(), config.ignored)
    refuse(found.impossible, config.environment)
    return found


def _rights(target: Wanted, here: Backend, previewed: Sequence[ProgramStep]) -> tuple[str, ...]:
    """What is not known of the account's rights for this plan. Raises `RefusedError` if there are some lacking.

    An environment that is not bootstrapped is deployed with the rights of whoever deploys it.
    """
    config, project = target.config, target.context.project
    if not config.bootstrapped:
        return ()
    rights_check.check_unbounded(here.steps, config)
    record = rights_check.recorded(config, project, target.account)
    found = lacking(
        record,
        # Another execution role than the account's is not the account's to know.
        None if config.execution_role_arn else here.wanted,
        here.found.stacks,
        here.steps,
        program_needs(previewed, Identity(config.profile, config.role_arn)),
        pages=page_buckets(previewed),
    )
    rights_check.check(found, config, project)
    # Further rights of the account's file may be without the condition; nobody but IAM can tell.
    if not record.further & {"iam", ANY_SERVICE}:
        bare = without_boundary(previewed, Identity(config.profile, config.role_arn), target.names.boundary_arn)
        rights_check.check_roles(bare, config, project)
    if not config.execution_role_arn:
        rights_check.check_names(nameless(here.wanted), config)
        access = EnvironmentAccess(target.names, None, target.root.stack_name, record.backend)
        rights_check.check_own_names(misnamed(here.wanted, here.found.stacks, here.steps, access), config)
        rights_check.check_reads(unreadable(here.wanted, here.steps, access), config)
        rights_check.check_policies(named_policies(here.wanted, target.names.stack_role_prefix), config)
    denied = rights_check.denied_at_run_time(beyond_boundary(record, here.wanted), config, project)
    return (
        *rights_check.outdated(record, config, project),
        *rights_check.unclear(found),
        *denied,
        *rights_check.not_compared(unread_policies(here.wanted)),
    )


def now(target: Wanted) -> deployed.Deployed:
    """What is deployed. Raises `RefusedError`."""
    account, stack = target.account, target.root.stack_name
    with account.asking(f"reading stack {stack}"):
        gen2_lock.check(account.client("cloudformation"), stack)
        try:
            return deployed.read(account.client("cloudformation"), stack, _published(target))
        except Malformed as error:
            raise RefusedError(
                f"a deployed template cannot be read: {error}",
                where=stack,
                remedy="nothing was changed; allow these credentials cloudformation:GetTemplate on the stack and its "
                "nested stacks, and repeat the command",
            ) from None


def _content(target: Wanted, key: str) -> bytes | None:
    return _published(target)(key)


def _published(target: Wanted) -> deployed.Published:
    account = target.account
    place = PublishTarget(target.bucket, account.account, account.region)
    return published(target.assembly, target.root, place, account.client("s3"), output.progress)
