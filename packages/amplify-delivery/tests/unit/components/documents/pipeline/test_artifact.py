"""The artifact's digest, with a real shell: whatever differs from what Build made is refused."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from amplify_delivery.components.documents.pipeline import artifact
from amplify_delivery.components.documents.pipeline.buildspecs import EXAMINED

pytestmark = pytest.mark.processes

RESULT = f"{EXAMINED}/lint/0a/1b.json"


def run(commands: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", **variables}
    return subprocess.run(
        ["sh", "-c", commands], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def seal(folder: Path) -> str:
    result = run(artifact.seal() + '\nprintf "%s" "$ARTIFACT_DIGEST" > ../digest', folder)
    assert result.returncode == 0, result.stderr
    return (folder.parent / "digest").read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "artifact"
    (root / "assembly" / "deep").mkdir(parents=True)
    (root / "__main__.py").write_text("print('hello')\n")
    (root / "assembly" / "with blank.json").write_text("{}")
    (root / "assembly" / "with\nnewline").write_text("1")
    (root / "assembly" / "back\\slash").write_text("2")
    (root / "assembly" / "deep" / "-dash").write_text("3")
    (root / ".hidden").write_text("4")
    (root / RESULT).parent.mkdir(parents=True)
    (root / RESULT).write_text('["Resources/TodoTable: refused"]')
    return root


def test_an_unchanged_artifact_is_verified(folder: Path) -> None:
    digest = seal(folder)
    assert len(digest) == 64
    result = run(artifact.verify(), folder, ARTIFACT_DIGEST=digest)
    assert result.returncode == 0, result.stderr
    assert digest in result.stdout


def test_the_digest_depends_on_nothing_but_names_and_contents(folder: Path, tmp_path: Path) -> None:
    first = seal(folder)
    subprocess.run(["cp", "-r", str(folder), str(tmp_path / "copy")], check=True)
    for path in sorted((tmp_path / "copy").rglob("*"), reverse=True):
        path.touch()
    assert seal(tmp_path / "copy") == first
    assert run(artifact.seal(), folder, LC_ALL="de_DE.UTF-8").returncode == 0
    assert seal(folder) == first


def altered(folder: Path) -> None:
    (folder / "__main__.py").write_text("print('hello!')\n")


def altered_with_newline(folder: Path) -> None:
    (folder / "assembly" / "with\nnewline").write_text("9")


def altered_result(folder: Path) -> None:
    """As if Build had found nothing against a template."""
    (folder / RESULT).write_text("[]")


def added(folder: Path) -> None:
    (folder / "sitecustomize.py").write_text("evil")


def added_hidden(folder: Path) -> None:
    (folder / "assembly" / ".evil").write_text("evil")


def added_with_newline(folder: Path) -> None:
    (folder / "evil\n0000  .py").write_text("evil")


def removed(folder: Path) -> None:
    (folder / ".hidden").unlink()


def renamed(folder: Path) -> None:
    (folder / ".hidden").rename(folder / "shown")


def swapped(folder: Path) -> None:
    first, second = folder / ".hidden", folder / "assembly" / "with blank.json"
    contents = first.read_bytes(), second.read_bytes()
    first.write_bytes(contents[1])
    second.write_bytes(contents[0])


def linked_file(folder: Path) -> None:
    (folder / ".hidden").unlink()
    (folder / ".hidden").symlink_to("__main__.py")


def linked_folder(folder: Path) -> None:
    (folder / "etc").symlink_to("/etc")


def linked_list(folder: Path) -> None:
    (folder / artifact.LIST).rename(folder.parent / "list")
    (folder / artifact.LIST).symlink_to("../list")


def without_list(folder: Path) -> None:
    (folder / artifact.LIST).unlink()


def changed_list(folder: Path) -> None:
    with (folder / artifact.LIST).open("a") as file:
        file.write("0" * 64 + "  ./evil\n")


def sealed_again(folder: Path) -> None:
    altered(folder)
    assert run(artifact.seal(), folder).returncode == 0


def second_list(folder: Path) -> None:
    (folder / "assembly" / artifact.LIST).write_text("")


CHANGES = [
    altered,
    altered_with_newline,
    altered_result,
    added,
    added_hidden,
    added_with_newline,
    removed,
    renamed,
    swapped,
]
CHANGES += [linked_file, linked_folder, linked_list, without_list, changed_list, sealed_again, second_list]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_changed_artifact_is_refused(folder: Path, change: Callable[[Path], None]) -> None:
    digest = seal(folder)
    change(folder)
    result = run(artifact.verify(), folder, ARTIFACT_DIGEST=digest)
    assert result.returncode != 0
    assert "refused" in result.stderr


@pytest.mark.parametrize("variables", [{}, {"ARTIFACT_DIGEST": ""}])
def test_without_a_digest_nothing_is_verified(folder: Path, variables: dict[str, str]) -> None:
    seal(folder)
    assert run(artifact.verify(), folder, **variables).returncode != 0


def test_what_comes_after_is_not_reached(folder: Path) -> None:
    digest = seal(folder)
    altered(folder)
    commands = f"{artifact.verify()} && touch ../reached"
    run(commands, folder, ARTIFACT_DIGEST=digest)
    assert not (folder.parent / "reached").exists()


def test_a_link_is_refused_by_build_as_well(folder: Path) -> None:
    linked_folder(folder)
    assert run(artifact.seal(), folder).returncode != 0


def test_a_link_is_refused_by_its_name_with_what_to_do(folder: Path) -> None:
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "shared lib").symlink_to("../assembly")
    result = run(artifact.seal(), folder)
    assert result.returncode == 1
    assert "\n  ./node_modules/shared lib\n" in result.stderr
    assert "rm -rf node_modules" in result.stderr
