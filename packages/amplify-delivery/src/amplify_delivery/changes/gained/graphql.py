"""What a GraphQL API leaves open: fields by its schema, operations by Amplify's authorisation resolvers.

Both lie beside the templates, in objects whose keys are made from their content: where a key stays, nothing is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.changes.gained.grants import Grant, Term
from amplify_delivery.changes.gained.openings import API, modes
from amplify_delivery.changes.gained.resolvers import KEYED, Let, admin_roles, let_through
from amplify_delivery.changes.gained.texts import at, path_of, shown
from amplify_delivery.changes.steps import Path
from amplify_delivery.export.templates.resolve import ResolvedResource

Contents = Callable[[Collection[str]], Mapping[str, bytes]]
"""The bytes of objects by their keys, of those that can be had; by `s3://BUCKET/KEY` where another tool has put
them."""

_SCHEMA = "AWS::AppSync::GraphQLSchema"
_RESOLVERS = ("AWS::AppSync::FunctionConfiguration", "AWS::AppSync::Resolver")
_KEY = re.compile(r"[a-z]+/[0-9a-f]{64}\.\w+$")
"""Of an object in a staging bucket, at the end of its location."""

_ELSEWHERE = ("s3:", "https:")
"""How a location begins; anything else is the text itself."""

_DIRECTIVES = {
    "aws_api_key": "API_KEY",
    "aws_iam": "AWS_IAM",
    "aws_oidc": "OPENID_CONNECT",
    "aws_lambda": "AWS_LAMBDA",
    "aws_cognito_user_pools": "AMAZON_COGNITO_USER_POOLS",
    "aws_auth": "AMAZON_COGNITO_USER_POOLS",
}
"""AppSync Developer Guide, "Using additional authorization modes"."""
_ROOTS = ("Query", "Mutation", "Subscription")

_DESCRIPTIONS = re.compile(r'"""(?:[^"]|"(?!""))*"""|^\s*"[^"\n]*"\s*$|#[^\n]*', re.MULTILINE)
_TYPE = re.compile(r"\b(?:type|interface)\s+(\w+)([^{}]*)\{([^{}]*)\}")
_FIELD = re.compile(r"(\w+)\s*(?:\([^()]*\))?\s*:\s*([\w\[\]!]+)((?:\s*@\w+(?:\s*\([^()]*\))?)*)")
_DIRECTIVE = re.compile(r"@(\w+)(?:\s*\(([^()]*)\))?")


def nothing_known(_: Collection[str]) -> Mapping[str, bytes]:
    """Contents of which there are none."""
    return {}


@dataclass(frozen=True)
class Found:
    """What two trees leave open, of what differs between them; and schemas or resolvers that could not be read."""

    before: tuple[Grant, ...] = ()
    after: tuple[Grant, ...] = ()
    unread: tuple[str, ...] = ()


NOTHING = Found()


def opened(
    old: Mapping[Path, ResolvedResource],
    new: Mapping[Path, ResolvedResource],
    contents_before: Contents,
    contents_after: Contents,
) -> Found:
    """Of schemas and authorisation resolvers whose text differs, what either side leaves open."""
    before: list[Grant] = []
    after: list[Grant] = []
    unread: list[str] = []
    differing = [p for p, r in new.items() if _reads(p, r) and _differs(p, r, old, new)]
    bodies = contents_after(_keys(new, differing)), contents_before(_keys(old, differing))
    for path in differing:
        text, text_before = _text(new, path, bodies[0]), _text(old, path, bodies[1])
        if text is None or (path in old and text_before is None):
            unread.append("/".join(path))
            continue
        if new[path].type == _SCHEMA:
            before += _schema(path, old, text_before) if text_before is not None else ()
            after += _schema(path, new, text)
            continue
        was, lets = let_through(text_before or ""), let_through(text)
        before += _resolver(path, old, was) if path in old else ()
        after += _resolver(path, new, [let for let in lets if not any(let.within(other) for other in was)])
    return Found((*before, *_administrators(old)), (*after, *dict.fromkeys(_administrators(new))), tuple(unread))


def _reads(path: Path, item: ResolvedResource) -> bool:
    return item.type == _SCHEMA or (item.type in _RESOLVERS and "auth" in path[-1].lower())


def _differs(
    path: Path,
    item: ResolvedResource,
    old: Mapping[Path, ResolvedResource],
    new: Mapping[Path, ResolvedResource],
) -> bool:
    if path not in old:
        return True
    if [*_sources(old[path])] != [*_sources(item)]:
        # The same bytes in another place are the same: where an earlier tool has put them says nothing.
        return _located(old[path]) != _located(item) or not _located(item)
    return item.type == _SCHEMA and _default(path, old) != _default(path, new)


def _sources(item: ResolvedResource) -> Iterator[Any]:
    names = ("Definition", "DefinitionS3Location") if item.type == _SCHEMA else _TEMPLATES
    yield from (at(item.properties, name) for name in names)


_TEMPLATES = (
    "RequestMappingTemplate",
    "RequestMappingTemplateS3Location",
    "ResponseMappingTemplate",
    "ResponseMappingTemplateS3Location",
)


def _located(item: ResolvedResource) -> list[str]:
    return [key[0] for source in _sources(item) if source is not None and (key := _KEY.search(shown(source)))]


def _keys(resources: Mapping[Path, ResolvedResource], paths: Collection[Path]) -> frozenset[str]:
    found = (shown(s) for path in paths if path in resources for s in _sources(resources[path]) if s is not None)
    return frozenset(_object(location) for location in found if location.startswith(_ELSEWHERE))


def _object(location: str) -> str:
    """What an object's contents are asked for by."""
    key = _KEY.search(location)
    return key[0] if key else location


def _text(resources: Mapping[Path, ResolvedResource], path: Path, bodies: Mapping[str, bytes]) -> str | None:
    """The text of a schema, or of a resolver's templates; None if it cannot be had."""
    if path not in resources:
        return None
    parts = []
    for source in _sources(resources[path]):
        if source is None:
            continue
        location = shown(source)
        if location.startswith(_ELSEWHERE):
            body = bodies.get(_object(location))
            if body is None:
                return None
            parts.append(body.decode(errors="replace"))
        else:
            parts.append(location)
    return "\n".join(parts)


def _default(path: Path, resources: Mapping[Path, ResolvedResource]) -> list[str]:
    """The modes of the API that a schema belongs to."""
    api = path_of(at(resources[path].properties, "ApiId"))
    item = resources.get(api) if api else None
    return modes(item.properties) if item is not None and item.type == API else ["unknown"]


def _schema(path: Path, resources: Mapping[Path, ResolvedResource], text: str) -> Iterator[Grant]:
    default = _default(path, resources)[0]
    for name, groups, fields in _types(text):
        for called, own in fields:
            for mode, who in own or groups or [(default, "")]:
                by_default = not own and not groups
                if mode == "API_KEY" and (not by_default or name in _ROOTS):
                    yield _opens(path, resources, KEYED, f"{name}.{called}")
                elif mode == "AMAZON_COGNITO_USER_POOLS" and who:
                    yield _opens(path, resources, f"members of {who}", f"{name}.{called}")


Modes = list[tuple[str, str]]
"""Modes of a field or a type, each with the groups that it is limited to, or nothing."""


def _types(text: str) -> Iterator[tuple[str, Modes, list[tuple[str, Modes]]]]:
    """The types of a schema, with their modes and their fields' modes."""
    for found in _TYPE.finditer(_DESCRIPTIONS.sub("", text)):
        fields = [(f[1], _modes(f[3])) for f in _FIELD.finditer(found[3])]
        yield found[1], _modes(found[2]), fields


def _modes(directives: str) -> Modes:
    found = []
    for directive in _DIRECTIVE.finditer(directives):
        if directive[1] in _DIRECTIVES:
            groups = ", ".join(sorted(re.findall(r'"([^"]+)"', directive[2] or "")))
            found.append((_DIRECTIVES[directive[1]], groups))
    return found


def _resolver(path: Path, resources: Mapping[Path, ResolvedResource], lets: Iterable[Let]) -> Iterator[Grant]:
    """What an authorisation resolver of Amplify's lets through: `open` if it is for whoever calls in some way."""
    place, kind = Term("/".join(path)), resources[path].type
    for let in lets:
        if let.everybody:
            yield _opens(path, resources, let.who, let.what)
        else:
            yield Grant("principal", let.who, Term(f"use {let.what}"), place, path=path, type=kind)


def _administrators(resources: Mapping[Path, ResolvedResource]) -> Iterator[Grant]:
    """Roles that every authorisation resolver of an API lets through, named in the resolvers before them."""
    for path, item in resources.items():
        text = shown(at(item.properties, _TEMPLATES[0])) if item.type == _RESOLVERS[1] else ""
        if '"adminRoles"' in text:
            api = path_of(at(item.properties, "ApiId")) or path[:1]
            for name in admin_roles(text):
                who, what = f"roles named {name}...", Term("use all that authorisation rules guard")
                yield Grant("principal", who, what, Term("/".join(api)), path=api, type=API)


def _opens(path: Path, resources: Mapping[Path, ResolvedResource], who: str, what: str) -> Grant:
    return Grant("open", who, Term(what), Term("/".join(path)), path=path, type=resources[path].type)
