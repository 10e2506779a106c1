"""What people do in the console of a running backend: edits of resources, each told by its place and property.

An edit looks for the first resource of its type that has the property, through all nested stacks, and changes it with
the service's own API; it does nothing, and says so, where the backend has none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.changes.stacks import Stacks
from aws_rehearsal_tests.local_account import LocalAccount

Edited = tuple[str, str]
"""A resource's place, and the property that differs then; none for a resource that was deleted."""
STACK = "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Resource:
    """A deployed resource: its place, its physical id, its template's properties, resolved as far as possible."""

    place: str
    id: str
    properties: Mapping[str, Any]


class Console:
    """Somebody who is signed in to the account."""

    def __init__(self, account: LocalAccount, root: str, deployed: Stacks) -> None:
        self.account, self.root, self.deployed = account, root, deployed
        self._ids = dict(self._walk(root, ()))

    def client(self, service: str) -> Any:
        return self.account.client(service)

    def _walk(self, stack: str, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        for r in (resource for page in pages for resource in page["StackResourceSummaries"]):
            place = (*path, r["LogicalResourceId"])
            yield place, r["PhysicalResourceId"]
            if r["ResourceType"] == STACK:
                yield from self._walk(r["PhysicalResourceId"], place)

    def id_of(self, reference: Any) -> str:
        """The physical id behind a reference of the resolved templates."""
        return self._ids[tuple(reference["Ref"])] if isinstance(reference, Mapping) else str(reference)

    def first(self, kind: str, *properties: str) -> Resource | None:
        """The first resource of that type whose template sets these properties."""
        return next(self.all(kind, *properties), None)

    def all(self, kind: str, *properties: str) -> Iterator[Resource]:
        for path, resource in sorted(self.deployed.resolved.resources.items()):
            if resource.type == kind and all(name in resource.properties for name in properties):
                yield Resource("/".join(path), self._ids[path], resource.properties)


def _timeout(console: Console) -> Edited | None:
    function = console.first("AWS::Lambda::Function", "Timeout")
    if function is None:
        return None
    console.client("lambda").update_function_configuration(FunctionName=function.id, Timeout=61)
    return function.place, "/Timeout"


def _variable(console: Console) -> Edited | None:
    function = next((f for f in console.all("AWS::Lambda::Function", "Environment")), None)
    if function is None:
        return None
    client = console.client("lambda")
    have = client.get_function_configuration(FunctionName=function.id)["Environment"]["Variables"]
    changed = {**have, sorted(have)[0]: "changed in the console"}
    client.update_function_configuration(FunctionName=function.id, Environment={"Variables": changed})
    return function.place, f"/Environment/Variables/{sorted(have)[0]}"


def _deleted_function(console: Console) -> Edited | None:
    *_, function = console.all("AWS::Lambda::Function")
    console.client("lambda").delete_function(FunctionName=function.id)
    return function.place, ""


def _recovery(console: Console) -> Edited | None:
    table = console.first("AWS::DynamoDB::Table", "PointInTimeRecoverySpecification")
    if table is None:
        return None
    client = console.client("dynamodb")
    there = client.describe_continuous_backups(TableName=table.id)["ContinuousBackupsDescription"]
    on = there["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    client.update_continuous_backups(
        TableName=table.id, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": not on}
    )
    return table.place, "/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled"


def _billing(console: Console) -> Edited | None:
    *_, table = [None, *console.all("AWS::DynamoDB::Table", "BillingMode")]
    if table is None:
        return None
    units = {"ReadCapacityUnits": 7, "WriteCapacityUnits": 7}
    client = console.client("dynamodb")
    indexes = client.describe_table(TableName=table.id)["Table"].get("GlobalSecondaryIndexes", ())
    updates = [{"Update": {"IndexName": i["IndexName"], "ProvisionedThroughput": units}} for i in indexes]
    more = {"GlobalSecondaryIndexUpdates": updates} if updates else {}
    client.update_table(TableName=table.id, BillingMode="PROVISIONED", ProvisionedThroughput=units, **more)
    return table.place, "/BillingMode"


def _cors(console: Console) -> Edited | None:
    bucket = console.first("AWS::S3::Bucket", "CorsConfiguration")
    if bucket is None:
        return None
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://example.com"]}
    console.client("s3").put_bucket_cors(Bucket=bucket.id, CORSConfiguration={"CORSRules": [rule]})
    return bucket.place, "/CorsConfiguration"


def _notification(console: Console) -> Edited | None:
    bucket = console.first("AWS::S3::Bucket", "NotificationConfiguration")
    if bucket is None:
        return None
    client = console.client("s3")
    (first, *_) = client.get_bucket_notification_configuration(Bucket=bucket.id)["LambdaFunctionConfigurations"]
    left = {"LambdaFunctionConfigurations": [first]}
    client.put_bucket_notification_configuration(Bucket=bucket.id, NotificationConfiguration=left)
    return bucket.place, "/NotificationConfiguration"


def _inline_policy(console: Console) -> Edited | None:
    """One that stands in a template as a resource of its own."""
    policy = console.first("AWS::IAM::Policy", "Roles")
    if policy is None:
        return None
    iam, (role, *_) = console.client("iam"), policy.properties["Roles"]
    name = {"RoleName": console.id_of(role), "PolicyName": policy.properties["PolicyName"]}
    document = iam.get_role_policy(**name)["PolicyDocument"]
    more = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    iam.put_role_policy(**name, PolicyDocument=json.dumps({**document, "Statement": [*document["Statement"], more]}))
    return policy.place, "/PolicyDocument"


def _deleted_group(console: Console) -> Edited | None:
    group = console.first("AWS::Cognito::UserPoolGroup", "Precedence")
    if group is None:
        return None
    pool = console.id_of(group.properties["UserPoolId"])
    console.client("cognito-idp").delete_group(UserPoolId=pool, GroupName=group.id)
    return group.place, ""


def _identities_roles(console: Console) -> Edited | None:
    attached = console.first("AWS::Cognito::IdentityPoolRoleAttachment", "Roles")
    if attached is None:
        return None
    client, pool = console.client("cognito-identity"), console.id_of(attached.properties["IdentityPoolId"])
    roles = client.get_identity_pool_roles(IdentityPoolId=pool)["Roles"]
    changed = {**roles, "unauthenticated": roles["authenticated"]}
    client.set_identity_pool_roles(IdentityPoolId=pool, Roles=changed)
    return attached.place, "/Roles/unauthenticated"


def _bucket_policy(console: Console) -> Edited | None:
    policy = console.first("AWS::S3::BucketPolicy", "PolicyDocument")
    if policy is None:
        return None
    bucket = console.id_of(policy.properties["Bucket"])
    friend = {"AWS": f"arn:aws:iam::{console.account.account}:root"}
    opened = {"Effect": "Allow", "Principal": friend, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [opened]})
    console.client("s3").put_bucket_policy(Bucket=bucket, Policy=document)
    return policy.place, "/PolicyDocument"


def _password(console: Console) -> Edited | None:
    pool = console.first("AWS::Cognito::UserPool", "Policies")
    if pool is None:
        return None
    client = console.client("cognito-idp")
    have = client.describe_user_pool(UserPoolId=pool.id)["UserPool"]
    sent = {k: v for k, v in have.items() if k in _OF_UPDATE and v}
    policy = {**have["Policies"]["PasswordPolicy"], "MinimumLength": 6}
    client.update_user_pool(UserPoolId=pool.id, **{**sent, "Policies": {"PasswordPolicy": policy}})
    return pool.place, "/Policies/PasswordPolicy/MinimumLength"


_OF_UPDATE = frozenset(
    {
        *("AutoVerifiedAttributes", "EmailVerificationMessage", "EmailVerificationSubject", "LambdaConfig"),
        *("MfaConfiguration", "SmsAuthenticationMessage", "SmsConfiguration", "SmsVerificationMessage"),
        *("UserAttributeUpdateSettings", "UserPoolTags", "VerificationMessageTemplate"),
    }
)


def _client(console: Console) -> Edited | None:
    """Where a user is sent back to after signing in; without a hosted UI, how long a sign-in lasts."""
    client = console.first("AWS::Cognito::UserPoolClient", "CallbackURLs")
    change: dict[str, Any] = {"CallbackURLs": ["https://example.com/"]}
    if client is None:
        client, change = (
            console.first("AWS::Cognito::UserPoolClient", "TokenValidityUnits"),
            {"RefreshTokenValidity": 29},
        )
    if client is None:
        return None
    pool = console.id_of(client.properties["UserPoolId"])
    cognito = console.client("cognito-idp")
    have = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client.id)["UserPoolClient"]
    left_out = ("ClientSecret", "CreationDate", "LastModifiedDate", "UserPoolId", "ClientId")
    sent = {k: v for k, v in have.items() if k not in left_out and v != ""}
    # The local AWS keeps numbers as the template has them, which may be text.
    numbers = {k: int(v) for k, v in sent.items() if k.endswith("Validity")}
    cognito.update_user_pool_client(UserPoolId=pool, ClientId=client.id, **{**sent, **numbers, **change})
    return client.place, f"/{next(iter(change))}"


def _guests(console: Console) -> Edited | None:
    pool = console.first("AWS::Cognito::IdentityPool", "AllowUnauthenticatedIdentities")
    if pool is None:
        return None
    client = console.client("cognito-identity")
    have = client.describe_identity_pool(IdentityPoolId=pool.id)
    sent = {k: v for k, v in have.items() if k != "ResponseMetadata" and v != ""}
    allowed = str(have["AllowUnauthenticatedIdentities"]).lower() == "true"
    guests = {"AllowUnauthenticatedIdentities": not allowed}
    client.update_identity_pool(**{**sent, **guests})
    return pool.place, "/AllowUnauthenticatedIdentities"


def _authorisation(console: Console) -> Edited | None:
    api = console.first("AWS::AppSync::GraphQLApi", "AuthenticationType")
    if api is None:
        return None
    client = console.client("appsync")
    have = client.get_graphql_api(apiId=api.id)["graphqlApi"]
    other = "API_KEY" if have["authenticationType"] == "AWS_IAM" else "AWS_IAM"
    client.update_graphql_api(apiId=api.id, name=have["name"], authenticationType=other)
    return api.place, "/AuthenticationType"


def _resolver(console: Console) -> Edited | None:
    resolver = console.first("AWS::AppSync::Resolver", "RequestMappingTemplate")
    if resolver is None:
        return None
    api, field = resolver.id.split("/")[0], resolver.id.split("/")
    client = console.client("appsync")
    have = client.get_resolver(apiId=api, typeName=field[1], fieldName=field[2])["resolver"]
    sent = {k: have[k] for k in ("kind", "pipelineConfig", "responseMappingTemplate", "dataSourceName") if have.get(k)}
    client.update_resolver(
        apiId=api, typeName=field[1], fieldName=field[2], requestMappingTemplate="$util.unauthorized()", **sent
    )
    return resolver.place, "/RequestMappingTemplate"


def _key(console: Console) -> Edited | None:
    key = console.first("AWS::AppSync::ApiKey")
    if key is None:
        return None
    api = console.id_of(key.properties["ApiId"]["Fn::GetAtt"][0] and {"Ref": key.properties["ApiId"]["Fn::GetAtt"][0]})
    console.client("appsync").delete_api_key(apiId=api, id=key.id)
    return key.place, ""


def _role(console: Console) -> Edited | None:
    role = console.first("AWS::IAM::Role", "Policies")
    if role is None:
        return None
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    console.client("iam").put_role_policy(RoleName=role.id, PolicyName="in-the-console", PolicyDocument=document)
    return role.place, "/Policies"


def _trust(console: Console) -> Edited | None:
    """Opened for an identity pool of somebody else's."""
    (role,) = [r for r in console.all("AWS::IAM::Role") if r.place == "UnauthRole"]
    iam = console.client("iam")
    text = json.dumps(iam.get_role(RoleName=role.id)["Role"]["AssumeRolePolicyDocument"])
    document = json.loads(text)
    document["Statement"][0]["Principal"] = {"AWS": "*"}
    iam.update_assume_role_policy(RoleName=role.id, PolicyDocument=json.dumps(document))
    return role.place, "/AssumeRolePolicyDocument"


EDITS: Mapping[str, Callable[[Console], Edited | None]] = {
    "a function's timeout": _timeout,
    "a function's variable": _variable,
    "a deleted function": _deleted_function,
    "a table's recovery": _recovery,
    "a table's billing": _billing,
    "a bucket's CORS": _cors,
    "a bucket's policy": _bucket_policy,
    "a bucket's events": _notification,
    "an inline policy": _inline_policy,
    "a deleted group": _deleted_group,
    "an identity pool's roles": _identities_roles,
    "a pool's password policy": _password,
    "an app client": _client,
    "guests": _guests,
    "an API's authorisation": _authorisation,
    "a resolver": _resolver,
    "a deleted API key": _key,
    "a role's policies": _role,
    "an auth role's trust": _trust,
}
