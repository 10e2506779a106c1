"""The smallest rights, which can be compared one by one: the order and the grouping of statements say nothing then."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from amplify_delivery.changes.gained.texts import ALWAYS, When, each, shown
from amplify_delivery.changes.steps import Path

Kind = Literal["action", "principal", "trust", "open", "denial", "boundary", "network"]
"""What is gained: `action`, of a role or user; `principal`, by a resource's own policy; `trust`: who may become a role;
`open`: to whom nobody knows; `denial`: it was denied; `boundary`: it was bounded; `network`: a way in or out."""

ANYONE = "anyone"
"""A principal of which nothing is asked."""


@dataclass(frozen=True)
class Term:
    """Actions or resources: a pattern with `*` and `?`; or all but those that `besides` names."""

    pattern: str = "*"
    besides: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"everything but {', '.join(sorted(self.besides))}" if self.besides else self.pattern

    def covers(self, other: Term, *, caseless: bool) -> bool:
        """Whether it holds all of `other`; False where that is not certain."""
        if self == other or self == Term():
            return True
        if not self.besides and not other.besides:
            return _matches(self.pattern, other.pattern, caseless)
        if self.besides and other.besides:
            return all(any(_matches(t, s, caseless) for t in other.besides) for s in self.besides)
        literal = not set("*?") & set(other.pattern)
        return (
            bool(self.besides)
            and literal
            and not other.besides
            and not any(_matches(s, other.pattern, caseless) for s in self.besides)
        )


@dataclass(frozen=True)
class Condition:
    """One key of a statement's `Condition`: all of them have to hold."""

    operator: str
    key: str
    values: frozenset[str]

    def __str__(self) -> str:
        return f"{self.key} {self.operator} {', '.join(sorted(self.values))}"

    def covers(self, other: Condition) -> bool:
        """Whether it holds wherever `other` holds."""
        if (self.operator, self.key) != (other.operator, other.key):
            return False
        if self.values == other.values or self.operator in ("Null", "Bool"):
            return self.values == other.values
        return self.values <= other.values if "Not" in self.operator else self.values >= other.values


@dataclass(frozen=True)
class Grant:
    """`who` may do `action` with `resource`, if `conditions` and `when` (those of templates) hold. Where it stands, and
    in what type, makes no other grant of it."""

    kind: Kind
    who: str
    action: Term
    resource: Term = Term("")
    conditions: frozenset[Condition] = frozenset()
    when: When = ALWAYS
    denied: bool = False
    path: Path = field(default=(), compare=False)
    type: str = field(default="", compare=False)

    def covers(self, other: Grant) -> bool:
        """Whether it allows (or denies) all that `other` does."""
        return (
            self.kind == other.kind
            and self.denied == other.denied
            and self.who in (other.who, ANYONE)
            and self.when <= other.when
            and self.action.covers(other.action, caseless=True)
            and self.resource.covers(other.resource, caseless=False)
            and all(any(own.covers(o) for o in other.conditions) for own in self.conditions)
        )


def uncovered(grants: Iterable[Grant], by: Iterable[Grant]) -> list[Grant]:
    """Those of `grants` that none of `by` covers."""
    have = frozenset(by)
    left = [grant for grant in grants if grant not in have]
    if not left:
        return []
    # A principal that is anyone covers every other one's; else only grants of the same one can.
    of: dict[tuple[Kind, str], list[Grant]] = {}
    for grant in have:
        of.setdefault((grant.kind, grant.who), []).append(grant)
    return [
        grant
        for grant in left
        if not any(h.covers(grant) for who in {grant.who, ANYONE} for h in of.get((grant.kind, who), ()))
    ]


def conditions(written: Any, when: When) -> tuple[frozenset[Condition], When]:
    """A statement's `Condition`."""
    found = set()
    if not isinstance(written, Mapping):
        return frozenset(), when if written is None else when | {shown(written)}
    for operator, keys in written.items():
        if not isinstance(keys, Mapping):
            found.add(Condition(str(operator), "", frozenset({shown(keys)})))
            continue
        for key, values in keys.items():
            # Keys are compared without case, as IAM does.
            found.add(Condition(str(operator), str(key).lower(), frozenset(shown(v) for v, _ in each(values))))
    return frozenset(found), when


@functools.lru_cache(maxsize=4096)
def _pattern(text: str, caseless: bool) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in text)
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if caseless else 0))


def _matches(pattern: str, text: str, caseless: bool) -> bool:
    """Whether a pattern holds all that another one does: its `*` may stand for the other's `*` and `?`, its `?` for
    one sign that is known or for `?`."""
    if pattern == text:
        return True
    if "*" not in pattern and "?" not in pattern:
        return caseless and pattern.lower() == text.lower()
    if "?" in pattern and "*" in text:
        return False
    return _pattern(pattern, caseless).fullmatch(text) is not None
