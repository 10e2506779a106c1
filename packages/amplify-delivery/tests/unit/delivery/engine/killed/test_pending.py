"""What becomes of what a killed run has left in the engine's state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.engine.killed import by_time, existing, pending
from amplify_delivery.delivery.engine.killed.pending import Answer, Foreign, Gone, Operation, There, Unknown
from amplify_delivery.errors import RefusedError

URN = "urn:pulumi:dev::app::amplify-delivery:index:AmplifyBackend$aws:cloudformation/stack:Stack::backend"
INPUTS = {"name": "amplify-app-dev-1", "parameters": {"TemplateKey": "templates/2.json"}, "__defaults": []}
OLD = {"urn": URN, "type": ROOT_STACK, "id": "arn:1", "inputs": {"name": "n"}, "outputs": {"name": "n", "tagsAll": {}}}


def operation(kind: str, **more: Any) -> Operation:
    return Operation(kind, {"urn": URN, "type": ROOT_STACK, "inputs": INPUTS, **more})


def state(*resources: dict[str, Any], left: Operation | None = None) -> dict[str, Any]:
    operations = [{"type": left.kind, "resource": left.resource}] if left else []
    return {"manifest": {"time": "t"}, "resources": list(resources), "pending_operations": operations}


def test_what_was_made_is_held_with_the_inputs_that_it_was_made_with() -> None:
    made = operation("creating", parent="urn:parent", protect=True)
    before = state({"urn": "urn:parent"}, left=made)
    after = pending.settled(before, [(made, There("arn:2"))])
    assert after is not None
    assert after["pending_operations"] == []
    assert after["manifest"] == {"time": "t"}
    assert after["resources"][0] == {"urn": "urn:parent"}
    assert after["resources"][1] == {
        **made.resource,
        "id": "arn:2",
        "outputs": {"name": "amplify-app-dev-1", "parameters": {"TemplateKey": "templates/2.json"}},
    }
    assert before["resources"] == [{"urn": "urn:parent"}]


@pytest.mark.parametrize("answer", [Gone(), Foreign("it is another's")])
def test_what_was_not_made_is_forgotten(answer: Answer) -> None:
    made = operation("creating")
    after = pending.settled(state(left=made), [(made, answer)])
    assert after == {**state(), "pending_operations": []}


def test_an_update_that_was_carried_out_is_taken_in_and_others_are_left_to_the_program() -> None:
    changed = operation("updating", id="arn:1", outputs=OLD["outputs"])
    after = pending.settled(state(OLD, left=changed), [(changed, There("arn:1"))])
    assert after is not None
    (resource,) = after["resources"]
    assert (resource["inputs"], resource["outputs"]["tagsAll"]) == (INPUTS, {})
    assert resource["outputs"]["parameters"] == INPUTS["parameters"]
    assert pending.settled(state(OLD, left=changed), [(changed, Gone())]) is None
    deleted = operation("deleting", id="arn:1")
    assert pending.settled(state(OLD, left=deleted), [(deleted, There("arn:1"))]) is None


def test_what_was_deleted_to_be_made_anew_is_held_once() -> None:
    made = operation("creating")
    after = pending.settled(state({**OLD, "pendingReplacement": True}, left=made), [(made, There("arn:2"))])
    assert after is not None
    assert [(r["id"], "pendingReplacement" in r) for r in after["resources"]] == [("arn:2", False)]
    assert not pending.replaces(made, state({**OLD, "pendingReplacement": True}))
    assert pending.replaces(made, state(OLD))


def test_aws_is_asked_only_about_what_it_alone_knows() -> None:
    def asked(kind: str, type_: str) -> bool:
        return pending.asked(Operation(kind, {"urn": "urn", "type": type_}), state(OLD))

    assert asked("creating", ROOT_STACK)
    assert asked("updating", ROOT_STACK)
    assert asked("deleting", ROOT_STACK)
    assert asked("creating", "aws:dynamodb/table:Table")
    assert not asked("creating", "pulumi:index:Stash")
    assert not asked("creating", "aws:s3/bucketPolicy:BucketPolicy")
    assert not asked("updating", "aws:s3/bucket:Bucket")
    assert not asked("reading", "aws:s3/bucket:Bucket")


def test_the_kept_types_are_the_askers() -> None:
    """A type is either set again or asked for."""
    assert not existing.ASKERS.keys() & pending.AGAIN


def test_what_nobody_can_tell_is_refused_with_what_to_do() -> None:
    unknown = Operation("creating", {"urn": "urn::app::aws:ec2/vpc:Vpc::net", "type": "aws:ec2/vpc:Vpc"})
    pending.check([(operation("creating"), Gone())], "dev")
    with pytest.raises(RefusedError) as raised:
        pending.check([(unknown, Unknown("it has no name"))], "dev", "PULUMI_BACKEND_URL=s3://b ")
    assert "net (aws:ec2/vpc:Vpc): it has no name" in raised.value.message
    assert "`PULUMI_BACKEND_URL=s3://b pulumi refresh -s dev --clear-pending-creates --yes`" in raised.value.remedy


@pytest.mark.parametrize(
    ("wanted", "found", "equal"),
    [
        ({"a": "1"}, {"a": "1", "b": "2"}, True),
        ({"a": "1"}, {}, False),
        ({"a": {pending._SIGNATURE: "x", "ciphertext": "y"}}, {"a": "z"}, True),
        ({"a": "1"}, None, False),
    ],
)
def test_what_was_sent_and_what_is_there(wanted: Any, found: Any, equal: bool) -> None:
    assert pending.same(wanted, found) == equal


def test_a_stack_is_its_own_by_template_parameters_tags_and_role() -> None:
    inputs = {**INPUTS, "tags": {"user:Stack": "dev"}, "iamRoleArn": "arn:role"}
    stack = {
        "Parameters": [{"ParameterKey": "TemplateKey", "ParameterValue": "templates/2.json"}],
        "Tags": [{"Key": "user:Stack", "Value": "dev"}, {"Key": "cost", "Value": "1"}],
        "RoleARN": "arn:role",
    }
    assert existing._differs(inputs, stack) == []
    assert existing._differs(inputs, {**stack, "Parameters": []}) == ["parameters"]
    assert existing._differs(inputs, {**stack, "Tags": []}) == ["tags"]
    assert existing._differs(inputs, {**stack, "RoleARN": "arn:other"}) == ["role"]


def test_what_became_of_each_operation_is_told() -> None:
    assert "has made it; it is taken in" in pending.told(operation("creating"), There("arn"))
    assert "has changed it; it is taken in" in pending.told(operation("updating"), There("arn"))
    assert "it is made now" in pending.told(operation("creating"), Gone())
    assert "but the name is taken" in pending.told(operation("creating"), Foreign("the name is taken"))
    assert pending.told(operation("deleting"), There("arn")) == ""
    assert pending.told(Operation("creating", {"type": "pulumi:index:Stash"}), Gone()) == ""


BEGAN = datetime(2027, 1, 31, 12, tzinfo=UTC)
"""When the killed run's engine last wrote its state."""


@pytest.mark.parametrize(
    ("made", "answer"),
    [
        (BEGAN - timedelta(minutes=1), There),
        (BEGAN + timedelta(minutes=5), There),  # by this machine's clock
        (BEGAN + timedelta(minutes=24), There),
        (BEGAN + timedelta(minutes=26), Unknown),  # by somebody else, after that run had ended
        (BEGAN + timedelta(days=1), Unknown),
        (BEGAN - timedelta(hours=2), Unknown),  # after what it stands below, and long before that run
        (BEGAN - timedelta(days=9), Foreign),  # before what it stands below
        (None, Unknown),
    ],
)
@pytest.mark.parametrize("type_", sorted(by_time.BY_TIME))
def test_what_was_there_before_the_killed_run_is_not_taken_in(type_: str, made: datetime | None, answer: type) -> None:
    """A later `destroy` would delete another stack's log group, API, role or bucket of the same name."""
    parent = {"urn": "urn:parent", "created": (BEGAN - timedelta(days=3)).isoformat().replace("+00:00", ".123456789Z")}
    left = Operation("creating", {"urn": f"urn::{type_}::n", "type": type_, "parent": "urn:parent", "inputs": {}})
    before = {"manifest": {"time": BEGAN.isoformat()}, "resources": [parent]}
    found = by_time.in_its_time(before, left, There("n", made=made))
    assert isinstance(found, answer)
    if isinstance(found, Unknown):
        with pytest.raises(RefusedError, match="another name for it in the program") as raised:
            pending.check([(left, found)], "dev")
        assert raised.value.exit_code == 3
    # A state without a time proves nothing either.
    assert not isinstance(by_time.in_its_time({}, left, There("n", made=BEGAN)), There)
    # What stands in a component of ours has names that nobody else gives.
    own = Operation("creating", {**left.resource, "urn": f"urn::amplify-delivery:index:TargetAccount${type_}::n"})
    assert isinstance(by_time.in_its_time(before, own, There("n", made=made)), There)


def test_an_empty_bucket_with_its_tags_needs_no_time() -> None:
    left = Operation("creating", {"urn": "urn::b", "type": "aws:s3/bucket:Bucket", "inputs": {"bucket": "b"}})
    assert isinstance(by_time.in_its_time({}, left, There("b", empty=True)), There)
    found = by_time.in_its_time({}, left, There("b"))
    assert isinstance(found, Unknown)
    assert "s3:ListAllMyBuckets" in found.why


def test_every_type_that_the_time_tells_of_is_asked_for() -> None:
    assert existing.ASKERS.keys() >= by_time.BY_TIME
