"""The commands that work on files alone: check, assemble, root, compare."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from amplify_delivery.delivery.project import expiry
from amplify_delivery.export import load_assembly
from unit.command_line import delivery, export
from unit.export.mutations import MANIFEST, set_value

pytestmark = pytest.mark.processes

TODO = export("todo")
AUTH_TEMPLATE = "fullappauth-cloudformation-template.json"
SECRET = "  mytodoapp:parameters:\n    apimytodoapp: {AppSyncApiName: {secure: v1:abc}}\n"


def test_check_lists_repairs_and_is_content() -> None:
    ran = delivery("check", TODO)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1] == f"{TODO}: 3 repaired"


def test_check_refuses() -> None:
    ran = delivery("check", export("triggers"))
    assert ran.code == 3
    assert ran.out.startswith("refused   AD206 auth/trigappauth/")


def test_check_for_machines() -> None:
    good, bad = delivery("check", TODO, "--json"), delivery("check", export("triggers"), "--json")
    assert {f["severity"] for f in good.document["findings"]} == {"repaired"}
    assert bad.code == 3
    assert "AD206" in {f["id"] for f in bad.document["error"]["findings"]}


def test_check_lists_all_that_can_be_found() -> None:
    told, machines = delivery("check", "--list"), delivery("check", "--list", "--json")
    assert (told.code, told.err) == (0, "")
    ids = [rule["id"] for rule in machines.document["rules"]]
    assert {"AD101", "AD305", "AD700", "AD748"} <= set(ids)
    assert [line[:5] for line in told.out.splitlines() if line.startswith("AD")] == ids


def test_check_explains_an_id() -> None:
    told, machines = delivery("check", "--explain", "AD305"), delivery("check", "--explain", "ad305", "--json")
    assert told.out.startswith("AD305       The manifest")
    assert {"id", "what", "severity", "remedy", "overruled", "source"} <= machines.document.keys()
    assert " ".join(told.out.split()).count(machines.document["remedy"]) == 1
    refused = delivery("check", "--explain", "AD117")
    assert (refused.code, "AD107" in refused.err) == (3, True)
    both = delivery("check", TODO, "--list")
    assert (both.code, "takes no export" in both.err) == (3, True)


def test_check_explains_what_is_found_in_an_export() -> None:
    found = delivery("check", TODO, "--json").document["findings"]
    ids = list(dict.fromkeys(f["id"] for f in found))
    assert ids
    told, machines = delivery("check", TODO, "--explain"), delivery("check", TODO, "--explain", "--json")
    assert machines.document["export"] == str(TODO)
    explained = {e["id"]: e["findings"] for e in machines.document["explanations"]}
    assert explained == {id: [f for f in found if f["id"] == id] for id in ids}
    assert all(f"\n{id}  " in f"\n{told.out}" for id in ids)
    assert all(f["message"].split(":")[0] in told.out for f in found)
    assert (told.code, machines.code) == (0, 0)
    # A folder after the option is what a person means to have checked.
    assert delivery("check", "--explain", TODO, "--json").document == machines.document
    one = delivery("check", TODO, "--explain", ids[0][2:], "--json").document["explanations"]
    assert [e["id"] for e in one] == ids[:1]
    other = delivery("check", TODO, "--explain", "AD305")
    assert f"AD305 is not found in {TODO}; what is found there: {', '.join(ids)}" in other.out


def test_assemble_writes_what_load_assembly_reads(tmp_path: Path) -> None:
    ran = delivery("assemble", TODO, "--out", tmp_path / "assembly", "--json")
    assembly = load_assembly(tmp_path / "assembly")
    assert ran.document["digest"] == assembly.digest()
    assert ran.document["objects"] == len(assembly.objects)
    assert (ran.document["project"], ran.document["stacks"]) == ("mytodoapp", 4)


def test_assemble_refuses_a_folder_with_something_else_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    ran = delivery("assemble", TODO, "--out", tmp_path)
    assert ran.code == 3
    assert "the folder is not empty" in ran.err
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_the_projects_export_needs_no_name(project: Path) -> None:
    shutil.copytree(TODO, project / TODO.name)
    ran = delivery("assemble", "--out", "assembly", "--json", cwd=project)
    assert ran.code == 0, ran.err
    named = delivery("assemble", TODO, "--out", "other", "--json", cwd=project)
    assert ran.document["digest"] == named.document["digest"]
    assert delivery("check", cwd=project).out.splitlines()[-1] == f"{TODO.name}: 3 repaired"


def test_a_project_without_an_environment_has_its_export_checked(tmp_path: Path) -> None:
    """So `init` tells, where no environment is known yet."""
    (tmp_path / "Pulumi.yaml").write_text("name: mytodoapp\nruntime: python\n")
    shutil.copytree(TODO, tmp_path / TODO.name)
    assert delivery("check", cwd=tmp_path).out.splitlines()[-1] == f"{TODO.name}: 3 repaired"
    shutil.copytree(TODO, tmp_path / "amplify-export-other")
    assert "there are several exports here" in delivery("check", cwd=tmp_path).err


def test_a_secret_must_be_each_environments(project: Path) -> None:
    """One assembly serves all of them."""
    auth, secret = "authfullappauth", "hostedUIProviderCreds"
    (project / "Pulumi.yaml").write_text("name: fullapp\nruntime: python\n")
    full = shutil.copytree(export("full"), project / export("full").name)
    set_value(full, f"auth/fullappauth/{AUTH_TEMPLATE}", f"/Parameters/{secret}", {"Type": "String", "NoEcho": True})
    set_value(full, MANIFEST, f"/props/loadNestedStacks/{auth}/parameters/{secret}", "in plain text")
    files = [project / f"Pulumi.{name}.yaml" for name in ("dev", "qa")]
    given = f"  fullapp:parameters:\n    {auth}: {{{secret}: {{secure: v1:abc}}}}\n"
    without = files[0].read_text().replace("mytodoapp:", "fullapp:")
    files[0].write_text(without + given)
    files[1].write_text(without)
    refused = delivery("check", cwd=project)
    assert refused.code == 3
    assert "AD305" in refused.out
    assert delivery("check", "--environment", "dev", cwd=project).code == 0
    files[1].write_text(without + given)
    assert delivery("check", cwd=project).code == 0


def test_environments_of_several_exports_have_no_assembly_in_common(project: Path) -> None:
    (project / "Pulumi.qa.yaml").write_text((project / "Pulumi.dev.yaml").read_text() + "  mytodoapp:export: b\n")
    with (project / "Pulumi.dev.yaml").open("a") as file:
        file.write("  mytodoapp:export: a\n")
    ran = delivery("assemble", "--out", "assembly", cwd=project)
    assert ran.code == 3
    assert "several exports: a (dev), b (qa)" in ran.err


def test_root_is_the_same_from_an_export_and_from_its_assembly(tmp_path: Path) -> None:
    delivery("assemble", TODO, "--out", tmp_path / "assembly")
    arguments = ("--environment", "qa", "--staging-bucket", "bucket", "--json")
    one, other = delivery("root", TODO, *arguments), delivery("root", tmp_path / "assembly", *arguments)
    assert one.document == other.document
    assert one.document.keys() == {"stack_name", "template", "parameters"}
    assert one.document["stack_name"] == "amplify-mytodoapp-qa-5af8b"
    assert one.document["parameters"]["ApiKeyExpires"] == str(expiry.in_a_year())
    assert "bucket" in one.document["template"]["Resources"]["apimytodoapp"]["Properties"]["Parameters"].values()


def test_root_takes_the_values_of_the_stack_file(project: Path) -> None:
    with (project / "Pulumi.dev.yaml").open("a") as file:
        file.write("  mytodoapp:suffix: abcde\n  mytodoapp:apiKeyExpires: '2026-12-01'\n")
        file.write("  mytodoapp:parameters:\n    apimytodoapp: {DynamoDBBillingMode: PROVISIONED}\n")
    ran = delivery("root", TODO, "--environment", "dev", "--staging-bucket", "b", "--json", cwd=project)
    assert ran.document["stack_name"] == "amplify-mytodoapp-dev-abcde"
    parameters = ran.document["template"]["Resources"]["apimytodoapp"]["Properties"]["Parameters"]
    assert parameters["DynamoDBBillingMode"] == "PROVISIONED"


def test_root_shows_the_boundary_of_a_bootstrapped_environment(project: Path) -> None:
    arguments = ("root", TODO, "--environment", "dev", "--staging-bucket", "b", "--json")
    assert "BackendPermissionsBoundary" not in delivery(*arguments, cwd=project).document["parameters"]
    with (project / "Pulumi.dev.yaml").open("a") as file:
        file.write("  mytodoapp:bootstrapped: 'true'\n")
    boundary = delivery(*arguments, cwd=project).document["parameters"]["BackendPermissionsBoundary"]
    assert boundary.endswith(":policy/amplify-delivery/mytodoapp/env/dev/mytodoapp-dev-boundary")


def test_root_hides_the_version_of_a_secret(project: Path) -> None:
    with (project / "Pulumi.dev.yaml").open("a") as file:
        file.write(SECRET)
    ran = delivery("root", TODO, "--environment", "dev", "--staging-bucket", "b", "--json", cwd=project)
    assert ran.code == 0, ran.err
    assert list(ran.document["parameters"].values()).count("[secret]") == 1


@pytest.mark.parametrize(
    ("old", "new", "resources", "stacks"),
    [("v1", "v1b", 0, 0), ("v1b", "v2", 1, 1), ("v2", "v3", 32, 4), ("v3", "v4", 9, 1)],
)
def test_compare_counts_what_a_re_export_touches(old: str, new: str, resources: int, stacks: int) -> None:
    before, after = export(f"todo-series/{old}"), export(f"todo-series/{new}")
    ran = delivery("compare", before, after, "--json")
    assert (len(ran.document["resources"]), len(ran.document["stacks"])) == (resources, stacks)
    for_people = delivery("compare", before, after).out.splitlines()[-1]
    assert for_people.startswith(f"{resources} resource")


def test_compare_names_the_resource() -> None:
    ran = delivery("compare", export("todo-series/v1b"), export("todo-series/v2"))
    assert "~  apiseriesapp/GraphQLAPITransformerSchema" in ran.out
    assert "DefinitionS3Location" in ran.out


def test_compare_refuses_two_apps() -> None:
    """What it lists is what deploying one over the other touches; no environment of one app is the other's."""
    ran = delivery("compare", export("todo"), export("todo-series/v2"))
    assert (ran.code, ran.out) == (3, "")
    assert "'mytodoapp' and 'seriesapp'" in ran.err
    assert delivery("compare", export("todo"), export("todo-series/v2"), "--json").code == 3


def test_no_colour_codes_in_a_pipe() -> None:
    assert "\x1b" not in delivery("compare", export("todo-series/v2"), export("todo-series/v3")).out


# --- check: what an account's boundary denies at run time -------------------------------------------------------------

BOOTSTRAPPED = (
    'config:\n  iamapp:account: "444444444444"\n  iamapp:region: eu-central-1\n  iamapp:bootstrapped: "true"\n'
    '  iamapp:suffix: "72f10"\n'
)
BEDROCK = {"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"}


@pytest.fixture
def calling_bedrock(project: Path) -> Path:
    """A project whose environment prod is bootstrapped, and whose export's function calls Bedrock."""
    (project / "Pulumi.yaml").write_text("name: iamapp\nruntime: python\n")
    (project / "Pulumi.dev.yaml").unlink()
    (project / "Pulumi.prod.yaml").write_text(BOOTSTRAPPED)
    (project / "Pulumi.prod-account.yaml").write_text("config:\n  iamapp:program: account\n")
    folder = project / export("iam").name
    shutil.copytree(export("iam"), folder)
    template = folder / "root-stack-template.json"
    root = json.loads(template.read_text())
    policies = root["Resources"]["UpdateRolesWithIDPFunctionRole"]["Properties"]["Policies"]
    policies[0]["PolicyDocument"]["Statement"].append(BEDROCK)
    template.write_text(json.dumps(root))
    return project


def test_check_says_what_the_accounts_boundary_will_deny(calling_bedrock: Path) -> None:
    ran = delivery("check", "--environment", "prod", cwd=calling_bedrock)
    assert ran.code == 0, ran.err
    [note] = [line for line in ran.out.splitlines() if line.startswith("note: ")]
    assert "bedrock:InvokeModel (UpdateRolesWithIDPFunctionRole)" in note
    assert "Pulumi.prod-account.yaml names in `boundaryServices`: bedrock; " in note
    [said] = delivery("check", "--environment", "prod", "--json", cwd=calling_bedrock).document["notes"]
    assert note == f"note: {said}"


def test_check_is_content_once_the_accounts_file_adds_the_service(calling_bedrock: Path) -> None:
    file = calling_bedrock / "Pulumi.prod-account.yaml"
    file.write_text(f"{file.read_text()}  iamapp:boundaryServices: [bedrock]\n")
    assert "note:" not in delivery("check", "--environment", "prod", cwd=calling_bedrock).out
    assert delivery("check", cwd=calling_bedrock).code == 0


# --- check: literals that an environment takes ------------------------------------------------------------------------


def test_check_does_not_tell_an_environment_of_literals_that_it_takes(calling_bedrock: Path) -> None:
    template = calling_bedrock / export("iam").name / "root-stack-template.json"
    root = json.loads(template.read_text())
    topic = "arn:aws:sns:eu-west-1:111122223333:alerts-dev"
    root["Resources"]["UpdateRolesWithIDPFunction"]["Properties"]["Environment"] = {"Variables": {"TOPIC": topic}}
    template.write_text(json.dumps(root))
    assert "AD212" in delivery("check", "--environment", "prod", cwd=calling_bedrock).out
    file = calling_bedrock / "Pulumi.prod.yaml"
    file.write_text(f"{file.read_text()}  iamapp:keptLiterals: ['{topic}']\n")
    ran = delivery("check", "--environment", "prod", cwd=calling_bedrock)
    assert ran.code == 0, ran.err
    assert "AD212" not in ran.out
    assert "AD212" in delivery("check", str(calling_bedrock / export("iam").name), cwd=calling_bedrock).out
