"""Wheels: one form, whatever built them; the installed engine's is made of what the installer recorded."""

from __future__ import annotations

import io
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from amplify_delivery.delivery.scaffold.wheels import installed, installed_wheel, opened, packing, repacked
from amplify_delivery.errors import ConfigError, SetupError
from unit.places import REPOSITORY

INFO = "a-1.dist-info"


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_order_times_and_what_installers_add_make_no_difference() -> None:
    files = {"a/__init__.py": b"x", "a/b.json": b"{}", f"{INFO}/METADATA": b"Name: a\n"}
    wheel = packing.packed("a", "1", files)
    noise = {f"{INFO}/INSTALLER": b"uv", f"{INFO}/WHEEL": b"Generator: other\n", f"{INFO}/direct_url.json": b"{}"}
    assert packing.packed("a", "1", {**noise, **dict(reversed(files.items()))}).content == wheel.content
    assert list(members(wheel.content)) == [*files, f"{INFO}/WHEEL", f"{INFO}/RECORD"]
    assert wheel.file == "a-1-py3-none-any.whl"
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        # No day, no machine, and nothing that depends on whose zlib packed it.
        kinds = {(m.date_time, m.create_system, m.external_attr, m.compress_type) for m in archive.infolist()}
    assert kinds == {((1980, 1, 1, 0, 0, 0), 3, 0o100644 << 16, zipfile.ZIP_STORED)}


def test_a_changed_byte_is_another_wheel() -> None:
    assert packing.packed("a", "1", {"a.py": b"x"}).sha256 != packing.packed("a", "1", {"a.py": b"y"}).sha256


def test_the_record_holds_the_hashes_that_installers_check() -> None:
    record = members(packing.packed("a", "1", {"a.py": b"x"}).content)[f"{INFO}/RECORD"].decode()
    assert "a.py,sha256=LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE,1\n" in record
    assert record.endswith(f"{INFO}/RECORD,,\n")


def test_repacking_our_own_changes_nothing(tmp_path: Path) -> None:
    wheel = packing.packed("a", "1", {"a.py": b"x", f"{INFO}/METADATA": b"Name: a\n"})
    (tmp_path / wheel.file).write_bytes(wheel.content)
    assert repacked(opened(tmp_path / wheel.file)) == wheel


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a-1-py3-none-any.whl", b"none", "is not a wheel"),
        ("a-1-cp311-cp311-linux_x86_64.whl", b"", "is not called as a wheel of pure Python is"),
        ("a.zip", b"", "is not called as a wheel of pure Python is"),
    ],
)
def test_what_is_no_wheel(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        opened(tmp_path / name)


def test_a_wheel_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        opened(tmp_path / "a-1-py3-none-any.whl")


class Installation:
    """An installed distribution of one module, as `importlib.metadata` finds it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        files = {
            "amplify_delivery/__init__.py": b"x = 1\n",
            "amplify_delivery-1.dist-info/METADATA": b"Metadata-Version: 2.4\nName: amplify-delivery\nVersion: 1\n",
            "amplify_delivery-1.dist-info/INSTALLER": b"pip\n",
        }
        record = "".join(f"{p},sha256={packing.record_hash(c)},{len(c)}\n" for p, c in files.items())
        record += "amplify_delivery/__pycache__/__init__.cpython-311.pyc,,\namplify_delivery-1.dist-info/RECORD,,\n"
        self.files = {p: c for p, c in files.items() if not p.endswith("INSTALLER")}
        for path, content in {**files, "amplify_delivery-1.dist-info/RECORD": record.encode()}.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(content)
        self.found = next(iter(metadata.distributions(path=[str(folder)])))


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    made = Installation(tmp_path)
    monkeypatch.setattr(metadata, "distribution", lambda _: made.found)
    return made


def test_the_installed_wheel_is_the_one_that_was_installed(installation: Installation) -> None:
    assert installed_wheel() == packing.packed("amplify_delivery", "1", installation.files)


def test_an_installation_that_was_changed_makes_no_wheel(installation: Installation) -> None:
    (installation.folder / "amplify_delivery/__init__.py").write_text("x = 2\n")
    with pytest.raises(SetupError, match="is not what was installed"):
        installed_wheel()


def test_an_installation_without_a_record_makes_no_wheel(installation: Installation) -> None:
    """Of a system's package manager: what it has changed, nobody could tell."""
    (installation.folder / "amplify_delivery-1.dist-info/RECORD").unlink()
    with pytest.raises(SetupError, match="has recorded no files"):
        installed_wheel()


def test_an_installation_with_a_file_gone_makes_no_wheel(installation: Installation) -> None:
    (installation.folder / "amplify_delivery/__init__.py").unlink()
    with pytest.raises(SetupError, match="is gone from the installation"):
        installed_wheel()


def test_a_folder_that_is_not_installed_makes_no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "DISTRIBUTION", "amplify-delivery-that-is-not-there")
    with pytest.raises(SetupError, match="it is not installed"):
        installed_wheel()


@pytest.mark.parametrize("pyproject", sorted(REPOSITORY.glob("packages/*/pyproject.toml")), ids=lambda p: p.parent.name)
def test_every_distribution_carries_its_licence(pyproject: Path) -> None:
    text = (REPOSITORY / "LICENSE").read_bytes()
    assert text.lstrip().startswith(b"Apache License")
    assert (pyproject.parent / "LICENSE").read_bytes() == text
