"""A second resolver, written for the tests and for nothing else, that shares no code with `amplify_export`.

It reads bodies as CloudFormation does, from a place where they were published, and gives every leaf resource
with the values that a stack of a name, with parameters, would have. What only exists once deployed becomes a
`<...>` text. It understands what real exports use and raises for anything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Fetch = Callable[[str], Any]
"""Gives the body of the template at a TemplateURL."""

GONE = object()


@dataclass
class Deployed:
    """Leaf resources by their path of logical ids, each (type, properties); TemplateURLs by path."""

    resources: dict[str, tuple[str, Any]] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    stack_name: str = "amplify-app-dev-12345"
    """The root's."""


def deploy(
    body: Any, parameters: Mapping[str, Any], fetch: Fetch, stack: str = "root", into: Deployed | None = None
) -> Deployed:
    """Deploy a stack and all below it, on paper."""
    deployed = Deployed() if into is None else into
    Stack(body, parameters, fetch, stack, deployed).run()
    return deployed


class Stack:
    def __init__(self, body: Any, given: Mapping[str, Any], fetch: Fetch, name: str, deployed: Deployed) -> None:
        self.body, self.fetch, self.name, self.deployed = body, fetch, name, deployed
        self.children: dict[str, dict[str, Any]] = {}
        unknown = set(given) - set(body.get("Parameters", {}))
        assert not unknown, f"{name} is given {unknown}, which it does not declare"
        self.parameters = {}
        for parameter, declaration in body.get("Parameters", {}).items():
            assert parameter in given or "Default" in declaration, f"{name}: nobody supplies {parameter}"
            value = given.get(parameter, declaration.get("Default"))
            listed = declaration["Type"] == "CommaDelimitedList" or declaration["Type"].startswith("List<")
            self.parameters[parameter] = value.split(",") if listed and isinstance(value, str) else value

    def run(self) -> dict[str, Any]:
        for name, item in self.body.get("Resources", {}).items():
            if "Condition" in item and not self.holds(item["Condition"]):
                continue
            if item["Type"] == "AWS::CloudFormation::Stack":
                self.child(name)
            else:
                self.deployed.resources[f"{self.name}/{name}"] = (item["Type"], self.value(item.get("Properties", {})))
        return {
            k: self.value(v["Value"])
            for k, v in self.body.get("Outputs", {}).items()
            if "Condition" not in v or self.holds(v["Condition"])
        }

    def child(self, name: str) -> dict[str, Any]:
        if name not in self.children:
            properties = self.value(self.body["Resources"][name]["Properties"])
            url = properties["TemplateURL"]
            self.deployed.urls[f"{self.name}/{name}"] = url
            below = Stack(
                self.fetch(url), properties.get("Parameters", {}), self.fetch, f"{self.name}/{name}", self.deployed
            )
            self.children[name] = below.run()
        return self.children[name]

    def holds(self, condition: str) -> bool:
        return self.true(self.body["Conditions"][condition])

    def true(self, rule: Any) -> bool:
        ((function, argument),) = rule.items()
        if function == "Condition":
            return self.holds(argument)
        if function == "Fn::Equals":
            left, right = (_scalar(self.value(a)) for a in argument)
            return bool(left == right)
        if function == "Fn::Not":
            return not self.true(argument[0])
        if function == "Fn::And":
            return all(self.true(a) for a in argument)
        if function == "Fn::Or":
            return any(self.true(a) for a in argument)
        raise NotImplementedError(function)

    def value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [v for v in map(self.value, value) if v is not GONE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function == "Ref":
                return self.ref(argument)
            if function.startswith("Fn::"):
                return self.call(function, argument)
        return {k: v for k, v in ((k, self.value(v)) for k, v in value.items()) if v is not GONE}

    def ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return GONE
        if name == "AWS::StackName":
            return self.name if "/" in self.name else self.deployed.stack_name
        if name == "AWS::StackId":
            return f"arn:aws:cloudformation:eu-west-1:111122223333:stack/{self.name}/00000000-0000"
        if name == "AWS::Region":
            return "eu-west-1"
        if name.startswith("AWS::"):
            return f"<{name}>"
        return self.parameters.get(name, f"<{self.name}/{name}>")

    def attribute(self, name: str, attribute: str) -> Any:
        item = self.body["Resources"][name]
        if item["Type"] == "AWS::CloudFormation::Stack":
            return self.child(name).get(attribute.removeprefix("Outputs."), f"<{self.name}/{name}.{attribute}>")
        return f"<{self.name}/{name}.{attribute}>"

    def call(self, function: str, argument: Any) -> Any:
        if function == "Fn::GetAtt":
            name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
            return self.attribute(name, attribute)
        if function == "Fn::If":
            return self.value(argument[1] if self.holds(argument[0]) else argument[2])
        if function == "Fn::Join":
            return argument[0].join(_scalar(p) for p in self.value(argument[1]))
        if function == "Fn::Split":
            return self.value(argument[1]).split(argument[0])
        if function == "Fn::Select":
            items = self.value(argument[1])
            return items[int(argument[0])] if int(argument[0]) < len(items) else "<out of range>"
        if function == "Fn::FindInMap":
            mapping: Any = self.body["Mappings"]
            for key in self.value(argument):
                mapping = mapping[key]
            return mapping
        if function == "Fn::Sub":
            text, own = (argument, {}) if isinstance(argument, str) else argument
            return re.sub(r"\$\{([^!}][^}]*)\}", lambda m: _scalar(self.variable(m[1], own)), text).replace("${!", "${")
        if function == "Fn::Base64":
            return {"base64": self.value(argument)}
        if function == "Fn::ImportValue":
            return f"<import {self.value(argument)}>"
        raise NotImplementedError(function)

    def variable(self, name: str, own: Mapping[str, Any]) -> Any:
        if name in own:
            return self.value(own[name])
        head, dot, attribute = name.partition(".")
        return self.attribute(head, attribute) if dot else self.ref(name)


def _scalar(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
