"""Check of user pools and their app clients: what Cognito refuses of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import target
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

SIGN_IN = Rule(
    "AD737",
    "refused",
    "A user pool with aliases beside user name attributes, an app client with an attribute that its pool does not "
    "have, or an address to come back to by plain http.",
    "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html",
    "`Only one of the aliasAttributes or usernameAttributes can be set in a user pool`, `Invalid read attributes "
    "specified while creating a client`, `http://... cannot use the HTTP protocol`",
    remedy="correct it in the Amplify project (`amplify update auth`, or override) and export again; an attribute that "
    "was added to a deployed pool by hand: `lint.ignore` takes AD737",
)
_POOL, _CLIENT = "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"
_STANDARD = frozenset(
    {
        *("address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "identities"),
        *("locale", "middle_name", "name", "nickname", "phone_number", "phone_number_verified", "picture"),
        *("preferred_username", "profile", "sub", "updated_at", "website", "zoneinfo"),
    }
)
"""Attributes of every pool (Cognito Developer Guide, "Working with user attributes")."""
_HERE = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])([:/]|$)", re.IGNORECASE)
"""Where plain http is allowed."""


def impossible_sign_in(tree: Tree) -> Iterator[Finding]:
    """AD737, of every pool and client."""
    resources = tree.resolved.resources
    for path, resource in resources.items():
        properties = as_mapping(resource.properties)
        problems: Iterator[str] = iter(())
        if resource.type == _POOL:
            problems = _of_pool(properties)
        elif resource.type == _CLIENT:
            pool = resources.get(target(properties.get("UserPoolId")) or ())
            problems = _of_client(properties, as_mapping(pool.properties) if pool else None)
        for problem in problems:
            yield SIGN_IN.at(tree.file(path[:-1]), f"{path[-1]} {problem}", SIGN_IN.remedy)


def _of_pool(properties: Mapping[str, Any]) -> Iterator[str]:
    if properties.get("AliasAttributes") and properties.get("UsernameAttributes"):
        yield "has AliasAttributes and UsernameAttributes: Cognito takes one of them"


def _of_client(properties: Mapping[str, Any], pool: Mapping[str, Any] | None) -> Iterator[str]:
    for name in ("CallbackURLs", "LogoutURLs"):
        urls = properties.get(name)
        for url in urls if isinstance(urls, list) else ():
            if isinstance(url, str) and url.lower().startswith("http://") and not _HERE.match(url):
                yield f"has {url} among its {name}: Cognito takes http of this machine only (http://localhost)"
    have = _attributes(pool) if pool is not None else None
    for name in ("ReadAttributes", "WriteAttributes") if have is not None else ():
        wanted = properties.get(name)
        for attribute in wanted if isinstance(wanted, list) else ():
            if isinstance(attribute, str) and attribute not in (have or ()):
                yield f"has {attribute} among its {name}, which its user pool does not have"


def _attributes(pool: Mapping[str, Any]) -> frozenset[str] | None:
    """All attributes of a pool; None when they are not known."""
    schema = pool.get("Schema") or []
    names = [as_mapping(attribute).get("Name") for attribute in schema] if isinstance(schema, list) else [None]
    if not all(isinstance(name, str) for name in names):
        return None
    own = {f"{prefix}{name}" for name in names for prefix in ("custom:", "dev:custom:", "")}
    return _STANDARD | own
