"""Names: the app in each of them, within the services' limits, the same wherever they are computed."""

import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_delivery.components.documents.naming import (
    PROJECTS,
    EnvironmentNames,
    PipelineNames,
    fit,
)
from amplify_delivery.components.documents.pipeline.model import PipelineModel
from amplify_delivery.components.documents.pipeline.notifications import notification_rule, start_rules
from amplify_delivery.components.documents.pipeline.source_models import S3Source
from amplify_delivery.components.documents.pipeline.update import update_statements
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


@pytest.mark.parametrize(
    ("first", "second"), [("release-of-the-shop-one", "release-of-the-shop-two"), ("main", "main-two")]
)
def test_two_pipelines_never_share_what_starts_them_or_tells_of_them(first: str, second: str) -> None:
    """`PutRule` writes over another's rule of that name, without a word; `CreateNotificationRule` refuses it.

    And UpdatePipeline of one of them may not write the rules of the other.
    """
    app = "a" * 40 if len(first) > 20 else "shop"
    rules: list[set[str]] = []
    told: list[str] = []
    allowed: list[list[str]] = []
    source = S3Source(type="s3", bucket="source", key="k.zip")
    for name in (first, second):
        names = PipelineNames(app=app, account="012345678901", region="us-east-1", name=name)
        model = PipelineModel(names=names, source=source, stages=(), places=())
        rules.append(set(start_rules(model, "rate(1 day)")))
        told.append(notification_rule(names, names.arn("sns", names.topic))["Name"])
        (of_rules,) = (found["Resource"] for found in update_statements(model) if found["Sid"] == "Rules")
        allowed.append([of_rules] if isinstance(of_rules, str) else of_rules)
    assert [len(made) for made in rules] == [2, 2]
    assert all(re.fullmatch(r"[.\-_A-Za-z0-9]{1,64}", name) for name in (*rules[0], *rules[1], *told))
    assert not rules[0] & rules[1]
    assert told[0] != told[1]
    arns = [{f"arn:aws:events:us-east-1:012345678901:rule/{name}" for name in made} for made in rules]
    for patterns, own, others in ((allowed[0], arns[0], arns[1]), (allowed[1], arns[1], arns[0])):
        written = {arn for arn in own | others if any(fnmatchcase(arn, pattern) for pattern in patterns)}
        assert written == own


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
