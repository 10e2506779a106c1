"""requirements.lock of a project: what the engine was tested with, by hash, and the engine's wheel by file and hash.

The text is pip's requirements file format, as uv writes it: an entry begins at the margin, its hashes are indented.
Entries that somebody has changed, or added, are hers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from amplify_delivery.delivery.scaffold.wheels import Wheel

_DATA = "amplify_delivery/delivery/scaffold/requirements.lock"
"""Where a wheel of the engine has the lock of what it needs."""
_ENTRY = re.compile(r"(?m)^(?=[^\s#])")
_PIN = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])? *==")
_ENGINE = re.compile(r"(\./)?[\w./-]*\bamplify_delivery-[^/\s]+\.whl\b")


@dataclass(frozen=True)
class Renewed:
    """A lock with the lines of a newer engine."""

    text: str
    kept: tuple[str, ...]
    """Packages that the newer engine was tested with in another version: somebody has locked them otherwise."""


def of_engine(wheel: Wheel) -> str:
    """The lock that the wheel carries; empty for a wheel without one."""
    return (wheel.read(_DATA) or b"").decode()


def new(wheel: Wheel, path: str) -> str:
    """The lock of a new project that has the wheel at `path`, as `./wheels/NAME.whl`."""
    return _entry(wheel, path) + of_engine(wheel)


def renewed(lock: str, path: str, old: Wheel, wheel: Wheel) -> Renewed:
    """`lock` with the wheel `wheel`, at `path`, instead of `old`. Entries that are as `old` brought them become those
    of `wheel`, new ones are added; all else stays, to the byte."""
    present, before, after = (_by_name(text) for text in (lock, of_engine(old), of_engine(wheel)))
    texts: list[str] = []
    kept: list[str] = []
    for name, entries in present.items():
        wanted = after.get(name, [])
        if _ENGINE.match(entries[0]):
            texts.append(_replaced(entries, [_entry(wheel, path)]))
        elif wanted and _bare(entries) == _bare(before.get(name, [])):
            texts.append(_replaced(entries, wanted))
        else:
            texts += entries
            if wanted and _bare(entries) != _bare(wanted):
                kept.append(name)
    whole = "".join(texts)
    added = "".join(text for name, entries in after.items() if name not in present for text in entries)
    return Renewed(whole + ("\n" if added and whole and not whole.endswith("\n") else "") + added, tuple(kept))


def engine_in(lock: str) -> str | None:
    """The path of the engine's wheel in a lock."""
    found = next((match for text in _ENTRY.split(lock) if (match := _ENGINE.match(text))), None)
    return found[0] if found else None


def _entry(wheel: Wheel, path: str) -> str:
    return f"{path} \\\n    --hash=sha256:{wheel.sha256}\n"


def _by_name(lock: str) -> dict[str, list[str]]:
    """The entries, in their order, by what they are of: a package that has one for each of several Pythons has several.
    What is no pin of a package, such as a file or a comment, stands for itself."""
    found: dict[str, list[str]] = {}
    for text in filter(None, _ENTRY.split(lock)):
        pin = _PIN.match(text)
        found.setdefault(re.sub(r"[-_.]+", "-", pin[1]).lower() if pin else text, []).append(text)
    return found


def _bare(entries: Sequence[str]) -> list[str]:
    """The entries without comments."""
    return [re.sub(r"(?m)^\s*#.*\n?", "", text).strip() for text in entries]


def _replaced(entries: Sequence[str], others: Sequence[str]) -> str:
    """`others`, with the comments of `entries` behind them."""
    comments = [line for text in entries for line in text.splitlines() if line.lstrip().startswith("#")]
    return "".join((*others, *(f"{line}\n" for line in comments)))
