"""The nodes of a parsed template: what the parser makes and the evaluation walks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Text:
    """Text that is output as it is."""

    text: str


@dataclass(frozen=True)
class Property:
    """`.name` of a reference."""

    name: str


@dataclass(frozen=True)
class Call:
    """`.name(arguments)` of a reference."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Index:
    """`[expression]` of a reference."""

    key: Expression


@dataclass(frozen=True)
class Reference:
    """`$name` and what follows it; `source` is its text, which is output when it is null and not `quiet` (`$!`)."""

    source: str
    name: str
    steps: tuple[Property | Call | Index, ...] = ()
    quiet: bool = False


@dataclass(frozen=True)
class Literal:
    """A number, a boolean, null, or a string in single quotes."""

    value: Any


@dataclass(frozen=True)
class Interpolated:
    """A string in double quotes: a template of its own."""

    body: Body


@dataclass(frozen=True)
class ListLiteral:
    """`[a, b]`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Range:
    """`[first..last]`, both included."""

    first: Expression
    last: Expression


@dataclass(frozen=True)
class MapLiteral:
    """`{"key": value}`."""

    entries: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True)
class Not:
    """`!operand`."""

    operand: Expression


@dataclass(frozen=True)
class Binary:
    """`left operator right`; the operator in its short form, as `==` or `&&`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Set:
    """`#set( $target = value )`."""

    target: Reference
    value: Expression


@dataclass(frozen=True)
class If:
    """`#if`, `#elseif`, `#else`: the first body whose condition is true, else `otherwise`."""

    branches: tuple[tuple[Expression, Body], ...]
    otherwise: Body


@dataclass(frozen=True)
class Foreach:
    """`#foreach( $name in items )`."""

    name: str
    items: Expression
    body: Body


@dataclass(frozen=True)
class Leave:
    """`#break` or `#stop`."""

    directive: str


@dataclass(frozen=True)
class Return:
    """AppSync's `#return`, with a value or without."""

    value: Expression | None


@dataclass(frozen=True)
class Macro:
    """`#macro( name $parameter ... )`: nothing by itself."""

    name: str
    parameters: tuple[str, ...]
    body: Body


@dataclass(frozen=True)
class MacroCall:
    """`#name(arguments)` of a macro that the template defines."""

    name: str
    arguments: tuple[Expression, ...]


Expression = Reference | Literal | Interpolated | ListLiteral | Range | MapLiteral | Not | Binary
Node = Text | Reference | Set | If | Foreach | Leave | Return | Macro | MacroCall
Body = tuple[Node, ...]
