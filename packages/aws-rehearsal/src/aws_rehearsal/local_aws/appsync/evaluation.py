"""A parsed template and its variables -> what it writes, or what `#return` gives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from . import syntax, values
from .errors import ResolverError, TemplateError, UnsupportedError
from .parser import parse

_MOST_CALLS = 20
"""How deep macros may call each other."""
_MOST_TURNS = 1_000
"""AppSync's quota "Iterations in a foreach loop in mapping templates". Ranges are bounded by it too: they are made for
loops, and one of a visitor's numbers would fill the memory."""


@dataclass(frozen=True)
class Rendered:
    """What a template wrote."""

    text: str


@dataclass(frozen=True)
class Returned:
    """The value of `#return`, which ends the template."""

    value: Any


class _LeaveError(Exception):
    def __init__(self, directive: str) -> None:
        super().__init__(directive)
        self.directive = directive


class _ReturnError(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def evaluate(template: str, variables: dict[str, Any]) -> Rendered | Returned:
    """Run a template; `variables` (`ctx`, `util`, ...) are changed by `#set`."""
    evaluation = _Evaluation(variables)
    try:
        evaluation.run(parse(template))
    except _ReturnError as returned:
        return Returned(returned.value)
    except _LeaveError:
        pass
    return Rendered(evaluation.text())


class _Loop:
    """`$foreach`."""

    def __init__(self, count: int, size: int) -> None:
        self.count = count
        self.size = size

    def properties(self, name: str) -> Any:
        """Count from one, index from zero, and whether it is the first or last turn."""
        return {
            "count": self.count,
            "index": self.count - 1,
            "first": self.count == 1,
            "last": self.count == self.size,
            "hasNext": self.count < self.size,
        }.get(name)

    def call(self, name: str, arguments: list[Any]) -> Any:
        """Getters."""
        names = {"hasNext": "hasNext", "getIndex": "index", "getCount": "count", "isFirst": "first", "isLast": "last"}
        if name not in names or arguments:
            raise UnsupportedError(f"the method {name} of $foreach")
        return self.properties(names[name])


class _Evaluation:
    def __init__(self, variables: dict[str, Any]) -> None:
        self._variables = variables
        self._macros: dict[str, syntax.Macro] = {}
        self._written: list[str] = []
        self._depth = 0

    def text(self) -> str:
        return "".join(self._written)

    def run(self, body: syntax.Body) -> None:
        for node in body:
            self._node(node)

    def _node(self, node: syntax.Node) -> None:
        match node:
            case syntax.Text():
                self._written.append(node.text)
            case syntax.Reference():
                self._written.append(self._shown(node))
            case syntax.Set():
                self._set(node.target, self.value(node.value))
            case syntax.If():
                self._if(node)
            case syntax.Foreach():
                self._foreach(node)
            case syntax.Leave():
                raise _LeaveError(node.directive)
            case syntax.Return():
                raise _ReturnError(None if node.value is None else self.value(node.value))
            case syntax.Macro():
                self._macros[node.name] = node
            case syntax.MacroCall():
                self._call_macro(node)

    def _shown(self, reference: syntax.Reference) -> str:
        value = self._reference(reference)
        if value is None:
            return "" if reference.quiet else reference.source
        return values.written(value)

    def _set(self, target: syntax.Reference, value: Any) -> None:
        if not target.steps:
            self._variables[target.name] = value
            return
        holder = self._reference(syntax.Reference(target.source, target.name, target.steps[:-1]))
        step = target.steps[-1]
        if holder is None or isinstance(step, syntax.Call):
            return
        key = step.name if isinstance(step, syntax.Property) else self.value(step.key)
        if isinstance(holder, list):
            values.call(holder, "set", [key, value])
        elif isinstance(holder, dict):
            holder[key] = value
        else:
            raise UnsupportedError(f"#set of {target.source}")

    def _if(self, node: syntax.If) -> None:
        for condition, body in node.branches:
            if values.is_true(self.value(condition)):
                self.run(body)
                return
        self.run(node.otherwise)

    def _foreach(self, node: syntax.Foreach) -> None:
        items = self._items(self.value(node.items))
        kept = {name: self._variables[name] for name in _LOOP_NAMES if name in self._variables}
        before = self._variables.get(node.name)
        for count, item in enumerate(items, 1):
            if count > _MOST_TURNS:
                raise TemplateError(f"#foreach has more than {_MOST_TURNS} iterations")
            self._variables[node.name] = item
            self._variables["foreach"] = _Loop(count, len(items))
            self._variables["velocityCount"] = count
            self._variables["velocityHasNext"] = count < len(items)
            try:
                self.run(node.body)
            except _LeaveError as left:
                if left.directive != "break":
                    raise
                break
        for name in _LOOP_NAMES:
            self._variables.pop(name, None)
        self._variables |= kept
        self._variables[node.name] = before

    def _items(self, value: Any) -> list[Any]:
        if isinstance(value, dict):
            return list(value.values())
        return list(value) if isinstance(value, list) else []

    def _call_macro(self, node: syntax.MacroCall) -> None:
        macro = self._macros.get(node.name)
        if macro is None:
            raise ResolverError(f"The macro {node.name} is called before it is defined", "MappingTemplate")
        if self._depth >= _MOST_CALLS:
            raise ResolverError(
                f"Max calling depth of {_MOST_CALLS} was exceeded in macro {node.name}", "MappingTemplate"
            )
        given = [self.value(argument) for argument in node.arguments]
        kept = {name: self._variables.get(name) for name in macro.parameters}
        self._variables |= dict(zip(macro.parameters, [*given, *[None] * len(macro.parameters)], strict=False))
        self._depth += 1
        try:
            self.run(macro.body)
        finally:
            self._depth -= 1
            self._variables |= kept

    # Values

    def value(self, expression: syntax.Expression) -> Any:
        match expression:
            case syntax.Reference():
                return self._reference(expression)
            case syntax.Literal():
                return expression.value
            case syntax.Interpolated():
                return self._interpolated(expression.body)
            case syntax.ListLiteral():
                return [self.value(item) for item in expression.items]
            case syntax.Range():
                return self._range(expression)
            case syntax.MapLiteral():
                return {self._key(key): self.value(value) for key, value in expression.entries}
            case syntax.Not():
                return not values.is_true(self.value(expression.operand))
            case syntax.Binary():
                return self._binary(expression)

    def _key(self, expression: syntax.Expression) -> Any:
        key = self.value(expression)
        return key if isinstance(key, str) else values.written(key)

    def _interpolated(self, body: syntax.Body) -> str:
        outer, self._written = self._written, []
        try:
            self.run(body)
            return self.text()
        finally:
            self._written = outer

    def _range(self, expression: syntax.Range) -> list[int]:
        first, last = self.value(expression.first), self.value(expression.last)
        if not values.is_number(first) or not values.is_number(last):
            return []
        if abs(int(last) - int(first)) >= _MOST_TURNS:
            raise TemplateError(f"A range has more than {_MOST_TURNS} numbers")
        step = 1 if first <= last else -1
        return list(range(int(first), int(last) + step, step))

    def _reference(self, reference: syntax.Reference) -> Any:
        value = self._variables.get(reference.name)
        for step in reference.steps:
            if value is None:
                return None
            match step:
                case syntax.Property():
                    value = values.property_of(value, step.name)
                case syntax.Index():
                    value = values.item_of(value, self.value(step.key))
                case syntax.Call():
                    value = values.call(value, step.name, [self.value(argument) for argument in step.arguments])
        return value

    def _binary(self, node: syntax.Binary) -> Any:
        left = self.value(node.left)
        if node.operator == "&&":
            return values.is_true(left) and values.is_true(self.value(node.right))
        if node.operator == "||":
            return values.is_true(left) or values.is_true(self.value(node.right))
        right = self.value(node.right)
        if node.operator in {"==", "!="}:
            return values.equal(left, right) == (node.operator == "==")
        if node.operator == "+" and (isinstance(left, str) or isinstance(right, str)):
            return values.written(left) + values.written(right)
        if not values.is_number(left) or not values.is_number(right):
            return False if node.operator in _COMPARED else None
        return _COMPARED[node.operator](left, right) if node.operator in _COMPARED else _computed(node, left, right)


_LOOP_NAMES = ("foreach", "velocityCount", "velocityHasNext")
_COMPARED = {
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
}


def _computed(node: syntax.Binary, left: Any, right: Any) -> Any:
    """Java's arithmetic: whole numbers stay whole, towards zero; nothing is divided by zero."""
    if node.operator == "+":
        return left + right
    if node.operator == "-":
        return left - right
    if node.operator == "*":
        return left * right
    if right == 0:
        return None
    whole = isinstance(left, int) and isinstance(right, int)
    if node.operator == "/":
        return math.trunc(left / right) if whole else left / right
    return int(math.fmod(left, right)) if whole else math.fmod(left, right)
