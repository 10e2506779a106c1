"""Whose jobs come in: what no trust table's world has, other partitions, tiers, and what is refused."""

from __future__ import annotations

import pytest

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.components.documents.web_identity import (
    WebIdentity,
    github,
    github_previews,
    gitlab,
    gitlab_subjects,
    tier_of,
)
from amplify_delivery.errors import ConfigError

WORKFLOW = ".github/workflows/backend-deploy.yml"


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_where_aws_compares_no_further_claims_the_name_alone_lets_nobody_in(region: str) -> None:
    """A condition on a key that is not there lets nobody in; and a name without its numbers can be somebody else's."""
    names = EnvironmentNames("shop", "333333333333", region, "prod")
    found = github(names, "octo/shop", ("11", "22"), "main", WORKFLOW)
    assert found.claims == {}
    assert found.planning == ("repo:octo@11/shop@22:ref:refs/heads/main",)
    assert found.deploying == ("repo:octo@11/shop@22:environment:prod",)
    [statement] = github_previews(names, "octo/shop", ("11", "22"), "main")["Statement"]
    asked = statement["Condition"]["StringEquals"]
    assert all("repo:octo@11/shop@22:" in subject for subject in asked["token.actions.githubusercontent.com:sub"])
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("environment", "tier"),
    [
        ("prod", "production"),
        ("prd", "production"),
        ("live", "production"),
        ("preprod", "staging"),
        ("staging", "staging"),
        ("nonprod", "staging"),
        ("stgmodl", "staging"),
        ("demo", "staging"),
        ("qa", "testing"),
        ("control", "testing"),
        ("acpt", "testing"),
        ("acc", "other"),
        ("test1", "testing"),
        ("dev", "development"),
        ("canary", "other"),
    ],
)
def test_the_tier_that_gitlab_gives_to_a_name(environment: str, tier: str) -> None:
    assert tier_of(environment) == tier


def test_one_subject_for_both_is_refused() -> None:
    plan, deploy = gitlab_subjects("4711", "main", "production")
    assert gitlab("gitlab.com", (plan, deploy)).deploying == (deploy,)
    with pytest.raises(ConfigError, match="would plan and deploy, and nobody would have to approve in between"):
        gitlab("gitlab.com", (plan, plan))
    with pytest.raises(ConfigError, match="would let in more than one"):
        WebIdentity("gitlab.com", "https://gitlab.com", ("project_id:1:*",), ("project_id:1:x",))
