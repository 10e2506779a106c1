"""Where the stacks of a tree are drawn."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplify_delivery.delivery.reporting.page.tree_layout import HEIGHT, WIDTH, Drawing, drawn

LARGE = [("auth",), ("storage",), ("api",), *(("api", f"Model{n:03}") for n in range(156))]
"""160 stacks with the root."""


def overlapping(drawing: Drawing) -> list[tuple[object, object]]:
    return [
        (a.path, b.path)
        for a, b in itertools.combinations(drawing.nodes, 2)
        if abs(a.x - b.x) < WIDTH and abs(a.y - b.y) < HEIGHT
    ]


def test_160_stacks_fit_on_a_screen_and_none_hides_another() -> None:
    drawing = drawn(LARGE)
    assert len(drawing.nodes) == 160
    assert overlapping(drawing) == []
    assert drawing.width <= 1160
    assert drawing.height <= 1400


def test_the_same_tree_is_drawn_the_same_whatever_the_order() -> None:
    shuffled = list(LARGE)
    random.Random(1).shuffle(shuffled)
    assert drawn(shuffled) == drawn(LARGE)


def test_names_are_found_column_by_column_in_alphabetical_order() -> None:
    models = [node for node in drawn(LARGE).nodes if len(node.path) == 2]
    assert [n.path for n in sorted(models, key=lambda n: (n.x, n.y))] == sorted(n.path for n in models)


def test_a_stack_whose_parent_is_unknown_stands_below_the_nearest_that_is_known() -> None:
    nodes = {node.path: node for node in drawn([("api",), ("api", "lost", "deep")]).nodes}
    ordered = list(nodes)
    assert ordered[nodes["api", "lost", "deep"].parent] == ("api",)


def test_a_root_without_nested_stacks_is_one_node() -> None:
    drawing = drawn([()])
    assert [(n.path, n.parent, n.first, n.level) for n in drawing.nodes] == [((), -1, -1, 1)]
    assert (drawing.edges, drawing.frames) == ((), ())


names = st.sampled_from(["a", "b", "c", "d"])


@given(st.lists(st.lists(names, min_size=1, max_size=4).map(tuple), max_size=40))
@settings(max_examples=60)
def test_no_tree_has_stacks_that_overlap_or_lie_outside(paths: list[tuple[str, ...]]) -> None:
    drawing = drawn(paths)
    assert {node.path for node in drawing.nodes} == {(), *paths}
    assert overlapping(drawing) == []
    assert all(n.x + WIDTH <= drawing.width and n.y + HEIGHT <= drawing.height for n in drawing.nodes)
    for index, node in enumerate(drawing.nodes):
        assert (node.parent == -1) is (node.path == ())
        if node.first != -1:
            assert drawing.nodes[node.first].parent == index
        if node.parent != -1:
            parent = drawing.nodes[node.parent]
            assert (parent.level + 1, parent.x < node.x) == (node.level, True)


@pytest.mark.parametrize("children", [1, 6, 7, 14, 15, 36, 37, 200])
def test_positions_count_what_a_screen_reader_counts(children: int) -> None:
    below = [n for n in drawn([(f"s{i:03}",) for i in range(children)]).nodes if n.path]
    assert [(n.position, n.of) for n in below] == [(i + 1, children) for i in range(children)]
