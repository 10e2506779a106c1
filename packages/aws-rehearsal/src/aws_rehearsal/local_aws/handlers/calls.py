"""Every call that is made for a resource on its way from what it is to what it should be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .locations import objects
from .names import function_arn, resources_of
from .optional import is_made
from .passed_roles import passed_roles
from .subject import Subject
from .table import handlers

Operation = Literal["create", "update", "delete"]
Context = Mapping[str, str | list[str]]

_CUSTOM = ("Custom::", "AWS::CloudFormation::CustomResource")
_NO_CALLS = ("AWS::CDK::Metadata", "AWS::CloudFormation::WaitCondition", "AWS::CloudFormation::WaitConditionHandle")
_BOUNDARY = "iam:PermissionsBoundary"


@dataclass(frozen=True)
class Call:
    """One call: what IAM is asked."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)


def calls(operation: Operation, subject: Subject, old: Mapping[str, Any] | None = None) -> Iterator[Call]:
    """What is asked before a resource is made, changed or deleted.

    `subject` has the properties it should have, on a delete those it has; `old` are those before an update.
    What a create or an update reads afterwards is part of it.
    """
    kind, properties = subject.resource_type, subject.properties
    if kind in _NO_CALLS:
        return
    if kind.startswith(_CUSTOM):
        yield from _custom(subject)
        return
    if operation != "delete":
        yield from (Call("s3:GetObject", arn) for arn in objects(kind, properties))
        for role, service in passed_roles(kind, properties):
            yield Call("iam:PassRole", role, {"iam:PassedToService": service})
    entry = handlers(kind)
    if entry is None:
        # Nobody has published what its handler calls: then it may be anything of its service.
        yield Call(f"{kind.split('::')[1].lower()}:*", "*")
        return
    new, before = ({}, properties) if operation == "delete" else (properties, old or {})
    tags = _tags(entry, new)
    if operation == "create" and entry.get("tags"):
        tags = {**subject.stack_tags, **tags}
    for action in _in_order(operation, entry):
        if not is_made(action, kind, new, before) or not _tagging(action, operation, tags, _tags(entry, before)):
            continue
        context = _context(action, operation, subject, tags, _tags(entry, before))
        yield from (Call(action, arn, context) for arn in resources_of(action, _about(action, subject, before)))


def reads(subject: Subject) -> Iterator[Call]:
    """What is asked before a resource is read as it is."""
    entry = handlers(subject.resource_type)
    for action in entry["read"] if entry else ():
        if is_made(action, subject.resource_type, subject.properties, subject.properties):
            yield from (Call(action, arn) for arn in resources_of(action, subject))


def _custom(subject: Subject) -> Iterator[Call]:
    token = subject.text("ServiceToken")
    if ":sns:" in token:
        yield Call("sns:Publish", token)
    elif token:
        yield Call("lambda:InvokeFunction", function_arn(subject, token))


def _in_order(operation: Operation, entry: Mapping[str, Any]) -> list[str]:
    """The handler's own calls, those that change something first, then those of reading back."""
    own = list(entry[operation]) or (list(entry["create"]) if operation == "update" else [])
    read = [] if operation == "delete" else list(entry["read"])
    return list(dict.fromkeys(sorted(own, key=_reads) + read))


def _reads(action: str) -> bool:
    return action.partition(":")[2].startswith(("BatchGet", "Describe", "Get", "List", "GET"))


def _about(action: str, subject: Subject, before: Mapping[str, Any]) -> Subject:
    """Of an update, what is detached or deleted is in the old properties alone."""
    if before and action.partition(":")[2].startswith(("Detach", "DeleteRolePolicy")):
        removed = [r for r in before.get("Roles") or () if r not in (subject.properties.get("Roles") or ())]
        return replace(subject, properties={**before, "Roles": removed} if removed else before)
    return subject


def _tags(entry: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, str]:
    """A resource's tags without those that CloudFormation adds itself."""
    found = properties.get(entry.get("tags") or "Tags")
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(found, Mapping):
        pairs = found.items()
    elif isinstance(found, list):
        pairs = ((t.get("Key"), t.get("Value")) for t in found if isinstance(t, Mapping))
    return {str(key): str(value) for key, value in pairs if not str(key).startswith("aws:")}


_TAG_WORDS = ("Tag", "AddTags")
_UNTAG_WORDS = ("Untag", "RemoveTags", "UnTag")


def _tagging(action: str, operation: Operation, new: Mapping[str, str], old: Mapping[str, str]) -> bool:
    """Whether a call about tags is made: only when there are some to set or take away."""
    verb = action.partition(":")[2]
    if verb.startswith(_UNTAG_WORDS):
        return operation == "update" and bool(old.keys() - new.keys())
    if verb.startswith(_TAG_WORDS) or verb in ("PutBucketTagging",):
        return operation != "delete" and any(old.get(key) != value for key, value in new.items())
    return True


def _context(
    action: str, operation: Operation, subject: Subject, new: Mapping[str, str], old: Mapping[str, str]
) -> dict[str, str | list[str]]:
    verb = action.partition(":")[2]
    found: dict[str, str | list[str]] = {}
    if verb.startswith(_UNTAG_WORDS):
        found["aws:TagKeys"] = sorted(old.keys() - new.keys())
    elif new and (verb.startswith(_TAG_WORDS) or (operation == "create" and not _reads(action))):
        found |= {f"aws:RequestTag/{key}": value for key, value in new.items()}
        found["aws:TagKeys"] = sorted(new)
    if subject.resource_type == "AWS::IAM::Role" and subject.properties.get("PermissionsBoundary"):
        found[_BOUNDARY] = subject.text("PermissionsBoundary")
    if action == "lambda:AddPermission":
        found["lambda:Principal"] = subject.text("Principal")
    if subject.resource_type == "AWS::CloudFormation::Stack" and subject.text("TemplateURL"):
        found["cloudformation:TemplateUrl"] = subject.text("TemplateURL")
    return found
