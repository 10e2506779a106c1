"""A pushed app becomes ours in place, on the real engine: refused where it must be, delivered, nothing lost."""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal_tests import pulumi_homes
from aws_rehearsal_tests.pulumi_cloud import pulumi_cloud
from functional.adoption.adoptable import Adoptable
from functional.adoption.afterwards import a_colleague_has_pushed, what_was_moved_to_gen_2_is_never_made_again
from functional.adoption.as_pushed import runs_as_pushed
from functional.adoption.edited import Edited
from functional.adoption.pushed_apps import NAMES, SECRETS, SOCIAL, Running, key_expires
from functional.delivery.environments import kill_all
from unit.places import REPOSITORY

pytestmark = [pytest.mark.engine, pytest.mark.large]

REMADE = {
    (step, f"AWS::ApiGateway::{kind}")
    for step in ("add-resource", "remove-resource")
    for kind in ("Deployment", "GatewayResponse")
}
"""What each push of a REST API makes again, under another logical id."""
FUNCTION_SECRET = "/amplify/productcatalog/main/AMPLIFY_lowstockproducts_PRODUCT_CATALOG_SECRET"
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
    refused(app, "is not named as Amplify names root stacks", "--stack", "backend")
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


def made_ready(app: Adoptable, name: str) -> None:
    """What each app is tried with beside its own."""
    app.file.write_text(f"# a comment\n{app.file.read_text()}")
    if name == "media-vault":  # a run that was killed after its first step
        app.workspace.succeed("stack", "init", app.stack)
    if name == "product-catalog":
        app.there.client("ssm").put_parameter(Name=FUNCTION_SECRET, Value="a-function's", Type="SecureString")


def of_the_page() -> tuple[tuple[str, ...], ...]:
    """What docs/adopting.md has typed in its steps 3 and 4, without the environment and the digest."""
    text = (REPOSITORY / "docs" / "adopting.md").read_text(encoding="utf-8")
    steps = text[text.index("\n## 3. ") : text.index("\n## 5. ")]
    typed = re.findall(r"^amplify-delivery (.+?)(?: +#.*)?$", steps, re.MULTILINE)
    return tuple(tuple(word for word in line.split() if word not in ("prod", "DIGEST")) for line in typed)


ADOPT, DEPLOY, PLAN = of_the_page()


def adopted(app: Adoptable) -> tuple[dict[str, Any], dict[str, Any], Running]:
    """Adopt; gives the command's document, the root in the state, and what runs. Nothing else was changed or made."""
    before, events, buckets = app.running, app.events(), app.buckets()
    document = app.document(*ADOPT)
    assert (app.running, app.events(), app.buckets()) == (before, events, buckets)
    root, stack = app.root(), app.there.stack(app.app.stack_name)
    assert root["id"] == document["stackId"] == stack["StackId"]
    assert root["protect"]
    assert root["inputs"]["parameters"] == {p["ParameterKey"]: p["ParameterValue"] for p in stack["Parameters"]}
    text = app.file.read_text()
    assert text.startswith("# a comment\n")
    assert f'ApiKeyExpires: "{key_expires()}"' in text
    return document, root, before


def adopted_already(app: Adoptable) -> None:
    """The same command again finds nothing to do."""
    text = app.file.read_text()
    again = app.document("adopt")
    assert (again["already"], again["plan"], app.file.read_text()) == (True, None, text)


def harmless(plan: dict[str, Any]) -> set[str]:
    """The places whose ids may change with a plan that replaces and removes nothing that counts, and tells apart what
    reads the same bytes elsewhere."""
    steps = {s["path"]: s for s in plan["steps"] if "path" in s}
    remade = {path for path, s in steps.items() if s["step"] not in ("change-resource", "update-stack")}
    assert {(steps[path]["step"], steps[path]["type"]) for path in remade} <= REMADE
    assert plan["dataLoss"] == []
    moved = set(plan["sameBytes"])
    places = {path for path, s in steps.items() if PLACES.issuperset(s.get("properties") or ["another"])}
    assert moved == {path for path in places if not any(f": {path})" in note for note in plan["notes"])}
    assert len(moved) > 25
    assert not [p for p in steps if "ApiKey" in p]
    # A custom resource that is called gets the id that its function gives back: by default that of the log stream.
    return remade | {path for path, s in steps.items() if s.get("type", "").startswith("Custom::")}


def is_shown(app: Adoptable, plan: dict[str, Any]) -> str:
    """What `plan` says to a person, of the plan that the adoption has led to."""
    shown = app.delivery("plan").output
    assert plan["digest"] in shown
    assert f"{len(plan['sameBytes'])} resources read the same bytes at another place" in shown
    assert not [path for path in plan["sameBytes"] if f"  {path} " in shown]
    return shown


def delivered(app: Adoptable, plan: dict[str, Any], before: Running) -> str:
    """Deliver the plan; what the commands have said. Data and ids are the same, and nothing is left to do."""
    remade = harmless(plan)
    done = app.delivery(*DEPLOY, plan["digest"])
    assert done.exit_code == 0, done.output
    after = app.running
    assert replace(after, resources={}) == replace(before, resources={})
    kept = [{p: i for p, i in r.items() if p not in remade} for r in (before.resources, after.resources)]
    assert kept[0] == kept[1]
    again = app.delivery(*PLAN).output
    assert "nothing to change" in again
    return done.output + again


def as_ordinary(adopted: dict[str, Any], ordinary: dict[str, Any]) -> None:
    """The root in the state is as the provider writes it when it deploys."""
    assert ordinary["inputs"].keys() - adopted["inputs"].keys() <= {"templateUrl"}
    for part in ("inputs", "outputs"):
        assert adopted[part].keys() <= ordinary[part].keys()
    assert adopted["inputs"]["parameters"].keys() <= ordinary["inputs"]["parameters"].keys()


@pytest.mark.parametrize("name", NAMES)
def test_a_pushed_app_becomes_ours_in_place(local_aws: LocalAws, examined: Path, tmp_path: Path, name: str) -> None:
    given = "passphrase" if name == "media-vault" else "key"
    app = Adoptable(name, tmp_path, local_aws, examined, encrypted_by=given)
    runs_as_pushed(app.app, app.there)
    if name == "discussions":
        refusals(app)
    made_ready(app, name)
    edited = Edited.make(app) if name == "fitness-tracker" else None
    document, root, before = adopted(app)
    if edited:
        edited.is_told(document["plan"])
    assert document["secrets"] == [f"authmediavault1f08412d.{SOCIAL}"] * (name == "media-vault")
    assert document["functionSecrets"] == {"there": [FUNCTION_SECRET] * (name == "product-catalog"), "missing": []}
    said = is_shown(app, document["plan"]) if name == "media-vault" else ""  # it has secrets
    if name == "discussions":  # as if the run had been killed between the import and what completes it
        app.put_root({k: v for k, v in root["inputs"].items() if k != "parameters"})
        assert not app.document("adopt")["already"]
        assert app.root()["inputs"] == root["inputs"]
        adopted_already(app)

    said += delivered(app, document["plan"], before)

    as_ordinary(root, app.root())
    template = app.there.client("cloudformation").get_template(StackName=app.app.stack_name)["TemplateBody"]
    shown = b"".join([*app.written().values(), json.dumps([document, said, template]).encode()])
    assert len(app.written()) > 1
    assert not [value for value in SECRETS.values() if value.encode() in shown]
    keys = [line for line in app.file.read_text().splitlines() if line.startswith("encrypt")]
    assert [line.partition(":")[0] for line in keys] == ["encryptionsalt" if given == "passphrase" else "encryptedkey"]
    if name == "discussions":
        another(app)
    if edited:
        edited.is_kept()
        the_key_is_renewed(app)
    if name == "product-catalog":
        a_colleague_has_pushed(app)
        what_was_moved_to_gen_2_is_never_made_again(app)


def test_what_the_construct_has_made_becomes_ours_in_place(local_aws: LocalAws, examined: Path, tmp_path: Path) -> None:
    """Its nested templates have the values written into them, secrets as well; with the state in Pulumi Cloud, which
    encrypts them."""
    with pulumi_cloud() as cloud:
        app = Adoptable("media-vault", tmp_path, local_aws, examined, construct=True, cloud=cloud)
        adopted_from_the_construct(app)
        assert "encrypt" not in app.file.read_text()
        assert {name for _, name in cloud.stacks} == {app.stack}


def adopted_from_the_construct(app: Adoptable) -> None:
    made_ready(app, "")
    document, _, before = adopted(app)
    assert document["secrets"] == [f"authmediavault1f08412d.{SOCIAL}"]
    said = delivered(app, document["plan"], before)
    shown = b"".join([*app.written().values(), json.dumps([document, said]).encode()])
    assert not [value for value in SECRETS.values() if value.encode() in shown]


def the_key_is_renewed(app: Adoptable) -> None:
    app.type_pulumi("pulumi config rm -s prod")
    changed = {s["type"]: s["properties"] for s in app.document("plan")["steps"] if s["step"] == "change-resource"}
    assert changed == {"AWS::AppSync::ApiKey": ["Expires"]}


def given_up(app: Adoptable) -> None:
    """Before anything was delivered: only what the engine knows goes."""
    before, buckets, file = app.running, app.buckets(), app.file.read_bytes()
    app.type_pulumi("pulumi stack rm")
    assert (app.running, app.buckets(), app.file.read_bytes()) == (before, buckets, file)


def another(app: Adoptable) -> None:
    """A second Pulumi stack that would like to have it."""
    project, first = app.app.project, app.file
    (app.workspace.project / "Pulumi.other.yaml").write_text(
        f'config:\n  {project}:account: "{app.there.account}"\n  {project}:environment: main\n'
        f"  {project}:region: {app.app.region}\n"
    )
    app.stack = "other"
    refused(app, "another Pulumi stack of Amplify Delivery delivers it")
    # The first one's file is there: that is a copy, and its state is not lost.
    refused(app, f"{first.name} names the same root stack in", "--state-lost")
    first.unlink()
    taken = app.delivery("adopt", "--state-lost")
    assert taken.exit_code == 0, taken.output
    assert app.root()["id"] == app.there.stack(app.app.stack_name)["StackId"]
    assert "what the lost state held beside the root is taken in: discussions-main-staging-" in taken.output
    # Nothing fails at what was there already.
    up = app.delivery("up")
    assert up.exit_code == 0, up.output
    assert app.root()["id"] == app.there.stack(app.app.stack_name)["StackId"]


def killed_when(app: Adoptable, sign: str) -> bool:
    """Begin an adoption and kill all of it as soon as the stack file or the state holds `sign`; whether it was."""
    command = pulumi_homes.delivery(app.workspace.environment, "adopt", app.stack)
    running = subprocess.Popen(
        command,
        cwd=app.workspace.project,
        env=dict(app.workspace.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        process_group=0,
    )
    while running.poll() is None:
        if any(sign.encode() in content for content in app.written().values()):
            kill_all(running)
            return True
        time.sleep(0.01)
    return False


def test_an_adoption_that_was_killed_goes_on(local_aws: LocalAws, examined: Path, tmp_path: Path) -> None:
    """Killed once the Pulumi stack was made, while the stack file is written, and while the state is made; with what
    somebody types then who does not know of the adoption."""
    app = Adoptable("media-vault", tmp_path, local_aws, examined, encrypted_by="passphrase", killed=True)
    made_ready(app, "")
    before, events, buckets = app.running, app.events(), app.buckets()
    for sign in ("encryptionsalt", "ApiKeyExpires"):
        assert killed_when(app, sign), sign
    up = app.plain("up", "--skip-preview")
    assert up.exit_code != 0
    assert f"`amplify-delivery adopt {app.stack}` takes it over in place" in up.output
    assert app.buckets() == buckets
    assert killed_when(app, "backend-identity")
    app.plain("cancel")
    # Staging area and secret are made before the engine comes to the root stack: the adoption leaves them as they are.
    up = app.plain("up", "--skip-preview")
    assert up.exit_code != 0
    assert f"`amplify-delivery plan {app.stack}` says whose it is" in up.output
    assert len(app.buckets()) == len(buckets) + 1
    app.cut_off()
    document, _, ran = adopted(app)
    assert document["plan"]["dataLoss"] == []
    assert (ran, app.events()) == (before, events)
    destroy = app.plain("destroy")
    assert destroy.exit_code != 0
    assert "because it is protected" in destroy.output
    assert app.running == before
    given_up(app)
