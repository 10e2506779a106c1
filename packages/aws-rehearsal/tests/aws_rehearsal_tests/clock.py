"""A clock of their own for the modules that a test is about, and what else it replaces for them alone.

Whoever replaces `time.sleep` itself replaces it for all threads of the process: a service of another test would not
wait any more, and turn in circles.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


class Clock:
    """Stands for `time` in these modules: nobody waits, and it goes on by what was slept, and by nothing else. `then`
    is called with the seconds of each pause."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *modules: ModuleType, then: Callable[[float], object] = lambda _: None
    ) -> None:
        self.slept: list[float] = []
        self._then = then
        for module in modules:
            before = vars(module)["time"]
            assert before is time or isinstance(before, Clock), f"{module.__name__} has something else of this name"
            monkeypatch.setattr(module, "time", self)

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._then(seconds)


def replace_for(monkeypatch: pytest.MonkeyPatch, module: ModuleType, used: ModuleType, **names: Any) -> None:
    """Give `module` another `used` module, in which these names stand for something else."""
    name = used.__name__
    assert vars(module)[name] is used, f"{module.__name__} does not use {name}"
    monkeypatch.setattr(module, name, SimpleNamespace(**{**vars(used), **names}))
