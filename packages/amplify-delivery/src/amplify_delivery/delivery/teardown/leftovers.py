"""What a disposable environment leaves, as its templates say: it goes where it is sure that it was the environment's,
and that it is nobody's now. All else is told, with the command that deletes it.

A name proves nothing: other apps lie in the same account, and what was left 90 days ago may have been made anew since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from amplify_delivery.changes.stateful import BUCKET
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.teardown import emptying
from amplify_delivery.delivery.teardown.held import Held
from amplify_delivery.export.assembling.successors import TABLE
from amplify_delivery.publishing.aws_errors import suppressing, suppressing_all
from amplify_delivery.publishing.stack_state import resources_called

_STACK_ID = "aws:cloudformation:stack-id"
"""The tag by which a bucket knows the stack that has made it ("Resource tag" in the CloudFormation template
reference). It stays with what is retained; nobody but AWS sets one that begins so. Tables have none
(cloudformation-coverage-roadmap 1360)."""

_LET_GO = ("DELETE_COMPLETE", "DELETE_SKIPPED")


def delete_kept(account: Account, kept: Iterable[Held], line: Callable[[str], None]) -> None:
    """Delete what an environment has left, where its data is nobody's: the next one of its name needs these names.
    Buckets and tables that are surely its own; what else stays is told. Returns when they are gone. Raises
    `FailedError`."""
    dynamodb, tables = account.client("dynamodb"), list[str]()
    for held in kept:
        why = _why_it_stays(account, held)
        if why:
            line(f"kept, {why}: {held.path} ({held.type}): {held.physical_id}{_command(account, held, why)}")
        elif held.type == BUCKET:
            emptying.delete_bucket(account, held.physical_id)
        else:
            with account.changing(f"deleting table {held.physical_id}"), suppressing("ResourceNotFoundException"):
                dynamodb.delete_table(TableName=held.physical_id)
                tables.append(held.physical_id)
    for table in tables:
        # DeleteTable answers at once; until the table is gone none of its name can be made.
        with account.changing(f"waiting until table {table} is deleted"):
            dynamodb.get_waiter("table_not_exists").wait(TableName=table)


_UNKNOWN = "as nothing proves that it was this environment's, and is nobody's now"


def _why_it_stays(account: Account, held: Held) -> str:
    """Why it is not deleted; empty if it is."""
    if "::" not in held.type:  # a type of Pulumi
        return "as the program says (`retainOnDelete`)"
    if held.type not in (BUCKET, TABLE):
        return "as its template says (DeletionPolicy)"
    holder = _holder(account, held)
    if holder:
        return f"as it is the CloudFormation stack {holder}'s"
    return "" if holder is not None and _was_its_own(account, held) else _UNKNOWN


def _command(account: Account, held: Held, why: str) -> str:
    if why != _UNKNOWN:
        return ""
    command = (
        f"aws s3 rb s3://{held.physical_id} --force"
        if held.type == BUCKET
        else f"aws dynamodb delete-table --table-name {held.physical_id}"
    )
    return f". Once you know that nobody uses it, `{command} {account.options}` deletes it with all that is in it"


def _holder(account: Account, held: Held) -> str | None:
    """The stack that holds it; empty for none, None where that cannot be told."""
    found = None
    with suppressing_all() as refusal:
        found = resources_called(account.client("cloudformation"), held.type, held.physical_id)
    if refusal:
        return "" if refusal.code == "ValidationError" and "does not exist" in refusal.said else None
    if found is None:
        return None
    stack, states = found
    return "" if {*states} <= {*_LET_GO} else stack


def _was_its_own(account: Account, held: Held) -> bool:
    """Whether a stack of the environment has made it. What that held until it was deleted just now is; what it had left
    before may have been deleted by hand, and made anew by somebody else: a bucket's tag names the stack, and of a
    table's name there was one only while the stack made its own. What was found by its name is anybody's."""
    if not held.stack or held.left is None:
        return bool(held.stack)
    with suppressing_all():
        if held.type == BUCKET:
            bucket = {"Bucket": held.physical_id, "ExpectedBucketOwner": account.account}
            tags = account.client("s3").get_bucket_tagging(**bucket)["TagSet"]
            return {"Key": _STACK_ID, "Value": held.stack} in tags
        table = account.client("dynamodb").describe_table(TableName=held.physical_id)["Table"]
        # Whole seconds, as a time may be told.
        return held.made is not None and (
            held.made[0].replace(microsecond=0) <= table["CreationDateTime"] <= held.made[1] < held.left
        )
    return False
