"""An assembly's folder: written whole or not at all, and nothing of an altered one is ever used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from amplify_delivery.errors import AssemblyError
from amplify_delivery.export import Assembly, DeliveryError, assemble, load_assembly, read_export, write_assembly
from unit.export.mutations import replace_file


@pytest.fixture
def folder(tmp_path: Path, assembly_of: Callable[[str], Assembly]) -> Path:
    write_assembly(assembly_of("todo"), tmp_path / "assembly")
    return tmp_path / "assembly"


def test_an_altered_object_is_refused(folder: Path) -> None:
    assembly = load_assembly(folder)
    item = assembly.objects[0]
    path = folder / "objects" / item.key
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(AssemblyError, match=r"is not what assembly\.json says"):
        assembly.read(item.key)


def test_a_missing_object_is_refused(folder: Path) -> None:
    assembly = load_assembly(folder)
    (folder / "objects" / assembly.objects[0].key).unlink()
    with pytest.raises(AssemblyError, match="cannot be read"):
        assembly.read(assembly.objects[0].key)


def test_an_unknown_object_is_refused(folder: Path) -> None:
    with pytest.raises(AssemblyError, match=r"no object '\.\./assembly\.json'"):
        load_assembly(folder).read("../assembly.json")


def _edit(folder: Path, key: str, value: object) -> None:
    document = json.loads((folder / "assembly.json").read_bytes())
    (folder / "assembly.json").write_text(json.dumps({**document, key: value}))


@pytest.mark.parametrize(("key", "value"), [("tags", []), ("root_template", {}), ("digest", "0" * 64), ("extra", 1)])
def test_an_altered_description_is_refused(key: str, value: object, folder: Path) -> None:
    _edit(folder, key, value)
    with pytest.raises(AssemblyError, match="not what was written"):
        load_assembly(folder)


def test_another_format_is_refused(folder: Path) -> None:
    _edit(folder, "format", 99)
    with pytest.raises(AssemblyError, match="format 99, this program reads 2"):
        load_assembly(folder)


def test_a_description_cut_in_half_is_refused(folder: Path) -> None:
    path = folder / "assembly.json"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(AssemblyError, match="cannot be read"):
        load_assembly(folder)


def test_a_folder_without_an_assembly_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match=r"no assembly\.json here"):
        load_assembly(tmp_path)


def test_an_assembly_replaces_an_older_one(folder: Path, assembly_of: Callable[[str], Assembly]) -> None:
    write_assembly(assembly_of("iam"), folder)
    assert load_assembly(folder) == assembly_of("iam")
    assert [p.name for p in folder.parent.iterdir()] == ["assembly"]


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, assembly_of: Callable[[str], Assembly]) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(AssemblyError, match="not empty"):
        write_assembly(assembly_of("todo"), tmp_path)
    with pytest.raises(AssemblyError, match="is a file"):
        write_assembly(assembly_of("todo"), tmp_path / "thesis.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_export_that_changes_under_our_hands_is_refused_and_leaves_nothing(
    export_copy: Callable[[str], Path], tmp_path: Path
) -> None:
    export = export_copy("todo")
    assembly = assemble(read_export(export))
    replace_file(export / "api/mytodoapp/amplify-appsync-files/schema.graphql", b"type Query { a: Int }")
    with pytest.raises(AssemblyError, match="is not what"):
        write_assembly(assembly, tmp_path / "assembly")
    (export / "api/mytodoapp/amplify-appsync-files/schema.graphql").unlink()
    with pytest.raises(DeliveryError, match="cannot be read"):
        write_assembly(assembly, tmp_path / "assembly")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["export"]
