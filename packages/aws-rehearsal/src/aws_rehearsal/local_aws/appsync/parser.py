"""Velocity templates as AppSync takes them: text -> nodes (`syntax`).

Apache Velocity 1.7, "User Guide" and "VTL Reference"; AppSync adds `#return` and the literal `null`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .errors import TemplateError, UnsupportedError
from .syntax import (
    Binary,
    Body,
    Call,
    Expression,
    Foreach,
    If,
    Index,
    Interpolated,
    Leave,
    ListLiteral,
    Literal,
    Macro,
    MacroCall,
    MapLiteral,
    Node,
    Not,
    Property,
    Range,
    Reference,
    Return,
    Set,
    Text,
)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_START = re.compile(r"\$(!?)(\{?)([A-Za-z_][A-Za-z0-9_-]*)")
_DIRECTIVE = re.compile(r"#(?:\{([A-Za-z]+)\}|([A-Za-z_][A-Za-z0-9_]*))")
_NUMBER = re.compile(r"-?\d+(?:\.(?!\.)\d+)?(?:[eE][+-]?\d+)?")
_MACRO = re.compile(r"#macro\s*\(\s*([A-Za-z_][A-Za-z0-9_-]*)")
_TAKES_ARGUMENTS = ("set", "if", "elseif", "foreach", "macro")
_NOT_PLAYED = ("define", "evaluate", "include", "parse")
_ENDS = ("end", "else", "elseif")
_LEVELS: tuple[dict[str, str], ...] = (
    {"||": "||", "or": "||"},
    {"&&": "&&", "and": "&&"},
    {"==": "==", "!=": "!=", "eq": "==", "ne": "!="},
    {"<=": "<=", ">=": ">=", "<": "<", ">": ">", "le": "<=", "ge": ">=", "lt": "<", "gt": ">"},
    {"+": "+", "-": "-"},
    {"*": "*", "/": "/", "%": "%"},
)
_WORDS = {"true": True, "false": False, "null": None}


@lru_cache(maxsize=4096)
def parse(template: str) -> Body:
    """The nodes of a template; raises `TemplateError` with line and column."""
    parser = _Parser(template, frozenset(_MACRO.findall(template)))
    body, end = parser.body(())
    if end:
        parser.fail(f"#{end} without a directive that it ends")
    return body


class _Parser:
    """One template, read from left to right."""

    def __init__(self, text: str, macros: frozenset[str]) -> None:
        self._text = text
        self._at = 0
        self._macros = macros

    def fail(self, reason: str, at: int | None = None) -> None:
        """Raise what is wrong, and where."""
        before = self._text[: self._at if at is None else at]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise TemplateError(f"Encountered an error at line {line}, column {column}: {reason}")

    # Text and directives

    def body(self, ends: tuple[str, ...]) -> tuple[Body, str]:
        """What stands before one of the directives `ends`, and which one that was; none at the template's end."""
        nodes: list[Node] = []
        while self._at < len(self._text):
            found = self._next()
            self._add_text(nodes, self._text[self._at : found])
            self._at = found
            if self._at >= len(self._text):
                break
            name = self._directive_name()
            if name in _ENDS:
                if name not in ends:
                    self.fail(f"#{name} without a directive that it ends")
                self._at = _DIRECTIVE.match(self._text, self._at).end()  # type: ignore[union-attr]
                return tuple(nodes), name
            node = self._reference() if self._text[self._at] == "$" else self._directive(name)
            if node is None:
                self._add_text(nodes, self._text[self._at])
                self._at += 1
            else:
                nodes.append(node)
        if ends:
            self.fail("#end is missing")
        return tuple(nodes), ""

    def _next(self) -> int:
        """Where the next reference, directive or comment may begin; what it is not is text."""
        found = [at for at in (self._text.find(sign, self._at) for sign in "$#") if at >= 0]
        return min(found, default=len(self._text))

    def _add_text(self, nodes: list[Node], text: str) -> None:
        if text and nodes and isinstance(nodes[-1], Text):
            nodes[-1] = Text(nodes[-1].text + text)
        elif text:
            nodes.append(Text(text))

    def _directive_name(self) -> str:
        found = _DIRECTIVE.match(self._text, self._at)
        if found is None:
            return ""
        name = found[1] or found[2]
        takes = name in _TAKES_ARGUMENTS or name in _NOT_PLAYED
        return name if not takes or re.compile(r"\s*\(").match(self._text, found.end()) else ""

    def _directive(self, name: str) -> Node | None:
        if self._comment():
            return Text("")
        if name in _NOT_PLAYED:
            raise UnsupportedError(f"the directive #{name}")
        handler = {
            "set": self._set,
            "if": self._if,
            "foreach": self._foreach,
            "macro": self._macro,
            "return": self._return,
            "break": self._leave,
            "stop": self._leave,
        }.get(name)
        if handler is None and name in self._macros:
            handler = self._macro_call
        if handler is None:
            return None
        self._at = _DIRECTIVE.match(self._text, self._at).end()  # type: ignore[union-attr]
        return handler(name)

    def _comment(self) -> bool:
        for opening, closing in (("##", "\n"), ("#*", "*#")):
            if self._text.startswith(opening, self._at):
                end = self._text.find(closing, self._at + 2)
                self._at = len(self._text) if end < 0 else end + len(closing)
                return True
        return False

    def _set(self, _name: str) -> Node:
        self._expect("(")
        self._space()
        target = self._reference()
        if target is None:
            self.fail("#set needs a reference")
        self._expect("=")
        value = self._expression()
        self._expect(")")
        if self._text.startswith("\n", self._at):
            self._at += 1
        return Set(target, value)  # type: ignore[arg-type]

    def _if(self, _name: str) -> Node:
        branches = []
        end = "elseif"
        while end == "elseif":
            self._expect("(")
            condition = self._expression()
            self._expect(")")
            body, end = self.body(_ENDS)
            branches.append((condition, body))
        otherwise: Body = ()
        if end == "else":
            otherwise, _ = self.body(("end",))
        return If(tuple(branches), otherwise)

    def _foreach(self, _name: str) -> Node:
        self._expect("(")
        self._space()
        reference = self._reference()
        self._space()
        if reference is None or not self._text.startswith("in", self._at):
            self.fail("#foreach is written #foreach( $item in $list )")
        self._at += 2
        items = self._expression()
        self._expect(")")
        body, _ = self.body(("end",))
        return Foreach(reference.name, items, body)  # type: ignore[union-attr]

    def _macro(self, _name: str) -> Node:
        self._expect("(")
        self._space()
        name = self._word("the macro's name")
        parameters = []
        while not self._taken(")"):
            self._taken(",")
            self._expect("$")
            parameters.append(self._word("a parameter's name"))
        body, _ = self.body(("end",))
        return Macro(name, tuple(parameters), body)

    def _macro_call(self, name: str) -> Node:
        self._expect("(")
        arguments = []
        while not self._taken(")"):
            self._taken(",")
            arguments.append(self._expression())
        return MacroCall(name, tuple(arguments))

    def _return(self, _name: str) -> Node:
        if not self._text.startswith("(", self._at):
            return Return(None)
        self._expect("(")
        if self._taken(")"):
            return Return(None)
        value = self._expression()
        self._expect(")")
        return Return(value)

    def _leave(self, name: str) -> Node:
        return Leave(name)

    # References

    def _reference(self) -> Reference | None:
        begin = _START.match(self._text, self._at)
        if begin is None:
            return None
        start, self._at = self._at, begin.end()
        steps: list[Property | Call | Index] = []
        while (step := self._step()) is not None:
            steps.append(step)
        if begin[2]:
            if not self._text.startswith("}", self._at):
                self._at = start
                return None
            self._at += 1
        return Reference(self._text[start : self._at], begin[3], tuple(steps), bool(begin[1]))

    def _step(self) -> Property | Call | Index | None:
        if self._text.startswith("[", self._at):
            self._at += 1
            key = self._expression()
            self._expect("]")
            return Index(key)
        name = _NAME.match(self._text, self._at + 1) if self._text.startswith(".", self._at) else None
        if name is None:
            return None
        self._at = name.end()
        if not self._text.startswith("(", self._at):
            return Property(name[0])
        self._at += 1
        return Call(name[0], self._listed(")"))

    def _listed(self, end: str) -> tuple[Expression, ...]:
        """Expressions with commas between them, up to `end`."""
        found: list[Expression] = []
        while not self._taken(end):
            if found:
                self._expect(",")
            found.append(self._expression())
        return tuple(found)

    # Expressions

    def _expression(self, level: int = 0) -> Expression:
        if level == len(_LEVELS):
            return self._operand()
        left = self._expression(level + 1)
        while (operator := self._operator(_LEVELS[level])) is not None:
            left = Binary(operator, left, self._expression(level + 1))
        return left

    def _operator(self, level: dict[str, str]) -> str | None:
        self._space()
        for written, operator in level.items():
            if not self._text.startswith(written, self._at):
                continue
            end = self._at + len(written)
            if written.isalpha() and _NAME.match(self._text, end):
                continue
            self._at = end
            return operator
        return None

    def _operand(self) -> Expression:
        self._space()
        sign = self._text[self._at : self._at + 1]
        if sign == "!":
            self._at += 1
            return Not(self._operand())
        if sign == "(":
            self._at += 1
            inner = self._expression()
            self._expect(")")
            return inner
        if sign == "$":
            reference = self._reference()
            if reference is not None:
                return reference
        if sign in {'"', "'"}:
            return self._string(sign)
        if sign == "[":
            return self._list()
        if sign == "{":
            return self._map()
        return self._word_or_number()

    def _word_or_number(self) -> Expression:
        number = _NUMBER.match(self._text, self._at)
        if number is not None:
            self._at = number.end()
            whole = number[0].lstrip("-").isdigit()
            return Literal(int(number[0]) if whole else float(number[0]))
        word = _NAME.match(self._text, self._at)
        if word is not None and word[0] in _WORDS:
            self._at = word.end()
            return Literal(_WORDS[word[0]])
        if word is not None and word[0] == "not":
            self._at = word.end()
            return Not(self._operand())
        self.fail(f"an expression is missing before {self._text[self._at : self._at + 12]!r}")
        raise AssertionError

    def _string(self, quote: str) -> Expression:
        """Velocity knows no escapes but the doubled quote."""
        start = self._at
        at = start + 1
        while True:
            at = self._text.find(quote, at)
            if at < 0:
                self.fail("the string does not end", start)
            if not self._text.startswith(quote, at + 1):
                break
            at += 2
        raw = self._text[start + 1 : at].replace(quote * 2, quote)
        self._at = at + 1
        if quote == "'" or not ({"$", "#"} & set(raw)):
            return Literal(raw)
        inner = _Parser(raw, self._macros)
        body, end = inner.body(())
        if end:
            self.fail(f"#{end} without a directive that it ends", start)
        return Interpolated(body)

    def _list(self) -> Expression:
        self._at += 1
        if self._taken("]"):
            return ListLiteral(())
        first = self._expression()
        if self._taken(".."):
            last = self._expression()
            self._expect("]")
            return Range(first, last)
        items = [first]
        while not self._taken("]"):
            self._expect(",")
            items.append(self._expression())
        return ListLiteral(tuple(items))

    def _map(self) -> Expression:
        self._at += 1
        entries: list[tuple[Expression, Expression]] = []
        while not self._taken("}"):
            if entries:
                self._expect(",")
            key = self._expression()
            self._expect(":")
            entries.append((key, self._expression()))
        return MapLiteral(tuple(entries))

    # Characters

    def _space(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _taken(self, sign: str) -> bool:
        self._space()
        if not self._text.startswith(sign, self._at):
            return False
        self._at += len(sign)
        return True

    def _expect(self, sign: str) -> None:
        if not self._taken(sign):
            self.fail(f"{sign!r} is expected before {self._text[self._at : self._at + 12]!r}")

    def _word(self, what: str) -> str:
        self._space()
        found = _NAME.match(self._text, self._at)
        if found is None:
            self.fail(f"{what} is expected")
        self._at = found.end()  # type: ignore[union-attr]
        return found[0]  # type: ignore[index]
