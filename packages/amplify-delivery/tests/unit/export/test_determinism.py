"""Two assemblies of one export are byte-identical: in other folders, other processes, with other hash seeds."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from amplify_delivery.export import (
    Assembly,
    EnvironmentValues,
    assemble,
    load_assembly,
    read_export,
    render_root,
    write_assembly,
)
from unit.export.mutations import EXPORTS, replace_file

PROGRAM = """
import sys
from pathlib import Path
from amplify_delivery.export import *
assembly = assemble(read_export(sys.argv[1]))
write_assembly(assembly, Path(sys.argv[2]))
Path(sys.argv[2], "root.json").write_bytes(render_root(assembly, EnvironmentValues("prod", 1), "bucket").body)
"""


def _tree(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.mark.processes
def test_byte_identical_in_other_folders_processes_and_hash_seeds(tmp_path: Path) -> None:
    trees: list[dict[str, str]] = []
    for seed in ("1", "2", "random"):
        export = tmp_path / seed / "somewhere" / "else" / "export"
        shutil.copytree(EXPORTS["full"], export)
        target = tmp_path / f"assembly-{seed}"
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": f"UTC-{len(trees)}"}
        subprocess.run([sys.executable, "-c", PROGRAM, str(export), str(target)], check=True, env=environment)
        trees.append(_tree(target))
    assert trees[0] == trees[1] == trees[2]
    assert len(trees[0]) > 50


def test_nothing_depends_on_the_order_of_keys_or_files(export_copy: Callable[[str], Path]) -> None:
    import json

    folder = export_copy("full")
    for file in folder.rglob("*.json"):
        document = json.loads(file.read_bytes())
        if isinstance(document, dict):
            replace_file(file, json.dumps(dict(reversed(document.items()))).encode())
    assert assemble(read_export(folder)) == assemble(read_export(EXPORTS["full"]))


def _again(path: Path, compression: int) -> None:
    """The same sources zipped another time: other bytes, other times, another order."""
    with zipfile.ZipFile(path) as old:
        entries = [(info, old.read(info)) for info in reversed(old.infolist())]
    path.unlink()
    with zipfile.ZipFile(path, "w", compression) as new:
        for info, data in entries:
            copy = zipfile.ZipInfo(info.filename, (2031, 2, 3, 4, 5, 6))
            copy.external_attr, copy.create_system = info.external_attr, info.create_system
            new.writestr(copy, data, compression)


def test_a_function_zipped_again_keeps_its_key(
    export_copy: Callable[[str], Path], assembly_of: Callable[[str], Assembly]
) -> None:
    folder = export_copy("full")
    archives = sorted(folder.rglob("*.zip"))
    before = [a.read_bytes() for a in archives]
    for archive in archives:
        _again(archive, zipfile.ZIP_STORED)
    assert [a.read_bytes() for a in archives] != before
    again, first = assemble(read_export(folder)), assembly_of("full")
    assert {o.key for o in again.objects} == {o.key for o in first.objects}
    assert again.root == first.root


def test_a_changed_function_gets_another_key(
    export_copy: Callable[[str], Path], assembly_of: Callable[[str], Assembly]
) -> None:
    folder = export_copy("full")
    archive = next(folder.rglob("helloFn-*.zip"))
    data = archive.read_bytes()
    replace_file(archive, data)
    with zipfile.ZipFile(archive, "a") as changed:
        changed.writestr("new.js", "x")
    new = {o.key for o in assemble(read_export(folder)).objects}
    old = {o.key for o in assembly_of("full").objects}
    assert sorted(k.partition("/")[0] for k in new ^ old) == ["archives", "archives"]


def test_an_environment_changes_the_root_only(assembly_of: Callable[[str], Assembly]) -> None:
    assembly = assembly_of("todo")
    dev = render_root(assembly, EnvironmentValues("dev", 1), "bucket-dev")
    prod = render_root(assembly, EnvironmentValues("prod", 2, "abcde"), "bucket-prod")
    assert dev.object.key != prod.object.key
    assert assembly == assembly_of("todo")


def test_an_assembly_that_is_written_and_read_is_the_same(
    tmp_path: Path, assembly_of: Callable[[str], Assembly]
) -> None:
    assembly = assembly_of("full")
    write_assembly(assembly, tmp_path / "a")
    loaded = load_assembly(tmp_path / "a")
    assert loaded == assembly
    assert loaded.digest() == assembly.digest()
    write_assembly(loaded, tmp_path / "b")
    assert _tree(tmp_path / "a") == _tree(tmp_path / "b")
    assert [loaded.read(o.key) for o in loaded.objects] == [assembly.read(o.key) for o in assembly.objects]
