"""The form of an assembly for an environment in production."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.changes.stateful import CALLOUT_PROPERTIES, CLOUDFORMATION_TYPES
from amplify_delivery.delivery.planning import ChangeResource, Stacks, plan_backend
from amplify_delivery.export import Assembly, ConfigError, assemble, in_production, read_export, render_root
from amplify_delivery.export.assembling import production
from amplify_delivery.export.assembling.production import METADATA, _resource
from amplify_delivery.export.manifests import manifest, read_manifest
from unit.command_line import export
from unit.delivery.planning.stacks_of import VALUES, without
from unit.export.mutations import copy_export, replace_file


@functools.cache
def assembled(name: str, on: bool | None = None) -> Assembly:
    made = assemble(read_export(export(name)))
    return made if on is None else in_production(made, on, CLOUDFORMATION_TYPES)


@functools.cache
def stacks(name: str, on: bool | None = None) -> Stacks:
    root = render_root(assembled(name, on), VALUES, "staging-bucket")
    return Stacks.of(assembled(name, on), root, root.parameters)


def stateful(found: Stacks) -> dict[str, dict[str, Any]]:
    """What holds data, as its template has it, but for the root's own bucket."""
    return {
        "/".join(path): dict(found.resource(path))
        for path, resource in found.resolved.resources.items()
        if resource.type in CLOUDFORMATION_TYPES and path != ("DeploymentBucket",)
    }


@pytest.mark.parametrize("name", ["full", "iam", "todo-series/v4"])
def test_what_holds_data_is_protected_in_place(name: str) -> None:
    steps = plan_backend(stacks(name), stacks(name, True))
    assert {type(step) for step in steps} == {ChangeResource}
    assert not any(step.loss for step in steps)
    found, exported = stateful(stacks(name, True)), stateful(stacks(name))
    assert {step.place for step in steps} == {place for place in found if found[place] != exported[place]}
    assert found
    for place, item in found.items():
        assert item["DeletionPolicy"] in ("RetainExceptOnCreate", "Retain"), place
        assert item["UpdateReplacePolicy"] == "Retain", place
        properties = item.get("Properties") or {}
        if item["Type"] == "AWS::DynamoDB::Table":
            assert properties["DeletionProtectionEnabled"] is True
            assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        if item["Type"] == "AWS::Cognito::UserPool":
            assert properties["DeletionProtection"] == "ACTIVE"


def test_every_other_environment_has_the_templates_of_the_assembly() -> None:
    plain, protected = assembled("full"), assembled("full", True)
    assert protected.digest() == plain.digest()
    assert protected.stack_name == plain.stack_name
    own, other = {o.key: o for o in plain.objects}, {o.key: o for o in protected.objects}
    assert {o.kind for key, o in other.items() if key not in own} == {"template"}
    assert {o.kind for key, o in own.items() if key not in other} == {"template"}
    assert len(own) == len(other)
    again = in_production(assemble(read_export(export("full"))), True, CLOUDFORMATION_TYPES)
    assert [vars(o) for o in again.objects] == [vars(o) for o in protected.objects]


@pytest.mark.parametrize("name", ["full", "todo-series/v4"])
def test_its_manifest_is_that_of_the_release(name: str) -> None:
    """S3 compares bytes with what the key says, and `rollback` reads it."""
    item, body = manifest(assembled(name, True))
    assert hashlib.sha256(body).hexdigest() == item.sha256
    again = read_manifest(body, assembled(name).digest(), assembled(name).reader)
    assert again == assembled(name)
    assert in_production(again, True, CLOUDFORMATION_TYPES) == assembled(name, True)


@pytest.mark.parametrize("on", [True, False])
def test_what_templates_name_is_published(on: bool) -> None:
    found = assembled("full", on)
    keys = {o.key for o in found.objects}
    root = render_root(found, VALUES, "staging-bucket")
    bodies = [root.body, *(found.read(node.template) for path, node in found.root.walk() if path)]
    for body in bodies:
        assert {match.decode() for match in re.findall(rb"templates/[0-9a-f]{64}\.json", body)} <= keys
    assert {node.template for path, node in found.root.walk() if path} <= keys


def test_what_is_protected_is_not_made_at_first() -> None:
    """A create that fails is taken back, and what is protected could not be."""
    found = {on: render_root(assembled("full", on), VALUES, "staging-bucket") for on in (None, True, False)}
    assert [finding.id for finding in found[True].against_creating] == ["AD215"]
    assert found[None].against_creating == found[False].against_creating == ()


def test_it_is_taken_back() -> None:
    off = stacks("full", False)
    steps = plan_backend(stacks("full", True), off)
    assert {type(step) for step in steps} == {ChangeResource}
    exported = stateful(stacks("full"))
    for place, item in stateful(off).items():
        assert item == exported[place] or item["Metadata"]["AmplifyDelivery"] == "production off"
    table = off.resource(("apifullapp", "Todo", "TodoTable"))
    was = stacks("full").resource(("apifullapp", "Todo", "TodoTable"))
    assert table["DeletionPolicy"] == was["DeletionPolicy"] == "Delete"
    assert table["Properties"]["DeletionProtectionEnabled"] is False
    # Said by the export, so the export's.
    assert (
        table["Properties"]["PointInTimeRecoverySpecification"] == was["Properties"]["PointInTimeRecoverySpecification"]
    )
    assert off.resource(("authfullappauth", "UserPool"))["Properties"]["DeletionProtection"] == "INACTIVE"


CALLOUTS = [
    # What Amplify's functions make on behalf of a custom resource, and delete when it is deleted.
    ({"appName": "shop", "pingPointRegion": "us-east-1", "region": "us-east-1"}, True),
    ({"collectionName": "fences", "region": "us-east-1", "env": "prod"}, True),
    ({"collectionId": "faces", "region": "us-east-1", "bucketName": "bucket"}, True),
    ({"mapName": "city", "region": "us-east-1", "env": "prod"}, False),
]


@pytest.mark.parametrize(("given", "kept"), CALLOUTS)
def test_what_a_function_has_made_stays_when_its_custom_resource_goes(
    tmp_path: Path, given: dict[str, str], *, kept: bool
) -> None:
    """CloudFormation has a retained custom resource's function delete nothing. The function is not asked either when
    production is turned on: what changes beside the policies is its own metadata."""
    copy = copy_export("full", tmp_path / "export")
    path = next(copy.glob("function/*/*cloudformation-template.json"))
    template = json.loads(path.read_bytes())
    function = next(n for n, r in template["Resources"].items() if r["Type"] == "AWS::Lambda::Function")
    token = {"Fn::GetAtt": [function, "Arn"]}
    template["Resources"]["Callout"] = {"Type": "Custom::LambdaCallout", "Properties": {"ServiceToken": token, **given}}
    replace_file(path, json.dumps(template).encode())
    plain = assemble(read_export(copy))
    made = in_production(plain, True, CLOUDFORMATION_TYPES, CALLOUT_PROPERTIES)

    def resources(of: Assembly) -> dict[str, dict[str, Any]]:
        bodies = (json.loads(of.read(node.template)) for way, node in of.root.walk() if way)
        return next(dict(body["Resources"]) for body in bodies if "Callout" in body["Resources"])

    was, now = resources(plain), resources(made)
    policies = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"} if kept else {}
    assert now["Callout"] == {**was["Callout"], **policies}
    assert now[function].get("Metadata") == was[function]["Metadata"] | ({METADATA: "production"} if kept else {})
    assert now[function].get("Properties") == was[function]["Properties"]
    off = resources(in_production(plain, False, CLOUDFORMATION_TYPES, CALLOUT_PROPERTIES))
    assert off["Callout"] == was["Callout"]
    assert off[function]["Metadata"] == was[function]["Metadata"] | ({METADATA: "production off"} if kept else {})


def test_a_model_that_leaves_production_leaves_its_table() -> None:
    on = stacks("full", True)
    steps = {step.place: step for step in plan_backend(on, without(on, "apifullapp/Todo"))}
    assert steps["apifullapp/Todo/TodoTable"].what == "stays in the account, outside of the stack"
    assert not any(step.loss for step in steps.values())
    plain = stacks("full")
    assert any(step.loss for step in plan_backend(plain, without(plain, "apifullapp/Todo")))


def resource(kind: str, properties: dict[str, Any], *, on: bool = True, **attributes: Any) -> dict[str, Any]:
    return dict(_resource({"Type": kind, "Properties": properties, **attributes}, on))


def test_amplifys_own_tables_take_the_names_that_their_handler_reads() -> None:
    kind = "Custom::AmplifyDynamoDBTable"
    on = resource(kind, {"tableName": "t", "deletionProtectionEnabled": False})
    assert on["Properties"] == {
        "tableName": "t",
        "deletionProtectionEnabled": True,
        "pointInTimeRecoverySpecification": {"pointInTimeRecoveryEnabled": True},
    }
    assert (on["DeletionPolicy"], on["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    off = resource(kind, {"tableName": "t"}, on=False)
    assert off["Properties"]["deletionProtectionEnabled"] is False
    assert "DeletionPolicy" not in off


def test_what_a_specification_says_beside_stays() -> None:
    own = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False, "RecoveryPeriodInDays": 7}}
    found = resource("AWS::DynamoDB::Table", own)["Properties"]["PointInTimeRecoverySpecification"]
    assert found == {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 7}
    chosen = {"PointInTimeRecoverySpecification": {"Fn::If": ["Restorable", {"a": 1}, {"Ref": "AWS::NoValue"}]}}
    found = resource("AWS::DynamoDB::Table", chosen)["Properties"]["PointInTimeRecoverySpecification"]
    assert found == {"PointInTimeRecoveryEnabled": True}


def test_each_replica_of_a_global_table_is_protected_that_is_there_for_certain() -> None:
    replicas = [{"Region": "eu-west-1"}, {"Fn::If": ["Far", {"Region": "us-east-1"}, {"Ref": "AWS::NoValue"}]}]
    found = resource("AWS::DynamoDB::GlobalTable", {"Replicas": replicas})["Properties"]["Replicas"]
    assert (found[0]["DeletionProtectionEnabled"], found[1]) == (True, replicas[1])


def test_a_database_is_protected_by_itself_or_by_its_cluster() -> None:
    assert resource("AWS::RDS::DBInstance", {"Engine": "x"})["Properties"]["DeletionProtection"] is True
    member = resource("AWS::RDS::DBInstance", {"DBClusterIdentifier": "c"})
    assert member["Properties"] == {"DBClusterIdentifier": "c"}


def test_a_policy_that_keeps_the_data_stays() -> None:
    snapshot = resource("AWS::RDS::DBCluster", {}, DeletionPolicy="Snapshot", UpdateReplacePolicy="Delete")
    assert (snapshot["DeletionPolicy"], snapshot["UpdateReplacePolicy"]) == ("Snapshot", "Retain")


def test_what_has_no_setting_that_protects_it_gets_a_mark_because_its_policies_change_with_something_only() -> None:
    bucket = resource("AWS::S3::Bucket", {"BucketName": "b"}, Metadata={"mine": 1})
    assert bucket["Properties"] == {"BucketName": "b"}
    assert bucket["Metadata"] == {"mine": 1, "AmplifyDelivery": "production"}
    kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    assert "Metadata" not in _resource({"Type": "AWS::S3::Bucket", **kept}, on=True)


def test_a_template_that_gets_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(production, "MAX_TEMPLATE", 2_000)
    with pytest.raises(ConfigError, match="with `production`, CloudFormation takes 2,000"):
        in_production(assembled("full"), True, CLOUDFORMATION_TYPES)
