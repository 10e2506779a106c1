"""Drift is detected with its caller's rights, takes a while, and is found in the resources that a backend has.

MiniStack looks as the account's root, ends at once, knows nothing of user pools, GraphQL APIs, bucket policies, and
counts members that the template leaves out as drift.
AWS: DetectStackDrift, DescribeStackDriftDetectionStatus and PropertyDifference in the CloudFormation API reference;
user guide, "Detect unmanaged configuration changes to stacks and resources with drift detection": "CloudFormation only
determines drift for property values that are explicitly set"; "read permission for each resource that supports drift
detection"; a resource that could not be read makes the detection `DETECTION_FAILED`, the others have results. The
service authorization reference: DetectStackDrift and DetectStackResourceDrift on the stack, the status on anything.

AWS::IAM::Policy: "does not support drift detection" (its page in the resource type reference).

What stays different: other types without a reader here have no result, though AWS detects their drift; neither have
properties that no table here names. By the public resource schemas each that is named there exists, and none is
one that AWS cannot read back (`writeOnlyProperties`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from handlers.calls import reads
from ministack.services.cloudformation import drift, helpers
from ministack.services.cloudformation import handlers as actions

from . import _rights
from ._drift_readers import MORE, READERS, Properties, Reader
from ._expect import PatchError, expect, replace
from .cloud_control import PREFIX
from .execution_role import ask, subject_of

_SECONDS = 0.3
"""So long a detection takes."""
_FREE = ("Variables",)
"""Members whose own names are the user's: one more is drift."""
_DOCUMENTS = ("PolicyDocument", "AssumeRolePolicyDocument", "Policies")
"""Compared whole: in a policy that says more, everything is explicit."""


def apply() -> None:
    """Add the readers, and look with the caller's rights."""
    detect = expect(drift, "detect_resource_drift", "stack", "logical_id", "record", "timestamp")
    for name in ("DetectStackDrift", "DescribeStackDriftDetectionStatus"):
        if name not in actions._ACTION_HANDLERS:
            raise PatchError(f"CloudFormation has no {name} any more")
    known = getattr(drift, "_DRIFT_READERS", {})
    had = sorted(READERS.keys() & known.keys())
    if had:
        raise PatchError(f"MiniStack detects the drift of {', '.join(had)} itself now")
    readers = {**known, **READERS}
    for name, (more, properties) in MORE.items():
        readers[name] = (_both(readers[name][0], more), readers[name][1] | properties)
    for name, (reader, properties) in readers.items():
        known[name] = (_explicit(reader), properties)

    def detect_resource_drift(stack: Any, logical_id: str, record: Any, timestamp: str) -> Any:
        if not stack["StackName"].startswith(PREFIX):  # those are asked for by `native_reads`
            try:
                _require(stack, logical_id, record)
            except _rights.AccessDeniedError as denied:
                return {
                    "StackId": stack["StackId"],
                    "LogicalResourceId": logical_id,
                    "PhysicalResourceId": record.get("PhysicalResourceId", ""),
                    "ResourceType": record["ResourceType"],
                    "Timestamp": timestamp,
                    "StackResourceDriftStatus": "UNKNOWN",
                    "DriftStatusReason": denied.sentence,
                }
        return detect(stack, logical_id, record, timestamp)

    replace("detect_resource_drift", detect_resource_drift, drift)
    start, status = (actions._ACTION_HANDLERS[n] for n in ("DetectStackDrift", "DescribeStackDriftDetectionStatus"))
    actions._ACTION_HANDLERS["DetectStackDrift"] = lambda params: _start(start, params)
    actions._ACTION_HANDLERS["DescribeStackDriftDetectionStatus"] = lambda params: _status(status, params)


def _start(start: Callable[[Any], Any], params: Any) -> Any:
    stack = actions._resolve_stack(helpers._p(params, "StackName") or "")
    if stack is None:
        return start(params)
    try:
        _rights.require(_rights.caller(), "cloudformation:DetectStackResourceDrift", stack["StackId"], {})
    except _rights.AccessDeniedError as denied:
        return helpers._error("AccessDenied", denied.sentence, 403)
    if stack.get("_drift_ends", 0.0) > time.monotonic():
        return helpers._error(
            "ValidationError", f"Drift detection is already in progress for stack [{stack['StackId']}]"
        )
    answer = start(params)
    if answer[0] == 200:
        stack["_drift_ends"] = _ends[_member(answer, "StackDriftDetectionId")] = time.monotonic() + _SECONDS
    return answer


_ends: dict[str, float] = {}
"""When detections end, by their ids."""


def _status(status: Callable[[Any], Any], params: Any) -> Any:
    answer = status(params)
    if answer[0] != 200 or _ends.get(helpers._p(params, "StackDriftDetectionId") or "", 0.0) <= time.monotonic():
        return answer
    code, headers, body = answer
    text = body.decode() if isinstance(body, bytes) else body
    text = re.sub(r"<DetectionStatus>\w+<", "<DetectionStatus>DETECTION_IN_PROGRESS<", text)
    text = re.sub(r"<(StackDriftStatus|DriftedStackResourceCount|DetectionStatusReason)>[^<]*</\1>", "", text)
    return code, headers, text.encode()


def _member(answer: Any, name: str) -> str:
    text = answer[2].decode() if isinstance(answer[2], bytes) else answer[2]
    return str(text.partition(f"<{name}>")[2].partition("<")[0])


def _require(stack: Mapping[str, Any], logical_id: str, record: Mapping[str, Any]) -> None:
    acting = _rights.caller()
    read = subject_of(
        record["ResourceType"],
        logical_id,
        stack["StackName"],
        record.get("Properties") or {},
        record.get("PhysicalResourceId", ""),
    )
    for call in reads(read):
        ask(acting, call)


# What is compared


def _explicit(reader: Reader) -> Reader:
    """What is read, without the members that the template does not set."""

    def read(physical_id: str, properties: Properties) -> dict[str, Any] | None:
        found = reader(physical_id, properties)
        if found is None:
            return None
        return {
            name: value if _is_document(value, name) else _restricted(properties.get(name), value, name)
            for name, value in found.items()
        }

    return read


def _is_document(value: Any, name: str) -> bool:
    """A user pool has `Policies` too, which are none."""
    return name in _DOCUMENTS and not (name == "Policies" and isinstance(value, Mapping))


def _restricted(written: Any, found: Any, name: str = "") -> Any:
    if isinstance(written, Mapping) and isinstance(found, Mapping):
        if name in _FREE:
            return found
        return {key: _restricted(written[key], value, key) for key, value in found.items() if key in written}
    if isinstance(written, list) and isinstance(found, list):
        members = [item for item in written if isinstance(item, Mapping)]
        if not members:
            return found
        merged: dict[str, Any] = {}
        for item in members:
            merged.update(item)
        return [_restricted(merged, item) if isinstance(item, Mapping) else item for item in found]
    return found


def _both(first: Reader, second: Reader) -> Reader:
    def read(physical_id: str, properties: Properties) -> dict[str, Any] | None:
        found = first(physical_id, properties)
        return None if found is None else {**found, **(second(physical_id, properties) or {})}

    return read


def probe(aws: Any) -> bool:
    """A password policy that somebody changed is found, by whoever may read the pool; what was left out is not."""
    name = aws.name("stack-drift")
    policy = {"Policies": {"PasswordPolicy": {"MinimumLength": 8}}}
    aws.stack({"Pool": {"Type": "AWS::Cognito::UserPool", "Properties": policy}}, name)
    answer = aws.query("cloudformation", Action="DescribeStackResource", StackName=name, LogicalResourceId="Pool")
    pool = answer.partition("<PhysicalResourceId>")[2].partition("<")[0]
    reader = aws.assume(aws.role(aws.owner, name, allow="cloudformation:*"), aws.owner)

    def status(*by: Any) -> str:
        detect = {"Action": "DetectStackResourceDrift", "StackName": name, "LogicalResourceId": "Pool"}
        answer = aws.query("cloudformation", *by, **detect)
        return str(answer.partition("<StackResourceDriftStatus>")[2].partition("<")[0])

    def changed(length: int) -> str:
        update = {"UserPoolId": pool, "Policies": {"PasswordPolicy": {"MinimumLength": length}}}
        aws.json(aws.owner, "cognito-idp", "AWSCognitoIdentityProviderService.UpdateUserPool", **update)
        return status()

    if not aws.succeeds(status):
        return False
    return (status(), status(reader), changed(6), changed(8)) == ("IN_SYNC", "UNKNOWN", "MODIFIED", "IN_SYNC")
