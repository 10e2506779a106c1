"""Modules and scripts started warm, in an image's virtualenv as a build makes one: nobody can tell the difference."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal import warm, warm_server
from aws_rehearsal.setup import tools
from aws_rehearsal.warm.commands import warm_commands

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform == "darwin", reason="everything is started cold there"),
    pytest.mark.xdist_group("warm"),
]

PACKAGES = str(Path(pytest.__file__).parent.parent)
TELL = """
import json, os, signal, site, subprocess, sys, sysconfig
main = sys.modules["__main__"]
print(json.dumps({
    "module": [__name__, __file__, __spec__.name, vars(main) is globals()],
    "arguments": [sys.argv, sys.orig_argv, sys.executable],
    "prefixes": [sys.prefix, sys.exec_prefix, sys.base_prefix, site.PREFIXES],
    "path": sys.path,
    "installs into": sysconfig.get_paths(),
    "folder": os.getcwd(),
    "environment": dict(os.environ),
    "inherited": sorted(subprocess.check_output(["env", "-0"], text=True).split("\\0")),
    "signals": {str(n): str(signal.getsignal(n)) for n in sorted(signal.valid_signals())},
    "blocked": sorted(map(str, signal.pthread_sigmask(signal.SIG_BLOCK, ()))),
    "files": [number for number in range(100) if os.path.lexists(f"/proc/self/fd/{number}")],
    "ours": sorted(name for name in sys.modules if name.startswith("aws_rehearsal")),
    "read": sys.stdin.read(),
}))
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a build, in whose image a server stands by."""
    home = tmp_path_factory.mktemp("home")
    named = warm_commands(tools().python, ("tell", "here", "packed"), PACKAGES)
    with warm_server.start(home, tools().python):
        yield {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(home), "PULUMI_HOME": str(home), **named}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the virtualenv that the buildspec makes, and modules in both."""
    made = tmp_path_factory.mktemp("checkout")
    venv.create(made / ".venv", system_site_packages=True, symlinks=True, with_pip=False)
    (made / "tell.py").write_text(TELL)
    (made / "here.py").write_text("import os, sys; print(os.getppid())\nexec(sys.argv[1])\n")
    (packages,) = made.glob(".venv/lib/python3*/site-packages")
    (packages / "packed.py").write_text("import amplify_delivery; print(amplify_delivery.__file__)\n")
    (packages / "amplify_delivery.py").touch()
    return made


def command(folder: Path, module: str, *arguments: str) -> list[str]:
    return [str(folder / ".venv" / "bin" / "python"), "-m", module, *arguments]


def said(command: list[str], folder: Path, environment: dict[str, str], given: str = "") -> str:
    ran = subprocess.run(command, cwd=folder, env=environment, input=given, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def is_warm(folder: Path, environment: dict[str, str], *options: str) -> bool:
    """Whether it is a fork of the server: else it is a process of ours."""
    python, *rest = command(folder, "here", "pass")
    return int(said([python, *options, *rest], folder, environment)) != os.getpid()


def test_a_command_is_as_in_an_interpreter_of_its_own(image: dict[str, str], folder: Path) -> None:
    assert is_warm(folder, image)
    arguments = ["-flag", "an argument", "", "ü\n"]

    def told(**more: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(said(command(folder, "tell", *arguments), folder, {**image, **more}, "read"))
        found["inherited"] = [line for line in found["inherited"] if not line.startswith(("_=", "PULUMI_HOME="))]
        found["environment"].pop("PULUMI_HOME")
        return found

    warm_one, cold = told(), told(PULUMI_HOME="/nowhere")
    assert warm_one == cold
    assert cold["prefixes"][0] == str(folder / ".venv")
    assert cold["read"] == "read"


def test_a_script_is_as_in_an_interpreter_of_its_own(image: dict[str, str], folder: Path) -> None:
    """As an installation writes one for a distribution's command."""
    script = folder / ".venv" / "bin" / "tell"
    lines = ("import os, sys; sys.path.append('.')", "from here_too import told", "sys.exit(told(os.getppid()))")
    script.write_text("\n".join((f"#!{folder / '.venv' / 'bin' / 'python'}", *lines)) + "\n")
    script.chmod(0o755)
    (folder / "here_too.py").write_text(
        "import json, sys\n"
        "def told(parent):\n"
        "    main = vars(sys.modules['__main__'])['told'] is told\n"
        "    print(json.dumps([parent, main, sys.argv, sys.orig_argv, sys.path]))\n"
        "    return 'an error'\n"
    )

    def told(**more: str) -> tuple[bool, list[Any]]:
        command, given = [str(script), "-x", ""], {**image, **more}
        ran = subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (1, "an error\n")
        parent, *rest = json.loads(ran.stdout)
        return parent == os.getpid(), rest

    (cold, mine), (also_cold, its) = told(), told(PULUMI_HOME="/nowhere")
    assert (cold, also_cold) == (False, True)
    assert mine == its
    assert its[:2] == [True, [str(script), "-x", ""]]


def test_what_a_build_has_installed_is_what_it_loads(image: dict[str, str], folder: Path) -> None:
    """The engine that Build has packed, and not the one that the server has loaded."""
    file = Path(said(command(folder, "packed"), folder, image).strip())
    assert file.is_relative_to(folder / ".venv")


def test_what_a_fork_cannot_follow_starts_cold(image: dict[str, str], folder: Path, tmp_path: Path) -> None:
    assert is_warm(folder, image)
    for name, value in (
        ("PYTHONHASHSEED", "0"),
        ("PULUMI_HOME", str(tmp_path)),
        ("PYTHONPATH", os.pathsep.join((str(warm.IMAGE), str(tmp_path), PACKAGES))),  # other packages come first
        ("PYTHONPATH", PACKAGES),
        ("REHEARSAL_WARM", f"{tools().python}{os.pathsep}others"),
        ("REHEARSAL_WARM", f"{tmp_path}/bin/python{os.pathsep}here"),
    ):
        assert not is_warm(folder, {**image, name: value}), name
    assert not is_warm(folder, image, "-O")


def test_at_a_terminal_it_is_the_same(image: dict[str, str], folder: Path) -> None:
    """Where the server's own interpreter is called, and plugins are started with the same PYTHONPATH."""
    own = {**image, **warm_commands(tools().python, ("tell",))}
    ran = [str(tools().python), "-m", "tell"]
    first, second = (json.loads(said(ran, folder, {**own, "PULUMI_HOME": home})) for home in (own["PULUMI_HOME"], "/"))
    assert first["path"] == second["path"]
    assert first["prefixes"] == second["prefixes"]
    launched = [*warm.launch(tools().python, Path(own["PULUMI_HOME"])), "import os; print(os.getppid())"]
    assert int(said(launched, folder, own)) != os.getpid()


@pytest.mark.parametrize(
    ("code", "status"),
    [("sys.exit(3)", 3), ("os._exit(4)", 4), ("os.kill(os.getpid(), 9)", 137), ("1 / 0", 1)],
)
def test_it_ends_as_the_command_does(image: dict[str, str], folder: Path, code: str, status: int) -> None:
    ran = subprocess.run(command(folder, "here", code), cwd=folder, env=image, capture_output=True, check=False)
    assert ran.returncode == status


def test_a_signal_reaches_it(image: dict[str, str], folder: Path) -> None:
    """`timeout` tells the engine to end cleanly before CodeBuild kills."""
    code = (
        "import signal, time; signal.signal(15, lambda *_: (os.write(1, b'told\\n'), os._exit(7))); "
        "os.write(1, b'ready\\n'); [time.sleep(0.02) for _ in range(30000)]"
    )
    process = subprocess.Popen(
        ["timeout", "--signal=TERM", "10m", *command(folder, "here", code)],
        cwd=folder,
        env={**image, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().strip().isdigit()
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "told\n"
    assert process.returncode == 7


def test_it_goes_with_the_process_that_stands_for_it(image: dict[str, str], folder: Path) -> None:
    """A build that is killed ends all that it has started, by what stands in its environment."""
    code = "import time; print(os.getpid(), flush=True); time.sleep(600)"
    process = subprocess.Popen(command(folder, "here", code), cwd=folder, env=image, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    pid = int(process.stdout.readline())
    process.kill()
    assert process.stdout.read() == ""  # the end of its output: nobody holds it any more
    assert process.wait() == -signal.SIGKILL
    assert pid != process.pid
