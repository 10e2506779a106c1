"""Plugins started warm: nobody can tell the difference, and nothing is left of them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from amplify_delivery_rehearsal.example import CHECKOUT
from amplify_delivery_rehearsal.workspace import PRODUCT
from aws_rehearsal import warm, warm_server
from aws_rehearsal.language_host.runner import WarmRunner
from aws_rehearsal.setup import tools
from aws_rehearsal.setup.launcher import ensure_launcher
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.warm.fork import Fork
from aws_rehearsal.warm.request import Request
from aws_rehearsal.warm.sdk import remembering
from aws_rehearsal.warm.server import FORKS_WORTH_IT
from packages.tests.test_architecture import ORDER

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform == "darwin", reason="plugins are always started cold there"),
    pytest.mark.xdist_group("warm"),  # one server for all
]

HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
COLLAPSES = (
    HUGE_PAGES.exists()
    and "[never]" not in HUGE_PAGES.read_text()
    and tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 1)
)
"""Whether this system moves memory into huge pages (madvise(2), MADV_COLLAPSE)."""
SITE_PACKAGES = str(Path(pytest.__file__).parent.parent)
TELL = """
import sys; sys.path.append("/the/checkout")
import gc, json, os, signal, subprocess, tempfile, time
umask = os.umask(0); os.umask(umask)
print(json.dumps({
    "main": [__name__, sorted(name for name in globals() if name != "__builtins__"), sys.modules["__main__"].__name__],
    "arguments": [sys.argv, sys.orig_argv, sys.executable, sys.flags.safe_path, sys.dont_write_bytecode],
    "path": sys.path,
    "folder": os.getcwd(),
    "environment": dict(os.environ),
    "inherited": dict(
        line.split("=", 1)
        for line in subprocess.check_output(["env", "-0"], text=True).split("\\0") if "=" in line
    ),
    "umask": umask,
    "group": os.getpgid(0) == os.getpid(),
    "streams": [[f.encoding, f.errors, f.fileno(), f.line_buffering, f.write_through, f is g, f.isatty()]
                for f, g in ((sys.stdin, sys.__stdin__), (sys.stdout, sys.__stdout__), (sys.stderr, sys.__stderr__))],
    "signals": {str(n): str(signal.getsignal(n)) for n in sorted(signal.valid_signals())},
    "blocked": sorted(map(str, signal.pthread_sigmask(signal.SIG_BLOCK, ()))),
    "collector": [gc.isenabled(), gc.get_threshold()],
    "folders": tempfile.gettempdir(),
    "zone": [time.tzname, time.timezone],
    "encodings": [open(os.devnull).encoding.lower(), sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()],
    "files": [number for number in range(100) if os.path.lexists(f"/proc/self/fd/{number}")],
}))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a server of its own, and nothing else of a home."""
    # The address of a socket has room for a hundred bytes: this one's is longer.
    folder = tmp_path_factory.mktemp("x" * 100)
    with warm_server.start(folder, tools().python):
        yield folder


class Launcher:
    """The one that tests start: an interpreter with `client.py`, or the binary."""

    binary: Path | None = None


@pytest.fixture(params=["interpreter", "binary"])
def both_launchers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a test that is played with the one and the other."""
    if request.param == "binary":
        monkeypatch.setattr(Launcher, "binary", ensure_launcher(Progress()))


with_both = pytest.mark.usefixtures("both_launchers")


def launch(home: Path) -> list[str]:
    return warm.launch(tools().python, home, Launcher.binary)


def launched(home: Path, code: str, *arguments: str, **more: object) -> subprocess.Popen[str]:
    """The launcher as `pulumi_home` has it written, with other code."""
    command = [*launch(home), textwrap.dedent(code), *arguments]
    given = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **more}
    return subprocess.Popen(command, process_group=0, **given)  # type: ignore[call-overload, no-any-return]


def said(process: subprocess.Popen[str], given: str = "") -> str:
    """What it wrote; fails the test unless it succeeded."""
    out, err = process.communicate(given)
    assert process.returncode == 0, out + err
    return out


def is_warm(home: Path, **more: object) -> bool:
    """Whether a start gets a child of the server: then its parent isn't the launcher's, which is us."""
    return int(said(launched(home, "import os; print(os.getppid())", **more))) != os.getpid()


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def waited(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.02)


def environment(**more: str) -> dict[str, str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LC_", "LANG"))}
    return {**plain, "LANG": "C.UTF-8", **more}


@with_both
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"PYTHONPATH": SITE_PACKAGES},
        {"PYTHONPATH": f"{SITE_PACKAGES}:{Path(os.__file__).parent}:{SITE_PACKAGES}"},
        {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
        {"PYTHONDONTWRITEBYTECODE": "", "PYTHONUNBUFFERED": "", "PYTHON_VERSION": "3.11"},
        {"TZ": "Asia/Tokyo", "TMPDIR": "/var/tmp", "HOME": "/nowhere", "EMPTY": "", "ODD": "a=b\nc"},
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "XDG_CACHE_HOME": "/nowhere"},
    ],
    ids=str,
)
def test_a_start_is_as_in_an_interpreter_of_its_own(home: Path, tmp_path: Path, variables: dict[str, str]) -> None:
    given = {"env": environment(**variables), "cwd": tmp_path, "umask": 0o027}
    assert is_warm(home, **given)
    arguments = ["-flag", "an argument", "", "ü\n"]
    command = [str(tools().python), "-P", "-c", TELL, *arguments]
    pipe = subprocess.PIPE
    cold = subprocess.run(
        command,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        process_group=0,
        text=True,
        check=True,
        **given,  # type: ignore[call-overload]
    )
    mine, its = json.loads(said(launched(home, TELL, *arguments, **given))), json.loads(cold.stdout)
    for told in (mine, its):
        told["environment"].pop("_", None)
        told["inherited"].pop("_", None)
    assert its["environment"].items() >= variables.items() - {("LC_ALL", "C"), ("LC_ALL", "POSIX")}
    assert mine == its


@with_both
def test_the_files_are_the_caller_s(home: Path, tmp_path: Path) -> None:
    code = "import sys; print(sys.stdin.read().upper()); print('wrong', file=sys.stderr)"
    process = launched(home, code)
    assert process.communicate("read") == ("READ\n", "wrong\n")
    assert process.returncode == 0


@with_both
def test_a_folder_that_is_gone_is_still_the_caller_s(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    code = "import os; print(os.getppid(), os.stat('.').st_nlink)"
    shell = 'rmdir "$PWD" && exec "$@"'
    command = ["sh", "-c", shell, "sh", *launch(home), code]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=True)
    parent, links = map(int, done.stdout.split())
    assert parent != os.getpid()
    assert links == 0


@with_both
@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("", 0, ""),
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit('told')", 1, "told\n"),
        ("import os; os._exit(4)", 4, ""),
        ("import os; os.kill(os.getpid(), 15)", 143, ""),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
    ],
)
def test_it_ends_as_the_plugin_does(home: Path, code: str, status: int, error: str) -> None:
    process = launched(home, code)
    _, err = process.communicate()
    assert process.returncode == status
    assert err.endswith(error)


@with_both
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_plugin(home: Path, number: int) -> None:
    process = launched(
        home,
        """
        import os, signal, sys, time
        def end(number, frame):
            os.write(1, b"signal %d\\n" % number)  # not print: it may be inside of the other one, and refuses
            os._exit(7)
        signal.signal(int(sys.argv[1]), end)
        os.write(1, b"ready\\n")
        while True:
            time.sleep(0.02)  # not long: a signal that comes just before a sleep does not end it
        """,
        str(int(number)),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.stdout.readline() == f"signal {int(number)}\n"
    assert process.wait() == 7


WAITING = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
WATCHING = """
import os, sys; sys.path.append(sys.argv[1])
from aws_rehearsal.providers.serve import watch_parent
print(os.getpid(), flush=True)
watch_parent(os.getppid())
"""


def child(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


@with_both
def test_a_launcher_that_is_killed_takes_the_plugin_with_it(home: Path) -> None:
    process = launched(home, WAITING)
    pid = child(process)
    assert pid != process.pid
    process.kill()
    waited(lambda: ended(pid))
    process.wait()
    assert is_warm(home)


@with_both
def test_a_launcher_whose_engine_was_killed_ends_and_so_does_the_plugin(home: Path) -> None:
    command = [*launch(home), WAITING]
    code = f"import subprocess, time; print(subprocess.Popen({command!r}).pid, flush=True); time.sleep(600)"
    engine = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    launcher, plugin = child(engine), child(engine)
    assert launcher != plugin
    engine.kill()
    waited(lambda: ended(launcher) and ended(plugin))
    engine.wait()


@pytest.mark.parametrize(("locale", "own"), [({}, True), ({"LC_ALL": "C"}, False), ({"LANG": ""}, False)], ids=str)
def test_the_binary_leaves_to_python_what_is_python_s(
    home: Path, locale: dict[str, str], own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the streams of Python do with bytes that are no text is a matter of the locale, by rules of its own."""
    binary = ensure_launcher(Progress())
    monkeypatch.setattr(Launcher, "binary", binary)
    process = launched(home, WAITING, env=environment(**locale))
    pid = child(process)
    runs = Path(f"/proc/{process.pid}/exe").readlink()
    process.kill()
    process.communicate()
    assert pid != process.pid
    assert runs == (binary if own else tools().python.resolve())


FORKING = """
import os, sys
from aws_rehearsal.warm import forked_in
from aws_rehearsal.warm.fork import Fork
from aws_rehearsal.warm.request import Request
fork = Fork(forked_in[0], Request.of_this_process(sys.argv[1], "one", "", "\xfc"))
print("ended with", fork.wait())
"""


def test_a_plugin_has_another_process_forked(home: Path, tmp_path: Path) -> None:
    other = """if True:
        import os, sys
        print(os.getppid(), os.getpgid(0) == os.getpid(), os.getcwd(), sys.argv[1:], os.environ["MARK"], input())
        sys.exit(7)
    """
    out = said(launched(home, FORKING, other, cwd=tmp_path, env={**os.environ, "MARK": "marked"}), "heard\n")
    parent = int(said(launched(home, "import os; print(os.getppid())")))
    assert out == f"{parent} True {tmp_path} ['one', '', '\xfc'] marked heard\nended with 7\n"


def test_what_a_plugin_has_forked_ends_with_it(home: Path) -> None:
    process = launched(home, FORKING, WAITING)
    pid = child(process)
    assert not ended(pid)
    process.terminate()
    process.wait()
    waited(lambda: ended(pid))
    assert is_warm(home)


def test_how_what_was_forked_has_ended_is_known(home: Path) -> None:
    assert said(launched(home, FORKING, "import os; os.kill(os.getpid(), 9)")) == "ended with -9\n"


def test_a_server_that_is_gone_forks_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Fork(tmp_path, Request.of_this_process("print(1)"))
    assert WarmRunner(tmp_path, "").run({}) == 1


def own_server(folder: Path) -> warm_server.WarmServer:
    folder.mkdir(exist_ok=True)
    return warm_server.start(folder, tools().python)


@pytest.mark.parametrize("end", ["stopped", "killed", "with its starter"])
def test_nothing_outlives_the_server(tmp_path: Path, end: str) -> None:
    if end == "with its starter":
        home = tmp_path / "home"
        code = f"""if True:
            import time
            from pathlib import Path
            from aws_rehearsal import warm, warm_server
            folder = Path({str(home)!r})
            folder.mkdir()
            print(warm_server.start(folder, Path({str(tools().python)!r})).pid, flush=True)
            time.sleep(600)"""
        starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        pid, stop = child(starter), starter.kill
    else:
        server = own_server(home := tmp_path / "home")
        assert server.pid is not None
        pid = server.pid
        stop = server.stop if end == "stopped" else lambda: os.kill(pid, signal.SIGKILL)
    process = launched(home, WATCHING, str(CHECKOUT))
    plugin = child(process)
    assert plugin != process.pid
    stop()
    waited(lambda: ended(pid) and ended(plugin))
    assert process.wait() != 0
    assert not is_warm(home)  # the socket may still be there
    if end == "with its starter":
        starter.wait()
        return
    server.stop()
    if end == "killed":
        assert (home / warm.SOCKET).exists()
        with own_server(home):
            assert is_warm(home)  # in the place of the killed one


def test_two_homes_do_not_meet_and_a_third_one_borrows_the_server_of_one(home: Path, tmp_path: Path) -> None:
    code = "import os, sys; sys.path.append(sys.argv[1]); import aws_rehearsal.warm; print(os.getppid())"
    with own_server(tmp_path / "other") as other:
        assert int(said(launched(tmp_path / "other", code, str(CHECKOUT)))) == other.pid
        assert int(said(launched(home, code, str(CHECKOUT)))) not in (other.pid, os.getpid())
        process = launched(home, WAITING)
        pid = child(process)
        borrower = tmp_path / "borrower"
        borrower.mkdir()
        other.lend(borrower)
        other.lend(borrower)
        assert is_warm(borrower)
    assert not is_warm(borrower)
    assert not ended(pid)
    process.kill()
    process.communicate()


@with_both
def test_without_a_server_plugins_start_cold(tmp_path: Path) -> None:
    assert not is_warm(tmp_path)
    assert not is_warm(tmp_path / "missing")


@with_both
@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONHASHSEED": "0"},
        {"PYTHONWARNINGS": "error"},
        {"PYTHONPATH": "/somewhere/else"},
        {"PYTHONPATH": f"{SITE_PACKAGES}:relative"},
        {"TRACEPARENT": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        {"GRPC_VERBOSITY": "debug"},
    ],
    ids=str,
)
def test_what_a_child_cannot_follow_starts_cold(home: Path, variables: dict[str, str]) -> None:
    assert not is_warm(home, env=environment(**variables))


@pytest.mark.parametrize("place", [".aws/models", ".cache/aws/cfn-lint"])
def test_libraries_with_documents_of_the_user_s_own_start_cold(home: Path, tmp_path: Path, place: str) -> None:
    variables = environment(HOME=str(tmp_path))
    variables.pop("XDG_CACHE_HOME", None)
    assert is_warm(home, env=variables)
    (tmp_path / place).mkdir(parents=True)
    assert not is_warm(home, env=variables)


def test_another_checkout_starts_cold(home: Path, tmp_path: Path) -> None:
    client = shutil.copy(warm.CLIENT, tmp_path)
    command = [str(tools().python), "-I", "-S", client, str(home), "import os; print(os.getppid())"]
    assert int(subprocess.check_output(command, text=True)) == os.getpid()


@with_both
def test_another_interpreter_starts_cold(home: Path) -> None:
    other = Path(os.path.realpath(tools().python))
    command = [*warm.launch(other, home, Launcher.binary), "import os; print(os.getppid())"]
    assert int(subprocess.check_output(command, text=True)) == os.getpid()


def test_who_talks_nonsense_or_falls_silent_is_in_nobody_s_way(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    lines = []
    length = (1000).to_bytes(8, "big")
    for nonsense in (b"", b"\0" * 8, b"\xff" * 8, length + b"begun", (3).to_bytes(8, "big") + b"a\0\0", length * 500):
        line = socket.socket(socket.AF_UNIX)
        line.connect(warm.SOCKET)
        socket.send_fds(line, [nonsense], [0, 1, 2, 0][: len(nonsense) // 3]) if nonsense else None
        lines.append(line)
    assert is_warm(home)
    for line in lines:
        line.close()
    assert is_warm(home)


def test_starts_know_nothing_of_each_other(home: Path) -> None:
    code = """
        import json, os, sys, botocore.session
        print(json.dumps([os.environ.get("LEFT"), sys.path[-1], getattr(json, "left", None)]))
        os.environ["LEFT"] = json.left = "behind"
        sys.path.append("behind")
    """
    first, second = (said(launched(home, code, env=environment(AWS_ACCESS_KEY_ID=str(n)))) for n in range(2))
    assert first == second
    assert json.loads(first)[0] is None


@with_both
def test_many_at_once(home: Path) -> None:
    code = "import os, sys, time; sys.stdin.read(); print(os.environ['NUMBER'], *sys.argv[1:])"
    processes = [launched(home, code, str(n), env=environment(NUMBER=str(n))) for n in range(20)]
    assert [said(process) for process in processes] == [f"{n} {n}\n" for n in range(20)]


@pytest.fixture(scope="module")
def beside_a_secret(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose server was started by somebody with credentials, and has hardly forked."""
    home = tmp_path_factory.mktemp("secret")
    os.environ["AWS_SECRET_ACCESS_KEY"] = "hush"
    try:
        server = own_server(home)
    finally:
        del os.environ["AWS_SECRET_ACCESS_KEY"]
    with server:
        yield home


def test_the_server_is_ready_to_be_forked(beside_a_secret: Path) -> None:
    """One thread, nobody's credentials, and no package of the checkout that programs have too."""
    code = """
        import json, os, sys
        server = f"/proc/{os.getppid()}"
        from aws_rehearsal.warm.isolation import _ahead
        names = {name.split(".")[0] for name in sys.modules} | _ahead.keys()
        print(json.dumps([os.listdir(f"{server}/task"), open(f"{server}/environ").read(), sorted(names)]))
    """
    threads, variables, names = json.loads(said(launched(beside_a_secret, code)))
    assert len(threads) == 1
    assert {text.partition("=")[0] for text in variables.split("\0") if text} <= {
        "HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH",
    }  # fmt: skip
    assert {"pulumi", "pulumi_aws", "pulumi_aws_native", "botocore", "cfnlint", "grpc", "pydantic"} <= set(names)
    assert not set(names) & {*ORDER} - {"rehearsal"}


@pytest.mark.skipif(not COLLAPSES, reason="this kernel moves no memory into huge pages when it is asked to")
def test_a_server_that_forks_often_has_its_memory_in_huge_pages(beside_a_secret: Path) -> None:
    """Each fork copies the table of its pages."""
    code = """
        import os, re
        print(*re.findall("AnonHugePages: +([0-9]+) kB", open(f"/proc/{os.getppid()}/smaps_rollup").read()))
    """
    told = [int(said(launched(beside_a_secret, code))) for _ in range(FORKS_WORTH_IT)]
    assert told[0] < 10_000
    assert told[-1] > 50_000


def test_what_libraries_load_late_is_there(home: Path, tmp_path: Path) -> None:
    """gRPC's server, and what botocore reads of its services, unless somebody has documents of her own."""
    code = """
        import json, os, sys
        from botocore.session import Session
        session = Session()
        kept = session.get_component("data_loader")._cache
        os.environ["AWS_DATA_PATH"] = "."
        own = Session().get_component("data_loader")._cache
        services = session.get_available_services()
        print(json.dumps(["grpc._server" in sys.modules, len(kept) > 20, len(own), len(services) > 300]))
    """
    assert json.loads(said(launched(home, code, cwd=tmp_path))) == [True, True, 0, True]


def test_what_botocore_has_found_out_of_itself_is_there(home: Path, tmp_path: Path) -> None:
    """Of its own handlers and names of events; a handler that takes no keywords is refused as ever."""
    code = """
        from botocore import hooks
        from botocore.session import Session
        before = hooks.accepts_kwargs.cache_info().misses
        client = Session().create_client("sts", "eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
        print(hooks.accepts_kwargs.cache_info().misses - before < 20, len(client.meta.events._alias_name_cache) > 100)
        try:
            client.meta.events.register("before-call.sts", lambda model: None)
        except ValueError as error:
            print(error)
    """
    known, _, refused = said(launched(home, code, cwd=tmp_path)).partition("\n")
    assert known == "True True"
    assert "must accept keyword arguments" in refused


@pytest.fixture(scope="module")
def products_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose server has loaded the product ahead; what it cannot find, a program will miss."""
    home = tmp_path_factory.mktemp("product")
    with warm_server.start(home, tools().python, [*PRODUCT, "nowhere_to_be_found", "nowhere_to_be_found:function"]):
        yield home


def test_a_package_that_is_loaded_ahead_is_the_one_that_would_be_imported(products_home: Path, tmp_path: Path) -> None:
    """With all of its modules but its command; the same name in the caller's folder is another one."""
    code = """
        import json, sys
        from aws_rehearsal.warm.isolation import leave_no_trace; leave_no_trace()
        before = "amplify_delivery" in sys.modules
        sys.path.insert(0, "")
        import amplify_delivery
        loaded = [name for name in sys.modules if name.startswith("amplify_delivery.")]
        print(json.dumps([before, amplify_delivery.__file__, len(loaded) > 100, "amplify_delivery.__main__" in loaded]))
    """
    other = tmp_path / "other"
    (other / "amplify_delivery").mkdir(parents=True)
    (other / "amplify_delivery" / "__init__.py").touch()
    before, file, many, command = json.loads(said(launched(products_home, code, cwd=tmp_path)))
    assert (before, many, command) == (False, True, False)
    assert file.endswith("amplify_delivery/__init__.py")
    before, file, many, _ = json.loads(said(launched(products_home, code, cwd=other)))
    assert (before, Path(file).parent.parent.resolve(), many) == (False, other.resolve(), False)


def test_a_virtualenv_with_a_provider_package_of_its_own(home: Path, tmp_path: Path) -> None:
    """A project's `.venv`, where the command is installed elsewhere (pipx): the SDK refuses to register one twice, in
    the same version."""
    packages = tmp_path / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (packages / "pulumi_aws").mkdir(parents=True)
    (packages / "pulumi_aws" / "__init__.py").write_text(
        textwrap.dedent("""
            import pulumi.runtime

            class Package(pulumi.runtime.ResourcePackage):
                def version(self):
                    return None

                def construct_provider(self, name, typ, urn):
                    raise NotImplementedError

            pulumi.runtime.register_resource_package("aws", Package())
        """)
    )
    code = f"""
        from pathlib import Path
        from aws_rehearsal.warm.isolation import leave_no_trace, use_virtualenv
        leave_no_trace()
        use_virtualenv(Path({str(tmp_path)!r}))
        import pulumi_aws
        from pulumi.runtime.rpc import get_resource_package
        print(pulumi_aws.__file__, type(get_resource_package("aws", "")).__module__)
    """
    file, registered = said(launched(home, code, cwd=tmp_path)).split()
    assert (Path(file).is_relative_to(packages), registered) == (True, "pulumi_aws")


def test_what_few_need_counts_as_imported_when_it_is_imported(products_home: Path, tmp_path: Path) -> None:
    """Of the linter a thousand modules: a run that touched each would copy the page that it lies in."""
    code = """
        import json, sys
        from aws_rehearsal.warm.isolation import leave_no_trace
        counted = [len(sys.modules)]
        leave_no_trace()
        import amplify_delivery
        counted += [name in sys.modules for name in ("pulumi_aws.s3.bucket", "cfnlint")]
        from amplify_delivery.publishing.examination.lint import linter
        counted += [linter.__wrapped__.cache_info().currsize]
        import cfnlint
        counted += [sum(name.startswith(("cfnlint.", "sympy.")) for name in sys.modules)]
        print(json.dumps(counted))
    """
    begun, *then, linters = json.loads(said(launched(products_home, code, cwd=tmp_path)))
    assert begun < 1500
    assert then == [True, False, 1]
    assert linters > 500


def test_what_a_package_makes_once_is_there(products_home: Path, tmp_path: Path) -> None:
    """The linter's rules: 0.3 s of each process that would load them itself. They find what they find elsewhere:
    cfn-lint looks up its own modules by name, and takes an error of its rules for no finding."""
    code = """
        import json
        from aws_rehearsal.warm.isolation import leave_no_trace; leave_no_trace()
        from amplify_delivery.publishing.examination.lint import linter
        print(linter.__wrapped__.cache_info().currsize)
        keys = [{"AttributeName": "id", "KeyType": "HASH"}]
        index = {"IndexName": "n", "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}
        table = {"KeySchema": keys, "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                 "BillingMode": "PAY_PER_REQUEST", "GlobalSecondaryIndexes": [index]}
        template = {"Resources": {"T": {"Type": "AWS::DynamoDB::Table", "Properties": table}}}
        print(*linter().lint(json.dumps(template), ["eu-west-1"])["eu-west-1"])
    """
    made, problems = said(launched(products_home, code, cwd=tmp_path)).splitlines()
    assert made == "1"
    assert "IndexName: 'n' is shorter than 3 (cfn-lint E3033)" in problems


def test_what_the_sdk_has_worked_out_of_its_classes_is_there(home: Path, tmp_path: Path) -> None:
    """Of a resource, its arguments and what they consist of. Another resource's is asked for as ever."""
    code = """
        import json
        from pulumi import _types
        from pulumi_aws import s3, sqs
        counted = []
        for ask, of in (
            (_types.resource_types, s3.Bucket),
            (_types.resource_types, s3.BucketLifecycleConfiguration),
            (_types.input_type_types, s3._inputs.BucketLifecycleConfigurationRuleFilterArgs),
            (_types.output_type_types, s3.outputs.BucketLifecycleConfigurationRuleFilter),
            (_types.resource_types, sqs.Queue),
        ):
            before = _types._types_from_py_properties.cache_info().misses
            counted.append([bool(ask(of)), _types._types_from_py_properties.cache_info().misses - before])
        print(json.dumps(counted))
    """
    known = [True, 0]
    assert json.loads(said(launched(home, code, cwd=tmp_path))) == [known, known, known, known, [True, 1]]


def test_a_resource_s_place_is_the_same_when_it_is_asked_for_again(home: Path, tmp_path: Path) -> None:
    code = """
        import json, traceback
        from pulumi.runtime import resource
        ask = resource._get_source_position_for_frame
        def told(file, line):
            found = ask(traceback.FrameSummary(file, line, "name", lookup_line=False))
            return found and [found.uri, found.line]
        asked = [("/a b.py", 1), ("/a b.py", 2), ("/a b.py", 1), ("/c.py", 1), ("<string>", 1), ("/c.py", None)]
        print(json.dumps([ask.__wrapped__ is not ask, *(told(*place) for place in asked)]))
    """
    first, second = ["file:///a%20b.py", 1], ["file:///a%20b.py", 2]
    expected = [True, first, second, first, ["file:///c.py", 1], None, None]
    assert json.loads(said(launched(home, code, cwd=tmp_path))) == expected


def test_a_resource_s_place_is_worked_out_once() -> None:
    asked: list[int | None] = []

    def address(frame: traceback.FrameSummary) -> int | None:
        asked.append(frame.lineno)
        return frame.lineno

    remembered = remembering(address)
    frames = [traceback.FrameSummary("a.py", line, "f", lookup_line=False) for line in (1, 2, 1, 1)]
    assert [remembered(frame) for frame in frames] == [1, 2, 1, 1]
    assert asked == [1, 2]
