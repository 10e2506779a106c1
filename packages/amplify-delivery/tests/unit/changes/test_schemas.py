"""The resource schemas' facts, read without cfn-lint's own modules."""

from __future__ import annotations

import pytest

from amplify_delivery.changes import replacement
from amplify_delivery.changes.replacement import _bundled, _by_the_linter, _schema
from unit.delivery.planning.stacks_of import stacks_of


def test_they_are_what_cfn_lint_reads() -> None:
    assert _bundled() is not None
    types = {resource.type for resource in stacks_of("full").resolved.resources.values()}
    for kind in {*types, "AWS::KMS::Key", "AWS::CloudFormation::Stack"} - {"Custom::LambdaCallout"}:
        assert _schema(kind) == _by_the_linter(kind)
        assert _schema(kind)["typeName"] == kind
    assert _schema("Custom::LambdaCallout") == _by_the_linter("Custom::LambdaCallout") != {}
    assert _schema("AWS::No::Such") == _by_the_linter("AWS::No::Such") == {}


def test_another_version_of_cfn_lint_may_keep_them_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replacement, "_bundled", lambda: None)
    _schema.cache_clear()
    try:
        assert "createOnlyProperties" in _schema("AWS::SQS::Queue")
    finally:
        _schema.cache_clear()
