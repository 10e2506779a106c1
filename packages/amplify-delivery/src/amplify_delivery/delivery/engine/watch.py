"""What the engine's events say of a run: errors, changes, steps, outputs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from pulumi.automation import OpType
from pulumi.automation.events import DiagnosticEvent, EngineEvent, StepEventMetadata

from amplify_delivery.components.documents.rights.pulumi_types import PULUMI_STACK, ROOT_STACK
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.delivery.planning.program import AT_REST, BACKEND

HIDDEN = "[secret]"
"""What the engine shows in the place of a secret, in its events and of outputs."""

_NOISE = re.compile(r"\d+ errors? occurred:\s*\* |(?:creating|updating|deleting) urn:pulumi:\S+: ")
"""What the provider's library puts around a single error; the resource is named anyway."""


_BEFORE, _UNCHANGED = "before hook ", "nothing was changed"
"""How the engine tells what a hook has said, and how an error of ours says that it came before anything."""
_CREATES = (OpType.CREATE.value, OpType.CREATE_REPLACEMENT.value)
_REPLACES = (OpType.REPLACE.value, OpType.CREATE_REPLACEMENT.value)


@dataclass
class RootWork:
    """Whether the engine is at the backend's root stack: CloudFormation works on it then, and at no other time."""

    now: bool = False
    begun: int = 0
    """How often it has begun with it."""

    def __call__(self, event: EngineEvent) -> None:
        if event.resource_pre_event and _changes_root(event.resource_pre_event.metadata):
            self.now, self.begun = True, self.begun + 1
        for ended in (event.res_outputs_event, event.res_op_failed_event):
            if ended and _changes_root(ended.metadata):
                self.now = False


def _may_be_done(step: StepEventMetadata) -> bool:
    """Whether it counts what became of it in AWS: of any other update and of a deletion a refresh finds out."""
    return _text(step.op) in _CREATES or (step.type == ROOT_STACK and _text(step.op) == OpType.UPDATE.value)


def _changes_root(step: StepEventMetadata) -> bool:
    return _is_root(step) and _text(step.op) not in AT_REST


def _is_root(step: StepEventMetadata) -> bool:
    """Whether it is the backend's root stack: a program may have stacks of its own beside it."""
    return step.type == ROOT_STACK and BACKEND in step.urn


@dataclass
class Watch:
    """What the engine's events said: errors by resource, the root stack's replacements, changes by kind, all steps."""

    errors: list[tuple[str, str]] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    changes: dict[str, int] = field(default_factory=dict)
    steps: list[ProgramStep] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    """URNs of resources with whose change the engine has begun; in a preview that means nothing."""
    uncertain: list[ProgramStep] = field(default_factory=list)
    """Creates, and updates of the root stack, that have failed for whatever reason: where a plugin was lost, AWS may
    have done them, or be at it."""
    ended: bool = False
    """Whether the engine has told the end of its run: without it, what it told before was lost, or a part of it."""
    outputs: dict[str, Any] = field(default_factory=dict)
    """The stack's outputs, as the engine tells them of what the program declared."""
    outputs_before: dict[str, Any] = field(default_factory=dict)
    """Those that the state had, told the same way."""
    root: RootWork = field(default_factory=RootWork)

    @property
    def begun(self) -> bool:
        """Whether the engine has begun with a change. One that its hook has refused, before the provider was asked, and
        said so, is none."""
        refused = {urn for urn, text in self.errors if text.startswith(_BEFORE) and _UNCHANGED in text}
        return bool(self.changed - refused)

    def errors_of(self, urn: str) -> list[str]:
        """What was said of one resource."""
        return [text for of, text in self.errors if of == urn]

    def __call__(self, event: EngineEvent) -> None:
        self.root(event)
        if event.diagnostic_event and event.diagnostic_event.severity == "error":
            self._says(event.diagnostic_event)
        if event.resource_pre_event:
            self._begins(event.resource_pre_event.metadata)
        if event.res_op_failed_event and _may_be_done(event.res_op_failed_event.metadata):
            self.uncertain.append(_step(event.res_op_failed_event.metadata))
        if event.res_outputs_event and event.res_outputs_event.metadata.type == PULUMI_STACK:
            new, old = event.res_outputs_event.metadata.new, event.res_outputs_event.metadata.old
            self.outputs = dict(new.outputs or {}) if new else {}
            self.outputs_before = dict(old.outputs or {}) if old else {}
        if event.summary_event:
            self.ended = True
            self.changes = {_text(k): v for k, v in event.summary_event.resource_changes.items() if v}

    def _says(self, error: DiagnosticEvent) -> None:
        text = _NOISE.sub("", plain(error.message))
        said = (error.urn or "", text)
        if text and said not in self.errors:
            self.errors.append(said)

    def _begins(self, step: StepEventMetadata) -> None:
        told = _step(step)
        self.steps.append(told)
        # Components, providers and the stack itself are the engine's own: with them nothing is changed yet.
        if told.custom and not told.type.startswith("pulumi:") and told.operation not in AT_REST:
            self.changed.add(step.urn)
        if _is_root(step) and _text(step.op) in _REPLACES:
            self.replaced.append(f"{resource_name(step.urn)} ({', '.join(step.keys or ()) or 'no key given'})")
        if _is_root(step) and _text(step.op) == OpType.DELETE.value:
            self.replaced.append(f"{resource_name(step.urn)} (the program no longer has it)")


def resource_name(urn: str) -> str:
    """`Type name` of a URN: what the engine shows."""
    parts = urn.split("::")
    return f"{parts[-2].rpartition('$')[2]} {parts[-1]}" if len(parts) > 3 else urn


def plain(text: str) -> str:
    """Without the engine's colour tags."""
    return re.sub(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m", "", text).strip()


def _step(step: StepEventMetadata) -> ProgramStep:
    state, before = step.new or step.old, step.old or step.new
    return ProgramStep(
        urn=step.urn,
        type=step.type,
        operation=_text(step.op),
        properties=tuple(sorted({*(step.diffs or ()), *(step.keys or ())})),
        inputs=(step.new.inputs if step.new else None) or {},
        before=(step.old.inputs if step.old else None) or {},
        custom=bool(state and state.custom),
        kept=bool(before and before.retain_on_delete),
        protected=bool(state and state.protect),
        provider=step.provider or "",
        parent=(state.parent or "") if state else "",
    )


def _text(kind: OpType | str) -> str:
    return kind.value if isinstance(kind, OpType) else str(kind)
