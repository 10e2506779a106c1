"""Find a backend's outputs by what they are: which output of which nested stack gives an API's id, a bucket's name.

Pure functions over templates. Amplify's logical ids and output names differ between versions of its CLI; a resource's
type and what an output refers to (`Ref`, `Fn::GetAtt`) do not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from amplify_delivery.errors import ConfigError
from amplify_delivery.export import Assembly
from amplify_delivery.export.documents import parse_json

Template = Mapping[str, Any]

_CATEGORIES: Mapping[str, str] = {
    "AWS::AppSync::GraphQLApi": "api",
    "AWS::Cognito::IdentityPool": "auth",
    "AWS::Cognito::UserPool": "auth",
    "AWS::S3::Bucket": "storage",
}
"""The category in which Amplify makes a resource of that type: a custom resource, or hosting, may have another one."""


@dataclass(frozen=True)
class Found:
    """A resource of a first-level nested stack."""

    nested: str
    logical_id: str
    definition: Mapping[str, Any]


class Directory:
    """The resources and outputs of an assembly's first-level nested stacks. Templates are read when first asked for."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly

    @cached_property
    def templates(self) -> Mapping[str, Template]:
        """The templates of the nested stacks, by logical id."""
        stacks = self._assembly.root.nested
        return {name: parse_json(self._assembly.read(stacks[name].template)) for name in sorted(stacks)}

    def all(self, resource_type: str) -> Iterator[Found]:
        """Every resource of that type, by nested stack and logical id."""
        for nested, template in self.templates.items():
            resources = template.get("Resources") or {}
            for logical_id in sorted(resources):
                if resources[logical_id].get("Type") == resource_type:
                    yield Found(nested, logical_id, resources[logical_id])

    def one(self, resource_type: str, nested: str | None = None) -> Found:
        """The resource of that type, in `nested` if given; of several the one in the category that Amplify makes it in.
        Raises `ConfigError` if there is none, or more than one."""
        found = [f for f in self.all(resource_type) if nested in (None, f.nested)]
        category = _CATEGORIES.get(resource_type)
        amplifys = [f for f in found if category and f.nested.startswith(category)]
        for few in (found, amplifys):
            if len(few) == 1:
                return few[0]
        where = nested or f"the export of {self._assembly.project}"
        if not found:
            raise ConfigError(f"there is no {resource_type}", where=where, remedy=self._what_there_is())
        candidates = ", ".join(sorted({f.nested for f in found}))
        raise ConfigError(
            f"there are {len(found)} of {resource_type}, in {candidates}",
            where=where,
            remedy="ask for an output by name: backend.output(NESTED_STACK, OUTPUT)",
        )

    def named(self, category: str, name: str, resource_type: str) -> str:
        """The nested stack of what the Amplify CLI calls `name`; it holds a `resource_type`."""
        nested = f"{category}{name}"
        having = sorted({f.nested for f in self.all(resource_type)})
        if nested in having:
            return nested
        known = ", ".join(n.removeprefix(category) for n in having if n.startswith(category)) or "none"
        raise ConfigError(
            f"there is no {category} {name!r} with {resource_type}",
            where=f"the export of {self._assembly.project}",
            remedy=f"the export has {known}",
        )

    def role_of(self, function: Found) -> Found:
        """The role that a function runs with, of those in its nested stack."""
        roles = [f for f in self.all("AWS::IAM::Role") if f.nested == function.nested]
        given = (function.definition.get("Properties") or {}).get("Role")
        own = [role for role in roles if given in _references(role.logical_id, "Arn")]
        return own[0] if own else self.one("AWS::IAM::Role", function.nested)

    def output(self, found: Found, attribute: str | None = None) -> str | None:
        """The output that gives a resource's `attribute` (its `Ref` if None); None if no output does."""
        for name, declaration in self._outputs(found.nested):
            if declaration.get("Value") in _references(found.logical_id, attribute):
                return name
        return None

    def mentioning(self, found: Found, text: str) -> str | None:
        """The output that is composed from a resource and has `text` in it, such as an address."""
        for name, declaration in self._outputs(found.nested):
            value = repr(declaration.get("Value"))
            if text in value and (f"'{found.logical_id}'" in value or f"${{{found.logical_id}}}" in value):
                return name
        return None

    def _outputs(self, nested: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Those that the root repeats: one under a condition may not be there."""
        outputs = self.templates[nested].get("Outputs") or {}
        return sorted((name, declared) for name, declared in outputs.items() if "Condition" not in declared)

    def _what_there_is(self) -> str:
        types = {r.get("Type") for t in self.templates.values() for r in (t.get("Resources") or {}).values()}
        return f"its nested stacks have {', '.join(sorted(t for t in types if t))}"


def _references(logical_id: str, attribute: str | None) -> list[Any]:
    if attribute is None:
        return [{"Ref": logical_id}, {"Fn::Sub": f"${{{logical_id}}}"}]
    dotted = f"{logical_id}.{attribute}"
    return [{"Fn::GetAtt": [logical_id, attribute]}, {"Fn::GetAtt": dotted}, {"Fn::Sub": f"${{{dotted}}}"}]
