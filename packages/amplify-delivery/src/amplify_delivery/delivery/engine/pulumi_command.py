"""The `pulumi` on PATH, run as the Automation API wants it, and ended cleanly when somebody interrupts."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from pulumi._version import version as sdk
from pulumi.automation import CommandResult, InvalidVersionError, PulumiCommand
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from amplify_delivery.delivery import output
from amplify_delivery.errors import SetupError
from amplify_delivery.publishing.examination.cache import ResultCache, cache_folder
from amplify_delivery.stacks.programs import UNHEARD_VARIABLE

Line = Callable[[str], None]
_log = logging.getLogger(__name__)

_READING = (["stack", "export"], ["stack", "output"], ["stack", "history"], ["stack", "ls"])
"""Commands that change nothing, whatever the engine's version."""
_NO_REFRESH = "--refresh=false"
_A_LOOK = 1.0
"""Seconds after which an interrupt is seen that has reached another thread."""


class Command(PulumiCommand):
    """The `pulumi` on PATH. An interrupt reaches it once, and it is waited for: it ends cleanly then,
    frees its lock and finishes what CloudFormation has begun."""

    _extra: tuple[str, ...] = ()

    def __init__(self) -> None:
        """Raises `SetupError` when there is none.

        Which version it is takes the SDK 0.2 s to ask: it is asked once of each binary, and meanwhile whatever only
        reads goes on.
        """
        found = shutil.which("pulumi")
        if found is None:
            raise SetupError(
                "there is no `pulumi` on PATH", remedy="install Pulumi (https://www.pulumi.com/docs/install/)"
            )
        self.command = "pulumi"
        self.stopping: threading.Event | None = None
        """Is set when somebody interrupts, before the engine is told."""
        asking = ThreadPoolExecutor(1)
        self._checked = asking.submit(_accepted_version, Path(found).resolve())
        asking.shutdown(wait=False)

    @property
    def version(self) -> VersionInfo | None:  # type: ignore[override]
        """The engine's version. Raises `SetupError` for one that the SDK does not work with."""
        try:
            return self._checked.result()
        except (OSError, subprocess.CalledProcessError, InvalidVersionError) as error:
            raise SetupError(f"`pulumi version` failed: {error}", remedy="reinstall Pulumi") from None

    @contextmanager
    def ignoring_protection(self, *, refresh: bool) -> Iterator[None]:
        """`pulumi destroy --ignore-protect`, and `--refresh=false`: options that the SDK does not offer."""
        self._extra = ("--ignore-protect",) if refresh else ("--ignore-protect", _NO_REFRESH)
        try:
            yield
        finally:
            self._extra = ()

    @contextmanager
    def not_refreshing(self) -> Iterator[None]:
        """`pulumi up --refresh=false`, whatever Pulumi.yaml says."""
        self._extra = (_NO_REFRESH,)
        try:
            yield
        finally:
            self._extra = ()

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Line | None = None,
        on_error: Line | None = None,
        *,
        given: str | None = None,
    ) -> CommandResult:
        """Run it; `given` is what it reads as its input."""
        extra = self._extra if {"destroy", "up"} & set(args[:1]) else ()
        told, began = _told([*args, *extra]), time.monotonic()
        _log.debug("%s begins, in %s", told, cwd)
        if args[:2] not in _READING:
            self.version  # noqa: B018 - raises
        out, err = _Lines(on_output), _Lines(on_error)
        with _forwarding(self.stopping or threading.Event()) as interrupts:
            process = subprocess.Popen(
                [self.command, "--non-interactive", *args, *extra],
                stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=cwd,
                env={**_unheard(args, inherited(additional_env)), "PULUMI_AUTOMATION_API": "true"},
                text=True,
                encoding="utf-8",
                errors="replace",
                # Else a terminal's Ctrl-C reaches it directly and through us, and the second one kills its work.
                process_group=0,
            )
            interrupts.of(process)
            readers = [threading.Thread(target=out.read, args=(process.stdout,))]
            readers += [threading.Thread(target=err.read, args=(process.stderr,))]
            for reader in readers:
                reader.start()
            if given is not None and process.stdin:
                with process.stdin as stdin:
                    stdin.write(given)
            for reader in readers:
                # Python runs a signal's handler in the main thread, which no other thread's signal wakes.
                while reader.is_alive():
                    reader.join(_A_LOOK)
            code = process.wait()
        _log.debug("%s has ended with %d after %.1f s", told, code, time.monotonic() - began)
        if interrupts.came:
            raise KeyboardInterrupt
        result = CommandResult(stdout="\n".join(out.lines), stderr="\n".join(err.lines), code=code)
        if code:
            raise create_command_error(result)
        for problem in (out.problem, err.problem):
            if problem:
                raise problem
        return result


def inherited(more: Mapping[str, str]) -> dict[str, str]:
    """The engine's environment: this process's, and `more`."""
    return {**os.environ, **more}


def _unheard(args: Sequence[str], variables: dict[str, str]) -> dict[str, str]:
    """The variables with one for programs, unless debug messages are asked for: by option, or by Pulumi's variable."""
    asked = "--debug" in args or "PULUMI_OPTION_DEBUG" in variables
    return variables if asked else {**variables, UNHEARD_VARIABLE: "true"}


def _told(args: Sequence[str]) -> str:
    """A command line for the log: without what `pulumi config` sets, and without a program's `--config`."""
    shown = list(args[:2]) if args[:1] == ["config"] else list(args)
    hidden = {at + 1 for at, word in enumerate(shown) if word in ("--config", "-c")}
    words = ["***" if at in hidden or word.startswith("--config=") else word for at, word in enumerate(shown)]
    return f"pulumi {shlex.join(words)}"


def _accepted_version(binary: Path) -> VersionInfo | None:
    """The version of the `pulumi` on PATH, which is this file, when the SDK works with it.

    It is kept for as long as the file is the same. What only stands for others is asked each time: a script, or a
    version manager that is called by many names, runs another engine in another folder.
    """
    with binary.open("rb") as file:
        manager = binary.name != "pulumi" or file.read(2) == b"#!"
    state = binary.stat()
    kept = ResultCache("engine", cache_folder())
    key = kept.key(str(binary), str(state.st_size), str(state.st_mtime_ns), str(sdk))
    known = None if manager else kept.get(key)
    if isinstance(known, str) and VersionInfo.is_valid(known):
        return VersionInfo.parse(known)
    version = PulumiCommand().version
    if version is not None and not manager:
        kept.put(key, str(version))
    return version


class _Lines:
    """What a process says: every line is kept, and told to whoever wants it.

    Whoever cannot be told any more (a full disk) does not stop the process: it would end in the middle of its work.
    """

    def __init__(self, line: Line | None) -> None:
        self._line = line
        self.lines: list[str] = []
        self.problem: OSError | None = None

    def read(self, stream: Any) -> None:
        with stream:
            for text in stream:
                stripped = text.rstrip()
                self.lines.append(stripped)
                if self._line and not self.problem:
                    try:
                        self._line(stripped)
                    except OSError as error:
                        self.problem = error


class _Interrupts:
    """Passes the first signal that ends us on to a process, as the interrupt it knows. A second one would kill it in
    the middle of its work, and leave its lock: whoever sends one is told, and the process is waited for."""

    def __init__(self, told: threading.Event) -> None:
        self._told = told
        self._process: subprocess.Popen[str] | None = None
        self.came: list[int] = []

    def of(self, process: subprocess.Popen[str]) -> None:
        """It runs now."""
        self._process = process
        if self.came:
            process.send_signal(signal.SIGINT)

    def __call__(self, number: int, _: Any) -> None:
        self.pass_on(number)
        output.progress(_ENDING if len(self.came) == 1 else _STILL_ENDING)

    def pass_on(self, number: int) -> None:
        """The signal came."""
        self.came.append(number)
        self._told.set()
        if len(self.came) == 1 and self._process:
            self._process.send_signal(signal.SIGINT)


class _Everybody:
    """Passes a signal on to the engines of all threads, and to those that are only being started."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._number = signal.SIGINT
        self._engines: set[_Interrupts] = set()

    def __call__(self, number: int, _: Any) -> None:
        output.progress(_STILL_ENDING if self.stop.is_set() else _ENDING)
        self._number = signal.Signals(number)
        self.stop.set()
        for engine in tuple(self._engines):
            engine.pass_on(number)

    @contextmanager
    def reaching(self, engine: _Interrupts) -> Iterator[None]:
        self._engines.add(engine)
        if self.stop.is_set() and not engine.came:
            engine.pass_on(self._number)
        try:
            yield
        finally:
            self._engines.discard(engine)


_everybody: list[_Everybody] = []
"""The one of `engines_of_threads`, while it is there."""


@contextmanager
def engines_of_threads() -> Iterator[threading.Event]:
    """For the main thread, while others of its threads run engines: Python hands it the signals, and it passes them on
    to all of these. The event is set when one came: nothing further is begun then."""
    everybody = _Everybody()
    numbers = [n for n in _ENDING_SIGNALS if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, everybody) for number in numbers}
    _everybody.append(everybody)
    try:
        yield everybody.stop
    finally:
        _everybody.remove(everybody)
        for number, handler in before.items():
            signal.signal(number, handler)


_ENDING = "interrupted: the engine ends what it has begun with AWS, writes its state and gives its lock back"
_STILL_ENDING = "the engine still ends what it has begun: killed now, it would leave its lock and lose what it has made"
_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def _forwarding(told: threading.Event) -> Iterator[_Interrupts]:
    """Take the signals that end us (a terminal's Ctrl-C and its closing, a CI's SIGTERM) for a process that is started
    within."""
    interrupts = _Interrupts(told)
    if threading.current_thread() is not threading.main_thread():
        with _everybody[-1].reaching(interrupts) if _everybody else nullcontext():
            yield interrupts
        return
    # What `nohup` has started goes on when its terminal is closed.
    numbers = [n for n in _ENDING_SIGNALS if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, interrupts) for number in numbers}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
