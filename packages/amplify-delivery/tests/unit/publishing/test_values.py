"""What expressions of templates can become."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_delivery.publishing.examination.values import UNKNOWN, text, texts

VALUES = {"bucket": "b", "key": "k.zip", "later": UNKNOWN}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("plain", ["plain"]),
        (3, ["3"]),
        (True, ["true"]),
        ({"Ref": "bucket"}, ["b"]),
        ({"Ref": "AWS::Region"}, [UNKNOWN]),
        ({"Fn::Join": ["/", ["s3:/", {"Ref": "bucket"}, {"Ref": "key"}]]}, ["s3://b/k.zip"]),
        ({"Fn::Sub": "s3://${bucket}/${key}"}, ["s3://b/k.zip"]),
        ({"Fn::Sub": ["${x}/${!literal}", {"x": {"Ref": "key"}}]}, ["k.zip/${literal}"]),
        ({"Fn::Sub": "https://s3.${AWS::Region}/b"}, [f"https://s3.{UNKNOWN}/b"]),
        ({"Fn::If": ["c", {"Ref": "bucket"}, "other"]}, ["b", "other"]),
        ({"Fn::Join": ["-", ["a", {"Fn::If": ["c", "b", "b"]}]]}, ["a-b"]),
        ({"Fn::GetAtt": ["Table", "Arn"]}, [UNKNOWN]),
        ({"Fn::Select": [0, ["a"]]}, [UNKNOWN]),
    ],
)
def test_texts(expression: Any, expected: list[str]) -> None:
    assert texts(expression, VALUES) == expected


def test_a_text_that_depends_on_a_condition_is_unknown() -> None:
    assert text({"Fn::If": ["c", "a", "b"]}, VALUES) == UNKNOWN


def test_too_many_possibilities_are_unknown() -> None:
    choice = {"Fn::If": ["c", "a", "b"]}
    assert texts({"Fn::Join": ["", [choice] * 10]}, VALUES) == [UNKNOWN]
