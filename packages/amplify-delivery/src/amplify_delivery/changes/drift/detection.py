"""Drift as CloudFormation detects it, stack by stack. Starts detections, which change nothing, and reads their results.

"When detecting drift on a stack, CloudFormation doesn't detect drift on any nested stacks belonging to that stack"
(DetectStackDrift, API reference): each is asked by itself, several at once. Resources are read with the rights of
whoever asks. What CloudFormation does not see: properties that the template leaves at their defaults, what cannot be
read back (a function's code, secrets), resources of types without support ("Detect unmanaged configuration changes to
stacks and resources with drift detection", user guide).
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from amplify_delivery.changes.deployed import has_nested, nested
from amplify_delivery.changes.drift import inline
from amplify_delivery.changes.drift.legitimate import Own, without_own
from amplify_delivery.changes.drift.model import Detected, Difference, Drifted, Unread, gone
from amplify_delivery.changes.stacks import MASK, Stacks
from amplify_delivery.changes.steps import Path
from amplify_delivery.errors import RefusedError
from amplify_delivery.export.model import STACK_TYPE
from amplify_delivery.export.templates.literals import items
from amplify_delivery.publishing.aws_errors import suppressing
from amplify_delivery.publishing.stack_state import parameters_of

LONGEST = 15 * 60.0
"""Seconds that detecting may take in all. AWS: "up to several minutes" for a stack; stacks are looked at together."""
_AT_ONCE = 8
_PAUSES = (0.5, 1.0, 2.0, 5.0)
"""Seconds between two looks at a detection; the last one for all that follow."""
_DETECTABLE = (
    *("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"),
    *("IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"),
)
"""States of a stack in which CloudFormation detects drift (user guide; imported stacks are recommended to be)."""
_BUSY = "already in progress"
"""In the message of a detection that somebody else has begun."""


@dataclass(frozen=True)
class _Stack:
    """A stack with what CloudFormation tells of it."""

    path: Path
    id: str
    status: str
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class _Result:
    """What one stack's detection has found."""

    drifts: tuple[Mapping[str, Any], ...] = ()
    unread: tuple[Unread, ...] = ()


def detect(cloudformation: Any, iam: Any, root: str, deployed: Stacks, told: Callable[[str], None]) -> Detected:
    """What differs in the root stack called `root`, which is `deployed`, and in all below it; `iam` is asked for inline
    policies, whose drift CloudFormation does not detect.

    Raises `RefusedError` when it takes too long, and botocore's errors: also when the right to detect is lacking."""
    deadline = time.monotonic() + LONGEST
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        stacks = list(_walk(cloudformation, root, deployed, pool))
        told(f"asking CloudFormation for drift in {len(stacks)} stacks")
        results = dict(
            zip(
                (s.path for s in stacks),
                pool.map(lambda s: _of_stack(cloudformation, s, deadline), stacks),
                strict=True,
            )
        )
        looked = inline.look(iam, deployed, _role_names(results), pool)
    own = Own.of(deployed, _ids(results))
    found = [_drifted(path, drift) for path, result in results.items() for drift in result.drifts]
    kept = [left for one in found if one and (left := without_own(one, own))]
    by_hand = [_parameters(stack, deployed) for stack in stacks]
    return Detected(
        drifted=tuple(
            sorted([*kept, *(d for d in by_hand if d), *inline.found(looked, Drifted)], key=lambda d: d.path)
        ),
        unread=(*(u for result in results.values() for u in result.unread), *inline.found(looked, Unread)),
        unsupported=_unsupported(deployed, results, looked.keys()),
    )


def _walk(cloudformation: Any, root: str, deployed: Stacks, pool: ThreadPoolExecutor) -> Iterator[_Stack]:
    """All stacks, level by level, each level at once."""
    level: dict[Path, str] = {(): root}
    while level:
        found = pool.map(lambda at: _described(cloudformation, *at), level.items())
        yield from found
        parents = {path: stack for path, stack in level.items() if has_nested(deployed.templates.get(path, {}))}
        below = pool.map(lambda stack: nested(cloudformation, stack), parents.values())
        level = {
            (*path, name): child
            for path, children in zip(parents, below, strict=True)
            for name, child in children.items()
        }


def _described(cloudformation: Any, path: Path, stack: str) -> _Stack:
    found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    return _Stack(path, found["StackId"], str(found["StackStatus"]), parameters_of(found))


def _of_stack(cloudformation: Any, stack: _Stack, deadline: float) -> _Result:
    """Detect, wait, read."""
    place = "/".join(stack.path) or "(root stack)"
    if stack.status not in _DETECTABLE:
        return _Result(unread=(Unread(place, STACK_TYPE, f"its state is {stack.status}"),))
    detection = _started(cloudformation, stack, place, deadline)
    status = _ended(cloudformation, detection, place, deadline)
    drifts = tuple(_results(cloudformation, stack))
    unknown = tuple(
        Unread("/".join((*stack.path, d["LogicalResourceId"])), d["ResourceType"], str(d.get("DriftStatusReason", "")))
        for d in drifts
        if d["StackResourceDriftStatus"] == "UNKNOWN"
    )
    if status["DetectionStatus"] == "DETECTION_FAILED" and not unknown:
        unknown = (Unread(place, STACK_TYPE, str(status.get("DetectionStatusReason", "no reason given"))),)
    return _Result(drifts, unknown)


def _results(cloudformation: Any, stack: _Stack) -> Iterator[Mapping[str, Any]]:
    """What the last detection has found, page by page: botocore knows no paginator for it."""
    more: dict[str, str] = {}
    while True:
        page = cloudformation.describe_stack_resource_drifts(StackName=stack.id, **more)
        yield from page["StackResourceDrifts"]
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def _started(cloudformation: Any, stack: _Stack, place: str, deadline: float) -> str:
    """Start a detection; one that somebody else has begun is waited for first, its results may be older than ours."""
    for pause in _pauses(deadline, place):
        with suppressing("ValidationError", saying=_BUSY):
            return str(cloudformation.detect_stack_drift(StackName=stack.id)["StackDriftDetectionId"])
        time.sleep(pause)
    raise AssertionError  # _pauses ends with an error


def _ended(cloudformation: Any, detection: str, place: str, deadline: float) -> Mapping[str, Any]:
    for pause in _pauses(deadline, place):
        status: Mapping[str, Any] = cloudformation.describe_stack_drift_detection_status(
            StackDriftDetectionId=detection
        )
        if status["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            return status
        time.sleep(pause)
    raise AssertionError  # _pauses ends with an error


def _pauses(deadline: float, place: str) -> Iterator[float]:
    """Seconds to wait, one after the other; `RefusedError` when there is no time left."""
    number = 0
    while (left := deadline - time.monotonic()) > 0:
        yield min(_PAUSES[min(number, len(_PAUSES) - 1)], left)
        number += 1
    raise RefusedError(
        f"CloudFormation did not finish detecting drift within {LONGEST / 60:.0f} minutes",
        where=place,
        remedy="nothing was changed; repeat the command, or plan without looking for drift (`drift.detect: false`)",
    )


def _drifted(path: Path, drift: Mapping[str, Any]) -> Drifted | None:
    status, place = drift["StackResourceDriftStatus"], (*path, drift["LogicalResourceId"])
    if status == "DELETED":
        return Drifted(place, drift["ResourceType"], gone())
    if status != "MODIFIED" or drift["ResourceType"] == STACK_TYPE:
        return None  # a nested stack is asked by itself
    differences = tuple(
        Difference(d["PropertyPath"], str(d.get("ExpectedValue", "null")), str(d.get("ActualValue", "null")))
        for d in drift.get("PropertyDifferences", ())
    )
    return Drifted(place, drift["ResourceType"], differences, json.loads(drift.get("ActualProperties") or "{}"))


def _parameters(stack: _Stack, deployed: Stacks) -> Drifted | None:
    """The parameters of a nested stack that its parent does not give it: somebody has updated it by itself."""
    told = deployed.resolved.stacks.get(stack.path)
    given = told.parameters if told and isinstance(told.parameters, Mapping) else {}
    differences = tuple(
        Difference(f"/Parameters/{name}", value, stack.parameters[name])
        for name, value in sorted(given.items())
        if isinstance(value, str) and "{{" not in value and _differs(value, stack.parameters.get(name, MASK))
    )
    return Drifted(stack.path, STACK_TYPE, differences) if differences else None


def _differs(given: str, runs: str) -> bool:
    """A list is a list, with spaces after its commas or without."""
    return runs != MASK and items(given) != items(runs)


def _ids(results: Mapping[Path, _Result]) -> dict[str, set[str]]:
    """Physical ids of what was looked at, by type."""
    found: dict[str, set[str]] = {}
    for result in results.values():
        for drift in result.drifts:
            found.setdefault(drift["ResourceType"], set()).add(str(drift.get("PhysicalResourceId", "")))
    return found


def _role_names(results: Mapping[Path, _Result]) -> dict[Path, str]:
    """The names of roles that were looked at, by their places."""
    return {
        (*path, d["LogicalResourceId"]): str(d["PhysicalResourceId"])
        for path, result in results.items()
        for d in result.drifts
        if d["ResourceType"] == "AWS::IAM::Role" and d.get("PhysicalResourceId")
    }


def _unsupported(deployed: Stacks, results: Mapping[Path, _Result], looked: Collection[Path]) -> dict[str, int]:
    """Resources that no detection has told of, by type, but for those that we have `looked` at ourselves; of stacks
    that were not looked at, none."""
    seen = {(*path, d["LogicalResourceId"]) for path, result in results.items() for d in result.drifts}
    asked = {path for path, result in results.items() if result.drifts}
    types = Counter(
        resource.type
        for path, resource in deployed.resolved.resources.items()
        if path not in seen and path not in looked and path[:-1] in asked
    )
    return dict(sorted(types.items()))
