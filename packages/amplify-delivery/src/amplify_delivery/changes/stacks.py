"""A root stack with all nested stacks: as it is deployed, or as it would be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from amplify_delivery.changes.steps import Path
from amplify_delivery.export import Assembly, RootStack
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.export.assembly import canonical
from amplify_delivery.export.documents import parse_json
from amplify_delivery.export.model import STACK_TYPE
from amplify_delivery.export.templates.resolve import ResolvedTree, resolve

MASK = "****"
"""What CloudFormation gives back for a `NoEcho` parameter: its value is not known."""

KEY = re.compile(r"templates/[0-9a-f]{64}\.json")
"""Of a template in the staging bucket; it is made from its content (`AssemblyObject.of_template`)."""

DELETES = "Delete"
"""The `DeletionPolicy` and `UpdateReplacePolicy` of a resource that has none; every other one keeps the data."""


@dataclass(frozen=True)
class Stacks:
    """`templates` by the path of their stack, the root's under (); `parameters` are the root's.

    Of a nested stack whose template is not known, there is none: it is compared by what its parent says of it.
    """

    templates: Mapping[Path, Mapping[str, Any]]
    parameters: Mapping[str, str]

    @classmethod
    def of(
        cls,
        assembly: Assembly,
        root: RootStack,
        parameters: Mapping[str, str],
        parsed: dict[str, Mapping[str, Any]] | None = None,
    ) -> Stacks:
        """What deploying `assembly` with `root`, called with `parameters`, makes.

        `parsed` has templates by their keys, which stand for their content, and gets those that it lacks: whoever makes
        several trees parses what they share once.
        """
        parsed = {} if parsed is None else parsed
        templates: dict[Path, Mapping[str, Any]] = {(): root.template}
        for path, stack in assembly.root.walk():
            if path:
                if stack.template not in parsed:
                    parsed[stack.template] = parse_json(assembly.read(stack.template))
                templates[path] = parsed[stack.template]
        return cls(templates, parameters)

    @cached_property
    def resolved(self) -> ResolvedTree:
        """With no pseudo parameter known: what is compared with another deployment of the same place."""
        return self.resolved_in({})

    def resolved_in(self, pseudo: Mapping[str, str]) -> ResolvedTree:
        """With values of pseudo parameters that are known; `AWS::StackName` is the root's."""

        def template(path: Path, _: Any) -> tuple[str, Mapping[str, Any]]:
            return "", self.templates.get(path, {})  # nobody asks these trees for a template's key

        return resolve(self.templates[()], self.parameters, template, pseudo)

    def known_to(self, other: Stacks) -> Stacks:
        """Without the templates of nested stacks that `other` has too, but whose templates it does not know."""
        unknown = [p for p in self.templates if p and p not in other.templates and other.has_stack(p)]
        if not unknown:
            return self  # with what is resolved of it already
        templates = {p: t for p, t in self.templates.items() if not any(p[: len(u)] == u for u in unknown)}
        return Stacks(templates, self.parameters)

    def resource(self, path: Path) -> Mapping[str, Any]:
        """A resource as its template has it; empty if there is none."""
        found: Mapping[str, Any] = (self.templates.get(path[:-1], {}).get("Resources") or {}).get(path[-1], {})
        return found

    def has_stack(self, path: Path) -> bool:
        """Whether a template has a nested stack there, whether or not its own template is known."""
        return self.resource(path).get("Type") == STACK_TYPE

    def delivered_key(self, path: Path) -> str | None:
        """The key of the template that a stack was delivered with: its parent names it, the root's stands among its
        parameters. None if another tool has delivered it."""
        if path:
            resource = self.resource(path)
            named = (resource.get("Properties") or {}).get("TemplateURL") if resource.get("Type") == STACK_TYPE else ""
        else:
            named = self.parameters.get(TEMPLATE_KEY)
        found = KEY.findall(canonical(named).decode())
        return found[0] if len(found) == 1 else None

    def policy(self, path: Path, name: str) -> str:
        """A resource's `DeletionPolicy` or `UpdateReplacePolicy`."""
        value = self.resource(path).get(name, DELETES)
        return value if isinstance(value, str) else DELETES  # an expression: nothing says that it keeps anything
