"""Whether what is there is as a killed run was about to make it, in what AWS tells of log groups, build projects,
parameters and HTTP APIs beside name and tags. The role, document or policy of others is `policies`' to compare.

All of it is sent with the call that makes the thing, except a log group's retention, which comes in a second call: one
without any may be its own. What differs is not what that run was making, or was changed since: nobody can tell. Reads
only, with what the providers read of each type too; where that may not be read, the time decides (`by_time`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.engine.killed.pending import (
    CREATING,
    OURS,
    Answer,
    Gone,
    Operation,
    There,
    Unknown,
    hidden,
    same,
)
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing

Facts = Mapping[str, Any]
"""What AWS tells, by the input that sends it, `NAME` or `NAME.PART`. None: as when nothing is sent."""


def carried(account: Account, operation: Operation, answer: Answer) -> Answer:
    """The same of a create, unless what is there differs from what was sent. Raises `RefusedError`."""
    look = LOOKS.get(operation.type)
    if not isinstance(answer, There) or operation.kind != CREATING or look is None:
        return answer
    if any(component in operation.urn for component in OURS):
        return answer
    with account.asking(f"asking how {operation.what} was made"), suppressing(*ACCESS_DENIED) as refusal:
        facts = look(account, answer.id)
    if refusal:
        return answer
    if facts is None:
        return Gone()
    differing = sorted(_differing(operation.inputs, facts))
    if not differing:
        return answer
    return Unknown(
        f"what is there as {answer.id} has another {', another '.join(differing)} than that run was about to give it: "
        "somebody else's, or changed since"
    )


def _differing(inputs: Mapping[str, Any], facts: Facts) -> Iterator[str]:
    """The inputs of which AWS tells something else. Nothing, an empty text and what stands for neither are one."""
    for name, fact in facts.items():
        wanted = _at(inputs, name)
        if not hidden(wanted) and (wanted or fact) and not same(wanted, fact):
            yield name


def _at(inputs: Mapping[str, Any], place: str) -> Any:
    """The input at `NAME` or `NAME.PART`."""
    name, _, part = place.partition(".")
    found = inputs.get(name)
    if not part or hidden(found):
        return found
    return found.get(part) if isinstance(found, Mapping) else None


def _log_group(account: Account, name: str) -> Facts | None:
    pages = account.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    found = next((group for page in pages for group in page["logGroups"] if group["logGroupName"] == name), None)
    if found is None:
        return None
    retention = {"retentionInDays": found["retentionInDays"]} if found.get("retentionInDays") else {}
    return {"kmsKeyId": found.get("kmsKeyId"), **retention}


def _project(account: Account, arn: str) -> Facts | None:
    projects = account.client("codebuild").batch_get_projects(names=[arn.rpartition("/")[2]])["projects"]
    if not projects:
        return None
    found = projects[0]
    parts = {
        "source": ("type", "location", "buildspec"),
        "artifacts": ("type", "location"),
        "environment": ("type", "image", "computeType"),
    }
    return {
        "serviceRole": found.get("serviceRole"),
        "description": found.get("description"),
        **{f"{name}.{part}": (found.get(name) or {}).get(part) for name, of in parts.items() for part in of},
    }


def _parameter(account: Account, name: str) -> Facts | None:
    """Its value `classic` compares."""
    named = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
    found = account.client("ssm").describe_parameters(ParameterFilters=named)["Parameters"]
    if not found:
        return None
    return {"description": found[0].get("Description"), "allowedPattern": found[0].get("AllowedPattern")}


def _api(account: Account, api: str) -> Facts | None:
    found: Mapping[str, Any] = {}
    with suppressing("NotFoundException") as gone:
        found = account.client("apigatewayv2").get_api(ApiId=api)
    if gone:
        return None
    return {"description": found.get("Description"), "protocolType": found.get("ProtocolType")}


LOOKS: Mapping[str, Callable[[Account, str], Facts | None]] = {
    "aws-native:apigatewayv2:Api": _api,
    "aws-native:logs:LogGroup": _log_group,
    "aws:codebuild/project:Project": _project,
    "aws:ssm/parameter:Parameter": _parameter,
}
"""By Pulumi type, with the id that is found; None of what has gone since."""
