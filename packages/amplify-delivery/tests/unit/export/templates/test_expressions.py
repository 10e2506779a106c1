"""String expressions taken apart: what they refer to, and what they become."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_delivery.export.templates.expressions import names_in, spelt


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ({"Ref": "Topic"}, {"Topic"}),
        ({"Ref": "AWS::Region"}, {"AWS::Region"}),
        ({"Fn::GetAtt": ["Topic", "Arn"]}, {"Topic"}),
        ({"Fn::GetAtt": "Topic.Arn"}, {"Topic"}),
        ({"Fn::Sub": "${Topic}/${ Queue.Arn }/${!Literal}"}, {"Topic", "Queue"}),
        ({"Fn::Sub": ["${own}/${Topic}", {"own": {"Ref": "Queue"}}]}, {"Topic", "Queue"}),
        ([{"Fn::If": ["Large", {"Ref": "Topic"}, {"P": [{"Ref": "Queue"}]}]}, "Ref"], {"Topic", "Queue"}),
        ({"Fn::GetAtt": []}, set()),
        ({"Fn::Sub": 1}, set()),
        (None, set()),
    ],
)  # fmt: skip
def test_what_an_expression_refers_to(expression: Any, names: set[str]) -> None:
    assert names_in(expression) == names


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("s3", "s3"),
        ({"Fn::Sub": "s3.${AWS::Region}/${Key.Arn}/${!Key}"}, "s3.eu-west-1/arn/${Key}"),
        ({"Fn::Join": [".", ["s3", {"Ref": "AWS::Region"}]]}, "s3.eu-west-1"),
        ({"Fn::GetAtt": ["Key", "Arn"]}, "arn"),
        ({"Ref": "Key"}, None),
        ({"Fn::Join": ["", ["s3", {"Fn::ImportValue": "x"}]]}, None),
        (7, None),
    ],
)  # fmt: skip
def test_what_an_expression_becomes(expression: Any, text: str | None) -> None:
    assert spelt(expression, {"AWS::Region": "eu-west-1", "Key.Arn": "arn"}) == text
