"""The tree of stacks as CloudFormation will walk it: each template with the values it will get."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from amplify_delivery.export.documents import parse_json, parse_yaml
from amplify_delivery.export.templates.resolve import ResolvedTree, resolve
from amplify_delivery.publishing.examination.values import UNKNOWN, Values, scalar, text, texts

if TYPE_CHECKING:
    from amplify_delivery.export.assembly import Assembly

STACK = "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class StackView:
    """One stack of the tree: its path of logical ids (empty for the root), its template's key, the
    template, and the values of its parameters."""

    path: tuple[str, ...]
    key: str
    template: Mapping[str, Any]
    values: Values

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
    return value if isinstance(value, Mapping) else {}


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

    @cached_property
    def keys(self) -> frozenset[str]:
        """Keys of everything that is published, the root included."""
        return frozenset((*(o.key for o in self.assembly.objects), self.root_key))

    @cached_property
    def stacks(self) -> tuple[StackView, ...]:
        """The root and all stacks below it that can be reached, parents first."""
        values = dict.fromkeys(as_mapping(self.root.get("Parameters")), UNKNOWN)
        return tuple(self._walk(StackView((), self.root_key, self.root, values)))

    @cached_property
    def resolved(self) -> ResolvedTree:
        """The tree as CloudFormation will resolve it in this region, as far as that can be known beforehand."""
        views = {view.path: view for view in self.stacks}

        def template(path: tuple[str, ...]) -> tuple[str, Mapping[str, Any]]:
            view = views.get(path)  # none for a stack of the user's own, with a TemplateURL of her own
            return (view.key, view.template) if view else ("", {})

        unknown = {name: {"Ref": name} for name in as_mapping(self.root.get("Parameters"))}
        return resolve(self.root, unknown, template, {"AWS::Region": self.region})

    def file(self, path: tuple[str, ...]) -> str:
        """Where a finding about the stack at `path` points."""
        return next(view.file for view in self.stacks if view.path == path)

    def _walk(self, view: StackView) -> Iterator[StackView]:
        yield view
        for name, _, properties in view.resources(STACK):
            for url in texts(properties.get("TemplateURL"), view.values):
                key = self.key_of(url)
                if key in self.keys and key != view.key:
                    template = self.template(key)
                    passed = {k: text(v, view.values) for k, v in as_mapping(properties.get("Parameters")).items()}
                    yield from self._walk(StackView((*view.path, name), key, template, with_defaults(template, passed)))

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


def with_defaults(template: Mapping[str, Any], passed: Mapping[str, str]) -> Values:
    """Values of a template's parameters: what is passed, else the default, else unknown."""
    values: dict[str, str] = {}
    for name, declaration in as_mapping(template.get("Parameters")).items():
        if name in passed:
            values[name] = passed[name]
        else:
            values[name] = scalar(as_mapping(declaration).get("Default", UNKNOWN))
    return values


def parse(body: bytes) -> Any:
    """A template's document, JSON or YAML."""
    return parse_json(body) if body.lstrip()[:1] == b"{" else parse_yaml(body)
