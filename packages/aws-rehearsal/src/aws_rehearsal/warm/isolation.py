"""What a program must not notice of the process that runs it: this package, and what was loaded ahead.

A program finds modules in its own folder first, then among the installed ones, and it may add places. So nothing that
was loaded for it beforehand may count as imported: a program's virtualenv may hold another version of this package,
and anybody's folder a `secrets.py`.
"""

from __future__ import annotations

import builtins
import importlib.abc
import importlib.machinery
import site
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

_begin: set[str] = set()
_imported: dict[str, set[str]] = {}
"""What each package imported while it was loaded ahead, of top-level names."""
_ahead: dict[str, list[str]] = {}
"""The modules that were loaded ahead, by their package: thousands, which no run has to look through."""

_OWN = __name__.partition(".")[0]


@contextmanager
def loading_ahead() -> Iterator[None]:
    """Around whatever is loaded before a program asks for it. What is loaded by now is what every run begins with."""
    _begin.update(_top(name) for name in sys.modules)
    proper = builtins.__import__

    def noted(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> ModuleType:
        if not level:
            _imported.setdefault(_top((globals or {}).get("__name__", "")), set()).add(_top(name))
        return proper(name, globals, locals, fromlist, level)

    builtins.__import__ = noted
    try:
        yield
    finally:
        builtins.__import__ = proper
        not_ahead = _begin | {_OWN}
        for name in sys.modules:
            if _top(name) not in not_ahead:
                _ahead.setdefault(_top(name), []).append(name)


def leave_no_trace() -> None:
    """Takes out this package, and withholds what was loaded ahead until the program's imports lead to it."""
    # The folder of a Pulumi home that was made for it holds a link to it (`pulumi_home.MODULES`).
    sys.path[:] = [entry for entry in sys.path if not Path(entry, _OWN).is_symlink()]
    taken = {
        top: {name: sys.modules.pop(name) for name in names if name in sys.modules} for top, names in _ahead.items()
    }
    # Few are left: this package, and what came since.
    for name in list(sys.modules):
        top = _top(name)
        if top == _OWN or (_begin and top not in _begin):
            taken.setdefault(top, {})[name] = sys.modules.pop(name)
    taken.pop(_OWN, None)
    if taken:
        sys.meta_path.insert(0, _Ahead(taken))


def other_version(folder: Path) -> str:
    """Of which Python a virtualenv is, if this one could not load its compiled packages; else empty."""
    found = sorted(lib.name.removeprefix("python") for lib in folder.glob("lib/python3*") if lib.is_dir())
    return "" if not found or f"{sys.version_info[0]}.{sys.version_info[1]}" in found else found[0]


def use_virtualenv(folder: Path) -> None:
    """Puts a virtualenv's packages before the interpreter's own, as an interpreter of that virtualenv has them; none of
    a virtualenv of an `other_version`.

    What this process has loaded already, the SDK first of all, stays the interpreter's.
    """
    if folder.resolve() == Path(sys.prefix).resolve() or other_version(folder):
        return
    for packages in sorted(folder.glob("lib/python3*/site-packages")):
        before = list(sys.path)
        site.addsitedir(str(packages))
        added = [entry for entry in sys.path if entry not in before]
        place = next((n for n, entry in enumerate(before) if entry.endswith("site-packages")), len(before))
        sys.path[:] = [*before[:place], *added, *before[place:]]


class _Ahead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives out a loaded package where an import would load it from the same file: all of it, and what it imported."""

    def __init__(self, packages: dict[str, dict[str, ModuleType]]) -> None:
        """`packages` are the modules of each by their full names."""
        self._packages = packages

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        loaded = self._packages.get(fullname, {}).get(fullname)
        if loaded is None:
            return None
        found = importlib.machinery.PathFinder.find_spec(fullname)
        if found is None or loaded.__spec__ is None or not found.origin or found.origin != loaded.__spec__.origin:
            return None
        found.loader, found.loader_state = self, (loaded, loaded.__spec__)
        return found

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        loaded: ModuleType = spec.loader_state[0]
        return loaded

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__ = module.__spec__.loader_state[1]
        reached, waiting = set(), [module.__name__]
        while waiting:
            name = waiting.pop()
            if name not in reached and (name == module.__name__ or self.find_spec(name)):
                reached.add(name)
                waiting += _imported.get(name, ())
        for name in reached:
            # Another thread may be about to do the same.
            sys.modules.update(self._packages.pop(name, {}))


def _top(name: str) -> str:
    return name.partition(".")[0]
