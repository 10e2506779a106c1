"""What a resolver asks of DynamoDB: a mapping document -> the call of DynamoDB's API, and its answer -> the result.

AppSync Developer Guide, "Resolver mapping template reference for DynamoDB".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import attributes
from .errors import ResolverError, TemplateError, UnsupportedError

Document = dict[str, Any]


@dataclass(frozen=True)
class DynamoCall:
    """One call: its body, what a role must be allowed for it, and how its answer becomes the resolver's result."""

    action: str
    body: Document
    rights: tuple[tuple[str, str], ...]
    """Action without its prefix, and what follows `table/` in the ARN: a table, or its index."""
    result: Callable[[Document], Any]
    after_refusal: Refused | None = None
    """Of a write with a condition: what AppSync does when the condition does not hold."""
    cancelled: Callable[[Document], Any] | None = None
    """Of a transaction: `$ctx.result` when DynamoDB has cancelled it."""


@dataclass(frozen=True)
class Refused:
    """A condition that did not hold ("Handling a condition check failure"): AppSync reads the item, and takes the write
    for done if the item is as it wanted it."""

    read: Document
    """The body of the GetItem."""
    is_wanted: Callable[[Document | None], bool]
    """Of the item that is there, with DynamoDB's types."""


def dynamo_call(document: Any, table: str) -> DynamoCall:
    """The call that a document of a data source over `table` asks for; raises `TemplateError` for what is wrong."""
    if not isinstance(document, dict):
        raise TemplateError("The mapping document of a DynamoDB data source has to be a JSON object")
    operation = document.get("operation")
    if not isinstance(operation, str):
        raise TemplateError("The mapping document has no operation")
    make = _OPERATIONS.get(operation)
    if make is None:
        raise UnsupportedError(f"the DynamoDB operation {operation}")
    return make(document, table)


def _get(document: Document, table: str) -> DynamoCall:
    body = {"TableName": table, "Key": _key(document), **_read_options(document)}
    return DynamoCall("GetItem", body, (("GetItem", table),), lambda answer: _item(answer.get("Item")))


def _put(document: Document, table: str) -> DynamoCall:
    item = {**_key(document), **_some(document, "attributeValues")}
    body = {"TableName": table, "Item": item, **_condition(document)}
    left = _some(document, "condition").get("equalsIgnore") or ()

    def is_wanted(found: Document | None) -> bool:
        return found is not None and _without(found, left) == _without(item, left)

    return DynamoCall(
        "PutItem", body, (("PutItem", table),), lambda _: _item(item), _refused(document, table, is_wanted)
    )


def _without(item: Document, names: Any) -> Document:
    """The item's plain values, so that `1.0` is `1`."""
    return {name: value for name, value in attributes.plain_map(item).items() if name not in names}


def _refused(document: Document, table: str, is_wanted: Callable[[Document | None], bool]) -> Refused | None:
    condition = _some(document, "condition")
    if not condition:
        return None
    consistent = condition.get("consistentRead") is not False
    return Refused({"TableName": table, "Key": _key(document), "ConsistentRead": consistent}, is_wanted)


def _update(document: Document, table: str) -> DynamoCall:
    body = {"TableName": table, **_updated(document), "ReturnValues": "ALL_NEW"}
    # AppSync cannot tell whether an item is as an update would have left it.
    refused = _refused(document, table, lambda _: False)
    rights = (("UpdateItem", table),)
    return DynamoCall("UpdateItem", body, rights, lambda answer: _item(answer.get("Attributes")), refused)


def _updated(document: Document) -> Document:
    """Key, update and condition, whose names and values are given to DynamoDB together."""
    update, condition = _some(document, "update"), _condition(document)
    if not isinstance(update.get("expression"), str):
        raise TemplateError("UpdateItem needs an update with an expression")
    names = {**(update.get("expressionNames") or {}), **condition.pop("ExpressionAttributeNames", {})}
    values = {**(update.get("expressionValues") or {}), **condition.pop("ExpressionAttributeValues", {})}
    return {
        "Key": _key(document),
        "UpdateExpression": update["expression"],
        **condition,
        **({"ExpressionAttributeNames": names} if names else {}),
        **({"ExpressionAttributeValues": values} if values else {}),
    }


def _delete(document: Document, table: str) -> DynamoCall:
    body = {"TableName": table, "Key": _key(document), **_condition(document), "ReturnValues": "ALL_OLD"}
    refused = _refused(document, table, lambda found: found is None)
    rights = (("DeleteItem", table),)
    return DynamoCall("DeleteItem", body, rights, lambda answer: _item(answer.get("Attributes")), refused)


def _query(document: Document, table: str) -> DynamoCall:
    query = _some(document, "query")
    if not query.get("expression"):
        raise TemplateError("Query needs a query with an expression")
    asked = _expression(query, "KeyConditionExpression")
    body = {"TableName": table, **_merged(asked, _filter(document)), **_page(document)}
    if document.get("scanIndexForward") is not None:
        body["ScanIndexForward"] = document["scanIndexForward"]
    return DynamoCall("Query", body, (("Query", _place(document, table)),), _found)


def _scan(document: Document, table: str) -> DynamoCall:
    body = {"TableName": table, **_filter(document), **_page(document)}
    for name, member in (("segment", "Segment"), ("totalSegments", "TotalSegments")):
        if document.get(name) is not None:
            body[member] = document[name]
    return DynamoCall("Scan", body, (("Scan", _place(document, table)),), _found)


def _batch_get(document: Document, _table: str) -> DynamoCall:
    tables = _some(document, "tables")
    body = {"RequestItems": {name: {"Keys": one["keys"], **_read_options(one)} for name, one in tables.items()}}

    def result(answer: Document) -> Any:
        found = answer.get("Responses", {})
        data = {
            name: [_match(attributes.plain_map(key), found.get(name, [])) for key in one["keys"]]
            for name, one in tables.items()
        }
        left = {name: [_item(key) for key in one["Keys"]] for name, one in answer.get("UnprocessedKeys", {}).items()}
        return {"data": data, "unprocessedKeys": {name: left.get(name, []) for name in tables}}

    return DynamoCall("BatchGetItem", body, tuple(("BatchGetItem", name) for name in tables), result)


def _match(key: Document, items: list[Document]) -> Any:
    """The item with this key: AppSync gives items in the order of the keys, null where there is none."""
    plain = [attributes.plain_map(item) for item in items]
    return next((item for item in plain if all(item.get(name) == value for name, value in key.items())), None)


def _batch_write(kind: str, member: str) -> Callable[[Document, str], DynamoCall]:
    def make(document: Document, _table: str) -> DynamoCall:
        tables = _some(document, "tables")
        body = {"RequestItems": {name: [{kind: {member: one}} for one in some] for name, some in tables.items()}}

        def result(answer: Document) -> Any:
            left = answer.get("UnprocessedItems", {})
            return {
                "data": {name: [_item(one) for one in some] for name, some in tables.items()},
                "unprocessedItems" if member == "Item" else "unprocessedKeys": {
                    name: [_item(one[kind][member]) for one in left.get(name, [])] for name in tables
                },
            }

        return DynamoCall("BatchWriteItem", body, tuple(("BatchWriteItem", name) for name in tables), result)

    return make


def _transact_write(document: Document, _table: str) -> DynamoCall:
    items = document.get("transactItems") or []
    made = [_transact_item(one) for one in items]
    keys = [_item(one.get("key")) for one in items]
    rights = tuple((_TRANSACTED[one["operation"]][1], one["table"]) for one in items)
    body = {"TransactItems": made}
    return DynamoCall(
        "TransactWriteItems",
        body,
        rights,
        lambda _: {"keys": keys, "cancellationReasons": None},
        cancelled=lambda answer: _cancelled("keys", answer),
    )


def _cancelled(member: str, answer: Document) -> Any:
    """One reason for each item, in their order; nothing for any other error. `item` is what was there, where DynamoDB
    tells it."""
    if "CancellationReasons" not in answer:
        return None
    reasons = [
        {
            "type": reason.get("Code") or "None",
            "message": reason.get("Message") or "None",
            **({"item": _item(reason["Item"])} if reason.get("Item") else {}),
        }
        for reason in answer["CancellationReasons"]
    ]
    return {member: None, "cancellationReasons": reasons}


def _transact_item(one: Document) -> Document:
    operation, table = one.get("operation"), one.get("table")
    if operation not in _TRANSACTED:
        raise TemplateError(f"TransactWriteItems knows no operation {operation}")
    member = _TRANSACTED[operation][0]
    if operation == "PutItem":
        given = {"Item": {**_key(one), **_some(one, "attributeValues")}, **_condition(one)}
    elif operation == "UpdateItem":
        given = _updated(one)
    else:
        given = {"Key": _key(one), **_condition(one)}
    return {member: {"TableName": table, **given}}


def _transact_get(document: Document, _table: str) -> DynamoCall:
    items = document.get("transactItems") or []
    body = {"TransactItems": [{"Get": {"TableName": one["table"], "Key": _key(one)}} for one in items]}
    rights = tuple(("GetItem", one["table"]) for one in items)
    return DynamoCall(
        "TransactGetItems",
        body,
        rights,
        lambda answer: {"items": [_item(one.get("Item")) for one in answer["Responses"]], "cancellationReasons": None},
        cancelled=lambda answer: _cancelled("items", answer),
    )


_TRANSACTED = {
    "PutItem": ("Put", "PutItem"),
    "UpdateItem": ("Update", "UpdateItem"),
    "DeleteItem": ("Delete", "DeleteItem"),
    "ConditionCheck": ("ConditionCheck", "ConditionCheckItem"),
}
_OPERATIONS: dict[str, Callable[[Document, str], DynamoCall]] = {
    "GetItem": _get,
    "PutItem": _put,
    "UpdateItem": _update,
    "DeleteItem": _delete,
    "Query": _query,
    "Scan": _scan,
    "BatchGetItem": _batch_get,
    "BatchPutItem": _batch_write("PutRequest", "Item"),
    "BatchDeleteItem": _batch_write("DeleteRequest", "Key"),
    "TransactWriteItems": _transact_write,
    "TransactGetItems": _transact_get,
}


def _key(document: Document) -> Document:
    key = document.get("key")
    if not isinstance(key, dict) or not key:
        raise TemplateError(f"{document.get('operation')} needs a key")
    return key


def _some(document: Document, name: str) -> Document:
    found = document.get(name)
    if found is not None and not isinstance(found, dict):
        raise TemplateError(f"{name} has to be a JSON object")
    return found or {}


def _condition(document: Document) -> Document:
    condition = _some(document, "condition")
    handler = condition.get("conditionalCheckFailedHandler") or {}
    if handler.get("strategy") == "Custom":
        raise UnsupportedError("a Lambda function that handles failed conditions")
    if not condition:
        return {}
    found = _expression(condition, "ConditionExpression")
    # An item of a transaction may say that it wants nothing back.
    if condition.get("returnValuesOnConditionCheckFailure") is False:
        return found
    return {**found, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


def _filter(document: Document) -> Document:
    found = _some(document, "filter")
    return _expression(found, "FilterExpression") if found.get("expression") else {}


def _expression(given: Document, member: str) -> Document:
    names, values = given.get("expressionNames"), given.get("expressionValues")
    return {
        member: given.get("expression"),
        **({"ExpressionAttributeNames": names} if names is not None else {}),
        **({"ExpressionAttributeValues": values} if values is not None else {}),
    }


def _merged(one: Document, other: Document) -> Document:
    """Two expressions of one call share names and values."""
    shared = ("ExpressionAttributeNames", "ExpressionAttributeValues")
    together = {name: {**one.get(name, {}), **other.get(name, {})} for name in shared if name in one or name in other}
    return {**one, **other, **together}


def _read_options(document: Document) -> Document:
    options: Document = {}
    if document.get("consistentRead") is not None:
        options["ConsistentRead"] = document["consistentRead"]
    projection = _some(document, "projection")
    if projection:
        options["ProjectionExpression"] = projection.get("expression")
        if projection.get("expressionNames"):
            options["ExpressionAttributeNames"] = projection["expressionNames"]
    return options


def _page(document: Document) -> Document:
    page = {}
    if document.get("projection"):
        raise UnsupportedError("a projection of Query and Scan")
    if document.get("index"):
        page["IndexName"] = document["index"]
    if document.get("select"):
        page["Select"] = document["select"]
    if document.get("consistentRead") is not None:
        page["ConsistentRead"] = document["consistentRead"]
    if document.get("limit") is not None:
        page["Limit"] = document["limit"]
    if document.get("nextToken") is not None:
        page["ExclusiveStartKey"] = _start(document["nextToken"])
    return page


def _place(document: Document, table: str) -> str:
    return f"{table}/index/{document['index']}" if document.get("index") else table


def _found(answer: Document) -> Any:
    last = answer.get("LastEvaluatedKey")
    return {
        "items": [_item(item) for item in answer.get("Items", [])],
        "nextToken": None if last is None else base64.b64encode(json.dumps(last).encode()).decode(),
        "scannedCount": answer.get("ScannedCount", 0),
    }


def _start(token: Any) -> Any:
    try:
        return json.loads(base64.b64decode(token, validate=True))
    except (ValueError, TypeError) as error:
        raise ResolverError("Invalid pagination token given.", "BadRequestException") from error


def _item(item: Document | None) -> Any:
    return None if item is None else attributes.plain_map(item)
