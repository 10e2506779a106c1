"""What a backend has, by kind: the shapes that `AmplifyBackend`'s accessors give."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class GraphqlApi:
    """An AppSync API. `api_key` is None when the API has none, or gives it under a condition only (as
    APIs of transformer 1 do: `client-config` reads that). It is no secret: every front end carries it."""

    api_id: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    api_key: pulumi.Output[str] | None


@dataclass(frozen=True)
class UserPool:
    """A Cognito user pool. `client_ids` is by the client's logical id; Amplify makes `UserPoolClientWeb`, which has no
    client secret, and `UserPoolClient`, which may have one."""

    id: pulumi.Output[str]
    arn: pulumi.Output[str]
    client_ids: Mapping[str, pulumi.Output[str]]


@dataclass(frozen=True)
class IdentityPool:
    """A Cognito identity pool; `id` is `REGION:UUID`."""

    id: pulumi.Output[str]


@dataclass(frozen=True)
class Function:
    """A Lambda function; `role_arn` is its execution role."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    role_arn: pulumi.Output[str]


@dataclass(frozen=True)
class RestApi:
    """An API Gateway REST API; `url` ends with its stage."""

    api_id: pulumi.Output[str]
    url: pulumi.Output[str]


@dataclass(frozen=True)
class Bucket:
    """The bucket of Amplify's storage category; `name` ends with the environment's."""

    name: pulumi.Output[str]


@dataclass(frozen=True)
class Table:
    """A DynamoDB table of Amplify's storage category. Tables of models belong to the API and have no outputs."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]


@dataclass(frozen=True)
class Nested:
    """A nested stack: its outputs by name."""

    logical_id: str
    outputs: Mapping[str, pulumi.Output[str]]
