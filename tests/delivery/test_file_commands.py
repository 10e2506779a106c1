"""The commands that work on files alone: check, assemble, root, compare."""

from __future__ import annotations

from pathlib import Path

import pytest

from amplify_export import load_assembly
from delivery import expiry
from delivery.cli import COMMANDS
from tests.delivery.conftest import ROOT, delivery, export

TODO = export("todo")


def test_check_lists_repairs_and_is_content() -> None:
    ran = delivery("check", TODO)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1] == f"{TODO}: 3 repaired"


def test_check_refuses() -> None:
    ran = delivery("check", export("triggers"))
    assert ran.code == 1
    assert ran.out.startswith("refused   AD206 auth/trigappauth/")


def test_check_for_machines() -> None:
    good, bad = delivery("check", TODO, "--json"), delivery("check", export("triggers"), "--json")
    assert {f["severity"] for f in good.document["findings"]} == {"repaired"}
    assert bad.code == 1
    assert "AD206" in {f["id"] for f in bad.document["error"]["findings"]}


def test_assemble_writes_what_load_assembly_reads(tmp_path: Path) -> None:
    ran = delivery("assemble", TODO, "--out", tmp_path / "assembly", "--json")
    assembly = load_assembly(tmp_path / "assembly")
    assert ran.document["digest"] == assembly.digest()
    assert ran.document["objects"] == len(assembly.objects)
    assert (ran.document["project"], ran.document["stacks"]) == ("mytodoapp", 4)


def test_assemble_refuses_a_folder_with_something_else_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    ran = delivery("assemble", TODO, "--out", tmp_path)
    assert ran.code == 1
    assert "the folder is not empty" in ran.err
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


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


def test_root_hides_the_version_of_a_secret(project: Path) -> None:
    with (project / "Pulumi.dev.yaml").open("a") as file:
        file.write("  mytodoapp:parameters:\n    apimytodoapp: {AppSyncApiName: {secure: v1:abc}}\n")
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


def test_no_colour_codes_in_a_pipe() -> None:
    assert "\x1b" not in delivery("compare", export("todo-series/v2"), export("todo-series/v3")).out


def test_the_documented_commands_are_the_real_ones() -> None:
    text = (ROOT / "docs" / "commands.md").read_text()
    documented = [
        line.split("`")[1].split()[0] for line in text.splitlines() if line.startswith("| `") and line[3].islower()
    ]
    assert sorted(documented) == sorted(COMMANDS)
