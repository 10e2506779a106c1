"""What deploying would do to a backend, on real exports."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from amplify_delivery.delivery.planning import (
    AddResource,
    ChangeResource,
    MoveStack,
    RemoveResource,
    ReplaceResource,
    Stacks,
    UpdateStack,
    boundary_comes,
    plan_backend,
    trust_gap,
)
from amplify_delivery.export.templates.boundary import HAS_BOUNDARY, PERMISSIONS_BOUNDARY
from unit.delivery.planning.stacks_of import changed, stacks_of, with_resource, without

TABLE = "apiseriesapp/Todo/TodoTable"
DEPLOYED = stacks_of("todo-series/v1")
BY_ANOTHER_KEY = [{"AttributeName": "other", "KeyType": "HASH"}]


def places(old: Stacks | None, new: Stacks) -> dict[str, str]:
    return {step.place: step.mark for step in plan_backend(old, new)}


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        ("v1", "v1b", {}),
        ("v1b", "v2", {ChangeResource: 1}),
        ("v2", "v3", {AddResource: 26, ChangeResource: 6}),
        ("v3", "v4", {AddResource: 9}),
    ],
)
def test_a_re_export_changes_the_minimum(old: str, new: str, kinds: dict[type, int]) -> None:
    steps = plan_backend(stacks_of(f"todo-series/{old}"), stacks_of(f"todo-series/{new}"))
    assert Counter(map(type, steps)) == kinds
    assert not any(step.loss for step in steps)


def test_a_first_deployment_adds_everything() -> None:
    steps = plan_backend(None, DEPLOYED)
    assert {type(s) for s in steps} == {AddResource}
    assert {s.path for s in steps if isinstance(s, AddResource)} == DEPLOYED.resolved.resources.keys()


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ("v3", "v2", {"apiseriesapp/TodoList/TodoListTable": "items"}),
        ("v4", "v3", {"authseriesappauth/IdentityPool": "identities", "authseriesappauth/UserPool": "users"}),
    ],
)
def test_a_removed_model_or_pool_loses_its_data(old: str, new: str, lost: dict[str, str]) -> None:
    steps = plan_backend(stacks_of(f"todo-series/{old}"), stacks_of(f"todo-series/{new}"))
    assert {s.place: s.loss for s in steps if s.loss} == lost


def test_a_changed_table_key_replaces_the_table_and_loses_its_items() -> None:
    wanted = with_resource(DEPLOYED, TABLE, KeySchema=BY_ANOTHER_KEY)
    table = next(s for s in plan_backend(DEPLOYED, wanted) if s.place == TABLE)
    assert isinstance(table, ReplaceResource)
    assert (table.causes, table.certain, table.loss) == (("KeySchema",), True, "items")


def test_what_refers_to_a_replaced_resource_changes_too() -> None:
    wanted = with_resource(DEPLOYED, TABLE, KeySchema=BY_ANOTHER_KEY)
    steps = {s.place: s for s in plan_backend(DEPLOYED, wanted)}
    source = steps["apiseriesapp/Todo/TodoDataSource"]
    assert isinstance(source, ChangeResource)
    assert source.properties == ("DynamoDBConfig",)


def test_replacements_are_followed_as_far_as_they_go() -> None:
    wanted = with_resource(DEPLOYED, "apiseriesapp/Todo/TodoDataSource", Name="Other")
    kinds = {s.place: type(s) for s in plan_backend(DEPLOYED, wanted)}
    assert kinds["apiseriesapp/Todo/TodoDataSource"] is ReplaceResource
    # The functions take the source's name, by GetAtt; that is no create-only property of theirs.
    functions = {kind for place, kind in kinds.items() if "DataResolverFn" in place}
    assert functions == {ChangeResource}


def test_a_property_that_may_replace_is_told_as_such() -> None:
    def with_pool(pool: str) -> Stacks:
        users = {"UserPoolId": pool, "AwsRegion": "eu-central-1", "DefaultAction": "ALLOW"}
        return with_resource(DEPLOYED, "apiseriesapp/GraphQLAPI", UserPoolConfig=users)

    (step,) = plan_backend(with_pool("eu_1"), with_pool("eu_2"))
    assert isinstance(step, ReplaceResource)
    assert not step.certain


@pytest.mark.parametrize("place", [TABLE, "apiseriesapp/Todo", "apiseriesapp"])
def test_a_removed_resource_that_its_template_keeps_is_no_loss(place: str) -> None:
    deployed = with_resource(DEPLOYED, place, DeletionPolicy="Retain")
    table = next(s for s in plan_backend(deployed, without(deployed, place)) if s.place == TABLE)
    assert isinstance(table, RemoveResource)
    assert (table.kept, table.loss) == (True, "")


def test_a_stack_that_stays_keeps_nothing_that_leaves_it() -> None:
    deployed = with_resource(DEPLOYED, "apiseriesapp", DeletionPolicy="Retain")
    table = next(s for s in plan_backend(deployed, without(deployed, TABLE)) if s.place == TABLE)
    assert table.loss == "items"


def test_a_policy_that_no_longer_keeps_data_is_a_change() -> None:
    deployed = with_resource(DEPLOYED, TABLE, DeletionPolicy="Retain", UpdateReplacePolicy="Retain")
    wanted = with_resource(DEPLOYED, TABLE, DeletionPolicy="Delete", UpdateReplacePolicy="Retain")
    (step,) = plan_backend(deployed, wanted)
    assert step.what == "DeletionPolicy"


def test_another_type_under_the_same_name_is_a_replacement() -> None:
    wanted = with_resource(DEPLOYED, TABLE, Type="AWS::DynamoDB::GlobalTable")
    table = next(s for s in plan_backend(DEPLOYED, wanted) if s.place == TABLE)
    assert isinstance(table, ReplaceResource)
    assert (table.causes, table.loss) == (("Type",), "items")


def test_a_nested_stack_that_moves_is_deleted_and_made_anew() -> None:
    def rename(template: dict[str, object]) -> None:
        resources = template["Resources"]
        assert isinstance(resources, dict)
        resources["Task"] = resources.pop("Todo")

    renamed = changed(DEPLOYED, "apiseriesapp", rename)
    old, new = ("apiseriesapp", "Todo"), ("apiseriesapp", "Task")
    wanted = Stacks({new if p == old else p: t for p, t in renamed.templates.items()}, renamed.parameters)
    steps = plan_backend(DEPLOYED, wanted)
    assert [(s.path, s.was) for s in steps if isinstance(s, MoveStack)] == [(new, old)]
    assert [s.place for s in steps if s.loss] == [TABLE]


def test_an_output_alone_updates_its_stack() -> None:
    wanted = changed(DEPLOYED, "apiseriesapp/Todo", lambda t: t.setdefault("Outputs", {}).update(New={"Value": "1"}))
    (step,) = plan_backend(DEPLOYED, wanted)
    assert isinstance(step, UpdateStack)
    assert (step.place, step.sections) == ("apiseriesapp/Todo", ("Outputs",))


def test_a_root_parameter_that_nothing_reads_updates_the_root() -> None:
    wanted = Stacks(DEPLOYED.templates, {**DEPLOYED.parameters, "ApiKeyExpires": "2100000000"})
    # The key reads it.
    assert places(DEPLOYED, wanted) == {"apiseriesapp/GraphQLAPIDefaultApiKey215A6DD7": "~"}
    deployed = without(DEPLOYED, "apiseriesapp/GraphQLAPIDefaultApiKey215A6DD7")
    (step,) = plan_backend(deployed, Stacks(deployed.templates, wanted.parameters))
    assert isinstance(step, UpdateStack)
    assert step.path == ()


def test_a_stack_of_the_users_own_is_not_looked_into() -> None:
    own = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://s3.amazonaws.com/b/t.json"}}
    wanted = changed(DEPLOYED, "", lambda t: t["Resources"].update(Own=own))
    held = {"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {}}}}
    deployed = Stacks({**wanted.templates, ("Own",): held}, wanted.parameters)
    assert plan_backend(deployed, wanted) == ()
    other = {**own, "Properties": {"TemplateURL": "https://s3.amazonaws.com/b/u.json"}}
    (step,) = plan_backend(deployed, changed(wanted, "", lambda t: t["Resources"].update(Own=other)))
    assert isinstance(step, UpdateStack)
    # Once it is gone, what was in it is gone too.
    assert places(deployed, DEPLOYED) == {"Own/Table": "-"}


BOUNDARY = "arn:aws:iam::012345678901:policy/b"


def before_boundaries(stacks: Stacks) -> Stacks:
    """The stacks as they were deployed when no template knew of a boundary."""
    old = stacks
    for path in stacks.templates:

        def forget(template: dict[str, Any]) -> None:
            template.get("Parameters", {}).pop(PERMISSIONS_BOUNDARY, None)
            template.get("Conditions", {}).pop(HAS_BOUNDARY, None)
            for resource in template["Resources"].values():
                properties = resource.get("Properties", {})
                properties.pop("PermissionsBoundary", None)
                properties.get("Parameters", {}).pop(PERMISSIONS_BOUNDARY, None)

        old = changed(old, "/".join(path), forget)
    return Stacks(old.templates, {k: v for k, v in stacks.parameters.items() if k != PERMISSIONS_BOUNDARY})


def test_a_boundary_comes_to_every_role_and_changes_nothing_else() -> None:
    wanted = stacks_of("full", BOUNDARY)
    roles = {path for path, r in wanted.resolved.resources.items() if r.type == "AWS::IAM::Role"}
    for deployed in (stacks_of("full"), before_boundaries(wanted)):
        steps = plan_backend(deployed, wanted)
        assert {s.path for s in steps if isinstance(s, ChangeResource)} == roles
        assert {s.properties for s in steps if isinstance(s, ChangeResource)} == {("PermissionsBoundary",)}
        assert {type(s) for s in steps} == {ChangeResource}
        (note,) = boundary_comes(steps, bootstrapped=True)
        assert boundary_comes(steps, bootstrapped=False) == ()
        assert f"({len(roles)}: {steps[0].place}, " in note
        assert "continue-update-rollback" in note
    assert boundary_comes(plan_backend(None, wanted), bootstrapped=True) == ()


def test_an_update_of_the_auth_roles_is_told_where_their_pool_is_not_named() -> None:
    wanted, before = stacks_of("full", BOUNDARY), stacks_of("full")
    (note,) = trust_gap(plan_backend(before, wanted), wanted, "dev")
    assert "AuthRole, UnauthRole: " in note and "-s dev --path parameters.root.AuthIdentityPool" in note
    named = Stacks(wanted.templates, {**wanted.parameters, "AuthIdentityPool": "eu-west-1:1"})
    was = Stacks(before.templates, {**before.parameters, "AuthIdentityPool": "eu-west-1:1"})
    assert trust_gap(plan_backend(was, named), named, "dev") == ()
    assert trust_gap((), wanted, "dev") == ()
    # What sets the trust is told to delete what was, whenever it is updated.
    setter = "UpdateRolesWithIDPFunctionOutputs"
    other = with_resource(named, setter, region="another")
    (note,) = trust_gap(plan_backend(named, other), other, "dev")
    assert note.startswith(f"{setter}: ") and "pulumi config" not in note


def test_a_stack_of_before_learns_of_boundaries_without_a_change_of_resources() -> None:
    steps = plan_backend(before_boundaries(stacks_of("full")), stacks_of("full"))
    assert {type(s) for s in steps} == {UpdateStack}
    assert plan_backend(stacks_of("full", BOUNDARY), stacks_of("full", BOUNDARY)) == ()


def test_a_number_that_a_parameter_gives_now_is_the_same_number() -> None:
    """Parameters are texts, and CloudFormation hands scalars on as texts anyway. Inside of JSON they are what they
    are."""

    def changes(old: Any, new: Any) -> bool:
        return TABLE in places(*(with_resource(DEPLOYED, TABLE, Value=value) for value in (old, new)))

    assert not changes(1_773_510_303, "1773510303")
    assert not changes(True, "true")
    assert changes(5, "6")
    assert changes({"a": 5}, {"a": "5"})
    assert changes("5", None)
