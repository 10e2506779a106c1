"""What a service refuses, though no schema of its type forbids it, fails in a stack.

MiniStack makes tables with any number of indexes, policies of any size and number, queues whose dead letters go to one
of the other kind, resolvers in JavaScript without its runtime, user pools with aliases beside user name
attributes, app clients that come back to any address, domains with reserved words, buckets that call functions which S3
may not call, and APIs with two variables at one place; it replaces a field's resolver by another stack's.
AWS: DynamoDB Developer Guide, "Quotas" (20 global and 5 local secondary indexes), and API Reference, Projection; IAM
User Guide, "IAM and AWS STS quotas" (6,144 characters of a managed policy, 10,240 of a role's inline policies, without
white space, 10 managed policies of a role); SQS Developer Guide, "Using dead-letter queues"; AppSync API Reference,
CreateResolver and CreateFunction; Cognito API Reference, CreateUserPool (`AliasAttributes`), CreateUserPoolClient
(`CallbackURLs`), and Developer Guide, "Using your own domain"; S3 User Guide, "Granting permissions to publish event
notification messages to a destination"; API Gateway Developer Guide, on resources ("only one" variable path part among
siblings); AppSync: "Only one resolver is allowed per field".
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator
from typing import Any

from ministack.services import appsync, cognito, iam, lambda_svc

from ._documents import several, statements_of
from ._expect import expect, replace
from ._resources import Properties, before_create_or_update

_INDEXES = {"GlobalSecondaryIndexes": (20, "global"), "LocalSecondaryIndexes": (5, "local")}
_MANAGED, _INLINE, _ATTACHED = 6_144, 10_240, 10
_HERE = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])([:/]|$)", re.IGNORECASE)
_RESERVED = re.compile("aws|amazon|cognito")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?")


def apply() -> None:
    """Look at the properties first, and at what a domain is called, whoever makes it."""
    before_create_or_update({"AWS::DynamoDB::Table"}, _table)
    before_create_or_update({"AWS::Cognito::UserPool"}, _pool)
    before_create_or_update({"AWS::Cognito::UserPoolClient"}, _client)
    before_create_or_update({"AWS::IAM::ManagedPolicy"}, _managed)
    before_create_or_update({"AWS::IAM::ManagedPolicy"}, _attached)
    before_create_or_update({"AWS::IAM::Role"}, _role)
    before_create_or_update({"AWS::SQS::Queue"}, _queue)
    before_create_or_update({"AWS::Logs::SubscriptionFilter"}, _lines)
    before_create_or_update({"AWS::KMS::Key"}, _key)
    before_create_or_update({"AWS::AppSync::FunctionConfiguration", "AWS::AppSync::Resolver"}, _code)
    before_create_or_update({"AWS::IAM::Policy"}, _inline)
    before_create_or_update({"AWS::AppSync::Resolver"}, _resolver)
    before_create_or_update({"AWS::S3::Bucket"}, _bucket)
    before_create_or_update({"AWS::ApiGateway::RestApi"}, _rest_api)
    create = expect(cognito, "_create_user_pool_domain", "data")

    def create_domain(data: dict[str, Any]) -> Any:
        problem = "" if data.get("CustomDomainConfig") else _wrong_domain(str(data.get("Domain") or ""))
        if problem:
            return cognito.error_response_json("InvalidParameterException", problem, 400)
        return create(data)

    replace("_create_user_pool_domain", create_domain, cognito)


def _table(new: Properties, _: Properties | None) -> Properties:
    for name, (most, kind) in _INDEXES.items():
        indexes = new.get(name) or []
        if len(indexes) > most:
            raise ValueError(
                f"One or more parameter values were invalid: Number of {kind} secondary indexes exceeds per-table "
                f"limit of {most}"
            )
        for projection in (index.get("Projection") or {} for index in indexes):
            kind_of = projection.get("ProjectionType")
            if projection.get("NonKeyAttributes") and kind_of in ("ALL", "KEYS_ONLY"):
                raise ValueError(
                    f"One or more parameter values were invalid: ProjectionType is {kind_of}, but NonKeyAttributes is "
                    "specified"
                )
    _indexes(new)
    return new


def _indexes(new: Properties) -> None:
    names = [index.get("IndexName") for kind in _INDEXES for index in new.get(kind) or []]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ValueError(f"One or more parameter values were invalid: Duplicate index name: {twice}")
    provisioned = new.get("ProvisionedThroughput") and new.get("BillingMode") != "PAY_PER_REQUEST"
    for index in new.get("GlobalSecondaryIndexes") or [] if provisioned else []:
        if not index.get("ProvisionedThroughput"):
            raise ValueError(
                "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be "
                f"specified for index: {index.get('IndexName')}"
            )
    for index in new.get("LocalSecondaryIndexes") or []:
        if _hash_key(index) != _hash_key(new):
            raise ValueError(
                "One or more parameter values were invalid: Index KeySchema does not have the same leading hash key as "
                f"table KeySchema for index: {index.get('IndexName')}. index hash key: {_hash_key(index)}, table hash "
                f"key: {_hash_key(new)}"
            )


def _hash_key(holder: dict[str, Any]) -> Any:
    keys = holder.get("KeySchema") or []
    return next((key.get("AttributeName") for key in keys if key.get("KeyType") == "HASH"), None)


def _lines(new: Properties, _: Properties | None) -> Properties:
    """CloudWatch Logs calls the function with a line of its own."""
    function = lambda_svc._functions.get(str(new.get("DestinationArn")).rpartition(":function:")[2].split(":")[0])
    statements = function["policy"]["Statement"] if function else []
    if function and not any(_of_logs(statement.get("Principal")) for statement in statements):
        raise ValueError(
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute "
            "your function."
        )
    return new


def _of_logs(principal: Any) -> bool:
    service = principal.get("Service") if isinstance(principal, dict) else None
    return principal in ("*", {"AWS": "*"}) or any(str(one).startswith("logs.") for one in several(service))


def _key(new: Properties, _: Properties | None) -> Properties:
    if str(new.get("BypassPolicyLockoutSafetyCheck")).lower() == "true":
        return new
    statements = statements_of(new.get("KeyPolicy"))
    if statements and not any(s.get("Effect") == "Allow" and _administers(s) for s in statements):
        raise ValueError("The new key policy will not allow you to update the key policy in the future.")
    return new


def _administers(statement: dict[str, Any]) -> bool:
    """Whether a statement is about changing the key's policy."""
    excepts = "NotAction" in statement
    actions = map(str.lower, map(str, several(statement.get("NotAction" if excepts else "Action"))))
    return excepts is not any(fnmatch.fnmatchcase("kms:putkeypolicy", action) for action in actions)


def _pool(new: Properties, _: Properties | None) -> Properties:
    if new.get("AliasAttributes") and new.get("UsernameAttributes"):
        raise ValueError("Only one of the aliasAttributes or usernameAttributes can be set in a user pool.")
    return new


def _client(new: Properties, _: Properties | None) -> Properties:
    for url in (*(new.get("CallbackURLs") or []), *(new.get("LogoutURLs") or [])):
        if str(url).lower().startswith("http://") and not _HERE.match(str(url)):
            raise ValueError(f"{url} cannot use the HTTP protocol.")
    return new


def _managed(new: Properties, _: Properties | None) -> Properties:
    if _size(new.get("PolicyDocument")) > _MANAGED:
        raise ValueError(f"Cannot exceed quota for PolicySize: {_MANAGED}")
    return new


def _inline(new: Properties, _: Properties | None) -> Properties:
    """A role's policies count together; another version of this one takes its place."""
    for name in new.get("Roles") or []:
        there = (iam._roles.get(name) or {}).get("InlinePolicies") or {}
        others = sum(_size(document) for policy, document in there.items() if policy != new.get("PolicyName"))
        if others + _size(new.get("PolicyDocument")) > _INLINE:
            raise ValueError(f"Maximum policy size of {_INLINE} bytes exceeded for role {name}")
    return new


def _size(document: Any) -> int:
    text = document if isinstance(document, str) else json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return len("".join(text.split()))


def _resolver(new: Properties, old: Properties | None) -> Properties:
    place = [new.get("ApiId"), new.get("TypeName"), new.get("FieldName")]
    if old is not None and place == [old.get("ApiId"), old.get("TypeName"), old.get("FieldName")]:
        return new
    there = appsync._resolvers.get(place[0]) or {}
    if place[2] in (there.get(place[1]) or {}):
        raise ValueError("Only one resolver is allowed per field. (Service: AWSAppSync; Status Code: 400)")
    return new


def _bucket(new: Properties, _: Properties | None) -> Properties:
    """S3 tries whether it may call a function before it takes a notification."""
    for configuration in (new.get("NotificationConfiguration") or {}).get("LambdaConfigurations") or []:
        name = str(configuration.get("Function")).partition(":function:")[2].partition(":")[0]
        function = lambda_svc._functions.get(name)
        statements = function["policy"]["Statement"] if function else []
        if function and not any(_of_s3(statement.get("Principal")) for statement in statements):
            raise ValueError(
                "Unable to validate the following destination configurations (Service: Amazon S3; Status Code: 400; "
                "Error Code: InvalidArgument)"
            )
    return new


def _of_s3(principal: Any) -> bool:
    return principal == "*" or (isinstance(principal, dict) and principal.get("Service") == "s3.amazonaws.com")


def _rest_api(new: Properties, _: Properties | None) -> Properties:
    body = new.get("Body")
    places: dict[str, str] = {}
    for path in (body.get("paths") or {}) if isinstance(body, dict) else ():
        parts = str(path).strip("/").split("/")
        for depth, part in enumerate(parts):
            first = places.setdefault("/".join(parts[:depth]), part) if part.startswith("{") else part
            if first != part:
                raise ValueError(
                    f"Unable to create resource at path '{path}': A sibling ({first}) of this resource already has a "
                    "variable path part -- only one is allowed"
                )
    return new


def _wrong_domain(domain: str) -> str:
    reserved = _RESERVED.search(domain)
    if reserved:
        return f"Domain cannot contain reserved word: {reserved[0]}"
    if domain and not _LABEL.fullmatch(domain):
        return (
            "The domain name contains an invalid character. Domain names can only contain lower-case letters, numbers, "
            f"and hyphens. Please enter a different name that follows this format: ^{_LABEL.pattern}$"
        )
    return ""


def _role(new: Properties, _: Properties | None) -> Properties:
    if len(new.get("ManagedPolicyArns") or []) > _ATTACHED:
        raise ValueError(f"Cannot exceed quota for PoliciesPerRole: {_ATTACHED}")
    return new


def _attached(new: Properties, old: Properties | None) -> Properties:
    """To roles that have others already; AWS raises the number on request."""
    for name in {*(new.get("Roles") or [])} - {*((old or {}).get("Roles") or [])}:
        if len((iam._roles.get(str(name)) or {}).get("AttachedPolicies") or []) >= _ATTACHED:
            raise ValueError(f"Cannot exceed quota for PoliciesPerRole: {_ATTACHED}")
    return new


def _queue(new: Properties, _: Properties | None) -> Properties:
    given = new.get("RedrivePolicy") or {}
    policy = json.loads(given) if isinstance(given, str) else given
    said = f"Value {json.dumps(policy)} for parameter RedrivePolicy is invalid. Reason: "
    for name in ("deadLetterTargetArn", "maxReceiveCount") if policy else ():
        if name not in policy:
            raise ValueError(f"{said}Redrive policy does not contain mandatory attribute: {name}.")
    if str(new.get("QueueName")).endswith(".fifo") and str(new.get("FifoQueue", "false")).lower() != "true":
        raise ValueError("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
    keeps_order = str(new.get("FifoQueue", "false")).lower() == "true"
    if policy and str(policy["deadLetterTargetArn"]).endswith(".fifo") is not keeps_order:
        raise ValueError(f"{said}Dead-letter queue must be same type of queue as the source.")
    return new


def _code(new: Properties, _: Properties | None) -> Properties:
    code = new.get("Code") or new.get("CodeS3Location")
    if bool(code) is not bool(new.get("Runtime")):
        raise ValueError("When code is used, the runtime is required." if code else "A runtime needs code.")
    return new


def _probed() -> Iterator[dict[str, Any]]:
    """One resource of each kind that is refused."""
    document = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "x" * _MANAGED}]}
    yield {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
    both = {"AliasAttributes": ["email"], "UsernameAttributes": ["email"]}
    yield {"Type": "AWS::Cognito::UserPool", "Properties": both}


def probe(aws: Any) -> bool:
    """A managed policy that is too large, and a pool with aliases beside user name attributes, fail their stacks."""
    return all(aws.stack({"Wrong": resource}) == "ROLLBACK_COMPLETE" for resource in _probed())
