"""What a re-export touches, on the real series of one app: v1b is v1 exported again, v2 adds a field, v3 a model
and a relation, v4 `amplify add auth`. The minimum was measured: 0, 1, 32 and 9 leaf resources."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from amplify_delivery.export import Assembly, compare

Assemblies = Callable[[str], Assembly]


@pytest.mark.parametrize(
    ("old", "new", "resources", "stacks"),
    [("v1", "v1b", 0, 0), ("v1b", "v2", 1, 1), ("v2", "v3", 32, 4), ("v3", "v4", 9, 1)],
)
def test_touches_the_minimum(old: str, new: str, resources: int, stacks: int, assembly_of: Assemblies) -> None:
    comparison = compare(assembly_of(f"todo-series/{old}"), assembly_of(f"todo-series/{new}"))
    assert (len(comparison.resources), len(comparison.stacks)) == (resources, stacks)


def test_says_what_is_touched(assembly_of: Assemblies) -> None:
    comparison = compare(assembly_of("todo-series/v1b"), assembly_of("todo-series/v2"))
    (resource,), (stack,) = comparison.resources, comparison.stacks
    assert (resource.type, resource.change) == ("AWS::AppSync::GraphQLSchema", "changed")
    assert resource.properties == ("DefinitionS3Location",)
    assert (stack.path, stack.change) == (("apiseriesapp",), "changed")


def test_only_stacks_with_a_touched_resource_in_or_below_them_are_touched(assembly_of: Assemblies) -> None:
    for old, new in (("v1b", "v2"), ("v2", "v3"), ("v3", "v4")):
        comparison = compare(assembly_of(f"todo-series/{old}"), assembly_of(f"todo-series/{new}"))
        above = {r.path[:depth] for r in comparison.resources for depth in range(1, len(r.path))}
        assert {s.path for s in comparison.stacks} <= above


def test_adding_and_removing_mirror_each_other(assembly_of: Assemblies) -> None:
    forth = compare(assembly_of("todo-series/v3"), assembly_of("todo-series/v4"))
    back = compare(assembly_of("todo-series/v4"), assembly_of("todo-series/v3"))
    assert {r.path for r in forth.resources if r.change == "added"} == {
        r.path for r in back.resources if r.change == "removed"
    }


def test_an_unchanged_re_export_publishes_nothing_new(assembly_of: Assemblies) -> None:
    old, new = assembly_of("todo-series/v1"), assembly_of("todo-series/v1b")
    assert {o.key for o in new.objects} == {o.key for o in old.objects}
