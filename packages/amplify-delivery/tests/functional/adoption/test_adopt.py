"""A pushed app becomes ours in place, on the real engine: refused where it must be, delivered, nothing lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.local_aws import LocalAws
from functional.adoption.adoptable import Adoptable
from functional.adoption.pushed_apps import NAMES, SECRETS, SOCIAL

pytestmark = [pytest.mark.engine, pytest.mark.large]

REMADE = {
    (step, f"AWS::ApiGateway::{kind}")
    for step in ("add-resource", "remove-resource")
    for kind in ("Deployment", "GatewayResponse")
}
"""What each push of a REST API makes anew, under another logical id."""
PLACES = {
    "Code",
    "DefinitionS3Location",
    "RequestMappingTemplateS3Location",
    "ResponseMappingTemplateS3Location",
}
"""Properties that name an object: of these apps' pushed bytes and exported ones, all are equal."""


def refused(app: Adoptable, says: str, *arguments: str) -> None:
    """The adoption is refused with these words, and nothing has changed."""
    before = app.everything()
    done = app.delivery("adopt", *arguments)
    assert done.exit_code == 3, done.output
    assert says in done.output
    assert "Traceback" not in done.output
    assert app.everything() == before


def refusals(app: Adoptable) -> None:
    """Whatever speaks against an adoption, before it."""
    refused(app, "is not called as Amplify calls a root stack", "--stack", "backend")
    refused(app, "it is a stack of the app 'other'", "--stack", "amplify-other-main-12345")
    refused(app, "there is nothing to adopt: no such stack", "--stack", f"amplify-{app.app.project}-main-none")

    cloudformation, name = app.there.client("cloudformation"), app.app.stack_name
    lock: dict[str, Any] = {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}
    cloudformation.set_stack_policy(StackName=name, StackPolicyBody=json.dumps({"Statement": [lock]}))
    refused(app, "as Amplify's migration to Gen 2 sets it")
    lock["Effect"] = "Allow"
    cloudformation.set_stack_policy(StackName=name, StackPolicyBody=json.dumps({"Statement": [lock]}))

    text = app.file.read_text()
    app.file.write_text(f"{text}  {app.app.project}:suffix: abcde\n")
    refused(app, "suffix is 'abcde' there")
    app.file.write_text(text)

    template = next(app.workspace.project.glob("amplify-export-*/storage/*/*-cloudformation-template.json"))
    whole = template.read_text()
    document = json.loads(whole)
    table = next(n for n, r in document["Resources"].items() if r["Type"] == "AWS::DynamoDB::Table")
    document["Resources"][table]["Properties"]["TableName"] = "another"
    template.write_text(json.dumps(document))
    refused(app, "this would delete data")
    template.write_text(whole)


@pytest.mark.parametrize("name", NAMES)
def test_a_pushed_app_becomes_ours_in_place(local_aws: LocalAws, examined: Path, tmp_path: Path, name: str) -> None:
    app = Adoptable(name, tmp_path, local_aws, examined)
    if name == "discussions":
        refusals(app)
    before, events, buckets = app.running, app.events(), app.buckets()
    adopted = app.document("adopt")

    # Nothing was changed or made, and what runs is the engine's own, protected.
    assert (app.running, app.events(), app.buckets()) == (before, events, buckets)
    imported = app.root()
    stack = app.there.stack(app.app.stack_name)
    assert imported["id"] == adopted["stackId"] == stack["StackId"]
    assert imported["protect"]
    assert imported["inputs"]["parameters"] == {p["ParameterKey"]: p["ParameterValue"] for p in stack["Parameters"]}

    # The plan: nothing replaced, nothing removed; what reads the same bytes elsewhere is told apart.
    steps = {s["path"]: s for s in adopted["plan"]["steps"] if "path" in s}
    remade = {path for path, s in steps.items() if s["step"] not in ("change-resource", "update-stack")}
    assert {(steps[path]["step"], steps[path]["type"]) for path in remade} <= REMADE
    assert adopted["plan"]["dataLoss"] == []
    moved = set(adopted["plan"]["sameBytes"])
    assert moved == {path for path, s in steps.items() if PLACES.issuperset(s.get("properties") or ["another"])}
    assert len(moved) > 25
    assert not [p for p in steps if p.endswith("ApiKey") and "Expires" in steps[p]["properties"]]
    again = app.document("adopt")
    assert (again["already"], again["plan"]) == (True, None)
    shown = app.delivery("plan")
    assert f"{len(moved)} resources read the same bytes at another place" in shown.output
    assert not [path for path in moved if f"  {path} " in shown.output]

    delivered = app.delivery("deploy", "--plan", adopted["plan"]["digest"])
    assert delivered.exit_code == 0, delivered.output
    after = app.running
    assert replace(after, resources={}) == replace(before, resources={})
    assert {p: i for p, i in after.resources.items() if p not in remade} == {
        p: i for p, i in before.resources.items() if p not in remade
    }
    assert "nothing to change" in app.delivery("plan").output
    ordinary = app.root()
    assert ordinary["inputs"].keys() - imported["inputs"].keys() <= {"templateUrl"}
    assert imported["inputs"].keys() <= ordinary["inputs"].keys()
    assert imported["outputs"].keys() <= ordinary["outputs"].keys()
    assert imported["inputs"]["parameters"].keys() <= ordinary["inputs"]["parameters"].keys()
    for value in SECRETS.values():
        files = [*app.workspace.project.glob("Pulumi.*.yaml"), *tmp_path.glob("home/**/*.json")]
        assert not [f for f in files if value in f.read_text(errors="replace")]
        assert value not in json.dumps(adopted) + shown.output + delivered.output
    if name == "media-vault":
        assert adopted["secrets"] == [f"authmediavault1f08412d.{SOCIAL}"]
    if name == "discussions":
        (app.workspace.project / "Pulumi.other.yaml").write_text(
            f'config:\n  {app.app.project}:account: "{app.there.account}"\n  {app.app.project}:environment: main\n'
            f"  {app.app.project}:region: {app.app.region}\n"
        )
        app.stack = "other"
        refused(app, "another Pulumi stack of Amplify Delivery delivers it")
