"""AppSync reads schema, resolver templates and code from S3, and checks resolvers against the schema.

MiniStack ignores S3 locations: a missing file is not noticed, the API has no schema, and neither a broken schema nor
a resolver for a field that does not exist fails.
AWS: CloudFormation template reference, AWS::AppSync::GraphQLSchema `DefinitionS3Location`, AWS::AppSync::Resolver and
AWS::AppSync::FunctionConfiguration `RequestMappingTemplateS3Location`, `ResponseMappingTemplateS3Location`,
`CodeS3Location`; AppSync API Reference, StartSchemaCreation, CreateResolver.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import urlparse

import graphql
from ministack.services import appsync, s3

from ._resources import Properties, before_create_or_update

_SCHEMA = "AWS::AppSync::GraphQLSchema"
_RESOLVER = "AWS::AppSync::Resolver"
_FUNCTION = "AWS::AppSync::FunctionConfiguration"
_SUFFIX = "S3Location"


def apply() -> None:
    """Read the files, then check."""
    before_create_or_update({_SCHEMA}, _read_schema)
    before_create_or_update({_RESOLVER}, _read_resolver)
    before_create_or_update({_FUNCTION}, _read_files)


def _read_schema(new: Properties, old: Properties | None) -> Properties:
    properties = _read_files(new, old)
    try:
        _fields(properties.get("Definition", ""))
    except graphql.GraphQLSyntaxError as error:
        raise ValueError(
            "Schema Creation Status is FAILED with details: Failed to parse schema document - ensure it's a valid "
            f"SDL-formatted document. ({error.message})"
        ) from error
    return properties


def _read_resolver(new: Properties, old: Properties | None) -> Properties:
    properties = _read_files(new, old)
    definition = (appsync._schemas.get(properties.get("ApiId", "")) or {}).get("definition")
    type_name, field = properties.get("TypeName", ""), properties.get("FieldName", "")
    if definition and field not in _fields(definition).get(type_name, ()):
        raise ValueError(f"No field named {field} found on type {type_name} (Service: AWSAppSync; Status Code: 404)")
    return properties


def _read_files(new: Properties, _old: Properties | None) -> Properties:
    """The properties with every S3 location replaced by what stands there."""
    read = {}
    for name, value in new.items():
        if name.endswith(_SUFFIX):
            read[name.removesuffix(_SUFFIX)] = _content(name, str(value))
        else:
            read[name] = value
    return read


def _content(name: str, location: str) -> str:
    url = urlparse(location)
    if url.scheme != "s3":
        raise ValueError(f"{name}: {location} is not of the form s3://bucket/key")
    data = s3._get_object_data(url.netloc, url.path.removeprefix("/"))
    if data is None:
        raise ValueError(f"S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist. ({location})")
    return bytes(data).decode("utf-8")


@lru_cache(maxsize=64)
def _fields(definition: str) -> dict[str, frozenset[str]]:
    """The fields of each object type of a schema, extensions included."""
    kinds = (graphql.ObjectTypeDefinitionNode, graphql.ObjectTypeExtensionNode)
    found: dict[str, frozenset[str]] = {}
    for node in graphql.parse(definition, no_location=True).definitions:
        if isinstance(node, kinds):
            names = frozenset(field.name.value for field in node.fields or ())
            found[node.name.value] = found.get(node.name.value, frozenset()) | names
    return found


def probe(aws: Any) -> bool:
    """A schema that is not in S3 fails its stack."""
    return (
        aws.stack(
            {
                "Api": {
                    "Type": "AWS::AppSync::GraphQLApi",
                    "Properties": {"Name": "probe", "AuthenticationType": "API_KEY"},
                },
                "Schema": {
                    "Type": _SCHEMA,
                    "Properties": {
                        "ApiId": {"Fn::GetAtt": ["Api", "ApiId"]},
                        "DefinitionS3Location": f"s3://{aws.bucket()}/no-such-key",
                    },
                },
            }
        )
        == "ROLLBACK_COMPLETE"
    )
