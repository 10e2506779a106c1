"""Copying a table's items to its successor: what is looked at before, what is sent again, what is compared."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.changes.guard import AllowedLoss, Guard
from amplify_delivery.changes.ordered import handed
from amplify_delivery.changes.ordered.successors import closing
from amplify_delivery.changes.steps import CopyTable
from amplify_delivery.delivery.deployment.execution import copied_tables, copy_checks, copying
from amplify_delivery.errors import FailedError, RefusedError
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.publishing.aws_errors import told_as

STEP = CopyTable(("Api", "Todo", "TodoTable"), "v2-")
MADE = replace(STEP, current="v2-")
"""The step once the successor is made."""
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
        self.account, self.region, self.options = "111122223333", "eu-west-1", "--region eu-west-1"
        self.meta = SimpleNamespace(region_name=self.region)
        self.closed = {"Todo"}
        self.may_write = True
        self.policies = {"Todo": closing("arn:dynamodb:table/Todo")}
        """Resource-based policies by table, as they are read; `closed` tells where they are in force."""
        self.denial = DENIED_BY_ITS_POLICY
        self.expiry = ""
        self.replicas: list[str] = []
        self.status = "UPDATE_COMPLETE"
        self.current = "v2-Todo" if "v2-Todo" in self.tables else "Todo"
        self.writes = 0

    @property
    def target(self) -> Any:
        names = SimpleNamespace(arn=lambda service, what: f"arn:{service}:{what}")
        tables = (SimpleNamespace(path="Api/Other/OtherTable"), SimpleNamespace(path="Api/Todo/TodoTable"))
        config = SimpleNamespace(bootstrapped=True, environment="prod", replaced_tables=tables)
        return SimpleNamespace(account=self, names=names, config=config, root=SimpleNamespace(stack_name="root"))

    def asking(self, what: str) -> Any:
        return told_as(RefusedError, what, "account", {})

    def changing(self, what: str) -> Any:
        return told_as(FailedError, what, "account", {})

    def client(self, _: str) -> Tables:
        return self

    def describe_stack_resource(self, **given: str) -> Any:
        table = given["LogicalResourceId"] == "TodoTable"
        return {"StackResourceDetail": {"PhysicalResourceId": self.current if table else "x"}}

    def describe_stacks(self, StackName: str) -> Any:  # noqa: N803
        parameters = [{"ParameterKey": TEMPLATE_KEY, "ParameterValue": "made.json"}]
        return {"Stacks": [{"StackId": f"id-of-{StackName}", "StackStatus": self.status, "Parameters": parameters}]}

    def _table(self, operation: str, name: str) -> list[dict[str, Any]]:
        if operation in self.denied:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)
        if name not in self.tables:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "none"}}, operation)
        return self.tables[name]

    def describe_table(self, TableName: str) -> Any:  # noqa: N803 - as boto3 calls it
        self._table("DescribeTable", TableName)
        return {"Table": {**KEYS, "Replicas": [{"RegionName": region} for region in self.replicas]}}

    def get_resource_policy(self, ResourceArn: str) -> Any:  # noqa: N803
        name = ResourceArn.rpartition("/")[2]
        self._table("GetResourcePolicy", name)
        if name not in self.policies:
            raise ClientError({"Error": {"Code": "PolicyNotFoundException", "Message": "no"}}, "GetResourcePolicy")
        return {"Policy": json.dumps(self.policies[name])}

    def describe_time_to_live(self, TableName: str) -> Any:  # noqa: N803
        self._table("DescribeTimeToLive", TableName)
        return {"TimeToLiveDescription": {"AttributeName": self.expiry} if self.expiry else {}}

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
        if name in self.closed or not (self.may_write or name.startswith("v2-")):
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": self.denial}}, "BatchWriteItem")
        assert 1 <= len(requests) <= 25
        if "DeleteRequest" in requests[0]:
            error = {"Code": "ValidationException", "Message": "The provided key element does not match the schema"}
            raise ClientError({"Error": error}, "BatchWriteItem")
        self.writes += len(requests)
        left = []
        if self.busy:
            self.busy -= 1
            left = [requests[-1]]
        for request in requests[: len(requests) - len(left)]:
            new = request["PutRequest"]["Item"]
            rows[:] = [row for row in rows if (row["id"], row["owner"]) != (new["id"], new["owner"])] + [new]
        return {"UnprocessedItems": {name: left} if left else {}}


NOT_AUTHORIZED = "User: u is not authorized to perform: dynamodb:BatchWriteItem on resource: Todo"
DENIED_BY_ITS_POLICY = f"{NOT_AUTHORIZED} with an explicit deny in a resource-based policy"


@pytest.mark.parametrize(
    "why",
    [
        "",
        "because no identity-based policy allows the dynamodb:BatchWriteItem action",
        "because no permissions boundary allows the dynamodb:BatchWriteItem action",
        "with an explicit deny in a service control policy",
        "with an explicit deny in a resource-based policy",
    ],
)
def test_who_may_not_write_to_a_table_does_not_take_it_for_closed(why: str) -> None:
    """The app may write there all the same, and what it writes would be lost to it. Another policy of the table that
    denies these credentials alone closes it as little."""
    for attempt, tables in ((check, Tables(Todo=[item(1)])), (copy, Tables(Todo=[item(1)], v2_Todo=[]))):
        tables.denial = f"{NOT_AUTHORIZED} {why}"
        tables.closed, tables.may_write, tables.policies = set(), False, {}
        with pytest.raises(RefusedError, match="may not copy") as error:
            attempt(tables)
        assert "dynamodb:BatchWriteItem" in (error.value.remedy or "")
        assert tables.writes == 0
        own = closing("arn:dynamodb:table/Todo")
        own["Statement"][0]["Principal"] = {"AWS": "arn:aws:iam::111122223333:role/deploy"}
        tables.policies = {"Todo": own}
        with pytest.raises(RefusedError, match="may not copy"):
            attempt(tables)


def test_a_table_is_closed_by_its_policy_however_the_denial_is_worded() -> None:
    tables = Tables(Todo=[item(1)], v2_Todo=[])
    tables.denial = "no"
    copy(tables)
    assert tables.tables["v2-Todo"] == [item(1)]


def test_a_policy_that_is_not_in_force_yet_is_waited_for() -> None:
    tables = Tables(Todo=[item(1)], v2_Todo=[])
    tables.closed = set()
    with pytest.raises(RefusedError, match="Todo is not closed"):
        copy(tables)
    assert tables.writes == 0


def test_who_may_not_read_the_tables_policy_is_told() -> None:
    tables = Tables(Todo=[item(1)], v2_Todo=[])
    tables.denied = {"GetResourcePolicy"}
    with pytest.raises(RefusedError, match="may not copy") as caught:
        copy(tables)
    assert "dynamodb:GetResourcePolicy" in caught.value.remedy


def check(tables: Tables, step: CopyTable = STEP, *allowed: AllowedLoss) -> None:
    table = SimpleNamespace(properties={**KEYS, "AttributeDefinitions": TYPES})
    stacks = SimpleNamespace(resolved=SimpleNamespace(resources={STEP.path: table}))
    update: Any = SimpleNamespace(stacks=stacks)
    guard = Guard("prod", allowed, date(2026, 6, 1))
    copy_checks.check(tables.target, copied_tables.named(tables.target, [step]), update, guard)


def copy(tables: Tables, step: CopyTable = MADE, *allowed: AllowedLoss) -> list[str]:
    said: list[str] = []
    guard = Guard("prod", allowed, date(2026, 6, 1))
    copying.carry_out(tables.target, copied_tables.named(tables.target, [step]), guard, said.append)
    return said


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_PAUSES", (0.0,))
    monkeypatch.setattr(copying, "_CLOSED_WITHIN", 0.01)


def test_all_is_copied_and_sent_again_where_there_was_no_capacity() -> None:
    rows = [item(n, blob={"B": b"\x00"}, tags={"SS": ["b", "a"]}) for n in range(60)]
    tables = Tables(Todo=rows, v2_Todo=[])
    tables.busy = 3
    assert copy(tables) == ["Api/Todo/TodoTable: 60 items of Todo copied to v2-Todo, and compared"]
    assert sorted(tables.tables["v2-Todo"], key=str) == sorted(rows, key=str)
    assert len(copy(tables)) == 1  # once more, as after a kill
    assert len(tables.tables["v2-Todo"]) == 60


def test_a_set_in_another_order_is_the_same() -> None:
    tables = Tables(Todo=[item(1, tags={"SS": ["b", "a"]})], v2_Todo=[item(1, tags={"SS": ["a", "b"]})])
    copy(tables)
    assert tables.writes == 0


def test_a_copy_that_was_ended_goes_on_with_what_lacks() -> None:
    tables = Tables(Todo=[item(n) for n in range(9)], v2_Todo=[item(n) for n in range(4)])
    copy(tables)
    assert tables.writes == 5


def test_the_program_is_told_of_this_table_in_this_state_of_this_stack() -> None:
    tables = Tables(Todo=[item(1)], v2_Todo=[])
    done = copying.carry_out(
        tables.target, copied_tables.named(tables.target, [MADE]), Guard("prod", (), date(2026, 6, 1)), lambda _: None
    )
    assert done.told == (handed.copied("id-of-root", "made.json", "Api/Todo/TodoTable"),)


OTHER = item(1, n={"S": "1"})
KEEP, NEXT = (f"`pulumi config set -s prod --path 'replacedTables[1].{what}`" for what in ("data' keep", "prefix' v3-"))


@pytest.mark.parametrize(
    ("there", "status", "said"),
    [
        ([item(1), item(2), item(9)], "UPDATE_COMPLETE", "1 item only there"),
        ([OTHER, item(2)], "UPDATE_COMPLETE", "1 item there with other values under the same keys"),
        (
            [OTHER, item(8), item(9)],
            "UPDATE_ROLLBACK_COMPLETE",
            "2 items only there, 1 item there .*, 1 item not there",
        ),
        ([item(1)], "UPDATE_ROLLBACK_COMPLETE", "1 item not there"),
        ([], "UPDATE_ROLLBACK_COMPLETE", "2 items not there"),
    ],
)
def test_nothing_is_written_over_what_the_app_has_written(there: Any, status: str, said: str) -> None:
    """An update was rolled back after the app had used the successor: what it has deleted there stays deleted too."""
    tables = Tables(Todo=[item(1), item(2)], v2_Todo=there)
    tables.status = status
    with pytest.raises(RefusedError, match=f"{said} \\(keys: id, owner\\)") as caught:
        copy(tables)
    assert tables.tables["v2-Todo"] == there
    own = "only there" in said or "other values" in said
    assert ("has items of its own" in caught.value.message) == own
    assert "nothing was changed, and both tables stay" in caught.value.remedy
    assert KEEP in caught.value.remedy
    assert NEXT in caught.value.remedy
    assert "`amplify-delivery plan prod`" in caught.value.remedy


@pytest.mark.parametrize("there", [[item(1), item(9)], [OTHER], []])
def test_what_is_to_be_kept_stays_as_it_is(there: Any) -> None:
    tables = Tables(Todo=[item(1), item(2)], v2_Todo=there)
    tables.status = "UPDATE_ROLLBACK_COMPLETE"
    # Whether the app has deleted them there, or the copy was ended before them, nobody can tell.
    with pytest.raises(RefusedError, match=r"items? of Todo that v2-Todo lacks: .* not there") as caught:
        copy(tables, replace(MADE, keep=True))
    assert "'dataLoss[0].path' 'Api/Todo/TodoTable'" in caught.value.remedy
    allowed = AllowedLoss("Api/Todo/TodoTable", "deleted by the app", until=date(2026, 6, 2))
    (line,) = copy(tables, replace(MADE, keep=True), allowed)
    assert "v2-Todo is used as it is; against Todo: " in line
    assert (tables.tables["v2-Todo"], tables.writes) == (there, 0)


def test_a_successor_that_was_never_in_use_is_not_kept_with_a_part_of_the_items() -> None:
    tables = Tables(Todo=[item(1), item(2)], v2_Todo=[item(1)])
    with pytest.raises(RefusedError, match="was never in use, and lacks items of Todo: 1 item not there") as caught:
        copy(tables, replace(MADE, keep=True))
    assert "`pulumi config set -s prod --path 'replacedTables[1].data' copy`" in caught.value.remedy


def test_what_expires_meanwhile_may_be_in_one_of_them_only() -> None:
    past, future = ({"N": str(time.time() + seconds)} for seconds in (-60, 3600))
    tables = Tables(Todo=[item(1, ttl=past), item(2, ttl=future)], v2_Todo=[item(2, ttl=future), item(3, ttl=past)])
    tables.expiry = "ttl"
    copy(tables)
    del tables.tables["v2-Todo"][0]
    tables.tables["v2-Todo"].append(item(4, ttl=future))
    with pytest.raises(RefusedError, match="1 item only there"):
        copy(tables)


def test_what_is_written_during_the_copy_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the policy, to one of the two: both are read once more."""
    for late in ("Todo", "v2-Todo"):
        tables = Tables(Todo=[item(1), item(2)], v2_Todo=[])
        written = copying._written

        def write(*given: Any, tables: Tables = tables, late: str = late, written: Any = written) -> None:
            written(*given)
            tables.tables[late].append(item(3))

        with monkeypatch.context() as patched:
            patched.setattr(copying, "_written", write)
            with pytest.raises(FailedError, match=r"does not have the items of Todo as they are: 1 item") as caught:
                copy(tables)
        assert "nothing is lost" in caught.value.remedy


def test_nothing_is_copied_from_a_table_that_is_open() -> None:
    tables = Tables(Todo=[item(1)], v2_Todo=[])
    tables.closed, tables.policies = set(), {}
    with pytest.raises(RefusedError, match="Todo is not closed") as caught:
        copy(tables)
    assert tables.writes == 0
    assert "`aws dynamodb put-resource-policy --resource-arn arn:dynamodb:table/Todo --policy '{" in caught.value.remedy


def test_a_table_that_is_gone_is_told() -> None:
    with pytest.raises(RefusedError, match="the table with the items is gone") as caught:
        copy(Tables(v2_Todo=[]))
    assert "`aws dynamodb list-backups --table-name Todo --region eu-west-1`" in caught.value.remedy


def test_what_was_written_between_the_comparison_and_the_release_is_told() -> None:
    """Only where somebody has taken the policy away is the old table read again."""
    tables = Tables(Todo=[item(1)], v2_Todo=[])
    done = copying.carry_out(
        tables.target, copied_tables.named(tables.target, [MADE]), Guard("prod", (), date(2026, 6, 1)), lambda _: None
    )
    tables.tables["Todo"].append(item(2))
    copying.check_still_closed(tables.target, done)
    tables.closed, tables.policies = set(), {}
    with pytest.raises(FailedError, match="1 item of Todo were written after the tables were compared") as caught:
        copying.check_still_closed(tables.target, done)
    assert "`aws dynamodb scan --table-name Todo --region eu-west-1`" in caught.value.remedy


def test_a_successor_of_a_successor_gets_its_items() -> None:
    step = CopyTable(STEP.path, "v3-", of="v2-", current="v2-")
    (one,) = copied_tables.named(Tables(v2_Todo=[]).target, [step])
    assert (one.source, one.successor, one.given_up) == ("v2-Todo", "v3-Todo", "")


def test_another_successor_gets_the_old_tables_items_and_what_the_first_has_more_is_a_loss() -> None:
    step = CopyTable(STEP.path, "v3-", current="v2-")
    tables = Tables(Todo=[item(1), item(2)], v2_Todo=[item(1)])
    (one,) = copied_tables.named(tables.target, [step])
    assert (one.source, one.successor, one.given_up) == ("Todo", "v3-Todo", "v2-Todo")
    check(tables, step)
    tables.tables["v2-Todo"].append(item(3))
    with pytest.raises(
        RefusedError, match="the items of v2-Todo, for which v3-Todo is made: 1 item only there"
    ) as caught:
        check(tables, step)
    assert "'dataLoss[0].path' 'Api/Todo/TodoTable'" in caught.value.remedy
    check(tables, step, AllowedLoss("Api/Todo/TodoTable", "tried only", until=date(2026, 6, 2)))


def test_a_table_with_an_unexpected_name_is_left_alone() -> None:
    tables = Tables(Todo=[item(1)])
    with pytest.raises(RefusedError, match="the table there is Todo, which does not begin with v2-"):
        copy(tables)


@pytest.mark.parametrize("operation", ["DescribeTable", "DescribeTimeToLive", "Scan", "BatchWriteItem"])
def test_who_goes_on_without_the_rights_is_told_them(operation: str) -> None:
    tables = Tables(Todo=[item(1)], v2_Todo=[])
    tables.denied = {operation}
    with pytest.raises(RefusedError, match="may not copy the items of Todo") as caught:
        copy(tables)
    assert f'"dynamodb:{operation}"' in caught.value.remedy


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


@pytest.mark.parametrize("operation", ["DescribeTable", "DescribeTimeToLive", "Scan", "BatchWriteItem"])
def test_rights_that_lack_are_named_before(operation: str) -> None:
    tables = Tables(Todo=[item(1)])
    tables.denied = {operation}
    with pytest.raises(RefusedError, match="may not copy the items of Todo") as caught:
        check(tables)
    assert f'"dynamodb:{operation}"' in caught.value.remedy
    assert '"arn:dynamodb:table/Todo", "arn:dynamodb:table/v2-Todo"' in caught.value.remedy
    assert "`deployRights`" in caught.value.remedy


def test_a_table_with_replicas_is_not_copied() -> None:
    """Global tables: a policy holds for the table of its own region."""
    tables = Tables(Todo=[item(1)])
    tables.replicas = ["us-east-1"]
    with pytest.raises(RefusedError, match=r"Todo has replicas in other regions \(us-east-1\)"):
        check(tables)


def test_a_name_that_is_taken_is_refused() -> None:
    tables = Tables(Todo=[item(1)], v2_Todo=[])
    tables.current = "Todo"
    with pytest.raises(RefusedError, match="there is a table v2-Todo already"):
        check(tables)
