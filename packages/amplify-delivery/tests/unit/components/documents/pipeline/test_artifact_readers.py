"""Who reads the artifacts where an organization stands in the place of its accounts: rows of the trust table."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_delivery.components.documents import limits
from amplify_delivery.components.documents.naming import PROJECTS, EnvironmentNames
from amplify_delivery.components.documents.pipeline.artifacts import bucket_policy, key_policy
from amplify_delivery.components.documents.pipeline.model import EnvironmentRef
from amplify_delivery.components.documents.statements import allow, document
from amplify_delivery.errors import ConfigError
from aws_rehearsal.policy import Principal, Request, Role, World, decide
from unit.components.documents import world as w

OURS, THEIRS = "o-a1b2c3d4e5", "o-zzzzzzzzzz"
BUCKET, KEY = w.pipeline.bucket_arn(w.pipeline.artifact_bucket(w.HOME)), w.artifact_key(w.HOME)
SOME = EnvironmentNames(app=w.APP, account="555555555555", region=w.HOME, environment="store042")
"""An environment of the app that the policies do not know by name."""
OTHER_APP = EnvironmentNames(app="otherapp", account="555555555555", region=w.HOME, environment="store042")
EVERYTHING = document([allow("Everything", "*", "*")])
THROUGH_S3 = {"kms:ViaService": f"s3.{w.HOME}.amazonaws.com"}


def asked(principal: str, action: str, organization: str | None, **context: Any) -> bool:
    """IAM's answer to a role that has every right in its own account."""
    environments = w.pipeline_model().environments
    policies = {
        BUCKET: bucket_policy(w.pipeline, w.HOME, environments, OURS),
        KEY: key_policy(w.pipeline, w.HOME, environments, OURS),
    }
    world = World({principal: Role(principal, EVERYTHING, (EVERYTHING,))}, policies, {BUCKET: w.TOOLING})
    resource = KEY if action.startswith("kms:") else f"{BUCKET}/x"
    keys = {"aws:SecureTransport": "true", **context}
    if organization:
        keys["aws:PrincipalOrgID"] = organization
    return decide(world, Request(Principal(principal), action, resource, keys)).allowed


@pytest.mark.parametrize("project", PROJECTS)
def test_a_project_role_of_the_app_in_the_organization_reads_and_decrypts(project: str) -> None:
    role = SOME.project_role_arn(project)
    assert asked(role, "s3:GetObject", OURS)
    assert asked(role, "kms:Decrypt", OURS, **THROUGH_S3)


@pytest.mark.parametrize(
    ("principal", "action", "organization", "context"),
    [
        (SOME.project_role_arn("plan"), "s3:GetObject", THEIRS, {}),  # made by somebody else, under our names
        (SOME.project_role_arn("plan"), "s3:GetObject", None, {}),  # of an account that is in none
        (SOME.project_role_arn("plan"), "kms:Decrypt", THEIRS, THROUGH_S3),
        (SOME.project_role_arn("plan"), "kms:Decrypt", OURS, {}),  # not through S3
        (SOME.project_role_arn("plan"), "s3:PutObject", OURS, {}),
        (SOME.project_role_arn("plan"), "s3:GetObject", OURS, {"aws:SecureTransport": "false"}),
        (SOME.action_role_arn, "s3:GetObject", OURS, {}),
        (SOME.execution_role_arn, "s3:GetObject", OURS, {}),
        (OTHER_APP.project_role_arn("plan"), "s3:GetObject", OURS, {}),
        ("arn:aws:iam::555555555555:role/administrator", "s3:GetObject", OURS, {}),
        ("arn:aws:iam::555555555555:role/administrator", "kms:Decrypt", OURS, THROUGH_S3),
    ],
)
def test_nobody_else_reads_an_artifact_or_uses_its_key(
    principal: str, action: str, organization: str | None, context: dict[str, Any]
) -> None:
    assert not asked(principal, action, organization, **context)


def test_with_an_organization_the_policies_do_not_grow_and_without_one_it_is_what_is_advised() -> None:
    places = tuple(EnvironmentRef(f"env{n:03d}", f"{300000000000 + n}", w.HOME) for n in range(500))
    environments = [place.names(w.APP) for place in places]
    with pytest.raises(ConfigError, match="name your organization") as caught:
        limits.check_resource_policies(
            bucket_policy(w.pipeline, w.HOME, environments), key_policy(w.pipeline, w.HOME, environments), w.HOME
        )
    assert "follows this one" in caught.value.message
    for build in (bucket_policy, key_policy):
        assert build(w.pipeline, w.HOME, environments, OURS) == build(w.pipeline, w.HOME, environments[:1], OURS)
