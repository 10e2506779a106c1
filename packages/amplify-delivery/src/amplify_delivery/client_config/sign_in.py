"""How users sign in: what a client has to know of the user pool, its app clients and the hosted UI.

After amplify-cli 14.2.2, amplify-category-auth, amplify-meta-updaters.ts (`getFrontendConfig`: it reads the very
parameters that an export passes to the stack) and string-maps.ts (`hostedUIProviders`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amplify_delivery.client_config.declared import PASSWORD_LENGTH, Declared
from amplify_delivery.export.documents import several
from amplify_delivery.export.templates.literals import text

PROVIDERS = {"Facebook": "FACEBOOK", "Google": "GOOGLE", "LoginWithAmazon": "AMAZON", "SignInWithApple": "APPLE"}
"""Cognito's names of identity providers, and what a client's configuration calls them."""
_MFA_TYPES = {"SMS Text Message": "SMS", "TOTP": "TOTP"}
_CUSTOM = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")
"""The triggers that make a sign-in of one's own."""


@dataclass(frozen=True)
class OAuth:
    """The hosted UI's settings, as the output `OAuthMetadata` has them."""

    scopes: tuple[str, ...]
    callbacks: tuple[str, ...]
    logouts: tuple[str, ...]
    flow: str | None
    """`code` or `implicit`."""


@dataclass(frozen=True)
class Settings:
    """What a front end shows and checks. Attributes are upper case, as EMAIL; `mfa` is OFF, OPTIONAL or ON."""

    social_providers: tuple[str, ...]
    username_attributes: tuple[str, ...]
    first_username_attributes: tuple[str, ...]
    """Those of the parameter's first item, which may hold several: the CLI's files say no more. They differ where
    `EMAIL_AND_PHONE_NUMBER` was chosen without being asked (headless), which makes a list of two."""
    signup_attributes: tuple[str, ...]
    password_length: int | str | None
    """As it was exported: text in old projects."""
    password_characters: tuple[str, ...]
    """As REQUIRES_LOWERCASE."""
    mfa: str | None
    mfa_types: tuple[str, ...]
    verification: tuple[str, ...]


@dataclass(frozen=True)
class Auth:
    """User pool and identity pool. `federated` are the app ids of identity providers that the identity pool knows
    itself, by output; `groups` the user pool's, each with its precedence, if it has one."""

    user_pool_id: str | None
    identity_pool_id: str | None
    web_client_id: str | None
    native_client_id: str | None
    native_client_secret: str | None
    domain: str | None
    oauth: OAuth | None
    federated: Mapping[str, str]
    settings: Settings
    custom: bool
    guests: bool | None
    groups: tuple[tuple[str, int | None], ...]


def read(
    parameters: Mapping[str, Any], outputs: Mapping[str, str], region: str, groups: Sequence[Declared] = ()
) -> Auth:
    """From the parameters and outputs of the stack of the category auth, and the stacks of user pool groups."""
    prefix, metadata = outputs.get("HostedUIDomain"), outputs.get("OAuthMetadata")
    guests = parameters.get("allowUnauthenticatedIdentities")
    known = ("GoogleWebClient", "GoogleIOSClient", "FacebookWebClient", "AmazonWebClient", "AppleWebClient")
    return Auth(
        user_pool_id=outputs.get("UserPoolId"),
        identity_pool_id=outputs.get("IdentityPoolId"),
        web_client_id=outputs.get("AppClientIDWeb"),
        native_client_id=outputs.get("AppClientID"),
        native_client_secret=outputs.get("AppClientSecret"),
        domain=f"{prefix}.auth.{region}.amazoncognito.com" if prefix else None,
        oauth=_oauth(metadata) if metadata else None,
        federated={name: outputs[name] for name in known if outputs.get(name)},
        settings=_settings(parameters),
        custom=_is_custom(parameters.get("triggers")),
        guests=None if guests is None else text(guests) == "true",
        groups=tuple(_groups(groups)),
    )


def _oauth(metadata: str) -> OAuth | None:
    found = _json(metadata)
    if not isinstance(found, Mapping):
        return None
    flows = _texts(found.get("AllowedOAuthFlows"))
    return OAuth(
        _texts(found.get("AllowedOAuthScopes")),
        _texts(found.get("CallbackURLs")),
        _texts(found.get("LogoutURLs")),
        flows[0] if flows else None,
    )


def _settings(parameters: Mapping[str, Any]) -> Settings:
    mfa_types, usernames = _items(parameters.get("mfaTypes")), parameters.get("usernameAttributes")
    providers = [PROVIDERS.get(provider) for provider in _items(parameters.get("authProvidersUserPool"))]
    characters = [c.replace(" ", "_") for c in _items(parameters.get("passwordPolicyCharacters"))]
    return Settings(
        social_providers=tuple(provider for provider in providers if provider),
        username_attributes=_upper(_items(usernames)),
        first_username_attributes=_upper(_items(_first(usernames))),
        signup_attributes=_upper(_items(parameters.get("requiredAttributes"))),
        password_length=parameters.get(PASSWORD_LENGTH),
        password_characters=_upper(characters),
        mfa=parameters.get("mfaConfiguration"),
        mfa_types=tuple(short for long, short in _MFA_TYPES.items() if long in mfa_types),
        verification=_upper(_items(parameters.get("autoVerifiedAttributes"))),
    )


def _is_custom(triggers: Any) -> bool:
    """Whether all three triggers of a sign-in of one's own are there: each has a list of its modules."""
    found = _json(triggers) if isinstance(triggers, str) else triggers
    return isinstance(found, Mapping) and all(found.get(name) for name in _CUSTOM)


def _groups(stacks: Sequence[Declared]) -> Iterator[tuple[str, int | None]]:
    for stack in stacks:
        for group in stack.of_type("AWS::Cognito::UserPoolGroup"):
            name, precedence = group.get("GroupName"), group.get("Precedence")
            if isinstance(name, str):
                number = text(precedence)
                yield name, int(number) if number.isdecimal() else None


def _items(value: Any) -> list[str]:
    """The members of a list, which may stand in one text, or several of them in one member: `["email, phone_number"]`
    (what the CLI asks for is a choice of one of these texts)."""
    return [item.strip() for part in several(value) for item in text(part).split(",") if item.strip()]


def _first(value: Any) -> Any:
    """The first item of a list. As a stack's parameter a list of two is `email,phone_number`; the one item of both,
    which the CLI offers, has a space in it."""
    if isinstance(value, list):
        return value[:1]
    return re.split(r",(?! )", value)[0] if isinstance(value, str) else value


def _upper(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(value.upper() for value in values)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(text(item) for item in value) if isinstance(value, list) else ()


def _json(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return None
