"""Real exports, with values made up for all outputs that their templates have."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from amplify_delivery.client_config import (
    PLATFORMS,
    Backend,
    Declared,
    Stack,
    files,
    left_out,
    of_assembly,
    of_export,
    read_backend,
)
from amplify_delivery.export import assemble, read_export
from unit.client_config.backends import data, plugins, written
from unit.client_config.json_schema import problems
from unit.export.mutations import EXPORTS
from unit.test_reported_cases import Case, case, export_in

__all__ = ["case"]


@pytest.mark.parametrize("name", sorted(EXPORTS))
def test_its_files_hold_what_it_has(name: str) -> None:
    declared = of_export(read_export(EXPORTS[name]))
    stacks = {d.resource.logical_id: Stack(dict.fromkeys(d.template.get("Outputs") or {}, "made-up")) for d in declared}
    backend = read_backend(declared, stacks, "eu-west-1")
    written = {p: {n: data(n, text) for n, text in files(backend, p).items()} for p in PLATFORMS}
    web = written["javascript"]["aws-exports.js"]
    services = {d.resource.service for d in declared}
    assert ("aws_user_pools_id" in web) is ("Cognito" in services)
    assert ("aws_appsync_authenticationType" in web) is ("AppSync" in services)
    assert bool(web.get("aws_cloud_logic_custom")) is ("API Gateway" in services)
    gen2 = written["outputs"]["amplify_outputs.json"]
    assert list(problems(gen2)) == []
    if "Cognito-UserPool-Groups" in services:
        assert gen2["auth"]["groups"]


def test_a_real_export_of_maps_streams_messages_predictions_and_hosting(case: Case) -> None:
    """As the CLI's own generators write it of the same outputs. Each value is RESOURCE.OUTPUT."""
    export = read_export(export_in(case("hosting-bucket")))
    exported = of_export(export)
    stacks = {
        d.resource.logical_id: Stack({name: f"{d.resource.name}.{name}" for name in d.template.get("Outputs") or {}})
        for d in exported
    }

    def running(declared: Sequence[Declared]) -> Backend:
        return read_backend(declared, stacks, "eu-west-1")

    found = running(exported)
    for platform in PLATFORMS:
        assert files(running(of_assembly(assemble(export))), platform) == files(found, platform)
    web = written(found, "javascript")
    maps = {"items": {"miscmap.Name": {"style": "miscmap.Style"}}, "default": "miscmap.Name"}
    places = {"items": ["miscidx.Name"], "default": "miscidx.Name"}
    assert web["geo"]["amazon_location_service"] == {
        "region": "miscidx.Region",
        "maps": maps,
        "search_indices": places,
    }
    assert web["Analytics"]["AWSPinpoint"] == {"appId": "miscpin.Id", "region": "miscpin.Region"}
    assert web["aws_content_delivery_url"] == "S3AndCloudFront.CloudFrontSecureURL"
    assert web["predictions"]["convert"]["translateText"]["defaults"] == {
        "sourceLanguage": "misctranslate.sourceLang",
        "targetLanguage": "misctranslate.targetLang",
    }
    assert plugins(found, "ios", "geo")["awsLocationGeoPlugin"]["maps"] == maps
    assert plugins(found, "ios", "analytics")["awsPinpointAnalyticsPlugin"]["pinpointAnalytics"] == {}
    gen2 = written(found, "outputs")
    assert list(problems(gen2)) == []
    assert gen2["auth"]["groups"] == [{"Admins": {"precedence": 1}}]
    assert gen2["analytics"]["amazon_pinpoint"]["app_id"] == "miscpin.Id"
    [stream] = left_out(found, "javascript")
    assert stream.startswith("analytics/miscstream: Kinesis has no place in aws-exports.js")
    assert "miscpin.Id" in left_out(found, "android")[-1]
