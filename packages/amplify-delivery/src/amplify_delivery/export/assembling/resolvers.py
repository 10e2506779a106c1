"""Resolvers made free of the environment in which their API was compiled.

The GraphQL transformer writes two things into resolvers that belong to one environment: the names of roles that may do
everything (`adminRoles`: those of the app's own functions, made as `NAME-ENV`), and the id of the identity pool whose
users are let in by IAM. Elsewhere the API would deny its own functions, and its users. See amplify-category-api,
graphql-auth-transformer: `generateAuthExpressionForAdminRoles`, `identityPoolId`.

Newer transformers write them into the templates (`$ctx.stash.put("adminRoles", [...])`), older ones into VTL files
(`#set( $adminRoles = [...] )`). A file is the same for all environments, so such a one moves into the template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.export.documents import several
from amplify_delivery.export.model import ExportedStack
from amplify_delivery.export.templates.exported import IDENTITY_POOL, Exported
from amplify_delivery.export.templates.expressions import Ref, Segment, compose, flatten, names_in

IDENTITY_POOL_PARAMETER = "AuthIdentityPoolId"
"""The parameter by which a template gets the identity pool of its own environment."""
IDENTITY_POOL_OUTPUT = "IdentityPoolId"
"""The output of the auth stack that gives it."""

TYPES = frozenset({"AWS::AppSync::Resolver", "AWS::AppSync::FunctionConfiguration"})
TEXTS: Mapping[str, tuple[str, int]] = {
    "RequestMappingTemplate": ("RequestMappingTemplateS3Location", 65_536),
    "ResponseMappingTemplate": ("ResponseMappingTemplateS3Location", 65_536),
    "Code": ("CodeS3Location", 32_768),
}
"""The properties with a resolver's text, what names a file instead, and the most characters that AppSync takes (API
reference, CreateResolver and CreateFunction)."""

SIGNS = (b"adminRoles", b"dentityPoolId")
"""What a file holds, at least one of them, in which there is anything to be freed."""

_ROLES = re.compile(r"(?:\.put\(\s*\"adminRoles\"\s*,\s*|#set\(\s*\$adminRoles\s*=\s*)(?P<list>\[[^\]]*\])")
_QUOTED = re.compile(r'"(?P<name>[^"\\]*)"')
_IN_USE = re.compile(r"(?:\"identityPoolId\"\s*,\s*|cognitoIdentityPoolId\s*==\s*)[\"'](?P<id>[^\"']+)[\"']")


def identity_pools(texts: Iterable[str]) -> frozenset[str]:
    """The ids of identity pools that resolvers compare their callers with."""
    return frozenset(m["id"] for text in texts for m in _IN_USE.finditer(text) if IDENTITY_POOL.fullmatch(m["id"]))


def written_texts(stack: ExportedStack) -> Iterator[str]:
    """The literal parts of the resolvers' texts that stand in a template."""
    for item in stack.resources.values():
        if item["Type"] in TYPES:
            properties = item.get("Properties") or {}
            for name in TEXTS:
                yield from (s for s in flatten(properties.get(name, "")) if isinstance(s, str))


def auth_stack(root: ExportedStack) -> str | None:
    """The nested stack that makes the app's identity pool; None if there is none, or more than one."""
    found = [
        name
        for name, stack in root.nested.items()
        if IDENTITY_POOL_OUTPUT in (stack.template.get("Outputs") or {})
        and any(item["Type"] == "AWS::Cognito::IdentityPool" for item in stack.resources.values())
        and "Condition" not in stack.template["Outputs"][IDENTITY_POOL_OUTPUT]
    ]
    return found[0] if len(found) == 1 else None


def waits_for(root: ExportedStack, name: str, other: str) -> bool:
    """Whether nested stack `name` of the root is made after `other`, directly or not, or is the same."""
    seen: set[str] = set()
    pending = [name]
    while pending:
        current = pending.pop()
        if current == other:
            return True
        if current in seen or current not in root.resources:
            continue
        seen.add(current)
        item = root.resources[current]
        pending += several(item.get("DependsOn"))
        pending += names_in(item.get("Properties"))
    return False


@dataclass(frozen=True)
class Freed:
    """How resolvers are freed: `environment` is the parameter that holds the environment's name, `pools` the ids that
    `IDENTITY_POOL_PARAMETER` stands for; empty: the one that a text itself compares its caller with. None where there
    is no such parameter to be had."""

    exported: Exported
    environment: str | None
    pools: frozenset[str] | None

    def text(self, value: Any) -> Any:
        """The text of a resolver, freed; the very `value` if it holds nothing of the environment."""
        if isinstance(value, str) and not any(sign.decode() in value for sign in SIGNS):
            return value
        segments = flatten(value)
        new = [part for s in segments for part in (self._parts(s) if isinstance(s, str) else [s])]
        return value if new == segments else compose(new)

    def _parts(self, text: str) -> list[Segment]:
        cuts: list[tuple[int, int, Ref]] = []
        if self.environment and f"-{self.exported.environment}" in text:
            for roles in _ROLES.finditer(text):
                for quoted in _QUOTED.finditer(text, roles.start("list"), roles.end("list")):
                    if self.exported.names(quoted["name"]):
                        end = quoted.end("name")
                        cuts.append((end - len(self.exported.environment), end, Ref(self.environment)))
        if self.pools is not None and "dentityPoolId" in text:
            pools = self.pools or identity_pools([text])
            ids = (m for m in IDENTITY_POOL.finditer(text) if m[0] in pools)
            cuts += [(m.start(), m.end(), Ref(IDENTITY_POOL_PARAMETER)) for m in ids]
        parts: list[Segment] = []
        position = 0
        for start, end, ref in sorted(cuts, key=lambda cut: cut[0]):
            parts += [text[position:start], ref]
            position = end
        return [part for part in (*parts, text[position:]) if part != ""]


def free(
    resources: dict[str, Mapping[str, Any]], freed: Freed, file_text: Callable[[Any], str | None]
) -> tuple[list[str], frozenset[str]]:
    """Free the resolvers and pipeline functions of a template, in place; their logical ids, and what parameters they
    use.

    `file_text` gives the text of the file that a location means, or None.
    """
    names: list[str] = []
    used: set[str] = set()
    for name, item in resources.items():
        if item["Type"] not in TYPES:
            continue
        properties = item.get("Properties") or {}
        changed = _changed(properties, freed, file_text)
        if not changed:
            continue
        gone = {TEXTS[text][0] for text in changed}
        rest = {k: v for k, v in properties.items() if k not in gone}
        resources[name] = {**item, "Properties": {**rest, **changed}}
        names.append(name)
        used |= {s.name for value in changed.values() for s in flatten(value) if isinstance(s, Ref)}
    return names, frozenset(used & {freed.environment, IDENTITY_POOL_PARAMETER})


def _changed(properties: Mapping[str, Any], freed: Freed, file_text: Callable[[Any], str | None]) -> dict[str, Any]:
    """The properties of a resolver that take another value, with it."""
    changed: dict[str, Any] = {}
    for text, (location, longest) in TEXTS.items():
        if text in properties:
            new = freed.text(properties[text])
            if new is not properties[text]:
                changed[text] = new
        elif location in properties:
            content = file_text(properties[location])
            if content is not None and len(content) <= longest:
                new = freed.text(content)
                if new != content:
                    changed[text] = new
    return changed
