"""Resolve a tree of templates as CloudFormation would, without any AWS: parameters passed down through all
nested stacks, conditions, and string intrinsics. What only exists once deployed stays symbolic, qualified by
the path of its stack, so that two resolved trees can be compared resource by resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from amplify_delivery.errors import AssemblyError
from amplify_delivery.export.model import STACK_TYPE
from amplify_delivery.export.templates.composing import append, append_parts, composed
from amplify_delivery.export.templates.conditions import connected
from amplify_delivery.export.templates.expressions import VARIABLE, sub_parts
from amplify_delivery.export.templates.literals import items, text

_ABSENT = object()
"""`AWS::NoValue`: the property is not there."""

IN_STORE = "AWS::SSM::Parameter::Value<"
"""What the type of a parameter begins with whose value is the name of one in Parameter Store."""

Path = tuple[str, ...]
Template = Callable[[Path, Any], tuple[str, Mapping[str, Any]]]
"""Key and body of a nested stack's template, by the stack's path and its resolved TemplateURL; no key and an empty body
for one that is not known."""


@dataclass(frozen=True)
class ResolvedResource:
    """A resource with its properties resolved."""

    type: str
    properties: Any


@dataclass(frozen=True)
class ResolvedStack:
    """A nested stack: its template's key and the parameters that it is given. `url` is its TemplateURL, resolved: where
    that key lies."""

    template: str
    parameters: Mapping[str, Any]
    url: Any = field(default=None, compare=False)


@dataclass(frozen=True)
class Missing:
    """What a stack reads with these parameters, and nothing gives: CloudFormation ends the operation there.

    `mapping`: a mapping without such a key; `output`: one that the nested stack has under a condition only, which does
    not hold; `resource`: one whose condition does not hold.
    """

    stack: Path
    place: str
    """The resource, output or condition that reads it."""
    kind: Literal["mapping", "output", "resource"]
    what: str


@dataclass
class ResolvedTree:
    """Leaf resources and nested stacks by path: logical ids of the stacks, then the resource's. `missing` holds what is
    certainly missing, wherever that depends on nothing that only the deployment knows."""

    resources: dict[Path, ResolvedResource] = field(default_factory=dict)
    stacks: dict[Path, ResolvedStack] = field(default_factory=dict)
    missing: dict[Missing, None] = field(default_factory=dict)
    exports: dict[tuple[Path, str], Any] = field(default_factory=dict)
    """Names of exports, by their stack and output."""
    outputs: dict[tuple[Path, str], Any] = field(default_factory=dict)
    """The values of all outputs, likewise."""
    doubtful: set[Path] = field(default_factory=set)
    """The resources and nested stacks that only perhaps are there: their own condition or that of a stack above them is
    known to the deployment alone."""


def resolve(
    root: Mapping[str, Any],
    parameters: Mapping[str, Any],
    template: Template,
    pseudo: Mapping[str, str] | None = None,
) -> ResolvedTree:
    """Resolve the tree under `root`, called with `parameters`: texts, or an expression where the value is not known.

    `template` gives the key and the body of the nested stack at a path with a TemplateURL, `pseudo` values of pseudo
    parameters (`AWS::Region`; `AWS::StackName` is the root's) that are known. Raises `AssemblyError` for a chain of
    references that is too long to follow.
    """
    tree = ResolvedTree()
    try:
        _Stack((), root, parameters, _Scope(template, tree, pseudo or {})).resolve()
    except RecursionError:
        raise AssemblyError(
            "its stacks, conditions and outputs refer to each other in a chain too long to follow",
            remedy="shorten the chain; CloudFormation has no use for one of hundreds",
        ) from None
    return tree


def constants(template: Mapping[str, Any]) -> dict[str, bool]:
    """The conditions of a template that are always true, or always false: they hang on no parameter, and on nothing
    that only the deployment knows. Malformed ones are none of them."""
    conditions = template.get("Conditions")
    if not isinstance(conditions, Mapping):
        return {}
    # Without the parameters: their defaults are no constants.
    body = {"Conditions": conditions, "Mappings": template.get("Mappings")}
    stack = _Stack((), body, {}, _Scope(lambda *_: ("", {}), ResolvedTree(), {}))
    try:
        truths = {name: stack.condition(name) for name in conditions}
    except RecursionError:  # `resolve` tells of it
        return {}
    return {name: truth for name, truth in truths.items() if truth is not None}


@dataclass(frozen=True)
class _Scope:
    """What all stacks of a tree share."""

    template: Template
    tree: ResolvedTree
    pseudo: Mapping[str, str]


class _Stack:
    """One stack's scope: its parameters, conditions and nested stacks."""

    def __init__(
        self, path: Path, body: Mapping[str, Any], given: Mapping[str, Any], scope: _Scope, *, certain: bool = True
    ) -> None:
        self.path, self.body, self.scope, self.tree = path, body, scope, scope.tree
        self.place = ""
        """What is resolved at the moment."""
        self.exists = certain
        """Whether the stack is there for certain: on its way there is no condition that is not known."""
        self.certain = certain
        """Whether what is resolved at the moment is used for certain."""
        self.parameters: dict[str, Any] = {}
        for name, declaration in (body.get("Parameters") or {}).items():
            value = given.get(name, declaration.get("Default"))
            if declaration["Type"].startswith(IN_STORE) and isinstance(value, str):
                self.parameters[name] = {"Fn::ParameterStore": value}  # CloudFormation reads it there
                continue
            if "List" in declaration["Type"] and isinstance(value, str):
                value = items(value)
            self.parameters[name] = text(value) if isinstance(value, (bool, int, float)) else value
        self.conditions: dict[str, bool | None] = {}
        self.outputs: dict[str, dict[str, Any]] = {}
        self.declared_outputs: dict[str, Mapping[str, Any]] = {}
        self.resources: Mapping[str, Mapping[str, Any]] = body.get("Resources") or {}
        self.busy: set[str] = set()
        """Nested stacks whose outputs are being worked out: who asks for one of these again goes round in a circle."""
        self.open_rules: set[str] = set()
        """Conditions that are being written out, for the same reason."""

    def resolve(self) -> dict[str, Any]:
        """Resolve every resource into the tree; the stack's outputs."""
        for name in self.body.get("Conditions") or {}:
            self.condition(name)  # CloudFormation works all of them out, used or not
        for name, item in self.resources.items():
            if self.condition(item.get("Condition")) is False:
                continue
            if not (self.exists and self.holds(item)):
                self.tree.doubtful.add((*self.path, name))
            if item["Type"] == STACK_TYPE:
                self.nested(name)
            else:
                with self.at(name, item):
                    properties = self.value(item.get("Properties") or {})
                self.tree.resources[*self.path, name] = ResolvedResource(item["Type"], properties)
        outputs = {}
        for name, output in (self.body.get("Outputs") or {}).items():
            if self.condition(output.get("Condition")) is not False:
                with self.at(f"output {name}", output):
                    outputs[name] = self.tree.outputs[self.path, name] = self.value(output["Value"])
                    if "Export" in output:
                        self.tree.exports[self.path, name] = self.value((output["Export"] or {}).get("Name"))
        return outputs

    @contextmanager
    def at(self, place: str, item: Mapping[str, Any]) -> Iterator[None]:
        """While a resource or an output is resolved."""
        before = self.place, self.certain
        self.place, self.certain = place, self.exists and self.holds(item)
        yield
        self.place, self.certain = before

    @contextmanager
    def perhaps(self) -> Iterator[None]:
        """While something is resolved of which nobody knows whether it is used."""
        before, self.certain = self.certain, False
        yield
        self.certain = before

    def holds(self, item: Mapping[str, Any]) -> bool:
        """Whether a resource or an output is there for certain."""
        return "Condition" not in item or self.condition(item["Condition"]) is True

    def lacks(self, kind: Literal["mapping", "output", "resource"], what: str) -> None:
        if self.certain:
            self.tree.missing[Missing(self.path, self.place, kind, what)] = None

    def nested(self, name: str) -> dict[str, Any]:
        """The outputs of nested stack `name`, resolved when first asked for."""
        if name in self.outputs:
            return self.outputs[name]
        if name in self.busy:
            return {}  # a circle, which CloudFormation refuses: keep the reference symbolic
        self.busy.add(name)
        path, item = (*self.path, name), self.resources[name]
        properties = item.get("Properties") or {}
        with self.at(name, item):
            url, given = self.value(properties.get("TemplateURL")), self.value(properties.get("Parameters") or {})
        key, body = self.scope.template(path, url)
        self.tree.stacks[path] = ResolvedStack(key, given, url)
        self.declared_outputs[name] = body.get("Outputs") or {}
        certain = self.exists and self.holds(item)
        self.outputs[name] = _Stack(path, body, given, self.scope, certain=certain).resolve()
        return self.outputs[name]

    def condition(self, name: Any) -> bool | None:
        """A condition's truth; None when it cannot be known before the deployment."""
        if not isinstance(name, str):
            return None
        if name not in self.conditions:
            self.conditions[name] = None  # while it is worked out: a circle is unknown
            with self.at(f"condition {name}", {}):
                self.conditions[name] = self.truth((self.body.get("Conditions") or {}).get(name))
        return self.conditions[name]

    def rule(self, name: Any) -> Any:
        """What an unknown condition says, so that a changed condition is a change."""
        if not isinstance(name, str) or name in self.open_rules:
            return name
        self.open_rules.add(name)
        with self.perhaps():
            rule = self.value((self.body.get("Conditions") or {}).get(name))
        self.open_rules.remove(name)
        return rule

    def truth(self, rule: Any) -> bool | None:
        if not isinstance(rule, Mapping) or len(rule) != 1:
            return None
        (name, argument), *_ = rule.items()
        if name == "Condition":
            return self.condition(argument)
        if not isinstance(argument, list):
            return None
        if name == "Fn::Equals" and len(argument) == 2:
            left, right = (self.value(a) for a in argument)
            known = all(isinstance(v, (str, int, float, bool)) for v in (left, right))
            return text(left) == text(right) if known else None
        return connected(name, [self.truth(a) for a in argument])

    def value(self, value: Any) -> Any:
        """The value with everything resolved that can be known; `_ABSENT` for `AWS::NoValue`.

        What cannot be known stays the function that it is, with resolved arguments and with references that name their
        stack's path: so it equals itself in another deployment, and nothing else.
        """
        if isinstance(value, str):
            return value  # most are: quicker than asking for an abstract type
        if isinstance(value, list):
            return [v for i in value if (v := i if isinstance(i, str) else self.value(i)) is not _ABSENT]
        if not isinstance(value, (dict, Mapping)):
            return value
        if len(value) == 1:
            (name, argument), *_ = value.items()
            if name == "Ref" and isinstance(argument, str):
                return self.reference(argument)
            if name == "Condition" and isinstance(argument, str) and argument in (self.body.get("Conditions") or {}):
                truth = self.condition(argument)
                return {name: self.rule(argument)} if truth is None else truth
            if name.startswith("Fn::"):
                return self.function(name, argument)
        return {k: v for k, i in value.items() if (v := i if isinstance(i, str) else self.value(i)) is not _ABSENT}

    def reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _ABSENT
        if name in self.parameters:
            return self.parameters[name]
        # Known values of these two are the root's: a nested stack has a name and an id of its own.
        of_this = name in ("AWS::StackName", "AWS::StackId")
        if name in self.scope.pseudo and not (of_this and self.path):
            return self.scope.pseudo[name]
        if of_this:
            return {"Ref": name, "of": list(self.path)}
        if self.is_left_out(name):
            self.lacks("resource", name)
        return {"Ref": name} if name.startswith("AWS::") else {"Ref": [*self.path, name]}

    def attribute(self, resource: str, attribute: Any) -> Any:
        item = self.resources.get(resource, {})
        if self.is_left_out(resource):
            self.lacks("resource", resource)
        elif item.get("Type") == STACK_TYPE and isinstance(attribute, str) and attribute.startswith("Outputs."):
            output = attribute.removeprefix("Outputs.")
            outputs = self.nested(resource)
            if output in outputs:
                return outputs[output]
            # Declared, but not among what its stack gives: its condition does not hold.
            if resource in self.outputs and output in self.declared_outputs[resource]:
                self.lacks("output", f"{output} of {resource}")
        return {"Fn::GetAtt": [[*self.path, resource], self.value(attribute)]}

    def is_left_out(self, resource: str) -> bool:
        """Whether a resource of this template is not made, because its condition does not hold."""
        return self.condition(self.resources.get(resource, {}).get("Condition")) is False

    def function(self, name: str, argument: Any) -> Any:
        if name == "Fn::GetAtt":
            parts = argument.split(".", 1) if isinstance(argument, str) else argument
            if isinstance(parts, list) and len(parts) == 2 and isinstance(parts[0], str):
                return self.attribute(parts[0], parts[1])
        elif name == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
            truth = self.condition(argument[0])
            if truth is None:
                # Both branches stay, with the condition written out: another condition of the same name is a change.
                with self.perhaps():
                    branches = (self.value(argument[1]), self.value(argument[2]))
                told = [{"Ref": "AWS::NoValue"} if branch is _ABSENT else branch for branch in branches]
                return {name: [self.rule(argument[0]), *told]}
            return self.value(argument[1] if truth else argument[2])
        elif name == "Fn::Join" and isinstance(argument, list) and len(argument) == 2:
            return self.joined(argument[0], self.value(argument[1]))
        elif name == "Fn::Sub" and (sub := sub_parts(argument)):
            return self.substituted(*sub)
        elif name == "Fn::Select" and isinstance(argument, list) and len(argument) == 2:
            index, items = self.value(argument[0]), self.value(argument[1])
            if index is not _ABSENT and isinstance(items, list) and text(index).isdecimal() and int(index) < len(items):
                return items[int(index)]
        elif name == "Fn::Split" and isinstance(argument, list) and len(argument) == 2:
            source = self.value(argument[1])
            if isinstance(source, str) and isinstance(argument[0], str) and argument[0]:
                return source.split(argument[0])
        elif name == "Fn::FindInMap" and isinstance(argument, list) and len(argument) == 3:
            return self.mapped([self.value(a) for a in argument])
        return {name: self.value(argument)}

    def joined(self, separator: Any, parts: Any) -> Any:
        if not isinstance(parts, list) or not isinstance(separator, str):
            return {"Fn::Join": [separator, parts]}
        flat: list[Any] = []
        for index, part in enumerate(parts):
            append(flat, separator if index else "")
            append_parts(flat, part)
        return composed(flat)

    def substituted(self, source: str, variables: Mapping[str, Any]) -> Any:
        flat: list[Any] = []
        position = 0
        for match in VARIABLE.finditer(source):
            append(flat, source[position : match.start()])
            position = match.end()
            name = match[1].strip()
            if name.startswith("!"):
                append(flat, "${" + name[1:] + "}")
                continue
            if name in variables:
                value = self.value(variables[name])
            elif "." in name:
                value = self.attribute(*name.split(".", 1))
            else:
                value = self.reference(name)
            if value is not _ABSENT:
                append_parts(flat, value)
        append(flat, source[position:])
        return composed(flat)

    def mapped(self, keys: list[Any]) -> Any:
        found: Any = self.body.get("Mappings") or {}
        for depth, key in enumerate(keys):
            if not isinstance(key, str) or not isinstance(found, Mapping):
                return {"Fn::FindInMap": keys}
            if key not in found:
                self.lacks("mapping", f"{'.'.join(keys[:depth])} has no {key}" if depth else f"no mapping {key}")
                return {"Fn::FindInMap": keys}
            found = found[key]
        return found
