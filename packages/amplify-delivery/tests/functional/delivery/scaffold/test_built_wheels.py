"""The wheels that are released: the same bytes each time, whole, and no name of ours is asked of an index."""

from __future__ import annotations

import http.server
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from amplify_delivery.delivery.scaffold.wheels import Wheel
from amplify_delivery.delivery.scaffold.wheels.packing import packed
from functional.delivery.scaffold.built_wheels import SOURCES, build, released, run, virtualenv
from unit.places import REPOSITORY

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("wheels")]

OURS = {"amplify-delivery", "amplify-delivery-rehearsal", "aws-rehearsal"}
MADE_WHEEL = "from amplify_delivery.delivery.scaffold.wheels import installed_wheel; print(installed_wheel().sha256)"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return released(tmp_path_factory)


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory, wheels: dict[str, Path]) -> Path:
    """Where the commands are once all three are installed."""
    return virtualenv(tmp_path_factory.mktemp("installed") / "venv", list(wheels.values()), compiled=True)


def test_another_build_of_another_folder_has_the_same_bytes(wheels: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "docs", tmp_path / "copy" / "docs", copy_function=shutil.copyfile)
    for source in SOURCES:
        for part in ("src", "pyproject.toml", "LICENSE"):
            target = tmp_path / "copy" / "packages" / source.name / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if (source / part).is_dir():
                pycache = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source / part, target, ignore=pycache, copy_function=shutil.copyfile)
            else:
                shutil.copyfile(source / part, target)
    again = build(tmp_path / "out", sorted((tmp_path / "copy" / "packages").iterdir()))
    assert {name: path.read_bytes() for name, path in again.items()} == {
        name: path.read_bytes() for name, path in wheels.items()
    }


def test_make_wheels_builds_these() -> None:
    """`built_wheels.build` is what the Makefile does."""
    recipe = (REPOSITORY / "Makefile").read_text().partition("\nwheels:")[2].partition("\n\n")[0]
    for part in (
        "-m pip wheel",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        "-m amplify_delivery.delivery.scaffold.wheels dist",
    ):
        assert part in recipe


def committed(folder: Path) -> list[str]:
    return run("git", "ls-files", "--cached", "--others", "--exclude-standard", folder).splitlines()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_every_file_that_is_committed_is_in_its_wheel(source: Path, wheels: dict[str, Path]) -> None:
    root = next(path for path in (source / "src").iterdir() if path.is_dir())
    expected = {str(Path(name).relative_to(root.parent.relative_to(REPOSITORY))) for name in committed(root)}
    if root.name == "amplify_delivery":
        expected |= {f"{root.name}/{name}" for name in committed(REPOSITORY / "docs")}
    names = zipfile.ZipFile(wheels[root.name]).namelist()
    assert expected
    assert expected == {name for name in names if name.startswith(f"{root.name}/")}
    assert f"{root.name}/py.typed" in names
    assert f"{root.name}-0.2.0.dist-info/licenses/LICENSE" in names


def test_the_installed_engine_makes_the_wheel_that_it_came_from(wheels: dict[str, Path], commands: Path) -> None:
    assert run(commands / "python", "-c", MADE_WHEEL).strip() == _sha256(wheels["amplify_delivery"])


def test_a_build_backends_own_wheel_leads_to_the_same(wheels: dict[str, Path], tmp_path: Path) -> None:
    """`pip install ./packages/amplify-delivery`, or what `pip wheel` makes of it."""
    backend = next((wheels["amplify_delivery"].parent / "backend").glob("amplify_delivery-*.whl"))
    commands = virtualenv(tmp_path / "venv", [backend])
    assert backend.read_bytes() != wheels["amplify_delivery"].read_bytes()
    assert run(commands / "python", "-c", MADE_WHEEL).strip() == _sha256(wheels["amplify_delivery"])


def test_so_does_the_editable_installation(wheels: dict[str, Path]) -> None:
    assert run(sys.executable, "-c", MADE_WHEEL).strip() == _sha256(wheels["amplify_delivery"])


def test_the_command_is_there_and_finds_the_rehearsal(commands: Path) -> None:
    assert "--json" in run(commands / "amplify-delivery", "check", "--help")
    assert "--keep" in run(commands / "amplify-delivery", "rehearse", "--help")


def test_without_the_rehearsal_its_command_says_what_to_install(wheels: dict[str, Path], tmp_path: Path) -> None:
    commands = virtualenv(tmp_path / "venv", [wheels["amplify_delivery"]])
    # The virtualenv sees what this Python's has; an editable rehearsal is none of it.
    for finder in (tmp_path / "venv").glob("lib/python3*/site-packages/others.pth"):
        finder.unlink()
    ran = subprocess.run([commands / "amplify-delivery", "rehearse"], capture_output=True, text=True, check=False)
    assert ran.returncode == 3
    assert "the command `rehearse` is not installed" in ran.stderr
    assert "amplify-delivery-rehearsal" in ran.stderr


@pytest.fixture
def index() -> Iterator[tuple[str, list[str]]]:
    """An index that has everything of others, as empty wheels, and nothing of ours: its address, and the names that it
    was asked for."""
    asked: list[str] = []

    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.strip("/").split("/")[1]
            if self.path.startswith("/simple/"):
                asked.append(name)
            if name in OURS:
                self.send_error(404)
                return
            wheel = _empty(name)
            page = f'<a href="/files/{name}/{wheel.file}">{wheel.file}</a>'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if self.path.startswith("/simple/") else "application/zip")
            self.end_headers()
            self.wfile.write(page if self.path.startswith("/simple/") else wheel.content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/simple/", asked
    finally:
        server.shutdown()
        server.server_close()


def _empty(name: str) -> Wheel:
    version, distribution = metadata.version(name), name.replace("-", "_")
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    return packed(distribution, version, {f"{distribution}-{version}.dist-info/METADATA": about})


def _dry_run(index: str, *wanted: object) -> int:
    """What pip does in a Python that has nothing yet; its exit code."""
    pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--disable-pip-version-check"]
    options = ["--index-url", index, "--retries", "0", "--no-cache-dir"]
    ran = subprocess.run([*pip, *options, *map(str, wanted)], capture_output=True, check=False)
    return ran.returncode


def test_three_files_are_installed_without_a_name_of_ours_being_looked_up(
    wheels: dict[str, Path], index: tuple[str, list[str]]
) -> None:
    address, asked = index
    engine, *rehearsal = (wheels[name] for name in ("amplify_delivery", "amplify_delivery_rehearsal", "aws_rehearsal"))
    assert _dry_run(address, engine, *rehearsal) == 0
    assert _dry_run(address, f"{engine}[rehearse]", *rehearsal) == 0
    assert {"pulumi", "jinja2", "regex"} <= set(asked), "what they need of others was looked up"
    assert OURS & set(asked) == set()


def test_the_extra_alone_would_look_up_the_others(wheels: dict[str, Path], index: tuple[str, list[str]]) -> None:
    """Why the documentation names all three files: on a public index the names are nobody's, or anybody's."""
    address, asked = index
    assert _dry_run(address, f"{wheels['amplify_delivery']}[rehearse]") != 0
    assert OURS & set(asked)


def test_the_documentation_prints_that_command() -> None:
    command = "pip install --no-compile " + " ".join(
        f"dist/{name}-*.whl" for name in sorted(n.replace("-", "_") for n in OURS)
    )
    assert command in (REPOSITORY / "docs/getting-started.md").read_text()


def _sha256(file: Path) -> str:
    return run("sha256sum", file).split()[0]
