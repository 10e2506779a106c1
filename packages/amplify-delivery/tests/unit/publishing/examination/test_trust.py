"""Trust policies that IAM would refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplify_delivery.export import Assembly
from amplify_delivery.publishing.examination.trust import malformed_trust
from unit.publishing.conftest import SOUND, assembly_of, spoiled, tree_of

SERVICE = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize("name", SOUND)
def test_real_exports_have_sound_trust(name: str) -> None:
    assert not list(malformed_trust(tree_of(assembly_of(name))))


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"Statement": [{**SERVICE, "Action": "s3:GetObject"}]}, "allows s3:GetObject"),
        ({"Statement": [{**SERVICE, "Action": ["sts:AssumeRole", "iam:PassRole"]}]}, "allows iam:PassRole"),
        ({"Statement": [{**SERVICE, "Resource": "*"}]}, "has a statement with Resource"),
        ({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}, "without Principal"),
        ({"Statement": {**SERVICE, "Effect": "allow"}}, "with Effect 'allow'"),
        ({"Statement": {**SERVICE, "Effect": {"Fn::If": ["c", "Allow", "Deny"]}}}, ""),
        ({"Version": "2012-10-17"}, "has no Statement"),
        ({"Statement": [SERVICE, {"Fn::If": ["c", SERVICE, {"Ref": "AWS::NoValue"}]}]}, ""),
        ({"Statement": {**SERVICE, "Action": {"Ref": "action"}}}, ""),
        ({"Fn::If": ["c", {"Statement": SERVICE}, {"Statement": [SERVICE]}]}, ""),
        # IAM is given one of the two, and nobody knows which.
        ({"Fn::If": ["c", {"Statement": SERVICE}, {"Statement": {**SERVICE, "Resource": "*"}}]}, ""),
        ({"Fn::If": ["c", {"Version": "2012-10-17"}, {"Statement": {**SERVICE, "Resource": "*"}}]}, "has no Statement"),
        ({"Statement": [{"Fn::If": ["c", {**SERVICE, "Resource": "*"}, SERVICE]}]}, ""),
        ({"Statement": [{"Fn::If": ["c", *[{**SERVICE, "Resource": "*"}] * 2]}]}, "with Resource"),
        ({"Fn::If": ["never", {"Version": "2012-10-17"}, {"Statement": [SERVICE]}]}, ""),
        ({"Fn::If": ["never", {"Statement": [SERVICE]}, {"Version": "2012-10-17"}]}, "has no Statement"),
        (json.dumps({"Statement": [SERVICE]}), ""),
        (json.dumps({"Statement": [{**SERVICE, "Resource": "*"}]}), "with Resource"),
        ({"Ref": "document"}, ""),
    ],
)
def test_malformed_trust(todo: Assembly, document: dict[str, Any] | str, problem: str) -> None:
    def add(template: dict[str, Any]) -> None:
        template.setdefault("Conditions", {})["never"] = {"Fn::Equals": ["a", "b"]}
        template["Resources"]["Bad"] = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}

    findings = list(malformed_trust(tree_of(spoiled(todo, ("apimytodoapp",), add))))
    assert len(findings) == bool(problem)
    assert all(problem in f.message and f.id == "AD704" for f in findings)
