"""What Build has packed gets into a build's virtualenv: files and commands, as pip would put them."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from amplify_delivery.components.documents.pipeline import buildspecs
from amplify_delivery.components.documents.pipeline.put_wheels import put

PURE = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
METADATA = "Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n"
POINTS = "[console_scripts]\nSell-It = shop.main:run\nshop-more = shop.main:run [extra]\n\n[others]\nx = a:b\n"


def wheel(folder: Path, wheel_file: str = PURE, **more: str) -> Path:
    """A wheel of a package `shop` with a command; `more` are further members, `__` in names for `/`."""
    file = folder / "shop-1.0-py3-none-any.whl"
    info = "shop-1.0.dist-info"
    members = {
        "shop/__init__.py": "", "shop/main.py": "def run():\n    print('sold')\n    return 3\n",
        f"{info}/METADATA": METADATA, f"{info}/WHEEL": wheel_file, f"{info}/entry_points.txt": POINTS,
        **{name.replace("__", "/"): text for name, text in more.items()},
    }  # fmt: skip
    record = "".join(f"{name},,\n" for name in (*members, f"{info}/RECORD"))
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in {**members, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return file


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """The folders of packages and commands."""
    for name in ("packages", "commands"):
        (tmp_path / name).mkdir()
    return tmp_path / "packages", tmp_path / "commands"


def test_files_and_commands_are_where_they_belong(tmp_path: Path, places: tuple[Path, Path]) -> None:
    packages, commands = places
    assert put(str(wheel(tmp_path)), packages, commands)
    assert sorted(p.name for p in packages.iterdir()) == ["shop", "shop-1.0.dist-info"]
    assert sorted(p.name for p in commands.iterdir()) == ["Sell-It", "shop-more"]
    for command in commands.iterdir():
        assert os.access(command, os.X_OK)
        assert command.read_text().splitlines() == [
            f"#!{sys.executable}", "import sys", "import shop.main", "sys.exit(shop.main.run())",
        ]  # fmt: skip


@pytest.mark.parametrize(
    "another",
    [{"wheel_file": PURE.replace("true", "false")}, {"shop-1.0.data/scripts/run.sh": "#!/bin/sh\n"}],
    ids=["compiled", "with data"],
)
def test_what_needs_more_is_left_to_pip(tmp_path: Path, places: tuple[Path, Path], another: dict[str, str]) -> None:
    assert not put(str(wheel(tmp_path, **another)), *places)
    assert [list(place.iterdir()) for place in places] == [[], []]


def test_one_that_is_there_is_left_to_pip(tmp_path: Path, places: tuple[Path, Path]) -> None:
    assert put(str(wheel(tmp_path)), *places)
    assert not put(str(wheel(tmp_path)), *places)


@pytest.mark.processes
def test_a_build_has_the_packages_and_commands_of_its_wheels(tmp_path: Path) -> None:
    """The buildspec's own text, in a virtualenv of the install phase: what is unpacked and what pip has to put."""
    packed, other = tmp_path / buildspecs.WHEELS, tmp_path / "other"
    for folder in (packed, other):
        folder.mkdir()
    wheel(packed)
    file = wheel(other, **{"more-1.0.data/purelib/added.py": "print('more')\n"})
    renamed = packed / "more-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(renamed, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            new.writestr(name.replace("shop", "more"), text.replace("shop", "more").replace("Sell-It", "give"))
    (tmp_path / "configparser.py").write_text("raise SystemExit('a file of the project')\n")
    venv = f"{sys.executable} -m venv --without-pip --system-site-packages .venv && . .venv/bin/activate"
    install = json.loads(buildspecs.project("plan", 60))["phases"]["install"]["commands"][-1]
    packages = next(Path(sys.prefix).glob("lib/python3*/site-packages"))
    ran = subprocess.run(
        ["bash", "-e", "-c", f"{venv}\n{install}\npython -m added\nSell-It || echo $?; give || echo $?"],
        cwd=tmp_path, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(packages)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (ran.stdout.split(), ran.stderr) == (["more", "sold", "3", "sold", "3"], "")
