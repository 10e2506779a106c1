"""Checks of what becomes of the tree of stacks with an environment's values: conditions, mappings, outputs, names.

CloudFormation resolves these too, some of them in the middle of a deployment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.export.templates.resolve import Missing
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.tree import Tree
from amplify_delivery.publishing.examination.wiring import OUTPUTS

MAPPING = Rule(
    "AD730",
    "refused",
    "A mapping without this environment's key.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-findinmap.html",
    "`Unable to get mapping for X::Y::Z`",
    remedy="add the environment to the template's Mappings in the Amplify project, and export again",
)

FOREIGN_LAYER = Rule(
    "AD731",
    "refused",
    "A function's layer of another region.",
    "https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html",
    "Lambda: not authorized to perform lambda:GetLayerVersion",
    remedy="write the ARN with ${AWS::Region}, or make it a parameter that each environment sets",
)

ABSENT = Rule(
    "AD732",
    "refused",
    "A reference to a resource whose condition does not hold.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/conditions-section-structure.html",
    "`Unresolved resource dependencies [X] in the Resources block of the template`",
    remedy="refer to it under the same condition (`Fn::If`), and export again",
)

NAME = Rule(
    "AD733",
    "refused",
    "A name that is too long here, or has the wrong characters: of a resource, or of what a stack exports.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html",
    "the service refuses the name",
    remedy="shorten the resource's name or the environment's, or set the parameter that the name is made from",
)

FOREIGN_ZONE = Rule(
    "AD734",
    "refused",
    "An availability zone of another region.",
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html",
    "EC2: `Value (us-east-1a) for parameter availabilityZone is invalid`",
    remedy='have the template take the zones of its region (`Fn::Select: [0, {Fn::GetAZs: ""}]`), and export again',
)

CERTIFICATE = Rule(
    "AD717",
    "refused",
    "A certificate of another region than us-east-1 for CloudFront, for a user pool's own domain, or for an API's "
    "domain at the edge.",
    "https://docs.aws.amazon.com/acm/latest/userguide/acm-regions.html",
    "`The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid`",
    remedy="request the certificate in us-east-1 (AWS Certificate Manager), and give its ARN",
)


def missing_values(tree: Tree) -> Iterator[Finding]:
    """AD703: an output that its nested stack has under a condition only, which does not hold in this environment.
    AD730: a mapping without the key that this environment asks for. AD732: a reference to a resource whose condition
    does not hold."""
    for missing in tree.resolved.missing:
        yield _told(missing, tree.file(missing.stack))


def _told(missing: Missing, file: str) -> Finding:
    if missing.kind == "mapping":
        return MAPPING.at(
            file,
            f"{missing.place}: {missing.what} (Fn::FindInMap)",
            "add this environment to the template's Mappings in the Amplify project, and export again",
        )
    if missing.kind == "output":
        output, _, nested = missing.what.partition(" of ")
        return OUTPUTS.at(
            file,
            f"{missing.place} reads output {output} of {nested}, which is there under a condition only, and that does "
            "not hold in this environment",
            "give the output in every environment (with `Fn::If` in its value), or read it under the same condition",
        )
    return ABSENT.at(
        file,
        f"{missing.place} refers to {missing.what}, which is not made in this environment: its condition does not hold",
        "refer to it under the same condition (`Fn::If`), and export again",
    )


_LAYER = re.compile(r"arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+")


def foreign_layers(tree: Tree) -> Iterator[Finding]:
    """AD731: a function with a layer of another region, which Lambda refuses."""
    for path, resource in tree.resolved.resources.items():
        if resource.type not in ("AWS::Lambda::Function", "AWS::Serverless::Function"):
            continue
        layers = resource.properties.get("Layers")
        for layer in layers if isinstance(layers, list) else []:
            match = _LAYER.fullmatch(layer) if isinstance(layer, str) else None
            if match and match["region"] != tree.region:
                yield FOREIGN_LAYER.at(
                    tree.file(path[:-1]),
                    f"{path[-1]} has the layer {layer}: a function takes layers of its own region only, {tree.region}",
                    "write the ARN with ${AWS::Region}, or make it a parameter that each environment sets; "
                    "another region may have another version",
                )


_ZONE = re.compile(r"(?P<region>[a-z]{2}(?:-[a-z]{2,9}){1,3}-\d)(?:-[a-z]{3}-\d)?[a-z]")
"""A zone's name, as in us-east-1a; a local zone has its place behind the region's (us-west-2-lax-1a)."""
_ZONES = frozenset({"AvailabilityZone", "AvailabilityZones"})


def foreign_zones(tree: Tree) -> Iterator[Finding]:
    """AD734: an availability zone of another region, which EC2 refuses. The network of Amplify's container APIs names
    the zones of the region in which it was pushed."""
    for path, resource in tree.resolved.resources.items():
        for zone in sorted(set(_zones(resource.properties))):
            match = _ZONE.fullmatch(zone)
            if match and match["region"] != tree.region:
                yield FOREIGN_ZONE.at(
                    tree.file(path[:-1]),
                    f"{path[-1]} is to lie in the availability zone {zone}, which is not in {tree.region}",
                    f"deliver this environment to {match['region']}; or have the template take the zones of its region "
                    '(`Fn::Select: [0, {Fn::GetAZs: ""}]`), and export again',
                )


def _zones(value: Any, of_zones: bool = False) -> Iterator[str]:
    """The texts in properties that hold zones, at any depth."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _zones(item, key in _ZONES)
    elif isinstance(value, list):
        for item in value:
            yield from _zones(item, of_zones)
    elif isinstance(value, str) and of_zones:
        yield value


_OF_EDGE: Mapping[str, tuple[str, ...]] = {
    "AWS::ApiGateway::DomainName": ("CertificateArn",),
    "AWS::CloudFront::Distribution": ("DistributionConfig", "ViewerCertificate", "AcmCertificateArn"),
    "AWS::Cognito::UserPoolDomain": ("CustomDomainConfig", "CertificateArn"),
}
"""Properties with a certificate of what CloudFront serves, which takes it from one region."""
_CERTIFICATE = re.compile(r"arn:aws:acm:(?P<region>[a-z0-9-]+):")


def certificates_elsewhere(tree: Tree) -> Iterator[Finding]:
    """AD717: CloudFront and Cognito look in us-east-1 only, wherever the stack is."""
    for path, resource in tree.resolved.resources.items():
        place = _OF_EDGE.get(resource.type, ())
        value: Any = resource.properties
        for name in place:
            value = value.get(name) if isinstance(value, Mapping) else None
        match = _CERTIFICATE.match(next(iter(_known_parts(value)), "")) if place else None
        if match and match["region"] != "us-east-1":
            told = f"{path[-1]}.{'.'.join(place)} is a certificate of {match['region']}"
            yield CERTIFICATE.at(tree.file(path[:-1]), told, CERTIFICATE.remedy)


@dataclass(frozen=True)
class _Name:
    """How a service wants a name: the property that holds it, its longest length, its characters."""

    property: str
    longest: int
    characters: str
    said: str
    never: str = ""
    """What must not be in it, as a pattern of the known text, and what that is."""
    never_said: str = ""
    begins: str = ""
    """What it must not begin with, as a pattern."""


_WORD = "letters, digits, - and _"
_DNS = "lower-case letters, digits and -"
_LABEL = r"[a-z0-9-]*"
_RESERVED = r"aws|amazon|cognito"
"""Words that no domain of a user pool may have (Cognito Developer Guide, "Using your own domain")."""
_RESERVED_SAID = "must not hold the words aws, amazon or cognito"
NAMES: Mapping[str, _Name] = {
    "AWS::Cognito::UserPoolDomain": _Name("Domain", 63, _LABEL, _DNS, _RESERVED, _RESERVED_SAID),
    "AWS::DynamoDB::Table": _Name("TableName", 255, r"[A-Za-z0-9_.-]*", f". and {_WORD}"),
    "AWS::Events::Rule": _Name("Name", 64, r"[A-Za-z0-9_.-]*", f". and {_WORD}"),
    "AWS::IAM::Role": _Name("RoleName", 64, r"[\w+=,.@-]*", "letters, digits and +=,.@-_"),
    "AWS::Lambda::Function": _Name("FunctionName", 64, r"[A-Za-z0-9_-]*", _WORD),
    "AWS::S3::Bucket": _Name("BucketName", 63, r"[a-z0-9.-]*", f". and {_DNS}"),
    "AWS::SNS::Topic": _Name("TopicName", 256, r"[A-Za-z0-9_.-]*", _WORD),
    "AWS::SQS::Queue": _Name("QueueName", 80, r"[A-Za-z0-9_.-]*", _WORD),
    # Amplify's own resource, whose function makes the domain of the hosted UI.
    "Custom::LambdaCallout": _Name("hostedUIDomainName", 63, _LABEL, _DNS, _RESERVED, _RESERVED_SAID),
}
"""Names that Amplify makes with the environment's (API references of the services, CreateBucket and so on)."""
_OF_APIS: Mapping[str, _Name] = {
    "AWS::ApiGateway::Model": _Name("Name", 255, r"[A-Za-z0-9]*", "letters and digits"),
    "AWS::ApiGateway::Stage": _Name("StageName", 128, r"[A-Za-z0-9_-]*", _WORD),
    "AWS::SSM::Parameter": _Name(
        "Name", 1011, r"[A-Za-z0-9_./-]*", f"/, . and {_WORD}", begins=r"(?i:aws|ssm|/(?:aws|ssm)(?:/|\Z))"
    ),
}
"""Names that are one of a kind in an API only (API Gateway, CreateModel and CreateStage), or of which that is not asked
beforehand (Systems Manager, PutParameter)."""


def impossible_names(tree: Tree) -> Iterator[Finding]:
    """AD733: a name that is too long in this environment, or has characters that its service refuses."""
    for path, resource in tree.resolved.resources.items():
        rule = NAMES.get(resource.type) or _OF_APIS.get(resource.type)
        if rule is None or "CustomDomainConfig" in resource.properties:
            continue
        given = _with_stack_name(resource.properties.get(rule.property), tree.stack)
        name = _known_part(given)
        problem = ""
        if len(name) > rule.longest:
            problem = f"has {len(name)} characters, {rule.longest} are allowed"
        elif not re.fullmatch(rule.characters, name, re.ASCII):
            problem = f"may hold {rule.said} only"
        elif rule.never and any(re.search(rule.never, part) for part in _known_parts(given)):
            problem = rule.never_said
        elif rule.begins and re.match(rule.begins, _beginning(given)):
            problem = "must not begin with aws or ssm, which are AWS's own"
        elif rule.characters == _LABEL and given == name != name.strip("-"):
            problem = "must not begin or end with a hyphen"
        elif given == name and not name.endswith(".fifo") and _is_fifo(resource.properties):
            problem = "must end in .fifo, for first-in-first-out"
        if problem:
            yield NAME.at(
                tree.file(path[:-1]),
                f"{path[-1]}.{rule.property} {name!r} {problem}",
                "shorten the resource's name in the Amplify project or the environment's, or set the parameter that "
                "the name is made from in the stack file",
            )
    yield from _exports(tree)


def _exports(tree: Tree) -> Iterator[Finding]:
    """Names of what stacks export ("Outputs", CloudFormation user guide; "Export", API reference)."""
    for (stack, output), given in tree.resolved.exports.items():
        name = _known_part(given)
        problem = ""
        if len(name) > _EXPORT_LONGEST:
            problem = f"has {len(name)} characters, {_EXPORT_LONGEST} are allowed"
        elif not re.fullmatch(r"[A-Za-z0-9:-]*", name):
            problem = "may hold letters, digits, : and - only"
        if problem:
            told = f"output {output}: its export's name {name!r} {problem}"
            yield NAME.at(tree.file(stack), told, "give the export another name (`amplify override`), and export again")


_EXPORT_LONGEST = 255


def _is_fifo(properties: Mapping[str, Any]) -> bool:
    return any(str(properties.get(name, "")).lower() == "true" for name in ("FifoQueue", "FifoTopic"))


def _with_stack_name(name: Any, stack: str) -> Any:
    """A name with what it takes of its nested stack's name, which begins with the root's: `Fn::Select` of its parts."""
    parts = name.get("Fn::Join") if isinstance(name, Mapping) and stack else None
    if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[1], list):
        return name
    known = stack.split("-")
    return {"Fn::Join": [parts[0], [_selected(part, known) for part in parts[1]]]}


def _selected(part: Any, known: list[str]) -> Any:
    select = part.get("Fn::Select") if isinstance(part, Mapping) else None
    if not isinstance(select, list) or len(select) != 2 or not str(select[0]).isdecimal():
        return part
    split = select[1].get("Fn::Split") if isinstance(select[1], Mapping) else None
    if not isinstance(split, list) or len(split) != 2 or split[0] != "-" or not isinstance(split[1], Mapping):
        return part
    of_name = split[1].get("Ref") == "AWS::StackName" and int(select[0]) < len(known)
    return known[int(select[0])] if of_name else part


def _known_part(name: Any) -> str:
    """What is known of a name: all of it, or its literal parts."""
    return "".join(_known_parts(name))


def _beginning(name: Any) -> str:
    """What a name is known to begin with."""
    parts = _known_parts(name)
    joined = name["Fn::Join"][1] if isinstance(name, Mapping) and parts else [name]
    return joined[0] if joined and isinstance(joined[0], str) and parts else ""


def _known_parts(name: Any) -> list[str]:
    """The literal parts of a name; between two of them stands what only CloudFormation knows."""
    if isinstance(name, str):
        return [name] if not name.startswith("{{resolve:") else []
    parts = name.get("Fn::Join") if isinstance(name, Mapping) else None
    if isinstance(parts, list) and len(parts) == 2 and parts[0] == "" and isinstance(parts[1], list):
        return [part for part in parts[1] if isinstance(part, str)]
    return []
