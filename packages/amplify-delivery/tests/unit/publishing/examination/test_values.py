"""What resolved values can become."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_delivery.publishing.examination.values import UNKNOWN, text, texts


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", ["plain"]),
        (3, ["3"]),
        (True, ["true"]),
        ({"Ref": "AWS::AccountId"}, [UNKNOWN]),
        ({"Ref": ["api", "Table"]}, [UNKNOWN]),
        ({"Fn::Join": ["", ["https://s3.", {"Ref": "AWS::URLSuffix"}, "/b"]]}, [f"https://s3.{UNKNOWN}/b"]),
        ({"Fn::If": ["c", "a", "other"]}, ["a", "other"]),
        ({"Fn::Join": ["", ["a-", {"Fn::If": ["c", "b", "b"]}]]}, ["a-b"]),
        ({"Fn::GetAtt": [["Table"], "Arn"]}, [UNKNOWN]),
        ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, [UNKNOWN]),
    ],
)
def test_the_texts_that_a_value_can_become(value: Any, expected: list[str]) -> None:
    assert texts(value) == expected


def test_a_text_that_depends_on_a_condition_is_unknown() -> None:
    assert text({"Fn::If": ["c", "a", "b"]}) == UNKNOWN


def test_too_many_possibilities_are_unknown() -> None:
    choice = {"Fn::If": ["c", "a", "b"]}
    assert texts({"Fn::Join": ["", [choice] * 10]}) == [UNKNOWN]
