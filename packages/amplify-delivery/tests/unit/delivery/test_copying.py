"""Copying a table's items to its successor: what is looked at before, what is sent again, what is compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.changes.steps import CopyTable
from amplify_delivery.delivery.execution import copying
from amplify_delivery.errors import FailedError, RefusedError
from amplify_delivery.publishing.aws_errors import told_as

STEP = CopyTable(("Api", "Todo", "TodoTable"), "v2-")
KEYS = {"KeySchema": [{"AttributeName": n} for n in ("id", "owner")]}
TYPES = [{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "owner", "AttributeType": "S"}]


def item(number: int, owner: str | None = "me", **more: Any) -> dict[str, Any]:
    return {"id": {"S": f"{number}"}, **({"owner": {"S": owner}} if owner is not None else {}), **more}


class Tables:
    """DynamoDB: items by table, pages of two, `busy` answers that it had no capacity for the last item of a batch."""

    def __init__(self, **tables: Sequence[dict[str, Any]]) -> None:
        self.tables = {name.replace("v2_", "v2-"): list(items) for name, items in tables.items()}
        self.denied: set[str] = set()
        self.busy = 0
        self.account, self.region = "111122223333", "eu-west-1"
        self.after_scan: Any = None

    @property
    def target(self) -> Any:
        names = SimpleNamespace(arn=lambda service, what: f"arn:{service}:{what}")
        config = SimpleNamespace(bootstrapped=True)
        return SimpleNamespace(account=self, names=names, config=config, root=SimpleNamespace(stack_name="root"))

    def asking(self, what: str) -> Any:
        return told_as(RefusedError, what, "account", {})

    def changing(self, what: str) -> Any:
        return told_as(FailedError, what, "account", {})

    def client(self, _: str) -> Tables:
        return self

    def describe_stack_resource(self, **given: str) -> Any:
        standing = "v2-Todo" if "v2-Todo" in self.tables else "Todo"
        return {
            "StackResourceDetail": {"PhysicalResourceId": standing if given["LogicalResourceId"][:1] == "T" else "x"}
        }

    def _table(self, operation: str, name: str) -> list[dict[str, Any]]:
        if operation in self.denied:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)
        if name not in self.tables:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "none"}}, operation)
        return self.tables[name]

    def describe_table(self, TableName: str) -> Any:  # noqa: N803 - as boto3 calls it
        self._table("DescribeTable", TableName)
        return {}

    def scan(self, TableName: str, Limit: int) -> Any:  # noqa: N803
        return {"Items": self._table("Scan", TableName)[:Limit]}

    def get_paginator(self, _: str) -> Tables:
        return self

    def paginate(self, TableName: str, **more: Any) -> Iterator[Any]:  # noqa: N803
        assert more["ConsistentRead"] is True
        names = set(more.get("ExpressionAttributeNames", {}).values())
        rows = list(self._table("Scan", TableName))
        for start in range(0, len(rows), 2):
            page = rows[start : start + 2]
            yield {"Items": [{k: v for k, v in row.items() if not names or k in names} for row in page]}

    def batch_write_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803
        ((name, requests),) = RequestItems.items()
        rows = self._table("BatchWriteItem", name)
        assert 1 <= len(requests) <= 25
        left = []
        if self.busy:
            self.busy -= 1
            left = [requests[-1]]
        for request in requests[: len(requests) - len(left)]:
            new = request["PutRequest"]["Item"]
            rows[:] = [row for row in rows if (row["id"], row["owner"]) != (new["id"], new["owner"])] + [new]
        return {"UnprocessedItems": {name: left} if left else {}}


def check(tables: Tables) -> None:
    table = SimpleNamespace(properties={**KEYS, "AttributeDefinitions": TYPES})
    stacks = SimpleNamespace(resolved=SimpleNamespace(resources={STEP.path: table}))
    update: Any = SimpleNamespace(stacks=stacks)
    copying.check(tables.target, [STEP], update)


def copy(tables: Tables) -> list[str]:
    said: list[str] = []
    copying.carry_out(tables.target, [STEP], said.append)
    return said


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_PAUSES", (0.0,))


def test_all_is_copied_and_sent_again_where_there_was_no_capacity() -> None:
    rows = [item(n, blob={"B": b"\x00"}, tags={"SS": ["b", "a"]}) for n in range(60)]
    tables = Tables(Todo=rows, v2_Todo=[])
    tables.busy = 3
    assert copy(tables) == ["Api/Todo/TodoTable: 60 items of Todo copied to v2-Todo, and compared"]
    assert sorted(tables.tables["v2-Todo"], key=str) == sorted(rows, key=str)
    assert len(copy(tables)) == 1  # once more, as after a kill
    assert len(tables.tables["v2-Todo"]) == 60


def test_a_set_in_another_order_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = Tables(Todo=[item(1, tags={"SS": ["b", "a"]})], v2_Todo=[item(1, tags={"SS": ["a", "b"]})])
    monkeypatch.setattr(copying, "_copied", lambda *_: 1)
    copy(tables)


@pytest.mark.parametrize("there", [[], [item(1), item(2, n={"N": "2"})], [item(1), item(2, n={"S": "1"})]])
def test_what_is_not_there_as_it_was_is_a_failure(there: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has written to one of the two meanwhile."""
    tables = Tables(Todo=[item(1), item(2, n={"N": "1"})], v2_Todo=there)
    monkeypatch.setattr(copying, "_copied", lambda *_: 2)
    with pytest.raises(FailedError, match=r"items? of Todo are not in v2-Todo as they are there") as caught:
        copy(tables)
    assert "nothing is lost" in caught.value.remedy


def test_a_copy_that_is_denied_has_changed_something() -> None:
    tables = Tables(Todo=[item(1)], v2_Todo=[])
    tables.denied = {"BatchWriteItem"}
    with pytest.raises(FailedError, match="copying the items of Todo to v2-Todo"):
        copy(tables)


def test_what_can_be_copied_is_found_to_be_so_before() -> None:
    tables = Tables(Todo=[item(n) for n in range(5)])
    check(tables)
    assert list(tables.tables) == ["Todo"]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([item(1), item(2, None)], "it has no owner of the type S"),
        ([item(1), {"id": {"S": "2"}, "owner": {"N": "1"}}], "it has no owner of the type S"),
        ([item(1), item(2, "")], "its owner is empty"),
        ([item(1), item(2), item(1, other={"S": "x"})], "another item has the same keys"),
    ],
)
def test_items_that_are_none_of_the_new_table_are_named(rows: Any, fault: str) -> None:
    with pytest.raises(RefusedError, match=fault) as caught:
        check(Tables(Todo=rows))
    assert caught.value.remedy.startswith("nothing was changed")


@pytest.mark.parametrize("operation", ["DescribeTable", "Scan", "BatchWriteItem"])
def test_rights_that_lack_are_named_before(operation: str) -> None:
    tables = Tables(Todo=[item(1)])
    tables.denied = {operation}
    with pytest.raises(RefusedError, match="may not copy the items of Todo") as caught:
        check(tables)
    assert f'"dynamodb:{operation}"' in caught.value.remedy
    assert '"arn:dynamodb:table/Todo", "arn:dynamodb:table/v2-Todo"' in caught.value.remedy
    assert "`deployRights`" in caught.value.remedy


def test_a_name_that_is_taken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = Tables(Todo=[item(1)], v2_Todo=[])
    monkeypatch.setattr(copying, "physical_names", lambda *_: {STEP.path: "Todo"})
    with pytest.raises(RefusedError, match="there is a table v2-Todo already"):
        check(tables)
