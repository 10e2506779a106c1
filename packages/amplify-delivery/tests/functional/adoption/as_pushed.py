"""The test support itself: the apps run here as `amplify push` leaves them in AWS."""

from __future__ import annotations

import json

from aws_rehearsal_tests.local_account import LocalAccount
from functional.adoption.pushed_apps import SOCIAL, PushedApp, running


def runs_as_pushed(app: PushedApp, there: LocalAccount) -> None:
    """Of an app that was brought there, and filled."""
    found = running(there.client, app.stack_name)
    assert found.items and all(len(rows) == 1 for rows in found.items.values())
    assert all(len(objects) == 1 for objects in found.objects.values())
    assert all(len(users) == 1 for users in found.users.values()) and found.users
    # The custom resource's function has run: the template still says Deny.
    assert {s["Effect"] for trust in found.trust.values() for s in trust["Statement"]} == {"Allow"}
    assert "cognito-identity.amazonaws.com:aud" in json.dumps(found.trust)

    # The values that ran there run here, but for what AWS has made up.
    for path, wanted in app.parameters.items():
        stack = app.stack_name
        for logical_id in path.split("/") if path else ():
            resources = there.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
            stack = next(r["PhysicalResourceId"] for r in resources if r["LogicalResourceId"] == logical_id)
        described = there.stack(stack).get("Parameters", [])
        assert {p["ParameterKey"] for p in described} == set(wanted), path
        if path.count("/") == 0 and path:
            root = app.backend.root["Resources"][path]["Properties"].get("Parameters", {})
            literal = {k for k, v in root.items() if not isinstance(v, dict) and k != SOCIAL}
            same = {p["ParameterKey"]: p["ParameterValue"] for p in described if p["ParameterKey"] in literal}
            assert same == {k: wanted[k] for k in literal}, path

    keys = {o["Key"] for o in there.client("s3").list_objects_v2(Bucket=app.backend.bucket)["Contents"]}
    assert {"#current-cloud-backend.zip", "nested-cloudformation-stack.yml"} <= keys
