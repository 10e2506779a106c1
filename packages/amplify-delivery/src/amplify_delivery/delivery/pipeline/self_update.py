"""The pipeline's update of itself: whether anything is to be done, doing it, and starting the pipeline again."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from amplify_delivery.components.documents.pipeline.model import PipelineModel
from amplify_delivery.components.documents.rights.pulumi_types import PULUMI_STACK
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import secrets_provider
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.pipeline import own_rights, restart
from amplify_delivery.delivery.pipeline.late_rights import LateRights
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.delivery.planning.program import AT_REST
from amplify_delivery.delivery.teardown import removal
from amplify_delivery.errors import DeliveryError, DeployError, LockedError, RefusedError, midway, reworded
from amplify_delivery.publishing.aws_errors import told_as
from amplify_delivery.stacks.config import PipelineConfig

PIPELINE = "aws-native:codepipeline:Pipeline"
"""Pulumi's type of the pipeline itself: a change of it cancels what runs and starts the pipeline again."""
DIGEST = "definitionDigest"
"""The stack's output that tells which definition was applied last."""
SOURCE = "sourceDigest"
"""The stack's output that tells from which program and files: `amplify_delivery.stacks.sources`."""
COMMIT_VARIABLE, EXECUTION_VARIABLE = "COMMIT_ID", "EXECUTION_ID"
"""Set by the pipeline's action: the commit that this program was built from, and the execution that runs it."""
_ATTEMPTS, _PAUSE = 5, 15.0
"""How often, and after how many seconds, an update is tried again for a role that CodePipeline cannot assume: a right
that was given a moment ago is not seen everywhere at once (IAM user guide, "Troubleshoot IAM": changes are not always
immediately visible)."""
_REFUSED = re.compile(r"not authorized to perform AssumeRole on role (arn:[^\s,;)]+)")
"""CodePipeline's words: it tries the role of every action, with the pipeline's role, before it takes a definition."""
"""Pulumi's type of the stack itself."""


@dataclass(frozen=True)
class Decision:
    """What to do: whether anything is to be updated, and whether the pipeline starts again because of it."""

    update: bool
    restarts: bool


def decide(
    steps: Iterable[ProgramStep], declared: str | None, applied: str | None, where: str, of: str | None = None
) -> Decision:
    """What to do about the previewed `steps`; `declared` and `applied` are digests of the pipeline's definition, `of`
    what stands behind `pulumi up` and `pulumi preview` for this stack.

    Raises `RefusedError` if the very definition that was applied last would be applied again: each time the pipeline
    would start again, and come here again.
    """
    of = of or f"-s {where}"
    touched = {step.type for step in steps if step.operation not in AT_REST}
    if PIPELINE in touched and applied is not None and declared == applied:
        raise RefusedError(
            "the pipeline differs from the definition that was applied last, although that has not changed: somebody "
            "has changed the pipeline, or AWS returns it in another form than it was given. Applying it again would "
            "start the pipeline again and again",
            where=where,
            remedy=f"look at `pulumi preview {of} --diff`, and run `pulumi up {of}` by hand",
        )
    return Decision(update=bool(touched) or declared != applied, restarts=PIPELINE in touched)


def outputs_in(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """The stack's outputs as they stand in its state; a secret one is still encrypted."""
    for resource in state.get("resources") or ():
        if resource.get("type") == PULUMI_STACK:
            return resource.get("outputs") or {}
    return {}


def bring(engine: Engine, model: PipelineModel) -> Mapping[str, int]:
    """Update the pipeline; the changes by kind.

    Nobody but CodePipeline can try whether an environment's account lets the pipeline in: its action role is open to
    the pipeline's role alone. What CodePipeline refuses for that is tried again for a minute. Raises `DeployError`s.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return engine.up().changes
        except DeployError as error:
            role = _REFUSED.search(error.message)
            if not role:
                raise
            if attempt == _ATTEMPTS:
                raise _not_let_in(error, role[1], model) from None
            output.progress(
                f"CodePipeline cannot assume {role[1]}: trying again in {_PAUSE:.0f} seconds, "
                f"{_ATTEMPTS - attempt} times at most; a right that is new is not seen everywhere at once"
            )
            time.sleep(_PAUSE)
    raise AssertionError("unreachable")


def _not_let_in(error: DeployError, role: str, model: PipelineModel) -> DeployError:
    names = next((names for names in model.environments if names.action_role_arn == role), None)
    if names is None:
        return error
    return reworded(
        error,
        f"the account of {names.environment} does not let the pipeline in:\n{error.message}",
        where=error.where,
        remedy=f"an administrator of account {names.account} runs `amplify-delivery bootstrap {names.environment}`, "
        "then retry the stage. The pipeline still is what it was; its role may assume one more, which lets nobody in",
    )


def check_stores(resources: Iterable[removal.Resource], model: PipelineModel, stack: str) -> None:
    """Raise `RefusedError` if the last environment has left a region whose artifact store is in the stack.

    An update cannot delete the store: it is protected, not empty, and whoever updates may not.
    """
    left = sorted(set(removal.stores(resources, stack)) - set(model.store_regions))
    if left:
        commands = ", ".join(f"`amplify-delivery destroy {stack} --region {region}`" for region in left)
        raise RefusedError(
            f"no environment lies in {', '.join(left)} any more, and an update does not delete the artifact bucket and "
            "key there",
            where=f"Pulumi.{stack}.yaml",
            remedy=f"nothing was changed; keep them with `artifactRegions: [{', '.join(left)}]` for now, and push. "
            f"Once the pipeline has changed, take that out again, run {commands}, and push",
        )


@dataclass(frozen=True)
class Updated:
    """What was done. `restarts` tells whether the pipeline starts anew: `by_itself`, or with the commits `started`."""

    updated: bool
    restarts: bool
    declared: str | None
    """Digest of the definition."""
    changes: Mapping[str, int]
    started: tuple[str, ...]
    by_itself: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "updated": self.updated,
            "restarts": self.restarts,
            DIGEST: self.declared,
            "changes": self.changes,
            "started": list(self.started),
        }


@dataclass(frozen=True)
class Update:
    """The update of one pipeline to what its file and the program say; `source` is the digest of both.

    In the pipeline (`EXECUTION_VARIABLE` is set) it does only what is UpdatePipeline's, and waits for rights that come
    late. By hand, whoever runs it has rights of her own, which hang on neither alias nor tag.
    """

    stack: str
    config: PipelineConfig
    model: PipelineModel
    source: str
    context: Context

    def when_free(self, engine: Engine, patience: Patience) -> Updated:
        """Do it, once nobody else does. Raises `DeliveryError`s."""
        return when_free(lambda: self.once(engine), patience, inside=self._inside)

    @property
    def _inside(self) -> bool:
        return bool(self.context.variables.get(EXECUTION_VARIABLE))

    def once(self, engine: Engine) -> Updated:
        """Look, decide, and do it. Raises `DeliveryError`s, `LockedError` where somebody else changes the stack."""
        state, killed = settled(engine, self.stack, self.config, self.context)
        check_stores(state.get("resources") or (), self.model, self.stack)
        decision, declared = self._decided(engine, state, killed=killed)
        return self.carry_out(engine, decision, declared)

    def carry_out(self, engine: Engine, decision: Decision, declared: str | None) -> Updated:
        """Do what was decided; `declared` is the digest of the definition."""
        ours = decision.restarts and not self.model.releases_every_push
        again = Restart(self.config, self.model, self.context.variables) if ours else None
        changes = bring(engine, self.model) if decision.update else {}
        with midway():
            started = again.start(str(declared)) if again else ()
        by_itself = decision.restarts and not ours
        return Updated(decision.update, decision.restarts, declared, changes, started, by_itself)

    def _decided(self, engine: Engine, state: Mapping[str, Any], *, killed: bool) -> tuple[Decision, str | None]:
        """What to do, and the digest of the declared definition. A run that was `killed` stands in no history."""
        applied = outputs_in(state)
        # The outputs alone do not tell: those of an update that has failed may be there as well.
        settled = not killed and engine.succeeded()
        if settled and applied.get(SOURCE) == self.source:
            # What an engine would find now is what somebody changed by hand, and that is for a person.
            return Decision(update=False, restarts=False), applied.get(DIGEST)
        preview = engine.preview()
        declared = preview.outputs.get(DIGEST)
        if self._inside:
            own_rights.check(preview.steps, self.model, self.stack)
        decision = decide(preview.steps, declared, applied.get(DIGEST), self.stack)
        if not settled or applied.get(SOURCE) != preview.outputs.get(SOURCE):
            decision = replace(decision, update=True)
        return decision, declared


def settled(engine: Engine, stack: str, config: PipelineConfig, context: Context) -> tuple[Mapping[str, Any], bool]:
    """The stack's state, without what a killed run has left pending; and whether one had. `context` is that of the
    folder that the engine works in. Raises `DeliveryError`s."""

    def check(state: Mapping[str, Any]) -> None:
        secrets_provider.check(stack, state, context, pipeline=True)

    state = engine.state()
    check(state)
    resolving.settle_lost(engine, lambda: Account.of(config), check)
    killed = bool(state.get("pending_operations"))
    if killed:
        state = resolving.resolve(engine, lambda: Account.of(config), check)
    return state, killed


def when_free(once: Callable[[], Updated], patience: Patience, *, inside: bool) -> Updated:
    """Do an update, once nobody else does; `inside` the pipeline once its rights count. Raises `DeliveryError`s."""
    late = LateRights()
    while True:
        try:
            return once()
        except LockedError as error:
            if not patience.wait(error):
                raise
        except DeliveryError as error:
            if not (inside and late.wait(error)):
                raise


class Restart:
    """Starts a pipeline again whose branch's newest commit may not be released; made before the change, to know what
    ran then. Raises `DeployError`."""

    def __init__(self, config: PipelineConfig, model: PipelineModel, variables: Mapping[str, str]) -> None:
        self._config, self._pipeline = config, model.names.pipeline
        self._before = model.before.pipeline if model.before else None
        execution = variables.get(EXECUTION_VARIABLE, "")
        self._own = restart.Run(execution, restart.RUNNING, variables.get(COMMIT_VARIABLE))
        with self._client() as client:
            self._ended = restart.settled(client, self._pipeline)

    def start(self, definition: str) -> tuple[str, ...]:
        """Start with the commit that this command was built from, then with those that waited; the commits."""
        with self._client() as client:
            return restart.again(
                client,
                self._pipeline,
                self._own,
                self._ended,
                definition=definition,
                handed_on=self._before is not None,
            )

    @contextmanager
    def _client(self) -> Iterator[Any]:
        command = restart.by_hand(self._pipeline, self._own.commit, self._before)
        by_hand = f"start it by hand with what was released: `{command} --region {self._config.region}`"
        account = Account.of(self._config)
        with told_as(RefusedError, f"starting {self._pipeline} again", account.place, otherwise=by_hand):
            yield account.client("codepipeline")
