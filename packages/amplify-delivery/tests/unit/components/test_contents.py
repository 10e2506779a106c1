from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from amplify_delivery.changes.stateful import CLOUDFORMATION_TYPES
from amplify_delivery.components.backend.contents import contents
from amplify_delivery.export import Assembly, AssemblyObject
from unit.components.backends import assembly_of, folder
from unit.rows import each


def only(*templates: bytes) -> Assembly:
    """An assembly whose templates are these bytes."""
    bodies = {hashlib.sha256(t).hexdigest(): t for t in templates}
    objects = tuple(AssemblyObject(k, "template", len(v), k) for k, v in bodies.items())
    return replace(assembly_of(folder("mytodoapp")), objects=objects, reader=bodies.__getitem__)


@pytest.mark.parametrize("project", ["mytodoapp", "fullapp", "iamapp", "seriesapp"])
def test_the_real_exports_hold_data_and_use_no_macros(project: str) -> None:
    found = contents(assembly_of(folder(project)))
    assert found.stateful
    assert not found.transforms


@pytest.mark.parametrize(
    ("template", "stateful"),
    [
        (b'{"Resources":{"T":{"Type":"AWS::DynamoDB::Table"}}}', True),
        (b'{"Resources":{"T":{"Type":"Custom::AmplifyDynamoDBTable"}}}', True),
        (b'{"Resources":{"P":{"Type":"AWS::Cognito::UserPool"}}}', True),
        (b'{"Resources":{"P":{"Type":"AWS::Cognito::UserPoolClient"}}}', False),
        (b'{"Resources":{"B":{"Type":"AWS::S3::BucketPolicy"}}}', False),
        (b'{"Resources":{"F":{"Type":"AWS::Lambda::Function"}}}', False),
        (b"Resources:\n  V:\n    Type: AWS::EC2::Volume\n", True),
        (b'{"Parameters":{"V":{"Type":"AWS::EC2::Volume::Id"}}}', False),
        (b'{"Resources":{"R":{"Type":"AWS::Cognito::IdentityPoolRoleAttachment"}}}', False),
        (b'{"Resources":{"G":{"Type":"AWS::RDS::DBSubnetGroup"}}}', False),
        (
            b'{"Resources":{"P":{"Type":"Custom::LambdaCallout","Properties":{"appName":"a","pingPointRegion":"b"}}}}',
            True,
        ),
        (b'{"Resources":{"P":{"Type":"Custom::LambdaCallout","Properties":{"appName":"a"}}}}', False),
        (b'{"Parameters":{"appName":{"Type":"String"},"pingPointRegion":{"Type":"String"}}}', False),
    ],
)
def test_data_is_told_from_what_can_be_made_again(template: bytes, stateful: bool) -> None:
    assert contents(only(template)).stateful is stateful


@each((kind,) for kind in CLOUDFORMATION_TYPES)
def test_what_a_destroy_asks_for_is_protected_but_for_what_passes(kind: str) -> None:
    """One list. A backend of functions and queues stays one that a plain `pulumi destroy` takes down."""
    template = json.dumps({"Resources": {"R": {"Type": kind}}}).encode()
    passes = {"AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::Logs::LogGroup", "AWS::Logs::LogStream", "AWS::SQS::Queue"}
    assert contents(only(template)).stateful is (kind not in passes)


@pytest.mark.parametrize(
    ("template", "transforms"),
    [
        (b'{"Transform":"AWS::Serverless-2016-10-31"}', True),
        (b'{\n "Transform": [\n  "M"\n ]\n}', True),
        (b"Transform: AWS::Serverless-2016-10-31\n", True),
        (b'{"a":{"Fn::Transform":{"Name":"AWS::Include"}}}', True),
        (b'{"TextTransformations":[{"Type":"NONE"}]}', False),
        (b'{"a":{"TransformTemplate":"x"}}', False),
    ],
)
def test_a_macro_is_found_in_any_form(template: bytes, transforms: bool) -> None:
    assert contents(only(template)).transforms is transforms
