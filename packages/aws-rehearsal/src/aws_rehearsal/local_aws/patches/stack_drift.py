"""Drift is detected with its caller's rights, takes a while, and is found in the resources that a backend has.

MiniStack looks as the account's root, ends at once, knows nothing of user pools, GraphQL APIs, bucket policies, and
counts members that the template leaves out as drift.
AWS: DetectStackDrift, DescribeStackDriftDetectionStatus and PropertyDifference in the CloudFormation API reference;
user guide, "Detect unmanaged configuration changes to stacks and resources with drift detection": "CloudFormation only
determines drift for property values that are explicitly set"; "read permission for each resource that supports drift
detection"; a resource that could not be read makes the detection `DETECTION_FAILED`, the others have results. The
service authorization reference: DetectStackDrift and DetectStackResourceDrift on the stack, the status on anything.

AWS::IAM::Policy: "does not support drift detection" (its page in the resource type reference).

What stays different: other types without a reader here have no result, though AWS detects their drift.
"""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree.ElementTree import fromstring

from handlers.calls import reads
from ministack.services import appsync, cognito, dynamodb, iam, s3
from ministack.services.cloudformation import drift, helpers
from ministack.services.cloudformation import handlers as actions

from . import _rights
from ._expect import PatchError, expect, replace
from .cloud_control import PREFIX
from .execution_role import _ask, _subject

_SECONDS = 0.3
"""So long a detection takes."""
_FREE = ("Variables",)
"""Members whose own names are the user's: one more is drift."""
_DOCUMENTS = ("PolicyDocument", "AssumeRolePolicyDocument", "Policies")
"""Compared whole: in a policy that says more, everything is explicit."""
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

Properties = Mapping[str, Any]
Reader = Callable[[str, Properties], "dict[str, Any] | None"]


def apply() -> None:
    """Add the readers, and look with the caller's rights."""
    detect = expect(drift, "detect_resource_drift", "stack", "logical_id", "record", "timestamp")
    for name in ("DetectStackDrift", "DescribeStackDriftDetectionStatus"):
        if name not in actions._ACTION_HANDLERS:
            raise PatchError(f"CloudFormation has no {name} any more")
    known = getattr(drift, "_DRIFT_READERS", {})
    had = sorted(_READERS.keys() & known.keys())
    if had:
        raise PatchError(f"MiniStack detects the drift of {', '.join(had)} itself now")
    readers = {**known, **_READERS}
    for name, (more, properties) in _MORE.items():
        readers[name] = (_both(readers[name][0], more), readers[name][1] | properties)
    for name, (reader, properties) in readers.items():
        known[name] = (_explicit(reader), properties)

    def detect_resource_drift(stack: Any, logical_id: str, record: Any, timestamp: str) -> Any:
        if not stack["StackName"].startswith(PREFIX):  # those are asked for by `native_reads`
            try:
                _require(stack, logical_id, record)
            except _rights.AccessDeniedError as denied:
                return {
                    "StackId": stack["StackId"],
                    "LogicalResourceId": logical_id,
                    "PhysicalResourceId": record.get("PhysicalResourceId", ""),
                    "ResourceType": record["ResourceType"],
                    "Timestamp": timestamp,
                    "StackResourceDriftStatus": "UNKNOWN",
                    "DriftStatusReason": denied.sentence,
                }
        return detect(stack, logical_id, record, timestamp)

    replace("detect_resource_drift", detect_resource_drift, drift)
    start, status = (actions._ACTION_HANDLERS[n] for n in ("DetectStackDrift", "DescribeStackDriftDetectionStatus"))
    actions._ACTION_HANDLERS["DetectStackDrift"] = lambda params: _start(start, params)
    actions._ACTION_HANDLERS["DescribeStackDriftDetectionStatus"] = lambda params: _status(status, params)


def _start(start: Callable[[Any], Any], params: Any) -> Any:
    stack = actions._resolve_stack(helpers._p(params, "StackName") or "")
    if stack is None:
        return start(params)
    try:
        _rights.require(_rights.caller(), "cloudformation:DetectStackResourceDrift", stack["StackId"], {})
    except _rights.AccessDeniedError as denied:
        return helpers._error("AccessDenied", denied.sentence, 403)
    if stack.get("_drift_ends", 0.0) > time.monotonic():
        return helpers._error(
            "ValidationError", f"Drift detection is already in progress for stack [{stack['StackId']}]"
        )
    answer = start(params)
    if answer[0] == 200:
        stack["_drift_ends"] = _ends[_member(answer, "StackDriftDetectionId")] = time.monotonic() + _SECONDS
    return answer


_ends: dict[str, float] = {}
"""When detections end, by their ids."""


def _status(status: Callable[[Any], Any], params: Any) -> Any:
    answer = status(params)
    if answer[0] != 200 or _ends.get(helpers._p(params, "StackDriftDetectionId") or "", 0.0) <= time.monotonic():
        return answer
    code, headers, body = answer
    text = body.decode() if isinstance(body, bytes) else body
    text = re.sub(r"<DetectionStatus>\w+<", "<DetectionStatus>DETECTION_IN_PROGRESS<", text)
    text = re.sub(r"<(StackDriftStatus|DriftedStackResourceCount|DetectionStatusReason)>[^<]*</\1>", "", text)
    return code, headers, text.encode()


def _member(answer: Any, name: str) -> str:
    text = answer[2].decode() if isinstance(answer[2], bytes) else answer[2]
    return str(text.partition(f"<{name}>")[2].partition("<")[0])


def _require(stack: Mapping[str, Any], logical_id: str, record: Mapping[str, Any]) -> None:
    acting = _rights.caller()
    read = _subject(
        record["ResourceType"],
        logical_id,
        stack["StackName"],
        record.get("Properties") or {},
        record.get("PhysicalResourceId", ""),
    )
    for call in reads(read):
        _ask(acting, call)


# What is compared


def _explicit(reader: Reader) -> Reader:
    """What is read, without the members that the template does not set."""

    def read(physical_id: str, properties: Properties) -> dict[str, Any] | None:
        found = reader(physical_id, properties)
        if found is None:
            return None
        return {
            name: value if _is_document(value, name) else _restricted(properties.get(name), value, name)
            for name, value in found.items()
        }

    return read


def _is_document(value: Any, name: str) -> bool:
    """A user pool has `Policies` too, which are none."""
    return name in _DOCUMENTS and not (name == "Policies" and isinstance(value, Mapping))


def _restricted(written: Any, found: Any, name: str = "") -> Any:
    if isinstance(written, Mapping) and isinstance(found, Mapping):
        if name in _FREE:
            return found
        return {key: _restricted(written[key], value, key) for key, value in found.items() if key in written}
    if isinstance(written, list) and isinstance(found, list):
        members = [item for item in written if isinstance(item, Mapping)]
        if not members:
            return found
        merged: dict[str, Any] = {}
        for item in members:
            merged.update(item)
        return [_restricted(merged, item) if isinstance(item, Mapping) else item for item in found]
    return found


def _both(first: Reader, second: Reader) -> Reader:
    def read(physical_id: str, properties: Properties) -> dict[str, Any] | None:
        found = first(physical_id, properties)
        return None if found is None else {**found, **(second(physical_id, properties) or {})}

    return read


def _as_in_template(value: Any) -> Any:
    """Names with a capital, as templates have them."""
    if isinstance(value, Mapping):
        return {key[:1].upper() + key[1:]: _as_in_template(item) for key, item in value.items()}
    return [_as_in_template(item) for item in value] if isinstance(value, list) else value


def _json(document: Any) -> Any:
    return json.loads(document) if isinstance(document, str) else document


# The readers: a physical id and the template's properties, to the properties as they are; None for what is gone


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


_READERS: Mapping[str, tuple[Reader, frozenset[str]]] = {
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
_MORE: Mapping[str, tuple[Reader, frozenset[str]]] = {
    "AWS::DynamoDB::Table": (_table, frozenset({"PointInTimeRecoverySpecification", "TimeToLiveSpecification"})),
    "AWS::S3::Bucket": (_bucket, frozenset({"CorsConfiguration", "NotificationConfiguration"})),
}
"""Properties beside those that MiniStack reads."""


def probe(aws: Any) -> bool:
    """A password policy that somebody changed is found, by whoever may read the pool; what was left out is not."""
    name = aws.name("stack-drift")
    policy = {"Policies": {"PasswordPolicy": {"MinimumLength": 8}}}
    aws.stack({"Pool": {"Type": "AWS::Cognito::UserPool", "Properties": policy}}, name)
    answer = aws.query("cloudformation", Action="DescribeStackResource", StackName=name, LogicalResourceId="Pool")
    pool = answer.partition("<PhysicalResourceId>")[2].partition("<")[0]
    reader = aws.assume(aws.role(aws.owner, name, allow="cloudformation:*"), aws.owner)

    def status(*by: Any) -> str:
        detect = {"Action": "DetectStackResourceDrift", "StackName": name, "LogicalResourceId": "Pool"}
        answer = aws.query("cloudformation", *by, **detect)
        return str(answer.partition("<StackResourceDriftStatus>")[2].partition("<")[0])

    def changed(length: int) -> str:
        update = {"UserPoolId": pool, "Policies": {"PasswordPolicy": {"MinimumLength": length}}}
        aws.json(aws.owner, "cognito-idp", "AWSCognitoIdentityProviderService.UpdateUserPool", **update)
        return status()

    if not aws.succeeds(status):
        return False
    return (status(), status(reader), changed(6), changed(8)) == ("IN_SYNC", "UNKNOWN", "MODIFIED", "IN_SYNC")
