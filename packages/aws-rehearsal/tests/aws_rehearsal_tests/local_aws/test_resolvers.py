"""Real apps in another environment than the one they were exported from: resolvers let in whom they should."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from amplify_delivery.export import EnvironmentValues, assemble, read_export
from aws_rehearsal_tests.local_account import LocalAccount
from functional.enforcement.deployed_apps import deployable
from unit.export.conftest import app_export as app_export  # noqa: PLC0414 - the fixture, for this folder too

# Custom resources run in one process (packages/aws-rehearsal/tests/aws_rehearsal_tests/local_aws/test_functions.py).
pytestmark = pytest.mark.xdist_group("functions")

IN_A_MONTH = int(time.time()) + 30 * 24 * 60 * 60
"""When an API's key expires: AppSync takes a year at most."""


@pytest.mark.parametrize("app", ["product-catalog", "discussions"])
def test_resolvers_know_the_pool_and_the_roles_of_their_own_environment(
    app: str, developer: LocalAccount, app_export: Callable[[str, str], Path]
) -> None:
    assembly = assemble(read_export(app_export(app, "recompiled")))
    url, name = deployable(developer, assembly, EnvironmentValues("copy", IN_A_MONTH))
    assert developer.create(url, name)["StackStatus"] == "CREATE_COMPLETE", developer.reasons(name)

    appsync = developer.client("appsync")
    (api,) = appsync.list_graphql_apis()["graphqlApis"]
    found = [
        resolver.get("requestMappingTemplate", "")
        for kind in ("Query", "Mutation")
        for resolver in appsync.list_resolvers(apiId=api["apiId"], typeName=kind)["resolvers"]
    ]
    (pool,) = developer.client("cognito-identity").list_identity_pools(MaxResults=10)["IdentityPools"]
    roles = {role["RoleName"] for role in developer.client("iam").list_roles()["Roles"]}
    named = [json.loads(m[1]) for text in found if (m := re.search(r'put\("adminRoles", (\[.*?\])\)', text))]
    pools = [m[1] for text in found if (m := re.search(r'put\("identityPoolId", "(.*?)"\)', text))]
    assert len(named) >= 6
    assert {role for some in named for role in some} <= roles | {"amplify-productcatalog"}
    assert set(pools) == {pool["IdentityPoolId"]}
