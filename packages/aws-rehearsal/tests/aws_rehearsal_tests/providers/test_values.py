"""Property values between engine and provider: secrets stay secret, unknowns unknown, nothing else changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_rehearsal.providers.paths import ignoring, parse
from aws_rehearsal.providers.wire import UNKNOWN, Asset, Secret, decode, encode, has_secret, mark_secrets, plain

_KEYS = st.text(min_size=1, max_size=8).filter(lambda key: key != "4dabf18193072939515e22adb298388d")
_LEAVES = st.one_of(st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=20), st.just(UNKNOWN))
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3), inner.map(Secret)),
    max_leaves=8,
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_what_is_encoded_is_decoded_again(values: dict[str, Any]) -> None:
    assert decode(encode(values)) == values


def test_a_missing_value_is_left_out_and_a_whole_number_is_an_integer() -> None:
    assert decode(encode({"none": None, "whole": 3.0, "part": 0.5, "flag": True})) == {
        "whole": 3,
        "part": 0.5,
        "flag": True,
    }
    assert isinstance(decode(encode({"whole": 3.0}))["whole"], int)


def test_an_asset_keeps_its_fields() -> None:
    asset = Asset("c44067f5952c0a294b673a41bacd8c17", {"path": "a.zip", "hash": "abc"})
    assert decode(encode({"source": asset}))["source"] == asset


def test_a_secret_shows_nothing_when_printed() -> None:
    assert "hush" not in repr({"password": Secret("hush")})


@pytest.mark.parametrize(
    ("value", "source", "marked"),
    [
        ("x", Secret("y"), Secret("x")),
        ({"a": 1, "b": 2}, {"a": Secret(0)}, {"a": Secret(1), "b": 2}),
        ({"a": {"b": "x"}}, {"a": {"b": Secret("y"), "c": 1}}, {"a": {"b": Secret("x")}}),
        # AWS hands lists back in its own order, so nothing of the list may be shown.
        ({"a": ["x", "y"]}, {"a": [Secret("y"), "x"]}, {"a": Secret(["x", "y"])}),
        ({"a": "text"}, {"a": {"b": Secret("y")}}, {"a": Secret("text")}),
        ({"a": None}, {"a": Secret("y")}, {"a": None}),
        ({"other": "x"}, {"a": Secret("y")}, {"other": "x"}),
    ],
)
def test_what_came_in_as_a_secret_goes_out_as_one(value: Any, source: Any, marked: Any) -> None:
    assert mark_secrets(value, source) == marked


@given(_VALUES)
def test_plain_values_hold_no_marks(value: Any) -> None:
    assert not has_secret(plain(value))


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("tags", ["tags"]),
        ("parameters.Password", ["parameters", "Password"]),
        ('parameters["a.b"]', ["parameters", "a.b"]),
        ("rules[0].status", ["rules", "0", "status"]),
        ("tags[*]", ["tags", "*"]),
    ],
)
def test_paths_are_taken_apart(path: str, steps: list[str]) -> None:
    assert parse(path) == steps


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", {"a": {"x": 1, "y": 2}, "b": [5, 6], "c": 7}),
        ("a.x", {"a": {"x": 1, "y": 8}, "b": [5, 6], "c": 7}),
        ("a.*", {"a": {"x": 1, "y": 2}, "b": [5, 6], "c": 7}),
        ("b[0]", {"a": {"x": 9, "y": 8}, "b": [3, 6], "c": 7}),
        ("c", {"a": {"x": 9, "y": 8}, "b": [5, 6]}),
        ("d", {"a": {"x": 9, "y": 8}, "b": [5, 6], "c": 7, "d": 4}),
    ],
)
def test_ignored_paths_keep_their_old_value(path: str, expected: Any) -> None:
    olds = {"a": {"x": 1, "y": 2}, "b": [3, 4], "d": 4}
    news = {"a": {"x": 9, "y": 8}, "b": [5, 6], "c": 7}
    assert ignoring(olds, news, [path]) == expected
    assert news == {"a": {"x": 9, "y": 8}, "b": [5, 6], "c": 7}
