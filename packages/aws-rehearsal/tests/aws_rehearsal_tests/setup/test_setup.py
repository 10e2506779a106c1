"""The set-up makes what is missing, repairs what broke, and does nothing when all is well."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from amplify_delivery_rehearsal.example import CHECKOUT
from aws_rehearsal.errors import SetupError
from aws_rehearsal.setup import (
    Tools,
    actionlint,
    engine,
    ensure_all,
    language_hosts,
    launcher,
    lazy_packages,
    lock,
    node,
    tools,
)
from aws_rehearsal.setup.cache import PACKAGE, locked
from aws_rehearsal.setup.environments import Environment, ensure_environment, is_current, is_whole
from aws_rehearsal.setup.progress import Progress, Step
from aws_rehearsal.setup.run import run, version
from aws_rehearsal.setup.uv import find_uv

pytestmark = pytest.mark.processes


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def progress(log: io.StringIO) -> Progress:
    return Progress(log)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, progress: Progress) -> Path:
    """A cache of its own for one test; only uv is taken from the machine's."""
    uv = find_uv(progress)
    monkeypatch.setenv("PATH", f"{uv.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AMPLIFY_DELIVERY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return tmp_path / "cache"


class Index(ThreadingHTTPServer):
    """A package index on loopback with two versions of one small package."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "simple/tiny").mkdir(parents=True)
        self.hashes = {number: self._wheel(number) for number in ("1.0", "2.0")}
        links = (f'<a href="tiny-{n}-py3-none-any.whl#sha256={h}">tiny</a>' for n, h in self.hashes.items())
        (folder / "simple/tiny/index.html").write_text("".join(links))
        super().__init__(("127.0.0.1", 0), partial(_Quiet, directory=folder))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/simple"

    def _wheel(self, number: str) -> str:
        info = f"tiny-{number}.dist-info"
        files = {
            "tiny/__init__.py": f"version = '{number}'\n",
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {number}\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(f"{name},sha256={_digest(text)},{len(text)}\n" for name, text in files.items())
        path = self.folder / f"simple/tiny/tiny-{number}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            for name, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
                wheel.writestr(name, text)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def lock(self, number: str) -> str:
        return f"tiny=={number} --hash=sha256:{self.hashes[number]}\n"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Not on the test's output."""


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    with Index(tmp_path / "index") as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv("UV_DEFAULT_INDEX", server.url)
        yield server
        server.shutdown()


@pytest.fixture
def environment(tmp_path: Path, cache: Path, index: Index) -> Environment:
    lock = tmp_path / "requirements.lock"
    lock.write_text(index.lock("1.0"))
    return Environment("tiny", tmp_path / "venv", lock, imports=("tiny",))


def installed(environment: Environment) -> str:
    return subprocess.check_output([environment.python, "-c", "import tiny; print(tiny.version)"], text=True).strip()


class TestEnvironment:
    def test_is_made_from_its_lock_and_then_left_alone(
        self, environment: Environment, progress: Progress, log: io.StringIO
    ) -> None:
        python = ensure_environment(environment, progress)
        assert (python, installed(environment)) == (environment.python, "1.0")
        assert re.search(r"tiny +1 packages +\d+\.\d s\n", log.getvalue())

        log.truncate(0)
        ensure_environment(environment, progress)
        assert not log.getvalue()

    def test_has_its_byte_code_from_the_start(self, environment: Environment, progress: Progress) -> None:
        ensure_environment(environment, progress)
        assert [*environment.packages.glob("tiny/__pycache__/__init__.*.pyc")]

    def test_half_finished_is_made_again(self, environment: Environment, progress: Progress) -> None:
        ensure_environment(environment, progress)
        (environment.folder / "complete.json").unlink()  # a set-up that was killed has not come to write it
        (environment.packages / "tiny/__init__.py").unlink()
        ensure_environment(environment, progress)
        assert installed(environment) == "1.0"

    def test_not_a_virtualenv_at_all_is_made_again(self, environment: Environment, progress: Progress) -> None:
        (environment.folder / "lib").mkdir(parents=True)
        ensure_environment(environment, progress)
        assert installed(environment) == "1.0"

    def test_a_deleted_package_is_seen_at_first_sight_and_repaired(
        self, environment: Environment, progress: Progress
    ) -> None:
        ensure_environment(environment, progress)
        for file in (environment.packages / "tiny").rglob("*.py*"):
            file.unlink()
        (environment.packages / "tiny/__pycache__").rmdir()
        (environment.packages / "tiny").rmdir()
        assert not is_current(environment)
        ensure_environment(environment, progress)
        assert installed(environment) == "1.0"

    @pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_text("")], ids=["deleted", "truncated"])
    def test_a_broken_file_is_repaired(
        self, environment: Environment, progress: Progress, damage: Callable[[Path], object]
    ) -> None:
        # Truncated in place, the file is broken in uv's cache as well, since it is a link to there.
        ensure_environment(environment, progress)
        damage(environment.packages / "tiny/__init__.py")
        assert not is_whole(environment)
        ensure_environment(environment, progress)
        assert installed(environment) == "1.0"

    def test_a_vanished_interpreter_is_repaired(self, environment: Environment, progress: Progress) -> None:
        ensure_environment(environment, progress)
        environment.python.unlink()
        environment.python.symlink_to("/nowhere/python3")
        ensure_environment(environment, progress)
        assert installed(environment) == "1.0"

    def test_a_new_lock_is_followed_without_making_everything_again(
        self, environment: Environment, progress: Progress, index: Index
    ) -> None:
        ensure_environment(environment, progress)
        (environment.folder / "kept").touch()
        environment.lock.write_text(index.lock("2.0"))
        assert not is_current(environment)
        ensure_environment(environment, progress)
        assert installed(environment) == "2.0"
        assert (environment.folder / "kept").exists()

    def test_made_again_without_network(self, environment: Environment, progress: Progress, index: Index) -> None:
        ensure_environment(environment, progress)
        index.shutdown()
        index.server_close()
        (environment.folder / "complete.json").unlink()
        ensure_environment(environment, progress)
        assert installed(environment) == "1.0"

    def test_a_package_with_another_hash_is_refused(
        self, environment: Environment, progress: Progress, index: Index
    ) -> None:
        environment.lock.write_text(f"tiny==1.0 --hash=sha256:{index.hashes['2.0']}\n")
        with pytest.raises(SetupError, match="Hash mismatch") as caught:
            ensure_environment(environment, progress)
        assert caught.value.remedy
        assert not is_current(environment)


def executable(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def pulumi(says: str) -> str:
    return f"#!/bin/sh\necho {says}\n"


PYTHON = Path(sys.executable)


class TestEngine:
    @pytest.fixture(autouse=True)
    def no_real_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """None on PATH, a cache that is empty, a vendor that can't be reached."""
        monkeypatch.setenv("PATH", f"{tmp_path / 'own/bin'}:/usr/bin:/bin")
        monkeypatch.setenv("AMPLIFY_DELIVERY_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(engine, "_reachable", lambda _: False)
        monkeypatch.setattr(engine, "go_for", lambda *_: Path("go"))
        monkeypatch.setattr(engine, "_build", self.build)
        self.built = 0

    def build(self, _go: Path, root: Path, wanted: str, _step: Step) -> None:
        self.built += 1
        executable(root / "bin/pulumi", pulumi(wanted))

    @property
    def cached(self) -> Path:
        return engine._built(engine.pinned_version())

    def test_is_built_once(self, progress: Progress) -> None:
        assert engine.ensure_engine(PYTHON, progress) == engine.ensure_engine(PYTHON, progress) == self.cached
        assert self.built == 1

    def test_a_truncated_binary_is_built_again(self, progress: Progress) -> None:
        executable(self.cached / "bin/pulumi", Path(sys.executable).resolve().read_bytes()[:4000])
        assert not engine.works(self.cached, engine.pinned_version())
        engine.ensure_engine(PYTHON, progress)
        assert engine.works(self.cached, engine.pinned_version())

    def test_an_empty_binary_is_built_again(self, progress: Progress) -> None:
        executable(self.cached / "bin/pulumi", "")
        engine.ensure_engine(PYTHON, progress)
        assert self.built == 1

    def test_one_on_path_is_used_if_new_enough(self, tmp_path: Path, progress: Progress) -> None:
        executable(tmp_path / "own/bin/pulumi", pulumi("v3.300.1"))
        assert engine.ensure_engine(PYTHON, progress) == tmp_path / "own"
        executable(tmp_path / "own/bin/pulumi", pulumi("v3.100.0"))
        assert engine.ensure_engine(PYTHON, progress) == self.cached

    def test_one_on_path_outside_a_bin_folder_is_linked(
        self, tmp_path: Path, progress: Progress, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = executable(tmp_path / "odd/pulumi", pulumi("v3.300.1"))
        monkeypatch.setenv("PATH", f"{found.parent}:/usr/bin:/bin")
        root = engine.ensure_engine(PYTHON, progress)
        assert (root / "bin/pulumi").resolve() == found

    def test_the_vendors_comes_before_building(self, progress: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
        def install(command: list[str | Path], **_: object) -> str:
            executable(Path(command[3]) / "bin/pulumi", pulumi(f"v{command[4]}"))
            executable(Path(command[3]) / "bin/pulumi-language-python", "")
            return ""

        monkeypatch.setattr(engine, "_reachable", lambda _: True)
        monkeypatch.setattr(engine, "run", install)
        vendors = self.cached.with_name(engine.pinned_version())
        assert engine.ensure_engine(PYTHON, progress) == vendors
        assert (vendors / "bin/pulumi-language-python").exists()
        assert self.built == 0

    def test_a_failing_installer_leaves_building(self, progress: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
        def install(*_: object, **__: object) -> str:
            raise SetupError("403")

        monkeypatch.setattr(engine, "_reachable", lambda _: True)
        monkeypatch.setattr(engine, "run", install)
        engine.ensure_engine(PYTHON, progress)
        assert self.built == 1

    def test_an_engine_of_other_changes_is_built_again(self, progress: Progress) -> None:
        """By the set-up; until then it serves, for it answers the same. The vendor's is taken as it is."""
        before = self.cached.with_name(engine.pinned_version())
        executable(before / "bin/pulumi", pulumi(engine.pinned_version()))
        assert engine.is_outdated(before)
        assert engine.ensure_engine(PYTHON, progress) == self.cached
        assert not engine.is_outdated(self.cached)
        executable(before / "bin/pulumi-language-python", "")
        assert not engine.is_outdated(before)
        assert engine.ensure_engine(PYTHON, progress) == before
        assert not engine.is_outdated(Path("/usr/local"))

    def test_sources_are_changed_where_they_are_as_known(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What else they are is kept, but for their tests."""
        monkeypatch.setattr(lazy_packages, "CHANGES", {"example.com/lists": {"lists/read.go": {"init()": "Load()"}}})
        package = tmp_path / "package"
        files = {"lists/read.go": "func init() {}\n", "else.go": "else", "else_test.go": "", "testdata/else.go": ""}
        for name, text in files.items():
            (package / name).parent.mkdir(parents=True, exist_ok=True)
            (package / name).write_text(text)
        package.chmod(0o555)
        assert lazy_packages.changed("example.com/lists", package, tmp_path / "copy")
        copied = {p.name: p.read_text() for p in (tmp_path / "copy").rglob("*") if p.is_file()}
        assert copied == {"read.go": "func Load() {}\n", "else.go": "else", "go.mod": "module example.com/lists\n"}
        package.chmod(0o755)
        (package / "lists/read.go").write_text("package lists\n")
        assert not lazy_packages.changed("example.com/lists", package, tmp_path / "other")
        assert not (tmp_path / "other").exists()

    def test_a_build_knows_no_folder_of_its_machine(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Else no two engines would be the same."""
        module, folder = tmp_path / "module", tmp_path / "folder"
        for place in (module, folder):
            place.mkdir()
        (module / "go.mod").write_text("module engine\n")
        (module / "go.sum").write_text("sums\n")
        listed = "".join(f"{name} {tmp_path}\n" for name in sorted(lazy_packages.CHANGES))
        monkeypatch.setattr(lazy_packages, "answer", lambda *_, **__: listed)
        monkeypatch.setattr(lazy_packages, "changed", lambda *_: True)
        assert lazy_packages.put_off(Path("go"), module, {}, folder) == folder
        replaced = "".join(f"\nreplace {name} => ./{number}\n" for number, name in enumerate(lazy_packages.CHANGES))
        assert (folder / "go.mod").read_text() == f"module engine\n{replaced}"
        assert (folder / "go.sum").read_text() == "sums\n"
        monkeypatch.setattr(lazy_packages, "changed", lambda *_: False)
        assert lazy_packages.put_off(Path("go"), module, {}, folder) == module

    def test_go_mod_pins_it(self) -> None:
        assert version(engine.pinned_version()) >= engine._OLDEST


def test_the_built_engine_works_out_little_as_it_starts() -> None:
    """Less than 300 kB of each package that is changed, where it took 0.4 to 3.3 MB."""
    root = tools().engine_root
    if root != engine._built(engine.pinned_version()):
        pytest.skip(f"the engine is not one that the set-up has built: {root}")
    environment = {**os.environ, "GODEBUG": "inittrace=1", "PULUMI_SKIP_UPDATE_CHECK": "true"}
    told = subprocess.run(
        [root / "bin/pulumi", "version"], capture_output=True, text=True, env=environment, check=True
    ).stderr
    # init PACKAGE @4.2 ms, 0.05 ms clock, 1234 bytes, 56 allocs
    taken = {package: int(size) for package, size in re.findall(r"(?m)^init (\S+) @.* clock, (\d+) bytes", told)}
    changed = {
        f"{module}/{file}".rpartition("/")[0] for module, files in lazy_packages.CHANGES.items() for file in files
    }
    assert {name for name in changed if taken.get(name, 0) > 300_000} == set()
    assert len(taken) > 100


class TestNodeModules:
    def test_a_missing_file_is_noticed(self, tmp_path: Path) -> None:
        modules = tmp_path / "node_modules"
        for name in ("a/index.js", "b/index.js"):
            (modules / name).parent.mkdir(parents=True)
            (modules / name).touch()
        assert not node.is_whole(modules)
        (tmp_path / "complete.json").write_text(json.dumps({"files": 2}))
        assert node.is_whole(modules)
        (modules / "b/index.js").unlink()
        assert not node.is_whole(modules)

    def test_every_client_and_cfn_response_can_be_required(self) -> None:
        found = tools()
        named = json.loads((CHECKOUT / "packages/aws-rehearsal/src/aws_rehearsal/node/package.json").read_text())[
            "dependencies"
        ]
        program = "".join(f"require('{name}');" for name in ("cfn-response", *named))
        subprocess.run([found.node, "-e", program], env={"NODE_PATH": str(found.node_modules)}, check=True)

    def test_the_lock_has_hashes_and_no_host(self) -> None:
        lock = json.loads((CHECKOUT / "packages/aws-rehearsal/src/aws_rehearsal/node/package-lock.json").read_text())
        packages = [package for path, package in lock["packages"].items() if path]
        assert packages
        assert all("integrity" in package and "resolved" not in package for package in packages)


class _ResponseUrl(ThreadingHTTPServer):
    """Takes what a custom resource answers."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, object]] = []
        super().__init__(("127.0.0.1", 0), _Answer)


class _Answer(_Quiet):
    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        assert isinstance(self.server, _ResponseUrl)
        self.server.bodies.append(json.loads(body) | {"content-type": self.headers["content-type"]})
        self.send_response(200)
        self.end_headers()


def test_cfn_response_answers_as_cloudformation_expects() -> None:
    found = tools()
    program = """
        const response = require('cfn-response');
        const event = {ResponseURL: process.argv[1], StackId: 's', RequestId: 'r', LogicalResourceId: 'l'};
        response.send(event, {logStreamName: 'log', done: () => console.log('done')}, response.SUCCESS, {A: 'ä'});
    """
    with _ResponseUrl() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/answer?with=query"
        command: list[str | Path] = [found.node, "-e", program, url]
        written = subprocess.check_output(command, env={"NODE_PATH": str(found.node_modules)}, text=True)
        server.shutdown()
    assert written == "done\n"
    assert server.bodies == [
        {
            "Status": "SUCCESS",
            "Reason": "See the details in CloudWatch Log Stream: log",
            "PhysicalResourceId": "log",
            "StackId": "s",
            "RequestId": "r",
            "LogicalResourceId": "l",
            "NoEcho": False,
            "Data": {"A": "ä"},
            "content-type": "",
        }
    ]


class TestTools:
    def test_are_found_without_starting_a_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("a process was started")

        monkeypatch.setattr(subprocess, "Popen", refuse)
        found = tools()
        assert (found.engine_root / "bin/pulumi").is_file()
        assert found.python == CHECKOUT / ".venv/bin/python"

    def test_are_incomplete_without_their_cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AMPLIFY_DELIVERY_CACHE", str(tmp_path))
        with pytest.raises(SetupError, match="make setup"):
            tools()

    def test_are_incomplete_once_the_engine_is_another_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module = sys.modules["aws_rehearsal.setup.tools"]
        record = json.loads(module._record(Path(sys.prefix)).read_text())
        record["marks"][str(tools().engine_root / "bin/pulumi")][0] -= 1
        (tmp_path / "tools.json").write_text(json.dumps(record))
        monkeypatch.setattr(module, "_record", lambda _: tmp_path / "tools.json")
        with pytest.raises(SetupError):
            tools()


def test_the_set_up_needs_nothing_but_the_standard_library() -> None:
    source = str(PACKAGE.parent)
    program = (
        f"import sys; sys.path.insert(0, {source!r}); import aws_rehearsal.setup.__main__, aws_rehearsal.setup.lock"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True)


@pytest.mark.parametrize(
    ("sources", "lock"),
    [
        (["requirements.txt", "requirements-dev.txt"], "requirements.lock"),
        (
            ["packages/aws-rehearsal/src/aws_rehearsal/local_aws/requirements.txt"],
            "packages/aws-rehearsal/src/aws_rehearsal/local_aws/requirements.lock",
        ),
        *(
            (
                [f"packages/aws-rehearsal/src/aws_rehearsal/setup/locks/{name}.in"],
                f"packages/aws-rehearsal/src/aws_rehearsal/setup/locks/{name}.lock",
            )
            for name in ("uv", "go", "node", "check-jsonschema")
        ),
    ],
)
def test_every_requirement_is_locked_by_hash(sources: list[str], lock: str) -> None:
    wanted = {
        re.split(r"[<>=\[; ]", line)[0].lower()
        for source in sources
        for line in (CHECKOUT / source).read_text().splitlines()
        if re.match(r"[A-Za-z]", line)
    }
    text = (CHECKOUT / lock).read_text().replace("\\\n", "")
    pins = [line for line in text.splitlines() if re.match(r"[a-z]", line)]
    assert wanted <= {pin.split("==")[0] for pin in pins}
    assert all("--hash=sha256:" in pin for pin in pins)


class TestProgress:
    def test_a_log_gets_whole_lines_without_control_codes(self, progress: Progress, log: io.StringIO) -> None:
        with progress.step("one") as step:
            step.outcome = "fine"
        assert re.fullmatch(r"  one +fine +\d+\.\d s\n", log.getvalue())

    def test_a_failed_step_says_so(self, progress: Progress, log: io.StringIO) -> None:
        with pytest.raises(SetupError), progress.step("one"):
            raise SetupError("no")
        assert re.fullmatch(r"  one +failed +\d+\.\d s\n", log.getvalue())

    def test_a_second_set_up_waits_for_the_first(self, cache: Path) -> None:
        """The first goes on as soon as the second says that it waits, however long that takes it."""
        first_has_it, waiting = threading.Event(), Step("second")
        order: list[str] = []

        def first() -> None:
            with locked("thing", Step("first")):
                first_has_it.set()
                end = time.monotonic() + 300
                while "another set-up" not in waiting.detail and time.monotonic() < end:
                    time.sleep(0.01)
                order.append("first")

        thread = threading.Thread(target=first)
        thread.start()
        first_has_it.wait()
        with locked("thing", waiting):
            order.append("second")
        thread.join()
        assert order == ["first", "second"]
        assert "another set-up" in waiting.detail


class TestRun:
    def test_a_failing_tool_is_told_by_its_last_lines(self) -> None:
        with pytest.raises(SetupError) as caught:
            run([sys.executable, "-c", "print('the reason'); raise SystemExit(3)"], remedy="fix it")
        assert "the reason" in str(caught.value)
        assert "fix it" in str(caught.value)

    def test_a_missing_tool_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(SetupError, match="cannot be started"):
            run([tmp_path / "none"], remedy="install it")

    def test_its_children_write_byte_code(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        assert run([sys.executable, "-c", "import sys; print(sys.dont_write_bytecode)"], remedy="") == "False\n"

    @pytest.mark.parametrize(
        ("text", "numbers"),
        [
            ("v3.259.0", (3, 259, 0)),
            ("go1.26.8", (1, 26, 8)),
            ("uv 0.13.8 (x86_64)", (0, 13, 8)),
            ("v3.260.0-alpha.1", (3, 260, 0)),
            (None, ()),
            ("what", ()),
        ],
    )
    def test_reads_versions(self, text: str | None, numbers: tuple[int, ...]) -> None:
        assert version(text) == numbers


LOCK = """\
a==1 \\
    --hash=sha256:aa
    # via
    #   -r requirements.txt
    #   app
b==2 ; python_version < '3.12' \\
    --hash=sha256:bb
    # via a
c==3 \\
    --hash=sha256:cc
    # via other
# The following packages were excluded from the output:
# app
"""


def test_a_part_of_a_lock_is_what_somebody_needs_of_it() -> None:
    assert lock.part(LOCK, ["app"]) == (
        "a==1 \\\n    --hash=sha256:aa\nb==2 ; python_version < '3.12' \\\n    --hash=sha256:bb\n"
    )
    assert lock.part(LOCK, ["c"]) == "c==3 \\\n    --hash=sha256:cc\n"


@pytest.mark.parametrize("file", lock._PARTS, ids=str)
def test_the_parts_are_those_of_the_lock(file: Path) -> None:
    """`make lock` writes them."""
    whole = (CHECKOUT / "requirements.lock").read_text()
    assert (CHECKOUT / file).read_text() == lock.part(whole, lock._PARTS[file])


@pytest.mark.parametrize("tests", [False, True])
def test_a_rehearsal_does_not_wait_for_what_only_tests_need(tests: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    module = sys.modules[ensure_all.__module__]  # the package has a function of its name
    there = Tools(*[Path("/there")] * 5)
    monkeypatch.setattr(module, "_remembered", lambda _: there)
    monkeypatch.setattr(module, "_all_whole", lambda *_: True)
    monkeypatch.setattr(actionlint, "ensure_actionlint", lambda _: made.append("actionlint"))
    monkeypatch.setattr(language_hosts, "ensure_yaml_host", lambda _: made.append("yaml host"))
    monkeypatch.setattr(launcher, "ensure_launcher", lambda _: made.append("launcher"))
    monkeypatch.setattr(module, "ensure_environment", lambda *_: made.append("schemas"))
    assert ensure_all(Progress(io.StringIO()), tests=tests) is there
    assert made == (["actionlint", "yaml host", "launcher", "schemas"] if tests else [])


@pytest.mark.parametrize("generator", ["node-sdk", "go-sdk"])
def test_sdks_are_generated_by_the_engines_version(generator: str) -> None:
    """What answers `pulumi package add` in the language hosts of its own release."""
    pinned = re.search(
        r"(?m)^require github\.com/pulumi/pulumi/pkg/v3 (v\S+)$", (PACKAGE / generator / "go.mod").read_text()
    )
    assert pinned is not None
    assert pinned[1] == engine.pinned_version()
