"""`upgrade`: what accounts need is told first; then the engine's lines change, and nothing that a person wrote."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery import cli
from amplify_delivery.components.documents.environment import ACCOUNT_VERSION
from amplify_delivery.delivery.scaffold import locks, releases
from amplify_delivery.delivery.scaffold.wheels import Wheel, installed_wheel
from amplify_delivery.delivery.scaffold.wheels.packing import packed
from unit.delivery.scaffold.test_init import PIPELINE, TODO, TWO, contents
from unit.places import REPOSITORY

DATA = "amplify_delivery/delivery/scaffold/"
OLD_LOCK = "boto3==1 \\\n    --hash=sha256:b1\npulumi==3 \\\n    --hash=sha256:p3\nsix==1 \\\n    --hash=sha256:s1\n"
NEW_LOCK = "boto3==2 \\\n    --hash=sha256:b2\npulumi==4 \\\n    --hash=sha256:p4\nrich==5 \\\n    --hash=sha256:r5\n"
VERSIONS = {"3": {"account": "three", "pipeline": ""}}


def engine(version: str, lock: str, versions: Mapping[str, Any] = VERSIONS) -> Wheel:
    """A wheel of the engine, as far as `upgrade` looks at it."""
    files = {f"{DATA}requirements.lock": lock.encode(), f"{DATA}account_versions.json": json.dumps(versions).encode()}
    return packed("amplify_delivery", version, files)


OLD, NEW = engine("0.3.0", OLD_LOCK), engine("0.4.0", NEW_LOCK)
NEEDING = engine(
    "0.5.0",
    NEW_LOCK,
    {**VERSIONS, "4": {"account": "roles change", "pipeline": "`pulumi up -s PIPELINE` by an administrator"}},
)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Upgrade = Callable[..., Ran]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A project with a pipeline, that has the engine OLD."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("amplify_delivery.commands.init.installed_wheel", lambda: OLD)
    assert cli.main(["init", "app", "--from", str(TODO), *TWO, *PIPELINE]) == 0
    monkeypatch.chdir(tmp_path / "app")
    capsys.readouterr()
    return tmp_path / "app"


@pytest.fixture
def upgrade(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Upgrade:
    def call(wheel: Wheel, *arguments: str) -> Ran:
        file = tmp_path / wheel.file
        file.write_bytes(wheel.content)
        code = cli.main(["upgrade", "--wheel", str(file), *arguments])
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return call


def test_the_engines_lines_change_and_nothing_else(project: Path, upgrade: Upgrade) -> None:
    (project / "requirements.txt").open("a").write("flask==1  # mine\n")
    before = contents(project)
    assert upgrade(NEW).code == 0
    after = contents(project)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {f"wheels/{NEW.file}", "requirements.txt", "requirements.lock"}
    assert before.keys() <= after.keys(), "the wheel of before stays"
    assert after["requirements.txt"] == before["requirements.txt"].replace(OLD.file.encode(), NEW.file.encode())
    assert after[f"wheels/{NEW.file}"] == NEW.content


def test_the_ends_of_lines_stay(project: Path, upgrade: Upgrade) -> None:
    requirements = project / "requirements.txt"
    requirements.write_bytes(requirements.read_bytes().replace(b"\n", b"\r\n"))
    before = requirements.read_bytes()
    upgrade(NEW)
    assert requirements.read_bytes() == before.replace(OLD.file.encode(), NEW.file.encode())


def test_a_file_that_is_no_text_is_told(project: Path, upgrade: Upgrade) -> None:
    (project / "requirements.txt").write_bytes(b"\xff")
    ran = upgrade(NEW)
    assert (ran.code, "requirements.txt: is not UTF-8 text" in ran.err) == (3, True)


def test_the_lock_holds_what_the_new_engine_was_tested_with(project: Path, upgrade: Upgrade) -> None:
    upgrade(NEW)
    lock = (project / "requirements.lock").read_text()
    assert lock == (
        f"./wheels/{NEW.file} \\\n    --hash=sha256:{NEW.sha256}\n"
        "boto3==2 \\\n    --hash=sha256:b2\npulumi==4 \\\n    --hash=sha256:p4\n"
        "six==1 \\\n    --hash=sha256:s1\nrich==5 \\\n    --hash=sha256:r5\n"
    )


def test_what_somebody_has_locked_stays_and_is_told(project: Path, upgrade: Upgrade) -> None:
    lock = project / "requirements.lock"
    lock.write_text(lock.read_text().replace("pulumi==3", "pulumi==3.5") + "flask==1 \\\n    --hash=sha256:f1\n")
    ran = upgrade(NEW)
    text = lock.read_text()
    assert "pulumi==3.5 \\\n    --hash=sha256:p3\n" in text
    assert "flask==1 \\\n    --hash=sha256:f1\n" in text
    assert "boto3==2" in text
    assert "locked in other versions than this one was tested with, and left so: pulumi." in ran.out


def test_what_accounts_need_is_told_in_order_and_first(project: Path, upgrade: Upgrade) -> None:
    ran = upgrade(NEEDING)
    order = [
        "1. on a branch", "2. accounts, version 4: roles change", "`amplify-delivery bootstrap preprod prod`",
        "3. pipeline pipeline: `pulumi up -s pipeline` by an administrator", "4. merge and push", "changed: ",
    ]  # fmt: skip
    assert sorted(order, key=ran.out.index) == order


def test_files_with_the_former_key_are_told_when_to_change(project: Path, upgrade: Upgrade) -> None:
    file = project / "Pulumi.prod.yaml"
    file.write_text(file.read_text().replace(":bootstrapped:", ":enrolled:"))
    ran = upgrade(NEEDING)
    order = ["`amplify-delivery bootstrap preprod prod`", "write `bootstrapped` for `enrolled`", "in Pulumi.prod.yaml;",
             "`amplify-delivery bootstrap prod` once more deletes", "merge and push"]  # fmt: skip
    assert sorted(order, key=ran.out.index) == order


def test_nothing_is_needed_of_accounts_between_versions_of_one_kind(upgrade: Upgrade) -> None:
    ran = upgrade(NEW)
    assert "accounts: nothing to do" in ran.out
    assert "it updates itself" in ran.out


def test_a_person_is_told_and_asked_before_anything_changes(
    project: Path, upgrade: Upgrade, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(project)
    told = []

    def no(_: str) -> str:
        told.append(capsys.readouterr().out)
        assert contents(project) == before
        return "no"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", no)
    assert upgrade(NEEDING).code == 0
    assert "2. accounts, version 4" in told[0]
    assert contents(project) == before
    assert upgrade(NEEDING, "--yes").code == 0
    assert contents(project) != before
    assert len(told) == 1


def test_the_same_version_changes_nothing(project: Path, upgrade: Upgrade) -> None:
    before = contents(project)
    ran = upgrade(OLD)
    assert (ran.code, ran.out) == (
        0,
        "the project has this version: nothing was changed (--wheel FILE names another)\n",
    )
    assert contents(project) == before


def test_twice_is_once(project: Path, upgrade: Upgrade) -> None:
    upgrade(NEW)
    before = contents(project)
    upgrade(NEW)
    assert contents(project) == before


def test_a_new_build_of_the_same_version_takes_its_place(project: Path, upgrade: Upgrade) -> None:
    """Of one that was not released."""
    again = engine("0.3.0", NEW_LOCK)
    assert upgrade(again).code == 0
    assert (project / "wheels" / again.file).read_bytes() == again.content
    assert again.sha256 in (project / "requirements.lock").read_text()


def test_without_a_file_it_is_the_engine_that_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["upgrade"]) == 0
    wheel = installed_wheel()
    assert wheel.sha256 in (project / "requirements.lock").read_text()
    assert (project / "wheels" / wheel.file).read_bytes() == wheel.content


def test_what_has_changed_and_what_to_do_is_told_to_machines(project: Path, upgrade: Upgrade) -> None:
    document = json.loads(upgrade(NEEDING, "--json").out)
    assert document["from"] == {"wheel": OLD.file, "version": "0.3.0", "sha256": OLD.sha256}
    assert document["changed"] == [f"wheels/{NEEDING.file}", "requirements.lock", "requirements.txt"]
    assert any("version 4" in step for step in document["steps"])


# --- refused ---------------------------------------------------------------------------------------------------------


def test_accounts_do_not_go_back(project: Path, upgrade: Upgrade) -> None:
    upgrade(NEEDING)
    before = contents(project)
    ran = upgrade(NEW)
    assert (ran.code, "accounts do not go back" in ran.err) == (3, True)
    assert contents(project) == before


@pytest.mark.parametrize(
    ("wheel", "said"),
    [
        (packed("other", "1", {}), "is not a wheel of the delivery engine"),
        (packed("amplify_delivery", "0.1.0", {}), "is not a wheel of the delivery engine"),
    ],
)
def test_another_wheel(project: Path, upgrade: Upgrade, wheel: Wheel, said: str) -> None:
    before = contents(project)
    ran = upgrade(wheel)
    assert (ran.code, said in ran.err) == (3, True)
    assert contents(project) == before


def test_the_projects_wheel_is_gone(project: Path, upgrade: Upgrade) -> None:
    """Named is the file that is missing, not another one to give."""
    (wheel,) = (project / "wheels").iterdir()
    wheel.unlink()
    before = contents(project)
    ran = upgrade(NEW, "--yes")
    assert (ran.code, f"wheels/{wheel.name}: there is no such file here" in ran.err) == (3, True)
    assert f"`git checkout HEAD -- wheels/{wheel.name}` brings it back" in ran.err
    assert contents(project) == before


def test_a_file_of_that_name_that_is_another_one(project: Path, upgrade: Upgrade) -> None:
    (project / "wheels" / NEW.file).write_bytes(b"mine")
    before = contents(project)
    ran = upgrade(NEW)
    assert (ran.code, "is there already, with other contents" in ran.err) == (3, True)
    assert contents(project) == before


@pytest.mark.parametrize("file", ["requirements.txt", "requirements.lock"])
def test_a_folder_that_is_no_such_project(project: Path, upgrade: Upgrade, file: str) -> None:
    (project / file).write_text("flask==1\n")
    assert "they do not name one wheel of the engine" in upgrade(NEW).err
    (project / file).unlink()
    assert f"{file}: there is no such file here" in upgrade(NEW).err


def test_the_example_is_no_such_project(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Its engine is the checkout's, which no wheel replaces."""
    monkeypatch.chdir(REPOSITORY)
    assert cli.main(["upgrade"]) == 3
    assert "they do not name one wheel of the engine" in capsys.readouterr().err


# --- locks -----------------------------------------------------------------------------------------------------------


def test_comments_of_a_lock_that_uv_has_written_stay() -> None:
    lock = (
        f"./wheels/{OLD.file} \\\n    --hash=sha256:x\n    # via -r requirements.txt\n"
        "boto3==1 \\\n    --hash=sha256:b1\n    # via amplify-delivery\n"
    )
    renewed = locks.renewed(lock, f"./wheels/{NEW.file}", OLD, NEW)
    assert renewed.text.startswith(
        f"./wheels/{NEW.file} \\\n    --hash=sha256:{NEW.sha256}\n    # via -r requirements.txt\n"
        "boto3==2 \\\n    --hash=sha256:b2\n    # via amplify-delivery\n"
    )


def test_a_package_with_an_entry_for_each_python_is_replaced_as_a_whole() -> None:
    two = (
        "n==1 ; python_full_version < '3.12' \\\n    --hash=sha256:n1\n"
        "n==2 ; python_full_version >= '3.12' \\\n    --hash=sha256:n2\n"
    )
    one = "n==3 \\\n    --hash=sha256:n3\n"
    old, new = engine("1", two), engine("2", one)
    assert locks.renewed(two, "x", old, new).text == one
    assert locks.renewed(one, "x", new, old).text == two
    assert locks.renewed("n==9\n", "x", old, new) == locks.Renewed("n==9\n", ("n",))


# --- what this engine's own wheel tells ------------------------------------------------------------------------------


def test_the_last_version_is_the_one_that_this_engine_needs() -> None:
    assert max(releases.account_versions(installed_wheel())) == ACCOUNT_VERSION


def test_every_version_is_described_on_the_page() -> None:
    page = (REPOSITORY / "docs/bootstrap.md").read_text()
    for number in releases.account_versions(installed_wheel()):
        assert f"\nVersion {number}, over version {number - 1}" in page
