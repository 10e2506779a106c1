"""What a service never changes, or never makes, fails in a stack.

MiniStack changes several indexes of a table at once, takes attributes that none of its keys uses, and changes those of
a user pool; it makes functions with layers of another region and with runtimes that are long gone, and API keys that
have expired.
AWS: DynamoDB API Reference, UpdateTable ("You can only create or delete one global secondary index per UpdateTable
operation"); Cognito Developer Guide, "Working with user attributes" (what is required is set when the pool is made);
Lambda Developer Guide, "Adding layers to functions" and "Runtime deprecation policy"; AppSync API Reference,
CreateApiKey (`expires`: "Minimum 1 day, maximum 365 days").
"""

from __future__ import annotations

import time
from typing import Any

from ministack.core.responses import get_region

from ._resources import Properties, before_create_or_update

_DAY = 24 * 60 * 60
_GONE = frozenset(
    {
        *("nodejs", "nodejs4.3", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "nodejs14.x"),
        *("python2.7", "python3.6", "python3.7", "ruby2.5", "ruby2.7", "java8", "go1.x", "provided"),
        *("dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1", "dotnet5.0"),
    }
)
"""Runtimes in which no function was made any more at the end of 2024 ("Deprecated runtimes")."""
_SET_ONCE = ("AliasAttributes", "UsernameAttributes", "UsernameConfiguration")
_STANDARD = frozenset(
    {
        *("address", "birthdate", "email", "family_name", "gender", "given_name", "locale", "middle_name", "name"),
        *("nickname", "phone_number", "picture", "preferred_username", "profile", "updated_at", "website", "zoneinfo"),
    }
)
_GSI = "GlobalSecondaryIndexes"


def apply() -> None:
    """Look at the properties first."""
    before_create_or_update({"AWS::DynamoDB::Table"}, _table)
    before_create_or_update({"AWS::Cognito::UserPool"}, _pool)
    before_create_or_update({"AWS::Lambda::Function"}, _function)
    before_create_or_update({"AWS::AppSync::ApiKey"}, _api_key)


def _table(new: Properties, old: Properties | None) -> Properties:
    keyed = [new, *(new.get(_GSI) or []), *(new.get("LocalSecondaryIndexes") or [])]
    used = {key["AttributeName"] for schema in keyed for key in schema.get("KeySchema") or []}
    if used != {attribute["AttributeName"] for attribute in new.get("AttributeDefinitions") or []}:
        raise ValueError(
            "Property AttributeDefinitions is inconsistent with the KeySchema of the table and the secondary indexes"
        )
    if old is not None and old.get("TableName") == new.get("TableName"):
        before = {i["IndexName"]: i for i in old.get(_GSI) or []}
        after = {i["IndexName"]: i for i in new.get(_GSI) or []}
        if len(before.keys() ^ after.keys()) > 1:
            raise ValueError("Cannot perform more than one GSI creation or deletion in a single update")
        for name in before.keys() & after.keys():
            if any(before[name].get(key) != after[name].get(key) for key in ("KeySchema", "Projection")):
                raise ValueError(
                    "Cannot update GSI's properties other than Provisioned Throughput and Contributor Insights "
                    "Specification. You can create a new GSI with a different name."
                )
    return new


def _pool(new: Properties, old: Properties | None) -> Properties:
    if old is None:
        return new
    for name in _SET_ONCE:
        if old.get(name) != new.get(name):
            raise ValueError(f"Invalid request provided: Updates are not allowed for property - {name}.")
    before, after = (_attributes(properties) for properties in (old, new))
    if any(after.get(name) != attribute for name, attribute in before.items()):
        raise ValueError("Invalid request provided: Existing schema attributes cannot be modified or deleted.")
    for name in after.keys() - before.keys():
        if name in _STANDARD:
            raise ValueError(
                "Invalid AttributeDataType input, consider using the provided AttributeDataType enum. "
                "(Service: CognitoIdentityProvider, Status Code: 400)"
            )
        if after[name]["Required"] == "true":
            raise ValueError("Required custom attributes are not supported currently.")
    return new


def _attributes(properties: Properties) -> dict[str, dict[str, Any]]:
    """A pool's schema by name, with what a template may leave out."""
    named = {}
    for attribute in properties.get("Schema") or []:
        plain = {k: str(v).lower() if isinstance(v, bool) else v for k, v in attribute.items()}
        named[attribute["Name"]] = {"Required": "false", "Mutable": "true", "AttributeDataType": "String", **plain}
    return named


def _function(new: Properties, old: Properties | None) -> Properties:
    runtime = new.get("Runtime")
    if old is None and runtime in _GONE:
        raise ValueError(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions."
        )
    for layer in new.get("Layers") or []:
        parts = str(layer).split(":")
        if len(parts) > 3 and parts[2] == "lambda" and parts[3] != get_region():
            raise ValueError(
                f"Layer version {layer} is in another region ({parts[3]}): not authorized to perform: "
                f"lambda:GetLayerVersion on resource: {layer}"
            )
    return new


def _api_key(new: Properties, old: Properties | None) -> Properties:
    expires = new.get("Expires")
    if expires is not None and (old is None or str(old.get("Expires")) != str(expires)):
        left = float(expires) - time.time()
        if left < _DAY - 60 * 60:
            raise ValueError("API key must be valid for a minimum of 1 days. (Service: AWSAppSync; Status Code: 400)")
        if left > 365 * _DAY:
            raise ValueError("API key must be valid for a maximum of 365 days. (Service: AWSAppSync; Status Code: 400)")
    return new


def probe(aws: Any) -> bool:
    """Two new indexes at once fail the update of their stack."""
    name = aws.name("impossible")
    keys = ["id", "a", "b"]
    table: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    }
    indexes = [
        {
            "IndexName": key,
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        for key in keys[1:]
    ]
    two = {**table, "AttributeDefinitions": [{"AttributeName": k, "AttributeType": "S"} for k in keys], _GSI: indexes}
    aws.stack({"Table": {"Type": "AWS::DynamoDB::Table", "Properties": table}}, name)
    updated = aws.update_stack(name, {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": two}})
    return bool(updated == "UPDATE_ROLLBACK_COMPLETE")
