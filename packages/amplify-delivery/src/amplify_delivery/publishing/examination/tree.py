"""The tree of stacks as CloudFormation will walk it: each template with the values it will get."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from amplify_delivery.export.documents import parse_json, parse_yaml
from amplify_delivery.export.templates.literals import text as literal
from amplify_delivery.export.templates.resolve import IN_STORE, ResolvedResource, ResolvedTree, resolve
from amplify_delivery.publishing.examination.values import UNKNOWN, text, texts

if TYPE_CHECKING:
    from amplify_delivery.export.assembly import Assembly


@dataclass(frozen=True)
class StackView:
    """One stack of the tree: its path of logical ids (empty for the root), its template's key, the
    template, and the values of its parameters."""

    path: tuple[str, ...]
    key: str
    template: Mapping[str, Any]
    values: Mapping[str, str]
    """Of its parameters, `UNKNOWN` where only CloudFormation knows them."""

    @property
    def file(self) -> str:
        """Where a finding about it points: the nested stack's path and the template's key."""
        return f"{'/'.join(self.path) or 'root stack'} ({self.key})"

    def resources(self, kind: str | None = None) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
        """(logical id, resource, properties) of all resources, or of those of one type."""
        for name, resource in as_mapping(self.template.get("Resources")).items():
            if isinstance(resource, Mapping) and (kind is None or resource.get("Type") == kind):
                yield name, resource, as_mapping(resource.get("Properties"))


def as_mapping(value: Any) -> Mapping[str, Any]:
    """`value` if it is an object, else an empty one: a template may hold anything anywhere."""
    return value if isinstance(value, (dict, Mapping)) else {}


@dataclass(frozen=True)
class Tree:
    """An assembly and a rendered root, seen from one staging bucket and region.

    The root's own parameters count as unknown: they are names and dates, no locations.
    """

    assembly: Assembly
    root_key: str
    root: Mapping[str, Any]
    staging_bucket: str
    region: str
    parsed: dict[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    """Templates by their keys, as far as they are read: trees of one assembly share them."""
    stack: str = ""
    """The root stack's name, where it is known."""

    @cached_property
    def keys(self) -> frozenset[str]:
        """Keys of everything that is published, the root included."""
        return frozenset((*(o.key for o in self.assembly.objects), self.root_key))

    @cached_property
    def stacks(self) -> tuple[StackView, ...]:
        """The root and all stacks below it whose templates are published, parents first."""
        values = dict.fromkeys(as_mapping(self.root.get("Parameters")), UNKNOWN)
        views = [StackView((), self.root_key, self.root, values)]
        for path, stack in self.resolved.stacks.items():
            if stack.template:
                template = self.template(stack.template)
                passed = {name: text(value) for name, value in stack.parameters.items()}
                views.append(StackView(path, stack.template, template, with_defaults(template, passed)))
        return tuple(views)

    @cached_property
    def resolved(self) -> ResolvedTree:
        """The tree as CloudFormation will resolve it in this region, as far as that can be known beforehand."""
        found: dict[tuple[str, ...], str] = {(): self.root_key}

        def template(path: tuple[str, ...], url: Any) -> tuple[str, Mapping[str, Any]]:
            above = {found.get(path[:depth]) for depth in range(len(path))}
            for key in map(self.key_of, texts(url)):
                if key in self.keys and key not in above:  # no stack is nested in itself
                    found[path] = key
                    return key, self.template(key)
            return "", {}  # a stack of the user's own, with a TemplateURL of her own

        unknown = {name: {"Ref": name} for name in as_mapping(self.root.get("Parameters"))}
        return resolve(self.root, unknown, template, {"AWS::Region": self.region})

    @cached_property
    def _by_stack(self) -> Mapping[tuple[str, ...], Mapping[str, ResolvedResource]]:
        found: dict[tuple[str, ...], dict[str, ResolvedResource]] = {}
        for path, resource in self.resolved.resources.items():
            found.setdefault(path[:-1], {})[path[-1]] = resource
        return found

    def resources(self, view: StackView, kind: str | None = None) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """(logical id, resolved properties) of the resources that a stack makes, or of those of one type."""
        for name, resource in self._by_stack.get(view.path, {}).items():
            if kind is None or resource.type == kind:
                yield name, as_mapping(resource.properties)

    def file(self, path: tuple[str, ...]) -> str:
        """Where a finding about the stack at `path` points."""
        return next(view.file for view in self.stacks if view.path == path)

    def template(self, key: str) -> Mapping[str, Any]:
        """The template under `key`, parsed once."""
        if key not in self.parsed:
            self.parsed[key] = as_mapping(parse(self.assembly.read(key)))
        return self.parsed[key]

    def key_of(self, location: str) -> str | None:
        """The key that an `s3://` or `https://` location of the staging bucket names; None for any other
        location. `UNKNOWN` in it when only CloudFormation knows the key."""
        match = self._location.fullmatch(location)
        return match[1] if match else None

    @cached_property
    def _location(self) -> re.Pattern[str]:
        bucket = re.escape(self.staging_bucket)
        hosts = rf"(?:s3://{bucket}|https?://{bucket}\.s3[^/]*|https?://[^/]*/{bucket})"
        return re.compile(rf"{hosts}/(.*)", re.DOTALL)


def with_defaults(template: Mapping[str, Any], passed: Mapping[str, str]) -> Mapping[str, str]:
    """Values of a template's parameters: what is passed, else the default, else unknown, as of one that CloudFormation
    looks up in Parameter Store."""
    values: dict[str, str] = {}
    for name, declaration in as_mapping(template.get("Parameters")).items():
        if str(as_mapping(declaration).get("Type")).startswith(IN_STORE):
            values[name] = UNKNOWN
        elif name in passed:
            values[name] = passed[name]
        else:
            values[name] = _default(declaration)
    return values


def _default(declaration: Any) -> str:
    default = as_mapping(declaration).get("Default", UNKNOWN)
    return default if default is UNKNOWN else literal(default)


def parse(body: bytes) -> Any:
    """A template's document, JSON or YAML."""
    return parse_json(body) if body.lstrip()[:1] == b"{" else parse_yaml(body)
