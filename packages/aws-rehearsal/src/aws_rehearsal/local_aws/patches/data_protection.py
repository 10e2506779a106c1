"""What is protected against deletion can't be deleted, nor by its stack; and a stack turns point-in-time recovery on,
and a table's time to live.

MiniStack's stacks delete a protected table or user pool, its Cognito deletes a protected pool, and its stacks leave
out a table's `PointInTimeRecoverySpecification` and `TimeToLiveSpecification`: every table of DataStore had drift.
AWS: Amazon DynamoDB Developer Guide, "Using deletion protection to protect your table": it "can't be deleted by
anyone"; Amazon Cognito Developer Guide, "User pool deletion protection"; CloudFormation template reference,
AWS::DynamoDB::Table.
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cognito, dynamodb

from ._expect import PatchError, expect, replace
from ._resources import Properties, before_create_or_update, before_delete

_TABLE = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first."
_POOL = (
    "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be "
    "inactivated first."
)


def apply() -> None:
    """Look at what is to be deleted first, and keep what a table says of its recovery."""
    for settings in ("_pitr_settings", "_ttl_settings"):
        if not hasattr(dynamodb, settings):
            raise PatchError(f"{dynamodb.__name__} keeps no {settings} any more")
    before_delete("AWS::DynamoDB::Table", _unprotected_table)
    before_delete("AWS::Cognito::UserPool", _unprotected_pool)
    before_create_or_update({"AWS::DynamoDB::Table"}, _recovery)
    before_create_or_update({"AWS::DynamoDB::Table"}, _time_to_live)
    delete = expect(cognito, "_delete_user_pool", "data")

    def delete_user_pool(data: dict[str, Any]) -> Any:
        if _is_protected(data.get("UserPoolId")):
            return error_response_json("InvalidParameterException", _POOL, 400)
        return delete(data)

    replace("_delete_user_pool", delete_user_pool, cognito)


def _recovery(new: Properties, old: Properties | None) -> Properties:
    wanted, had = (
        (p or {}).get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled", False)
        for p in (new, old)
    )
    name = new.get("TableName")
    if name and str(wanted).lower() != str(had).lower():
        dynamodb._pitr_settings[name] = str(wanted).lower() == "true"
    return new


def _time_to_live(new: Properties, old: Properties | None) -> Properties:
    wanted, had = ((p or {}).get("TimeToLiveSpecification") for p in (new, old))
    name = new.get("TableName")
    if name and wanted != had:
        on = str((wanted or {}).get("Enabled", False)).lower() == "true"
        setting = {"TimeToLiveStatus": "ENABLED" if on else "DISABLED"}
        if on:
            setting["AttributeName"] = (wanted or {}).get("AttributeName", "")
        dynamodb._ttl_settings[name] = setting
    return new


def _unprotected_table(name: str) -> None:
    if str((dynamodb._tables.get(name) or {}).get("DeletionProtectionEnabled")).lower() == "true":
        raise ValueError(_TABLE)


def _unprotected_pool(name: str) -> None:
    if _is_protected(name):
        raise ValueError(_POOL)


def _is_protected(pool: Any) -> bool:
    return (cognito._user_pools.get(pool) or {}).get("DeletionProtection") == "ACTIVE"


def probe(aws: Any) -> bool:
    """A stack with a protected table has it restorable, its items end when they should, and it cannot be deleted."""
    name = aws.name("data-protection")
    table = {
        "TableName": name,
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": True,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "TimeToLiveSpecification": {"AttributeName": "ends", "Enabled": True},
    }
    aws.stack({"Table": {"Type": "AWS::DynamoDB::Table", "Properties": table}}, name=name)
    found = aws.json(aws.owner, "dynamodb", "DynamoDB_20120810.DescribeContinuousBackups", TableName=name)
    recovery = found["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    living = aws.json(aws.owner, "dynamodb", "DynamoDB_20120810.DescribeTimeToLive", TableName=name)
    ends = living["TimeToLiveDescription"] == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ends"}
    return recovery == "ENABLED" and ends and aws.delete_stack(name) == "DELETE_FAILED"
