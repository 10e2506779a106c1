"""Resolving templates as CloudFormation would: what is known becomes its value, what is not stays comparable."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_delivery.errors import AssemblyError
from amplify_delivery.export.templates.resolve import constants, resolve

CONDITIONS = {
    "Yes": {"Fn::Equals": ["a", "a"]},
    "No": {"Fn::Not": [{"Condition": "Yes"}]},
    "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
    "Either": {"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]},
    "Somewhere": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]},
    "Circle": {"Fn::Not": [{"Condition": "Circle"}]},
}


def value(expression: Any, **parameters: str) -> Any:
    declared = {name: {"Type": "CommaDelimitedList" if name.startswith("list") else "String"} for name in parameters}
    template = {
        "Parameters": declared,
        "Mappings": {"M": {"a": {"b": "mapped"}}},
        "Conditions": CONDITIONS,
        "Resources": {"R": {"Type": "X", "Properties": {"P": expression}}},
    }
    return resolve(template, parameters, lambda *_: ("", {})).resources["R",].properties.get("P", "absent")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"Ref": "p"}, "v"),
        ({"Ref": "listed"}, ["x", "y"]),
        ({"Ref": "listed_apart"}, ["x", "y"]),
        ({"Ref": "AWS::NoValue"}, "absent"),
        ({"Ref": "Other"}, {"Ref": ["Other"]}),
        ({"Ref": "AWS::Region"}, {"Ref": "AWS::Region"}),
        ({"Fn::Join": ["-", ["a", {"Ref": "p"}, True, 1]]}, "a-v-true-1"),
        ({"Fn::Join": [",", {"Ref": "listed"}]}, "x,y"),
        ({"Fn::Sub": "a-${p}-${!p}"}, "a-v-${p}"),
        ({"Fn::Sub": ["${q}${p}", {"q": {"Ref": "p"}}]}, "vv"),
        ({"Fn::Sub": "a${AWS::NoValue}b"}, "ab"),
        ({"Fn::Sub": "${Other.Arn}/x"}, {"Fn::Join": ["", [{"Fn::GetAtt": [["Other"], "Arn"]}, "/x"]]}),
        ({"Fn::Join": ["", [{"Ref": "Other"}, "/", "x"]]}, {"Fn::Join": ["", [{"Ref": ["Other"]}, "/x"]]}),
        ({"Fn::Select": ["1", {"Fn::Split": ["-", "a-b"]}]}, "b"),
        ({"Fn::Select": ["²", ["a"]]}, {"Fn::Select": ["²", ["a"]]}),
        ({"Fn::Select": [{"Ref": "AWS::NoValue"}, ["a"]]}, {"Fn::Select": [["a"]]}),
        ({"Fn::FindInMap": ["M", "a", "b"]}, "mapped"),
        ({"Fn::FindInMap": ["M", "a", "c"]}, {"Fn::FindInMap": ["M", "a", "c"]}),
        ({"Fn::If": ["Yes", 1, 2]}, 1),
        ({"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, "absent"),
        ({"Fn::If": ["Both", 1, 2]}, 2),
        ({"Fn::If": ["Either", 1, 2]}, 1),
        ([1, {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, 3], [1, 3]),
        ({"Condition": {"StringEquals": {"a": {"Ref": "p"}}}}, {"Condition": {"StringEquals": {"a": "v"}}}),
        ({"Fn::Join": [{"Fn::Join": 5}, "x"]}, {"Fn::Join": [{"Fn::Join": 5}, "x"]}),
        ({"Fn::Base64": {"Ref": "p"}}, {"Fn::Base64": "v"}),
    ],
)  # fmt: skip
def test_an_expression_comes_to_what_cloudformation_makes_of_it(expression: Any, expected: Any) -> None:
    assert value(expression, p="v", listed="x,y", listed_apart=" x, y ") == expected


def test_spellings_of_one_value_are_equal() -> None:
    joined = {"Fn::Join": ["", ["s3://", {"Ref": "B"}, "/", {"Fn::Join": ["", ["a", "/b"]]}]]}
    assert (
        value(joined)
        == value({"Fn::Sub": "s3://${B}/a/b"})
        == value({"Fn::Sub": ["s3://${X}/a/b", {"X": {"Ref": "B"}}]})
    )


def test_a_changed_condition_that_nobody_can_know_is_a_change() -> None:
    def conditional(region: str) -> Any:
        template = {
            "Conditions": {"Here": {"Fn::Equals": [{"Ref": "AWS::Region"}, region]}},
            "Resources": {"R": {"Type": "X", "Properties": {"P": {"Fn::If": ["Here", 1, 2]}}}},
        }
        return resolve(template, {}, lambda *_: ("", {})).resources["R",]

    assert conditional("eu-west-1") == conditional("eu-west-1")
    assert conditional("eu-west-1") != conditional("eu-west-2")


def test_a_circle_of_references_does_not_go_on_for_ever() -> None:
    assert value({"Fn::If": ["Circle", 1, 2]}) is not None
    nested = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"Parameters": {"p": {"Fn::GetAtt": ["A", "Outputs.o"]}}},
    }
    body = {"Parameters": {"p": {"Type": "String"}}, "Outputs": {"o": {"Value": {"Ref": "p"}}}}
    assert resolve({"Resources": {"A": nested}}, {}, lambda *_: ("key", body)).stacks.keys() == {("A",)}


def test_values_pass_through_nested_stacks() -> None:
    child = {
        "Parameters": {"p": {"Type": "String"}},
        "Resources": {"R": {"Type": "X", "Properties": {"P": {"Ref": "p"}}}},
        "Outputs": {"o": {"Value": {"Fn::Sub": "${p}!"}}},
    }

    def nested(value: Any) -> dict[str, Any]:
        return {"Type": "AWS::CloudFormation::Stack", "Properties": {"Parameters": {"p": value}}}

    root = {"Resources": {"B": nested({"Fn::GetAtt": ["A", "Outputs.o"]}), "A": nested("hi")}}
    tree = resolve(root, {}, lambda *_: ("key", child))
    assert tree.resources["A", "R"].properties == {"P": "hi"}
    assert tree.resources["B", "R"].properties == {"P": "hi!"}


def test_a_chain_too_long_to_follow_is_refused() -> None:
    conditions = {f"C{n}": {"Fn::Not": [{"Condition": f"C{n + 1}"}]} for n in range(2000)}
    template = {"Conditions": conditions, "Resources": {"R": {"Type": "X", "Condition": "C0"}}}
    with pytest.raises(AssemblyError, match="a chain too long to follow"):
        resolve(template, {}, lambda *_: ("", {}))


def test_what_stands_in_parameter_store_is_not_its_name() -> None:
    template = {
        "Parameters": {"size": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/app/size"}},
        "Conditions": {"Small": {"Fn::Equals": [{"Ref": "size"}, "1"]}},
        "Resources": {"T": {"Type": "AWS::SNS::Topic", "Condition": "Small", "Properties": {"A": {"Ref": "size"}}}},
    }
    tree = resolve(template, {}, lambda *_: ("", {}))
    assert tree.resources["T",].properties == {"A": {"Fn::ParameterStore": "/app/size"}}


def test_the_conditions_that_nothing_can_change() -> None:
    own = {
        "Parameters": {"Size": {"Type": "String", "Default": "a"}},
        "Mappings": {"Sizes": {"a": {"large": "yes"}}},
        "Conditions": {
            **CONDITIONS,
            "ByDefault": {"Fn::Equals": [{"Ref": "Size"}, "a"]},
            "Mapped": {"Fn::Equals": [{"Fn::FindInMap": ["Sizes", "a", "large"]}, "yes"]},
            "Malformed": ["Fn::Equals"],
        },
    }
    assert constants(own) == {"Yes": True, "No": False, "Both": False, "Either": True, "Mapped": True}
    assert constants({"Conditions": ["a"]}) == constants({}) == {}
    assert constants({"Conditions": {f"C{n}": {"Fn::Not": [{"Condition": f"C{n + 1}"}]} for n in range(2000)}}) == {}
