"""A table with a name of its own that gets other keys: a successor under another name, with its items."""

from __future__ import annotations

import fnmatch
import functools
import json
import re
import tempfile
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.impossible import check, impossible
from amplify_delivery.changes.ordered.handed import Handed
from amplify_delivery.changes.ordered.successors import has_other_keys
from amplify_delivery.changes.ordered.updates import Ordered, ordered, with_properties, with_templates
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.stateful import CLOUDFORMATION_TYPES
from amplify_delivery.changes.steps import ChangeResource, CopyTable, RemoveResource, ReplaceResource, UpdateRoot
from amplify_delivery.components.documents.rights.scopes import resources_of
from amplify_delivery.delivery.planning import in_order
from amplify_delivery.errors import RefusedError
from amplify_delivery.export import (
    ConfigError,
    Successor,
    assemble,
    in_production,
    read_export,
    render_root,
    with_successors,
)
from amplify_delivery.export.assembling.successors import with_prefix
from amplify_delivery.export.manifests import manifest
from unit.command_line import export
from unit.components.documents.world import access, prod
from unit.delivery.planning.stacks_of import VALUES, changed, stacks_of
from unit.export.mutations import copy_export, set_value

TODAY = date(2026, 6, 1)
TODO = ("apiseriesapp", "Todo", "TodoTable")
PLACE = "/".join(TODO)
V1, V4 = "todo-series/v1", "todo-series/v4"
OLD = stacks_of(V1)
OTHER = ("apiseriesapp", "TodoList", "TodoListTable")
"""Another table, from v4 on."""
FILE = "api/seriesapp/amplify-appsync-files/stacks/Todo.json"


@functools.cache
def wanted(prefix: str = "v2-", data: Any = "copy", path: tuple[str, ...] = TODO, name: str = V1) -> Stacks:
    """The export with `owner` as another key of the table, under another name."""
    with tempfile.TemporaryDirectory() as folder:
        made = copy_export(name, Path(folder) / "amplify-export-seriesapp")
        properties = "/Resources/TodoTable/Properties"
        set_value(made, FILE, f"{properties}/AttributeDefinitions/-", {"AttributeName": "owner", "AttributeType": "S"})
        set_value(made, FILE, f"{properties}/KeySchema/-", {"AttributeName": "owner", "KeyType": "RANGE"})
        assembly = assemble(read_export(made))
        if prefix:
            assembly = with_successors(assembly, [Successor(path, prefix, data)])
        for item in assembly.objects:
            if item.kind == "template":
                assembly.read(item.key)
    root = render_root(assembly, VALUES, "staging-bucket")
    return Stacks.of(assembly, root, root.parameters)


def way(old: Stacks, new: Stacks) -> Ordered:
    return ordered(old, new, plan_backend(old, new))


def steps(old: Stacks, new: Stacks) -> list[Any]:
    found = in_order(old, new, plan_backend(old, new), TODAY)
    assert found.impossible == ()
    return [*found.first, *found.then]


def reasons(old: Stacks, new: Stacks) -> str:
    found = in_order(old, new, plan_backend(old, new), TODAY)
    assert not any(isinstance(step, CopyTable) for step in (*found.first, *found.then))
    return "\n".join(map(str, found.impossible))


def test_it_is_the_same_release_under_its_other_name() -> None:
    plain = assemble(read_export(export("todo-series/v1")))
    form = with_successors(in_production(plain, True, CLOUDFORMATION_TYPES), [Successor(TODO, "v2-", "copy")])
    assert form.digest() == plain.digest()
    assert manifest(form) == manifest(plain)
    named = {node.template for path, node in form.root.walk() if path}
    assert named <= {item.key for item in form.objects}
    assert {item.kind for item in form.objects if item not in plain.objects} == {"template"}
    for item in form.objects:
        form.read(item.key)
    assert with_successors(plain, []) is plain


def test_an_environments_rights_hold_for_the_successor_too() -> None:
    """They go by how names end: CloudFormation's role may make it, `deploy` may look at it."""
    mine = access(prod)
    kinds = mine.resource_types | {"AWS::DynamoDB::Table"}
    name = with_prefix("v2-", f"Todo-abc-{prod.environment}")
    arn = prod.arn("dynamodb", f"table/{name}")
    assert any(fnmatch.fnmatch(arn, pattern) for pattern in resources_of("dynamodb", mine, kinds))


def test_without_a_choice_it_is_refused_and_the_choice_is_named() -> None:
    said = reasons(OLD, wanted(""))
    assert f"AD743 {PLACE}" in said
    (found,) = impossible(plan_backend(OLD, wanted("")), OLD, wanted(""), TODAY)
    choice = [
        f"'replacedTables[0].{key}={value}'" for key, value in (("path", PLACE), ("prefix", "v2-"), ("data", "copy"))
    ]
    command = f"`pulumi config set-all -s prod --path --plaintext {' --plaintext '.join(choice)}`"
    with pytest.raises(RefusedError, match=re.escape(command)):
        check([found], "prod")


def test_the_choice_is_none_that_another_table_has() -> None:
    """The printed command would take that table's entry, and so its name, away."""
    old, new = stacks_of(V4), wanted("v2-", "copy", OTHER, V4)
    (found,) = (i for i in impossible(plan_backend(old, new), old, new, TODAY) if i.place == PLACE)
    assert f"'replacedTables[1].path={PLACE}'" in found.remedy
    assert "replacedTables[0]" not in found.remedy
    left = wanted("v3-", "leave")
    (found,) = impossible(plan_backend(with_keys_of(left), left), with_keys_of(left), left, TODAY)
    assert f"'replacedTables[0].path={PLACE}'" in found.remedy
    assert "'replacedTables[0].prefix=v4-'" in found.remedy


def with_keys_of(new: Stacks) -> Stacks:
    """What is deployed under the successor's name, before it gets other keys."""
    properties = {**new.resource(TODO)["Properties"], "KeySchema": OLD.resource(TODO)["Properties"]["KeySchema"]}
    return with_properties(new, {TODO: properties})[0]


def test_the_successor_is_filled_before_anybody_uses_it() -> None:
    found = steps(OLD, wanted())
    kinds = [type(step) for step in found]
    assert kinds[:5] == [UpdateRoot, ChangeResource, UpdateRoot, ReplaceResource, CopyTable]
    assert kinds.count(UpdateRoot) == 3
    closing, replacing = found[1], found[3]
    assert closing.properties == ("DeletionPolicy", "ResourcePolicy", "UpdateReplacePolicy")
    assert (replacing.place, replacing.loss) == (PLACE, "")
    assert not any(step.loss for step in found)
    # Whoever uses the table is changed with the release, after the copy: the data source, its role, the resolvers.
    assert {s.path[-1] for s in found[6:]} >= {"TodoDataSource", "TodoIAMRoleDefaultPolicy7BBBF45B"}


def test_the_old_one_is_closed_and_kept_before_it_is_replaced() -> None:
    closed, made = (update.stacks for update in way(OLD, wanted()).updates)
    table, name = closed.resource(TODO), OLD.resource(TODO)["Properties"]["TableName"]
    (statement,) = table["Properties"]["ResourcePolicy"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Resource"]["Fn::Sub"][1] == {"Table": name}
    assert {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"} <= {
        *statement["Action"]
    }
    assert "dynamodb:Scan" not in statement["Action"]
    for stacks in (closed, made):
        assert stacks.resource(TODO)["UpdateReplacePolicy"] == "Retain"
    assert made.resource(TODO)["Properties"] == wanted().resource(TODO)["Properties"]
    assert made.resource(TODO)["Properties"]["TableName"] == {"Fn::Join": ["", ["v2-", name]]}
    template = made.templates[TODO[:-1]]
    assert template["Resources"]["TodoDataSource"]["Properties"]["DynamoDBConfig"]["TableName"] == name
    assert template["Outputs"]["GetAttTodoTableName"]["Value"] == name
    others = {key: value for key, value in template["Resources"].items() if key != "TodoTable"}
    assert '{"Ref": "TodoTable"}' not in json.dumps(others)
    assert '["TodoTable", "Arn"]' not in json.dumps(others)


def test_from_each_state_the_same_updates_remain() -> None:
    """What was approved once goes on, wherever it was ended: also when the items are not copied yet."""
    whole = way(OLD, wanted())
    approved = [step.to_json() for step in steps(OLD, wanted())]
    for done, update in enumerate(whole.updates, start=1):
        handed = Handed.from_json(json.loads(json.dumps(Handed.of(update).to_json())))
        here = handed.stacks(OLD if done == 1 else whole.updates[0].stacks)
        assert here.templates == update.stacks.templates
        rest = way(here, wanted())
        assert [u.root for u in rest.updates] == [u.root for u in whole.updates[done:]]
        assert [copy.path for copy in rest.copies] == [TODO]
        remaining = steps(here, wanted())
        assert any(isinstance(step, CopyTable) for step in remaining)
        assert all(step.to_json() in approved for step in remaining)
    assert plan_backend(wanted(), wanted()) == ()
    assert way(wanted(), wanted()).copies == ()


def test_in_one_update_it_is_refused_for_its_data_too() -> None:
    """Plain `pulumi up`; and a successor that somebody makes without the closing."""
    found = plan_backend(OLD, wanted())
    (never,) = impossible(found, OLD, wanted(), TODAY)
    assert never.id == "AD743"
    made = way(OLD, wanted()).updates[1].stacks
    for old, new in ((OLD, wanted()), (OLD, made)):
        with pytest.raises(RefusedError, match="this would delete data"):
            Guard("dev", (), TODAY).check(plan_backend(old, new))


def test_left_behind_it_is_a_loss_that_has_to_be_allowed() -> None:
    found = steps(OLD, wanted("v2-", "leave"))
    assert not any(isinstance(step, (UpdateRoot, CopyTable)) for step in found)
    assert [step.place for step in found if step.loss] == [PLACE]


@pytest.mark.parametrize(
    ("here", "of", "first"),
    [
        ("closed", "", ReplaceResource),
        ("made", "", ReplaceResource),
        ("in use", "v2-", ChangeResource),
    ],
)
def test_another_successor_gets_the_items_of_the_table_that_has_them(here: str, of: str, first: type) -> None:
    """Of the old one as long as nobody uses the first, which may be empty; then of that one, which is closed first."""
    closed, made = (update.stacks for update in way(OLD, wanted()).updates)
    before = {"closed": closed, "made": made, "in use": published(wanted())}[here]
    found = steps(before, wanted("v3-"))
    assert isinstance(found[1], first)
    assert not any(step.loss for step in found)
    (copy,) = [step for step in found if isinstance(step, CopyTable)]
    assert (copy.prefix, copy.of, copy.current) == ("v3-", of, "" if here == "closed" else "v2-")
    # Whatever it was begun with, what is left is the same from where its own successor is made.
    updates = way(before, wanted("v3-")).updates
    (rest,) = way(updates[-1].stacks, wanted("v3-")).copies
    assert (rest.to_json(), rest.current) == (copy.to_json(), "v3-")
    if here == "in use":
        (statement,) = updates[0].stacks.resource(TODO)["Properties"]["ResourcePolicy"]["PolicyDocument"]["Statement"]
        name = before.resource(TODO)["Properties"]["TableName"]
        assert statement["Resource"]["Fn::Sub"][1] == {"Table": name}
        others = updates[-1].stacks.templates[TODO[:-1]]["Resources"]["TodoDataSource"]
        assert others["Properties"]["DynamoDBConfig"]["TableName"] == name


def published(stacks: Stacks) -> Stacks:
    """`stacks` as this project publishes them: with keys of their content."""
    return with_templates(stacks, {TODO[:-1]: stacks.templates[TODO[:-1]]})[0]


def with_reader(stacks: Stacks, value: Any) -> Stacks:
    """`stacks`, published, in which a function beside the table reads `value`."""

    def add(template: dict[str, Any]) -> None:
        template["Resources"]["Reader"] = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", **value}}

    edited = changed(stacks, "/".join(TODO[:-1]), add)
    return with_templates(stacks, {TODO[:-1]: edited.templates[TODO[:-1]]})[0]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"Value": {"Fn::GetAtt": ["TodoTable", "StreamArn"]}}, "its stream is read"),
        ({"Value": {"Fn::GetAtt": ["TodoTable", "TableId"]}}, "reads its attribute TableId"),
        ({"Value": {"Fn::Sub": "x-${TodoTable}"}}, "a text names it"),
    ],
)
def test_what_nobody_can_put_in_order_stays_refused(value: Any, reason: str) -> None:
    said = reasons(with_reader(OLD, value), wanted())
    assert "AD743" in said
    assert reason in said


def test_an_import_of_its_name_stays_refused() -> None:
    name = {
        "Fn::Join": [":", [{"Ref": "referencetotransformerrootstackGraphQLAPI20497F53ApiId"}, "GetAtt:TodoTable:Name"]]
    }
    said = reasons(with_reader(OLD, {"Value": {"Fn::ImportValue": name}}), wanted())
    assert "imports its output GetAttTodoTableName" in said
    # The way round it is told, in its order.
    parts = (
        "(1) take the table out of `replacedTables`",
        "(2) Put the table's entry",
        "(3) Give the function the model",
    )
    assert sorted(parts, key=said.index) == list(parts)


def test_the_way_by_hand_of_a_table_whose_stream_is_read_is_told_and_leads_there() -> None:
    """Without the reader a delivery is an ordinary one; the release may bring one of the successor's stream."""
    stream = {"Value": {"Fn::GetAtt": ["TodoTable", "StreamArn"]}}
    said = reasons(with_reader(OLD, stream), wanted())
    assert said.index("(1) take the table out of `replacedTables`") < said.index("(2) Put all three back")
    assert "StartingPosition LATEST" in said
    without, again = OLD, with_reader(wanted(), stream)
    assert [type(step) for step in plan_backend(with_reader(OLD, stream), without)] == [RemoveResource]
    found = way(without, again)
    assert [copy.prefix for copy in found.copies] == ["v2-"]
    # Nobody reads the successor's stream before the items are there.
    assert not any("Reader" in update.stacks.templates[TODO[:-1]]["Resources"] for update in found.updates)


def test_other_keys_under_a_successors_name_stay_refused() -> None:
    """Also when somebody goes back to the old export, and leaves the key in the stack file as it is."""
    made = way(OLD, wanted()).updates[1].stacks
    back = renamed_only()
    for before in (made, published(wanted())):
        said = reasons(before, back)
        assert f"AD743 {PLACE}" in said
        assert "it has the prefix v2- already, and cannot have other keys under the same name" in said
        found = in_order(before, back, plan_backend(before, back), TODAY).impossible
        with pytest.raises(RefusedError) as caught:
            check(found, "prod")
        assert "`pulumi config set -s prod --path 'replacedTables[0].prefix' v3-`" in caught.value.remedy


@functools.cache
def renamed_only() -> Stacks:
    """The old export, with the prefix."""
    assembly = with_successors(assemble(read_export(export("todo-series/v1"))), [Successor(TODO, "v2-", "copy")])
    root = render_root(assembly, VALUES, "staging-bucket")
    return Stacks.of(assembly, root, root.parameters)


KEYED = {
    "TableName": "v2-Todo",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
}


@pytest.mark.parametrize(
    ("change", "other"),
    [
        ({}, False),
        ({"BillingMode": "PAY_PER_REQUEST"}, False),
        ({"KeySchema": [{"AttributeName": "key", "KeyType": "HASH"}]}, True),
        ({"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}]}, True),
        ({"LocalSecondaryIndexes": [{"IndexName": "i", "KeySchema": KEYED["KeySchema"]}]}, True),
    ],
)
def test_what_replaces_a_table_for_its_keys_needs_another_name(change: dict[str, Any], other: bool) -> None:
    """Else the command that is told leads to the next refusal."""
    kind = {"Type": "AWS::DynamoDB::Table"}
    was, now = (SimpleNamespace(resource=lambda _, p=p: {**kind, "Properties": p}) for p in (KEYED, KEYED | change))
    assert has_other_keys(was, now, ("Todo",)) is other  # type: ignore[arg-type]


def test_there_is_nothing_to_keep_before_a_successor_is_made() -> None:
    closed = way(OLD, wanted()).updates[0].stacks
    for before in (OLD, closed):
        assert "it has no such successor yet whose items could be kept" in reasons(before, wanted("v2-", "keep"))
    made = way(OLD, wanted()).updates[1].stacks
    (copy,) = [step for step in steps(made, wanted("v2-", "keep")) if isinstance(step, CopyTable)]
    assert copy.keep


def test_items_that_were_left_behind_are_not_copied_later() -> None:
    """The app uses the new table by then."""
    assert "AD749" in reasons(published(wanted("v2-", "leave")), wanted("v2-", "copy"))


def test_indexes_of_other_tables_come_first_in_the_same_release() -> None:
    """They may take hours, in which the table would be closed."""
    old, found = stacks_of(V4), with_indexes(wanted(name=V4), "a", "b", "c")
    updates = way(old, found)
    assert [u.tables for u in updates.updates] == [(OTHER,), (OTHER,), (TODO,), (TODO,)]
    assert len(updates.copies) == 1
    here = old
    for done, update in enumerate(updates.updates, start=1):
        here = Handed.of(update).stacks(here)
        assert [u.root for u in way(here, found).updates] == [u.root for u in updates.updates[done:]]
        assert [type(s) for s in steps(here, found)].count(CopyTable) == 1


def test_indexes_that_go_are_taken_away_after_the_copy() -> None:
    old, new = with_indexes(stacks_of(V4), "a", "b"), wanted(name=V4)
    updates = way(old, new)
    assert [u.released for u in updates.updates] == [False, False, True]
    kinds = [type(step) for step in steps(old, new)]
    assert kinds.index(CopyTable) < [i for i, kind in enumerate(kinds) if kind is UpdateRoot][2]


def test_from_where_a_successor_is_made_nothing_else_is_tried_first() -> None:
    """That an update was rolled back from there says that the successor was in use."""
    made = way(stacks_of(V4), wanted(name=V4)).updates[1].stacks
    said = reasons(made, with_indexes(wanted(name=V4), "a", "b"))
    assert f"AD749 {PLACE}" in said
    assert "a table's successor is made, and has to get its items first" in said


def with_indexes(stacks: Stacks, *names: str) -> Stacks:
    """`stacks` with these indexes of another table, published."""
    own = dict(stacks.resource(OTHER)["Properties"])
    own["AttributeDefinitions"] = [{"AttributeName": name, "AttributeType": "S"} for name in ("id", "x")]
    keys = [{"AttributeName": "x", "KeyType": "HASH"}]
    index = {"KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}
    own["GlobalSecondaryIndexes"] = [{"IndexName": name, **index} for name in names]
    return with_properties(stacks, {OTHER: own})[0]


def test_a_policy_of_its_own_stays() -> None:
    properties = {**OLD.resource(TODO)["Properties"], "ResourcePolicy": {"PolicyDocument": {}}}
    assert "a resource-based policy of its own" in reasons(with_properties(OLD, {TODO: properties})[0], wanted())


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("apiseriesapp", "Todo", "TodoTabel"), "no table apiseriesapp/Todo/TodoTabel; TodoTable would be alike"),
        (("apiseriesapp", "Tod", "TodoTable"), "no table apiseriesapp/Tod/TodoTable"),
        (("TodoTable",), "no table TodoTable"),
        (("apiseriesapp", "Todo", "TodoDataSource"), "no table"),
    ],
)
def test_a_table_that_is_not_there_is_refused(path: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        wanted("v2-", "copy", path)


def test_a_name_of_cloudformations_needs_no_choice() -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = copy_export("todo-series/v1", Path(folder) / "amplify-export-seriesapp")
        set_value(made, FILE, "/Resources/TodoTable/Properties/TableName", None)
        with pytest.raises(ConfigError, match="no name of its own"):
            with_successors(assemble(read_export(made)), [Successor(TODO, "v2-", "copy")])
