"""What a preview leaves: its own buckets and tables go, and whatever may be somebody else's stays, and is told."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from amplify_delivery.delivery.teardown import former_tables, leftovers
from amplify_delivery.delivery.teardown.held import Held
from amplify_delivery.delivery.teardown.left_behind import left_by
from amplify_delivery.errors import FailedError
from amplify_delivery.publishing.aws_errors import told_as

ROOT, NESTED = "arn:aws:cloudformation:eu-west-1:2:stack/root/1", "arn:aws:cloudformation:eu-west-1:2:stack/root-api/2"
BUCKET, TABLE = "AWS::S3::Bucket", "AWS::DynamoDB::Table"
FILES = Held("storage/S3Bucket", BUCKET, "files", "objects", kept=True, stack=NESTED)
ORDERS = Held("api/Orders", TABLE, "v2-orders-pr12", "items", kept=True, succeeds="orders-pr12", stack=NESTED)
LEFT = datetime(2026, 11, 1, tzinfo=UTC)
MADE = LEFT - timedelta(days=1)
TAG = {"Key": "aws:cloudformation:stack-id", "Value": NESTED}


def refusal(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Call")


class Account:
    """Buckets with their tags, tables with the time at which they were made, and the stacks that hold some of them."""

    account, region, options = "222222222222", "eu-west-1", "--region eu-west-1"

    def __init__(self) -> None:
        self.buckets: dict[str, list[dict[str, str]]] = {"files": [TAG]}
        self.tables = dict.fromkeys(("v2-orders-pr12", "orders-pr12"), MADE)
        self.stacks: dict[str, tuple[str, str, str]] = {}
        """Of a physical id: the stack, the type and the status that CloudFormation tells."""
        self.roles = 1
        self.deleted: list[str] = []
        self.waited: list[str] = []
        self.refused: dict[str, Exception] = {}
        """By operation."""

    def client(self, _: str) -> Account:
        return self

    def asking(self, _: str) -> AbstractContextManager[None]:
        return nullcontext()

    def changing(self, what: str, **_: Any) -> AbstractContextManager[None]:
        return told_as(FailedError, what, "here")

    def answer(self, operation: str) -> None:
        if operation in self.refused:
            raise self.refused[operation]

    def get_paginator(self, operation: str) -> Any:
        pages = [{"TableNames": list(self.tables)}] if operation == "list_tables" else [{}]
        account = self

        class Pages:
            def paginate(self, StackName: str = "", **_: Any) -> list[dict[str, Any]]:  # noqa: N803
                account.answer(operation)
                return [{"StackResourceSummaries": account.resources(StackName)}] if StackName else pages

        return Pages()

    def describe_stack_resources(self, PhysicalResourceId: str) -> Any:  # noqa: N803
        self.answer("describe_stack_resources")
        if PhysicalResourceId not in self.stacks:
            raise refusal("ValidationError", f"Stack for {PhysicalResourceId} does not exist")
        stack, _, _ = self.stacks[PhysicalResourceId]
        return {"StackResources": [{**r, "StackName": stack} for r in self.resources(stack)[:100]]}

    def resources(self, stack: str) -> list[dict[str, Any]]:
        """Of a stack: its roles first."""
        role = {"ResourceType": "AWS::IAM::Role", "ResourceStatus": "CREATE_COMPLETE"}
        own = [
            {"ResourceType": kind, "ResourceStatus": status, "PhysicalResourceId": name}
            for name, (held_by, kind, status) in self.stacks.items()
            if held_by == stack
        ]
        return [*({**role, "PhysicalResourceId": f"r{n}"} for n in range(self.roles)), *own]

    def get_bucket_tagging(self, Bucket: str, ExpectedBucketOwner: str) -> Any:  # noqa: N803
        assert ExpectedBucketOwner == self.account
        self.answer("get_bucket_tagging")
        if not self.buckets[Bucket]:
            raise refusal("NoSuchTagSet")
        return {"TagSet": [{"Key": "user:Stack", "Value": "pr12"}, *self.buckets[Bucket]]}

    def describe_table(self, TableName: str) -> Any:  # noqa: N803
        self.answer("describe_table")
        return {"Table": {"TableArn": TableName, "CreationDateTime": self.tables[TableName]}}

    def delete_bucket(self, Bucket: str, ExpectedBucketOwner: str) -> None:  # noqa: N803
        assert ExpectedBucketOwner == self.account
        self.answer("delete_bucket")
        self.deleted.append(Bucket)

    def delete_table(self, TableName: str) -> None:  # noqa: N803
        self.answer("delete_table")
        self.deleted.append(TableName)

    def get_waiter(self, name: str) -> Any:
        assert name == "table_not_exists"
        account = self

        class Waiter:
            def wait(self, TableName: str) -> None:  # noqa: N803
                account.answer("wait")
                account.waited.append(TableName)

        return Waiter()


def deleted(account: Account, *kept: Held) -> tuple[list[str], list[str]]:
    """What is deleted of that, and what is said."""
    said: list[str] = []
    of: Any = account
    leftovers.delete_kept(of, kept, said.append)
    return account.deleted, said


def test_its_own_go_and_are_gone_when_it_returns() -> None:
    """DeleteTable answers while the table is there: whoever makes one of its name at once is refused."""
    account = Account()
    assert deleted(account, FILES, ORDERS) == (["files", "v2-orders-pr12"], [])
    assert account.waited == ["v2-orders-pr12"]


def test_of_a_large_stack_all_resources_are_asked_for() -> None:
    """DescribeStackResources has the first 100 of them."""
    account = Account()
    account.stacks["files"], account.roles = ("shop", BUCKET, "CREATE_COMPLETE"), 100
    went, said = deleted(account, FILES)
    assert went == []
    assert "as it is the CloudFormation stack shop's" in said[0]


@pytest.mark.parametrize("prefix", ["", "v3-"])
def test_another_apps_table_that_is_called_as_a_former_one_stays(prefix: str) -> None:
    """A's preview has replaced `orders-pr12` once, or so its prefix says; B's own table has that name."""
    account, theirs = Account(), f"{prefix}orders-pr12"
    account.tables[theirs] = LEFT
    account.stacks[theirs] = ("amplify-b-pr12", TABLE, "CREATE_COMPLETE")
    of: Any = account
    former = list(former_tables.before(of, [ORDERS]))
    assert theirs in {h.physical_id for h in former}
    gone, said = deleted(account, ORDERS, *(h for h in former if h.physical_id == theirs))
    assert gone == ["v2-orders-pr12"]
    [line] = said
    assert f"as it is the CloudFormation stack amplify-b-pr12's: {ORDERS.path}" in line
    assert "delete-table" not in line


def test_what_was_found_by_its_name_alone_is_told_with_the_command() -> None:
    account = Account()
    of: Any = account
    [former] = former_tables.before(of, [ORDERS])
    gone, [line] = deleted(account, former)
    assert gone == []
    assert "nothing proves that it was this environment's" in line
    assert "`aws dynamodb delete-table --table-name orders-pr12 --region eu-west-1`" in line


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "IMPORT_COMPLETE", "DELETE_FAILED", "DELETE_IN_PROGRESS"])
@pytest.mark.parametrize("held", [FILES, ORDERS])
def test_what_a_stack_holds_by_now_is_that_stacks(held: Held, status: str) -> None:
    account = Account()
    account.stacks[held.physical_id] = ("other", held.type, status)
    gone, [line] = deleted(account, held)
    assert gone == []
    assert "stack other's" in line


@pytest.mark.parametrize("held", [FILES, ORDERS])
def test_a_stack_that_has_let_it_go_holds_it_no_more(held: Held) -> None:
    account = Account()
    account.stacks[held.physical_id] = ("root-api", held.type, "DELETE_SKIPPED")
    assert deleted(account, held) == ([held.physical_id], [])


@pytest.mark.parametrize(
    "error", [refusal("AccessDenied"), refusal("Throttling"), refusal("ValidationError", "invalid"), None]
)
def test_where_nobody_tells_whose_it_is_nothing_is_deleted(error: Exception | None) -> None:
    """Not even by an answer about something else of that name."""
    account = Account()
    if error:
        account.refused["describe_stack_resources"] = error
    else:
        account.stacks |= dict.fromkeys(
            ("files", "v2-orders-pr12"), ("other", "AWS::SSM::Parameter", "CREATE_COMPLETE")
        )
    gone, said = deleted(account, FILES, ORDERS)
    assert gone == []
    assert "`aws s3 rb s3://files --force --region eu-west-1`" in said[0]
    assert "`aws dynamodb delete-table --table-name v2-orders-pr12 --region eu-west-1`" in said[1]


def event(kind: str, physical: str, status: str, at: datetime = LEFT, /, **more: str) -> dict[str, Any]:
    named = {"StackId": NESTED, "ResourceType": kind, "LogicalResourceId": "It"}
    return {**named, "PhysicalResourceId": physical, "ResourceStatus": status, "Timestamp": at, **more}


def itself(status: str) -> dict[str, Any]:
    return event("AWS::CloudFormation::Stack", NESTED, status, LogicalResourceId="root-api")


def made(kind: str, physical: str, how: str = "CREATE") -> list[dict[str, Any]]:
    """What CloudFormation tells, newest first: it makes it within a minute."""
    soon = MADE + timedelta(seconds=30)
    begun = event(kind, "" if how == "CREATE" else "before", f"{how}_IN_PROGRESS", MADE - timedelta(seconds=30))
    return [event(kind, physical, f"{how}_COMPLETE", soon), event(kind, physical, f"{how}_IN_PROGRESS", MADE), begun]


def of_events(*stacks: list[dict[str, Any]], updates: bool = False) -> list[Held]:
    """By the events of stacks, the first one's and those nested in it."""
    told = {events[0]["StackId"]: events for events in stacks}

    class Events:
        def get_paginator(self, _: str) -> Events:
            return self

        def paginate(self, StackName: str) -> list[dict[str, Any]]:  # noqa: N803
            if StackName not in told:
                raise refusal("ValidationError", f"Stack [{StackName}] does not exist")
            return [{"StackEvents": [one]} for one in told[StackName]]

    return list(left_by(Events(), stacks[0][0]["StackId"], updates=updates))


def left(kind: str, physical: str, *before: dict[str, Any], how: str = "CREATE") -> Held:
    """What a stack that was deleted past the engine has left, by its events: by default it had made that itself."""
    skipped = event(kind, physical, "DELETE_SKIPPED")
    [found] = of_events([skipped, *(before or made(kind, physical, how))])
    return found


def test_what_was_left_before_goes_if_it_is_the_same_still() -> None:
    account = Account()
    gone, said = deleted(account, left(BUCKET, "files"), left(TABLE, "orders-pr12"))
    assert (gone, said) == (["files", "orders-pr12"], [])


@pytest.mark.parametrize("tags", [[], [{**TAG, "Value": ROOT}]])
def test_a_bucket_that_was_made_anew_since_stays(tags: list[dict[str, str]]) -> None:
    account = Account()
    account.buckets["files"] = tags
    gone, [line] = deleted(account, left(BUCKET, "files"))
    assert gone == []
    assert "aws s3 rb" in line


@pytest.mark.parametrize(
    "when", [LEFT + timedelta(seconds=1), MADE + timedelta(seconds=31), MADE - timedelta(minutes=1)]
)
def test_a_table_that_was_not_made_while_the_stack_made_its_own_stays(when: datetime) -> None:
    """After that one was deleted by hand, or before there was any."""
    account = Account()
    account.tables["orders-pr12"] = when
    gone, [line] = deleted(account, left(TABLE, "orders-pr12"))
    assert gone == []
    assert "aws dynamodb delete-table" in line


def test_a_table_that_no_event_tells_of_as_made_stays() -> None:
    """One of somebody else's, which a stack was refused to make, or which was imported, is let go of all the same."""
    account, table = Account(), (TABLE, "orders-pr12")
    begun = event(TABLE, "", "CREATE_IN_PROGRESS", MADE - timedelta(seconds=30))
    failed = [event(*table, "CREATE_FAILED", MADE + timedelta(seconds=1)), begun]
    tagged = [event(*table, f"UPDATE_{end}", MADE + timedelta(seconds=1)) for end in ("COMPLETE", "IN_PROGRESS")]
    imported = [
        *tagged,
        event(*table, "IMPORT_COMPLETE", MADE),
        event(*table, "IMPORT_IN_PROGRESS", begun["Timestamp"]),
    ]
    for before in (failed, imported, [event(*table, "UPDATE_COMPLETE", LEFT)]):
        gone, [line] = deleted(account, left(*table, *before))
        assert gone == []
        assert "nothing proves that it was this environment's" in line


def test_a_table_that_a_replacement_made_and_a_later_one_left_goes() -> None:
    assert deleted(Account(), left(TABLE, "orders-pr12", how="UPDATE")) == (["orders-pr12"], [])


def test_a_table_that_could_be_made_at_last_goes() -> None:
    failed = [event(TABLE, "", f"CREATE_{how}", MADE - timedelta(days=1)) for how in ("FAILED", "IN_PROGRESS")]
    it = left(TABLE, "orders-pr12", *made(TABLE, "orders-pr12"), *failed)
    assert it.made == (MADE - timedelta(seconds=30), MADE + timedelta(seconds=30))


def test_what_updates_have_left_is_asked_for() -> None:
    """In a stack that lives, in those nested in it, and in those that an update has taken out; each thing once."""
    stack, nested = "AWS::CloudFormation::Stack", f"{NESTED}-todo"
    inner = [
        event(stack, nested, "DELETE_COMPLETE", LogicalResourceId="root-api-todo", StackId=nested),
        event(BUCKET, "inner", "DELETE_SKIPPED", StackId=nested),
        event(stack, nested, "DELETE_IN_PROGRESS", LogicalResourceId="root-api-todo", StackId=nested),
    ]
    events = [
        itself("UPDATE_COMPLETE"),
        event(BUCKET, "files", "DELETE_SKIPPED"),
        event(stack, nested, "DELETE_COMPLETE", LogicalResourceId="Todo"),
        itself("UPDATE_IN_PROGRESS"),
        event(BUCKET, "files", "DELETE_SKIPPED", LEFT - timedelta(days=2)),
        event("AWS::IAM::Role", "role", "DELETE_SKIPPED", LogicalResourceId="Role"),
        *(event(stack, physical, "CREATE_COMPLETE", LogicalResourceId="Todo") for physical in (nested, "forgotten")),
        itself("CREATE_COMPLETE"),
    ]
    assert of_events(events, inner) == []
    found = of_events(events, inner, updates=True)
    assert [(held.path, held.physical_id, held.stack, held.left) for held in found] == [
        ("It", "files", NESTED, LEFT),
        ("Todo/It", "inner", nested, LEFT),
    ]
    # A stack that is deleted had updates, too.
    gone = [itself("DELETE_COMPLETE"), event(BUCKET, "last", "DELETE_SKIPPED"), itself("DELETE_IN_PROGRESS"), *events]
    assert [held.physical_id for held in of_events(gone, inner)] == ["last"]
    assert [held.physical_id for held in of_events(gone, inner, updates=True)] == ["last", "files", "inner"]


@pytest.mark.parametrize(("operation", "held"), [("get_bucket_tagging", FILES), ("describe_table", ORDERS)])
def test_where_that_cannot_be_asked_it_stays(operation: str, held: Held) -> None:
    account = Account()
    account.refused[operation] = refusal("AccessDenied")
    assert deleted(account, replace(held, left=LEFT, made=(MADE, MADE)))[0] == []


def test_what_else_stays_is_told_by_what_keeps_it() -> None:
    pool = Held("auth/Pool", "AWS::Cognito::UserPool", "eu-west-1_1", "users", kept=True, stack=NESTED)
    program = Held("orders", "aws:dynamodb/table:Table", "orders-1", "items", kept=True)
    gone, said = deleted(Account(), pool, program)
    assert gone == []
    assert said == [
        "kept, as its template says (DeletionPolicy): auth/Pool (AWS::Cognito::UserPool): eu-west-1_1",
        "kept, as the program says (`retainOnDelete`): orders (aws:dynamodb/table:Table): orders-1",
    ]


def test_what_is_gone_meanwhile_is_no_failure_and_what_is_forbidden_is_one() -> None:
    """Whoever was interrupted repeats the command."""
    account = Account()
    account.refused = {"delete_bucket": refusal("NoSuchBucket"), "delete_table": refusal("ResourceNotFoundException")}
    assert deleted(account, FILES, ORDERS) == ([], [])
    account.refused = {"delete_bucket": refusal("AccessDenied")}
    with pytest.raises(FailedError, match="deleting bucket files"):
        deleted(account, FILES)
    account.refused = {"wait": WaiterError("TableNotExists", "Max attempts exceeded", {})}
    with pytest.raises(FailedError, match="waiting until table v2-orders-pr12 is deleted"):
        deleted(account, ORDERS)
