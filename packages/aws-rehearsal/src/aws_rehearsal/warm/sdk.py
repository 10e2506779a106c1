"""What Pulumi's SDK works out of its own code in each run of a program, and would in the next one: worked out ahead.

A run of the example's programs asks a hundred classes for the types of their properties, and each resource for the
address of each file that its constructor was called from: an eighth of the program's processor time. What it waits for
and asks of itself over and over is another eighth (`spare`).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any, get_args
from weakref import WeakKeyDictionary


def work_out(resources: Iterable[str]) -> None:
    """The types of these classes (`pulumi_aws.s3:Bucket`), of their arguments and of what they consist of. The SDK
    keeps what it has found by the class: a program that has classes of another version asks anew."""
    with contextlib.suppress(ImportError):
        _types: Any = import_module("pulumi._types")
        waiting = list(_classes(resources))
        known = set(waiting)
        while waiting:
            found = _types_of(_types, waiting.pop())
            new = {part for each in found for part in _parts(each) if part not in known and _is_typed(_types, part)}
            known |= new
            waiting += new
    _remember_addresses()


def _classes(resources: Iterable[str]) -> Iterator[type]:
    for name in resources:
        module, _, resource = name.partition(":")
        with contextlib.suppress(ImportError, AttributeError):
            declared: type = getattr(import_module(module), resource)
            yield declared
            # Its arguments are beside it, and not always named after it.
            beside = vars(sys.modules[declared.__module__])
            yield from (one for one in beside.values() if isinstance(one, type) and one.__name__.endswith("Args"))


def _types_of(_types: Any, declared: type) -> Iterable[Any]:
    if _types.is_input_type(declared):
        return list(_types.input_type_types(declared).values())
    if _types.is_output_type(declared):
        return list(_types.output_type_types(declared).values())
    return list(_types.resource_types(declared).values()) if hasattr(declared, "urn") else ()


def _is_typed(_types: Any, declared: Any) -> bool:
    return isinstance(declared, type) and bool(_types.is_input_type(declared) or _types.is_output_type(declared))


def _parts(declared: Any) -> Iterator[Any]:
    yield declared
    for part in get_args(declared):
        yield from _parts(part)


def _remember_addresses() -> None:
    with contextlib.suppress(ImportError, AttributeError):
        resource: Any = import_module("pulumi.runtime.resource")
        resource._get_source_position_for_frame = remembering(resource._get_source_position_for_frame)


def remembering(address: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same function of a frame's file and line, asked once for each."""
    known: dict[tuple[str, int | None], Any] = {}

    @functools.wraps(address)
    def remembered(frame: Any) -> Any:
        place = frame.filename, frame.lineno
        if place not in known:
            known[place] = address(frame)
        return known[place]

    return remembered


def spare() -> None:
    """Have the SDK of this process wait for outputs, tell where a resource was made, and read its settings, each at
    once. What comes of it is the same."""
    with contextlib.suppress(ImportError, AttributeError):
        stack: Any = import_module("pulumi.runtime.stack")
        stack.asyncio = _Instead(stack.asyncio, wait=waiting())
    with contextlib.suppress(ImportError, AttributeError):
        resource: Any = import_module("pulumi.runtime.resource")
        resource.traceback = _Instead(resource.traceback, extract_stack=extract_stack)
    with contextlib.suppress(ImportError, AttributeError):
        setting: Any = import_module("pulumi._utils").ContextProperty
        setting.__get__ = reading(setting.__get__)


class _Instead(ModuleType):
    """A module, with something in the place of what it has: for the one that has imported it."""

    def __init__(self, module: ModuleType, **instead: Any) -> None:
        super().__init__(module.__name__)
        vars(self).update(instead)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def waiting() -> Callable[..., Any]:
    """`asyncio.wait` for whoever waits for the first of many tasks, and then for the first of those that are left: it
    adds to each task of each round what tells of its end, and takes it away again."""
    rounds: WeakKeyDictionary[Any, _Round] = WeakKeyDictionary()

    async def wait(
        tasks: Iterable[Any], *, timeout: float | None = None, return_when: str
    ) -> tuple[set[Any], set[Any]]:
        pending = set(tasks)
        if timeout is not None or return_when != asyncio.FIRST_COMPLETED or not pending:
            return await asyncio.wait(pending, timeout=timeout, return_when=return_when)
        loop = asyncio.get_running_loop()
        mine = rounds.setdefault(loop, _Round())
        await asyncio.sleep(0)
        while not (done := {task for task in pending if task.done()}):
            await mine.first(pending, loop)
        return done, pending - done

    return wait


class _Round:
    """Tasks of a loop whose end is told."""

    def __init__(self) -> None:
        self._told: set[Any] = set()
        self._ended: asyncio.Future[None] | None = None

    async def first(self, tasks: set[Any], loop: asyncio.AbstractEventLoop) -> None:
        """Wait until one of them may have ended."""
        for task in tasks - self._told:
            self._told.add(task)
            task.add_done_callback(self._tell)
        self._ended = loop.create_future()
        await self._ended

    def _tell(self, task: Any) -> None:
        self._told.discard(task)
        if self._ended and not self._ended.done():
            self._ended.set_result(None)


def extract_stack() -> traceback.StackSummary:
    """`traceback.extract_stack()` without the text of the lines, which would be read from the files."""
    found = traceback.StackSummary.extract(traceback.walk_stack(sys._getframe(1)), lookup_lines=False)
    found.reverse()
    return found


def reading(get: Callable[..., Any]) -> Callable[..., Any]:
    """A setting's value, asked for once where it is asked for twice: what kind it is, and what it is."""

    @functools.wraps(get)
    def read(self: Any, obj: Any, owner: Any = None) -> Any:
        value = self._data.get(self._ContextProperty__default)
        return self if obj is None or isinstance(value, dict) else value

    return read
