"""What a program must not notice of the process that runs it: this package, and what was loaded ahead.

A program finds modules in its own folder first, then among the installed ones, and it may add places. So nothing that
was loaded for it beforehand may count as imported: a program's virtualenv may hold another version of this package,
and anybody's folder a `secrets.py`.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import importlib.abc
import importlib.machinery
import site
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

_begin: set[str] = set()
_imported: dict[str, set[str]] = {}
"""What each package imported while it was loaded ahead, of top-level names."""
_ahead: dict[str, dict[str, ModuleType]] = {}
"""The modules that were loaded ahead, by their package and their full name."""
_late: dict[str, set[str]] = {}
"""For each package of which all modules are loaded, whoever needs them or not: what was loaded before."""
_of_plugins: list[str] = []
"""Those packages that this one has imported, and what they have."""

_OWN = __name__.partition(".")[0]


@contextmanager
def loading_ahead() -> Iterator[None]:
    """Around whatever is loaded before a program asks for it. What is loaded by now is what every run begins with.

    The rest is taken out of `sys.modules`, once for all children: whoever takes a module out writes to it, and a child
    that did so for three thousand had to copy the half of all the pages that it ever writes to.
    """
    _begin.update(_top(name) for name in sys.modules)
    proper = builtins.__import__

    def noted(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> ModuleType:
        # What a function imports is imported when it is called: only a module has its own names as locals.
        if not level and locals is not None:
            importer, imported = _top((globals or {}).get("__name__", "")), _top(name)
            if importer not in _late or imported in _late[importer]:
                _imported.setdefault(importer, set()).add(imported)
        return proper(name, globals, locals, fromlist, level)

    builtins.__import__ = noted
    try:
        yield
    finally:
        builtins.__import__ = proper
        not_ahead = _begin | {_OWN}
        for name in list(sys.modules):
            if _top(name) not in not_ahead:
                _ahead.setdefault(_top(name), {})[name] = sys.modules.pop(name)
        _of_plugins[:] = sorted(_reached(_OWN, _ahead.__contains__))


def only_what_is_loaded(package: str) -> None:
    """Before all modules of a package are loaded: what only the ones import that are seldom needed does not count as
    imported with it. An import of such a module leads to it."""
    _late[package] = {_top(name) for name in sys.modules}


def call_ahead(module: ModuleType, function: str) -> None:
    """Has a function of such a package make what it keeps.

    What it keeps works with modules that nobody imports any more, and may look them up by name (dataclasses do):
    whoever calls it is given, besides, the packages that are seldom needed.
    """
    keeps = getattr(module, function)
    keeps()
    before = _begin | _late.get(_top(module.__name__), set()) | {_OWN, _top(module.__name__)}
    seldom = sorted({_top(name) for name in sys.modules} - before)

    @functools.wraps(keeps)
    def kept(*arguments: Any, **more: Any) -> Any:
        ahead = [finder for finder in sys.meta_path if isinstance(finder, _Ahead)]
        for package in seldom:
            if package not in sys.modules and any(finder.find_spec(package) for finder in ahead):
                importlib.import_module(package)
        return keeps(*arguments, **more)

    setattr(module, function, kept)


def give_out_ahead() -> None:
    """In a child: what was loaded ahead is there for the first import that leads to it."""
    if _ahead:
        sys.meta_path.insert(0, _Ahead(dict(_ahead)))


def bring_back() -> None:
    """In a child that is a plugin of this package: what it has imported counts as imported."""
    for name in _of_plugins:
        sys.modules.update(_ahead[name])


def leave_no_trace() -> None:
    """Takes out this package, and withholds what was loaded ahead until the program's imports lead to it."""
    # The folder of a Pulumi home that was made for it holds a link to it (`pulumi_home.MODULES`).
    sys.path[:] = [entry for entry in sys.path if not Path(entry, _OWN).is_symlink()]
    taken: dict[str, dict[str, ModuleType]] = {}
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
            _forget(fullname)
            return None
        found.loader, found.loader_state = self, (loaded, loaded.__spec__)
        return found

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        loaded: ModuleType = spec.loader_state[0]
        return loaded

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__ = module.__spec__.loader_state[1]
        found = _reached(module.__name__, lambda name: self.find_spec(name) is not None)
        for name in {module.__name__, *found}:
            # Another thread may be about to do the same.
            sys.modules.update(self._packages.pop(name, {}))


def _forget(package: str) -> None:
    """Takes out what a package that was loaded ahead has registered with the SDK, before a program's own does so: the
    SDK, which stays, refuses a second one of the same version."""
    sdk = sys.modules.get("pulumi.runtime.rpc")
    for registered in ("_RESOURCE_PACKAGES", "_RESOURCE_MODULES"):
        for known in vars(sdk).get(registered, {}).values() if sdk else ():
            known[:] = [item for item in known if _top(type(item).__module__) != package]


def _reached(package: str, known: Callable[[str], bool]) -> set[str]:
    """Of the packages that are `known` those that this one imported while it was loaded ahead, and what these did."""
    reached: set[str] = set()
    seen = set(_imported.get(package, ()))
    waiting = [*seen]
    while waiting:
        name = waiting.pop()
        if known(name):
            reached.add(name)
            new = _imported.get(name, set()) - seen
            seen |= new
            waiting += new
    return reached


def _top(name: str) -> str:
    return name.partition(".")[0]
