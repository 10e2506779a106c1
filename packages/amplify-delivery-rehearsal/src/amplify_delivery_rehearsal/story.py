"""A user's own exports, delivered one after the other to one environment of a local AWS.

Each with the plain command `pulumi up -s dev`; what CloudFormation touched is held against what `compare` says it must
touch. Without exports `make rehearse` tells the story of the pipeline: `amplify_delivery_rehearsal.pipeline_story`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from amplify_delivery.errors import ConfigError, FailedError
from amplify_delivery.export import DeliveryError, assemble, compare, read_export
from amplify_delivery.export.assembly import Assembly
from amplify_delivery.findings import listed
from amplify_delivery_rehearsal import example
from amplify_delivery_rehearsal.console import Console
from amplify_delivery_rehearsal.inventory import Inventory, take
from amplify_delivery_rehearsal.made_up import lacking, said
from amplify_delivery_rehearsal.workspace import ENVIRONMENT, FOLDER, PRODUCT, Workspace
from aws_rehearsal import warm_server

REGION = "us-east-1"
HOME = "pulumi-home"
"""The engine's, in a rehearsal's folder."""


@dataclass(frozen=True)
class Chapter:
    """One delivery of the story."""

    title: str
    export: Path
    assembly: Assembly


@dataclass
class Told:
    """What happened in a chapter; `--json` prints these."""

    title: str
    export: str
    outcome: str = "not reached"
    seconds: float = 0.0
    resources: int = 0
    stacks: int = 0
    expected: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)


def chapters(exports: Sequence[Path], secrets: Mapping[tuple[str, str], str]) -> tuple[Chapter, ...]:
    """The exports as a story: of one backend that changes from one to the next.

    Raises `ExportRefused` for the first that cannot be delivered, `ConfigError` for one of another backend.
    """
    story = tuple(Chapter(str(path), path.resolve(), assemble(read_export(path), secrets)) for path in exports)
    first = story[0].assembly
    for chapter in story[1:]:
        if problem := _of_another(chapter.assembly, first):
            raise ConfigError(
                problem,
                where=chapter.title,
                remedy=f"`amplify-delivery rehearse {shlex.quote(chapter.title)}` rehearses it by itself",
            )
    return story


def _of_another(assembly: Assembly, first: Assembly) -> str:
    """How an export says that it is of another backend than the first one; empty where it can follow that."""
    if assembly.project != first.project:
        return f"is of the app {assembly.project}, the first one of {first.project}"
    if assembly.stack_name.for_environment(ENVIRONMENT) != first.stack_name.for_environment(ENVIRONMENT):
        return f"was exported as {assembly.stack_name}, the first one as {first.stack_name}: no stack can be renamed"
    return ""


def run(
    exports: Sequence[Path],
    *,
    keep: bool,
    json_output: bool,
    secrets: Mapping[tuple[str, str], str] | None = None,
    parameters: Mapping[str, Mapping[str, str]] | None = None,
) -> int:
    """Tell the story. 0 when every chapter ended well, 1 otherwise. Raises what `chapters` does, first of all.

    `secrets` gives values for parameters that must not stand in an export, by (nested stack, parameter); `parameters`
    plain values over those of the exports, by nested stack.
    """
    from aws_rehearsal.setup import ensure_all  # noqa: PLC0415
    from aws_rehearsal.setup.progress import Progress  # noqa: PLC0415

    console = Console(json_output)
    started = time.monotonic()
    secrets = secrets or {}
    story = chapters(exports, secrets)
    made = {k: v for c in story for k, v in lacking(read_export(c.export), c.assembly, secrets).items()}
    if made:
        console.done(said(made))
        secrets = {**made, **secrets}
        story = chapters(exports, secrets)
    project = story[0].assembly.project
    tools = ensure_all(Progress(sys.stderr))
    told = [Told(c.title, str(c.export)) for c in story]
    code = 1
    with _folder(keep) as folder, _stage(folder, tools, keep, console) as stage:
        stage.prepare(project, secrets, parameters)
        try:
            with warm_server.start(folder / HOME, tools.python, PRODUCT):
                for number, (chapter, record) in enumerate(zip(story, told, strict=True), 1):
                    console.heading(f"{number}/{len(story)}  {chapter.title}")
                    stage.deliver(chapter, record)
            code = 0
        except DeliveryError as error:
            told[_reached(told)].outcome = "failed"
            console.problem(str(error))
        if keep:
            stage.explain_keep()
    console.summary([asdict(t) for t in told], time.monotonic() - started, code)
    return code


def _reached(told: list[Told]) -> int:
    return next(i for i, t in enumerate(told) if t.outcome == "not reached")


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    """A folder for the rehearsal; gone afterwards, unless it is kept."""
    folder = Path(tempfile.mkdtemp(prefix=FOLDER))
    try:
        yield folder
    except BaseException:
        keep = False  # as below
        raise
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _stage(folder: Path, tools: Any, keep: bool, console: Console) -> Iterator[Stage]:
    from aws_rehearsal.pipeline_service import PipelineService, local_aws_with_room  # noqa: PLC0415

    console.step("local AWS")
    aws, room = local_aws_with_room(
        tools.local_aws_python, folder=folder / "room", node=tools.node, node_modules=tools.node_modules
    )
    aws.start(folder / "local-aws.log", keep=folder / "local-aws.json" if keep else None)
    try:
        # A container API brings a pipeline of its own.
        path = f"{tools.python.parent}:/usr/local/bin:/usr/bin:/bin"
        with PipelineService(aws, room, build_variables={"PATH": path, "LANG": "C.UTF-8"}, logs=folder / "builds"):
            console.done(f"{aws.endpoint}, identities enforced")
            yield Stage(folder, tools, aws, console)
    except BaseException:
        keep = False  # whoever interrupts wants nothing left
        raise
    finally:
        if not keep:
            aws.stop()


class Stage:
    """Where the story plays: a local AWS, a workspace, and what is deployed in it so far."""

    def __init__(self, folder: Path, tools: Any, aws: Any, console: Console) -> None:
        self.folder, self.tools, self.aws, self.console = folder, tools, aws, console
        self.workspace: Workspace
        self.deployed: Assembly | None = None
        self.inventory: Inventory | None = None

    def prepare(
        self,
        project: str,
        secrets: Mapping[tuple[str, str], str],
        parameters: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """The workspace for the app `project`, in an account with a developer in it."""
        from amplify_delivery_rehearsal.accounts import DEVELOPER  # noqa: PLC0415
        from aws_rehearsal.pulumi_home import prepare  # noqa: PLC0415

        self.account = DEVELOPER
        self.credentials = self.aws.make_admin(self.account)
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_", "PYTHONDONTWRITE"))},
            **prepare(self.folder / HOME, self.tools.python, self.tools.engine_root),
            **self.aws.environment(self.credentials, REGION),
        }
        self.workspace = Workspace.make(self.folder, example.program(self.folder, project), environment)
        self.workspace.rename(project, self.account, REGION, parameters)
        # Of a passphrase the engine would derive a key in each of its operations, which takes it 0.2 s.
        key = self._client("kms").create_key(Description="State of the rehearsal")["KeyMetadata"]["Arn"]
        self.workspace.succeed("stack", "init", ENVIRONMENT, f"--secrets-provider=awskms:///{key}?region={REGION}")
        for (nested, parameter), value in secrets.items():
            path = f"parameters.{nested}.{parameter}"
            self.workspace.succeed("config", "set", "--secret", "--path", path, value, "-s", ENVIRONMENT)

    def deliver(self, chapter: Chapter, record: Told) -> None:
        """Deliver one export with the plain command and hold what was touched against what had to be."""
        assembly = chapter.assembly
        expected = _expected(self.deployed, assembly)
        self._keep_literals(assembly)
        self.workspace.put_export(chapter.export)
        before = self.inventory
        self.console.command(f"pulumi up -s {ENVIRONMENT}")
        finished = self.workspace.succeed("up", "-s", ENVIRONMENT, "--yes", line=self.console.line)
        self.deployed = assembly
        self.inventory = take(self._client("cloudformation"), self._stack_name(assembly))
        touched = _touched(before, self.inventory)
        record.outcome, record.seconds = "delivered", round(finished.seconds, 2)
        record.resources, record.stacks = len(self.inventory.resources), self.inventory.stacks
        record.expected, record.touched = expected, touched
        self.console.delivered(record, self.inventory)
        if before is not None and touched != expected:
            raise FailedError(
                f"touched {_named(touched)}, compare says {_named(expected)}",
                where=chapter.title,
                remedy="this is a defect of the rehearsal or of the assembly: please report it",
            )

    def _keep_literals(self, assembly: Assembly) -> None:
        """Whoever rehearses wants to see her export delivered: what belongs to the environment that it was made in
        (AD212) is taken as it is, and said."""
        literals = sorted({bound.literal for bound in assembly.bound if bound.literal})
        for number, literal in enumerate(literals):
            # One argument: a literal may begin with a hyphen.
            value = f"keptLiterals[{number}]={literal}"
            self.workspace.succeed("config", "set-all", "--path", "--plaintext", value, "-s", ENVIRONMENT)
        if literals:
            self.console.done(f"kept as exported, wrong in any other environment (AD212): {listed(literals)}")

    def explain_keep(self) -> None:
        """How to look into what was kept."""
        self.console.kept(self.aws, self.workspace, REGION, ENVIRONMENT)

    def _client(self, service: str) -> Any:
        return self.aws.client(service, self.credentials, REGION)

    def _stack_name(self, assembly: Assembly) -> str:
        return str(assembly.stack_name.for_environment(ENVIRONMENT))


def _expected(old: Assembly | None, new: Assembly) -> list[str]:
    if old is None:
        return []
    return sorted("/".join(r.path) for r in compare(old, new).resources)


def _touched(before: Inventory | None, after: Inventory) -> list[str]:
    """Leaf resources that are new, gone, replaced, or changed at another time."""
    return after.touched_since(before) if before else []


def _named(names: list[str]) -> str:
    return f"{len(names)} resources ({', '.join(names[:5])}{', ...' if len(names) > 5 else ''})"
