"""What is bound to the exported environment: noted while an export is assembled, refused where it is not right."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from amplify_delivery.errors import ExportRefused
from amplify_delivery.export.assembly import Assembly
from amplify_delivery.export.code import CodeLiteral
from amplify_delivery.export.model import Export
from amplify_delivery.export.names import StackName
from amplify_delivery.export.read import MANIFEST
from amplify_delivery.export.templates.exported import Bound, Exported, Literal, template_literals
from amplify_delivery.export.templates.literals import text
from amplify_delivery.export.values.environment import EnvironmentValues
from amplify_delivery.export.values.parameters import Plan, is_no_echo
from amplify_delivery.findings import Finding

_SHOWN = 80
"""Characters of a literal, or of its place, that a finding shows."""
_WITHOUT_PARAMETER = "make it a parameter in the Amplify project, or write `${env}`"

Called = Mapping[str, Mapping[str, Any]]
"""Parameters by nested stack, as the root calls it: literals and expressions."""


class Bindings:
    """Collects what an export's files say of the environment in which it was made."""

    def __init__(self, exported: Exported) -> None:
        self._exported = exported
        self._bound: set[Bound] = set()
        self._maybe: set[Finding] = set()

    def bound(self) -> tuple[Bound, ...]:
        """All that was noted, sorted: the assembly is the same for every order of files."""
        return tuple(sorted(self._bound, key=lambda b: (b.finding, b.literal)))

    def findings(self, secrets: Collection[tuple[str, str]]) -> frozenset[Finding]:
        """What is worth telling where `secrets` are supplied."""
        told = [b.finding for b in self._bound if b.literal or (b.stack, b.parameter) not in secrets]
        return frozenset({*self._maybe, *told})

    def add(self, bound: Iterable[Bound]) -> None:
        """Note what is known to be bound."""
        self._bound.update(bound)

    def look_at(self, template: Mapping[str, Any], body: bytes, file: str) -> None:
        """Note what a built template says; `body` is its JSON."""
        if not self._exported.suspected(body.decode()):
            return
        for place, literal in template_literals(template, self._exported):
            self._note(literal, file, place)

    def look_at_text(self, content: str, file: str) -> None:
        """Note what a file with a resolver's code says, which is the same for all environments."""
        for literal in self._exported.literals(content):
            self._note(literal, file, "the file")

    def look_at_values(self, export: Export, plans: Mapping[str, Plan]) -> None:
        """Note what values of parameters say, but for those that each environment makes for itself: the manifest's, and
        the defaults of those that nobody passes."""
        for path, stack in export.root.walk():
            if not path:
                continue
            plan = plans[path[0]] if len(path) == 1 else None
            passed = {*plan.values, *plan.wired} if plan else {*stack.parameters, "env"}
            for parameter, declaration in stack.declared.items():
                if is_no_echo(declaration):
                    continue
                owner = path[0] if plan else ""
                if parameter not in passed:
                    default = text(declaration.get("Default", ""))
                    self._note_all(default, stack.file, f"Parameters.{parameter}.Default", owner, parameter)
                elif plan is None or (parameter in plan.values and plan.values[parameter].source == "literal"):
                    given = text(stack.parameters.get(parameter) or "")
                    self._note_all(given, MANIFEST, ".".join((*path, parameter)), owner, parameter)

    def note_code(self, file: str, found: Iterable[CodeLiteral]) -> None:
        """Note what the code in a zip says: told, and refused nowhere."""
        for item in found:
            shown = f"{_middle_cut(item.place)} holds {_middle_cut(item.literal.text)!r}"
            message = f"{shown}, which is or may be {self._exported.environment}'s own"
            remedy = (
                "have the code take it from its settings (`process.env`); if another environment should have it too, "
                "its stack file lists it in `keptLiterals`"
            )
            finding = Finding("AD214", "warning", file, message, remedy)
            self._bound.add(Bound(finding, item.literal.text, place=item.literal.place, refused=False))

    def _note_all(self, value: str, file: str, place: str, stack: str, parameter: str) -> None:
        for literal in self._exported.literals(value):
            self._note(literal, file, place, stack, parameter)

    def _note(self, literal: Literal, file: str, place: str, stack: str = "", parameter: str = "") -> None:
        environment = self._exported.environment
        holds = f"{_middle_cut(place)} holds {_middle_cut(literal.text)!r}"
        if not literal.certain:
            remedy = "if other environments need another one, make it a parameter, and set that in their stack files"
            self._maybe.add(Finding("AD213", "warning", file, f"{holds}, which may be {environment}'s own", remedy))
            return
        remedy = f"other environments refuse it: {_WITHOUT_PARAMETER}"
        if stack:
            remedy = f"other environments refuse it unless they set `parameters`: `{stack}`: `{parameter}`"
        finding = Finding("AD212", "warning", file, f"{holds}, which is right in {environment} only", remedy)
        self._bound.add(Bound(finding, literal.text, stack, parameter if stack else "", literal.place))


def _middle_cut(shown: str) -> str:
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN // 2]}...{shown[-_SHOWN // 2 :]}"


def told(assembly: Assembly, kept: Collection[str]) -> tuple[Finding, ...]:
    """The findings of an assembly that are worth telling an environment which takes the literals `kept`."""
    silent = {bound.finding for bound in assembly.bound if bound.literal in kept}
    return tuple(finding for finding in assembly.findings if finding not in silent)


def check_bound(assembly: Assembly, values: EnvironmentValues, name: StackName, called: Called) -> tuple[Finding, ...]:
    """Refuse what is right in the exported environment only; what a *new* stack of that very name must be refused.

    An environment of another name is another one for certain. One of the same name is the exported one if it is there
    already; a new one is not, so what names an account or an id in it is wrong there too. Raises `ExportRefused`.
    """
    elsewhere = name.environment != assembly.stack_name.environment
    numbers = count(len(values.kept_literals))
    found = [
        _refused(bound, name, numbers)
        for bound in assembly.bound
        if bound.refused and (bound.place or elsewhere) and not _settled(bound, values, called)
    ]
    needed = tuple(f for f, b in found if not b.literal)
    if elsewhere and len(needed) < len(found):
        raise ExportRefused([f for f, b in found if b.literal])
    return tuple(f for f, _ in found)


def _settled(bound: Bound, values: EnvironmentValues, called: Called) -> bool:
    """Whether the environment has said what it wants."""
    if bound.literal in values.kept_literals:
        return True
    if not bound.stack:
        return False
    if not bound.literal:
        return (bound.stack, bound.parameter) in values.secrets
    value = called.get(bound.stack, {}).get(bound.parameter)
    if value is None:
        return False  # its default
    return not isinstance(value, str) or bound.literal not in value


def _refused(bound: Bound, name: StackName, numbers: count[int]) -> tuple[Finding, Bound]:
    if not bound.literal:
        return replace(bound.finding, severity="refused"), bound
    shown = shlex.quote(bound.literal)
    if shown.startswith("-"):
        shown = f"-- {shown}"  # no option
    keep = f"`pulumi config set --path 'keptLiterals[{next(numbers)}]' {shown}`"
    if bound.stack:
        own = f"`pulumi config set --path 'parameters.{bound.stack}.{bound.parameter}' VALUE`"
    else:
        own = _WITHOUT_PARAMETER
    remedy = f"{own}; or, if {name.environment} should have this one too, {keep}"
    return replace(bound.finding, severity="refused", remedy=remedy), bound
