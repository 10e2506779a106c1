"""Every small real export, with values made up for all outputs that its templates have."""

from __future__ import annotations

import pytest

from amplify_delivery.client_config import PLATFORMS, Stack, files, of_export, read_backend
from amplify_delivery.export import read_export
from unit.client_config.backends import data
from unit.client_config.json_schema import problems
from unit.export.mutations import EXPORTS


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
