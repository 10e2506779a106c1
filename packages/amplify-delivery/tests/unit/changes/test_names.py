"""Names that a backend gives, as far as they are known before it is made."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_delivery.changes.names import names
from unit.delivery.planning.stacks_of import stacks_of, with_resource

PSEUDO = {"AWS::AccountId": "111122223333", "AWS::Region": "eu-west-1", "AWS::StackName": "amplify-fullapp-dev-a8d04"}
STACK, REGION = {"Ref": "AWS::StackName"}, {"Ref": "AWS::Region"}


def named(place: str, name: Any) -> str | None:
    stacks = with_resource(stacks_of("full"), place, BucketName=name)
    return next((found.name for found in names(stacks, PSEUDO) if found.place == place), None)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ({"Fn::Join": ["-", [STACK, "deployment"]]}, "amplify-fullapp-dev-a8d04-deployment"),
        ({"Fn::Sub": "logs-${AWS::AccountId}-${AWS::Region}"}, "logs-111122223333-eu-west-1"),
    ],
)
def test_names_are_made_of_the_root_stack_the_account_and_the_region(name: Any, made: str) -> None:
    assert named("DeploymentBucket", name) == made


def test_what_is_made_of_a_nested_stacks_name_is_known_to_nobody() -> None:
    stacks = stacks_of("full")
    bucket = next("/".join(p) for p, r in stacks.resolved.resources.items() if r.type == "AWS::S3::Bucket" and p[1:])
    assert named(bucket, {"Fn::Sub": "pictures-${AWS::Region}"}) == "pictures-eu-west-1"
    assert named(bucket, {"Fn::Sub": "pictures-${AWS::StackName}"}) is None
