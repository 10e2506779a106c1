"""What an environment keeps of how it runs: the values that its export does not give. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from amplify_delivery.changes.stacks import MASK, Stacks
from amplify_delivery.components.documents.naming import TAGS
from amplify_delivery.delivery.adoption.running import Running
from amplify_delivery.export import Assembly, EnvironmentValues
from amplify_delivery.export.assembling.auth_roles import IDENTITY_POOL
from amplify_delivery.export.assembly import NestedStack, Value
from amplify_delivery.export.documents import parse_json
from amplify_delivery.export.names import StackName
from amplify_delivery.export.tags import of_stack
from amplify_delivery.export.templates.literals import items, text
from amplify_delivery.export.values.environment import ROOT
from amplify_delivery.export.values.parameters import API_KEY_EXPIRES, holds_secret, is_no_echo

SecretKey = tuple[str, str]
"""A secret parameter: (logical id of the nested stack, parameter)."""
_SETTINGS = (None, "literal", "secret", "stack-name")
"""Where a parameter's value comes from that an environment may set; None: the template's default."""


@dataclass(frozen=True)
class Kept:
    """What goes into the stack file so that the running values stay.

    `parameters` by nested stack, `secrets` with their values, which nobody may see.
    """

    parameters: Mapping[str, Mapping[str, str]]
    secrets: Mapping[SecretKey, str] = field(repr=False)
    unknown: tuple[SecretKey, ...] = ()
    """Secrets that run, whose values CloudFormation does not tell and the stack file does not have."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Of the root stack, which neither the export nor the stack file has: an update that leaves them out takes them
    from every resource (UpdateStack, API reference)."""

    def beside(self, written: Mapping[str, Mapping[str, object]]) -> Kept:
        """Without the parameters that are `written` in the stack file, with whatever value: since the adoption
        somebody has chosen that."""
        left = {
            nested: {name: value for name, value in of.items() if name not in written.get(nested, {})}
            for nested, of in self.parameters.items()
        }
        return replace(self, parameters={nested: of for nested, of in left.items() if of})


def plain_secrets(running: Stacks, assembly: Assembly | None = None) -> dict[SecretKey, str]:
    """The secrets that run in plain text: literal values of parameters that the nested template keeps to itself
    (`NoEcho`), in the running root's template. The CDK construct writes them into the nested template itself: with the
    `assembly` it is known where."""
    found = {}
    for (nested,), body in ((path, body) for path, body in running.templates.items() if len(path) == 1):
        for name, value in _given(running, nested).items():
            declaration = (body.get("Parameters") or {}).get(name)
            if declaration and is_no_echo(declaration) and not isinstance(value, (Mapping, list)):
                found[nested, name] = text(value)
        if assembly and nested in assembly.root.nested:
            found |= {
                (nested, name): value
                for name, value in inlined(body, parse_json(assembly.read(assembly.root.nested[nested].template)))
                if value is not None
            }
    return {key: value for key, value in found.items() if holds_secret(value)}


def kept(running: Running, assembly: Assembly, values: EnvironmentValues, expires: int | None) -> Kept:
    """What of `running` differs from what `assembly` gives with `values`, those of the stack file as it is. `expires`
    is the epoch at which the API keys expire that run, if some do."""
    name = assembly.stack_name.for_environment(values.name, values.own_suffix)
    secrets = {key: value for key, value in plain_secrets(running.stacks, assembly).items() if _takes(assembly, key)}
    parameters: dict[str, dict[str, str]] = {}
    unknown = []
    for nested_name, nested in assembly.root.nested.items():
        declared = parse_json(assembly.read(nested.template)).get("Parameters") or {}
        wired = assembly.root_template["Resources"][nested_name]["Properties"].get("Parameters", {})
        for parameter, value in running.nested.get(nested_name, {}).items():
            key = (nested_name, parameter)
            given = nested.parameters.get(parameter)
            if parameter not in declared or parameter in wired or (given.source if given else None) not in _SETTINGS:
                continue
            if key in values.secrets or key in secrets:
                continue
            if value == MASK or is_no_echo(declared[parameter]):
                if given is not None and given.source == "secret":
                    unknown.append(key)
                continue
            if not same_value(value, _ours(key, nested, declared[parameter], values, name), declared[parameter]):
                parameters.setdefault(nested_name, {})[parameter] = value
    taken = {key: value for key, value in secrets.items() if key not in values.secrets}
    root = dict(_root(running, assembly, values, name, expires))
    tags = dict(_tags(running, assembly, values, name))
    return Kept({**parameters, **({ROOT: root} if root else {})}, taken, tuple(unknown), tags)


def _tags(
    running: Running, assembly: Assembly, values: EnvironmentValues, name: StackName
) -> Iterator[tuple[str, str]]:
    """The tags that somebody beside Amplify has given the root stack. Ours come with the program."""
    known = {key.lower() for key in (*of_stack(assembly.tags, name, {}), *values.tags)}
    for key, value in sorted(running.tags.items()):
        if key.lower() not in known and not key.lower().startswith(TAGS):
            yield key, value


def inlined(runs: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """The values that run as literals where the wanted template refers to a `NoEcho` parameter that the running one has
    not; None where several differ."""
    there = runs.get("Parameters") or {}
    for name, declaration in (wanted.get("Parameters") or {}).items():
        if is_no_echo(declaration) and name not in there:
            literals = set(_literals(runs.get("Resources"), wanted.get("Resources"), name))
            if literals:
                yield name, literals.pop() if len(literals) == 1 else None


def _literals(runs: Any, wanted: Any, parameter: str) -> Iterator[str]:
    if wanted == {"Ref": parameter}:
        if isinstance(runs, str):
            yield runs
    elif isinstance(wanted, Mapping) and isinstance(runs, Mapping):
        for key in wanted.keys() & runs.keys():
            yield from _literals(runs[key], wanted[key], parameter)
    elif isinstance(wanted, list) and isinstance(runs, list):
        for one, other in zip(runs, wanted, strict=False):
            yield from _literals(one, other, parameter)


def _given(stacks: Stacks, nested: str) -> Mapping[str, Any]:
    properties = stacks.resource((nested,)).get("Properties") or {}
    given: Mapping[str, Any] = properties.get("Parameters") or {}
    return given


def _takes(assembly: Assembly, key: SecretKey) -> bool:
    """Whether the export has that parameter too."""
    nested = assembly.root.nested.get(key[0])
    return nested is not None and key[1] in (parse_json(assembly.read(nested.template)).get("Parameters") or {})


def _ours(
    key: SecretKey, nested: NestedStack, declaration: Mapping[str, Any], values: EnvironmentValues, name: StackName
) -> str | None:
    """What the parameter would be without what runs; None if nothing is given."""
    stack, parameter = key
    for layer in (values.parameters, values.from_export):
        if parameter in layer.get(stack, {}):
            return layer[stack][parameter]
    given = nested.parameters.get(parameter)
    if given is not None:
        return _text(given, name)
    default = declaration.get("Default")
    return None if default is None else text(default)


def same_value(runs: str, ours: str | None, declaration: Mapping[str, Any]) -> bool:
    """Whether two values of a parameter are the same: of a list, item by item."""
    if ours is not None and "List" in str(declaration.get("Type")):
        return items(runs) == items(ours)
    return runs == ours


def _text(value: Value, name: StackName) -> str:
    return f"{name}{value.text}" if value.source == "stack-name" else value.text


def _root(
    running: Running, assembly: Assembly, values: EnvironmentValues, name: StackName, expires: int | None
) -> Iterator[tuple[str, str]]:
    """The root's own parameters that differ, and what the export cannot know: the identity pool whose users the auth
    roles trust, and the expiry of the API keys. That one is always given: the engine would drop it, as an ignored
    property that is new."""
    declared = assembly.root_template["Parameters"]
    ours = {k: _text(v, name) for k, v in assembly.root.parameters.items()} | dict(values.parameters.get(ROOT, {}))
    for parameter, value in sorted(running.stacks.parameters.items()):
        if parameter in declared and parameter in ours and value not in (MASK, ours[parameter]):
            yield parameter, value
    if IDENTITY_POOL in declared and IDENTITY_POOL not in ours:
        pools = {outputs["IdentityPoolId"] for outputs in running.outputs.values() if "IdentityPoolId" in outputs}
        if len(pools) == 1:
            yield IDENTITY_POOL, pools.pop()
    if API_KEY_EXPIRES in declared and API_KEY_EXPIRES not in ours:
        yield API_KEY_EXPIRES, str(values.api_key_expires if expires is None else expires)
