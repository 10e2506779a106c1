"""Ways to sign in that templates leave open: identity pools, user pools and their clients, and what asks no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.changes.gained.grants import ANYONE, Grant, Term
from amplify_delivery.changes.gained.texts import When, at, branches, each, is_true, path_of, shown
from amplify_delivery.changes.steps import Path
from amplify_delivery.export.documents import parsed
from amplify_delivery.export.templates.resolve import ResolvedResource

Properties = Mapping[str, Any]
Found = Iterator[tuple[str, str, When]]
"""Who, what, and under which conditions of templates."""

GUESTS = "guests"
"""Whoever has not signed in, and gets credentials all the same."""
_CREDENTIALS = "get credentials of the account"
_PROVIDERS = ("OpenIdConnectProviderARNs", "SamlProviderARNs", "DeveloperProviderName")
_SAFE_FLOWS = ("USER_SRP_AUTH", "REFRESH_TOKEN_AUTH")
"""Flows in which no password is handed over, and no function or code takes its place."""
_ASKED = ("PreSignUp", "PreAuthentication")
"""Triggers of a user pool that may turn people away."""
_POOL = "AWS::Cognito::UserPool"


def identity_pool(properties: Properties) -> Found:
    """Who gets credentials through an identity pool."""
    for value, when in branches(properties.get("AllowUnauthenticatedIdentities")):
        if is_true(value):
            yield GUESTS, f"{_CREDENTIALS} (unauthenticated identities)", when
    for value, when in branches(properties.get("AllowClassicFlow")):
        if is_true(value):
            yield GUESTS, f"{_CREDENTIALS} without the enhanced flow's limits (AllowClassicFlow)", when
    for provider, when in each(properties.get("CognitoIdentityProviders")):
        used = at(provider, "ClientId")
        if path_of(used) is None:  # else of the backend's own users, which are what the pool is for
            who = f"users of {shown(at(provider, 'ProviderName'))}"
            yield who, f"{_CREDENTIALS} through the client {shown(used)}", when
    for name in _PROVIDERS:
        for value, when in each(properties.get(name)):
            yield f"users of {shown(value)}", f"{_CREDENTIALS} ({name})", when
    social = properties.get("SupportedLoginProviders")
    for name, app in social.items() if isinstance(social, Mapping) else ():
        yield f"users of {name}", f"{_CREDENTIALS} through the app {shown(app)}", frozenset()


def user_pool(properties: Properties) -> Found:
    """Who may sign up by themselves."""
    for value, when in branches(at(properties, "AdminCreateUserConfig", "AllowAdminCreateUserOnly")):
        if not is_true(value):
            yield ANYONE, "sign up", when


def client(properties: Properties) -> Found:
    """How users get tokens through a client of a user pool, and which of their attributes they write with it.

    Attributes of Cognito's own are written where nothing is said; what an app has added (`custom:`) is often what its
    rules ask for.
    """
    for value, when in each(properties.get("CallbackURLs")):
        yield shown(value), "gets users' tokens after they have signed in (CallbackURLs)", when
    for value, when in each(properties.get("SupportedIdentityProviders")):
        if value != "COGNITO":
            yield f"users of {shown(value)}", "sign in (SupportedIdentityProviders)", when
    for value, when in each(properties.get("AllowedOAuthFlows")):
        if value != "code":
            yield "whoever has the client's id", f"gets tokens by the OAuth flow {shown(value)}", when
    for value, when in each(properties.get("ExplicitAuthFlows")):
        if shown(value).removeprefix("ALLOW_") not in _SAFE_FLOWS:
            yield "whoever has the client's id", f"signs users in by the flow {shown(value)}", when
    for value, when in each(properties.get("WriteAttributes")):
        if "custom:" in shown(value):
            yield "users of the user pool", f"write their attribute {shown(value)}", when


def unasked(old: Mapping[Path, ResolvedResource], new: Mapping[Path, ResolvedResource]) -> Iterator[Grant]:
    """What stood between people and a user pool, and does no more: functions that are asked before they sign up or in,
    by the pool's own configuration or by Amplify's custom resource, and a second factor that everybody had to have."""
    before, after = set(_triggers(old)), set(_triggers(new))
    for trigger, pool in sorted(before - after):
        yield _open(pool, f"no function is asked any more at {trigger}", new)
    for path, item in new.items():
        was = at(old[path].properties, "MfaConfiguration") if path in old and item.type == _POOL else None
        if was == "ON" and at(item.properties, "MfaConfiguration") != "ON":
            yield _open("/".join(path), "users may sign in without a second factor", new)


def _triggers(resources: Mapping[Path, ResolvedResource]) -> Iterator[tuple[str, str]]:
    """Triggers that ask, and the pool's place."""
    for path, item in resources.items():
        configured = at(item.properties, "LambdaConfig") if item.type == _POOL else None
        for name in _ASKED:
            if at(configured, name) is not None:
                yield name, "/".join(path)
        given = at(item.properties, "lambdaConfig") if item.type.startswith("Custom::") else None
        for trigger, _ in each(parsed(given)):
            if (name := at(trigger, "triggerType")) in _ASKED:
                yield str(name), _pool(at(item.properties, "userpoolId"), resources)


def _pool(given: Any, resources: Mapping[Path, ResolvedResource]) -> str:
    """The place of a user pool, by its id as Amplify's custom resource gets it; a backend has one."""
    pools = ["/".join(path) for path, item in resources.items() if item.type == _POOL]
    return pools[0] if len(pools) == 1 else shown(given)


def _open(place: str, what: str, resources: Mapping[Path, ResolvedResource]) -> Grant:
    path = tuple(place.split("/"))
    kind = resources[path].type if path in resources else _POOL
    return Grant("open", ANYONE, Term(what), Term(place), path=path, type=kind)
