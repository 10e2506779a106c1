"""The engine: Automation API over the project's own `__main__.py`, with its errors in our words."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pulumi.automation import CommandError
from pulumi.automation._stack import StackInitMode  # for a class of its own: `Stack.select` makes a plain one
from pulumi.automation.errors import StackNotFoundError

from amplify_delivery.delivery.engine import state_faults
from amplify_delivery.delivery.engine.automation_api import Before, Program, Stack, Workspace
from amplify_delivery.delivery.engine.engine_errors import explain, home_of, stderr
from amplify_delivery.delivery.engine.pulumi_command import Command, Line, inherited
from amplify_delivery.delivery.engine.stack_outputs import Output
from amplify_delivery.delivery.engine.state_store import BACKEND_VARIABLE, is_pulumi_cloud
from amplify_delivery.delivery.engine.stored_state import StoredStack
from amplify_delivery.delivery.engine.watch import HIDDEN, RootWork, Watch, plain
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.errors import (
    DeliveryError,
    PluginLostError,
    RefusedError,
    midway,
)
from amplify_delivery.export.templates.literals import every_text
from amplify_delivery.stacks.config.absent import expect_project
from amplify_delivery.stacks.config.reader import read_yaml

_GOING_ON = re.compile(r"^ +(?P<kind>\S+) in progress:\n\s+Started: (?P<since>.+)\n\s+Requested By: (?P<who>.+)$", re.M)
"""What `pulumi stack` says of an operation that Pulumi Cloud knows of (`runStackText` in pkg/cmd/pulumi/stack)."""
_ENDED = "The Update has already completed"
"""What Pulumi Cloud says of one that was to be cancelled (pulumi/pulumi, issue 5364)."""
_PREVIEW = "Preview"
"""That changes nothing, and holds nothing."""


WhenLost = Callable[[Sequence[ProgramStep], datetime], None]
"""Gets what a lost plugin was at, and when the update began, in UTC."""


class Engine:
    """One stack of the Pulumi project in `folder`. Every method raises `DeliveryError`s only.

    The stack that is selected in the project stays selected: a later plain `pulumi` command must not meet
    another environment than the user left.

    `variables` are added to the environment of every command of the engine, `secrets_provider` is what `create` has the
    stack's secrets encrypted with, where its file names nothing (by default what the engine takes).
    """

    def __init__(
        self,
        stack: str,
        folder: Path,
        line: Line,
        variables: Mapping[str, str] | None = None,
        secrets_provider: str | None = None,
    ) -> None:
        self.stack = stack
        self.folder = folder
        self.root = RootWork()
        self.wrote = False
        """Whether anything was written of its state or its file, or an update had begun: a stack that was only made
        holds nothing, and is found by the next run."""
        self.when_lost: WhenLost | None = None
        """Is asked what has become of what a lost plugin was at (`Watch.uncertain`), before `up` raises: the engine
        takes it for failed, forgets it, and would do it a second time."""
        self._line = line
        expect_project(folder)
        self._command = Command()
        self._workspace = Workspace(
            work_dir=str(folder),
            pulumi_command=self._command,
            env_vars=dict(variables or {}),
            secrets_provider=secrets_provider,
        )
        self._stack = Stack(stack, self._workspace, StackInitMode.SELECT)
        self._outputs: Mapping[str, Any] = {}
        self._stored = StoredStack(stack, folder, lambda: self.variables)

    @property
    def variables(self) -> Mapping[str, str]:
        """What is added to the environment of every command of the engine."""
        return self._workspace.env_vars

    def create(self) -> bool:
        """Make the stack; False if there is one.

        With the secrets provider that its file names, if it names one: with any other the engine writes another key
        into the file, and nobody can read the file's secrets any more (Pulumi's pkg/secrets/cloud/manager.go).
        """
        with self._errors(Watch()):
            if self.exists():
                return False
            lost = self._stored.lost()
            if lost:
                raise lost
            file = self.folder / f"Pulumi.{self.stack}.yaml"
            named = read_yaml(file).get("secretsprovider") if file.is_file() else None
            self._workspace.secrets_provider = named or self._workspace.secrets_provider
            self._workspace.create_stack(self.stack)
            return True

    def stacks(self) -> list[tuple[str, datetime | None]]:
        """All stacks of the project in the backend, with the time of their last update."""
        with self._errors(Watch()):
            return [(found.name, found.last_update) for found in self._workspace.list_stacks()]

    def exists(self) -> bool:
        """Whether the backend has the stack."""
        known = self._stored.exists()
        if known is not None:
            return known
        with self._errors(Watch()):
            return self.stack in {s.name for s in self._workspace.list_stacks()}

    def going_on(self) -> str:
        """The update of the stack that Pulumi Cloud says is going on, and whose: `update of NAME`. Empty for none, and
        for buckets and folders, which do not tell: there the engine's locks lie beside the state (`locking`)."""
        if not is_pulumi_cloud(self._stored.backend):
            return ""
        with self._errors(Watch()):
            told = self._command.run(["stack", "--stack", self.stack], str(self.folder), self._workspace.env_vars)
        found = _GOING_ON.search(plain(told.stdout))
        return f"{found['kind'].lower()} of {found['who']}" if found and found["kind"] != _PREVIEW else ""

    def cancel(self) -> None:
        """Take the stack from the update that is going on, if it has not just ended: it can write nothing any more."""
        with self._errors(Watch(), changing=True):
            try:
                done = ["cancel", "--yes", "--stack", self.stack]
                self._command.run(done, str(self.folder), self._workspace.env_vars)
            except CommandError as error:
                if _ENDED not in stderr(error):
                    raise

    def preview(self, variables: Mapping[str, str] | None = None) -> Watch:
        """Preview an update; `variables` are added to the program's environment for it. Refuses one that would replace
        or delete the root stack."""
        watch = Watch()
        with self._errors(watch), self._with(variables or {}):
            self._stack.preview(on_event=watch, on_output=_ignore, color="never")
        self._all_told(watch)
        if watch.replaced:
            raise RefusedError(
                f"this would delete the root stack, and with it all data: {', '.join(watch.replaced)}",
                where=self.stack,
                remedy="put back what was changed, in the program or the stack file; nothing was changed",
            )
        self._outputs = watch.outputs_before
        return watch

    @property
    def line(self) -> Line:
        """Where the engine's own output goes."""
        return self._line

    def say(self, line: str) -> None:
        """Tell it where the engine's own output goes."""
        self._line(line)

    def up(self, variables: Mapping[str, str] | None = None, only: Sequence[str] | None = None) -> Watch:
        """Update the stack, or the resources with the URNs `only`; `variables` are added to the program's environment
        this time. Of `only` some need not be in the state yet: the engine would fail to refresh these, so it does not.
        """
        before = self._workspace.env_vars
        self._workspace.env_vars = {**before, **(variables or {})}
        watch = Watch(root=self.root)
        self._outputs = {}
        began = datetime.now(UTC)
        try:
            with self._errors(watch, changing=True), self._command.not_refreshing() if only else nullcontext():
                self._stack.up(
                    target=list(only) if only else None,
                    on_event=watch,
                    on_output=self._line,
                    color="never",
                    suppress_outputs=True,
                )
            self.wrote = True
        except DeliveryError:
            self.wrote = self.wrote or watch.begun
            lost = [s for s in watch.uncertain if state_faults.may_be_sent(watch.errors_of(s.urn))]
            if lost and self.when_lost:
                self.when_lost(lost, began)
            raise
        finally:
            self._workspace.env_vars = before
        self._all_told(watch, changing=True)
        self._outputs = watch.outputs
        return watch

    def outputs(self) -> dict[str, Output]:
        """The stack's outputs, secrets in clear."""
        found = self._outputs  # told by the preview or the update that was just made
        if found and HIDDEN not in every_text(found):
            return {name: Output(value, secret=False) for name, value in sorted(found.items())}
        with self._errors(Watch()):
            asked = self._workspace.stack_outputs(self.stack)
        return {name: Output(o.value, o.secret) for name, o in sorted(asked.items())}

    def state(self) -> Mapping[str, Any]:
        """The stack's state as it is stored; secrets stay encrypted."""
        return self._exported().get("deployment") or {}

    def _exported(self) -> dict[str, Any]:
        """The document of the state: its format beside it."""
        known = self._stored.exported()
        if known is not None:
            return known
        # Not `Stack.export_stack`, which has all secrets decrypted.
        with self._errors(Watch()):
            done = self._command.run(
                ["stack", "export", "--stack", self.stack], str(self.folder), self._workspace.env_vars
            )
        return dict(json.loads(done.stdout))

    def write(self, state: Mapping[str, Any]) -> None:
        """Write a state, as `state` gives it, in the place of what is stored. The engine drops pending operations."""
        with tempfile.TemporaryDirectory(prefix="amplify-delivery-state-") as folder, self._errors(Watch()):
            file = Path(folder) / "state.json"
            self.wrote = True
            file.write_text(json.dumps({**self._exported(), "deployment": state}), encoding="utf-8")
            where = self.folder
            if is_pulumi_cloud(self._stored.backend):
                # Of a state that Pulumi Cloud encrypts, the engine takes any other key out of the stack file that it
                # finds (`newStackImportCmd`): an environment that has just moved has one, and nobody else knows it.
                where = Path(folder)
                shutil.copy(self.folder / "Pulumi.yaml", where)
            written = ["stack", "import", "--stack", self.stack, "--file", str(file)]
            self._command.run(written, str(where), self._workspace.env_vars)

    def in_clear(self) -> dict[str, Any]:
        """The document of the state with its secrets decrypted. It goes from process to process, and into no file."""
        with self._errors(Watch()):
            shown = ["stack", "export", "--show-secrets", "--stack", self.stack]
            done = self._command.run(shown, str(self.folder), self._workspace.env_vars)
        return dict(json.loads(done.stdout))

    def take(self, document: Mapping[str, Any]) -> None:
        """Write a state whose secrets are in clear, as `in_clear` gives it: they are encrypted as it says."""
        with self._errors(Watch()):
            written = ["stack", "import", "--stack", self.stack]
            self._command.run(written, str(self.folder), self._workspace.env_vars, given=json.dumps(document))

    def configuration(self) -> dict[str, Any]:
        """The stack file's values by key, each as `pulumi config --json` has it, with secrets decrypted."""
        with self._errors(Watch()):
            shown = ["config", "--show-secrets", "--json", "--stack", self.stack]
            done = self._command.run(shown, str(self.folder), self._workspace.env_vars)
        return dict(json.loads(done.stdout))

    def beside(self, folder: Path, state: Mapping[str, Any]) -> Engine:
        """The same stack with this state, in a backend of files in `folder`. The state's secrets stay as they are
        encrypted."""
        project = str(self._workspace.project_settings().name)
        document = {**self._exported(), "deployment": state}
        checkpoint = {
            **{k: v for k, v in document.items() if k != "deployment"},
            "checkpoint": {"stack": f"organization/{project}/{self.stack}", "latest": state},
        }
        place = folder / ".pulumi" / "stacks" / project / f"{self.stack}.json"
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps(checkpoint), encoding="utf-8")
        (folder / ".pulumi" / "meta.yaml").write_text("version: 1\n")
        variables = {**self._workspace.env_vars, BACKEND_VARIABLE: folder.as_uri()}
        return Engine(self.stack, self.folder, self._line, variables)

    @property
    def backend_variables(self) -> str:
        """What has to stand before a `pulumi` command in a shell, so that it finds the state."""
        backend = inherited(self._workspace.env_vars).get(BACKEND_VARIABLE)
        return f"{BACKEND_VARIABLE}={shlex.quote(backend)} " if backend else ""

    def configure(self, values: Sequence[tuple[str, str]], secrets: Sequence[tuple[str, str]] = ()) -> None:
        """Set keys of the stack file, given as paths (`parameters.STACK.NAME`), to texts; the engine keeps comments. A
        secret's value reaches it by its input: command lines can be seen by others on the machine."""
        file = self.folder / f"Pulumi.{self.stack}.yaml"
        before = file.read_bytes() if file.is_file() else b""
        try:
            self._configure(values, secrets)
        finally:
            self.wrote = self.wrote or (file.read_bytes() if file.is_file() else b"") != before

    def _configure(self, values: Sequence[tuple[str, str]], secrets: Sequence[tuple[str, str]]) -> None:
        with self._errors(Watch()):
            for path, value in values:
                # Without the type it makes a number of what looks like one, and of a long one another number.
                typed = ["config", "set", "--path", "--type", "string", "--stack", self.stack, "--", path, value]
                self._command.run(typed, str(self.folder), self._workspace.env_vars)
            for path, value in secrets:
                secret = ["config", "set", "--path", "--secret", "--stack", self.stack, "--", path]
                # It takes one end of a line away.
                self._command.run(secret, str(self.folder), self._workspace.env_vars, given=f"{value}\n")

    def succeeded(self) -> bool:
        """Whether the stack's last update did; a preview is none."""
        known = self._stored.last_result()
        if known is not None:
            return known == "succeeded"
        return self.last_update()[1] == "succeeded"

    def last_update(self) -> tuple[str, str]:
        """What the stack's last update was (`update`, `destroy`), and how it has ended (`succeeded`, `failed`), as the
        engine's history has them; empty without one."""
        with self._errors(Watch()):
            last = self._stack.history(page_size=1, page=1)
        return (last[0].kind, last[0].result) if last else ("", "")

    def resources(self) -> list[Mapping[str, Any]]:
        """The resources in the stack's state; secrets stay encrypted."""
        return list(self.state().get("resources") or ())

    def refresh(self) -> list[Mapping[str, Any]]:
        """Bring the state to what is there; the resources in it then."""
        watch = Watch()
        with self._errors(watch):
            self._stack.refresh(on_event=watch, on_output=_ignore, color="never")
        return self.resources()

    def destroy(self, only: Sequence[str] | None = None, before: Before | None = None) -> Watch:
        """Destroy everything in the stack, or the resources with the URNs `only`; protected or not: whoever calls has
        asked.

        `before` is called when the engine has locked the stack (and refreshed it), in a thread, before anything is
        destroyed; what it raises is raised here, and nothing is destroyed then. It has to end soon once its event is
        set: the engine has been interrupted, or has ended.

        What needs one of `only` has to be among them, and the state has to be fresh: the engine does not refresh it
        then, because it would fail on a target that it has found to be gone.
        """
        watch = Watch(root=self.root)
        if only is not None and not only:
            return watch  # to the engine, no target at all means everything
        program = Program(before) if before else None
        self._command.stopping = program.stopped if program else None
        try:
            with self._errors(watch, changing=True), self._command.ignoring_protection(refresh=only is None):
                self._stack.destroy(
                    target=list(only) if only else None,
                    # The engine runs a program when it has the lock, and destroys when that has ended.
                    program=program,
                    run_program=program is not None,
                    on_event=watch,
                    on_output=self._line,
                    color="never",
                    suppress_outputs=True,
                )
        except DeliveryError:
            if program and program.failure:
                raise program.failure from None
            raise
        finally:
            self._command.stopping = None
            if program:
                program.end()
        self._all_told(watch, changing=True)
        return watch

    def remove(self) -> None:
        """Take the stack, which has to be empty, out of its backend. The stack file stays: it is in git."""
        with self._errors(Watch()):
            self._workspace.remove_stack(self.stack, preserve_config=True)

    @contextmanager
    def _with(self, variables: Mapping[str, str]) -> Iterator[None]:
        """Variables for the commands of a block."""
        before = self._workspace.env_vars
        self._workspace.env_vars = {**before, **variables}
        try:
            yield
        finally:
            self._workspace.env_vars = before

    @contextmanager
    def _errors(self, watch: Watch, *, changing: bool = False) -> Iterator[None]:
        """What the engine says, in our words. Of a command that is `changing` something its events tell whether it had
        begun with that."""
        try:
            yield
        except CommandError as error:
            with midway(lambda: changing and watch.begun):
                raise self._explained(error, watch) from None

    def _all_told(self, watch: Watch, *, changing: bool = False) -> None:
        """Raise `PluginLostError` where a run has ended well, and its events have not arrived: the engine only logs
        that it could not send them, and of a plan without its steps everybody would think that nothing changes."""
        if watch.ended:
            return
        with midway(lambda: changing):
            raise PluginLostError(
                "the engine has ended, and what it did is not known: the connection to it was lost",
                where=self.stack,
                remedy="repeat the command",
            )

    def _explained(self, error: CommandError, watch: Watch) -> DeliveryError:
        known = self._stored.lost() if isinstance(error, StackNotFoundError) else self._stored.damaged(stderr(error))
        home = home_of(self.folder, self.stack)
        return known or explain(error, watch, self.stack, self._stored.place, home, variables=self.backend_variables)


def _ignore(_: str) -> None:
    pass
