"""What somebody has set beside CloudFormation, and what a deployment takes back although no drift is seen of it.

CloudFormation detects no drift of what cannot be read back, and none of a property that the template leaves out
("Detect unmanaged configuration changes to stacks and resources with drift detection", user guide): a function that
was mended in the console; a trigger that was set on a user pool, which an update of the pool, or Amplify's custom
resource, writes back without it (UpdateUserPool, Amazon Cognito API reference). What may not be asked is not told.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from amplify_delivery.changes.deployed import Deployed
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import ChangeResource, Path, Step
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.delivery.planning.same_bytes import location
from amplify_delivery.export.archives import ArchiveError, entries_digest
from amplify_delivery.export.documents import parsed
from amplify_delivery.publishing.aws_errors import suppressing_all
from amplify_delivery.publishing.target import cli_options

FUNCTION, POOL = "AWS::Lambda::Function", "AWS::Cognito::UserPool"
_OF_THE_STACK = frozenset({"DeletionPolicy", "UpdateReplacePolicy", "DependsOn", "Metadata", "Condition"})
"""Attributes that CloudFormation keeps to itself: the pool is not updated for them."""
_OF_TRIGGERS = {"PreTokenGenerationConfig": "PreTokenGeneration"}
"""Members of a pool's LambdaConfig that say more of another one."""
_NO_TRIGGER = "KMSKeyID"
_AT_ONCE = 8
_NAMED = 3


@dataclass(frozen=True)
class ByHand:
    """`code` are the places of functions that run with other code than they were delivered with."""

    code: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def look(target: Wanted, found: Deployed, wanted: Stacks, steps: Sequence[Step]) -> ByHand:
    """Ask for what `steps`, from what is deployed to `wanted`, change of functions' code and of user pools."""
    was = found.stacks
    if was is None:
        return ByHand()
    changed = [step for step in steps if isinstance(step, ChangeResource)]
    functions = [s for s in changed if s.type == FUNCTION and "Code" in s.properties]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        names = list(pool.map(lambda step: _with_other_code(target, found, step.path), functions))
    edited = {step.place: name for step, name in zip(functions, names, strict=True) if name}
    triggers = [note for path in _written(changed, was, wanted) for note in _triggers(target, found, path, wanted)]
    return ByHand(frozenset(edited), (*_told(edited, target), *triggers))


def _with_other_code(target: Wanted, found: Deployed, path: Path) -> str:
    """The name of the function at `path` if it runs with other code than that of its template, else nothing."""
    was = found.stacks.resolved.resources.get(path) if found.stacks else None
    place = location(was.properties.get("Code")) if was else None
    if place is None:
        return ""
    with suppressing_all():
        name = _physical_id(target, found, path)
        if not name:
            return ""
        runs = target.account.client("lambda").get_function(FunctionName=name)
        owner = target.config.account
        answer = target.account.client("s3").get_object(Bucket=place[0], Key=place[1], ExpectedBucketOwner=owner)
        delivered = bytes(answer["Body"].read())
        digest = base64.b64encode(hashlib.sha256(delivered).digest()).decode()
        if runs["Configuration"]["CodeSha256"] == digest or _same_entries(delivered, runs["Code"].get("Location")):
            return ""
        return name
    return ""


def _same_entries(delivered: bytes, address: str | None) -> bool:
    """Whether what runs has the entries of `delivered`: the Amplify CLI packs the same files into other bytes, under
    the same key."""
    if not address:
        return False
    runs = b""
    with suppressing_all():
        runs = URLLib3Session().send(AWSRequest("GET", address).prepare()).content
    try:
        return entries_digest(runs) == entries_digest(delivered)
    except ArchiveError:
        return False


def _physical_id(target: Wanted, found: Deployed, path: Path) -> str:
    """Empty where the stack does not hold the resource: a condition of its template may be one that only AWS can tell,
    and what AWS could not make has no id."""
    pages = target.account.client("cloudformation").get_paginator("list_stack_resources")
    held = (item for page in pages.paginate(StackName=found.ids[path[:-1]]) for item in page["StackResourceSummaries"])
    return next(
        (str(item.get("PhysicalResourceId") or "") for item in held if item["LogicalResourceId"] == path[-1]), ""
    )


def _told(edited: Mapping[str, str], target: Wanted) -> Iterator[str]:
    if not edited:
        return
    named = ", ".join(sorted(edited)[:_NAMED]) + (", ..." if len(edited) > _NAMED else "")
    name, options = edited[min(edited)], cli_options(target.config.region, target.config.profile)
    yield (
        f"other code runs than was delivered ({len(edited)}: {named}): somebody has put it there by itself (in the "
        "console, say), and this deployment takes it away. What of it should stay belongs in the Amplify project; "
        f"`aws lambda get-function --function-name {name} --query Code.Location --output text {options}` gives the "
        "address from which it can be saved"
    )


def _written(changed: Sequence[ChangeResource], was: Stacks, wanted: Stacks) -> Iterator[Path]:
    """The paths of the user pools that are there, if `changed` writes one."""
    here = wanted.resolved.resources
    if any(
        (step.type == POOL and not _OF_THE_STACK.issuperset(step.properties))
        or (step.path in here and "lambdaConfig" in here[step.path].properties)
        for step in changed
    ):
        yield from (path for path, item in was.resolved.resources.items() if item.type == POOL)


def _triggers(target: Wanted, found: Deployed, path: Path, wanted: Stacks) -> Iterator[str]:
    """Of triggers of the pool at `path` that neither what is deployed nor what is wanted has."""
    known = {name for stacks in (found.stacks, wanted) if stacks for name in declared(stacks)}
    runs: Mapping[str, Any] = {}
    with suppressing_all():
        pool_id = _physical_id(target, found, path)
        if not pool_id:
            return
        told = target.account.client("cognito-idp").describe_user_pool(UserPoolId=pool_id)
        runs = told["UserPool"].get("LambdaConfig") or {}
    others = {
        name: value
        for name, value in sorted(runs.items())
        if value and name != _NO_TRIGGER and _OF_TRIGGERS.get(name, name) not in known
    }
    if others:
        place = "/".join(path)
        named = ", ".join(f"{name}: {v if isinstance(v, str) else v.get('LambdaArn')}" for name, v in others.items())
        yield (
            f"{place} runs with triggers that no template has ({named}): somebody has set them by hand, and "
            "the pool is written without them now. What should stay belongs in the Amplify project (`amplify "
            "update auth`); else it has to be put there again"
        )


def declared(stacks: Stacks) -> frozenset[str]:
    """The triggers that templates set, on pools themselves or by Amplify's custom resource. Pure."""
    found: set[str] = set()
    for item in stacks.resolved.resources.values():
        own = item.properties.get("LambdaConfig") if item.type == POOL else None
        if isinstance(own, Mapping):
            found |= {_OF_TRIGGERS.get(name, str(name)) for name in own}
        given = parsed(item.properties.get("lambdaConfig"))
        for trigger in given if isinstance(given, list) else ():
            if isinstance(trigger, Mapping):
                found.add(str(trigger.get("triggerType")))
    return frozenset(found)
