"""A new index of a table with items is not there at once: meanwhile the table takes no other change.

MiniStack's is, and several are made in one request. On AWS the backfilling takes the longer the more items there are,
CloudFormation does not wait for it, and an update of the table fails until then.
AWS: DynamoDB Developer Guide, "Adding a global secondary index to an existing table" (IndexStatus CREATING,
Backfilling); API Reference, UpdateTable (ResourceInUseException, LimitExceededException); CloudFormation template
reference, AWS::DynamoDB::Table, GlobalSecondaryIndexes ("CloudFormation doesn't wait for the index to complete").
"""

from __future__ import annotations

import copy
import time
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import dynamodb

from ._expect import expect, replace

_SECONDS_AN_ITEM = 0.25
_LONGEST = 20.0
_LOOKED_FOR = 60.0
"""Seconds in which whoever looks for the first time still finds it being made, however busy this machine is."""

_ready: dict[tuple[str, str], float] = {}
"""When an index will be there, by the table's ARN and the index's name."""
_unseen: dict[tuple[str, str], float] = {}
"""Until when an index that nobody has seen in the making is in it."""


def apply() -> None:
    """Have indexes take their time."""
    update = expect(dynamodb, "_update_table", "data")
    describe = expect(dynamodb, "_table_description", "name")

    def update_table(data: dict[str, Any]) -> Any:
        name = dynamodb._normalize_table_name(data.get("TableName"))
        table = dynamodb._tables.get(name)
        if table is None:
            return update(data)
        if _seen(table):
            message = f"Attempt to change a resource which is still in use: Table is being updated: {name}"
            return error_response_json("ResourceInUseException", message, 400)
        changes = [u for u in data.get("GlobalSecondaryIndexUpdates") or () if "Create" in u or "Delete" in u]
        if len(changes) > 1:
            message = (
                "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
            )
            return error_response_json("LimitExceededException", message, 400)
        answer = update(data)
        if answer[0] < 400:
            for change in changes:
                if "Create" in change:
                    seconds = min(_items(table) * _SECONDS_AN_ITEM, _LONGEST)
                    index = table["TableArn"], change["Create"]["IndexName"]
                    _ready[index] = time.time() + seconds
                    if seconds:
                        _unseen[index] = time.time() + _LOOKED_FOR
        return answer

    def table_description(name: str) -> dict[str, Any]:
        found: dict[str, Any] = describe(name)
        making = _seen(dynamodb._tables[name])
        if making:
            found = copy.deepcopy(found)
            for index in found.get("GlobalSecondaryIndexes") or ():
                if index["IndexName"] in making:
                    index |= {"IndexStatus": "CREATING", "Backfilling": True}
        return found

    replace("_update_table", update_table, dynamodb)
    replace("_table_description", table_description, dynamodb)


def _seen(table: dict[str, Any]) -> set[str]:
    """Names of a table's indexes that are not there yet: somebody sees them now."""
    names = {index["IndexName"] for index in table.get("GlobalSecondaryIndexes") or ()}
    now, arn = time.time(), table["TableArn"]
    return {name for name in names if max(_ready.get((arn, name), 0.0), _unseen.pop((arn, name), 0.0)) > now}


def _items(table: dict[str, Any]) -> int:
    return sum(len(under) for under in table["items"].values())


def probe(aws: Any) -> bool:
    """An index of a table with items is being made for a while, and the table takes no second one."""
    target = "DynamoDB_20120810."
    name = aws.name("backfill")
    keys = [{"AttributeName": key, "AttributeType": "S"} for key in ("id", "a", "b")]

    def index(key: str) -> dict[str, Any]:
        schema = [{"AttributeName": key, "KeyType": "HASH"}]
        return {"Create": {"IndexName": key, "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}}

    def made(*names: str) -> bool:
        updates = [index(key) for key in names]
        body = {"TableName": name, "AttributeDefinitions": keys, "GlobalSecondaryIndexUpdates": updates}
        return bool(aws.succeeds(lambda: aws.json(aws.owner, "dynamodb", f"{target}UpdateTable", **body)))

    schema = [{"AttributeName": "id", "KeyType": "HASH"}]
    aws.json(
        aws.owner,
        "dynamodb",
        f"{target}CreateTable",
        TableName=name,
        AttributeDefinitions=keys[:1],
        KeySchema=schema,
        BillingMode="PAY_PER_REQUEST",
    )
    for number in range(40):
        aws.json(aws.owner, "dynamodb", f"{target}PutItem", TableName=name, Item={"id": {"S": str(number)}})
    both, one = made("a", "b"), made("a")
    found = aws.json(aws.owner, "dynamodb", f"{target}DescribeTable", TableName=name)["Table"]
    status = [i["IndexStatus"] for i in found["GlobalSecondaryIndexes"]]
    return not both and one and status == ["CREATING"] and not made("b")
