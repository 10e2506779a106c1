"""What the templates of an assembly hold, as far as a deployment has to know it beforehand."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from amplify_delivery.changes.stateful import CALLOUT_PROPERTIES, CLOUDFORMATION_TYPES
from amplify_delivery.export import Assembly, StackName
from amplify_delivery.export.assembly import BucketFile

_PASSES = frozenset(
    {"AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::Logs::LogGroup", "AWS::Logs::LogStream", "AWS::SQS::Queue"}
)
"""What a destroy asks for too, and nobody would have protected for its own sake, or no backend of functions could be
taken down by a plain `pulumi destroy`: logs, messages on their way, and keys, which KMS keeps for a week at least and
whose data is somewhere else."""
_AWS = "AWS::"
_DATA = sorted(CLOUDFORMATION_TYPES.keys() - _PASSES)
_STATEFUL = re.compile(
    rf"{_AWS}(?:{'|'.join(kind.removeprefix(_AWS) for kind in _DATA if kind.startswith(_AWS))})(?![\w:])".encode()
)
"""A type, and no longer one: `AWS::EC2::Volume::Id` is a parameter's."""
_OF_AMPLIFY = tuple(kind.encode() for kind in _DATA if not kind.startswith(_AWS))
_CUSTOM = re.compile(rb"Custom::|AWS::CloudFormation::CustomResource")
_CALLOUTS = tuple(tuple(name.encode() for name in properties) for properties in CALLOUT_PROPERTIES)
_TRANSFORM = re.compile(rb"(?:^|[{,\s\"'!]|Fn::)Transform[\"']?\s*[:\s]", re.MULTILINE)


@dataclass(frozen=True)
class Contents:
    """`stateful`: a nested stack holds data that no plain destroy may take. The root's deployment bucket does
    not count: it holds nothing. `transforms`: a template uses a macro, which CloudFormation wants confirmed."""

    stateful: bool
    transforms: bool


def contents(assembly: Assembly) -> Contents:
    """Look through all templates of `assembly`.

    Text is searched, not parsed: ninety templates take milliseconds, and a false alarm (a type that stands in a
    description only) protects what holds nothing, and costs no more.
    """
    stateful = transforms = False
    for item in assembly.objects:
        if item.kind == "template" and not (stateful and transforms):
            body = assembly.read(item.key)
            stateful = stateful or _holds_data(body)
            transforms = transforms or bool(_TRANSFORM.search(body))
    return Contents(stateful, transforms or "Transform" in assembly.root_template)


def _holds_data(body: bytes) -> bool:
    if _STATEFUL.search(body) or any(kind in body for kind in _OF_AMPLIFY):
        return True
    made_by_functions = any(all(name in body for name in properties) for properties in _CALLOUTS)
    return made_by_functions and bool(_CUSTOM.search(body))


def pages(assembly: Assembly, stack_name: str) -> Mapping[str, tuple[BucketFile, ...]]:
    """Cognito's verification pages, by the bucket that the root stack `stack_name` makes for them."""
    parsed = StackName.parse(stack_name)
    environment = parsed.environment if parsed else ""
    found: dict[str, tuple[BucketFile, ...]] = {}
    for file in assembly.bucket_files:
        bucket = f"{file.bucket}-{environment}"
        found[bucket] = (*found.get(bucket, ()), file)
    return found
