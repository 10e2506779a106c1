"""Runs a build: its source, its phases as sub-processes, its artifacts; with the project role's credentials only.

After "How CodeBuild works" and "Build phase transitions" of the CodeBuild User Guide: a failed INSTALL or PRE_BUILD
ends the build, after a failed BUILD the POST_BUILD phase still runs; a `finally` block runs whatever happened in its
phase; `on-failure: CONTINUE` goes on to the next phase. Of the timeout and StopBuild AWS documents that the build ends,
and no signal: here the shell and its group get SIGTERM and, ten seconds later, SIGKILL, and all else that the build has
started, such as what runs under `timeout`, is killed once that group is gone. So nothing that delivers may rely on
being told.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_rehearsal.local_aws import Credentials, environment
from aws_rehearsal.pipeline_service.builds.artifacts import Artifacts, zip_files
from aws_rehearsal.pipeline_service.builds.build_environment import declared_variables, read_values
from aws_rehearsal.pipeline_service.builds.build_log import BuildLog
from aws_rehearsal.pipeline_service.builds.build_network import check_network
from aws_rehearsal.pipeline_service.builds.build_shell import CommandFailure, Shell
from aws_rehearsal.pipeline_service.builds.build_source import buildspec_of, download
from aws_rehearsal.pipeline_service.builds.builds import (
    FAILED,
    IN_PROGRESS,
    STOPPED,
    SUCCEEDED,
    TIMED_OUT,
    Build,
    Phase,
)
from aws_rehearsal.pipeline_service.builds.buildspec import PHASES, Buildspec, Files, with_variables
from aws_rehearsal.pipeline_service.builds.buildspec import Phase as BuildspecPhase
from aws_rehearsal.pipeline_service.builds.image_pull import check_pull
from aws_rehearsal.pipeline_service.builds.processes import GRACE, Group, Reaper, end_strays
from aws_rehearsal.pipeline_service.clients import Access
from aws_rehearsal.pipeline_service.errors import ActionError

_ENDS_THE_BUILD = ("install", "pre_build")


@dataclass(frozen=True)
class Machine:
    """What builds run on: the image's variables (PATH and whatever tools need), and the length of a minute."""

    variables: Mapping[str, str]
    minute: float = 60.0
    grace: float = GRACE
    container_tools: Path | None = None
    """The folder with what a build in privileged mode finds first on its PATH."""


class _EndedError(Exception):
    """The build was stopped, or its time is over."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class BuildRun:
    """One build's run. `told` is called after every change of a phase."""

    def __init__(
        self,
        build: Build,
        machine: Machine,
        access: Access,
        reaper: Reaper,
        told: Callable[[Build], None],
        *,
        may_run: Callable[[Build], bool] = lambda _: True,
    ) -> None:
        self._build, self._machine, self._access = build, machine, access
        self._reaper, self._told, self._may_run = reaper, told, may_run
        self._groups: list[Group] = []
        self._secrets: set[str] = set()
        self._log_lock = threading.Lock()
        self._credentials: Credentials | None = None
        self._cloudwatch = BuildLog(build, access.clients)
        self._deadline = time.monotonic() + build.project.get("timeoutInMinutes", 60) * machine.minute

    def run(self) -> None:
        """Run the build to its end; whatever goes wrong is the build's failure."""
        build = self._build
        build.log.parent.mkdir(parents=True, exist_ok=True)
        root = Path(tempfile.mkdtemp(prefix="codebuild-"))
        status = SUCCEEDED
        try:
            status = self._run(root)
        except _EndedError as ended:
            status = ended.status
        except ActionError as failure:
            status = FAILED
            self._log(f"[Container] {failure.code}: {failure.message}\n")
        except Exception as error:  # noqa: BLE001 - a build's failure is never ours
            status = FAILED
            self._log(f"[Container] internal error: {error!r}\n")
        finally:
            for group in self._groups:
                group.end(self._machine.grace if status in (STOPPED, TIMED_OUT) else 1.0)
            end_strays(f"CODEBUILD_BUILD_ID={build.id}")
            shutil.rmtree(root, ignore_errors=True)
            self._cloudwatch.end()
            self._finish(status)

    def _run(self, root: Path) -> str:
        build = self._build
        with self._phase("SUBMITTED"):
            pass
        with self._phase("QUEUED"):
            self._wait_in_queue()
        with self._phase("PROVISIONING"):
            self._credentials = self._assume_role()
            check_pull(self._access.gate, self._own(), build.project.get("environment") or {})
            check_network(self._access.gate, self._own(), build.project.get("vpcConfig") or {}, build.region)
            self._cloudwatch.begin(self._own())
        with self._phase("DOWNLOAD_SOURCE"):
            folders = download(build, self._access, self._own(), root / "src", self._run_git)
            buildspec = buildspec_of(build, folders)
            variables = self._variables(buildspec, folders, root)
        directory = next(iter(folders.values()))
        shell = Shell(buildspec.shell, root / "state", variables, directory, self._run_group(root))
        succeeding, ran_post_build = self._run_phases(buildspec, shell)
        exported = shell.variables()
        buildspec = with_variables(buildspec, exported)
        build.exported = {name: exported[name] for name in buildspec.exported if name in exported}
        if ran_post_build:
            with self._phase("UPLOAD_ARTIFACTS"):
                self._upload(buildspec, directory, succeeding)
        return SUCCEEDED if succeeding else FAILED

    def _wait_in_queue(self) -> None:
        """Until the account may run one more build; the time in the queue is bounded for itself."""
        minutes = self._build.project.get("queuedTimeoutInMinutes", 480)
        takes = self._deadline - time.monotonic()
        self._deadline = time.monotonic() + minutes * self._machine.minute
        while not self._may_run(self._build):
            self._check_ended()
            time.sleep(0.05)
        self._deadline = time.monotonic() + takes

    def _assume_role(self) -> Credentials:
        build = self._build
        role = build.project["serviceRole"]
        found = self._access.gate.assume(
            role, "codebuild.amazonaws.com", build.project_arn, build.region, f"AWSCodeBuild-{build.uuid}"
        )
        if found is None:
            raise ActionError("ACCESS_DENIED", f"CodeBuild is not authorized to perform: sts:AssumeRole on {role}")
        return found

    def _variables(self, buildspec: Buildspec, folders: dict[str, Path], root: Path) -> dict[str, str]:
        build, credentials = self._build, self._own()
        own = (build.project.get("environment") or {}).get("environmentVariables") or ()
        declared = declared_variables(buildspec, own, build.overrides)
        values, self._secrets = read_values(declared, self._access.clients, credentials, build.region)
        home, temporary = root / "home", root / "tmp"
        home.mkdir()
        temporary.mkdir()
        source = next(iter(folders.values()))
        return {
            **self._machine.variables,
            "HOME": str(home),
            "TMPDIR": str(temporary),
            **environment(self._access.clients.endpoint, credentials, build.region),
            **self._container_path(),
            **values,
            **{f"CODEBUILD_SRC_DIR_{name}": str(folder) for name, folder in list(folders.items())[1:]},
            "CODEBUILD_BUILD_ARN": build.arn,
            "CODEBUILD_BUILD_ID": build.id,
            "CODEBUILD_BUILD_IMAGE": str((build.project.get("environment") or {}).get("image", "")),
            "CODEBUILD_BUILD_NUMBER": str(build.number),
            "CODEBUILD_BUILD_SUCCEEDING": "1",
            "CODEBUILD_INITIATOR": build.initiator,
            "CODEBUILD_KMS_KEY_ID": str(build.project.get("encryptionKey", "")),
            "CODEBUILD_LOG_PATH": build.uuid,
            "CODEBUILD_RESOLVED_SOURCE_VERSION": build.resolved_version or "",
            "CODEBUILD_SOURCE_VERSION": build.source_version or "",
            "CODEBUILD_SRC_DIR": str(source),
            "CODEBUILD_START_TIME": str(int(build.started * 1000)),
            "CI": "true",
        }

    def _container_path(self) -> dict[str, str]:
        """Docker is there in privileged mode only ("Docker sample", CodeBuild user guide)."""
        tools = self._machine.container_tools
        if tools is None or not (self._build.project.get("environment") or {}).get("privilegedMode"):
            return {}
        return {"PATH": f"{tools}:{self._machine.variables['PATH']}"}

    def _run_phases(self, buildspec: Buildspec, shell: Shell) -> tuple[bool, bool]:
        """Whether all went well, and whether POST_BUILD was reached."""
        succeeding = True
        for name in PHASES:
            declared = buildspec.phases.get(name, BuildspecPhase())
            failures: list[CommandFailure] = []
            with self._phase(name.upper()) as phase:
                for part, commands in ((name, declared.commands), (f"{name}.finally", declared.finally_commands)):
                    failure = shell.run_commands(part, commands, succeeding and not failures)
                    if failure is not None:
                        failures.append(failure)
                self._check_ended()
                self._tell_failures(phase, failures)
            if failures:
                succeeding = False
                if name in _ENDS_THE_BUILD and not declared.goes_on_after_failure:
                    return False, False
        return succeeding, True

    def _tell_failures(self, phase: Phase, failures: list[CommandFailure]) -> None:
        for failure in failures:
            phase.status = FAILED
            phase.contexts.append(("COMMAND_EXECUTION_ERROR", str(failure)))
            self._log(f"[Container] Phase context status code: COMMAND_EXECUTION_ERROR Message: {failure}\n")

    def _upload(self, buildspec: Buildspec, directory: Path, succeeding: bool) -> None:
        ticket = self._build.ticket
        if ticket is None or not ticket.outputs:
            return
        for output in ticket.outputs:
            files: Files | None = buildspec.secondary.get(output.name)
            if files is None and (len(ticket.outputs) == 1 or not buildspec.secondary):
                files = buildspec.artifact
            if files is None:
                raise ActionError("CLIENT_ERROR", f"no definition for artifact {output.name} in the buildspec")
            try:
                content = zip_files(directory, files)
            except ActionError:
                if succeeding:
                    raise
                continue
            artifacts = Artifacts(self._access)
            artifacts.look(self._own(), output.region, output.store)
            artifacts.put(self._own(), output.region, output.store, output.key, content)

    def _run_git(self, folder: Path, *arguments: str) -> int:
        return self._wait(self._group(["git", *arguments], folder))

    def _run_group(self, folder: Path) -> Callable[[list[str]], int]:
        return lambda command: self._wait(self._group(command, folder))

    def _group(self, command: list[str], folder: Path) -> Group:
        self._check_ended()
        marked = {"PATH": self._machine.variables["PATH"], "CODEBUILD_BUILD_ID": self._build.id}
        group = Group(command, marked, folder, self._log, self._reaper)
        self._groups.append(group)
        return group

    def _wait(self, group: Group) -> int:
        """The group's exit code; ends it, and raises, when the build is stopped or its time is over."""
        while (code := group.wait(0.05)) is None:
            try:
                self._check_ended()
            except _EndedError:
                group.end(self._machine.grace)
                raise
        return code

    def _check_ended(self) -> None:
        if self._build.stop.is_set():
            raise _EndedError(STOPPED)
        if time.monotonic() > self._deadline:
            raise _EndedError(TIMED_OUT)

    def _own(self) -> Credentials:
        assert self._credentials is not None  # noqa: S101 - PROVISIONING comes first
        return self._credentials

    @contextlib.contextmanager
    def _phase(self, kind: str) -> Iterator[Phase]:
        phase = Phase(kind)
        self._build.phases.append(phase)
        self._log(f"[Container] Entering phase {kind}\n")
        self._told(self._build)
        try:
            self._check_ended()
            yield phase
        except _EndedError as ended:
            phase.status = ended.status
            word = "timed out" if ended.status == TIMED_OUT else "was stopped"
            phase.contexts.append(("BUILD_TIMED_OUT" if word == "timed out" else "", f"Build {word}. "))
            raise
        except ActionError as failure:
            phase.status = FAILED
            phase.contexts.append((failure.code, failure.message))
            raise
        finally:
            if phase.status == IN_PROGRESS:
                phase.status = SUCCEEDED
            phase.ended = time.time()
            self._log(f"[Container] Phase complete: {kind} State: {phase.status}\n")
            self._told(self._build)

    def _finish(self, status: str) -> None:
        build = self._build
        now = time.time()
        build.phases += [Phase("FINALIZING", SUCCEEDED, now, now), Phase("COMPLETED", status, now, now)]
        build.ended, build.status = now, status
        build.done.set()
        self._told(build)

    def _log(self, line: str) -> None:
        for secret in self._secrets:
            line = line.replace(secret, "***")
        with self._log_lock, self._build.log.open("a", encoding="utf-8") as log:
            log.write(line)
