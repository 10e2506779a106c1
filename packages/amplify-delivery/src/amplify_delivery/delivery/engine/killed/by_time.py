"""Whether a killed run has made what is there, where only the time proves it. Pure.

When a run began no state tells, and its lease may be gone. The state tells when it was written last, and since when it
holds what the resource needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from amplify_delivery.delivery.engine.killed.pending import (
    CLOCKS,
    CREATING,
    OURS,
    Answer,
    Foreign,
    Operation,
    There,
    Unknown,
)

_SLOWEST = 600.0
"""Seconds that the create of anything in `BY_TIME` takes at most, by default."""
BY_TIME = frozenset(
    {
        "aws-native:apigatewayv2:Api",
        "aws-native:iam:Role",
        "aws-native:logs:LogGroup",
        "aws:codebuild/project:Project",
        "aws:iam/policy:Policy",
        "aws:iam/role:Role",
        "aws:kms/key:Key",
        "aws:s3/bucket:Bucket",
        "aws:ssm/parameter:Parameter",
    }
)
"""Types of which neither name nor description nor tags prove whose one is: another stack's may have the same (others
than it was to have prove that it is not, `tags`). AWS tells since when each is there."""


def in_its_time(state: Mapping[str, Any], operation: Operation, answer: Answer) -> Answer:
    """The same of a create that a killed run has left in `state`, where only the time proves whose it is (`BY_TIME`).

    The engine writes the state, and the time with it, when it begins with anything, and when that has ended. So what
    was under way at the last of these times began shortly before, and was made shortly after at the latest: what takes
    longer has had its end written. And nothing is begun before what it stands below, depends on, or is made by. Where a
    later run has written the state, it cannot be told any more.
    """
    if not isinstance(answer, There) or operation.kind != CREATING or operation.type not in BY_TIME:
        return answer
    if any(component in operation.urn for component in OURS):
        return answer
    made, slack = answer.made, CLOCKS + timedelta(seconds=operation.seconds(_SLOWEST))
    if made is None and answer.empty:
        return answer  # with its tags, and nobody's data in it
    if made is None:
        return Unknown(
            f"{answer.id} is there, and AWS does not say since when (of buckets s3:ListAllMyBuckets does; without it "
            "an empty one counts as its own, where s3:ListBucketVersions and s3:ListBucketMultipartUploads are allowed)"
        )
    before = [time for urn in _before(operation) for time in _created(state, urn)]
    if before and made < max(before) - CLOCKS:
        return Foreign(f"what is there under its name was made before, on {made:%Y-%m-%d %H:%M}: not its own")
    written = _time((state.get("manifest") or {}).get("time"))
    if written and written - slack <= made <= written + slack:
        return answer
    return Unknown(f"{answer.id} is there since {made:%Y-%m-%d %H:%M}, and nothing tells whether that run has made it")


def _before(operation: Operation) -> set[str]:
    """URNs of what was there before it was begun."""
    resource = operation.resource
    provider = str(resource.get("provider") or "").rpartition("::")[0]
    return {str(resource.get("parent") or ""), provider, *map(str, resource.get("dependencies") or ())}


def _created(state: Mapping[str, Any], urn: str) -> Iterable[datetime]:
    for resource in state.get("resources") or ():
        if resource.get("urn") == urn and not resource.get("delete") and (time := _time(resource.get("created"))):
            yield time


def _time(text: Any) -> datetime | None:
    """A time as the engine writes it, with up to nine digits of a second."""
    try:
        found = datetime.fromisoformat(str(text or ""))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
