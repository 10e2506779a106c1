"""What the templates of an assembly hold, as far as a deployment has to know it beforehand."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from amplify_delivery.export import Assembly, StackName
from amplify_delivery.export.assembly import BucketFile

_STATEFUL = re.compile(
    rb"AWS::DynamoDB::(?:Global)?Table|Custom::AmplifyDynamoDBTable|AWS::Cognito::UserPool\b|AWS::S3::Bucket\b"
    rb"|AWS::Kinesis::Stream|AWS::RDS::DB|AWS::OpenSearchService::Domain|AWS::Elasticsearch::Domain"
    rb"|AWS::Location::(?:Tracker|GeofenceCollection)|AWS::Pinpoint::App\b|AWS::Lex::Bot|AWS::EFS::FileSystem"
)
_TRANSFORM = re.compile(rb"(?:^|[{,\s\"'!]|Fn::)Transform[\"']?\s*[:\s]", re.MULTILINE)


@dataclass(frozen=True)
class Contents:
    """`stateful`: a nested stack holds data that a delete would lose. The root's deployment bucket does not count: it
    holds nothing. `transforms`: a template uses a macro, which CloudFormation wants confirmed."""

    stateful: bool
    transforms: bool


def contents(assembly: Assembly) -> Contents:
    """Look through all templates of `assembly`.

    Text is searched, not parsed: ninety templates take milliseconds, and a false alarm (a type that stands in a
    description only) costs nothing.
    """
    stateful = transforms = False
    for item in assembly.objects:
        if item.kind == "template" and not (stateful and transforms):
            body = assembly.read(item.key)
            stateful = stateful or bool(_STATEFUL.search(body))
            transforms = transforms or bool(_TRANSFORM.search(body))
    return Contents(stateful, transforms or "Transform" in assembly.root_template)


def pages(assembly: Assembly, stack_name: str) -> Mapping[str, tuple[BucketFile, ...]]:
    """Cognito's verification pages, by the bucket that the root stack `stack_name` makes for them."""
    parsed = StackName.parse(stack_name)
    environment = parsed.environment if parsed else ""
    found: dict[str, tuple[BucketFile, ...]] = {}
    for file in assembly.bucket_files:
        bucket = f"{file.bucket}-{environment}"
        found[bucket] = (*found.get(bucket, ()), file)
    return found
