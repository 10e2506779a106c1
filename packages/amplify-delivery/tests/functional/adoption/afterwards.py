"""After an adoption: a colleague still runs `amplify push`, and one day Amplify's migration to Gen 2 comes along.

Of the app `product-catalog`, where `test_adopt` has left it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from amplify_delivery_rehearsal.amplify_push import CloudBackend, push
from functional.adoption.adoptable import Adoptable

AUTH = "authproductcatalog90174ac4"
STORAGE = "storages338e5b439"


def deliver(app: Adoptable, digest: str) -> None:
    done = app.delivery("deploy", "--plan", digest)
    assert done.exit_code == 0, done.output


def changed(backend: CloudBackend, name: str, change: Any) -> CloudBackend:
    """The backend of a colleague who has changed the template of one resource."""
    key = str(backend.root["Resources"][name]["Properties"]["TemplateURL"]).partition("-deployment/")[2]
    template = json.loads(backend.objects[key])
    change(template)
    return replace(backend, objects={**backend.objects, key: json.dumps(template).encode()})


def a_colleague_has_pushed(app: Adoptable) -> None:
    before = app.running
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "colleague"}}
    theirs = changed(app.app.backend, STORAGE, lambda t: t["Resources"].update(Topic=topic))

    def subject(template: dict[str, Any]) -> None:
        template["Resources"]["UserPool"]["Properties"]["EmailVerificationSubject"] = "Ours"

    push(app.there.client, changed(theirs, AUTH, subject))
    assert app.running.items == before.items
    shown = app.delivery("plan")
    assert shown.exit_code == 0, shown.output
    assert "`amplify push` has updated this backend since it was delivered from here" in shown.output
    plan = app.document("plan")
    (undoes,) = [note for note in plan["notes"] if "this deployment undoes whatever of it" in note]
    assert f"(2: {AUTH}/UserPool, {STORAGE}/Topic)" in undoes
    assert any("the push has undone these parts of the delivery" in note for note in plan["notes"])
    assert plan["dataLoss"] == []

    deliver(app, plan["digest"])
    after = app.running
    assert (after.items, after.objects, after.users, after.trust) == (
        before.items,
        before.objects,
        before.users,
        before.trust,
    )
    assert after.resources == before.resources
    again = app.document("plan")
    assert again["changes"] == 0
    assert not [note for note in again["notes"] if "amplify push" in note]


def move_out(app: Adoptable, nested: str, logical_id: str) -> str:
    """What `refactor` does to a stack: the resource is in it no more, and lives on. Its physical id."""
    cloudformation = app.there.client("cloudformation")
    resources = cloudformation.describe_stack_resources(StackName=app.app.stack_name)["StackResources"]
    stack = next(r["PhysicalResourceId"] for r in resources if r["LogicalResourceId"] == nested)
    found = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
    physical_id = str(found["StackResourceDetail"]["PhysicalResourceId"])
    body = cloudformation.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
    template = json.loads(body) if isinstance(body, str) else json.loads(json.dumps(body))
    given = [
        {"ParameterKey": p["ParameterKey"], "UsePreviousValue": True} for p in app.there.stack(stack)["Parameters"]
    ]
    template["Resources"][logical_id] |= {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    for step in ("kept", "moved"):
        if step == "moved":
            del template["Resources"][logical_id]
            template = literal(template, logical_id, physical_id)
        assert app.there.update(template, stack, Parameters=given)["StackStatus"] == "UPDATE_COMPLETE"
    return physical_id


def literal(value: Any, logical_id: str, physical_id: str) -> Any:
    """What refers to the resource, with its name in the place of the reference."""
    if value in ({"Ref": logical_id}, {"Fn::GetAtt": [logical_id, "Arn"]}):
        return physical_id
    if isinstance(value, dict):
        found = {k: literal(v, logical_id, physical_id) for k, v in value.items()}
        depends = found.get("DependsOn")
        if depends == logical_id:
            del found["DependsOn"]
        elif isinstance(depends, list):
            found["DependsOn"] = [d for d in depends if d != logical_id]
        return found
    return [literal(v, logical_id, physical_id) for v in value] if isinstance(value, list) else value


def what_was_moved_to_gen_2_is_never_made_again(app: Adoptable) -> None:
    bucket = move_out(app, STORAGE, "S3Bucket")
    buckets, state = app.buckets(), app.everything()[1]
    for command in (["plan"], ["deploy", "--plan", "a" * 64], ["up"]):
        done = app.delivery(*command)
        assert done.exit_code == 3, done.output
        assert f"{STORAGE}/S3Bucket (AWS::S3::Bucket)" in done.output
        assert "moves them into stacks" in done.output
    assert app.buckets() == buckets
    assert bucket in buckets
    assert app.everything()[1] == state
