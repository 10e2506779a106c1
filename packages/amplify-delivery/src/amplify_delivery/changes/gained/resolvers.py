"""Whom Amplify's authorisation resolvers let through, read from their text (`@auth` rules, as VTL).

The forms are those of amplify-category-api, `amplify-graphql-auth-transformer/src/resolvers`: one branch for each way
to call the API; in it static groups as a list, owners by the field that names them, and whoever is let in at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from amplify_delivery.changes.gained.sign_in import GUESTS
from amplify_delivery.changes.gained.texts import at
from amplify_delivery.export.documents import parsed

KEYED = "anyone with the API key"
ALL = "all that it guards"
_BRANCH = re.compile(r'#if\s*\(\s*\$util\.authType\(\)\s*==\s*"([\w ]+) Authorization"\s*\)')
_EVERYBODY = {
    "API Key": KEYED,
    "User Pool": "every user of the user pool",
    "Open ID Connect": "every user of the OpenID Connect provider",
    "Lambda": "whom the Lambda function lets in",
}
_BLOCKS = re.compile(r"#(if|foreach|end)\b")
_FIELDS = re.compile(r"#set\(\s*\$(?:nullA|a)llowedFields\s*=\s*(\[[^\]]*\])\s*\)")
_ADDED = re.compile(r"\$(?:nullA|a)llowedFields\.addAll\((\[[^\]]*\])\)")
_LETS_IN = re.compile(r"#set\(\s*\$isAuthorized\s*=\s*true\s*\)|#return\(\s*\$util\.toJson\(\{\}\)\s*\)")
_IDENTITIES = (
    (GUESTS, re.compile(r"#if\s*\([^\n]*userArn\s*==\s*\$ctx\.stash\.unauthRole[^\n]*\)")),
    (
        "every identity that has signed in",
        re.compile(
            r"#if\s*\([^\n]*(?:userArn\s*==\s*\$ctx\.stash\.authRole|AuthType\s*==\s*\"authenticated\")[^\n]*\)"
        ),
    ),
)
_GROUPS = re.compile(r"\$staticGroupRoles\s*=\s*(\[.*\])\s*\)")
_OWNERS = re.compile(
    r"\$(?:owner|group)\w*Entity\d*\s*=\s*\$util\.defaultIfNull\(\$ctx\.(?:args\.input|result|source)\.(\w+)"
    r"|[aA]uth\w*Filter\.add\(\s*\{\s*\"(\w+)\""
)
_ADMINS = re.compile(r"\"adminRoles\"\s*,\s*(\[[^\]]*\])")


@dataclass(frozen=True)
class Let:
    """`who` is let through by a branch, for all (`ALL`) or for a `what`. `everybody`: whoever calls in that way."""

    branch: str
    who: str
    what: str
    everybody: bool = True

    def within(self, other: Let) -> bool:
        """Whether `other` lets all of it through."""
        return other.what == ALL and (self.who == other.who or (other.everybody and other.branch == self.branch))


def let_through(text: str) -> list[Let]:
    """Of the text of one authorisation resolver; where everybody is let through, nobody else is told apart."""
    found = list(_let_through(text))
    return [let for let in found if not any(other != let and let.within(other) for other in found)]


def _let_through(text: str) -> Iterator[Let]:
    for found in _BRANCH.finditer(text):
        branch, block = found[1], _block(text, found.end())
        if branch == "IAM":
            for who, condition in _IDENTITIES:
                for asked in condition.finditer(block):
                    yield from _everybody(f"{branch} {who}", who, _block(block, asked.end()))
        elif branch in _EVERYBODY:
            # Of the API key the whole branch counts; users are asked further in what is nested.
            yield from _everybody(branch, _EVERYBODY[branch], block if branch == "API Key" else _outermost(block))
            yield from _named(branch, block)


def admin_roles(text: str) -> Iterator[str]:
    """What the names of roles begin with that every authorisation resolver lets through (`custom-roles.json`)."""
    for found in _ADMINS.finditer(text):
        names = parsed(found[1])
        yield from (str(name) for name in names) if isinstance(names, list) else (found[1],)


def _everybody(branch: str, who: str, block: str) -> Iterator[Let]:
    if _LETS_IN.search(block):
        yield Let(branch, who, ALL)
    for field in _fields([*_FIELDS.findall(block), *_ADDED.findall(block)]):
        yield Let(branch, who, f"field {field}")


def _named(branch: str, block: str) -> Iterator[Let]:
    for found in _GROUPS.finditer(block):
        roles = parsed(found[1])
        for role in roles if isinstance(roles, list) else ():
            who = f"members of {at(role, 'entity')}"
            some = at(role, "allowedFields")
            whole = some is None or at(role, "isAuthorizedOnAllFields")
            for what in [ALL] if whole or not isinstance(some, list) else [f"field {field}" for field in some]:
                yield Let(branch, who, what, everybody=False)
    for field in sorted({one or other for one, other in _OWNERS.findall(block)}):
        yield Let(branch, f"whoever is named in `{field}`", "what is theirs", everybody=False)


def _fields(lists: list[str]) -> list[str]:
    return sorted({name for text in lists for name in re.findall(r'"([^"]+)"', text)})


def _block(text: str, start: int) -> str:
    """From behind an `#if` to its `#end`."""
    depth = 1
    for found in _BLOCKS.finditer(text, start):
        depth += -1 if found[1] == "end" else 1
        if not depth:
            return text[start : found.start()]
    return text[start:]


def _outermost(block: str) -> str:
    """What of a block stands in no `#if` and no `#foreach`."""
    kept: list[str] = []
    depth, start = 0, 0
    for found in _BLOCKS.finditer(block):
        if found[1] == "end":
            depth = max(depth - 1, 0)
            start = found.end() if not depth else start
        else:
            if not depth:
                kept.append(block[start : found.start()])
            depth += 1
    return "".join([*kept, block[start:] if not depth else ""])
