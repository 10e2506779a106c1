"""Tests of a team's own program: run it without an engine and without AWS, and look at what it registers.

    from amplify_delivery import testing

    def test_the_hello_service_is_there() -> None:
        made = testing.run("prod", {"helloService": "true"})
        assert made.one("aws-native:lambda:Function").inputs["functionName"] == "myapp-prod-hello"

`run` is the project's own `__main__.py` with the stack file of that name; Pulumi's mocks answer as the providers do,
with an id, the inputs, and what AWS makes up. Nothing is published, and no hook runs. "Unit testing" in Pulumi's
documentation; its `Mocks` do not see a resource's options, the monitor does, so this is a `MockMonitor`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import runpy
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pulumi
from pulumi.runtime import mocks, rpc, settings, stack
from pulumi.runtime import resource as registering
from pulumi.runtime.config import set_all_config
from pulumi.runtime.proto import source_pb2

from amplify_delivery.components.documents.rights.pulumi_types import PROVIDERS, ROOT_STACK, cloudformation_type
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import RootStack, render_root
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.config.reader import is_secure, own_keys_in, project_defaults

with warnings.catch_warnings():
    # pulumi_aws.s3 warns about its own deprecated names when it is loaded.
    warnings.simplefilter("ignore", DeprecationWarning)
    from amplify_delivery.stacks import backend

# What is imported stays. To look through it for garbage again and again, and again as pytest ends, was a sixth of the
# time that a team's tests take.
gc.freeze()

STACK = ROOT_STACK
STASH = "pulumi:index:Stash"
UNKNOWN = "<unknown>"
MADE_UP = ("apiId", "apiEndpoint", "integrationId")
"""What AWS makes up for native resources."""


@dataclass(frozen=True)
class Registered:
    """A resource that the program has registered."""

    type: str
    """As in Pulumi's state: `aws:s3/bucket:Bucket`, `aws-native:iam:Role`."""
    name: str
    urn: str
    inputs: Mapping[str, Any]
    """By the names that the engine sees (`functionName`), secrets in plain."""
    secret: frozenset[str]
    """The top-level inputs that were secret, or held a secret."""
    request: Any
    """What the engine was asked for (`RegisterResourceRequest`): its options."""

    @property
    def depends_on(self) -> set[str]:
        """URNs."""
        return set(self.request.dependencies)

    @property
    def provider(self) -> str:
        """The provider that makes it, as `URN::ID`."""
        return str(self.request.provider)


@dataclass
class Recording:
    """What a program did: its resources in the order of their registration, its exports, what it said."""

    resources: list[Registered] = field(default_factory=list)
    component_outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """By the component's URN."""
    exports: dict[str, Any] = field(default_factory=dict)
    """The stack's outputs; `UNKNOWN` for what a preview does not know."""
    secret_exports: set[str] = field(default_factory=set)
    hooks: dict[str, Callable[..., Any]] = field(default_factory=dict)
    messages: list[tuple[int, str]] = field(default_factory=list)
    """What it logged, with the level of `logging`."""
    result: Any = None

    def one(self, type_: str, name: str | None = None) -> Registered:
        """The only resource of that type (and name). Raises `AssertionError` unless there is exactly one."""
        found = [r for r in self.resources if r.type == type_ and name in (None, r.name)]
        if len(found) != 1:
            there = [(r.type, r.name) for r in self.resources]
            raise AssertionError(f"there are {len(found)} of type {type_!r}, name {name!r}, among {there}")
        return found[0]

    def all(self, type_: str) -> list[Registered]:
        """All resources of a Pulumi type, in the order of their registration."""
        return [r for r in self.resources if r.type == type_]

    def outputs_of(self, type_: str) -> Mapping[str, Any]:
        """What the only component of that type registers as its outputs."""
        return self.component_outputs[self.one(type_).urn]

    @property
    def beside_backend(self) -> list[Registered]:
        """The AWS resources that are neither the backend's nor its staging area's: what the stage adds, which `deploy`
        makes with its own rights."""
        ours = ("amplify-delivery:index:AmplifyBackend$", "amplify-delivery:index:StagingArea$")
        known = {r.urn: r for r in self.resources}

        def is_ours(found: Registered | None) -> bool:
            # With mocks a URN has the type of the parent alone, and not of what is above that.
            return found is not None and (
                any(part in found.urn for part in ours) or is_ours(known.get(found.request.parent))
            )

        return [r for r in self.resources if r.type.split(":")[0] in PROVIDERS and not is_ours(r)]

    @property
    def program_types(self) -> frozenset[str]:
        """The CloudFormation types of `beside_backend`, as `programTypes` of the account's stack file names them; a
        Pulumi type that has none stays as it is (its rights stand in `deployRights`)."""
        return frozenset(cloudformation_type(r.type) or r.type for r in self.beside_backend)

    def run_hook(self, name: str) -> None:
        """Run a hook as the engine does before a create."""
        asyncio.run(self.hooks[name](pulumi.ResourceHookArgs("urn", "", name, "type", new_inputs={})))

    def run_error_hook(self, name: str, error: str) -> bool:
        """Run an error hook as the engine does after a failed create: whether it is to be tried again."""
        event = pulumi.ErrorHookArgs("urn", "", name, "type", new_inputs={}, failed_operation="create", errors=[error])
        again: bool = asyncio.run(self.hooks[name](event))
        return again


class _Provider(mocks.Mocks):
    """Gives each resource an id, its inputs back, and what a test wants of a few."""

    def __init__(
        self, states: Mapping[str, Mapping[str, Any]], answers: Mapping[str, Mapping[str, Any]], *, preview: bool
    ) -> None:
        self.states, self.answers, self.preview = states, answers, preview

    def call(self, args: mocks.MockCallArgs) -> Any:
        if args.token in self.answers:
            return self.answers[args.token]
        raise AssertionError(f"the program asks AWS ({args.token}), and the test has no answer: `answers` gives one")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        state = {**args.inputs}
        if args.typ == STASH:
            state["output"] = args.inputs["input"]
        elif args.typ == "aws:secretsmanager/secretVersion:SecretVersion":
            state["versionId"] = f"version-of-{args.name}"
        elif args.typ.startswith("aws:"):
            state["arn"] = f"arn:aws:::{args.name}"
        elif args.typ.startswith("aws-native:"):
            state.update({"arn": f"arn:aws:::{args.name}", **{key: f"{args.name}-{key}" for key in MADE_UP}})
        state.update(self.states.get(args.typ, {}))
        state.update(self.states.get(args.name, {}))
        return ("" if self.preview else f"{args.name}-id"), state


class _Monitor(mocks.MockMonitor):
    def __init__(self, provider: mocks.Mocks, recording: Recording) -> None:
        super().__init__(provider)
        self.recording = recording

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - gRPC names its methods so
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != "pulumi:pulumi:Stack":
            raw = rpc.deserialize_properties(request.object, keep_unknowns=True)
            secret = frozenset(k for k, v in raw.items() if _holds_secret(v))
            self.recording.resources.append(
                Registered(request.type, request.name, response.urn, _plain(raw), secret, request)
            )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        self.recording.component_outputs[request.urn] = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


class _Handler(logging.Handler):
    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self.recording = recording

    def emit(self, record: logging.LogRecord) -> None:
        self.recording.messages.append((record.levelno, record.getMessage()))


def _holds_secret(value: Any) -> bool:
    if rpc.is_rpc_secret(value):
        return True
    if isinstance(value, Mapping):
        return any(map(_holds_secret, value.values()))
    return isinstance(value, list) and any(map(_holds_secret, value))


def _plain(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return _plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list) else value


@contextlib.contextmanager
def _remembering_hooks(recording: Recording) -> Iterator[None]:
    """While a program runs, its hooks are kept by their names: the mocks call none."""
    real, real_error = pulumi.ResourceHook.__init__, pulumi.ErrorHook.__init__

    def hook(self: Any, name: str, func: Any, opts: Any = None) -> None:
        recording.hooks[name] = func
        real(self, name, func, opts)

    def error_hook(self: Any, name: str, func: Any) -> None:
        recording.hooks[name] = func
        real_error(self, name, func)

    pulumi.ResourceHook.__init__ = hook  # type: ignore[method-assign]
    pulumi.ErrorHook.__init__ = error_hook  # type: ignore[method-assign]
    try:
        yield
    finally:
        pulumi.ResourceHook.__init__ = real  # type: ignore[method-assign]
        pulumi.ErrorHook.__init__ = real_error  # type: ignore[method-assign]


class _Kept(ThreadPoolExecutor):
    """Threads in which the SDK calls the mocks, for all programs of a process: with a loop of its own each, which the
    SDK makes, they are a seventh of a program's time."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Called by a program's loop when it is closed; the next program goes on with the threads."""


_THREADS = _Kept(thread_name_prefix="pulumi-program")


def _kept_task(tasks: list[asyncio.Task[Any]], loop: Any, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
    """asyncio knows a loop's tasks by looking through those of all loops, which for hundreds of programs takes long."""
    tasks.append(task := asyncio.Task(coroutine, loop=loop, **options))
    return task


def _loop(tasks: list[asyncio.Task[Any]]) -> asyncio.AbstractEventLoop:
    """A loop for one program, which adds its tasks to `tasks`."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    loop.set_task_factory(partial(_kept_task, tasks))
    loop.set_default_executor(_THREADS)
    return loop


def record(
    program: Callable[[], Any],
    *,
    project: str = "app",
    name: str = "dev",
    config: Mapping[str, Any] | None = None,
    secret_keys: tuple[str, ...] = (),
    directory: Path | None = None,
    states: Mapping[str, Mapping[str, Any]] | None = None,
    answers: Mapping[str, Mapping[str, Any]] | None = None,
    preview: bool = False,
) -> Recording:
    """Run `program` as stack `name` of `project`; raises what it raises. `config` has bare keys.

    `states` adds to what the mocks give back, by type or name; `answers` are those of functions, by token.
    """
    recording = Recording()
    logger = logging.Logger("pulumi-program", logging.INFO)
    logger.addHandler(_Handler(recording))
    tasks = list[asyncio.Task[Any]]()
    loop = _loop(tasks)
    asyncio.set_event_loop(loop)
    # A program's root belongs to its loop, and is made only if there is none.
    settings.ROOT.set(None)
    settings.SETTINGS.outputs.clear()  # a program that failed leaves tasks of its own loop
    provider = _Provider({} if states is None else states, answers or {}, preview=preview)
    monitor = _Monitor(provider, recording)
    mocks.set_mocks(provider, project=project, stack=name, preview=preview, logger=logger, monitor=monitor)
    settings.SETTINGS.root_directory = str(directory) if directory else None
    own = {k if ":" in k else f"{project}:{k}": v for k, v in (config or {}).items()}
    values = {k: v if isinstance(v, str) else json.dumps(v) for k, v in own.items()}
    set_all_config(values, [f"{project}:{k}" for k in secret_keys])

    async def exports() -> None:
        root = pulumi.runtime.get_root_resource()
        for key, value in root.outputs.items() if isinstance(root, stack.Stack) else ():
            output = pulumi.Output.from_input(value)
            known = await output.is_known()
            recording.exports[key] = await output.future() if known else UNKNOWN
            if await output.is_secret():
                recording.secret_exports.add(key)

    def body() -> None:
        recording.result = program()

    try:
        # Where in the program a resource is made, mocks tell nobody: a tenth of the time goes into finding it out. An
        # SDK without that function is as good.
        without_places = patch.object(registering, "_get_stack_trace", source_pb2.StackTrace, create=True)
        with _remembering_hooks(recording), without_places:
            loop.run_until_complete(stack.run_pulumi_func(body))
            loop.run_until_complete(exports())
    finally:
        pending = [task for task in tasks if not task.done()]
        for task in pending:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        loop.close()
    return recording


def project(directory: Path | None = None) -> Project:
    """The project that `directory`, by default the working directory, lies in, with its stack files as the engine reads
    them. Raises `ConfigError` if there is no Pulumi.yaml there, nor above."""
    start = (directory or Path()).resolve()
    for folder in (start, *start.parents):
        if (folder / "Pulumi.yaml").is_file():
            return Project(folder)
    raise ConfigError("there is no Pulumi.yaml here", where=str(start), remedy="run the tests in the project's folder")


def run(
    stack: str,
    config: Mapping[str, Any] | None = None,
    *,
    directory: Path | None = None,
    states: Mapping[str, Mapping[str, Any]] | None = None,
    answers: Mapping[str, Mapping[str, Any]] | None = None,
    preview: bool = False,
) -> Recording:
    """Run the project's `__main__.py` as the stack `stack`, with its stack file and `config` over it (bare keys, values
    as they are written in YAML, flags as "true"). A secret of the file has the value "secret", an output of the root
    stack its own name.

    `states` adds to what resources give back, by type or name; `answers` are those of functions (`aws.get_...`), by
    token. Raises what the program raises: `pulumi.RunError` for what a file has wrong.
    """
    here = project(directory)
    file = here.file(stack)
    given = {**(own_keys_in(file) if file.is_file() else project_defaults(here.directory)), **(config or {})}
    values = {key: _decrypted(value) for key, value in given.items()}
    answered = {**(states or {})}

    def rendered(*arguments: Any) -> RootStack:
        """What CloudFormation gives for the stack's outputs is known when its template is."""
        root = render_root(*arguments)
        outputs = {name: name for name in root.template.get("Outputs", {})}
        answered[STACK] = {"outputs": outputs, **(states or {}).get(STACK, {})}
        return root

    def program() -> None:
        # As the engine does it, with the project's folder on `sys.path`.
        # Tests come before images are built: their addresses have digests of zeros.
        with patch.object(backend, "render_root", rendered), patch.object(backend, "check_built"):
            runpy.run_path(str(here.directory), run_name="__main__")

    return record(
        program,
        project=here.app,
        name=stack,
        config=values,
        secret_keys=tuple(key for key, value in given.items() if values[key] != value),
        directory=here.directory,
        states=answered,
        answers=answers,
        preview=preview,
    )


def _decrypted(value: Any) -> Any:
    if is_secure(value):
        return "secret"
    if isinstance(value, Mapping):
        return {key: _decrypted(item) for key, item in value.items()}
    return [_decrypted(item) for item in value] if isinstance(value, list) else value
