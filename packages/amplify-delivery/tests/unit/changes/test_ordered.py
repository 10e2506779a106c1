"""Several index changes of a table: the updates that lead there, each of which DynamoDB takes, and the rest of them."""

from __future__ import annotations

import itertools
import json
from datetime import date
from typing import Any

import pytest

from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.impossible import impossible
from amplify_delivery.changes.ordered.handed import Handed, handed_over, taken
from amplify_delivery.changes.ordered.updates import Ordered, ordered, with_properties
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import ChangeResource, UpdateRoot
from amplify_delivery.delivery.planning import in_order
from amplify_delivery.export import assemble, read_export, render_root
from unit.command_line import export
from unit.delivery.planning.stacks_of import VALUES, changed, stacks_of, with_resource

TODAY = date(2026, 6, 1)
TODO = ("apiseriesapp", "Todo", "TodoTable")
LISTS = ("apiseriesapp", "TodoList", "TodoListTable")
OLD = stacks_of("todo-series/v4")


def table(stacks: Stacks, path: tuple[str, ...]) -> dict[str, Any]:
    return dict(stacks.resource(path)["Properties"])


def with_tables(base: Stacks, **tables: dict[str, str]) -> Stacks:
    """`base`, published, with indexes of `todo` and `lists`: their names with the attribute that is their key."""
    edits: dict[tuple[str, ...], dict[str, Any]] = {}
    for name, indexes in tables.items():
        path = {"todo": TODO, "lists": LISTS}[name]
        own = table(base, path)
        keys = sorted({"id", *indexes.values()})
        edits[path] = {
            **own,
            "AttributeDefinitions": [{"AttributeName": k, "AttributeType": "S"} for k in keys],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": name,
                    "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
                for name, key in indexes.items()
            ],
        }
    return with_properties(base, edits)[0]


def way(old: Stacks, new: Stacks) -> Ordered:
    return ordered(old, new, plan_backend(old, new))


def states(old: Stacks, new: Stacks) -> list[Stacks]:
    """What is deployed, from the beginning to the end."""
    return [old, *(update.stacks for update in way(old, new).updates), new]


def indexes(stacks: Stacks, path: tuple[str, ...] = TODO) -> str:
    return " ".join(sorted(i["IndexName"] for i in table(stacks, path).get("GlobalSecondaryIndexes", ())))


CASES: dict[str, tuple[dict[str, dict[str, str]], dict[str, dict[str, str]], list[str]]] = {
    "several are made": ({"todo": {}}, {"todo": {"b": "x", "a": "y", "c": "x"}}, ["", "a", "a b", "a b c"]),
    "several are deleted": ({"todo": {"a": "x", "b": "y"}}, {"todo": {}}, ["a b", "b", ""]),
    "one for another": ({"todo": {"a": "x"}}, {"todo": {"b": "x"}}, ["a", "a b", "b"]),
    "other keys": ({"todo": {"a": "x"}}, {"todo": {"a": "y"}}, ["a", "", "a"]),
    "all at once": (
        {"todo": {"a": "x", "b": "y", "c": "z"}},
        {"todo": {"a": "y", "c": "z", "d": "x"}},
        ["a b c", "a b c d", "b c d", "a b c d", "a c d"],
    ),
    "two tables": (
        {"todo": {"a": "x"}, "lists": {}},
        {"todo": {}, "lists": {"a": "x", "b": "x"}},
        ["a", "a", ""],
    ),
}
"""What is there, what is wanted, and the indexes of Todo after each update."""


@pytest.mark.parametrize("case", CASES)
def test_each_update_is_one_that_dynamodb_takes(case: str) -> None:
    had, wants, todo = CASES[case]
    old, new = with_tables(OLD, **had), with_tables(OLD, **wants)
    through = states(old, new)
    assert [indexes(s) for s in through] == todo
    for before, after in itertools.pairwise(through):
        steps = plan_backend(before, after)
        assert steps
        assert impossible(steps, before, after, TODAY) == ()
        for path in (TODO, LISTS):
            properties = table(after, path)
            keyed = [properties, *properties.get("GlobalSecondaryIndexes", ())]
            used = {k["AttributeName"] for schema in keyed for k in schema["KeySchema"]}
            assert used == {a["AttributeName"] for a in properties["AttributeDefinitions"]}


@pytest.mark.parametrize("case", CASES)
def test_from_each_state_the_same_updates_remain(case: str) -> None:
    """What was approved once goes on, wherever it was ended."""
    had, wants, _ = CASES[case]
    old, new = with_tables(OLD, **had), with_tables(OLD, **wants)
    updates = way(old, new).updates
    for done, update in enumerate(updates, start=1):
        rest = way(update.stacks, new)
        assert [u.root for u in rest.updates] == [u.root for u in updates[done:]]
        assert [u.objects for u in rest.updates] == [u.objects for u in updates[done:]]
        here, whole = (in_order(o, new, plan_backend(o, new), TODAY) for o in (update.stacks, old))
        approved = [step.to_json() for step in (*whole.first, *whole.then)]
        remaining = [*here.first, *here.then]
        assert remaining
        assert all(step.to_json() in approved for step in remaining)


def test_everything_else_comes_when_the_new_indexes_are_there_and_before_the_old_ones_go() -> None:
    old = with_tables(OLD, todo={"a": "x", "b": "y"})
    new = with_tables(
        with_resource(OLD, "authseriesappauth/UserPool", UserPoolName="another"), todo={"c": "x", "d": "y"}
    )
    through = states(old, new)
    assert [indexes(s) for s in through] == ["a b", "a b c", "a b c d", "b c d", "c d"]
    pools = [s.resource(("authseriesappauth", "UserPool"))["Properties"]["UserPoolName"] for s in through]
    assert [p == "another" for p in pools] == [False, False, True, True, True]
    assert [u.released for u in way(old, new).updates] == [False, True, True]
    order = in_order(old, new, plan_backend(old, new), TODAY)
    assert [isinstance(step, UpdateRoot) for step in order.first].count(True) == 2
    assert "everything else of the release" in [s for s in order.first if isinstance(s, UpdateRoot)][-1].what


def test_an_attribute_of_another_type_comes_with_its_index() -> None:
    old = with_tables(OLD, todo={"a": "x"})
    new = with_tables(OLD, todo={"a": "x", "b": "y"})
    properties = table(new, TODO)
    types = [
        {**a, "AttributeType": "N"} if a["AttributeName"] == "x" else a for a in properties["AttributeDefinitions"]
    ]
    other = {**properties["GlobalSecondaryIndexes"][0], "Projection": {"ProjectionType": "KEYS_ONLY"}}
    rest = properties["GlobalSecondaryIndexes"][1:]
    edit = {**properties, "AttributeDefinitions": types, "GlobalSecondaryIndexes": [other, *rest]}
    new = with_properties(new, {TODO: edit})[0]
    found = [
        {a["AttributeName"]: a["AttributeType"] for a in table(s, TODO)["AttributeDefinitions"]}
        for s in states(old, new)
    ]
    assert found[:3] == [{"id": "S", "x": "S"}, {"id": "S", "x": "S", "y": "S"}, {"id": "S", "y": "S"}]
    assert found[3] == {"id": "S", "x": "N", "y": "S"}


def test_an_index_whose_attribute_gets_another_type_is_made_anew() -> None:
    old = with_tables(OLD, todo={"a": "x"})
    properties = table(old, TODO)
    edited = [
        {**a, "AttributeType": "N"} if a["AttributeName"] == "x" else a for a in properties["AttributeDefinitions"]
    ]
    new = with_properties(old, {TODO: {**properties, "AttributeDefinitions": edited}})[0]
    assert [indexes(s) for s in states(old, new)] == ["a", "", "a"]
    assert [i.id for i in impossible(plan_backend(old, new), old, new, TODAY)] == ["AD741"]


def test_no_more_than_twenty_at_a_time() -> None:
    old = with_tables(OLD, todo={f"i{n:02}": "x" for n in range(20)})
    new = with_tables(OLD, todo={**{f"i{n:02}": "x" for n in range(2, 20)}, "j": "y", "k": "y"})
    through = states(old, new)
    counts = [len(table(s, TODO)["GlobalSecondaryIndexes"]) for s in through]
    assert counts == [20, 19, 18, 19, 20]


def test_one_change_takes_one_update() -> None:
    assert way(with_tables(OLD, todo={"a": "x"}), with_tables(OLD, todo={"a": "x", "b": "y"})) == Ordered()
    assert way(with_tables(OLD, todo={}, lists={}), with_tables(OLD, todo={"a": "x"}, lists={"b": "x"})).updates == ()
    assert ordered(None, OLD, plan_backend(None, OLD)) == Ordered()


@pytest.mark.parametrize(
    ("old", "says"),
    [
        (changed(with_tables(OLD, todo={}), "apiseriesapp/Todo", lambda t: t.update(Description="by hand")), "by hand"),
        (Stacks(OLD.templates, {**OLD.parameters, "Some": "****"}), "masks"),
        (Stacks(OLD.templates, {}), "the root stack"),
        (with_resource(OLD, "/".join(TODO), GlobalSecondaryIndexes={"Fn::If": ["A", [], []]}), "computed"),
    ],
)
def test_what_nobody_can_put_in_order_is_refused_with_the_reason(old: Stacks, says: str) -> None:
    new = with_tables(OLD, todo={"a": "x", "b": "y"})
    steps = plan_backend(old, new)
    order = in_order(old, new, steps, TODAY)
    assert (order.first, order.then, order.updates) == (steps, (), ())
    reasons = way(old, new).reasons
    assert says in reasons["/".join(TODO)]
    assert all(says in i.message for i in order.impossible)


def test_whoever_ignores_it_has_aws_say_it() -> None:
    old, new = with_tables(OLD, todo={}), with_tables(OLD, todo={"a": "x", "b": "y"})
    steps = plan_backend(old, new)
    order = in_order(old, new, steps, TODAY, ["AD741"])
    assert (order.first, order.updates, order.impossible) == (steps, (), ())


def test_the_content_of_each_update_is_part_of_what_is_approved() -> None:
    old, new = with_tables(OLD, todo={}), with_tables(OLD, todo={"a": "x", "b": "y"})
    order = in_order(old, new, plan_backend(old, new), TODAY)
    headers = [s for s in order.first if isinstance(s, UpdateRoot)]
    assert [h.root for h in headers] == [order.updates[0].root, new.parameters["RootTemplateKey"]]
    assert headers[0].to_json()["why"] == ["apiseriesapp/Todo/TodoTable: index a is made"]
    changes = [s for s in order.first if isinstance(s, ChangeResource) and s.path == TODO]
    assert len(changes) == 2
    # The keys of all templates follow from their content, up to the root's.
    (update,) = order.updates
    assert [item.key for item, _ in update.objects][-1] == update.root
    assert all(item.sha256 in item.key and json.loads(body) for item, body in update.objects)
    assert len(update.objects) == 3


@pytest.mark.parametrize("released", [False, True])
def test_what_is_handed_over_is_the_same_update(released: bool) -> None:
    export_ = export("todo-series/v4")
    assembly = assemble(read_export(export_))
    root = render_root(assembly, VALUES, "staging-bucket")
    wanted = Stacks.of(assembly, root, root.parameters)
    other = with_tables(wanted, todo={"a": "x", "b": "y"})
    old, new = (other, wanted) if released else (wanted, other)
    update = way(old, new).updates[-1 if released else 0]
    assert update.released is released
    with handed_over(update) as variables:
        handed = taken(variables)
    assert handed == Handed.of(update)
    assert handed is not None
    assert handed.stacks(new if released else old) == update.stacks
    instead = handed.root(root)
    assert (instead.object.key, instead.parameters["RootTemplateKey"]) == (update.root, update.root)
    assert instead.template == update.stacks.templates[()]
    assert taken({}) is None


EXPORTED = {"Value": {"Fn::GetAtt": ["TodoTable", "Arn"]}, "Export": {"Name": {"Fn::Join": [":", ["mine", "arn"]]}}}
POOL = "authseriesappauth/UserPool"


def exporting(stacks: Stacks) -> Stacks:
    """Todo exports something."""
    return published(changed(stacks, "apiseriesapp/Todo", lambda t: t["Outputs"].update(Mine=EXPORTED)))


def importing(stacks: Stacks) -> Stacks:
    """The user pool's stack imports it."""
    return published(with_resource(stacks, POOL, UserPoolName={"Fn::ImportValue": {"Fn::Sub": "mine:arn"}}))


def published(stacks: Stacks) -> Stacks:
    """With the keys that its templates have."""
    paths = [path for path in stacks.templates if path]
    leaf = {p: next(iter(stacks.templates[p]["Resources"])) for p in paths}
    return with_properties(
        stacks, {(*p, leaf[p]): stacks.resource((*p, leaf[p])).get("Properties", {}) for p in paths}
    )[0]


def test_an_export_stays_until_nothing_imports_it() -> None:
    old, new = importing(exporting(OLD)), published(OLD)
    steps = plan_backend(old, new)
    assert [(i.id, i.place) for i in impossible(steps, old, new, TODAY)] == [("AD748", "apiseriesapp/Todo")]
    order = in_order(old, new, steps, TODAY)
    assert order.impossible == ()
    (update,) = order.updates
    assert update.released
    assert update.why == ("apiseriesapp/Todo: export Mine stays as it is until nothing imports it any more",)
    assert update.stacks.templates["apiseriesapp", "Todo"]["Outputs"]["Mine"] == EXPORTED
    assert update.stacks.templates["authseriesappauth",] == new.templates["authseriesappauth",]
    # When it has been carried out, one update is left, and it was approved.
    rest = plan_backend(update.stacks, new)
    left = in_order(update.stacks, new, rest, TODAY)
    assert (left.updates, left.impossible) == ((), ())
    approved = [step.to_json() for step in (*order.first, *order.then)]
    assert rest
    assert all(step.to_json() in approved for step in left.first)


def test_an_export_stays_until_no_output_imports_it() -> None:
    def told(template: dict[str, Any]) -> None:
        template.setdefault("Outputs", {})["Imported"] = {"Value": {"Fn::ImportValue": {"Fn::Sub": "mine:arn"}}}

    old, new = published(changed(exporting(OLD), "authseriesappauth", told)), published(OLD)
    (update,) = in_order(old, new, plan_backend(old, new), TODAY).updates
    assert update.why == ("apiseriesapp/Todo: export Mine stays as it is until nothing imports it any more",)


def test_an_export_that_nothing_imports_or_that_stays_is_no_matter() -> None:
    for old, new in (
        (exporting(OLD), published(OLD)),
        (importing(exporting(OLD)), exporting(OLD)),
        (published(OLD), importing(exporting(OLD))),
    ):
        steps = plan_backend(old, new)
        assert ordered(old, new, steps) == Ordered()
        assert impossible(steps, old, new, TODAY) == ()


def test_an_export_keeps_its_value_until_nothing_imports_it() -> None:
    """CloudFormation changes no value of an export that is in use either."""
    old = importing(exporting(OLD))
    new = published(changed(OLD, "apiseriesapp/Todo", lambda t: t["Outputs"].update(Mine={**EXPORTED, "Value": "new"})))
    steps = plan_backend(old, new)
    assert [(i.id, i.place) for i in impossible(steps, old, new, TODAY)] == [("AD748", "apiseriesapp/Todo")]
    order = in_order(old, new, steps, TODAY)
    assert order.impossible == ()
    (update,) = order.updates
    outputs = [s.templates["apiseriesapp", "Todo"]["Outputs"]["Mine"]["Value"] for s in (update.stacks, new)]
    assert outputs == [EXPORTED["Value"], "new"]
    left = in_order(update.stacks, new, plan_backend(update.stacks, new), TODAY)
    assert (left.updates, left.impossible) == ((), ())


def test_an_export_that_cannot_stay_as_it_is() -> None:
    """It is imported in the release too; it tells of what is replaced; another stack exports the name."""

    def exported(stacks: Stacks, value: Any, place: str = "apiseriesapp/Todo") -> Stacks:
        output = {**EXPORTED, "Value": value}
        return published(changed(stacks, place, lambda t: t["Outputs"].update(Mine=output)))

    role = {"Fn::GetAtt": ["TodoIAMRole2DA8E66E", "Arn"]}
    renamed = with_resource(OLD, "apiseriesapp/Todo/TodoIAMRole2DA8E66E", RoleName="another")
    told = {
        "is imported in this release too": (exporting(OLD), importing(exported(OLD, "new"))),
        "TodoIAMRole2DA8E66E, which is replaced in the same release": (exported(OLD, role), exported(renamed, role)),
        "another stack exports the name": (exporting(OLD), exported(OLD, "x", "apiseriesapp/TodoList")),
    }
    for reason, (old, new) in told.items():
        before = importing(old)
        order = in_order(before, new, plan_backend(before, new), TODAY)
        (found,) = [i for i in order.impossible if i.id == "AD748"]
        assert reason in found.message


def test_an_export_goes_together_with_indexes() -> None:
    old = with_tables(importing(exporting(OLD)), todo={"a": "x", "b": "y"})
    new = with_tables(published(OLD), todo={})
    through = states(old, new)
    assert [indexes(s) for s in through] == ["a b", "b", ""]
    assert ["Mine" in s.templates["apiseriesapp", "Todo"]["Outputs"] for s in through] == [True, True, False]
    for before, after in itertools.pairwise(through):
        assert impossible(plan_backend(before, after), before, after, TODAY) == ()


@pytest.mark.parametrize("tells", [{"Ref": "TodoIAMRole2DA8E66E"}, {"Fn::Sub": "role ${TodoIAMRole2DA8E66E}"}])
def test_an_export_that_goes_with_what_it_tells_of_is_refused(tells: dict[str, str]) -> None:
    def drop(template: dict[str, Any]) -> None:
        del template["Resources"]["TodoIAMRole2DA8E66E"]

    other = {**EXPORTED, "Value": tells}
    old = importing(published(changed(OLD, "apiseriesapp/Todo", lambda t: t["Outputs"].update(Mine=other))))
    new = published(changed(OLD, "apiseriesapp/Todo", drop))
    order = in_order(old, new, plan_backend(old, new), TODAY)
    (found,) = [i for i in order.impossible if i.id == "AD748"]
    assert "the output Mine tells of TodoIAMRole2DA8E66E, which goes in the same release" in found.message
