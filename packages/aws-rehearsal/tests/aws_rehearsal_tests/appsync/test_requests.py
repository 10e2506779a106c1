"""What a resolver asks: filters as DynamoDB's expressions, mapping documents as its calls, and a pipeline's order."""

from __future__ import annotations

from typing import Any

import pytest

from aws_rehearsal.local_aws.appsync.access import (
    API_KEY,
    IAM,
    USER_POOLS,
    is_denied,
    is_of_form,
    is_open,
    rules,
)
from aws_rehearsal.local_aws.appsync.attributes import of, plain
from aws_rehearsal.local_aws.appsync.errors import ResolverError, TemplateError, UnsupportedError
from aws_rehearsal.local_aws.appsync.execution import DataSourceError, Request, Resolver, Unit, resolve
from aws_rehearsal.local_aws.appsync.expressions import expression
from aws_rehearsal.local_aws.appsync.requests import dynamo_call
from aws_rehearsal.local_aws.appsync.utilities import Surroundings

AROUND = Surroundings("Query", "list", "API Key Authorization", lambda: 0.0, lambda: "id")
ASKED = Request(AROUND, {"id": "1"}, None, None, {})


def test_a_filter_becomes_the_expression_that_aws_shows() -> None:
    """AppSync Developer Guide, `toDynamoDBFilterExpression`."""
    assert expression({"title": {"contains": "Hello World"}}) == {
        "expression": "contains(#title, :title_contains)",
        "expressionNames": {"#title": "title"},
        "expressionValues": {":title_contains": {"S": "Hello World"}},
    }


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"a": {"ne": 1, "gt": 0}}, "(#a <> :a_ne) AND (#a > :a_gt)"),
        ({"a": {"eq": 1}, "b": {"between": [1, 2]}}, "(#a = :a_eq) AND (#b BETWEEN :b_between_0 AND :b_between_1)"),
        (
            {"or": [{"a": {"eq": 1}}, {"a": {"eq": 2}}]},
            "(#a = :or_0_a_eq) OR (#a = :or_1_a_eq)",
        ),
        ({"not": {"a": {"attributeExists": False}}}, "NOT (attribute_not_exists(#a))"),
        ({"a": {"size": {"ge": 3}}}, "size(#a) >= :a_size_ge"),
        ({"a": {"attributeType": "_null"}, "b": None}, "attribute_type(#a, :a_attributeType)"),
        ({"and": [{"a": {"beginsWith": "x"}}]}, "begins_with(#a, :and_0_a_beginsWith)"),
    ],
)
def test_a_filter_becomes_dynamodbs_expression(given: dict[str, Any], text: str) -> None:
    assert expression(given)["expression"] == text


def test_an_unknown_comparison_is_refused() -> None:
    with pytest.raises(ResolverError, match="Unknown comparison like of a"):
        expression({"a": {"like": "x"}})


def test_attributes_there_and_back() -> None:
    value = {"s": "x", "n": 1.5, "whole": 2.0, "b": True, "none": None, "l": [1, {"k": "v"}]}
    assert of(value)["M"]["whole"] == {"N": "2"}
    assert plain(of(value)) == value
    assert plain({"NS": ["1", "2.5"]}) == [1, 2.5]


def test_a_query_of_an_index_with_a_filter() -> None:
    call = dynamo_call(
        {
            "operation": "Query",
            "query": {
                "expression": "#n = :n",
                "expressionNames": {"#n": "name"},
                "expressionValues": {":n": {"S": "x"}},
            },
            "filter": {
                "expression": "#o = :o",
                "expressionNames": {"#o": "owner"},
                "expressionValues": {":o": {"S": "me"}},
            },
            "index": "byName",
            "limit": 2,
            "nextToken": None,
            "scanIndexForward": False,
        },
        "Todo",
    )
    assert call.rights == (("Query", "Todo/index/byName"),)
    assert call.body == {
        "TableName": "Todo",
        "IndexName": "byName",
        "KeyConditionExpression": "#n = :n",
        "FilterExpression": "#o = :o",
        "ExpressionAttributeNames": {"#n": "name", "#o": "owner"},
        "ExpressionAttributeValues": {":n": {"S": "x"}, ":o": {"S": "me"}},
        "Limit": 2,
        "ScanIndexForward": False,
    }
    answer = {"Items": [{"id": {"S": "1"}}], "ScannedCount": 2, "LastEvaluatedKey": {"id": {"S": "1"}}}
    page = call.result(answer)
    assert (page["items"], page["scannedCount"]) == ([{"id": "1"}], 2)
    onward = dynamo_call({"operation": "Scan", "nextToken": page["nextToken"]}, "Todo")
    assert onward.body["ExclusiveStartKey"] == {"id": {"S": "1"}}


def test_an_update_shares_names_and_values_with_its_condition() -> None:
    call = dynamo_call(
        {
            "operation": "UpdateItem",
            "key": {"id": {"S": "1"}},
            "update": {"expression": "SET #a = :a", "expressionNames": {"#a": "a"}, "expressionValues": {":a": of(1)}},
            "condition": {"expression": "attribute_exists(#id)", "expressionNames": {"#id": "id"}},
        },
        "Todo",
    )
    assert call.body["ExpressionAttributeNames"] == {"#a": "a", "#id": "id"}
    assert (call.body["ConditionExpression"], call.body["ReturnValues"]) == ("attribute_exists(#id)", "ALL_NEW")


def test_a_batch_gives_items_in_the_order_of_their_keys() -> None:
    keys = [{"id": of("1")}, {"id": of("2")}]
    call = dynamo_call({"operation": "BatchGetItem", "tables": {"Todo": {"keys": keys}}}, "Todo")
    answer = {"Responses": {"Todo": [{"id": of("2"), "n": of(2)}]}}
    assert call.result(answer)["data"] == {"Todo": [None, {"id": "2", "n": 2}]}


def test_a_transaction_needs_the_right_of_each_item() -> None:
    items = [
        {"table": "A", "operation": "PutItem", "key": {"id": of("1")}, "attributeValues": {"n": of(1)}},
        {"table": "B", "operation": "ConditionCheck", "key": {"id": of("2")}, "condition": {"expression": "n = n"}},
    ]
    call = dynamo_call({"operation": "TransactWriteItems", "transactItems": items}, "A")
    assert call.rights == (("PutItem", "A"), ("ConditionCheckItem", "B"))
    assert call.body["TransactItems"][0] == {"Put": {"TableName": "A", "Item": {"id": of("1"), "n": of(1)}}}
    assert call.result({})["keys"] == [{"id": "1"}, {"id": "2"}]


@pytest.mark.parametrize(
    ("document", "kind", "said"),
    [
        ({"operation": "Sync"}, UnsupportedError, "the DynamoDB operation Sync"),
        ({"operation": "GetItem"}, TemplateError, "needs a key"),
        ({}, TemplateError, "no operation"),
        ([], TemplateError, "JSON object"),
        ({"operation": "Scan", "nextToken": "?"}, ResolverError, "Invalid pagination token given."),
    ],
)
def test_other_documents_are_refused(document: Any, kind: type[ResolverError], said: str) -> None:
    with pytest.raises(kind, match=said):
        dynamo_call(document, "Todo")


def unit(name: str, request: str, response: str = "$util.toJson($ctx.result)") -> Unit:
    return Unit(name, "source", request, response)


def echo(_name: str, document: Any, _context: dict[str, Any]) -> Any:
    return document["payload"]


def test_a_pipeline_hands_on_results_and_keeps_its_stash() -> None:
    first = unit("one", '$util.qr($ctx.stash.put("seen", $ctx.args.id)){"payload": 1}')
    early = unit("two", "#return($util.toJson(null))", "$util.error('never')")
    last = unit("three", '{"payload": {"prev": $util.toJson($ctx.prev.result), "seen": "$ctx.stash.seen"}}')
    resolver = Resolver("Query.list", "{}", "$util.toJson($ctx.prev.result)", (first, early, last))
    assert resolve(resolver, ASKED, echo) == {"prev": None, "seen": "1"}


def test_what_a_template_changes_stays_its_fields() -> None:
    shared: dict[str, Any] = {"groups": ["Users"], "claims": {"sub": "ann"}}
    places = ("args", "source", "identity", "request.headers", "info.variables")
    changes = "".join(f"$util.qr($ctx.{place}.claims.put('sub', 'bob'))" for place in places)
    changes += "".join(f"$util.qr($ctx.{place}.groups.add('Admins'))" for place in places)
    request = Request(AROUND, shared, shared, shared, shared, {"variables": shared})
    resolver = Resolver("Query.list", changes + '{"payload": $util.toJson($ctx.identity.claims.sub)}', None)
    assert resolve(resolver, request, echo) == "bob"
    assert shared == {"groups": ["Users"], "claims": {"sub": "ann"}}


def test_a_template_decides_about_an_error_of_its_data_source() -> None:
    def fails(_name: str, _document: Any, _context: dict[str, Any]) -> Any:
        raise DataSourceError("it failed", "DynamoDB:Failed", {"id": "old"})

    told = "$util.toJson({'type': $ctx.error.type, 'result': $ctx.result})"
    resolver = Resolver("Query.list", '{"version": "2018-05-29"}', told)
    assert resolve(resolver, ASKED, fails) == {"type": "DynamoDB:Failed", "result": {"id": "old"}}
    old = Resolver("Query.list", '{"version": "2017-02-28"}', told)
    with pytest.raises(DataSourceError, match="it failed"):
        resolve(old, ASKED, fails)


@pytest.mark.parametrize(
    ("request_template", "said"),
    [
        ("", None),
        ("  ", "Query.list, request mapping template: Template transformation yielded an empty response."),
        ("{oops", "Query.list, request mapping template: Unable to parse the JSON document"),
        ("$util.xml.toString('x')", r"Query.list, request mapping template: The local AWS does not play \$util.xml"),
    ],
)
def test_an_error_names_its_template(request_template: str, said: str | None) -> None:
    resolver = Resolver("Query.list", request_template, None, data_source="source")
    if said is None:
        assert resolve(resolver, ASKED, lambda *_: "direct") == "direct"
        return
    with pytest.raises(ResolverError, match=said):
        resolve(resolver, ASKED, echo)


def test_which_ways_to_authorize_open_a_field() -> None:
    both = rules([("aws_iam", {}), ("aws_cognito_user_pools", {"cognito_groups": ["Admins"]}), ("deprecated", {})])
    assert is_open(both, IAM, API_KEY, [])
    assert is_open(both, USER_POOLS, API_KEY, ["Admins"])
    assert not is_open(both, USER_POOLS, API_KEY, ["Others"])
    assert not is_open(both, API_KEY, API_KEY, [])
    assert is_open((), API_KEY, API_KEY, [])
    assert not is_open((), IAM, API_KEY, [])
    # `defaultAction` DENY is about users, and about fields that nothing is said of.
    assert not is_open((), USER_POOLS, USER_POOLS, ["Admins"], deny_unmarked=True)
    assert is_open(both, USER_POOLS, USER_POOLS, ["Admins"], deny_unmarked=True)
    assert is_open((), API_KEY, API_KEY, [], deny_unmarked=True)


def test_what_a_lambda_authorizer_denies_by_name_or_arn() -> None:
    api = "arn:aws:appsync:eu-west-1:111111111111:apis/one"
    for named in ("Event.comments", f"{api}/types/Event/fields/comments"):
        assert is_denied([named], api, "Event", "comments")
        assert not is_denied([named], api, "Event", "name")
    assert not is_denied([f"{api}s/types/Event/fields/comments", 1, None], api, "Event", "comments")


@pytest.mark.parametrize(
    ("expression", "matches"), [(None, True), ("", True), ("^Bearer ", True), ("^Basic ", False), ("(", False)]
)
def test_a_token_is_of_the_form_that_the_api_asks_for(expression: str | None, matches: bool) -> None:
    assert is_of_form("Bearer x", expression) is matches


def written(operation: str, **condition: Any) -> Any:
    """A write of the item 1, named Steve, of version 2."""
    document = {
        "operation": operation,
        "key": {"id": of("1")},
        "attributeValues": {"name": of("Steve"), "version": of(2)},
        "update": {"expression": "SET n = n"},
        "condition": {"expression": "version = :v", **condition},
    }
    return dynamo_call(document, "People").after_refusal


@pytest.mark.parametrize(
    ("operation", "condition", "there", "wanted"),
    [
        ("PutItem", {}, {"id": of("1"), "name": of("Steve"), "version": of(2)}, True),
        ("PutItem", {}, {"id": of("1"), "name": of("Steve"), "version": {"N": "2.0"}}, True),
        ("PutItem", {}, {"id": of("1"), "name": of("Steve"), "version": of(8)}, False),
        ("PutItem", {}, {"id": of("1"), "name": of("Steve"), "version": of(2), "more": of(1)}, False),
        ("PutItem", {"equalsIgnore": ["version"]}, {"id": of("1"), "name": of("Steve"), "version": of(8)}, True),
        ("PutItem", {"equalsIgnore": ["version"]}, {"id": of("1"), "name": of("Eve"), "version": of(8)}, False),
        ("PutItem", {}, None, False),
        ("DeleteItem", {}, None, True),
        ("DeleteItem", {}, {"id": of("1")}, False),
        ("UpdateItem", {}, {"id": of("1"), "name": of("Steve"), "version": of(2)}, False),
        ("UpdateItem", {}, None, False),
    ],
)
def test_a_condition_that_did_not_hold_is_no_error_if_the_item_is_as_it_was_wanted(
    operation: str, condition: dict[str, Any], there: dict[str, Any] | None, wanted: bool
) -> None:
    """AppSync Developer Guide, "Handling a condition check failure"."""
    assert written(operation, **condition).is_wanted(there) is wanted


def test_the_item_is_read_consistently_unless_the_condition_says_otherwise() -> None:
    read = {"TableName": "People", "Key": {"id": of("1")}, "ConsistentRead": True}
    assert written("PutItem").read == read
    assert written("DeleteItem", consistentRead=False).read == {**read, "ConsistentRead": False}
    plain_put = {"operation": "PutItem", "key": {"id": of("1")}}
    assert dynamo_call(plain_put, "People").after_refusal is None


def test_a_cancelled_transaction_tells_why_item_by_item() -> None:
    checked = {"expression": "n = n", "returnValuesOnConditionCheckFailure": False}
    items = [
        {"table": "A", "operation": "DeleteItem", "key": {"id": of("1")}, "condition": {"expression": "n = n"}},
        {"table": "A", "operation": "ConditionCheck", "key": {"id": of("2")}, "condition": checked},
    ]
    call = dynamo_call({"operation": "TransactWriteItems", "transactItems": items}, "A")
    first, second = (next(iter(one.values())) for one in call.body["TransactItems"])
    assert first["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
    assert "ReturnValuesOnConditionCheckFailure" not in second
    refused = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    answer = {"CancellationReasons": [{**refused, "Item": {"id": of("1"), "n": of(3)}}, {"Code": "None"}]}
    assert call.cancelled is not None
    told = {"type": "ConditionalCheckFailed", "message": "The conditional request failed"}
    assert call.cancelled(answer) == {
        "keys": None,
        "cancellationReasons": [{**told, "item": {"id": "1", "n": 3}}, {"type": "None", "message": "None"}],
    }
    assert call.cancelled({"__type": "ValidationException"}) is None
    got = dynamo_call({"operation": "TransactGetItems", "transactItems": items[:1]}, "A")
    assert got.cancelled is not None
    assert got.cancelled({"CancellationReasons": [refused]}) == {"items": None, "cancellationReasons": [told]}
