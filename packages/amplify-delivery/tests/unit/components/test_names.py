from __future__ import annotations

import re

import pytest

from amplify_delivery.components import names

BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


def test_the_staging_bucket_names_app_environment_account_and_region() -> None:
    name = names.staging_bucket_name("seriesapp", "dev", "012345678901", "us-east-1")
    assert name == "seriesapp-dev-staging-012345678901-us-east-1-an"


@pytest.mark.parametrize("project", ["app", "a" * 20, "MyTodoApp", "A" * 20])
@pytest.mark.parametrize("environment", ["ab", "production"])
@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-2", "us-gov-west-1"])
def test_a_staging_bucket_is_a_valid_name_and_holds_the_apps(project: str, environment: str, region: str) -> None:
    name = names.staging_bucket_name(project, environment, "012345678901", region)
    assert BUCKET.fullmatch(name)
    assert name.startswith(project.lower()[:15])
    assert name.endswith(f"-012345678901-{region}-an")


def test_names_that_are_cut_or_lose_their_capitals_stay_different() -> None:
    made = [
        names.staging_bucket_name(project, environment, "012345678901", "ap-southeast-2")
        for project in ("myapp", "myApp", "a" * 20, "a" * 19 + "b", "A" * 20)
        for environment in ("dev", "production", "productios")
    ]
    assert len(set(made)) == len(made)


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("eu-west-1", "https://s3.eu-west-1.amazonaws.com/b/k"),
        ("us-gov-west-1", "https://s3.us-gov-west-1.amazonaws.com/b/k"),
        ("cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn/b/k"),
    ],
)
def test_an_objects_url_is_of_its_own_region_and_partition(region: str, url: str) -> None:
    assert names.object_url("b", "k", region) == url
