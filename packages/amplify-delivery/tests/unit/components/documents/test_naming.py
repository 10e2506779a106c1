"""Names: the app in each of them, within the services' limits, the same wherever they are computed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_delivery.components.documents.naming import (
    PROJECTS,
    EnvironmentNames,
    PipelineNames,
    fit,
)
from amplify_delivery.components.names import regional_bucket, staging_bucket_name
from amplify_delivery.errors import ConfigError

APPS = st.from_regex(r"[A-Za-z][A-Za-z0-9]{2,39}", fullmatch=True)
ENVIRONMENTS = st.from_regex(r"[a-z][a-z0-9]{1,9}", fullmatch=True)
REGIONS = st.sampled_from(["us-east-1", "eu-west-1", "ap-southeast-2", "us-gov-west-1", "cn-northwest-1"])


@given(APPS, ENVIRONMENTS, REGIONS)
def test_names_fit_their_services(app: str, environment: str, region: str) -> None:
    names = EnvironmentNames(app=app, account="012345678901", region=region, environment=environment)
    roles = [names.action_role, names.execution_role, *(names.project_role(what) for what in PROJECTS)]
    assert len(set(roles)) == len(roles)
    assert all(len(role) <= 64 and role.startswith(app[:20]) for role in roles)
    assert all(len(names.project(what)) <= 150 for what in PROJECTS)
    for bucket in (names.state_bucket, names.staging_bucket):
        assert len(bucket) <= 63
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]+-an", bucket)


@given(APPS, st.from_regex(r"[a-z][a-z0-9-]{0,29}", fullmatch=True), REGIONS)
def test_artifact_buckets_fit_and_match_their_pattern(app: str, name: str, region: str) -> None:
    names = PipelineNames(app=app, account="012345678901", region="us-east-1", name=name)
    bucket = names.artifact_bucket(region)
    assert len(bucket) <= 63
    pattern = re.escape(names.artifact_bucket_pattern).replace(r"\*", "[a-z0-9-]+")
    assert re.fullmatch(pattern, names.bucket_arn(bucket))
    assert len(names.role("update-action")) <= 64


def test_a_long_name_is_cut_always_in_the_same_way() -> None:
    assert fit("x" * 64, 64) == "x" * 64
    cut = fit("x" * 65, 64)
    assert len(cut) == 64
    assert cut == fit("x" * 65, 64)
    assert cut != fit("x" * 66, 64)


def test_the_staging_bucket_is_the_one_of_the_backend_program() -> None:
    names = EnvironmentNames(app="SeriesApp", account="012345678901", region="us-east-1", environment="prod")
    assert names.staging_bucket == staging_bucket_name("SeriesApp", "prod", "012345678901", "us-east-1")
    assert names.staging_bucket == regional_bucket("SeriesApp-prod-staging", "012345678901", "us-east-1")


def test_two_environments_never_share_a_name() -> None:
    first, second = (
        EnvironmentNames(app="app", account="012345678901", region="us-east-1", environment=e)
        for e in ("prod", "preprod")
    )
    for what in ("action_role_arn", "execution_role_arn", "boundary_arn", "state_bucket", "audit_log_group", "path"):
        assert getattr(first, what) != getattr(second, what)


@pytest.mark.parametrize(
    ("field", "value"),
    [("app", "1app"), ("app", "an app"), ("account", "12345"), ("region", "europe"), ("environment", "Prod")],
)
def test_what_is_no_name_is_refused(field: str, value: str) -> None:
    given_names = {"app": "app", "account": "012345678901", "region": "us-east-1", "environment": "prod"}
    with pytest.raises(ConfigError, match=field):
        EnvironmentNames(**{**given_names, field: value})  # type: ignore[arg-type]
