"""The resource schemas' facts, read without cfn-lint's own modules."""

from __future__ import annotations

import pytest

from amplify_delivery.publishing.examination import schemas
from amplify_delivery.publishing.examination.schemas import _bundled, _by_the_linter, by_region, schema
from unit.delivery.planning.stacks_of import stacks_of


def test_they_are_what_cfn_lint_reads() -> None:
    assert _bundled() is not None
    types = {resource.type for resource in stacks_of("full").resolved.resources.values()}
    for kind in {*types, "AWS::KMS::Key", "AWS::CloudFormation::Stack"} - {"Custom::LambdaCallout"}:
        assert schema(kind) == _by_the_linter(kind)
        assert schema(kind)["typeName"] == kind
    assert schema("Custom::LambdaCallout") == _by_the_linter("Custom::LambdaCallout") != {}
    assert schema("AWS::No::Such") == _by_the_linter("AWS::No::Such") == {}


def test_another_version_of_cfn_lint_may_keep_them_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "_bundled", lambda: None)
    schema.cache_clear()
    try:
        assert "createOnlyProperties" in schema("AWS::SQS::Queue")
    finally:
        schema.cache_clear()


def test_what_differs_by_region() -> None:
    instances = by_region("aws_elasticsearch_domain/elasticsearchclusterconfig_instancetype_enum")
    assert "t2.small.elasticsearch" in instances["us-east-1"]["enum"]
    assert by_region("aws_no_such/file") == {}
