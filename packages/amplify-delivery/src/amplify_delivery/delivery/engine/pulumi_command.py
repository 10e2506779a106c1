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
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pulumi._version import version as sdk
from pulumi.automation import CommandResult, InvalidVersionError, PulumiCommand
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from amplify_delivery.errors import SetupError
from amplify_delivery.publishing.examination.cache import ResultCache, cache_folder

Line = Callable[[str], None]
_log = logging.getLogger(__name__)

_READING = (["stack", "export"], ["stack", "output"], ["stack", "history"], ["stack", "ls"])
"""Commands that change nothing, whatever the engine's version."""


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
        self._extra = ("--ignore-protect",) if refresh else ("--ignore-protect", "--refresh=false")
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
        extra = self._extra if "destroy" in args else ()
        told, began = _told([*args, *extra]), time.monotonic()
        _log.debug("%s begins, in %s", told, cwd)
        if args[:2] not in _READING:
            self.version  # noqa: B018 - raises
        process = subprocess.Popen(
            [self.command, "--non-interactive", *args, *extra],
            stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env={**inherited(additional_env), "PULUMI_AUTOMATION_API": "true"},
            text=True,
            encoding="utf-8",
            errors="replace",
            # Else a terminal's Ctrl-C reaches it directly and through us, and the second one kills its work.
            process_group=0,
        )
        out: list[str] = []
        err: list[str] = []
        readers = [
            threading.Thread(target=_read, args=(process.stdout, out, on_output)),
            threading.Thread(target=_read, args=(process.stderr, err, on_error)),
        ]
        for reader in readers:
            reader.start()
        if given is not None and process.stdin:
            with process.stdin as stdin:
                stdin.write(given)
        with _forwarding(process, self.stopping or threading.Event()) as interrupted:
            for reader in readers:
                reader.join()
            code = process.wait()
        _log.debug("%s has ended with %d after %.1f s", told, code, time.monotonic() - began)
        if interrupted:
            raise KeyboardInterrupt
        result = CommandResult(stdout="\n".join(out), stderr="\n".join(err), code=code)
        if code:
            raise create_command_error(result)
        return result


def inherited(more: Mapping[str, str]) -> dict[str, str]:
    """The engine's environment: this process's, and `more`."""
    return {**os.environ, **more}


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


def _read(stream: Any, lines: list[str], line: Line | None) -> None:
    with stream:
        for text in stream:
            stripped = text.rstrip()
            lines.append(stripped)
            if line:
                line(stripped)


@contextmanager
def _forwarding(process: subprocess.Popen[str], told: threading.Event) -> Iterator[list[int]]:
    """Pass SIGINT and SIGTERM on to `process` as the interrupt it knows; gives the list of those that came."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return

    def forward(number: int, _: Any) -> None:
        came.append(number)
        told.set()
        process.send_signal(signal.SIGINT)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
