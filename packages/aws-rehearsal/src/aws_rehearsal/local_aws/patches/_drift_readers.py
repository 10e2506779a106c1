"""What drift detection reads of each type: a physical id and the template's properties, to the properties as they are;
None for what is gone. Beside each reader the properties of its type that are compared."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree.ElementTree import fromstring

from ministack.services import appsync, cognito, dynamodb, iam, s3

Properties = Mapping[str, Any]
Reader = Callable[[str, Properties], "dict[str, Any] | None"]

_POOL_PROPERTIES = frozenset(
    {
        *("AccountRecoverySetting", "AdminCreateUserConfig", "AutoVerifiedAttributes", "DeletionProtection"),
        *("DeviceConfiguration", "EmailConfiguration", "EmailVerificationMessage", "EmailVerificationSubject"),
        *("LambdaConfig", "MfaConfiguration", "Policies", "SmsAuthenticationMessage", "SmsConfiguration"),
        *("SmsVerificationMessage", "UserAttributeUpdateSettings", "UserPoolAddOns", "UserPoolName"),
        *("UsernameAttributes", "UsernameConfiguration", "VerificationMessageTemplate"),
    }
)
_CLIENT_PROPERTIES = frozenset(
    {
        *("AccessTokenValidity", "AllowedOAuthFlows", "AllowedOAuthFlowsUserPoolClient", "AllowedOAuthScopes"),
        *("CallbackURLs", "ClientName", "DefaultRedirectURI", "EnableTokenRevocation", "ExplicitAuthFlows"),
        *("IdTokenValidity", "LogoutURLs", "PreventUserExistenceErrors", "ReadAttributes", "RefreshTokenValidity"),
        *("SupportedIdentityProviders", "TokenValidityUnits", "WriteAttributes"),
    }
)
_API_PROPERTIES = frozenset(
    {
        *("AdditionalAuthenticationProviders", "AuthenticationType", "IntrospectionConfig", "LogConfig", "Name"),
        *("OpenIDConnectConfig", "UserPoolConfig", "XrayEnabled"),
    }
)
_RESOLVER_PROPERTIES = frozenset(
    {"Code", "DataSourceName", "Kind", "PipelineConfig", "RequestMappingTemplate", "ResponseMappingTemplate", "Runtime"}
)
_SOURCE_PROPERTIES = frozenset({"Description", "DynamoDBConfig", "LambdaConfig", "ServiceRoleArn", "Type"})


def _as_in_template(value: Any) -> Any:
    """Names with a capital, as templates have them."""
    if isinstance(value, Mapping):
        return {key[:1].upper() + key[1:]: _as_in_template(item) for key, item in value.items()}
    return [_as_in_template(item) for item in value] if isinstance(value, list) else value


def _json(document: Any) -> Any:
    return json.loads(document) if isinstance(document, str) else document


def _user_pool(physical_id: str, _: Properties) -> dict[str, Any] | None:
    pool = cognito._user_pools.get(physical_id)
    return None if pool is None else copy.deepcopy({**cognito._pool_out(pool), "UserPoolName": pool.get("Name")})


def _user_pool_client(physical_id: str, properties: Properties) -> dict[str, Any] | None:
    pool = cognito._user_pools.get(str(properties.get("UserPoolId")))
    client = ((pool or {}).get("_clients") or {}).get(physical_id)
    return None if client is None else copy.deepcopy(dict(client))


def _identity_pool(physical_id: str, _: Properties) -> dict[str, Any] | None:
    pool = cognito._identity_pools.get(physical_id)
    return None if pool is None else copy.deepcopy(dict(pool))


def _graphql_api(physical_id: str, _: Properties) -> dict[str, Any] | None:
    api = appsync._apis.get(physical_id)
    return None if api is None else _as_in_template(api)


def _api_key(physical_id: str, properties: Properties) -> dict[str, Any] | None:
    key = appsync._api_keys.get(str(properties.get("ApiId")), {}).get(physical_id)
    return None if key is None else _as_in_template(key)


def _data_source(_: str, properties: Properties) -> dict[str, Any] | None:
    source = appsync._data_sources.get(str(properties.get("ApiId")), {}).get(properties.get("Name"))
    return None if source is None else _as_in_template(_renamed(source, "dynamodbConfig", "dynamoDBConfig"))


def _renamed(record: Mapping[str, Any], name: str, other: str) -> dict[str, Any]:
    return {other if key == name else key: value for key, value in record.items()}


def _resolver(_: str, properties: Properties) -> dict[str, Any] | None:
    types = appsync._resolvers.get(str(properties.get("ApiId")), {})
    resolver = types.get(properties.get("TypeName"), {}).get(properties.get("FieldName"))
    return None if resolver is None else _as_in_template(resolver)


def _bucket(physical_id: str, properties: Properties) -> dict[str, Any]:
    stored = s3._bucket_cors.get(physical_id)
    found: dict[str, Any] = {"CorsConfiguration": {"CorsRules": _cors_rules(stored)}} if stored else {}
    if "NotificationConfiguration" in properties:
        found["NotificationConfiguration"] = _notifications(physical_id, properties["NotificationConfiguration"])
    return found


_RECEIVERS = {"lambda": "Function", "sqs": "Queue", "sns": "Topic"}
_KINDS = {"lambda": "LambdaConfigurations", "sqs": "QueueConfigurations", "sns": "TopicConfigurations"}


def _notifications(bucket: str, written: Any) -> dict[str, Any]:
    """As a template has them, one event in each; in its order where they are the same, since S3 keeps none."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in s3._parse_notification_config(bucket):
        rules = [
            {"Name": name, "Value": one[f"filter_{name}"]}
            for name in ("prefix", "suffix")
            if one[f"filter_{name}"] is not None
        ]
        for event in one["events"]:
            item = {"Event": event, _RECEIVERS[one["type"]]: one["arn"]}
            found.setdefault(_KINDS[one["type"]], []).append(
                {**item, **({"Filter": {"S3Key": {"Rules": rules}}} if rules else {})}
            )
    for kind, configured in found.items():
        theirs = written.get(kind) if isinstance(written, Mapping) else None
        known = [_key(item) for item in theirs or ()]
        same = [item for key in known for item in configured if _key(item) == key]
        found[kind] = [*same, *(item for item in configured if _key(item) not in known)]
    return dict(found)


def _key(configured: Any) -> tuple[str, ...]:
    return tuple(str(configured.get(name)) for name in ("Event", *_RECEIVERS.values()))


def _group(physical_id: str, properties: Properties) -> dict[str, Any] | None:
    pool = cognito._user_pools.get(str(properties.get("UserPoolId"))) or {}
    group = pool.get("_groups", {}).get(properties.get("GroupName") or physical_id)
    return None if group is None else {k: v for k, v in copy.deepcopy(dict(group)).items() if k in _GROUP_PROPERTIES}


def _attached_roles(_: str, properties: Properties) -> dict[str, Any] | None:
    pool = cognito._identity_pools.get(str(properties.get("IdentityPoolId")))
    return None if pool is None else {"Roles": dict(pool.get("_roles") or {})}


_GROUP_PROPERTIES = frozenset({"Description", "Precedence", "RoleArn"})


_CORS = {"AllowedHeader": "AllowedHeaders", "AllowedMethod": "AllowedMethods", "AllowedOrigin": "AllowedOrigins"}
_CORS |= {"ExposeHeader": "ExposedHeaders"}


def _cors_rules(stored: str | bytes) -> list[dict[str, Any]]:
    rules = []
    for element in fromstring(stored):  # noqa: S314 - S3 has taken it
        rule: dict[str, Any] = {}
        for child in element:
            name, text = child.tag.rpartition("}")[2], (child.text or "").strip()
            if name in _CORS:
                rule.setdefault(_CORS[name], []).append(text)
            elif name == "MaxAgeSeconds":
                rule["MaxAge"] = int(text)
            elif name == "ID":
                rule["Id"] = text
        rules.append(rule)
    return rules


def _bucket_policy(_: str, properties: Properties) -> dict[str, Any] | None:
    policy = s3._bucket_policies.get(str(properties.get("Bucket")))
    return {"Bucket": properties.get("Bucket"), "PolicyDocument": _json(policy)} if policy else None


def _table(physical_id: str, properties: Properties) -> dict[str, Any]:
    found: dict[str, Any] = {
        "PointInTimeRecoverySpecification": {
            "PointInTimeRecoveryEnabled": bool(dynamodb._pitr_settings.get(physical_id))
        }
    }
    if "TimeToLiveSpecification" in properties:
        setting = dynamodb._ttl_settings.get(physical_id, {})
        enabled = setting.get("TimeToLiveStatus") == "ENABLED"
        found["TimeToLiveSpecification"] = {"Enabled": enabled, "AttributeName": setting.get("AttributeName")}
    return found


def _managed_policy(physical_id: str, _: Properties) -> dict[str, Any] | None:
    policy = iam._policies.get(physical_id)
    if policy is None:
        return None
    versions = policy.get("Versions") or ()
    version = next(
        (v for v in (versions.values() if isinstance(versions, Mapping) else versions) if v.get("IsDefaultVersion")),
        None,
    )
    return {"PolicyDocument": _json(version["Document"])} if version else {}


READERS: Mapping[str, tuple[Reader, frozenset[str]]] = {
    "AWS::AppSync::ApiKey": (_api_key, frozenset({"Description", "Expires"})),
    "AWS::AppSync::DataSource": (_data_source, _SOURCE_PROPERTIES),
    "AWS::AppSync::GraphQLApi": (_graphql_api, _API_PROPERTIES),
    "AWS::AppSync::Resolver": (_resolver, _RESOLVER_PROPERTIES),
    "AWS::Cognito::IdentityPool": (
        _identity_pool,
        frozenset({"AllowUnauthenticatedIdentities", "CognitoIdentityProviders", "IdentityPoolName"}),
    ),
    "AWS::Cognito::IdentityPoolRoleAttachment": (_attached_roles, frozenset({"Roles"})),
    "AWS::Cognito::UserPool": (_user_pool, _POOL_PROPERTIES),
    "AWS::Cognito::UserPoolClient": (_user_pool_client, _CLIENT_PROPERTIES),
    "AWS::Cognito::UserPoolGroup": (_group, _GROUP_PROPERTIES),
    "AWS::IAM::ManagedPolicy": (_managed_policy, frozenset({"PolicyDocument"})),
    "AWS::S3::BucketPolicy": (_bucket_policy, frozenset({"Bucket", "PolicyDocument"})),
}
MORE: Mapping[str, tuple[Reader, frozenset[str]]] = {
    "AWS::DynamoDB::Table": (_table, frozenset({"PointInTimeRecoverySpecification", "TimeToLiveSpecification"})),
    "AWS::S3::Bucket": (_bucket, frozenset({"CorsConfiguration", "NotificationConfiguration"})),
}
"""Properties beside those that MiniStack reads."""
