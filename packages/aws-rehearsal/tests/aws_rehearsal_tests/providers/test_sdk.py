"""The stand-in's types are those of the pinned SDK: names, what is required, lists and scalars, outputs.

The SDK is made from the real provider's schema. What it does not tell (defaults, what replaces, what is suppressed) is
in the stand-in's modules, with the source it was read in.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from amplify_delivery.components.documents.rights import provider_calls
from aws_rehearsal.providers import classic
from aws_rehearsal.providers.schema import Prop

TYPES = sorted(provider_calls.types())
TEXTS = {"string", "json", "policy", "template"}
SCALARS = {"str": TEXTS, "bool": {"bool"}, "int": {"int"}}


@dataclass(frozen=True)
class Class:
    """A class of the SDK, read from its text: loading the SDK's types takes far longer."""

    body: ast.ClassDef
    folder: Path

    @property
    def properties(self) -> dict[str, str]:
        """By Pulumi's name: the type, as it is written."""
        found = {}
        for node in self.body.body:
            if isinstance(node, ast.FunctionDef) and node.returns is not None:
                decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
                if "_builtins.property" in decorators:
                    named = re.search(r"getter\(name='(\w+)'\)", " ".join(decorators))
                    found[named[1] if named else node.name] = ast.unparse(node.returns)
        return found

    @property
    def required(self) -> set[str]:
        """The arguments without a default, by Pulumi's name."""
        (init, *_) = [n for n in self.body.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
        given = zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True)
        return {_camel(argument.arg) for argument, default in given if default is None}

    def named(self, name: str) -> Class:
        """Another class of the same service."""
        return _class(self.folder / "_inputs.py", name)


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


@functools.cache
def _classes(file: Path) -> dict[str, ast.ClassDef]:
    body = ast.parse(file.read_text(encoding="utf-8")).body
    return {node.name: node for node in body if isinstance(node, ast.ClassDef)}


def _class(file: Path, name: str) -> Class:
    return Class(_classes(file)[name], file.parent)


def sdk(token: str, suffix: str = "") -> Class:
    """A type's resource class, or that of its arguments with the suffix `Args`."""
    module, name = token.split(":")[1:]
    service, _, file = module.partition("/")
    spec = find_spec("pulumi_aws")
    assert spec and spec.submodule_search_locations
    snake = re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", file)
    found = Path(spec.submodule_search_locations[0], service, f"{snake}.py")
    # `Init` where the service has an input type of the name.
    return _class(found, f"{name}{suffix}" if f"{name}{suffix}" in _classes(found) else f"{name}Init{suffix}")


def differences(prop: Prop, kind: str, where: str, owner: Class) -> list[str]:
    """How a property differs from the SDK's type, such as `pulumi.Input[Sequence[pulumi.Input['RuleArgs']]]`."""
    if "Union[" in kind:
        kind = kind.partition("Union[")[2].partition(",")[0]  # a text, or what the SDK makes a text of
    kind = re.sub(r"pulumi\.Input\[|Optional\[|_builtins\.|[\]']", "", kind)
    if prop.kind == "any":
        return []  # refused by name
    if kind.startswith("Mapping["):
        return [] if prop.kind == "map" else [f"{where}: a map, not {prop.kind}"]
    if kind.startswith("Sequence["):
        listed = [] if prop.kind in ("list", "set") else [f"{where}: a list, not {prop.kind}"]
        return listed + fields_of(prop, kind.removeprefix("Sequence["), where, owner)
    if kind in SCALARS:
        return [] if prop.kind in SCALARS[kind] else [f"{where}: {kind}, not {prop.kind}"]
    if "Asset" in kind:
        return [] if prop.kind == "asset" else [f"{where}: an asset, not {prop.kind}"]
    if kind.endswith("Args"):
        return fields_of(prop, kind, where, owner) if prop.kind == "object" else [f"{where}: an object"]
    # An enumeration or a text: `Union[str, RoutingRule]`, `ResourceType`.
    return [] if prop.kind in TEXTS else [f"{where}: {kind}, not {prop.kind}"]


def fields_of(prop: Prop, kind: str, where: str, owner: Class) -> list[str]:
    if not kind.endswith("Args"):
        return [f"{where}: has no fields"] if prop.fields else []
    return compared(prop.fields, owner.named(kind), where)


def compared(props: Mapping[str, Prop], arguments: Class, where: str) -> list[str]:
    known, needed = arguments.properties, arguments.required
    given = {name: prop for name, prop in props.items() if not prop.output_only}
    found = [f"{where}.{name}: the SDK has no such input" for name in given.keys() - known.keys()]
    found += [f"{where}.{name}: lacks" for name in known.keys() - props.keys()]
    for name in given.keys() & known.keys():
        if given[name].required != (name in needed):
            found.append(f"{where}.{name}: {'' if name in needed else 'not '}required")
        found += differences(given[name], known[name], f"{where}.{name}", arguments)
    return sorted(found)


@pytest.mark.parametrize("token", TYPES)
def test_the_inputs_are_the_sdks(token: str) -> None:
    assert compared(classic.resource(token).props, sdk(token, "Args"), token) == []


@pytest.mark.parametrize("token", TYPES)
def test_the_outputs_are_the_sdks(token: str) -> None:
    assert set(sdk(token).properties) == set(classic.resource(token).props)
